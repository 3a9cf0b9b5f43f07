"""The published rule: medians, weights, threshold, order, money, ties. And when a sitting may close."""

import hashlib
import json
import statistics
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.decisions import rules
from fund.decisions.rules import CloseFacts, DecidedBy, Outcome, ReaderState, Scored

SEED = bytes(range(32))
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def scored(reference="APP-A", points=4, asked=1_000, least=None, need=0):
    return Scored(reference, [[points] * 3] * 4, asked, least, need)


def outcomes(applications, available, **more):
    return {r.reference: (r.outcome.value, r.amount_pence)
            for r in rules.decide(applications, (40, 25, 20, 15), available, SEED, **more)}


@pytest.mark.parametrize(("points", "halves"), [([3], 6), ([1, 5, 4], 8), ([2, 3], 5), ([0, 5, 5, 5], 10), ([0, 1], 1)])
def test_a_median_may_be_a_half(points, halves):
    assert rules.median_halves(points) == halves


def test_no_points_have_no_median():
    with pytest.raises(ValueError, match="median"):
        rules.median_halves([])


@pytest.mark.parametrize("weights", [(40, 25, 20), (40, 25, 20, 14), (40, 25, 20, 16)])
def test_weights_fit_the_criteria_and_sum_to_100(weights):
    with pytest.raises(ValueError, match="weight"):
        rules.score_tenths([8, 8, 8, 8], weights)


def test_an_example_by_hand():
    # Medians 4, 2.5, 3 and 5 of 5: 0.8 × 40 + 0.5 × 25 + 0.6 × 20 + 1 × 15 = 71.5.
    assert rules.score_tenths([8, 5, 6, 10], (40, 25, 20, 15)) == 715


@given(points=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=7), min_size=1, max_size=6), data=st.data())
def test_the_score_is_exactly_the_weighted_mean_of_medians(points, data):
    cuts = sorted(data.draw(st.lists(st.integers(1, 99), min_size=len(points) - 1, max_size=len(points) - 1,
                                     unique=True)))
    weights = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    exact = sum(Fraction(w) * Fraction(statistics.median([Fraction(p) for p in each])) / 5
                for w, each in zip(weights, points, strict=True))
    assert rules.score_tenths([rules.median_halves(p) for p in points], weights) == exact * 10
    assert 0 <= exact <= 100


def test_below_fifty_is_declined_and_fifty_is_not():
    low = Scored("APP-LOW", [[2] * 3, [2] * 3, [3] * 3, [3] * 3], 100)  # 47.0
    even = Scored("APP-EVEN", [[2, 3], [2, 3], [2, 3], [2, 3]], 100)  # 50.0
    assert outcomes([low, even], 1_000) == {"APP-LOW": ("declined", 0), "APP-EVEN": ("awarded", 100)}


def test_money_goes_in_order_of_score_and_a_smaller_one_after_a_gap_still_fits():
    assert outcomes([scored("APP-A", 5, 600), scored("APP-B", 4, 600), scored("APP-C", 3, 300)], 1_000) == {
        "APP-A": ("awarded", 600), "APP-B": ("reserve", 0), "APP-C": ("awarded", 300)}


def test_a_part_is_given_only_to_a_group_that_said_it_would_do():
    assert outcomes([scored("APP-A", 5, 600), scored("APP-B", 4, 600, least=400)], 1_000) == {
        "APP-A": ("awarded", 600), "APP-B": ("part_awarded", 400)}
    assert outcomes([scored("APP-A", 5, 600), scored("APP-B", 4, 600, least=401)], 1_000) == {
        "APP-A": ("awarded", 600), "APP-B": ("reserve", 0)}


def test_ties_go_by_need_then_the_smaller_ask_then_the_lot():
    results = rules.decide([scored("APP-A", need=5), scored("APP-B", need=2), scored("APP-C", need=5, asked=900),
                            scored("APP-D", 5)], (40, 25, 20, 15), 10_000, SEED)
    assert [(r.reference, r.tie_break) for r in results] == [
        ("APP-D", "none"), ("APP-B", "need"), ("APP-C", "ask"), ("APP-A", "ask")]


