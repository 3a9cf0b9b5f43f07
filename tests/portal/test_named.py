"""What a line of the record names leads to its page, by the name that people call it."""

import re

import pytest
import sqlalchemy as sa

from fund.kernel.ids import new_id
from fund.ledger.views import said
from tests.counting import at_most
from tests.make.grants import make_offer


@pytest.fixture
def facts(session):
    """One offer, and what the lines before it name."""
    made = make_offer()
    return session.execute(sa.text("""
      SELECT a.reference AS grant, a.offer_entry_id, d.id AS decision, d.leaf_id, s.id AS sitting, r.id AS round,
             r.reference, r.title, n.name, n.slug, n.code, p.reference AS application
      FROM award a JOIN decision d ON d.id = a.decision_id JOIN sitting s ON s.id = d.sitting_id
      JOIN application p ON p.id = a.application_id
      JOIN round r ON r.id = s.round_id JOIN neighbourhood n ON n.id = r.neighbourhood_id
      WHERE a.reference = :reference"""), {"reference": made.reference}).one()


def test_a_line_leads_to_the_place_the_grant_and_the_decision(client, facts):
    offer, record = (client.get(f"/ledger/entries/{id_}").text for id_ in (facts.offer_entry_id, facts.leaf_id))
    place = f'href="/neighbourhoods/{facts.slug}">{facts.name} ({facts.code})</a>'
    for page, links in ((offer, (place, f'href="/follow/{facts.grant}">{facts.grant}</a>')), (record, (
            place, f'href="/decisions/{facts.decision}">How it was decided</a>',
            f'href="/decisions/sittings/{facts.sitting}.json">'))):
        for link in links:
            assert link in page
            assert client.get(re.search('href="([^"]+)"', link)[1]).status_code == 200


def test_the_account_of_a_grant_and_of_a_place_lead_to_them(client, facts):
    assert f'href="/follow/{facts.grant}"' in client.get(f"/ledger/accounts/5000/{facts.grant}").text
    assert f'href="/neighbourhoods/{facts.slug}"' in client.get(f"/ledger/accounts/4000/{facts.code}").text


def test_a_round_is_named_by_its_reference_or_its_id(app, client, facts):
    link = f'<a class="govuk-link" href="/rounds/{facts.reference}">{facts.title}</a>'
    for name in (facts.reference, str(facts.round)):
        with app.test_request_context():
            rows = said.pairs({"kind": "sitting_opened", "record": {"round": name}}, "record")
        assert rows == [("Round", link)]
    assert client.get(f"/rounds/{facts.reference}").status_code == 200


@pytest.mark.parametrize(("kind", "year", "address"), [
    ("spending_rule_set", "2026-27", "/endowment/limits/2026-27"),
    ("allocation_rule_published", "2026-27", "/allocations/2026-27"),
    ("recovery_plan_recorded", "2026-27", "/endowment#plans"), ("drawdown", "2026-27", None),
    ("spending_rule_set", "../../x", None), ("spending_rule_set", "", None)])
def test_a_year_leads_to_the_page_of_what_was_settled_for_it(app, kind, year, address):
    with app.test_request_context():
        found = dict(said.pairs({"kind": kind, "record": {"financial_year": year, "x": "y"}}, "record"))
    assert found.get("Year", "") == (f'<a class="govuk-link" href="{address}">{year}</a>' if address else year)


def test_what_the_fund_does_not_have_stands_as_it_is_and_asks_little(facts, app):
    """Also what is hostile: the words of a line are anybody's who could once write one."""
    nobody, record = str(new_id()), {
        "area": "<b>&", "round": "x", "decision": "not an id", "sitting": str(facts.sitting), "code": "//evil/../x?y",
        "leaf": "x", "grant": "a/../b?x=1", "places": [{"area": facts.code}, {"area": "E00000000"}, {"grant": ""}]}
    with app.test_request_context(), at_most(1):
        rows = dict(said.pairs({"kind": "sitting_opened", "record": record}, "record"))
    assert [str(rows[name]) for name in ("Place", "Round", "Decision", "Panel’s sitting", "Code", "Line", "Grant")] == [
        "<b>&", "x", "not an id", str(facts.sitting), "//evil/../x?y", "x", "a/../b?x=1"]
    assert str(rows["Places"]) == (f'Place: <a class="govuk-link" href="/neighbourhoods/{facts.slug}">{facts.name} '
                                   f'({facts.code})</a>\nPlace: E00000000\nGrant: ')
    record = dict.fromkeys(("area", "round", "decision", "sitting", "grant", "leaf", "code"), nobody)
    with app.test_request_context(), at_most(5):  # three for the one line, two for the other
        rows = said.pairs({"kind": "account_opened", "record": record}, "record")
        rows += said.pairs({"kind": "decision", "record": record}, "record")
    assert {str(value) for _name, value in rows} == {nobody}
    with app.test_request_context(), at_most(0):
        said.pairs({"kind": "price_recorded", "record": {"tenths": 1395}}, "record")


def test_a_line_that_names_thousands_is_shown_at_once(app, session):
    """Each word is looked at once: a line of many names costs one question, and no more than so many steps."""
    places = [{"area": f"E{number:08d}"} for number in range(3_000)]
    with app.test_request_context(), at_most(1):
        (_name, value), = said.pairs({"kind": "x", "record": {"places": places}}, "record")
    assert value.count("\n") == 2_999


@pytest.mark.parametrize("which", ["application", "reference"])
def test_the_box_finds_the_record_of_a_decision_and_of_a_round(client, facts, session, which):
    leaf_id = facts.leaf_id if which == "application" else session.scalar(sa.text(
        "SELECT id FROM log.leaf WHERE kind = 'round_published'"))
    answer = client.get("/ledger/find", query_string={"q": getattr(facts, which).lower()})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/ledger/entries/{leaf_id}")
