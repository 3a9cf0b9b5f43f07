"""Reading places: where a postcode is, which ward an old area belongs to, and what a neighbourhood is made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import NotFound
from fund.kernel.words import _
from fund.neighbourhoods import rules
from fund.neighbourhoods.models import (
    Area,
    Dataset,
    Lsoa,
    Lsoa2011,
    LsoaOutline,
    LsoaResidents,
    NeedFigure,
    Neighbourhood,
    NeighbourhoodArea,
)
from fund.neighbourhoods.rules import IN_FORCE, AreaFacts, Bounds, Need, NeighbourhoodSummary, Place, WardPart

MOST_FOUND = 50

# One statement, because this is the page that everybody opens first. The newest file that names the postcode answers.
_PLACE = sa.text("""
    SELECT p.postcode, l.code, l.name, coalesce(w.name, lw.name), d.name,
           i.rank, i.out_of, i.decile, di.source, c.rank, c.out_of, c.decile, dc.source,
           n.id, n.code, n.slug, n.name, n.kind, n.district_code, n.district_name, n.residents, n.version,
           n.bounds_rule, dp.source, dp.as_of, e.name
    FROM postcode p
    JOIN dataset dp ON dp.number = p.dataset_number
    JOIN lsoa l ON l.code = p.lsoa_code
    JOIN area lw ON lw.code = l.ward_code
    LEFT JOIN area w ON w.code = p.ward_code
    JOIN area d ON d.code = coalesce(w.district_code, lw.district_code)
    LEFT JOIN need_figure i ON i.lsoa_code = l.code AND i.kind = 'imd' AND i.version = :imd
    LEFT JOIN dataset di ON di.id = i.dataset_id
    LEFT JOIN need_figure c ON c.lsoa_code = l.code AND c.kind = 'cni' AND c.version = :cni
    LEFT JOIN dataset dc ON dc.id = c.dataset_id
    LEFT JOIN neighbourhood_area a ON a.lsoa_code = l.code AND a.kind = 'ward'
    LEFT JOIN neighbourhood n ON n.id = a.neighbourhood_id
    LEFT JOIN earlier_list e ON e.ward17_code = p.ward17_code
    WHERE p.postcode = :postcode
    ORDER BY dp.as_of DESC, dp.number DESC
    LIMIT 1
""")


def place_of_postcode(typed: str, bounds: Bounds = IN_FORCE) -> Place:
    """Where a typed postcode is, with both need figures of the bounds' versions, in one query.

    Raises BadInput for what is no postcode, and NotFound for one that no file we hold names.
    """
    postcode = rules.normal_postcode(typed)
    row = session.execute(_PLACE, {"postcode": postcode, "imd": bounds.imd_version,
                                   "cni": bounds.cni_version}).first()
    if row is None:
        raise NotFound(_("We do not know the postcode %(postcode)s.", postcode=postcode))
    cells: Any = tuple(row)
    return Place(cells[0], cells[1], cells[2], cells[3], cells[4],
                 imd=Need("imd", bounds.imd_version, *cells[5:9]) if cells[5] is not None else None,
                 cni=Need("cni", bounds.cni_version, *cells[9:13]) if cells[9] is not None else None,
                 neighbourhood=NeighbourhoodSummary(*cells[13:23]) if cells[13] is not None else None,
                 postcode_source=cells[23], postcode_as_of=cells[24], earlier_list=cells[25])


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A ward or a district, with its district's name."""

    code: str
    kind: str
    name: str
    district_code: str
    district_name: str


def area(code: str) -> AreaRow | None:
    """The ward or district of 2024 with this code."""
    district = sa.orm.aliased(Area)
    row = session.execute(
        sa.select(Area.code, Area.kind, Area.name, Area.district_code, district.name)
        .join(district, district.code == Area.district_code).where(Area.code == code)).first()
    return AreaRow(*row) if row else None


@dataclass(frozen=True, slots=True)
class WardOfArea:
    """The ward that a small area belongs to; `others` are wards that hold a part of it too, by code."""

    ward_code: str
    others: tuple[str, ...] = ()


def ward_of_lsoa(code: str, residents_version: str = IN_FORCE.residents_version) -> WardOfArea:
    """The ward of 2024 that holds a small area of 2021 or of 2011.

    A code of 2011 that still stands is answered by its area of 2021. An area of 2011 that now lies in several wards
    goes to the one with more residents, then the lower code (rules.ward_of_split_area). Raises NotFound.
    """
    now = session.execute(sa.select(Lsoa.ward_code).where(Lsoa.code == code)).scalar_one_or_none()
    if now is not None:
        return WardOfArea(now)
    in_ward = sa.orm.aliased(Lsoa)
    wards = sa.select(Lsoa.ward_code).join(Lsoa2011, Lsoa2011.lsoa_code == Lsoa.code).where(Lsoa2011.code == code)
    parts = [WardPart(ward, residents) for ward, residents in session.execute(
        sa.select(in_ward.ward_code, sa.func.coalesce(sa.func.sum(LsoaResidents.residents), 0))
        .outerjoin(LsoaResidents, sa.and_(LsoaResidents.lsoa_code == in_ward.code,
                                          LsoaResidents.version == residents_version))
        .where(in_ward.ward_code.in_(wards)).group_by(in_ward.ward_code).order_by(in_ward.ward_code))]
    if not parts:
        raise NotFound(_("There is no small area %(code)s in the look-ups.", code=code))
    chosen = rules.ward_of_split_area(parts)
    return WardOfArea(chosen, tuple(part.ward_code for part in parts if part.ward_code != chosen))


