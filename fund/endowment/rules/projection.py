"""Will it last? Thousands of possible futures of the endowment under each spending rule. Pure: no clock, no data.

A future ("path") is a row of years, each with a return and a rise of prices drawn from a log-normal distribution:
log(1+return) = μᵣ + σᵣ·z₁ and log(1+inflation) = μᵢ + σᵢ·(ρ·z₁ + √(1−ρ²)·z₂), z normal and independent from year to
year. μ and σ are taken from the yearly mean m and standard deviation s: σ² = ln(1 + s²/(1+m)²), μ = ln(1+m) − σ²/2.
Paths come in pairs with opposite signs of z (antithetic variates), which halves the noise of a mean.

Each year begins with spending: what the rule gives (`spending` says the same in whole pence), but never more than
unapplied return (so never capital, and nothing in a deficit), and, unless told otherwise, never so much that less is
left than all gifts in today's money. What is left earns the year's return. All sums are kept in today's money, so a
rule's "raised as prices rise" is no change at all.

Floating point is enough here: nothing is posted from it, and what is shown is rounded to a tenth of a per cent and to
whole pounds before it is hashed. The same seed gives the same futures and the same hash.
"""

import hashlib
import json
import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from operator import mul

from fund.endowment.rules.limits import LimitFacts
from fund.endowment.rules.spending import IN_USE, WHOLE, Choice, choice_of
from fund.kernel.errors import BadInput
from fund.kernel.words import _

MODEL_VERSION = 1
YEARS = 100
HORIZONS = (10, 25, 50, 100)
#: The years for which spending is shown.
SHOWN_YEARS = (1, *range(5, YEARS + 1, 5))
PERCENTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is taken for granted, in hundredths of a per cent; `correlation` in hundredths of one.

    The usual figures are the fund's own choice, on the careful side: 4 % a year above prices lies between bonds (1.6 %)
    and shares (6.6 %) from 1900 to 2025 (UBS Global Investment Returns Yearbook 2026, United States); prices rise a
    little faster than the Bank of England's target of 2 %; 12 % is about the swing of a mixed portfolio.
    """

    return_mean: int = 650
    return_deviation: int = 1_200
    inflation_mean: int = 250
    inflation_deviation: int = 150
    correlation: int = 0
    paths: int = 2_000
    keep_floor: bool = True
    seed: int = 2_026


#: The bounds of each figure: outside them nobody could mean it, or it would take too long.
ASSUMED_BOUNDS = {
    "return_mean": (-500, 1_500), "return_deviation": (0, 4_000), "inflation_mean": (-200, 1_500),
    "inflation_deviation": (0, 1_000), "correlation": (-100, 100), "paths": (1_000, 2_000), "seed": (0, 2**32 - 1),
}


def reasons_outside(assumed: Assumptions) -> list[BadInput]:
    """What of the assumptions is outside its bounds: a BadInput for each, which names its field."""
    wrong = []
    for name, (least, most) in ASSUMED_BOUNDS.items():
        given = getattr(assumed, name)
        if not least <= given <= most:
            share = name not in {"paths", "seed", "correlation"}
            low, high = (f"{edge / 100:g}" if share or name == "correlation" else str(edge) for edge in (least, most))
            wrong.append(BadInput(_("Give a number between %(least)s and %(most)s.", least=low, most=high), field=name))
    return wrong


@dataclass(frozen=True, slots=True)
class Start:
    """Where the endowment stands: pence of today. `past_pence` are earlier year ends, the latest first."""

    value_pence: int
    capital_pence: int
    floor_pence: int
    previous_pence: int | None = None
    past_pence: tuple[int, ...] = ()


def start_of(facts: LimitFacts) -> Start:
    """Where the endowment stands when a limit is to be set."""
    return Start(facts.value_pence, sum(gifts.capital_pence for gifts in facts.gifts), facts.floor_pence,
                 facts.inputs.previous_pence, tuple(value.value_pence for value in facts.inputs.values[:2]))


def beside(choice: Choice) -> list[Choice]:
    """A choice first, then the other rules with their usual figures."""
    return [choice, *(choice_of(rule.name, {}) for rule in IN_USE if rule.name != choice.rule.name)]


@dataclass(frozen=True, slots=True)
class RuleKey:
    """A rule and its figures as something that can be looked up by."""

    name: str
    version: int
    parameters: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, choice: Choice) -> "RuleKey":
        """The key of a choice."""
        return cls(choice.rule.name, choice.rule.version, tuple(sorted(choice.parameters.items())))

    @property
    def choice(self) -> Choice:
        """The choice that it is the key of."""
        return choice_of(self.name, dict(self.parameters), self.version)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the endowment under one rule.

    `lasts` gives for each of HORIZONS the share of paths, in tenths of a per cent, in which the endowment is then worth
    at least all gifts in today's money. `fan` gives for each of SHOWN_YEARS the spending in today's pounds at each of
    PERCENTILES.
    """

    rule: RuleKey
    lasts: tuple[int, ...]
    fan: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """All outcomes, and the hash by which somebody else's result can be held against this one."""

    start: Start
    assumed: Assumptions
    outcomes: tuple[Outcome, ...]
    sha256: str


