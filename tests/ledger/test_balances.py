"""Balances of long ago: as the ledger knew them, and as they count for a day; and the snapshots that make it quick."""

from datetime import date

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.db import refusal
from fund.ledger import actions, queries, rules
from fund.ledger.queries.fsck import check_everything
from fund.transparency import queries as public_record
from tests.make.ledger_sql import DAY


@pytest.fixture
def income(session):
    """Returns that came late: the second was recorded after the third, and counts for a day before it."""
    actions.open_standing_accounts()
    return [actions.post("investment_income", rules.investment_income(pence), effective_on=on, idem_key=f"i{pence}")
            for pence, on in ((100, date(2027, 3, 31)), (40, date(2027, 4, 30)), (7, date(2027, 4, 5)))]


def recorded(seq):
    return queries.balance_as_recorded("3100", seq).posted_pence


def effective(on):
    return queries.balance_as_effective("3100", on).posted_pence


def test_as_recorded_and_as_effective_are_two_questions(income):
    assert [recorded(one.seq) for one in income] == [100, 140, 147]
    assert [effective(on) for on in (date(2027, 3, 30), date(2027, 3, 31), date(2027, 4, 4), date(2027, 4, 5),
                                     date(2027, 4, 30))] == [0, 100, 100, 107, 147]


def test_a_snapshot_changes_no_answer(income, session):
    before = [recorded(seq) for seq in range(income[-1].seq + 1)]
    session.execute(sa.text("SELECT ledger.take_snapshot(:seq)"), {"seq": income[0].seq})
    session.execute(sa.text("SELECT ledger.take_snapshot(:seq)"), {"seq": income[1].seq})
    assert [recorded(seq) for seq in range(income[-1].seq + 1)] == before
    assert check_everything().problems == []


def test_a_snapshot_counts_what_is_reserved_and_what_was_freed(session):
    actions.open_standing_accounts()
    actions.post("dormant_assets_receipt", rules.dormant_assets_receipt(1_000), effective_on=DAY, idem_key="r")
    bought = [actions.post("trade", rules.buy_investments(pence), effective_on=DAY, idem_key=f"b{pence}")
              for pence in (300, 200)]
    session.execute(sa.text("SELECT ledger.take_snapshot(:seq)"), {"seq": bought[1].seq})
    first, second = (queries.pending_lines(one.entry_id)[0] for one in bought)
    actions.post("trade", rules.post_pending([first]), effective_on=DAY, idem_key="p")
    last = actions.post("trade", rules.void_pending([second]), effective_on=DAY, idem_key="v")
    session.execute(sa.text("SELECT ledger.take_snapshot(:seq)"), {"seq": last.seq})
    assert queries.balance_as_recorded("1000", bought[1].seq).reserved_pence == 500
    assert queries.balance_as_recorded("1000", last.seq) == queries.balance_of("1000")
    assert check_everything().problems == []


def test_only_what_is_recorded_can_be_kept(income, session):
    for through in (income[-1].seq + 1, -1, None):
        with pytest.raises(DBAPIError) as refused, session.begin_nested():
            session.execute(sa.text("SELECT ledger.take_snapshot(CAST(:seq AS bigint))"), {"seq": through})
        assert refusal(refused.value) == ("23514", "snapshot_of_the_past")


def test_a_snapshot_is_taken_once_and_by_nobody_s_hand(income, session):
    take = sa.text("SELECT ledger.take_snapshot(:seq)")
    assert session.scalar(take, {"seq": income[0].seq}) == 2  # the bank and the return, of six accounts
    assert session.scalar(take, {"seq": income[0].seq}) == 0
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        session.execute(sa.text("INSERT INTO ledger.balance_snapshot SELECT 1, 1, 0, 0, 0, 0"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_snapshots_are_taken_every_so_many_places(income, session, monkeypatch):
    monkeypatch.setattr(rules, "SNAPSHOT_EVERY", 4)
    assert actions.take_snapshots() == 1
    assert actions.take_snapshots() == 0
    places = session.scalars(sa.text("SELECT DISTINCT through_seq FROM ledger.balance_snapshot ORDER BY 1")).all()
    assert places == [7]  # up to 3 nothing had moved
    assert check_everything().problems == []


@pytest.mark.parametrize("order", [1, -1, 7])
def test_in_whatever_order_snapshots_are_taken_they_keep_what_moved_and_change_no_answer(session, order):
    """Accounts that move at different places, one of them once: the sums are those of the lines, at every place."""
    actions.open_standing_accounts()
    actions.post("dormant_assets_receipt", rules.dormant_assets_receipt(1_000), effective_on=DAY, idem_key="r")
    for pence in range(1, 7):
        actions.post("investment_income", rules.investment_income(pence), effective_on=DAY, idem_key=f"i{pence}")
        if pence % 3 == 0:
            actions.post("trade", rules.buy_investments(pence), effective_on=DAY, idem_key=f"b{pence}")
    size, codes = public_record.size(), [one.code for one in queries.all_balances()]
    plain = {(code, seq): queries.balance_as_recorded(code, seq) for code in codes for seq in range(size)}
    places = list(range(size))[::order] if abs(order) == 1 else sorted(range(size), key=lambda seq: seq * order % size)
    for through in places:
        session.execute(sa.text("SELECT ledger.take_snapshot(:seq)"), {"seq": through})
    assert {(code, seq): queries.balance_as_recorded(code, seq) for code in codes for seq in range(size)} == plain
    assert check_everything().problems == []