def residents_of_areas(code: str, version: str = IN_FORCE.residents_version) -> dict[str, int]:
    """The small areas of a ward or district, each with its residents (0 where the census has none), by code."""
    asked = (
        sa.select(Lsoa.code, sa.func.coalesce(LsoaResidents.residents, 0))
        .join(Area, Area.code == Lsoa.ward_code)
        .outerjoin(LsoaResidents, sa.and_(LsoaResidents.lsoa_code == Lsoa.code, LsoaResidents.version == version))
        .where(sa.or_(Area.code == code, Area.district_code == code)).order_by(Lsoa.code))
    return {lsoa: int(residents) for lsoa, residents in session.execute(asked)}


def facts_by_ward(bounds: Bounds = IN_FORCE, district_codes: Iterable[str] | None = None,
                  ward_code: str | None = None) -> dict[str, list[AreaFacts]]:
    """What the bounds look at, for each ward: its small areas with residents and need, wards and areas by code.

    An area without one of the figures is left out, so a ward of another country has none.
    """
    imd, cni = sa.orm.aliased(NeedFigure), sa.orm.aliased(NeedFigure)
    asked = (
        sa.select(Lsoa.ward_code, Lsoa.code, LsoaResidents.residents, imd.rank, imd.decile, cni.decile)
        .join(LsoaResidents, sa.and_(LsoaResidents.lsoa_code == Lsoa.code,
                                     LsoaResidents.version == bounds.residents_version))
        .join(imd, sa.and_(imd.lsoa_code == Lsoa.code, imd.kind == "imd", imd.version == bounds.imd_version))
        .join(cni, sa.and_(cni.lsoa_code == Lsoa.code, cni.kind == "cni", cni.version == bounds.cni_version))
        .order_by(Lsoa.ward_code, Lsoa.code))
    if ward_code is not None:
        asked = asked.where(Lsoa.ward_code == ward_code)
    if district_codes is not None:
        asked = asked.join(Area, Area.code == Lsoa.ward_code).where(Area.district_code.in_(list(district_codes)))
    facts: dict[str, list[AreaFacts]] = {}
    for ward, lsoa, residents, imd_rank, imd_decile, cni_decile in session.execute(asked):
        facts.setdefault(ward, []).append(AreaFacts(lsoa, residents, imd_rank, imd_decile, cni_decile))
    return facts


def facts_of_ward(code: str, bounds: Bounds = IN_FORCE) -> list[AreaFacts]:
    """What the bounds look at, for one ward."""
    return facts_by_ward(bounds, ward_code=code).get(code, [])


_SUMMARY = (Neighbourhood.id, Neighbourhood.code, Neighbourhood.slug, Neighbourhood.name, Neighbourhood.kind,
            Neighbourhood.district_code, Neighbourhood.district_name, Neighbourhood.residents, Neighbourhood.version,
            Neighbourhood.bounds_rule)


def neighbourhood(neighbourhood_id: UUID) -> NeighbourhoodSummary:
    """The neighbourhood with this id; raises NotFound."""
    return _one(Neighbourhood.id == neighbourhood_id)


def neighbourhood_by_slug(slug: str) -> NeighbourhoodSummary:
    """The neighbourhood whose page has this address; raises NotFound."""
    return _one(Neighbourhood.slug == slug)


def neighbourhood_by_code(code: str) -> NeighbourhoodSummary:
    """The neighbourhood of this ward or district; raises NotFound."""
    return _one(Neighbourhood.code == code)


def _one(condition: sa.ColumnElement[bool]) -> NeighbourhoodSummary:
    row = session.execute(sa.select(*_SUMMARY).where(condition)).first()
    if row is None:
        raise NotFound(_("There is no such neighbourhood."))
    return _summary(row)


def _summary(row: Any) -> NeighbourhoodSummary:
    return NeighbourhoodSummary(*row)


def neighbourhoods(words: str = "", *, after: str | None = None, most: int = MOST_FOUND) -> list[NeighbourhoodSummary]:
    """Neighbourhoods by name, then district: those whose name or district holds every one of `words`.

    `after` is the slug of the last one that was shown: the list is paged by key, not by offset. An unknown slug starts
    from the beginning.
    """
    order = (Neighbourhood.name, Neighbourhood.district_name, Neighbourhood.id)
    asked = sa.select(*_SUMMARY).order_by(*order).limit(most)
    for word in words.split()[:6]:
        asked = asked.where(sa.or_(Neighbourhood.name.icontains(word, autoescape=True),
                                   Neighbourhood.district_name.icontains(word, autoescape=True)))
    if after:
        last = session.execute(sa.select(*order).where(Neighbourhood.slug == after)).first()
        if last is not None:
            asked = asked.where(sa.tuple_(*order) > sa.tuple_(*last))
    return [_summary(row) for row in session.execute(asked)]


