"""What each of the demo's people finds when they come in cold, and what the pages of the line cost."""

import re

import jsonschema
import pytest
import sqlalchemy as sa

from fund.db import db
from fund.db import session as fund_session
from fund.demo import load, story
from fund.endowment import queries as endowment
from fund.transparency import formats
from fund.transparency import queries as log

MOST_QUERIES = 8


@pytest.mark.parametrize("somebody", load.everybody(), ids=lambda one: one.key)
def test_everybody_of_the_demo_sees_what_waits_and_every_button_leads_on(as_person, somebody):
    browser = as_person(somebody)
    page = browser.get("/waiting")
    assert page.status_code == 200
    buttons = re.findall(r'<a class="govuk-button" href="([^"]+)"', page.text)
    if somebody in (story.ELLA, story.CERYS, *story.TRUSTEES):
        return
    assert buttons or "fund-waiting" in page.text, f"{somebody.name} finds nothing"
    for address in buttons:
        assert browser.get(address.replace("&amp;", "&")).status_code == 200, address


def test_those_who_have_to_do_something_have_a_button(as_person):
    # Ben's payment comes back only where there is a bank.
    for somebody in (story.AMINA, story.DEV, story.MEMBERS[0], story.OFFICERS[0], story.APPROVERS[0],
                     story.AUTHORISERS[0]):
        assert '<a class="govuk-button" href=' in as_person(somebody).get("/waiting").text, somebody.name


def test_a_page_of_the_line_costs_at_most_eight_queries(demo, as_person):
    counted = []
    sa.event.listen(db.engine, "before_cursor_execute",
                    lambda _c, _cursor, statement, *_rest: counted.append(statement))
    costs = {}
    people = {one.email: one for one in load.everybody()}
    for name, address, email, _budget in load.pages_of_the_line():
        browser = as_person(people.get(email))
        browser.get(address)
        counted.clear()
        assert browser.get(address).status_code == 200, address
        costs[name] = len([one for one in counted if "set_config" not in one and "RESET ROLE" not in one])
    assert {name: cost for name, cost in costs.items() if cost > MOST_QUERIES} == {}


def test_the_demos_endowment_ties_to_its_ledger(demo):
    entries, problems = endowment.check()
    fund_session.rollback()
    assert (entries > 10, problems) == (True, [])


def test_every_line_of_the_demos_log_is_one_by_the_published_schema(demo):
    valid = jsonschema.Draft202012Validator(formats.LINE, format_checker=jsonschema.FormatChecker())
    lines = [formats.read(row.encoded) for row in log.leaves_after(-1, 100_000)]
    fund_session.rollback()
    assert len({line["kind"] for line in lines}) >= 15
    assert [(line, error.message) for line in lines for error in valid.iter_errors(line)] == []


def test_a_pound_is_followed_back_to_every_tranche_each_with_its_share(as_person, one):
    reference = one("SELECT reference FROM award ORDER BY amount_pence DESC LIMIT 1")
    page = as_person(None).get(f"/follow/{reference}")
    assert page.status_code == 200
    for _sender, tranche, _pence, _scheme in story.TRANCHES:
        assert tranche in page.text
    assert as_person(None).get("/follow/NO-SUCH").status_code == 404
    for payment in (one("SELECT min(end_to_end_id) FROM release"), reference.lower()):
        assert as_person(None).get(f"/follow/{payment}").status_code == 200


def test_who_else_touched_a_decision_shows_staff_acts_and_none_on_scores(as_person, one):
    decision_id = one("SELECT d.id FROM decision d JOIN award g ON g.decision_id = d.id "
                      "JOIN stage s ON s.award_id = g.id JOIN release r ON r.stage_id = s.id LIMIT 1")
    page = as_person(None).get(f"/decisions/{decision_id}/touched")
    assert "An officer" in page.text
    assert "An approver" in page.text
    assert "Hana" not in page.text
    declined = one("SELECT id FROM decision WHERE outcome = 'declined'")
    assert as_person(None).get(f"/decisions/{declined}/touched").status_code == 200
