"""Reading rounds and forms. What is published never changes, so each is read once by every process and kept."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import NotFound
from fund.ledger.queries import finds_entries
from fund.neighbourhoods.models import Neighbourhood
from fund.rounds.formats import Form, form_from_definition
from fund.rounds.models import Criterion, FormVersion, Round
from fund.rounds.rules import RoundRules
from fund.transparency import queries as public_record


@dataclass(frozen=True, slots=True)
class CriterionFacts:
    """A criterion of a published round."""

    id: uuid.UUID
    position: int
    name: str
    question: str
    weight: int


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """A published round, with its criteria in their order and the name of its place."""

    id: uuid.UUID
    reference: str
    neighbourhood_id: uuid.UUID
    neighbourhood_code: str
    neighbourhood_slug: str
    neighbourhood_name: str
    form_version_id: uuid.UUID
    title: str
    opens_at: datetime
    closes_at: datetime | None
    rules: RoundRules
    criteria: tuple[CriterionFacts, ...]

    def is_open(self, now: datetime) -> bool:
        """Whether it takes applications at `now`. The database's clock decides at the submission itself."""
        return self.opens_at <= now and (self.closes_at is None or now < self.closes_at)


# Published things never change, so these only ever grow: a few hundred bytes a form, a few kilobytes a round.
_rounds: dict[uuid.UUID, RoundFacts] = {}
_ids: dict[str, uuid.UUID] = {}
_forms: dict[uuid.UUID, Form] = {}


def rounds(ids: list[uuid.UUID]) -> dict[uuid.UUID, RoundFacts]:
    """These rounds by id: at most two queries, none for those that this process knows."""
    unknown = [id_ for id_ in set(ids) if id_ not in _rounds]
    if unknown:
        criteria = session.scalars(sa.select(Criterion).where(Criterion.round_id.in_(unknown))
                                   .order_by(Criterion.round_id, Criterion.position)).all()
        for row, code, slug, name in session.execute(
                sa.select(Round, Neighbourhood.code, Neighbourhood.slug, Neighbourhood.name)
                .join(Neighbourhood, Neighbourhood.id == Round.neighbourhood_id).where(Round.id.in_(unknown))):
            _rounds[row.id] = RoundFacts(
                row.id, row.reference, row.neighbourhood_id, code, slug, name, row.form_version_id, row.title,
                row.opens_at, row.closes_at, RoundRules.from_json(row.rules),
                tuple(CriterionFacts(each.id, each.position, each.name, each.question, each.weight)
                      for each in criteria if each.round_id == row.id))
            _ids[row.reference] = row.id
    return {id_: _rounds[id_] for id_ in ids if id_ in _rounds}


@finds_entries
def record_of_round(reference: str) -> uuid.UUID | None:
    """The public record of a round's rules, by its reference."""
    id_ = session.scalar(sa.select(Round.id).where(Round.reference == reference))
    found = public_record.leaves_by_key([record_key(id_)]) if id_ else {}
    return next((leaf.id for leaf in found.values()), None)


def record_key(round_id: uuid.UUID) -> str:
    """The name for ever of the record of a round's rules."""
    return f"round_published:{round_id}"


def round(id_or_reference: uuid.UUID | str) -> RoundFacts:
    """The published round. Raises NotFound."""
    if isinstance(id_or_reference, str):
        known = _ids.get(id_or_reference) or session.scalar(
            sa.select(Round.id).where(Round.reference == id_or_reference))
        if known is None:
            raise NotFound
        id_or_reference = known
    found = rounds([id_or_reference])
    if not found:
        raise NotFound
    return found[id_or_reference]


def form(form_version_id: uuid.UUID) -> Form:
    """The published form. Raises NotFound."""
    if form_version_id not in _forms:
        row = session.get(FormVersion, form_version_id)
        if row is None:
            raise NotFound
        _forms[form_version_id] = form_from_definition(row.name, row.version, row.definition)
    return _forms[form_version_id]


def newest_form(name: str) -> uuid.UUID | None:
    """The id of the newest version of a form."""
    return session.scalar(sa.select(FormVersion.id).where(FormVersion.name == name)
                          .order_by(FormVersion.version.desc()).limit(1))


_OPEN = sa.select(Round.id).where(
    Round.neighbourhood_id == sa.bindparam("neighbourhood_id"), Round.opens_at <= sa.func.clock_timestamp(),
    sa.or_(Round.closes_at.is_(None), Round.closes_at > sa.func.clock_timestamp())
).order_by(Round.closes_at.asc().nulls_last(), Round.opens_at, Round.id)


def open_rounds(neighbourhood_id: uuid.UUID) -> list[RoundFacts]:
    """The rounds of a neighbourhood that take applications now, those that close first on top."""
    return list(rounds(list(session.scalars(_OPEN, {"neighbourhood_id": neighbourhood_id}))).values())
