"""What a rehearsal settles about each row before it drives the first."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from fund.replay.formats import Grant
from fund.replay.rules import Place, drawn_points, plan

WARD = Place("E05000650", "Somewhere")


def grant(row=1, **given):
    facts = {"id": f"g{row}", "title": "t", "description": "d", "awarded_on": date(2016, 1, row), "awarded_pence": 1000,
             "asked_pence": 1000, "disbursed_pence": 400, "recipient_id": "GB-CHC-1", "recipient_name": "A Group",
             "area_code": "E01"}
    return Grant(row=row, **{**facts, **given})


def reasons(*grants, place=WARD):
    made = plan(grants, lambda _code: place)
    return [(listed.row, listed.reason, listed.pence) for listed in made.unposted]


def test_each_thing_that_cannot_be_posted_is_listed_with_its_row_reason_and_pence():
    assert reasons(grant(area_code=None)) == [(1, "no_area", 1000)]
    assert reasons(grant(), place=None) == [(1, "unknown_area", 1000)]
    assert reasons(grant(awarded_pence=None)) == [(1, "no_amount", 0)]
    assert reasons(grant(awarded_pence=0)) == [(1, "no_amount", 0)]
    assert reasons(grant(awarded_on=None)) == [(1, "no_date", 1000)]
    assert reasons(grant(recipient_name="")) == [(1, "no_id_or_recipient", 1000)]
    assert reasons(grant(1), grant(2, id="g1")) == [(2, "same_id_again", 1000)]


def test_only_the_part_disbursed_above_the_award_goes_unposted():
    made = plan([grant(disbursed_pence=1300)], lambda _code: WARD)
    assert [(listed.reason, listed.pence) for listed in made.unposted] == [("disbursed_above_award", 300)]
    assert made.drives[0].stages == [1000]


def test_stage_one_is_what_was_disbursed_and_stage_two_the_rest():
    assert plan([grant()], lambda _code: WARD).drives[0].stages == [400, 600]
    assert plan([grant(disbursed_pence=0)], lambda _code: WARD).drives[0].stages == [1000]


def test_an_award_above_the_ask_raises_the_ask_and_says_so():
    made = plan([grant(asked_pence=10), grant(2, asked_pence=None)], lambda _code: WARD)
    assert [drive.asked_pence for drive in made.drives] == [1000, 1000]
    assert [(listed.row, listed.reason) for listed in made.notes] == [(1, "ask_raised_to_award")]


def test_odd_organisation_ids_and_split_areas_are_driven_and_noted():
    made = plan([grant(recipient_id="360G-ptc-ORG:everest")], lambda _code: Place("E05", "x", split=True))
    assert len(made.drives) == 1
    assert [listed.reason for listed in made.notes] == ["area_in_two_wards", "odd_organisation_id"]


def test_grants_are_driven_in_the_order_of_their_dates():
    made = plan([grant(3), grant(1), grant(2)], lambda _code: WARD)
    assert [drive.grant.row for drive in made.drives] == [1, 2, 3]


@given(st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 2 * 10**9)), max_size=20))
def test_nothing_of_a_file_is_lost_or_made(pairs):
    grants = [grant(1, id=str(i), awarded_pence=a, disbursed_pence=d) for i, (a, d) in enumerate(pairs)]
    made = plan(grants, lambda _code: WARD)
    assert made.awarded_pence == sum(a for a, _d in pairs)
    assert made.paid_pence + sum(listed.pence for listed in made.unposted) == sum(d for _a, d in pairs)
    assert all(sum(drive.stages) == drive.awarded_pence and min(drive.stages) > 0 for drive in made.drives)


@given(st.binary(max_size=32), st.text(max_size=20), st.integers(1, 3), st.integers(1, 4))
def test_drawn_points_are_the_same_every_time_and_never_below_the_threshold(seed, grant_id, reader, criterion):
    points = drawn_points(seed, grant_id, reader, criterion)
    assert 3 <= points <= 5
    assert points == drawn_points(seed, grant_id, reader, criterion)
