"""Reading allocations: what is set aside for a place, and how a run shared its pot."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from fund.allocations import rules
from fund.allocations.models import Allocation, AllocationRun
from fund.db import session
from fund.kernel.errors import NotFound
from fund.kernel.words import _
from fund.neighbourhoods.models import Neighbourhood


@dataclass(frozen=True, slots=True)
class SetAside:
    """A place's money, in pence: what was set aside for it, and what its panel can still award.

    `promised_pence` is what groups have been offered or awarded, paid or not. What comes back from a group is left
    again. `term_to` is the day until which nobody can take it away; None while nothing is set aside.
    """

    allocated_pence: int
    left_pence: int
    residents: int
    term_to: date | None

    @property
    def promised_pence(self) -> int:
        """What is promised or paid to groups."""
        return self.allocated_pence - self.left_pence

    @property
    def pence_for_each_resident(self) -> int:
        """What was set aside for each person who lives there, rounded down."""
        return self.allocated_pence // self.residents if self.residents else 0


_SET_ASIDE = sa.text("SELECT allocated_pence, left_pence, residents, term_to FROM neighbourhood_money "
                     "WHERE neighbourhood_id = :id")


def set_aside(neighbourhood_id: UUID) -> SetAside:
    """What is set aside for a neighbourhood and what is left of it, in one query. Raises NotFound."""
    row = session.execute(_SET_ASIDE, {"id": neighbourhood_id}).first()
    if row is None:
        raise NotFound(_("There is no such neighbourhood."))
    return SetAside(*tuple(row))


_ALL_SET_ASIDE = sa.text("SELECT neighbourhood_id, allocated_pence, left_pence, residents, term_to "
                         "FROM neighbourhood_money WHERE neighbourhood_id = ANY(:ids)")


def set_aside_for(neighbourhood_ids: list[UUID]) -> dict[UUID, SetAside]:
    """What is set aside for each of these neighbourhoods, in one query."""
    return {row[0]: SetAside(*tuple(row)[1:])
            for row in session.execute(_ALL_SET_ASIDE, {"ids": list(neighbourhood_ids)})}


def run_of(financial_year: str, rule_version: str) -> AllocationRun | None:
    """The run of a year by a rule, if there was one."""
    return session.execute(sa.select(AllocationRun).where(
        AllocationRun.financial_year == financial_year, AllocationRun.rule_version == rule_version)
    ).scalar_one_or_none()


def run_of_year(financial_year: str) -> AllocationRun:
    """The run of a year, the latest where a rehearsal wrote one too. Raises NotFound."""
    found = session.scalars(sa.select(AllocationRun).where(AllocationRun.financial_year == financial_year)
                            .order_by(AllocationRun.created_at.desc(), AllocationRun.id).limit(1)).first()
    if found is None:
        raise NotFound(_("No money was shared out in that year."))
    return found


def rule_text(found: AllocationRun) -> str:
    """The rule of a run in words; a rehearsal's says that it is one."""
    return rules.RULE_TEXTS[found.rule_version]


def run(run_id: UUID) -> AllocationRun:
    """A run. Raises NotFound."""
    found = session.get(AllocationRun, run_id)
    if found is None:
        raise NotFound(_("There is no such sharing-out."))
    return found


def runs() -> list[AllocationRun]:
    """Every run, the latest first."""
    return list(session.scalars(sa.select(AllocationRun).order_by(AllocationRun.created_at.desc(), AllocationRun.id)))


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One place's share in a run."""

    neighbourhood_id: UUID
    slug: str
    name: str
    district_name: str
    code: str
    residents: int
    weight: int
    amount_pence: int
    term_to: date
    entry_id: UUID


def shares_of_run(run_id: UUID) -> list[ShareRow]:
    """The shares of a run by the places' names, so that no place stands above another by its need."""
    asked = (
        sa.select(Neighbourhood.id, Neighbourhood.slug, Neighbourhood.name, Neighbourhood.district_name,
                  Neighbourhood.code, Allocation.residents, Allocation.weight, Allocation.amount_pence,
                  Allocation.term_to, Allocation.entry_id)
        .join(Neighbourhood, Neighbourhood.id == Allocation.neighbourhood_id).where(Allocation.run_id == run_id)
        .order_by(Neighbourhood.name, Neighbourhood.district_name, Neighbourhood.id))
    return [ShareRow(*tuple(row)) for row in session.execute(asked)]


def years_of(neighbourhood_id: UUID) -> list[str]:
    """The financial years in which a neighbourhood was given a share, the earliest first."""
    return sorted(session.scalars(
        sa.select(AllocationRun.financial_year).join(Allocation, Allocation.run_id == AllocationRun.id)
        .where(Allocation.neighbourhood_id == neighbourhood_id).distinct()))
