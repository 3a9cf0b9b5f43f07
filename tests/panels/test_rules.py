"""When a panel may decide, who reads, what an interest means."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.panels import rules
from fund.panels.rules import Consequence, SeatFacts, SeatOffer, Strength

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def seat(**changes):
    values = {"id": uuid.uuid4(), "number": 1, "is_resident": True, "is_chair": False, "term_from": TODAY,
              "term_to": TODAY + timedelta(days=1), "trained": True, "code_accepted": True, "ended": False}
    return SeatFacts(**{**values, **changes})


@pytest.mark.parametrize(("changes", "counts"), [
    ({}, True), ({"trained": False}, False), ({"code_accepted": False}, False), ({"ended": True}, False),
    ({"term_from": TODAY + timedelta(days=1), "term_to": TODAY + timedelta(days=2)}, False),
    ({"term_from": TODAY - timedelta(days=9), "term_to": TODAY}, False),
])
def test_only_a_seat_that_serves_counts(changes, counts):
    assert rules.serves(seat(**changes), TODAY) is counts


@pytest.mark.parametrize(("serving", "residents", "codes"), [
    (8, 5, []), (9, 5, []), (7, 7, ["too_few_seats"]), (8, 4, ["too_few_residents"]), (100, 51, []),
    (100, 50, ["too_few_residents"]), (0, 0, ["too_few_seats"]), (3, 0, ["too_few_seats", "too_few_residents"]),
])
def test_a_panel_decides_nothing_below_strength(serving, residents, codes):
    assert [r.code for r in rules.reasons_panel_may_not_decide(Strength(serving, residents))] == codes


def test_a_panel_has_nine_different_people_and_one_chair():
    people = [SeatOffer(uuid.uuid4(), is_resident=n < 6, is_chair=n == 0) for n in range(9)]
    assert rules.reasons_not_to_constitute(people) == []
    assert [r.code for r in rules.reasons_not_to_constitute([*people[:8], people[0]])] == ["twice", "one_chair"]
    assert [r.code for r in rules.reasons_not_to_constitute(people[1:])] == ["one_chair"]


@pytest.mark.parametrize(("current", "new", "allowed"), [
    (None, "none", True), ("none", "note_only", True), ("none", "out_of_room", True), ("ask", "no_scoring", True),
    ("note_only", "none", False), ("out_of_room", "none", False), ("ask", "none", False), ("none", "none", False),
])
def test_an_interest_is_raised_and_never_lowered(current, new, allowed):
    reasons = rules.reasons_not_to_declare(Consequence(current) if current else None, Consequence(new))
    assert (reasons == []) is allowed


ids = st.uuids(version=4)


@given(application=ids, able=st.dictionaries(ids, st.integers(0, 5), max_size=12), data=st.data())
def test_readers_are_those_with_least_to_read_and_the_same_for_everybody(application, able, data):
    already = data.draw(st.sets(st.sampled_from(sorted(able)))) if able else set()
    chosen = rules.readers_for(application, able, already=already)
    assert chosen == rules.readers_for(application, dict(reversed(able.items())), already=already)
    assert len(chosen) == min(3, len(able) - len(already)) == len(set(chosen))
    left = [able[s] for s in able if s not in already and s not in chosen]
    assert all(able[s] <= other for s in chosen for other in left)
    assert not set(chosen) & already


def test_the_work_is_shared_evenly():
    seats = [uuid.UUID(int=n) for n in range(9)]
    loads = dict.fromkeys(seats, 0)
    for n in range(60):
        for chosen in rules.readers_for(uuid.UUID(int=1000 + n), loads):
            loads[chosen] += 1
    assert set(loads.values()) == {20}


@pytest.mark.parametrize(("facts", "wanted"), [
    ({"scoring": 0, "finished": 0, "released": 0}, 3), ({"scoring": 2, "finished": 0, "released": 0}, 1),
    ({"scoring": 1, "finished": 1, "released": 1}, 0), ({"scoring": 0, "finished": 1, "released": 2}, 1),
    ({"scoring": 0, "finished": 0, "released": 3}, 2), ({"scoring": 0, "finished": 3, "released": 0}, 0),
])
def test_a_recused_reader_is_replaced_and_a_released_one_only_below_two(facts, wanted):
    assert rules.readers_wanted(**facts) == wanted


def test_scoring_closes_at_noon_in_london_on_clock_change_days_too():
    spring = datetime(2027, 3, 14, 23, 30, tzinfo=UTC)
    assert rules.scoring_deadline(spring, 14) == datetime(2027, 3, 28, 11, tzinfo=UTC)
    assert rules.scoring_deadline(datetime(2026, 11, 22, 9, tzinfo=UTC), 14) == datetime(2026, 12, 6, 12, tzinfo=UTC)


def test_two_reminders_before_scoring_closes_and_twelve_hours_apart():
    closes = NOW + timedelta(days=10)
    assert rules.reminder_due(NOW, closes, sent=[]) is None
    first = closes - timedelta(days=4)
    assert rules.reminder_due(first, closes, sent=[]) == 1
    assert rules.reminder_due(first, closes, sent=[first]) is None
    assert rules.reminder_due(closes - timedelta(days=1), closes, sent=[first]) == 2
    late = closes + timedelta(hours=1)
    assert rules.reminder_due(late, closes, sent=[]) == 1
    assert rules.reminder_due(late + timedelta(hours=11), closes, sent=[late]) is None
    assert rules.reminder_due(late + timedelta(hours=12), closes, sent=[late]) == 2
    assert rules.reminder_due(late + timedelta(days=9), closes, sent=[first, late]) is None


@pytest.mark.parametrize(("changes", "code"), [
    ({"serving": False}, "not_serving"), ({"consequence": None}, "say_first"),
    ({"consequence": Consequence.ASK}, "ruling_awaited"), ({"consequence": Consequence.NO_SCORING}, "recused"),
    ({"consequence": Consequence.OUT_OF_ROOM}, "recused"), ({"is_locked": True}, "locked"),
    ({"is_released": True}, "released"), ({"is_closed": True}, "closed"),
])
def test_each_reason_not_to_score_stands_alone(changes, code):
    good = {"serving": True, "consequence": Consequence.NOTE_ONLY, "is_locked": False, "is_released": False,
            "is_closed": False}
    assert rules.reasons_not_to_score(**good) == []
    assert [r.code for r in rules.reasons_not_to_score(**{**good, **changes})] == [code]
