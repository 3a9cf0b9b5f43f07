"""Postcodes as people type them, the bounds, and areas that were split."""

import contextlib
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.kernel.errors import BadInput
from fund.neighbourhoods.rules import (
    BOUNDS_2025,
    AreaFacts,
    Need,
    NeighbourhoodSummary,
    Place,
    WardPart,
    areas_within_bounds,
    decile,
    last_rank_of_decile,
    normal_postcode,
    reasons_not_a_neighbourhood,
    reasons_not_in_scope,
    slug,
    ward_of_split_area,
)


@pytest.mark.parametrize("typed", ["BL1 5SF", "bl1 5sf", "BL15SF", " bl1  5sf ", "BL1-5SF", "b l 1 5 s f", "BL1 5SF.",
                                   "BL1\t5SF\n", "BL1\u00a05SF"])
def test_a_postcode_is_read_however_it_is_spaced(typed):
    assert normal_postcode(typed) == "BL1 5SF"


@pytest.mark.parametrize("postcode", ["M1 1AA", "M60 1NW", "CR2 6XH", "DN55 1PT", "W1P 1HQ", "EC1A 1BB"])
def test_every_shape_of_postcode_is_read(postcode):
    assert normal_postcode(postcode.lower().replace(" ", "")) == postcode


@pytest.mark.parametrize(("typed", "sentence"), [
    ("", "Type a postcode, like BL1 5SF."),
    ("   ", "Type a postcode, like BL1 5SF."),
    ("BL1", "That is the first half of a postcode"),
    ("BLI 5SF", "Did you mean BL1 5SF?"),
    ("BL1 SSF", "Did you mean BL1 5SF?"),
    ("BL1 55F", "Did you mean BL1 5SF?"),
    ("Bolton", "That is not a postcode"),
    ("12345", "That is not a postcode"),
    ("BL1 5SF and BL1 5SG", "too long"),
    ("BL1 5S", "That is not a postcode"),
    ("ＢＬ１ ５ＳＦ", "That is not a postcode"),
    ("BL1 ٥SF", "That is not a postcode"),
    ("'; DROP TABLE postcode; --", "too long"),
    ("\x00" * 4, "That is not a postcode"),
])
def test_what_is_no_postcode_gets_a_sentence_that_helps(typed, sentence):
    with pytest.raises(BadInput, match="postcode") as bad:
        normal_postcode(typed)
    assert sentence in str(bad.value)
    assert bad.value.field == "postcode"


@given(st.text(max_size=30))
def test_anything_typed_is_a_postcode_or_a_sentence(typed):
    with contextlib.suppress(BadInput):
        postcode = normal_postcode(typed)
        assert normal_postcode(postcode) == postcode


def need(kind, rank):
    return Need(kind, "2025", rank, 33_755, decile(rank, 33_755), "source")


def place(imd=236, cni=2_924, neighbourhood=None):
    return Place("BL1 5SF", "E01004841", "Bolton 012B", "Smithills", "Bolton", imd and need("imd", imd),
                 cni and need("cni", cni), neighbourhood, "source", date(2025, 2, 1), None)


def codes(reasons):
    return [reason.code for reason in reasons]


@pytest.mark.parametrize(("imd", "cni", "expected"), [
    (236, 2_924, ["no_neighbourhood"]),
    (3_375, 3_375, ["no_neighbourhood"]),
    (3_376, 3_375, ["deprivation"]),
    (3_375, 3_376, ["community_need"]),
    (21_661, 28_382, ["deprivation", "community_need"]),
    (None, None, ["no_figures"]),
    (236, None, ["no_figures"]),
])
def test_a_place_outside_a_neighbourhood_gets_every_reason(imd, cni, expected):
    assert codes(reasons_not_in_scope(place(imd, cni))) == expected


def test_a_reason_says_how_near_the_place_is():
    (first, second) = reasons_not_in_scope(place(3_861, 23_519))
    assert first.sentence == ("For deprivation this area is number 3,861 of 33,755, where 1 is the greatest need. The "
                              "rule takes numbers 1 to 3,375, so it is 486 outside.")
    assert "20,144 outside" in second.sentence


