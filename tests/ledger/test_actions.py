"""Posting: one way in, the same request once, and a sentence for what is refused."""

from datetime import date

import pytest

from fund.kernel.errors import BadInput, Refused, Stale
from fund.ledger import actions, queries, rules

DAY = date(2026, 4, 1)


@pytest.fixture
def ledger(session):
    actions.open_standing_accounts()
    actions.open_account("4000/E05000650", name="Ardwick")
    session.commit()


def receive(pence=100_000, key="t1"):
    return actions.post("dormant_assets_receipt", rules.dormant_assets_receipt(pence), effective_on=DAY, idem_key=key)


def test_an_entry_moves_the_balances(ledger):
    posted = receive()
    assert queries.balance_of("3000").posted_pence == 100_000
    assert queries.balance_of("1000").available_pence == 100_000
    assert posted.seq > 0


def test_the_same_request_twice_is_one_entry(ledger):
    assert receive() == receive()
    assert queries.balance_of("3000").posted_pence == 100_000


def test_the_same_key_for_another_request_is_stale(ledger):
    receive()
    with pytest.raises(Stale):
        receive(pence=2)


def test_an_account_cannot_be_overdrawn(ledger, session):
    with pytest.raises(Refused) as refused:
        actions.post("area_allocation", rules.area_allocation([("E05000650", 1)]), effective_on=DAY, idem_key="x")
    assert [reason.code for reason in refused.value.reasons] == ["ck_balance_overdraft"]
    session.rollback()
    assert queries.balance_of("3200").posted_pence == 0


def test_an_account_that_is_not_open_is_named(ledger):
    with pytest.raises(BadInput, match="4000/nowhere"):
        actions.post("area_allocation", rules.area_allocation([("nowhere", 1)]), effective_on=DAY, idem_key="x")


def test_a_reservation_is_posted_and_voided(ledger, session):
    receive()
    actions.post("investment_income", rules.investment_income(50_000), effective_on=DAY, idem_key="i")
    actions.open_account("3150/2026-27", name="Limit 2026-27")
    actions.open_account("5000/GRT-1", name="Grant GRT-1")
    actions.post("spending_rule_set", rules.spending_rule_set(40_000, "2026-27"), effective_on=DAY, idem_key="s")
    actions.post("drawdown", rules.drawdown(40_000, "2026-27"), effective_on=DAY, idem_key="d")
    actions.post("area_allocation", rules.area_allocation([("E05000650", 40_000)]), effective_on=DAY, idem_key="a")
    offer = actions.post("grant_offer", rules.grant_offer("E05000650", "GRT-1", [10_000, 20_000]), effective_on=DAY,
                         idem_key="o")
    assert queries.balance_of("4000/E05000650").available_pence == 10_000
    first, second = queries.pending_lines(offer.entry_id)
    actions.post("grant_agreement", rules.post_pending([first]), effective_on=DAY, idem_key="g")
    actions.post("grant_offer_lapsed", rules.void_pending([second]), effective_on=DAY, idem_key="l")
    assert queries.pending_lines(offer.entry_id) == []
    assert queries.balance_of("4000/E05000650").available_pence == 30_000
    assert queries.balance_of("5000/GRT-1").posted_pence == 10_000
    assert queries.balance_as_recorded("4000/E05000650", offer.seq).available_pence == 10_000
    assert queries.balance_as_effective("4000/E05000650", DAY) == queries.balance_of("4000/E05000650")
    session.commit()


def test_a_reversal_mirrors_its_entry_once(ledger, session):
    posted = receive()
    actions.reverse(posted.entry_id, effective_on=DAY, idem_key="r")
    assert queries.balance_of("3000").posted_pence == 0
    with pytest.raises(Refused) as refused:
        actions.reverse(posted.entry_id, effective_on=DAY, idem_key="r2")
    assert refused.value.reasons[0].code in {"uq_entry_reverses", "ck_balance_overdraft"}
