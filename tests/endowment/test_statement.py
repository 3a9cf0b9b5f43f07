"""The statement of the funds ties to the ledger to the penny, for any days."""

import base64
import csv
import io
import re
import zlib
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fund.endowment import actions, formats, rules
from fund.endowment.rules.statement import column_of
from fund.kernel.actor import SYSTEM
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from tests.make.ledger import (
    make_allocation,
    make_change_of_value,
    make_decision,
    make_funded_endowment,
    make_holding,
    make_tranche,
)

YEAR = (date(2026, 4, 1), date(2027, 3, 31))


@pytest.fixture
def busy(session, behind_their_backs):
    """A year in which nearly everything happens once, a mistake and a loss among it."""
    make_funded_endowment(spendable_pence=50_000_000, on=date(2026, 6, 1), financial_year="2026-27")
    place = make_allocation(amount_pence=9_000_000, on=date(2026, 6, 2))[5:]
    make_holding(900_000_000, date(2026, 4, 7))
    make_change_of_value(123, date(2026, 6, 30))
    make_change_of_value(-80_000_000, date(2026, 9, 30))
    actions.record_income(SYSTEM, amount_pence=7_777, earned_on=date(2026, 12, 31), source="C", reference="3")
    actions.budget_running_costs(SYSTEM, amount_pence=1_000, financial_year="2026-27", set_on=date(2026, 6, 3),
                                 reference="r")
    ledger.post("operating_cost", accounts.operating_cost(300, "2026-27"), effective_on=date(2026, 6, 9), idem_key="c")
    ledger.open_account("5000/G", name="G")
    offer = ledger.post("grant_offer", accounts.grant_offer(place, "G", [150_000, 250_000]),
                        effective_on=date(2026, 6, 20), idem_key="o", relates_to=[make_decision(place, 400_000)])
    ledger.post("grant_agreement", accounts.post_pending(balances.pending_lines(offer.entry_id)),
                effective_on=date(2026, 7, 1), idem_key="g")
    ledger.post("grant_return", accounts.grant_return(5_000, place), effective_on=date(2026, 8, 1), idem_key="b2")
    wrong = make_tranche(amount_pence=66_666, received_on=date(2026, 3, 30))
    ledger.reverse(wrong.entry_id, effective_on=date(2026, 4, 2), idem_key="m")
    return session


def made(first: date, last: date) -> rules.Statement:
    return rules.statement(balances.moved_by_day().items(), first, last)


def test_every_column_of_a_year_is_what_happened_in_it(busy):
    by_fund = {line.fund: line for line in made(*YEAR).lines}
    # 15 × 100,000,000 came in the year before, with £666.66 by mistake, which went back in this year.
    assert by_fund["permanent_capital"].amounts == (1_500_066_666, -66_666, 0, 0, 0, 1_500_000_000)
    unapplied = by_fund["unapplied_return"]
    assert (unapplied.opening, unapplied.income, unapplied.spending) == (100_000_000, 7_777, 0)
    limit = 64_000_000  # 4 % of £16,000,000, before the mistake was entered
    assert unapplied.gains == -(100_000_000 - limit)
    assert unapplied.transfers == -limit - 7_777  # the limit, and income that makes the deficit good
    assert unapplied.closing == 0
    deficit = by_fund["deficit"]
    assert (deficit.gains, deficit.transfers) == (-(80_000_000 - (100_000_000 - limit + 123)), 7_777)
    assert by_fund["running_costs"].amounts == (0, 0, -300, 1_000, 0, 700)
    assert by_fund["allocation"].amounts == (0, 0, -400_000 + 5_000, 9_000_000, 0, 8_605_000)
    assert by_fund["spendable"].amounts == (0, 0, 0, 50_000_000 - 9_000_000 - 1_000, 0, 40_999_000)
    assert made(*YEAR).together().transfers == 0


@given(cut=st.integers(0, 500), first=st.integers(0, 400), long=st.integers(0, 500))
def test_a_statement_of_pure_numbers_is_never_a_penny_out(cut, first, long):
    """Whatever moved on whatever days: transfers sum to nothing, and a period cut in two gives the same."""
    start = date(2026, 1, 1)
    moved = [((start + timedelta(days=n * 7 % 500), kind, debit, credit), n * n + 1) for n, (kind, debit, credit) in
             enumerate(MATRIX * 3)]
    begin, end = start + timedelta(days=first), start + timedelta(days=first + long)
    whole = rules.statement(moved, begin, end)
    assert whole.together().transfers == 0
    assert sum(line.closing for line in whole.lines) == sum(
        pence * ((credit in rules.FUNDS) - (debit in rules.FUNDS)) for (day, _k, debit, credit), pence in moved
        if day <= end)
    middle = min(max(begin, start + timedelta(days=cut)), end)
    one, two = rules.statement(moved, begin, middle), rules.statement(moved, middle + timedelta(days=1), end)
    for before, after, line in zip(one.lines, two.lines, whole.lines, strict=True):
        assert before.closing == after.opening
        assert after.closing == line.closing
        assert [a + b for a, b in zip(before.amounts[1:5], after.amounts[1:5], strict=True)] == list(line.amounts[1:5])