@dataclass(frozen=True, slots=True)
class NeighbourhoodNeed:
    """What an allocation by need counts: everyone who lives there, and their need.

    `weight` is the sum over small areas of residents times the deprivation score in thousandths; `score_milli` is that
    weight for each resident.
    """

    neighbourhood_id: UUID
    code: str
    residents: int
    weight: int

    @property
    def score_milli(self) -> int:
        """The mean deprivation score of a resident, in thousandths, rounded down."""
        return self.weight // self.residents if self.residents else 0


def needs_of_neighbourhoods(bounds: Bounds = IN_FORCE) -> list[NeighbourhoodNeed]:
    """Every ward neighbourhood that a version of the bounds let in, with its need; by code."""
    asked = (
        sa.select(Neighbourhood.id, Neighbourhood.code, sa.func.sum(LsoaResidents.residents),
                  sa.func.sum(LsoaResidents.residents * NeedFigure.score_milli))
        .join(NeighbourhoodArea, NeighbourhoodArea.neighbourhood_id == Neighbourhood.id)
        .join(LsoaResidents, sa.and_(LsoaResidents.lsoa_code == NeighbourhoodArea.lsoa_code,
                                     LsoaResidents.version == bounds.residents_version))
        .join(NeedFigure, sa.and_(NeedFigure.lsoa_code == NeighbourhoodArea.lsoa_code, NeedFigure.kind == "imd",
                                  NeedFigure.version == bounds.imd_version))
        .where(Neighbourhood.bounds_rule == bounds.version)
        .group_by(Neighbourhood.id, Neighbourhood.code).order_by(Neighbourhood.code))
    return [NeighbourhoodNeed(id_, code, int(residents), int(weight))
            for id_, code, residents, weight in session.execute(asked)]


@dataclass(frozen=True, slots=True)
class SmallArea:
    """One small area of a neighbourhood, with its need and its drawing where we have them."""

    code: str
    name: str
    residents: int | None
    imd_rank: int | None
    imd_decile: int | None
    cni_rank: int | None
    cni_decile: int | None
    path: str | None
    frame: tuple[int, int, int, int] | None

    def is_doubly_disadvantaged(self, bounds: Bounds = IN_FORCE) -> bool:
        """Whether it is in the worst tenth of both indices."""
        return (self.imd_decile is not None and self.cni_decile is not None
                and rules.is_doubly_disadvantaged(self.imd_decile, self.cni_decile, bounds))


def small_areas(neighbourhood_id: UUID, bounds: Bounds = IN_FORCE) -> list[SmallArea]:
    """The small areas of a neighbourhood, by name, then code."""
    imd, cni = sa.orm.aliased(NeedFigure), sa.orm.aliased(NeedFigure)
    asked = (
        sa.select(Lsoa.code, Lsoa.name, LsoaResidents.residents, imd.rank, imd.decile, cni.rank, cni.decile,
                  LsoaOutline.path, LsoaOutline.west, LsoaOutline.north, LsoaOutline.east, LsoaOutline.south)
        .join(NeighbourhoodArea, NeighbourhoodArea.lsoa_code == Lsoa.code)
        .outerjoin(LsoaResidents, sa.and_(LsoaResidents.lsoa_code == Lsoa.code,
                                          LsoaResidents.version == bounds.residents_version))
        .outerjoin(imd, sa.and_(imd.lsoa_code == Lsoa.code, imd.kind == "imd", imd.version == bounds.imd_version))
        .outerjoin(cni, sa.and_(cni.lsoa_code == Lsoa.code, cni.kind == "cni", cni.version == bounds.cni_version))
        .outerjoin(LsoaOutline, LsoaOutline.lsoa_code == Lsoa.code)
        .where(NeighbourhoodArea.neighbourhood_id == neighbourhood_id).order_by(Lsoa.name, Lsoa.code))
    return [_small_area(row) for row in session.execute(asked)]


def _small_area(row: Any) -> SmallArea:
    return SmallArea(*row[:8], frame=tuple(row[8:12]) if row[7] else None)  # type: ignore[misc]


def datasets_of(bounds: Bounds = IN_FORCE) -> list[Dataset]:
    """The datasets that the bounds read, the newest load of each: what a page of figures names as its sources."""
    pinned = {"imd": bounds.imd_version, "cni": bounds.cni_version, "residents": bounds.residents_version}
    asked = sa.select(Dataset).where(sa.or_(*(sa.and_(Dataset.kind == kind, Dataset.version == version)
                                              for kind, version in pinned.items()))).order_by(Dataset.number)
    newest = {dataset.kind: dataset for dataset in session.scalars(asked)}
    return [newest[kind] for kind in pinned if kind in newest]
