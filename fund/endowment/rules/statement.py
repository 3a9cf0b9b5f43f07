"""The statement of the funds: opening, income, spending, transfers, gains and losses, closing. Pure.

The columns are those of the Charities SORP (FRS 102), module 4 and its note of the movement of funds: each class of
fund by itself, transfers between them that sum to nothing, and closing that is the next period's opening. A grant
counts as spent when its agreement is signed, because from then on it is a liability (module 7).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta

#: The classes of account that are funds, in the order of their codes. A deficit counts against the endowment.
ENDOWMENT_FUNDS = ("permanent_capital", "deficit", "unapplied_return")
INCOME_FUNDS = ("drawdown_limit", "spendable", "running_costs", "allocation")
FUNDS = (*ENDOWMENT_FUNDS, *INCOME_FUNDS)

GAINS = frozenset({"revaluation_gain", "revaluation_loss"})
INCOME = frozenset({"dormant_assets_receipt", "investment_income", "bank_interest"})


@dataclass(frozen=True, slots=True)
class FundLine:
    """One fund's movement in pence. What leaves it has a minus."""

    fund: str
    opening: int = 0
    income: int = 0
    spending: int = 0
    transfers: int = 0
    gains: int = 0

    @property
    def closing(self) -> int:
        """What stands at the end of the period."""
        return self.opening + self.income + self.spending + self.transfers + self.gains

    @property
    def amounts(self) -> tuple[int, ...]:
        """All six columns, in their order."""
        return self.opening, self.income, self.spending, self.transfers, self.gains, self.closing


@dataclass(frozen=True, slots=True)
class Statement:
    """The funds from one day to another, both included."""

    first: date
    last: date
    lines: tuple[FundLine, ...]

    def together(self, funds: Iterable[str] = FUNDS) -> FundLine:
        """The sum of several funds."""
        wanted = set(funds)
        chosen = [line for line in self.lines if line.fund in wanted]
        return FundLine("together", *(sum(getattr(line, one.name) for line in chosen) for one in fields(FundLine)[1:]))


def column_of(kind: str, other_class: str) -> str:
    """In which column a movement of this kind between a fund and another class of account stands.

    Whatever moves between two funds is a transfer. Grants, costs, pay and what owners reclaim are spending, and what
    comes back of them is less spending.
    """
    if other_class in FUNDS:
        return "transfers"
    if kind in GAINS:
        return "gains"
    return "income" if kind in INCOME else "spending"


def period_before(first: date, last: date) -> tuple[date, date]:
    """The days that a statement is held against: the same days a year earlier, as the SORP asks of every figure
    (Charities SORP (FRS 102), module 4, comparative information); of more than a year, as many days just before.

    A year that ends on 29 February is held against one that ends on the 28th.
    """
    earlier = _year_earlier(first), _year_earlier(last)
    if earlier[1] < first:
        return earlier
    days = min(last - first, first - timedelta(days=1) - date.min)
    return first - timedelta(days=1) - days, first - timedelta(days=1)


def _year_earlier(day: date) -> date:
    year = max(day.year - 1, date.min.year)
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def statement(moved: Iterable[tuple[tuple[date, str, str, str], int]], first: date, last: date) -> Statement:
    """The statement for the days from `first` to `last`, from all that ever moved: (day, kind, debit class, credit
    class) and pence."""
    found = {fund: dict.fromkeys(("opening", "income", "spending", "transfers", "gains"), 0) for fund in FUNDS}
    for (day, kind, debit, credit), pence in moved:
        if day > last:
            continue
        for fund, other, signed in ((credit, debit, pence), (debit, credit, -pence)):
            if fund in found:
                found[fund]["opening" if day < first else column_of(kind, other)] += signed
    return Statement(first, last, tuple(FundLine(fund, **columns) for fund, columns in found.items()))