def test_it_ties_to_the_ledger_on_every_day_on_which_anything_counts(busy):
    days = sorted({moved.day for moved in balances.moved_by_day()})
    assert len(days) > 10
    for day in days:
        for line in made(day, day).lines:
            codes = busy.scalars(sa.text("SELECT code FROM ledger.account WHERE class = :c ORDER BY code"),
                                 {"c": line.fund}).all()
            sign = -1 if line.fund == "deficit" else 1
            assert line.closing == sign * sum(balances.balance_as_effective(code, day).posted_pence for code in codes)
    assert made(date(1990, 1, 1), days[-1]).together().closing == sum(
        s.posted_pence * s.sign for s in balances.class_sums() if s.side == "fund")


def test_newer_entries_are_added_to_what_is_known_and_a_rollback_is_forgotten(busy):
    before = dict(balances.moved_by_day())
    busy.commit()
    actions.record_income(SYSTEM, amount_pence=5, earned_on=date(2027, 1, 1), source="C", reference="new")
    after = balances.moved_by_day()
    assert sum(after.values()) == sum(before.values()) + 10  # the income, and the deficit that it makes good
    busy.rollback()
    assert balances.moved_by_day() == before


#: What each kind may do to a fund, as the posting matrix says, and the column in which it stands.
EXPECTED = {
    "income": "dormant_assets_receipt investment_income bank_interest",
    "gains": "revaluation_gain revaluation_loss",
    "transfers": "deficit_made_good spending_rule_set drawdown area_allocation operating_budget",
    "spending": "reclaim_reserve_top_up reclaim_reserve_release grant_agreement grant_return grant_decommitted "
                "operating_cost participation_payment",
}
MATRIX = [
    ("dormant_assets_receipt", "bank", "permanent_capital"), ("investment_income", "bank", "unapplied_return"),
    ("revaluation_gain", "investments", "unapplied_return"), ("revaluation_gain", "investments", "deficit"),
    ("revaluation_loss", "unapplied_return", "investments"), ("revaluation_loss", "deficit", "investments"),
    ("deficit_made_good", "unapplied_return", "deficit"), ("spending_rule_set", "unapplied_return", "drawdown_limit"),
    ("drawdown", "drawdown_limit", "spendable"), ("area_allocation", "spendable", "allocation"),
    ("operating_budget", "spendable", "running_costs"), ("grant_agreement", "allocation", "grant"),
    ("grant_return", "bank", "allocation"), ("grant_decommitted", "grant", "allocation"),
    ("operating_cost", "running_costs", "bank"), ("reclaim_reserve_release", "reclaim_reserve", "permanent_capital"),
    ("stage_paid", "grant", "bank"), ("trade", "investments", "bank"),
]


def test_every_kind_of_the_posting_matrix_has_its_column(session):
    found: dict[str, set[str]] = {}
    for kind, debit, credit in session.execute(sa.text(
            "SELECT kind, debit_class, credit_class FROM ledger.posting_rule "
            "WHERE phase IN ('single', 'post') AND kind <> 'reversal' ORDER BY 1, 2, 3")):
        if {debit, credit} & set(rules.FUNDS):
            found.setdefault(column_of(kind, debit if credit in rules.FUNDS else credit), set()).add(kind)
    assert found == {column: set(kinds.split()) for column, kinds in EXPECTED.items()}


ADDRESS = "/endowment/statement{}?first=1&first=4&first=2026&last=31&last=3&last=2027"


def test_page_table_and_paper_say_the_same(client, busy):
    page = client.get(ADDRESS.format(""))
    assert page.status_code == 200
    assert "£15,000,666.66" in page.text
    answer = client.get(ADDRESS.format(".csv"))
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0][:7] == ["Fund", "Opening", "Income", "Spending", "Transfers", "Gains and losses", "Closing"]
    assert rows[0][7] == "Opening, 2025-04-01 to 2026-03-31"
    assert rows[1] == ["Permanent capital", "15000666.66", "-666.66", "0.00", "0.00", "0.00", "15000000.00",
                       "0.00", "15000666.66", "0.00", "0.00", "0.00", "15000666.66"]
    assert rows[-1][0] == "All funds"
    assert rows[-1][4] == rows[-1][10] == "0.00"
    assert all(row[1] == row[12] for row in rows[1:]), "what stood at the end of the year before is the opening"
    assert "To compare: from 1 April 2025 to 31 March 2026" in page.text
    paper = client.get(ADDRESS.format(".pdf"))
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF-")
    assert client.get(ADDRESS.format(".pdf")).data == paper.data


@pytest.mark.parametrize(("asked", "sentence"), [
    ("first=1&first=4&first=2027&last=1&last=4&last=2026", "The last day comes before the first"),
    ("first=31&first=2&first=2026", "There is no such day"), ("last=x&last=y&last=z", "day, month and year in numbers"),
    ("first=&first=&first=", "day, month and year in numbers"),
])
def test_days_that_are_none_are_named(client, session, asked, sentence):
    page = client.get(f"/endowment/statement?{asked}")
    assert page.status_code == 422
    assert sentence in page.text
    for kind in ("csv", "pdf"):
        refused = client.get(f"/endowment/statement.{kind}?{asked}")
        assert refused.status_code == 422
        assert sentence in refused.text


