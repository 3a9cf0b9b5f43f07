"""How much of the endowment's return may be spent, and why not more. Pure: values and dates come as arguments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fund.kernel.actor import Capacity
from fund.kernel.money import pounds
from fund.kernel.reasons import Reason
from fund.kernel.words import _

RULE = "rolling_average"
RULE_VERSION = 1
MOST_VALUES = 3
RATE_BASIS_POINTS = 400  # 4 % a year; 4.0 to 5.5 % is usual (Commonfund)
COST_CEILING_BASIS_POINTS = 1_000  # running costs take at most a tenth of the year's limit

SCHEMES = {  # the Dormant Assets Acts 2008 and 2022
    "banks": "Banks and building societies", "insurance_and_pensions": "Insurance and pensions",
    "investments_and_wealth": "Investments and wealth", "securities": "Securities",
}

#: Who may record what came in and what it earned.
KEEPERS = frozenset({Capacity.TRUSTEE, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.SYSTEM})
#: Who may say what is spent.
SPENDERS = frozenset({Capacity.TRUSTEE, Capacity.SYSTEM})


@dataclass(frozen=True, slots=True)
class Value:
    """What the whole endowment was worth at the end of a day: capital, less any deficit, and unapplied return."""

    on: date
    value_pence: int


def financial_year(on: date) -> str:
    """The financial year of a day, as `2026-27`: from 1 April to 31 March."""
    start = on.year if (on.month, on.day) >= (4, 1) else on.year - 1
    return f"{start}-{(start + 1) % 100:02d}"


def first_day(year: str) -> date:
    """1 April of a financial year. Raises ValueError for what is not written like `2026-27`."""
    start = int(year[:4])
    if financial_year(date(start, 4, 1)) != year:
        raise ValueError(f"{year} is not a financial year")
    return date(start, 4, 1)


def year_ends_before(year: str, most: int = MOST_VALUES) -> list[date]:
    """The last days of the years before a financial year, the latest first."""
    start = first_day(year)
    return [date(start.year - back, 3, 31) for back in range(most)]


def rolling_average(values: Sequence[Value], rate_basis_points: int) -> int:
    """What the rule gives: the rate of the mean of the values, rounded down to the penny.

    S = r · mean(MV₁ … MVₙ), n at most three year ends (Commonfund). In integers, so it is the same everywhere. None of
    the rounding is ever in favour of spending.
    """
    if not values:
        return 0
    return rate_basis_points * sum(value.value_pence for value in values) // (10_000 * len(values))


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What is known when a year's limit is to be set."""

    set_already: bool
    deficit_pence: int
    unapplied_pence: int
    values: Sequence[Value]
    rule_pence: int


def reasons_not_to_set_limit(facts: LimitFacts) -> list[Reason]:
    """Give every reason why no limit may be set for the year; the tables repeat the first as
    `uq_spending_limit_year` and the second as `no_limit_in_deficit`."""
    reasons = []
    if facts.set_already:
        reasons.append(Reason("limit_set", _("The limit for this year is set already.")))
    if facts.deficit_pence > 0:
        reasons.append(Reason("deficit", _("The endowment is worth %(deficit)s less than its capital. Nothing may be "
                                           "spent until that is made good.", deficit=pounds(facts.deficit_pence))))
    if facts.rule_pence <= 0:
        reasons.append(Reason("nothing_by_rule", _("The rule gives nothing: the endowment held nothing by then.")))
    elif facts.unapplied_pence <= 0 and facts.deficit_pence <= 0:
        reasons.append(Reason("no_return", _("There is no return to spend. Capital stays for ever.")))
    return reasons


def reasons_not_to_draw_down(amount_pence: int, left_pence: int, year: str, on: date) -> list[Reason]:
    """Give every reason why the amount may not be drawn down on a day; `left_pence` is what is left of the limit.
    The ledger repeats the limit as `ck_balance_overdraft` of the year's control account."""
    reasons = []
    if amount_pence <= 0:
        reasons.append(Reason("nothing", _("Say how much: more than nothing.")))
    if amount_pence > left_pence:
        reasons.append(Reason("over_limit", _("Only %(left)s of the limit for %(year)s is left.",
                                              left=pounds(left_pence), year=year)))
    if financial_year(on) != year:
        reasons.append(Reason("other_year", _("That day is not in the year %(year)s.", year=year)))
    return reasons


def reasons_not_to_budget_costs(amount_pence: int, budgeted_pence: int, limit_pence: int,
                                ceiling_basis_points: int) -> list[Reason]:
    """Give every reason why so much more may not be set by for a year's running costs (the published ceiling)."""
    reasons = []
    ceiling = limit_pence * ceiling_basis_points // 10_000
    if amount_pence <= 0:
        reasons.append(Reason("nothing", _("Say how much: more than nothing.")))
    if budgeted_pence + amount_pence > ceiling:
        reasons.append(Reason("over_ceiling", _("Running costs may take %(ceiling)s of this year's limit, and "
                                                "%(budgeted)s is set by already.",
                                                ceiling=pounds(ceiling), budgeted=pounds(budgeted_pence))))
    return reasons


