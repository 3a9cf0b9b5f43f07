"""The spending rules that trustees may choose among: each a pure function of past values, with a version.

All arithmetic is on whole numbers, with one rounding at the end, down to the penny: a rule never gives a fraction more
than it should, and the same inputs give the same penny on every machine. Rates and weights are in hundredths of a per
cent ("basis points"). Inflation is the quotient of two index figures, never a rounded percentage.

A rule that is changed gets a new version; the old one stays, because limits of past years were set by it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fund.endowment.rules.years import Value
from fund.kernel.errors import BadInput
from fund.kernel.words import N_, _

WHOLE = 10_000

Parameters = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a rule is worked out from.

    `values` at past year ends, the latest first, at least one. `previous_pence` is the limit of the year before, None
    where there was none. `now_tenths` and `then_tenths` are the price index of the latest known month and of the same
    month a year before; both 1 where prices are not known.
    """

    values: Sequence[Value]
    previous_pence: int | None
    now_tenths: int = 1
    then_tenths: int = 1


def rolling_average(inputs: Inputs, parameters: Parameters) -> int:
    """S = r · mean(MV₁ … MVₙ): the rate of the mean value at the last year ends, at most three.

    Source: Commonfund Institute, on endowment spending: the rule of most endowments, 4.0 to 5.5 % usual. It spends too
    much in long rises and starves in falls. Rounded down to the penny.
    """
    values = inputs.values
    return parameters["rate"] * sum(value.value_pence for value in values) // (WHOLE * len(values))


def yale(inputs: Inputs, parameters: Parameters) -> int:
    """S = (w · S₋₁ + (1−w) · r · MV₋₂) · (1+π), and never outside [low, high] of MV₋₂ · (1+π).

    Source: Yale University, policy 2202 "Endowment Spending and Distributions" (2023): 80 % of last year's spending and
    20 % of the long-term rate of 5.25 % on the value at the beginning of the year before, the sum adjusted for
    inflation, constrained to a band of that value (4.0 to 6.5 %; 4.5 to 6.0 % in earlier reports). The rule is James
    Tobin's. MV₋₂ is the second year end back, or the only one that there is. Without a limit of the year before,
    S = r · MV of the latest year end. Rounded down to the penny.
    """
    if inputs.previous_pence is None:
        return parameters["rate"] * inputs.values[0].value_pence // WHOLE
    value = inputs.values[min(1, len(inputs.values) - 1)].value_pence
    smoothed = (parameters["weight"] * inputs.previous_pence * WHOLE
                + (WHOLE - parameters["weight"]) * parameters["rate"] * value)
    spend = smoothed * inputs.now_tenths // (WHOLE * WHOLE * inputs.then_tenths)
    low, high = (parameters[edge] * value * inputs.now_tenths // (WHOLE * inputs.then_tenths)
                 for edge in ("low", "high"))
    return min(max(spend, low), high)


def weighted_hybrid(inputs: Inputs, parameters: Parameters) -> int:
    """S = w · S₋₁ · (1+π) + (1−w) · r · MV₁: last year's spending in today's money, and a part of the latest value.

    Source: the "Stanford" form of the same rule, w usually 70 % (endowmentinvestor.org on the Yale rule, 2014).
    Without a limit of the year before, S = r · MV₁. Rounded down to the penny.
    """
    value = inputs.values[0].value_pence
    if inputs.previous_pence is None:
        return parameters["rate"] * value // WHOLE
    smoothed = (parameters["weight"] * inputs.previous_pence * WHOLE * inputs.now_tenths
                + (WHOLE - parameters["weight"]) * parameters["rate"] * value * inputs.then_tenths)
    return smoothed // (WHOLE * WHOLE * inputs.then_tenths)


