"""What prices did, and what gifts are worth in today's money."""

import itertools
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fund.endowment import actions, queries
from fund.endowment.rules import INDEX, LAST_MONTH, Level, floor_of, latest_known, months_before, year_ago
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, Refused
from fund.kernel.ids import new_id
from fund.transparency import queries as public_record
from tests.make.ledger import make_tranche


def test_the_table_has_every_month_once_and_agrees_with_what_the_statistics_office_announced():
    months = sorted(INDEX)
    assert months[0] == date(2016, 12, 1)
    assert all(months_before(later, 1) == earlier for earlier, later in itertools.pairwise(months))
    # 12-month rates that ONS announced for these months, in tenths of a per cent.
    for month, announced in ((date(2022, 10, 1), 111), (date(2023, 1, 1), 101), (date(2024, 9, 1), 17),
                             (date(2025, 9, 1), 38), (date(2026, 1, 1), 30), (date(2026, 3, 1), 33)):
        rate = (INDEX[month] / INDEX[months_before(month, 12)] - 1) * 1_000
        assert abs(rate - announced) < 1, month


@pytest.mark.parametrize(("on", "month"), [
    (date(2026, 4, 1), date(2026, 2, 1)), (date(2026, 4, 30), date(2026, 2, 1)), (date(2026, 1, 1), date(2025, 11, 1)),
    (date(2099, 1, 1), LAST_MONTH), (date(2017, 2, 28), date(2016, 12, 1)),
])
def test_the_latest_known_month_is_the_one_before_last(on, month):
    assert latest_known(on) == Level(month, INDEX[month])


def test_before_the_table_nothing_is_known():
    assert latest_known(date(2017, 1, 31)) is None
    assert year_ago(Level(date(2017, 11, 1), 1)) is None
    assert year_ago(latest_known(date(2026, 4, 1))).month == date(2025, 2, 1)


def test_each_gift_is_indexed_from_its_month_and_rounded_up():
    latest = Level(date(2026, 2, 1), 1401)
    found = floor_of([(date(2025, 6, 2), 1_000), (date(2025, 6, 30), 500), (date(2026, 2, 27), 7),
                      (date(2026, 3, 1), 11), (date(1999, 1, 1), 13)], latest)
    # 1,500 · 140.1 / 138.9 = 1,512.96; a gift of this month, of later and of before the table counts as it came.
    assert [(g.month, g.capital_pence, g.floor_pence) for g in found] == [
        (date(1999, 1, 1), 13, 13), (date(2025, 6, 1), 1_500, 1_513), (date(2026, 2, 1), 7, 7),
        (date(2026, 3, 1), 11, 11)]
    assert [g.tenths for g in found] == [0, 1389, 0, 0]


def test_what_was_entered_by_mistake_is_no_gift():
    assert floor_of([(date(2025, 6, 2), 100), (date(2025, 6, 9), -100)], Level(date(2026, 2, 1), 1401)) == []


@given(st.lists(st.tuples(st.sampled_from(sorted(INDEX)), st.integers(1, 10**13)), max_size=30),
       st.sampled_from(sorted(INDEX)))
def test_the_floor_is_never_a_penny_too_low(gifts, month):
    latest = Level(month, INDEX[month])
    exact = sum(pence * latest.tenths / INDEX[day] if day < month else pence for day, pence in gifts)
    floor = sum(one.floor_pence for one in floor_of(gifts, latest))
    assert exact * (1 - 1e-12) <= floor < exact * (1 + 1e-12) + len(gifts) + 1


JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def record(month: date = JUNE, tenths: int = 1_500, source: str = "ONS D7BT, July 2026"):
    return actions.record_price(SYSTEM, month=month, tenths=tenths, source=source)


def test_a_month_that_was_recorded_moves_the_floor(session):
    make_tranche(amount_pence=100_000, received_on=date(2025, 6, 2))
    before = queries.limit_facts("2026-27", date(2026, 8, 1)).floor_pence
    record()
    assert record().tenths == 1_500
    facts = queries.limit_facts("2026-27", date(2026, 8, 1))
    assert facts.index == Level(JUNE, 1_500)
    assert before < facts.floor_pence == -(-100_000 * 1_500 // 1_389)
    assert queries.limit_facts("2026-27", date(2026, 7, 31)).floor_pence == before  # not known on that day yet
    assert queries.start(clock.today()).floor_pence == facts.floor_pence
    record(JULY, 1_501)
    assert max(queries.prices()) == JULY
    session.commit()


@pytest.mark.parametrize(("month", "tenths", "code"), [
    *((month, 1_500, "prices_in_order") for month in (JULY, LAST_MONTH, date(2026, 6, 2))),
    (date(2999, 1, 1), 1_500, "not_over"), (JUNE, 99, "ck_price_month_tenths"), (JUNE, 142.4, "ck_price_month_tenths"),
    (JUNE, -1, "ck_price_month_tenths"), (JUNE, 14_240, "price_near_the_last"), (JUNE, 1_278, "price_near_the_last"),
    (JUNE, 1_567, "price_near_the_last")])
def test_a_month_that_makes_no_sense_is_refused_and_nothing_is_written(session, month, tenths, code):
    size = public_record.size()
    with pytest.raises(Refused) as refused:
        record(month, tenths)
    assert code in [reason.code for reason in refused.value.reasons]
    assert (public_record.size(), queries.prices()) == (size, INDEX)


def test_another_index_for_the_same_month_is_refused(session):
    record()
    with pytest.raises(Refused) as refused:
        record(tenths=1_501)
    assert [reason.code for reason in refused.value.reasons] == ["reference_used"]
    with pytest.raises(BadInput):
        record(JULY, source=" ")
    with pytest.raises(Forbidden):
        actions.record_price(Actor(Capacity.OFFICER, new_id()), month=JULY, tenths=1_500, source="x")


@pytest.mark.parametrize(("values", "constraint"), [
    ("'2026-07-01', 1500", "prices_in_order"), ("'2026-06-02', 1500", "prices_in_order"),
    ("'2026-06-01', 99", "price_near_the_last"), ("'2026-06-01', 1278", "price_near_the_last"),
    ("'2026-06-01', 1567", "price_near_the_last")])
def test_the_table_keeps_the_months_in_order(session, values, constraint):
    with pytest.raises(sa.exc.IntegrityError) as refused:
        session.execute(sa.text("INSERT INTO price_month (month, tenths, source, leaf_id) "
                                f"VALUES ({values}, 'x', gen_random_uuid())"))
    assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", constraint)


@pytest.mark.parametrize("tenths", [1_279, 1_566])
def test_a_tenth_is_not_too_far_and_after_a_slip_the_right_index_can_follow(session, tenths):
    record(tenths=tenths)
    for far in (round(tenths * 1.25), round(tenths * 0.75)):
        with pytest.raises(Refused) as refused:
            record(JULY, far)
        assert [reason.code for reason in refused.value.reasons] == ["price_near_the_last"]
    assert record(JULY, 1_427).tenths == 1_427
    with pytest.raises(Refused):  # more than a tenth from July, and from the slip
        record(date(2026, 8, 1), 1_750)
