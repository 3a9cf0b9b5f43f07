"""Total return as the law splits it. Pure.

Section 104A of the Charities Act 2011 lets trustees of a permanent endowment invest without balancing capital and
income returns; the Charities (Total Return) Regulations 2013 (amended 2018 and 2023) then split what there is:

* the *trust for investment* ("gift value"): what was given, which is invested and never spent;
* *investment return*: interest, dividends, rent, and gains less losses, realised or not;
* what of that trustees allocated to the *trust for application*, to be spent;
* the *unapplied total return*: the rest, invested too until trustees allocate it. It may not be overdrawn.

(Charity Commission, "Total return investment for permanently endowed charities", 14 June 2023.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fund.endowment.rules.statement import ENDOWMENT_FUNDS, GAINS, INCOME
from fund.endowment.rules.years import Value

_RETURN = frozenset({"unapplied_return", "deficit"})


@dataclass(frozen=True, slots=True)
class TotalReturn:
    """All in pence. `unapplied_pence` is below nothing by the deficit where losses ate into what was given."""

    gift_pence: int
    income_pence: int
    gains_pence: int
    applied_pence: int
    set_by_pence: int
    deficit_pence: int

    @property
    def returned_pence(self) -> int:
        """All that was ever earned, losses taken off."""
        return self.income_pence + self.gains_pence

    @property
    def unapplied_pence(self) -> int:
        """What of that is neither applied nor set by for owners who come forward."""
        return self.returned_pence - self.applied_pence - self.set_by_pence


def total_return(moved: Iterable[tuple[tuple[date, str, str, str], int]]) -> TotalReturn:
    """The split of all that ever moved: (day, kind, debit class, credit class) and pence."""
    sums = {"gift": 0, "income": 0, "gains": 0, "applied": 0, "set_by": 0, "deficit": 0}
    for (_day, kind, debit, credit), pence in moved:
        sums["gift"] += pence * ((credit == "permanent_capital") - (debit == "permanent_capital"))
        sums["deficit"] += pence * ((debit == "deficit") - (credit == "deficit"))
        signed = pence * ((credit in _RETURN) - (debit in _RETURN))
        if kind in GAINS:
            sums["gains"] += signed
        elif kind in INCOME:
            sums["income"] += signed
        elif kind == "spending_rule_set":
            sums["applied"] -= signed
        elif kind == "reclaim_reserve_top_up":
            sums["set_by"] -= signed
    return TotalReturn(*sums.values())


def values_on(moved: Iterable[tuple[tuple[date, str, str, str], int]], days: Sequence[date]) -> list[Value]:
    """What the endowment was worth at the end of each day: what was given, less a deficit, and unapplied return."""
    found = dict.fromkeys(days, 0)
    for (moved_on, _kind, debit, credit), pence in moved:
        signed = pence * ((credit in ENDOWMENT_FUNDS) - (debit in ENDOWMENT_FUNDS))
        if signed:
            for day in found:
                if moved_on <= day:
                    found[day] += signed
    return [Value(day, found[day]) for day in days]
