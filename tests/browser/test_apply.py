"""A volunteer applies, a host agrees, an officer passes it on to the panel: with script and without."""

import pytest
from playwright.sync_api import expect

from fund.db import transaction
from fund.kernel.actor import SYSTEM, Capacity
from fund.people.actions import grant_capacity
from tests.browser.look import check
from tests.make import ledger, neighbourhoods, organisations, people, rounds
from tests.make.applications import ANSWERS

pytestmark = pytest.mark.browser


@pytest.fixture
def fund(live):
    """A round in a real place, a volunteer, an officer, and a charity that could be a host."""
    with live.app.app_context(), transaction():
        place = neighbourhoods.make_neighbourhood()
        ledger.make_funded_endowment()
        ledger.make_allocation(place.code, amount_pence=4_800_000, name=place.name)
        round_ = rounds.published(neighbourhood_id=place.id)
        people.make_person(name="Sam Okoro", email="sam@example.org", is_demo=True)
        host = people.make_person(name="Hana Host", email="hana@example.org", is_demo=True)
        officer = people.make_person(name="Ola Officer", email="ola@example.org", is_demo=True)
        grant_capacity(SYSTEM, officer.id, Capacity.OFFICER)
        organisations.payable(person_id=host.id, name="Smithills Community Trust")
    return round_


def be(page, live, name):
    page.goto(live.url + "/demo")
    page.get_by_role("button", name=name).click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_few_people_apply_and_an_officer_passes_it_on(live, fund, new_page, scripts):
    page = new_page(scripts=scripts)
    look = (lambda name: check(page, name)) if scripts else (lambda name: None)
    be(page, live, "Sam Okoro")
    page.goto(f"{live.url}/rounds/{fund.reference}")
    look("apply-01-round")
    page.get_by_role("button", name="Apply").first.click()
    look("apply-02-begin")
    page.get_by_role("button", name="Begin").click()
    look("apply-03-tasks")
    page.get_by_role("link", name="Who you are").click()
    look("apply-04-who")
    page.get_by_label("Just us: a few people").check()
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("What shall we call you?").fill("Neighbours of Elm Street")
    look("apply-05-few")
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("What do you want to do, in one line?").fill(ANSWERS["title"])
    page.get_by_label("Tell us more").fill("word " * 300)
    page.get_by_role("button", name="Save and go on").last.click()
    look("apply-06-what-to-mend")
    assert page.get_by_label("Tell us more").input_value() == ("word " * 300).strip()
    page.get_by_label("Tell us more").fill(ANSWERS["what"])
    page.get_by_role("button", name="Save and go on").last.click()
    page.get_by_label("Who is it for, and what will be better for them?").fill(ANSWERS["for_whom"])
    page.get_by_label("Where will it happen?").fill(ANSWERS["where"])
    look("apply-07-for-whom")
    page.get_by_role("button", name="Save and go on").last.click()
    page.get_by_label("Line 1: what").fill("Two benches")
    page.get_by_label("How much, line 1").fill("400")
    page.get_by_label("Line 2: what").fill("A tree and a stake")
    page.get_by_label("How much, line 2").fill("eighty")
    page.get_by_label("How much are you asking for?").fill("480")
    page.get_by_role("button", name="Save and go on").last.click()
    look("apply-08-costs-to-mend")
    page.get_by_label("How much, line 2").fill("80")
    page.get_by_role("button", name="Add a line").click()
    expect(page.get_by_text("Together £480")).to_be_visible()
    page.get_by_role("button", name="Take out line 3").click()
    page.get_by_label("What is the least that would still help?").fill("400")
    page.get_by_role("button", name="Save and come back later").click()
    look("apply-09-tasks-later")
    page.get_by_role("link", name="What the law asks for").click()
    look("apply-10-duty")
    page.get_by_label("No", exact=True).check()
    page.get_by_role("button", name="Save and go on").last.click()
    look("apply-11-files")
    page.get_by_role("button", name="Go on").click()
    look("apply-12-check")
    page.get_by_role("button", name="Send it now").click()
    look("apply-13-received")
    page.get_by_role("button", name="See where it is").click()
    look("apply-14-status")
    page.get_by_role("link", name="Read what you sent").click()
    look("apply-15-copy")
    page.goto(live.url + "/applications")
    look("apply-16-mine")
    page.get_by_role("link", name="Your groups").click()
    look("apply-17-groups")
    page.get_by_role("link", name="Neighbours of Elm Street").click()
    look("apply-18-group")
    page.get_by_role("link", name="Ask for a host").click()
    look("apply-19-host")
    page.get_by_label("Smithills Community Trust").check()
    page.get_by_role("button", name="Ask them").click()
    page.get_by_role("link", name="Add the bank account").click()
    look("apply-20-account")

    be(page, live, "Hana Host")
    page.goto(live.url + "/groups")
    page.get_by_role("link", name="Smithills Community Trust").click()
    page.get_by_role("link", name="Neighbours of Elm Street asks you").click()
    look("apply-21-hosting")
    page.get_by_role("button", name="Yes, we will receive it").click()
    expect(page.get_by_role("link", name="You receive money for Neighbours of Elm Street.")).to_be_visible()

    be(page, live, "Ola Officer")
    page.goto(live.url + "/staff/applications")
    look("officer-01-queue")
    page.get_by_role("link", name=ANSWERS["title"]).click()
    look("officer-02-check")
    page.get_by_role("link", name="Neighbours of Elm Street").click()
    look("officer-03-organisation")
    page.go_back()
    page.get_by_label("Yes, put it before the panel").check()
    page.get_by_role("button", name="Say so").click()
    look("officer-04-checked")
    page.goto(live.url + "/staff/organisations")
    look("officer-05-accounts")

    be(page, live, "Sam Okoro")
    page.goto(live.url + "/applications")
    page.get_by_role("link", name=ANSWERS["title"]).click()
    expect(page.get_by_text("We checked that it fits")).to_be_visible()
    look("apply-22-with-the-panel")