def banded_inflation(inputs: Inputs, parameters: Parameters) -> int:
    """S = S₋₁ · (1+π), kept within [low, high] of the latest value.

    Source: Journal of Education Finance 31 (2005) 146–171 (EJ718693), which also warns that it gets stuck at the edges
    of its band. Without a limit of the year before, S = r · MV₁. Rounded down to the penny.
    """
    value = inputs.values[0].value_pence
    if inputs.previous_pence is None:
        return parameters["rate"] * value // WHOLE
    spend = inputs.previous_pence * inputs.now_tenths // inputs.then_tenths
    low, high = (parameters[edge] * value // WHOLE for edge in ("low", "high"))
    return min(max(spend, low), high)


@dataclass(frozen=True, slots=True)
class SpendingRule:
    """A rule with its version, the parameters that it takes (in hundredths of a per cent) and what they usually are."""

    name: str
    version: int
    title: str
    words: str
    gives: Callable[[Inputs, Parameters], int]
    usual: Parameters


#: Every rule that there ever was, by name and version.
RULES: dict[tuple[str, int], SpendingRule] = {(rule.name, rule.version): rule for rule in (
    SpendingRule("rolling_average", 1, N_("A share of the average value"),
                 N_("Each year a set share of what the endowment was worth, on average, at the last three year ends."),
                 rolling_average, {"rate": 400}),
    SpendingRule("yale", 1, N_("Mostly as last year (Yale)"),
                 N_("Mostly what was spent last year and a little of a set share of the value, both raised as prices "
                    "rise. It stays between a least and a most share of the value."),
                 yale, {"rate": 525, "weight": 8_000, "low": 400, "high": 650}),
    SpendingRule("weighted_hybrid", 1, N_("A mix of last year and the value"),
                 N_("A part of what was spent last year, raised as prices rise, and a part of a set share of today's "
                    "value."),
                 weighted_hybrid, {"rate": 400, "weight": 7_000}),
    SpendingRule("banded_inflation", 1, N_("As last year, raised as prices rise"),
                 N_("The same as last year in today's money, between a least and a most share of the value."),
                 banded_inflation, {"rate": 400, "low": 300, "high": 500}),
)}

#: The newest version of each, which may be chosen from now on; the first is in force until trustees choose another.
IN_USE = tuple(max((rule for rule in RULES.values() if rule.name == name), key=lambda rule: rule.version)
               for name in dict.fromkeys(rule.name for rule in RULES.values()))
DEFAULT = IN_USE[0]

#: The bounds of each parameter, in hundredths of a per cent.
BOUNDS = {"rate": (1, 1_000), "weight": (0, WHOLE), "low": (0, 1_000), "high": (1, 1_000)}


@dataclass(frozen=True, slots=True)
class Choice:
    """A rule with the parameters that trustees chose for it."""

    rule: SpendingRule
    parameters: Parameters

    def gives(self, inputs: Inputs) -> int:
        """What may be spent, in pence."""
        return self.rule.gives(inputs, self.parameters)


DEFAULT_CHOICE = Choice(DEFAULT, DEFAULT.usual)


def choice_of(name: str, parameters: Mapping[str, int], version: int | None = None) -> Choice:
    """The rule of that name with parameters; those that are not given are the usual ones. The newest version by
    default. Raises BadInput, which names the parameter."""
    rule = next((rule for rule in (IN_USE if version is None else RULES.values())
                 if rule.name == name and version in (None, rule.version)), None)
    if rule is None:
        raise BadInput(_("Choose one of the rules."), field="rule")
    unknown = [key for key in parameters if key not in rule.usual]
    if unknown:
        raise BadInput(_("This rule has no such figure."), field=unknown[0])
    chosen = {key: parameters.get(key, usual) for key, usual in rule.usual.items()}
    for key, given in chosen.items():
        least, most = BOUNDS[key]
        if type(given) is not int or not least <= given <= most:
            raise BadInput(_("Give a share between %(least)s%% and %(most)s%%.", least=percent(least),
                             most=percent(most)), field=key)
    if "low" in chosen and chosen["low"] > chosen["high"]:
        raise BadInput(_("The least share cannot be more than the most."), field="low")
    return Choice(rule, chosen)


def percent(basis_points: int) -> str:
    """Hundredths of a per cent as people write a per cent: `525` as `5.25`, `400` as `4`."""
    return f"{basis_points / 100:.2f}".rstrip("0").rstrip(".")
