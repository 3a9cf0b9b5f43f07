"""Sharing a pot: to the penny, monotone in need, floors honoured, refusals with figures."""

import uuid
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.allocations.rules import (
    PlaceNeed,
    allocate,
    end_of_term,
    in_tie_order,
    inputs_sha256,
    reasons_not_to_allocate,
)

weights = st.integers(1, 10**9)
residents = st.integers(5_000, 15_000)


def places(pairs):
    return [PlaceNeed(uuid.UUID(int=n), f"E05{n:06}", people, weight) for n, (people, weight) in enumerate(pairs, 1)]


some_places = st.lists(st.tuples(residents, weights), min_size=1, max_size=25).map(places)


def amounts(shares):
    return {share.place.code: share.amount_pence for share in shares}


@given(some_places, st.integers(0, 10**11), st.integers(0, 10**6))
def test_the_shares_are_the_pot_to_the_penny_and_nobody_is_below_the_floor(needs, extra, floor):
    pot = floor * len(needs) + extra
    shares = allocate(pot, needs, floor)
    assert sum(share.amount_pence for share in shares) == pot
    assert min(share.amount_pence for share in shares) >= floor
    assert [share.place.code for share in shares] == sorted(place.code for place in needs)


@given(some_places, st.integers(0, 10**7), st.integers(0, 1000), st.integers(1, 10**9), st.data())
def test_raising_the_need_of_one_place_never_lowers_its_share(needs, extra, floor, more, data):
    at = data.draw(st.integers(0, len(needs) - 1))
    pot = floor * len(needs) + extra
    raised = [*needs[:at], replace(needs[at], weight=needs[at].weight + more), *needs[at + 1:]]
    code = needs[at].code
    assert amounts(allocate(pot, raised, floor))[code] >= amounts(allocate(pot, needs, floor))[code]


@given(some_places, st.integers(0, 10**9), st.randoms())
def test_the_order_in_which_places_are_named_changes_nothing(needs, pot, random):
    mixed = needs[:]
    random.shuffle(mixed)
    assert allocate(pot, mixed) == allocate(pot, needs)
    assert inputs_sha256(pot, mixed, 0) == inputs_sha256(pot, needs, 0)


def test_the_odd_penny_goes_to_the_greater_need_and_then_the_lower_code():
    needs = places([(10_000, 100), (5_000, 100), (10_000, 100)])
    assert [place.code for place in in_tie_order(needs)] == ["E05000002", "E05000001", "E05000003"]
    assert amounts(allocate(4, needs)) == {"E05000001": 1, "E05000002": 2, "E05000003": 1}
    assert amounts(allocate(5, needs)) == {"E05000001": 2, "E05000002": 2, "E05000003": 1}


def test_a_pot_below_the_floors_is_refused_with_the_figures():
    (reason,) = reasons_not_to_allocate(2_900_000, places([(9_000, 1)] * 3), 1_000_000, 10**9)
    assert reason.code == "pot_below_floors"
    assert reason.sentence == ("3 places with at least £10,000 each need £30,000, and the pot is £29,000: £1,000 too "
                               "little.")


@pytest.mark.parametrize(("pot", "needs", "floor", "spendable", "codes"), [
    (100, [], 0, 100, ["no_places"]),
    (101, places([(1, 1)]), 0, 100, ["more_than_spendable"]),
    (0, places([(1, 1)]), 0, 100, ["no_pot"]),
    (100, places([(1, 1)]), -1, 100, ["no_pot"]),
    (100, places([(1, 0)]), 0, 100, ["no_need_figures"]),
    (1, places([(1, 5), (1, 5)]), 0, 100, ["nothing_for_a_place"]),
    (100, places([(1, 5), (1, 5)]), 50, 100, []),
])
def test_every_reason_not_to_share_is_given(pot, needs, floor, spendable, codes):
    assert [reason.code for reason in reasons_not_to_allocate(pot, needs, floor, spendable)] == codes


def test_a_term_is_ten_years_also_from_a_leap_day():
    assert end_of_term(date(2026, 11, 22)) == date(2036, 11, 22)
    assert end_of_term(date(2028, 2, 29)) == date(2038, 3, 1)
