"""Making neighbourhoods of the small areas of a ward or a district."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from fund.db import session
from fund.kernel.actor import Actor
from fund.kernel.errors import NotFound, Refused, refuse_if
from fund.kernel.ids import new_id
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.neighbourhoods import queries, rules
from fund.neighbourhoods.models import Neighbourhood, NeighbourhoodArea
from fund.neighbourhoods.rules import IN_FORCE, AreaFacts, Bounds
from fund.transparency.actions import record_act


def open_neighbourhood(actor: Actor, code: str, *, bounds: Bounds | None = IN_FORCE) -> UUID:
    """Make the ward or district `code` a neighbourhood, and give its id; one that is there already is given as it is.

    With `bounds` a ward must keep that rule, gives up its least deprived areas when it has too many residents, and
    names the rule's version; a district is refused. Without (a rehearsal on real grants) the area is taken whole.
    Raises NotFound for a code that no look-up holds, Refused with the rule's reasons.
    """
    there = session.execute(sa.select(Neighbourhood.id).where(Neighbourhood.code == code)).scalar_one_or_none()
    if there is not None:
        return there
    area = queries.area(code)
    if area is None:
        raise NotFound(_("There is no ward or district %(code)s in the look-up.", code=code))
    if bounds is None:
        whole = queries.residents_of_areas(code)
        return _make(actor, area, sorted(whole), sum(whole.values()), rules.NO_BOUNDS)
    if area.kind != "ward":
        raise Refused([Reason("not_a_ward", _("%(name)s is a district; a neighbourhood is a ward or part of one.",
                                              name=area.name))])
    kept = rules.areas_within_bounds(queries.facts_of_ward(code, bounds), bounds)
    refuse_if(rules.reasons_not_a_neighbourhood(kept, bounds))
    return _make(actor, area, [fact.lsoa_code for fact in kept], sum(fact.residents for fact in kept), bounds.version)


def open_neighbourhoods_within_bounds(actor: Actor, *, bounds: Bounds = IN_FORCE,
                                      district_codes: Iterable[str] | None = None) -> list[UUID]:
    """Make a neighbourhood of every ward that keeps the rule, in these districts or everywhere; gives their ids."""
    facts: dict[str, list[AreaFacts]] = queries.facts_by_ward(bounds, district_codes)
    return [open_neighbourhood(actor, code, bounds=bounds) for code, areas in facts.items()
            if not rules.reasons_not_a_neighbourhood(rules.areas_within_bounds(areas, bounds), bounds)]


def _make(actor: Actor, area: queries.AreaRow, lsoa_codes: list[str], residents: int, bounds_rule: str) -> UUID:
    made = Neighbourhood(id=new_id(), code=area.code, slug=_free_slug(area), name=area.name, kind=area.kind,
                         district_code=area.district_code, district_name=area.district_name, residents=residents,
                         version=1, bounds_rule=bounds_rule)
    session.add(made)
    session.flush()
    session.execute(sa.insert(NeighbourhoodArea), [
        {"neighbourhood_id": made.id, "kind": area.kind, "lsoa_code": code} for code in lsoa_codes])
    record_act(actor, "open_neighbourhood", "neighbourhood", made.id, code=area.code, areas=len(lsoa_codes),
               residents=residents, bounds_rule=bounds_rule)
    return made.id


def _free_slug(area: queries.AreaRow) -> str:
    """`smithills-bolton`, or with the code when two wards of a district share their name."""
    if area.kind == "district":
        return rules.slug(area.name, "district")
    wished = rules.slug(area.name, area.district_name)
    taken = session.execute(sa.select(Neighbourhood.id).where(Neighbourhood.slug == wished)).first()
    return f"{wished}-{area.code.lower()}" if taken else wished


@dataclass(frozen=True, slots=True)
class OpenedPlace:
    """The neighbourhood that an area of a published grant goes to; `split` when parts of it lie in other wards."""

    id: UUID
    code: str
    name: str
    split: bool


def open_neighbourhood_of_area(actor: Actor, area_code: str) -> OpenedPlace:
    """Open the ward that holds a small area of 2011 or 2021, or the ward or district with this very code, whole.

    For a rehearsal on real grants: no bounds. Raises NotFound for a code that no look-up holds.
    """
    area, split = queries.area(area_code), False
    if area is None:
        ward = queries.ward_of_lsoa(area_code)
        area, split = queries.area(ward.ward_code), bool(ward.others)
    if area is None:
        raise NotFound(_("There is no ward or district %(code)s in the look-up.", code=area_code))
    return OpenedPlace(open_neighbourhood(actor, area.code, bounds=None), area.code, area.name, split)
