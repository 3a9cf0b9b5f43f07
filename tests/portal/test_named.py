"""What a line of the record names leads to its page, by the name that people call it."""

import pytest
import sqlalchemy as sa

from fund.ledger.views import said
from tests.counting import at_most
from tests.make.grants import make_offer


@pytest.fixture
def facts(session):
    """One offer, and what the lines before it name."""
    made = make_offer()
    return session.execute(sa.text("""
      SELECT a.reference AS grant, a.offer_entry_id, d.id AS decision, d.leaf_id, s.id AS sitting, r.id AS round,
             r.reference, r.title, n.name, n.slug, n.code
      FROM award a JOIN decision d ON d.id = a.decision_id JOIN sitting s ON s.id = d.sitting_id
      JOIN round r ON r.id = s.round_id JOIN neighbourhood n ON n.id = r.neighbourhood_id
      WHERE a.reference = :reference"""), {"reference": made.reference}).one()


def test_a_line_leads_to_the_place_the_grant_and_the_decision(client, facts):
    offer, record = (client.get(f"/ledger/entries/{id_}").text for id_ in (facts.offer_entry_id, facts.leaf_id))
    for page in (offer, record):
        assert f'href="/neighbourhoods/{facts.slug}">{facts.name} ({facts.code})</a>' in page
    assert f'href="/follow/{facts.grant}">{facts.grant}</a>' in offer
    assert f'href="/decisions/{facts.decision}">How it was decided</a>' in record
    for address in (f"/decisions/{facts.decision}", f"/decisions/sittings/{facts.sitting}.json"):
        assert f'href="{address}"' in record
        assert client.get(address).status_code == 200


def test_a_round_is_named_by_its_reference_or_its_id(facts, app):
    link = f'<a class="govuk-link" href="/rounds/{facts.reference}">{facts.title}</a>'
    for name in (facts.reference, str(facts.round)):
        with app.test_request_context():
            rows = said.pairs({"kind": "sitting_opened", "record": {"round": name}}, "record")
        assert rows == [("Round", link)]


def test_what_is_known_to_nobody_stands_as_it_is_and_asks_little(facts, app):
    """Also what is hostile: the words of a line are anybody's who could once write one."""
    record = {"area": "<b>&", "round": "x", "decision": "not an id", "sitting": str(facts.sitting), "code": "1000",
              "leaf": "x", "financial_year": "2026-27", "places": [{"area": facts.code}, {"area": "E00000000"}]}
    with app.test_request_context(), at_most(2):
        rows = dict(said.pairs({"kind": "sitting_opened", "record": record}, "record"))
    assert [str(rows[name]) for name in ("Place", "Round", "Decision", "Panel’s sitting", "Code", "Line", "Year")] == [
        "<b>&", "x", "not an id", str(facts.sitting), "1000", "x", "2026-27"]
    assert f'href="/neighbourhoods/{facts.slug}"' in rows["Places"]
    assert "Place: E00000000" in rows["Places"]
    with app.test_request_context(), at_most(0):
        said.pairs({"kind": "price_recorded", "record": {"tenths": 1395}}, "record")
