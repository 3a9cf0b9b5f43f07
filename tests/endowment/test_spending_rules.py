"""The spending rules: worked examples by hand, and what must hold whatever the numbers are."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.endowment.rules import BOUNDS, DEFAULT_CHOICE, IN_USE, RULES, Inputs, Value, choice_of, percent
from fund.kernel.errors import BadInput


def values(*pence: int) -> list[Value]:
    return [Value(date(2026 - n, 3, 31), worth) for n, worth in enumerate(pence)]


@pytest.mark.parametrize(("rule", "parameters", "inputs", "pence"), [
    ("rolling_average", {"rate": 400}, Inputs(values(100_000, 200_000, 300_001), None), 8_000),  # 4 % of 200,000.33
    ("rolling_average", {"rate": 1}, Inputs(values(9_999), None), 0),  # never more than it gives: rounded down
    # (0.8 · 50,000 + 0.2 · 5.25 % · 1,000,000) · 1.05 = 53,025, within 4 to 6.5 % of 1,050,000.
    ("yale", {}, Inputs(values(1_200_000, 1_000_000, 900_000), 50_000, 105, 100), 53_025),
    ("yale", {}, Inputs(values(1_200_000, 1_000_000), 10_000, 105, 100), 42_000),   # the least: 4 % of 1,050,000
    ("yale", {}, Inputs(values(1_200_000, 1_000_000), 900_000, 105, 100), 68_250),  # the most: 6.5 % of it
    ("yale", {}, Inputs(values(1_000_000), 50_000), 50_500),
    ("yale", {}, Inputs(values(1_000_000, 2_000_000), None, 2, 1), 52_500),          # no year before: 5.25 % of MV₁
    # 0.7 · 30,000 · 1.03 + 0.3 · 4 % · 1,000,000 = 33,630.
    ("weighted_hybrid", {}, Inputs(values(1_000_000), 30_000, 103, 100), 33_630),
    ("weighted_hybrid", {"weight": 0}, Inputs(values(1_000_000), 30_000, 103, 100), 40_000),
    ("weighted_hybrid", {"weight": 10_000}, Inputs(values(1_000_000), 30_000, 103, 100), 30_900),
    ("banded_inflation", {}, Inputs(values(1_000_000), 40_000, 1_039, 1_000), 41_560),
    ("banded_inflation", {}, Inputs(values(1_000_000), 10_000, 103, 100), 30_000),
    ("banded_inflation", {}, Inputs(values(1_000_000), 60_000, 103, 100), 50_000),
    ("banded_inflation", {"rate": 350}, Inputs(values(1_000_000), None), 35_000),
])
def test_a_rule_gives_what_its_formula_says(rule, parameters, inputs, pence):
    assert choice_of(rule, parameters).gives(inputs) == pence


AMOUNT = st.integers(1, 10**13)
INPUTS = st.builds(
    lambda worths, previous, now, then: Inputs(values(*worths), previous, now, then),
    st.lists(AMOUNT, min_size=1, max_size=3), st.none() | AMOUNT, st.integers(900, 3_000), st.integers(900, 3_000))


def exactly(name: str, p: dict, inputs: Inputs) -> Fraction:
    """The formula of a rule in exact fractions, written down a second time."""
    share = {key: Fraction(value, 10_000) for key, value in p.items()}
    rise, worth = Fraction(inputs.now_tenths, inputs.then_tenths), [v.value_pence for v in inputs.values]
    if name == "rolling_average":
        return share["rate"] * Fraction(sum(worth), len(worth))
    if inputs.previous_pence is None:
        return share["rate"] * worth[0]
    if name == "yale":
        lagged = worth[1] if len(worth) > 1 else worth[0]
        spend = (share["weight"] * inputs.previous_pence + (1 - share["weight"]) * share["rate"] * lagged) * rise
        return min(max(spend, share["low"] * lagged * rise), share["high"] * lagged * rise)
    if name == "weighted_hybrid":
        return (share["weight"] * inputs.previous_pence * rise
                + (1 - share["weight"]) * share["rate"] * worth[0])
    return min(max(inputs.previous_pence * rise, share["low"] * worth[0]), share["high"] * worth[0])


@pytest.mark.parametrize("rule", IN_USE, ids=lambda rule: rule.name)
@given(inputs=INPUTS)
def test_a_rule_is_its_formula_rounded_down_to_the_penny(rule, inputs):
    exact = exactly(rule.name, dict(rule.usual), inputs)
    assert rule.gives(inputs, rule.usual) == exact.numerator // exact.denominator


@pytest.mark.parametrize("rule", IN_USE, ids=lambda rule: rule.name)
@given(inputs=INPUTS, more=st.integers(1, 10**12))
def test_a_richer_endowment_never_spends_less(rule, inputs, more):
    richer = Inputs([Value(v.on, v.value_pence + more) for v in inputs.values], inputs.previous_pence,
                    inputs.now_tenths, inputs.then_tenths)
    assert rule.gives(richer, rule.usual) >= rule.gives(inputs, rule.usual)


def test_every_rule_in_use_has_its_source_its_version_and_figures_within_bounds():
    assert [rule.name for rule in IN_USE] == ["rolling_average", "yale", "weighted_hybrid", "banded_inflation"]
    for (name, version), rule in RULES.items():
        assert (rule.name, rule.version) == (name, version)
        assert "Source:" in rule.gives.__doc__
        assert "Rounded down to the penny" in rule.gives.__doc__ or name == "yale"
        assert choice_of(name, rule.usual, version).parameters == rule.usual
    assert DEFAULT_CHOICE.rule.name == "rolling_average"


@pytest.mark.parametrize(("rule", "parameters", "field"), [
    ("lottery", {}, "rule"),
    ("rolling_average", {"rate": 0}, "rate"), ("rolling_average", {"rate": 1_001}, "rate"),
    ("rolling_average", {"rate": -400}, "rate"), ("rolling_average", {"rate": 4.5}, "rate"),
    ("rolling_average", {"rate": True}, "rate"), ("rolling_average", {"weight": 10}, "weight"),
    ("yale", {"weight": 10_001}, "weight"), ("yale", {"low": 600, "high": 500}, "low"),
])
def test_a_figure_that_makes_no_sense_is_named(rule, parameters, field):
    with pytest.raises(BadInput) as refused:
        choice_of(rule, parameters)
    assert refused.value.field == field


def test_a_version_that_never_was_is_refused():
    with pytest.raises(BadInput):
        choice_of("yale", {}, 99)


@given(st.integers(0, 10_000))
def test_a_share_is_written_without_loss(basis_points):
    assert Fraction(percent(basis_points)) * 100 == basis_points
    assert BOUNDS["rate"][1] == 1_000
