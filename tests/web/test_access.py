"""Every route has one mark; a mark lets the right people through and nobody else."""

import uuid

import pytest
from flask import Flask

from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import Broken, Forbidden
from fund.web import access
from tests.test_settings import SAFE


def test_an_application_with_an_unmarked_route_is_refused():
    app = Flask("bare")
    app.view_functions["static"] = access.public(app.view_functions["static"])
    app.add_url_rule("/open", "open", lambda: "anybody?")
    with pytest.raises(Broken, match="open has no access mark"):
        access.check_every_route(app)


def test_two_marks_on_one_route_are_refused():
    with pytest.raises(Broken, match="two access marks"):
        access.public(access.signed_in(lambda: ""))


@pytest.mark.parametrize("capacities", [(), (Capacity.READER,), (Capacity.OFFICER, Capacity.CHAIR)])
def test_only_capacities_of_staff_can_be_staff(capacities):
    with pytest.raises(Broken):
        access.staff(*capacities)


def test_a_stranger_is_led_to_sign_in_and_back(visitor):
    answer = visitor.get("/sample/mine?tab=2")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/sample/mine%3Ftab%3D2"


def test_what_a_stranger_sends_is_kept_on_the_page(visitor):
    answer = visitor.post_form("/sample/mine", {"story": "Benches <by> the canal", "password": "hidden away"})
    assert answer.status_code == 403
    assert "Benches &lt;by&gt; the canal" in answer.text
    assert "hidden away" not in answer.text
    assert '<form method="post" action="/sign-in"' in answer.text
    assert '<input type="hidden" name="next" value="/sample/mine">' in answer.text


def test_after_signing_in_the_words_go_through(visitor, known):
    assert visitor.post_form("/sample/mine", {"story": "Benches"}).status_code == 403
    known(visitor, "Ana")
    assert visitor.post_form("/sample/mine", {"story": "Benches"}).text == "mine"


@pytest.mark.parametrize(("capacities", "status"), [
    ((), 403), ((Capacity.AUTHORISER,), 403), ((Capacity.TRUSTEE,), 403), ((Capacity.APPROVER, Capacity.OFFICER), 200),
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_staff_page_is_for_its_capacities_alone(visitor, known, capacities, status, method):
    known(visitor, "Ana", *capacities)
    answer = visitor.get("/sample/staff") if method == "GET" else visitor.post_form("/sample/staff")
    assert answer.status_code == status


def test_an_actor_is_only_what_the_person_is(visitor, known):
    known(visitor, "Ana", Capacity.APPROVER)
    assert visitor.get("/sample/staff").status_code == 403  # the view asks to act as an officer


def test_nobody_signed_in_acts_as_nobody(site):
    with site.test_request_context("/"), pytest.raises(Forbidden):
        access.actor(Capacity.APPLICANT)


def test_an_actor_carries_person_and_seat(site, known):
    person, seat = uuid.uuid4(), uuid.uuid4()
    with site.test_request_context("/"):
        from flask_login import login_user

        from tests.web.sample import Person

        login_user(Person(person, "Ana"))
        assert access.actor(Capacity.CHAIR, seat) == Actor(Capacity.CHAIR, person, seat)


def test_only_what_a_seat_sends_acts_in_the_panels_role(visitor, known):
    ana = known(visitor, "Ana")
    assert visitor.get("/sample/seat").text == "fund_app|"
    assert visitor.post_form("/sample/seat").text == f"fund_panel|{ana.id}"
    assert visitor.get("/sample/seat").text == "fund_app|"


def test_there_is_no_demo_page_without_demo_sign_in(visitor, another):
    assert visitor.get("/sample/demo").status_code == 200
    app = another(demo_sign_in=False)
    assert app.test_client().get("/sample/demo").status_code == 404


def test_a_session_that_is_over_is_nobody(visitor, known, site):
    ana = known(visitor, "Ana")
    assert visitor.get("/sample/mine").status_code == 200
    del site.extensions["sample_people"][ana.get_id()]
    assert visitor.get("/sample/mine").status_code == 302


@pytest.mark.parametrize("value", [
    None, "", "https://evil.example/", "//evil.example", "/\\evil.example", "\\/evil.example", "javascript:alert(1)",
    "/a\nSet-Cookie: x", "/a\x00b", "evil", "/" + "a" * 2000, "/\t/evil.example",
])
def test_only_a_page_of_ours_comes_next(value):
    assert access.safe_next(value) == "/"


@pytest.mark.parametrize("value", ["/", "/apply?round=1", "/apply#part"])
def test_a_page_of_ours_comes_next(value):
    assert access.safe_next(value) == value


def test_cookies_are_for_our_pages_alone(another):
    app = another(**(SAFE | {"redis_url": "redis://127.0.0.1:1", "trusted_hosts": ["localhost"], "database_url": ""}))
    app.config["RATELIMIT_ENABLED"] = False
    answer = app.test_client().get("/sample/form", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-fund=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=63072000")
