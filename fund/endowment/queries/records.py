"""Reading the endowment: what it is worth, what came in, what it earned, and whose money a pound is."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import rules
from fund.endowment.models import (
    Drawdown,
    EndowmentReturn,
    HoldingTrade,
    RunningCostBudget,
    SpendingLimit,
    Tranche,
)
from fund.endowment.rules import TotalReturn, Value
from fund.kernel.errors import NotFound
from fund.kernel.money import share_pence
from fund.ledger import queries as ledger
from fund.ledger import rules as accounts


def tranches(received_by: date | None = None) -> list[Tranche]:
    """The tranches received up to a day (all of them without one), the oldest first."""
    statement = sa.select(Tranche).order_by(Tranche.received_on, Tranche.recorded_at, Tranche.id)
    return list(session.scalars(statement if received_by is None else statement.where(
        Tranche.received_on <= received_by)))


@ledger.finds_entries
def entry_by_reference(reference: str) -> uuid.UUID | None:
    """The newest entry of a tranche, income, trade, drawdown or budget that whoever wrote it calls so, in capitals."""
    named = sa.union_all(*(
        sa.select(table.entry_id, table.recorded_at).where(sa.func.upper(table.reference) == reference)
        for table in (Tranche, EndowmentReturn, HoldingTrade, Drawdown, RunningCostBudget))).subquery()
    return session.scalar(sa.select(named.c.entry_id).order_by(named.c.recorded_at.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class TrancheShare:
    """One tranche's part of a sum that the whole endowment earned, spent or holds."""

    tranche_id: uuid.UUID
    sender: str
    reference: str
    received_on: date
    capital_pence: int
    share_pence: int
    entry_id: uuid.UUID


def shares_of_tranches(amount_pence: int | None = None, *, received_by: date | None = None) -> list[TrancheShare]:
    """Each tranche's share of permanent capital, or of an amount that came from the whole endowment.

    It is one pooled fund, so a pound paid out comes from all of them by what each brought in as capital. The shares
    sum to the amount to the penny (largest remainder; equal remainders go to the older tranche).
    """
    rows = [row for row in tranches(received_by) if row.amount_pence > row.reclaim_pence]
    if not rows:
        return []
    capital = [row.amount_pence - row.reclaim_pence for row in rows]
    shares = capital if amount_pence is None else share_pence(amount_pence, capital)
    return [TrancheShare(row.id, row.sender, row.reference, row.received_on, whole, part, row.entry_id)
            for row, whole, part in zip(rows, capital, shares, strict=True)]


def returns(earned_by: date | None = None, *, most: int | None = None) -> list[EndowmentReturn]:
    """What the endowment earned and lost up to a day, the latest first: all of it, or the latest `most`."""
    statement = sa.select(EndowmentReturn).order_by(EndowmentReturn.earned_on.desc(),
                                                    EndowmentReturn.recorded_at.desc(), EndowmentReturn.id).limit(most)
    return list(session.scalars(statement if earned_by is None else statement.where(
        EndowmentReturn.earned_on <= earned_by)))


def return_total_pence(earned_by: date) -> int:
    """What the whole endowment earned up to a day, its losses taken off."""
    signed = sa.case((EndowmentReturn.kind == "revaluation_loss", -EndowmentReturn.amount_pence),
                     else_=EndowmentReturn.amount_pence)
    return int(session.execute(sa.select(sa.func.coalesce(sa.func.sum(signed), 0))
                               .where(EndowmentReturn.earned_on <= earned_by)).scalar_one())


def spending_limits() -> list[SpendingLimit]:
    """Every year's limit, the latest first."""
    return list(session.scalars(sa.select(SpendingLimit).order_by(SpendingLimit.financial_year.desc())))


def spending_limit(financial_year: str) -> SpendingLimit:
    """The limit of a year. Raises NotFound where none is set."""
    found = session.scalars(sa.select(SpendingLimit)
                            .where(SpendingLimit.financial_year == financial_year)).one_or_none()
    if found is None:
        raise NotFound(f"no limit is set for {financial_year}")
    return found


def limit_left_pence(financial_year: str) -> int:
    """What is left of a year's limit: nothing where none is set."""
    return ledger.available_pence(accounts.drawdown_limit(financial_year))


def drawdowns(drawn_by: date | None = None) -> list[Drawdown]:
    """The drawdowns up to a day, the latest first."""
    statement = sa.select(Drawdown).order_by(Drawdown.drawn_on.desc(), Drawdown.recorded_at.desc(), Drawdown.id)
    return list(session.scalars(statement if drawn_by is None else statement.where(Drawdown.drawn_on <= drawn_by)))


def budgeted_pence(financial_year: str) -> int:
    """What was set by for a year's running costs."""
    return int(session.execute(
        sa.select(sa.func.coalesce(sa.func.sum(RunningCostBudget.amount_pence), 0))
        .where(RunningCostBudget.financial_year == financial_year)).scalar_one())


def values_on(days: Sequence[date]) -> list[Value]:
    """What the endowment was worth at the end of each day: its capital, less a deficit, and its unapplied return."""
    return rules.values_on(ledger.moved_by_day().items(), days)


def value_on(day: date) -> Value:
    """What the endowment was worth at the end of a day."""
    return values_on([day])[0]


@dataclass(frozen=True, slots=True)
class Worth:
    """What the endowment is worth, and what of that may never be spent."""

    capital_pence: int
    deficit_pence: int
    unapplied_pence: int

    @property
    def whole_pence(self) -> int:
        """All of it."""
        return self.capital_pence - self.deficit_pence + self.unapplied_pence


def total_return() -> TotalReturn:
    """What was given, what it ever returned, and what of that was applied and was not."""
    return rules.total_return(ledger.moved_by_day().items())


def worth(split: TotalReturn | None = None) -> Worth:
    """What the endowment is worth as the ledger stands; from its split, where that is known."""
    found = split or total_return()
    return Worth(found.gift_pence, found.deficit_pence, found.unapplied_pence + found.deficit_pence)


def limits_with_what_is_left() -> list[tuple[SpendingLimit, int]]:
    """Every year's limit, the latest first, with what is left of it."""
    limits = spending_limits()
    left = ledger.balances(accounts.drawdown_limit(limit.financial_year) for limit in limits)
    return [(limit, left[accounts.drawdown_limit(limit.financial_year)].available_pence) for limit in limits]