def test_the_lot_is_hmac_sha256_of_the_seed_and_the_reference():
    # RFC 4231, test case 2.
    assert rules.lot(b"Jefe", "what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    drawn = [r.reference for r in rules.decide([scored(f"APP-{n}") for n in range(6)], (40, 25, 20, 15), 1, SEED)]
    assert drawn == sorted(drawn, key=lambda reference: rules.lot(SEED, reference))
    assert drawn != sorted(drawn)


applications = st.lists(
    st.builds(Scored, reference=st.integers(0, 999).map(lambda n: f"APP-{n}"),
              points=st.lists(st.lists(st.integers(0, 5), min_size=2, max_size=4), min_size=4, max_size=4),
              asked_pence=st.integers(1, 5_000), least_pence=st.none() | st.integers(1, 5_000),
              need_rank=st.integers(0, 2)),
    max_size=8, unique_by=lambda a: a.reference)


@given(applications=applications, available=st.integers(0, 12_000), shuffled=st.randoms(use_true_random=False))
def test_what_the_rule_gives(applications, available, shuffled):
    results = rules.decide(applications, (40, 25, 20, 15), available, SEED)
    by_reference = {a.reference: a for a in applications}
    assert [r.rank for r in results] == list(range(1, len(applications) + 1))
    assert [r.score_tenths for r in results] == sorted((r.score_tenths for r in results), reverse=True)
    assert sum(r.amount_pence for r in results) <= available
    for result in results:
        asked = by_reference[result.reference]
        assert (result.outcome == Outcome.DECLINED) == (result.score_tenths < 500)
        assert (result.outcome in rules.AWARDS) == (result.amount_pence > 0)
        assert result.amount_pence <= asked.asked_pence
        if result.outcome == Outcome.PART_AWARDED:
            assert asked.least_pence is not None
            assert asked.least_pence <= result.amount_pence < asked.asked_pence
    again = list(applications)
    shuffled.shuffle(again)
    assert rules.decide(again, (40, 25, 20, 15), available, SEED) == results


def test_a_stranger_works_it_out_again_from_the_open_data():
    applications = [scored("APP-A", 4, 600), scored("APP-B", 4, 600, least=400), scored("APP-C", 1)]
    results = rules.decide(applications, (40, 25, 20, 15), 1_000, SEED)
    data = {"seed": SEED.hex(), "seed_commitment": hashlib.sha256(SEED).hexdigest(), "weights": [40, 25, 20, 15],
            "threshold_tenths": 500, "available_pence": "1000", "applications": [
                {"reference": a.reference, "medians_halves": [rules.median_halves(p) for p in a.points],
                 "asked_pence": str(a.asked_pence), "least_pence": a.least_pence and str(a.least_pence),
                 "need_rank": a.need_rank} for a in applications]}
    assert [(r["reference"], r["rank"], r["outcome"], int(r["amount_pence"]))
            for r in rules.recompute(json.loads(json.dumps(data)))] == [
        (r.reference, r.rank, r.outcome.value, r.amount_pence) for r in results]
    with pytest.raises(ValueError, match="committed"):
        rules.recompute({**data, "seed": bytes(32).hex()})


# When a sitting may close

LOCKED = ReaderState(True, False, False, 0)
GOOD = CloseFacts("APP-A", [LOCKED] * 3, 3, DecidedBy(6, 4), 0)


def reasons(facts=GOOD, *, now=NOW, scoring_closes_at=NOW + timedelta(days=1), round_closes_at=None, quorum=5):
    return [r.code for r in rules.reasons_not_to_close(
        [facts] if facts else [], now=now, scoring_closes_at=scoring_closes_at, round_closes_at=round_closes_at,
        quorum=quorum, fewest_counted=2)]


def but(**changes):
    return CloseFacts(**{**{name: getattr(GOOD, name) for name in GOOD.__slots__}, **changes})


def test_a_sitting_in_which_everything_is_done_may_close():
    assert reasons() == []


@pytest.mark.parametrize(("facts", "code"), [
    (None, "nothing_to_decide"),
    (but(readers=[LOCKED, LOCKED, ReaderState(False, False, False, 2)]), "unfinished_score"),
    (but(counted=1), "too_few_scores"),
    (but(reasons_missing=1), "no_agreed_reasons"),
    (but(deciding=DecidedBy(4, 4)), "no_quorum"),
    (but(deciding=DecidedBy(6, 3)), "residents_in_minority"),
])
def test_each_reason_stands_alone(facts, code):
    assert reasons(facts) == [code]


def test_not_before_the_round_ends():
    assert reasons(round_closes_at=NOW + timedelta(seconds=1)) == ["round_is_open"]
    assert reasons(round_closes_at=NOW) == []


@pytest.mark.parametrize(("reader", "is_over", "settled"), [
    (ReaderState(False, False, False, 2), False, False),
    (ReaderState(False, False, False, 1), True, False),
    (ReaderState(False, False, False, 2), True, True),
    (ReaderState(False, True, False, 0), False, True),
    (ReaderState(False, False, True, 0), False, True),
])
def test_an_unfinished_score_needs_a_release_or_the_deadline_and_two_reminders(reader, is_over, settled):
    assert reader.is_settled(scoring_is_over=is_over) is settled