def compare(start: Start, assumed: Assumptions, choices: Sequence[Choice]) -> Projection:
    """The futures of the endowment from where it stands, under each of these rules."""
    return project(start, assumed, tuple(map(RuleKey.of, choices)))


@lru_cache(maxsize=64)
def project(start: Start, assumed: Assumptions, rules: tuple[RuleKey, ...]) -> Projection:
    """Draw the futures once and send the endowment through them under each rule.

    The last few dozen results are kept by each process: about a third of a second of work for 2,000 paths and four
    rules, and the page is looked at more often than its figures change.
    """
    weather = _draw(start, assumed)
    outcomes = tuple(_outcome(start, key, weather) for key in rules)
    told = {"model": MODEL_VERSION, "start": asdict(start), "assumed": asdict(assumed),
            "outcomes": [asdict(outcome) for outcome in outcomes]}
    encoded = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return Projection(start, assumed, outcomes, hashlib.sha256(encoded).hexdigest())


@dataclass(frozen=True, slots=True)
class _Year:
    """One year of all paths: growth above prices, how the value of a fixed sum shrinks as prices rise, and what may not
    be spent (capital, and the floor), in pounds of today. The same for every rule."""

    growth: list[float]
    deflator: list[float]
    kept: list[float]


def _log_normal(mean: int, deviation: int) -> tuple[float, float]:
    whole = 1 + mean / WHOLE
    variance = math.log(1 + (deviation / WHOLE / whole) ** 2)
    return math.log(whole) - variance / 2, math.sqrt(variance)


@lru_cache(maxsize=1)
def _normals(seed: int, half: int) -> tuple[tuple[Sequence[float], Sequence[float]], ...]:
    """Two rows of normal numbers for each year. The last are kept: whoever changes an assumption gets the same luck, so
    that what differs is what they changed."""
    gauss = random.Random(seed).gauss
    return tuple((array("d", [gauss() for _ in range(half)]), array("d", [gauss() for _ in range(half)]))
                 for _ in range(YEARS))


def _draw(start: Start, assumed: Assumptions) -> list[_Year]:
    mean, swing = _log_normal(assumed.return_mean, assumed.return_deviation)
    price_mean, price_swing = _log_normal(assumed.inflation_mean, assumed.inflation_deviation)
    rho = assumed.correlation / 100
    together, apart = price_swing * rho, price_swing * math.sqrt(1 - rho * rho)
    half, exp = assumed.paths // 2, math.exp
    floor, capital = start.floor_pence / 100, [start.capital_pence / 100] * (2 * half)
    net, years = mean - price_mean, []
    for one, other in _normals(assumed.seed, half):
        two = ([together * a + apart * b for a, b in zip(one, other, strict=True)] if together
               else [apart * b for b in other])
        earned = [swing * a - b for a, b in zip(one, two, strict=True)]
        deflator = [exp(-price_mean - b) for b in two] + [exp(-price_mean + b) for b in two]
        years.append(_Year([exp(net + a) for a in earned] + [exp(net - a) for a in earned], deflator,
                           [c if c > floor else floor for c in capital] if assumed.keep_floor else capital))
        capital = list(map(mul, capital, deflator))
    return years


