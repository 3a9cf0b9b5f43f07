"""Financial years, and what the endowment was worth at their ends. Pure."""

from dataclasses import dataclass
from datetime import date

MOST_VALUES = 3


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


def year_before(year: str) -> str:
    """The financial year before this one."""
    start = first_day(year)
    return financial_year(date(start.year - 1, 4, 1))


def year_after(year: str) -> str:
    """The financial year after this one."""
    start = first_day(year)
    return financial_year(date(start.year + 1, 4, 1))


def year_ends_before(year: str, most: int = MOST_VALUES) -> list[date]:
    """The last days of the years before a financial year, the latest first."""
    start = first_day(year)
    return [date(start.year - back, 3, 31) for back in range(most)]