def test_an_empty_fund_has_a_statement_of_noughts(client, session):
    page = client.get("/endowment/statement")
    assert page.status_code == 200
    assert page.text.count("£0.00") == 120


@pytest.mark.parametrize("name", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", " =1"])
def test_a_name_that_a_spreadsheet_would_run_is_made_inert(name):
    text = formats.csv_of(["Fund", "Opening"], [(name, [-5])]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1] == [f"'{name}", "-0.05"]


def test_the_paper_writes_welsh_letters_and_the_largest_sums():
    paper = formats.pdf_of("Ŵy ŷd", ["ŵ"], ["Cronfa", "Agor"], [("Eleni", [("Arian", [-10**17])])], [0], "cy")
    assert paper.startswith(b"%PDF-")
    assert b"/Lang (cy)" in paper


def test_reading_software_is_told_the_title_the_language_the_headings_and_every_cell():
    rows = [("Capital", [1, 2]), ("Return", [3, 4]), ("All funds", [4, 6])]
    paper = formats.pdf_of("Statement", ["A note"], ["Fund", "Opening", "Closing"], [("2026", rows), ("2025", rows)],
                           [2], "en")
    for told in (b"/Lang (en)", b"/Title (Statement)", b"/DisplayDocTitle true", b"/Marked true", b"/StructTreeRoot",
                 b"/StructParents 0", b"/Tabs /S"):
        assert told in paper, told
    assert {what: paper.count(b"/S /%s " % what.encode()) + paper.count(b"/S /%s\n" % what.encode()) for what in (
        "H1", "P", "H2", "Table", "TR", "TH", "TD")} == {
        "H1": 1, "P": 1, "H2": 2, "Table": 2, "TR": 8, "TH": 2 * (3 + 3), "TD": 2 * 3 * 2}
    assert (paper.count(b"/Scope /Column"), paper.count(b"/Scope /Row")) == (6, 6)
    drawn = zlib.decompress(base64.a85decode(re.search(rb"stream\r?\n(Ga.*?)~>endstream", paper, re.DOTALL)[1]))
    marks = [int(mark) for mark in re.findall(rb"/MCID (\d+)", drawn)]
    assert marks == list(range(len(marks)))
    assert len(marks) == 1 + 1 + 2 + 2 * 4 * 3
    # Nothing is drawn outside a mark: what reads aloud is all that there is to read.
    outside = re.sub(rb"(BDC|BMC).*?EMC", b"", drawn, flags=re.DOTALL)
    assert b"Tj" not in outside


@pytest.mark.parametrize(("first", "last", "before"), [
    ((2026, 4, 1), (2027, 3, 31), ((2025, 4, 1), (2026, 3, 31))), ((2026, 6, 1), (2026, 6, 30), ((2025, 6, 1),
                                                                                             (2025, 6, 30))),
    ((2027, 3, 1), (2028, 2, 29), ((2026, 3, 1), (2027, 2, 28))), ((2028, 2, 29), (2028, 2, 29), ((2027, 2, 28),
                                                                                              (2027, 2, 28))),
    ((2024, 4, 1), (2026, 3, 31), ((2022, 4, 2), (2024, 3, 31))), ((2026, 4, 1), (2027, 4, 1), ((2025, 3, 31),
                                                                                            (2026, 3, 31)))])
def test_a_period_is_held_against_the_same_days_a_year_earlier(first, last, before):
    assert rules.period_before(date(*first), date(*last)) == tuple(date(*day) for day in before)


def test_before_the_first_year_there_is_nothing_to_compare_with(client, session):
    assert client.get("/endowment/statement?first=1&first=1&first=1&last=31&last=12&last=1").status_code in {200, 422}


def test_the_year_before_ties_to_the_ledger_to_the_penny(busy):
    """Each closing figure that is shown to compare is the balance of the ledger on that day."""
    for first, last in (YEAR, (date(2026, 7, 1), date(2026, 12, 31)), (date(2027, 4, 1), date(2028, 3, 31))):
        before = made(*rules.period_before(first, last))
        for line in before.lines:
            codes = busy.scalars(sa.text("SELECT code FROM ledger.account WHERE class = :c ORDER BY code"),
                                 {"c": line.fund}).all()
            sign = -1 if line.fund == "deficit" else 1
            for day, figure in ((before.last, line.closing), (before.first - timedelta(days=1), line.opening)):
                assert figure == sign * sum(balances.balance_as_effective(code, day).posted_pence for code in codes)
        assert before.together().transfers == 0
    # Of a whole year nothing lies between: the year before ends where the year begins.
    assert [line.closing for line in made(*rules.period_before(*YEAR)).lines] == [
        line.opening for line in made(*YEAR).lines]
