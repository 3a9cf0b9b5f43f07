"""Money in, what it earns, and how much of that may be spent: never capital."""

from datetime import date, timedelta

import pytest

from fund.endowment import actions, queries
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import Forbidden, Refused
from fund.kernel.ids import new_id
from fund.ledger import queries as ledger
from tests.make.ledger import (
    make_allocation,
    make_change_of_value,
    make_funded_endowment,
    make_holding,
    make_limit,
    make_tranche,
)

DAY = date(2026, 6, 1)


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def test_a_funded_endowment_can_set_money_aside_for_a_place(session):
    funded = make_funded_endowment(spendable_pence=50_000_000)
    assert ledger.balance_of("3200").available_pence == 50_000_000
    assert make_allocation(amount_pence=20_000_000) == "4000/E05000650"
    assert ledger.balance_of("3000").posted_pence == sum(t.amount_pence for t in funded.tranches)
    session.commit()


def test_a_tranche_is_recorded_once_by_sender_and_reference(session):
    assert make_tranche(reference="A").id == make_tranche(reference="A").id
    with pytest.raises(Refused) as refused:
        make_tranche(reference="A", amount_pence=1)
    assert codes(refused) == ["reference_used"]
    assert ledger.balance_of("3000").posted_pence == 1_000_000_000


def test_reclaims_are_set_by_beside_capital(session):
    actions.switch_reserve(SYSTEM, is_on=True)
    make_tranche(amount_pence=100, reclaim_pence=40)
    assert ledger.balance_of("3000").posted_pence == 60
    assert ledger.balance_of("2000").posted_pence == 40


def test_a_loss_never_touches_capital_and_what_is_earned_makes_it_good(session):
    make_tranche(amount_pence=1_000)
    make_holding(800, DAY)
    actions.record_income(SYSTEM, amount_pence=100, earned_on=DAY, source="S", reference="1")
    make_change_of_value(-250, DAY)
    assert [ledger.balance_of(code).posted_pence for code in ("3000", "3090", "3100")] == [1_000, 150, 0]
    assert queries.value_on(DAY).value_pence == 850
    with pytest.raises(Refused) as refused:
        make_limit("2026-27", set_on=DAY)
    assert "deficit" in codes(refused)
    actions.record_income(SYSTEM, amount_pence=60, earned_on=DAY, source="S", reference="3")
    make_change_of_value(200, DAY + timedelta(days=1))
    assert [ledger.balance_of(code).posted_pence for code in ("3000", "3090", "3100")] == [1_000, 0, 110]
    assert queries.return_total_pence(DAY + timedelta(days=1)) == 110


def test_a_limit_is_set_once_a_year_and_never_above_the_return(session):
    make_tranche(amount_pence=100_000, received_on=date(2026, 3, 1))
    actions.record_income(SYSTEM, amount_pence=3_000, earned_on=date(2026, 3, 1), source="S", reference="1")
    limit = make_limit("2026-27", set_on=date(2026, 4, 1))
    assert (limit.rule_pence, limit.amount_pence) == (4_120, 3_000)
    with pytest.raises(Refused) as refused:
        make_limit("2026-27", set_on=DAY)
    assert "limit_set" in codes(refused)


def test_no_more_than_the_limit_is_drawn_down(session):
    funded = make_funded_endowment(on=DAY)
    left = queries.limit_left_pence(funded.financial_year)
    with pytest.raises(Refused) as refused:
        actions.draw_down(SYSTEM, amount_pence=left + 1, financial_year="2026-27", drawn_on=DAY, reference="x")
    assert codes(refused) == ["over_limit"]
    with pytest.raises(Refused) as refused:
        actions.draw_down(SYSTEM, amount_pence=1, financial_year="2026-27", drawn_on=date(2026, 3, 31), reference="x")
    assert codes(refused) == ["other_year"]


def test_running_costs_stay_within_the_published_ceiling(session):
    limit = make_funded_endowment(on=DAY).limit
    ceiling = limit.amount_pence // 10
    actions.budget_running_costs(SYSTEM, amount_pence=ceiling, financial_year="2026-27", set_on=DAY, reference="a")
    with pytest.raises(Refused) as refused:
        actions.budget_running_costs(SYSTEM, amount_pence=1, financial_year="2026-27", set_on=DAY, reference="b")
    assert codes(refused) == ["over_ceiling"]


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.CHAIR])
def test_only_trustees_say_what_is_spent(session, capacity):
    with pytest.raises(Forbidden):
        actions.propose_spending_limit(Actor(capacity, new_id()), "2026-27", set_on=DAY)
    with pytest.raises(Forbidden):
        actions.confirm_spending_limit(Actor(capacity, new_id()), new_id())


def test_a_pound_comes_from_every_tranche_by_its_share_to_the_penny(session):
    actions.switch_reserve(SYSTEM, is_on=True)
    make_tranche(amount_pence=100, reference="A", received_on=date(2025, 1, 1))
    make_tranche(amount_pence=200, reference="B", received_on=date(2025, 1, 2), reclaim_pence=100)
    make_tranche(amount_pence=100, reference="C", received_on=date(2025, 1, 3))
    shares = queries.shares_of_tranches(100)
    assert [(share.reference, share.share_pence) for share in shares] == [("A", 34), ("B", 33), ("C", 33)]
    assert [share.share_pence for share in queries.shares_of_tranches()] == [100, 100, 100]
    assert [share.reference for share in queries.shares_of_tranches(1, received_by=date(2025, 1, 1))] == ["A"]