def test_a_place_in_a_neighbourhood_is_in_whatever_its_own_small_area_is():
    smithills = NeighbourhoodSummary(uuid4(), "E05014834", "smithills-bolton", "Smithills", "ward", "E08000001",
                                     "Bolton", 13_783, 1, "places-2025")
    assert reasons_not_in_scope(place(29_591, 31_206, smithills)) == []


def test_the_first_tenth_ends_where_the_english_indices_end_it():
    assert [decile(rank, 33_755) for rank in (1, 3_375, 3_376, 33_755)] == [1, 1, 2, 10]
    assert last_rank_of_decile(1, 33_755) == 3_375


@given(st.integers(1, 10), st.integers(10, 40_000))
def test_the_last_rank_of_a_tenth_lies_in_it_and_the_next_does_not(tenth, out_of):
    last = last_rank_of_decile(tenth, out_of)
    assert decile(last, out_of) == tenth
    assert last == out_of or decile(last + 1, out_of) == tenth + 1


def areas(*facts):
    return [AreaFacts(f"E01{n:06}", *fact) for n, fact in enumerate(facts, 1)]


@pytest.mark.parametrize(("facts", "expected"), [
    ([(5_000, 1, 1, 1)], []),
    ([(4_999, 1, 1, 1)], ["too_few_residents"]),
    ([(15_000, 1, 1, 1)], []),
    ([(15_001, 1, 1, 1)], ["too_many_residents"]),
    ([(5_000, 1, 1, 2), (5_000, 9_000, 3, 1)], ["no_doubly_disadvantaged_area"]),
    ([], ["too_few_residents", "no_doubly_disadvantaged_area"]),
])
def test_a_neighbourhood_keeps_the_bounds(facts, expected):
    assert codes(reasons_not_a_neighbourhood(areas(*facts))) == expected


def test_a_large_ward_gives_up_its_least_deprived_areas_and_no_more_than_it_must():
    kept = areas_within_bounds(areas((6_000, 100, 1, 1), (6_000, 30_000, 9, 9), (6_000, 20_000, 6, 6),
                                     (3_000, 10_000, 3, 3)))
    assert [area.imd_rank for area in kept] == [100, 20_000, 10_000]
    assert areas_within_bounds(kept) == kept


def test_an_area_in_great_need_is_never_given_up():
    crowded = areas((9_000, 10, 1, 1), (9_000, 20, 1, 1), (9_000, 30, 1, 5))
    kept = areas_within_bounds(crowded)
    assert [area.imd_rank for area in kept] == [10, 20]
    assert codes(reasons_not_a_neighbourhood(kept)) == ["too_many_residents"]


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 33_755), st.integers(1, 10)), max_size=15))
def test_trimming_keeps_every_area_in_great_need_and_never_cuts_a_ward_that_fits(facts):
    ward = areas(*((people, rank, decile(rank, 33_755), cni) for people, rank, cni in facts))
    kept = areas_within_bounds(ward)
    assert {area for area in ward if area.imd_decile == 1 and area.cni_decile == 1} <= set(kept)
    if sum(area.residents for area in ward) <= BOUNDS_2025.most_residents:
        assert kept == ward


def test_a_split_area_goes_to_the_ward_with_more_residents_then_the_lower_code():
    assert ward_of_split_area([WardPart("E05000001", 9), WardPart("E05000002", 10)]) == "E05000002"
    assert ward_of_split_area([WardPart("E05000002", 10), WardPart("E05000001", 10)]) == "E05000001"


@pytest.mark.parametrize(("name", "district", "expected"), [
    ("Smithills", "Bolton", "smithills-bolton"),
    ("Brinnington & Stockport Central", "Stockport", "brinnington-and-stockport-central-stockport"),
    ("St Peter's", "Tameside", "st-peters-tameside"),
    ("Bôn-y-maen", "Abertawe", "bon-y-maen-abertawe"),
])
def test_the_address_of_a_neighbourhood_reads_like_its_name(name, district, expected):
    assert slug(name, district) == expected
