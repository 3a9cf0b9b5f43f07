"""A person signs in, on a phone and on a computer, and a visitor is somebody of the demo."""

import re

import pytest

from fund.db import session
from fund.kernel.actor import Capacity
from fund.people import actions
from fund.settings import settings, use
from tests.browser.look import check
from tests.make.mail import Letters, start_mail_server
from tests.make.people import make_person, make_staff

pytestmark = pytest.mark.browser


@pytest.fixture
def post(live):
    """The letters that leave the running application."""
    letters = Letters()
    server = start_mail_server(letters)
    use(settings().model_copy(update={"smtp_url": f"smtp://127.0.0.1:{server.port}"}))

    def newest():
        live.work()
        return letters.arrived[-1][1].get_content()

    yield newest
    server.stop()


def test_somebody_signs_in_by_the_code_where_they_began_and_by_the_link_on_their_phone(live, page, post):
    page.goto(live.url + "/profile")
    check(page, shot="sign-in")
    page.get_by_role("button", name="Send me the link").click()
    check(page, shot="sign-in-empty")
    page.get_by_label("Your e-mail address").fill("ana@example.org")
    page.get_by_role("button", name="Send me the link").click()
    check(page, shot="sign-in-check")
    page.get_by_label("The code from the e-mail").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    check(page, shot="sign-in-wrong-code")
    code = re.search(r"^    ([0-9]{6})\s*$", post(), re.M)[1]
    page.get_by_label("The code from the e-mail").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    check(page, shot="profile")
    page.get_by_label("Your name").fill("Ana Jones")
    page.get_by_label("Cymraeg").check()
    page.get_by_role("button", name="Keep these").click()
    assert page.locator("html").get_attribute("lang") == "cy"
    page.context.clear_cookies()

    page.goto(live.url + "/sign-in?next=/profile")
    page.locator("#email").fill("ana@example.org")
    page.locator("main button").click()
    link = re.search(r"http://127\.0\.0\.1:8000(/sign-in/link/\S+)", post())[1]
    page.context.clear_cookies()
    page.goto(live.url + link)
    check(page, shot="sign-in-link")
    page.locator("main button").click()
    assert page.url == live.url + "/profile"
    assert page.locator("#name").input_value() == "Ana Jones"
    page.goto(live.url + link)
    check(page, shot="sign-in-link-over")


def test_what_was_being_written_comes_back_after_signing_in(live, page, post):
    with live.app.app_context():
        person = make_person(email="ana@example.org", name="Ana")
        session.commit()
        person_id = person.id
    page.goto(live.url + "/sign-in?next=/profile")
    page.get_by_label("Your e-mail address").fill("ana@example.org")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_label("The code from the e-mail").fill(re.search(r"^    ([0-9]{6})\s*$", post(), re.M)[1])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Your name").fill("Ana Somebody-Else")
    with live.app.app_context():
        actions.end_every_session(person_id)
        session.commit()
    page.get_by_role("button", name="Keep these").click()
    check(page, shot="sign-in-to-carry-on")
    page.get_by_label("Your e-mail address").fill("ana@example.org")
    page.get_by_role("button", name="Send me the link").click()
    page.get_by_label("The code from the e-mail").fill(re.search(r"^    ([0-9]{6})\s*$", post(), re.M)[1])
    page.get_by_role("button", name="Sign in", exact=True).click()
    check(page, shot="words-are-back")
    assert page.get_by_label("Your name").input_value() == "Ana Somebody-Else"


def test_a_visitor_is_anyone_in_the_demo(live, page):
    page.goto(live.url + "/demo")
    check(page, shot="demo-empty")
    with live.app.app_context():
        make_staff(Capacity.OFFICER, name="Olu Adeyemi", email="olu@example.org", is_demo=True)
        make_staff(Capacity.APPROVER, name="Priya Shah", email="priya@example.org", is_demo=True)
        make_staff(Capacity.AUTHORISER, name="Dewi Rees", email="dewi@example.org", is_demo=True)
        make_person(name="Nora Khan", email="nora@example.org", is_demo=True)
        session.commit()
    page.goto(live.url + "/demo")
    check(page, shot="demo")
    page.get_by_role("button", name="Be Olu Adeyemi").click()
    assert "Olu Adeyemi" in page.locator("header").inner_text()