def _outcome(start: Start, key: RuleKey, weather: Sequence[_Year]) -> Outcome:
    paths, floor = len(weather[0].growth), start.floor_pence / 100
    value = [start.value_pence / 100] * paths
    want = _Wanting(key.choice, start, paths)
    lasts, fan = [], []
    for year, drawn in enumerate(weather, 1):
        spent = [(s if s < free else free) if free > 0.0 else 0.0
                 for s, v, k in zip(want.in_year(value), value, drawn.kept, strict=True) for free in [v - k]]
        want.remember(spent, value, drawn.deflator)
        value = [(v - s) * g for v, s, g in zip(value, spent, drawn.growth, strict=True)]
        if year in SHOWN_YEARS:
            ordered = sorted(spent)
            fan.append(tuple(round(ordered[round(p * (paths - 1) / 100)]) for p in PERCENTILES))
        if year in HORIZONS:
            lasts.append(round(sum(v >= floor for v in value) * 1_000 / paths))
    return Outcome(key, tuple(lasts), tuple(fan))


class _Wanting:
    """What a rule asks for in each year of every path, in today's money: the formulas of `spending` once more.

    In today's money S₋₁·(1+π) is S₋₁ itself, and MV₋₂·(1+π) is last year's value as it was in last year's money.
    """

    def __init__(self, choice: Choice, start: Start, paths: int) -> None:
        self.name = choice.rule.name
        self.share = {name: value / WHOLE for name, value in choice.parameters.items()}
        self.past = [[pence / 100] * paths for pence in start.past_pence[:2]]
        self.spent = None if start.previous_pence is None else [start.previous_pence / 100] * paths

    def in_year(self, value: list[float]) -> list[float]:
        """What the rule gives for these values."""
        rate = self.share["rate"]
        if self.name == "rolling_average":
            part = rate / (1 + len(self.past))
            if len(self.past) == 2:  # as nearly always, and in one go
                return [part * (v + a + b) for v, a, b in zip(value, *self.past, strict=True)]
            return [part * sum(worth) for worth in zip(value, *self.past, strict=True)]
        if self.spent is None:
            return [rate * v for v in value]
        if self.name == "banded_inflation":
            return _within(self.spent, value, self.share["low"], self.share["high"])
        lagged = self.past[0] if self.name == "yale" and self.past else value
        old, new = self.share["weight"], (1 - self.share["weight"]) * rate
        if self.name != "yale":
            return [old * s + new * v for s, v in zip(self.spent, lagged, strict=True)]
        low, high = self.share["low"], self.share["high"]
        return [least if mixed < least else most if mixed > most else mixed
                for s, v in zip(self.spent, lagged, strict=True)
                for mixed in [old * s + new * v] for least in [low * v] for most in [high * v]]

    def remember(self, spent: list[float], value: list[float], deflator: list[float]) -> None:
        """The year is over. A year end's value stays the same number of pounds, so it melts as prices rise; Yale's rule
        raises it again by the same rise."""
        self.spent = spent
        if self.name == "yale":
            self.past = [value]
        elif self.name == "rolling_average":
            self.past = [list(map(mul, worth, deflator)) for worth in [value, *self.past][:2]]


def _within(wanted: list[float], value: list[float], low: float, high: float) -> list[float]:
    return [least if s < least else most if s > most else s for s, v in zip(wanted, value, strict=True)
            for least in [low * v] for most in [high * v]]

