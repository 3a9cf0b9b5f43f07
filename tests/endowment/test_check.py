"""The endowment's rows against the ledger: everything ties, and what somebody moves behind their back is named."""

import uuid
from datetime import date

import pytest
from click.testing import CliRunner

from fund.endowment import actions, queries
from fund.endowment.cli import commands
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from tests.make.ledger import make_change_of_value, make_funded_endowment, make_holding, make_tranche
from tests.make.people import make_staff

DAY = date(2026, 6, 1)


@pytest.fixture
def busy(session):
    """Every kind of entry that the endowment makes, a reversal among them."""
    make_funded_endowment(spendable_pence=50_000_000, on=DAY, financial_year="2026-27")
    make_holding(900_000_000, DAY)
    for change, day in ((5_000, 2), (-60_000_000, 3), (1_000, 4)):
        make_change_of_value(change, date(2026, 6, day))
    actions.agree_trade(SYSTEM, buy=False, holding="World shares", amount_pence=7, agreed_on=DAY, reference="s")
    actions.record_income(SYSTEM, amount_pence=50_000_000, earned_on=DAY, source="B", reference="1", interest=True)
    actions.budget_running_costs(SYSTEM, amount_pence=9, financial_year="2026-27", set_on=DAY, reference="c")
    actions.switch_reserve(SYSTEM, is_on=True)
    make_tranche(amount_pence=1_000, reclaim_pence=400)
    actions.pay_owner(SYSTEM, amount_pence=100, agreed_on=DAY, reference="o")
    actions.end_payment(SYSTEM, "o", is_paid=True, ended_on=DAY)
    one, other = (Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id) for _ in range(2))
    for kind in ("top_up", "release"):
        actions.approve_reserve_change(other, actions.propose_reserve_change(one, kind=kind, amount_pence=30).id)
    ledger.reverse(make_tranche(amount_pence=66).entry_id, effective_on=DAY, idem_key="mistake")
    session.commit()
    return session


def found() -> list[tuple[str, str]]:
    return [(problem.code, problem.where) for problem in queries.check()[1]]


def test_everything_that_the_actions_do_ties(busy):
    entries, problems = queries.check()
    assert (problems, entries) == ([], 19)
    told = CliRunner().invoke(commands, ["check"])
    assert (told.exit_code, told.output) == (0, "19 entries of the endowment: all of it ties to the ledger.\n")


def post(kind, lines) -> str:
    return f"entry {ledger.post(kind, lines, effective_on=DAY, idem_key=f'behind/{kind}').entry_id}"


@pytest.mark.parametrize(("kind", "lines", "also"), [
    ("drawdown", accounts.drawdown(5, "2026-27"), []), ("investment_income", accounts.investment_income(5), []),
    ("dormant_assets_receipt", accounts.dormant_assets_receipt(5), []),
    ("reclaim_reserve_release", accounts.reclaim_reserve_release(5), []),
    ("reclaim_reserve_top_up", accounts.reclaim_reserve_top_up(5), []),
    ("revaluation_gain", accounts.revaluation_gain(5, 0), [("holdings_are_the_account", "1100")]),
    ("spending_rule_set", [accounts.Line("3100", "3150/2026-27", 5)], []),
], ids=lambda value: value if isinstance(value, str) else "")
def test_an_entry_that_no_row_stands_for_is_named(behind_their_backs, busy, kind, lines, also):
    if balances.balance_of("3090").posted_pence:
        actions.record_income(SYSTEM, amount_pence=100_000_000, earned_on=DAY, source="B", reference="enough")
    where = post(kind, lines)
    assert found() == [("entry_without_row", where), *also]
    told = CliRunner().invoke(commands, ["check"])
    assert told.exit_code == 1
    assert f"entry_without_row: {where}: {kind}: nothing in the endowment stands for it" in told.output


def test_once_it_is_reversed_it_is_no_fault_any_more(behind_their_backs, busy):
    where = post("investment_income", accounts.investment_income(5))
    assert found() == [("entry_without_row", where)]
    ledger.reverse(uuid.UUID(where.split()[1]), effective_on=DAY, idem_key="put right")
    assert found() == []
