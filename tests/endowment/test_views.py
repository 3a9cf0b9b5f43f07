"""The pages of the endowment that anybody can read."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from fund.endowment import actions
from fund.kernel.actor import SYSTEM
from tests.make.ledger import make_change_of_value, make_funded_endowment, make_holding

LAST = "/endowment/will-it-last"


@pytest.fixture
def funded(session):
    make_funded_endowment(spendable_pence=50_000_000, on=date(2026, 6, 1))
    session.commit()


def queries_of(client, address: str) -> int:
    counted = []

    def count(_c, _cursor, statement, *_rest):
        counted.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        assert client.get(address).status_code == 200
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
    return len([one for one in counted if one.lstrip().startswith(("SELECT", "WITH"))])


def test_the_page_says_how_often_it_lasts_and_what_each_year_would_spend(client, funded):
    page = client.get(LAST)
    assert page.status_code == 200
    assert len(re.findall(r"\d+\.\d%</td>", page.text)) == 16
    assert page.text.count("<polygon") == 2
    assert re.search(r"[0-9a-f]{64}", page.text)
    assert "In force" in page.text
    assert client.get(LAST).text.count("fund-words") == page.text.count("fund-words")
    assert re.findall(r"[0-9a-f]{64}", client.get(LAST).text) == re.findall(r"[0-9a-f]{64}", page.text)


def test_it_is_the_same_from_its_address_and_other_with_another_seed(client, funded):
    code = re.compile(r"<code[^>]*>([0-9a-f]{64})")
    first = code.search(client.get(LAST).text)[1]
    assert code.search(client.get(f"{LAST}?seed=2026&return_mean=6.5&rule=yale").text)[1] == first
    assert code.search(client.get(f"{LAST}?seed=2027").text)[1] != first
    assert code.search(client.get(f"{LAST}?keep_floor=no").text)[1] != first


def test_another_rule_is_drawn_when_asked_for(client, funded):
    assert "<strong>Mostly as last year (Yale)</strong>" in client.get(f"{LAST}?rule=yale").text
    assert "<strong>A share of the average value</strong>" in client.get(f"{LAST}?rule=nothing").text


@pytest.mark.parametrize(("asked", "sentence"), [
    ("return_mean=99", "between -5 and 15"), ("return_mean=-5.01", "between -5 and 15"),
    ("return_deviation=-1", "between 0 and 40"), ("inflation_mean=ten", "Write a number, like 6 or 2.25"),
    ("inflation_mean=1e3", "Write a number"), ("inflation_deviation=1.234", "Write a number"),
    ("correlation=1.01", "between -1 and 1"), ("seed=4294967296", "between 0 and 4294967295"),
    ("seed=-1", "Write a number"), ("seed=99999999999", "Write a number"), ("return_mean=%D9%A5", "Write a number"),
    ("keep_floor=maybe", "Choose one of the answers"), ("return_mean=" + "9" * 50, "at most 8 characters"),
])
def test_what_makes_no_sense_is_named_beside_its_box(client, funded, asked, sentence):
    page = client.get(f"{LAST}?{asked}")
    assert page.status_code == 422
    assert sentence in page.text
    assert "<polygon" not in page.text


def test_before_anything_came_in_there_is_nothing_to_ask(client):
    page = client.get(LAST)
    assert page.status_code == 200
    assert "Nothing has come in yet" in page.text


def test_every_choice_of_a_rule_can_be_read_and_leads_to_its_record(client, funded):
    row = actions.choose_rule(SYSTEM, "2027-28", rule="yale", parameters={"rate": 450})
    page = client.get("/endowment")
    assert "Mostly as last year (Yale)" in page.text
    assert "share of the value 4.5%" in page.text
    assert f"/ledger/entries/{row.leaf_id}" in page.text
    record = client.get(f"/ledger/entries/{row.leaf_id}")
    assert record.status_code == 200
    assert "Trustees chose the rule" in record.text


def test_the_pages_cost_few_queries(client, funded):
    actions.choose_rule(SYSTEM, "2027-28", rule="yale", parameters={})
    for address in (LAST, "/endowment", "/endowment/limits/2026-27", "/endowment/statement"):
        asked = queries_of(client, address)
        assert asked <= 8, (address, asked)


def test_the_endowment_is_split_as_the_law_has_it_and_shows_its_holdings(client, funded):
    make_holding(1_000_000, date(2026, 6, 2))
    make_change_of_value(50_000, date(2026, 6, 3))
    page = client.get("/endowment")
    assert "section 104A" in page.text
    assert "World shares" in page.text
    assert "£10,500.00" in page.text
    assert "Valuer, VAL-" in page.text
