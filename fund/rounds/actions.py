"""Publishing forms and rounds. Nothing here changes what was published."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import Forbidden, NotFound, refuse_if
from fund.kernel.ids import new_id, new_reference
from fund.neighbourhoods.models import Neighbourhood
from fund.rounds import queries
from fund.rounds.formats import form_from_definition
from fund.rounds.models import Criterion, FormVersion, Round
from fund.rounds.rules import (
    MOST_POINTS,
    TIE_BREAK,
    USUAL_CRITERIA,
    CriterionText,
    RoundRules,
    reasons_not_to_publish,
)
from fund.transparency.actions import append, record_act

_PUBLISHERS = frozenset({Capacity.OFFICER, Capacity.SYSTEM})


def publish_form(actor: Actor, name: str, definition: dict[str, Any]) -> uuid.UUID:
    """Publish a form and give the id of its version; the same definition again gives the version that stands.

    Raises BadInput for a definition that is none.
    """
    if actor.capacity not in _PUBLISHERS:
        raise Forbidden
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": name})
    newest = session.scalars(sa.select(FormVersion).where(FormVersion.name == name)
                             .order_by(FormVersion.version.desc()).limit(1)).one_or_none()
    if newest is not None and newest.definition == definition:
        return newest.id
    version = newest.version + 1 if newest else 1
    form_from_definition(name, version, definition)
    made = FormVersion(id=new_id(), name=name, version=version, definition=definition)
    session.add(made)
    session.flush()
    record_act(actor, "publish_form", "form_version", made.id, version=version)
    return made.id


def publish_round(actor: Actor, *, neighbourhood_id: uuid.UUID, title: str, form_version_id: uuid.UUID,
                  opens_at: datetime, closes_at: datetime | None = None,
                  criteria: Sequence[tuple[str, str, int]] = USUAL_CRITERIA,
                  rules: RoundRules | None = None) -> queries.RoundFacts:
    """Publish a round with its criteria and rules, for ever as they are.

    Raises Refused with every reason, NotFound for an unknown place or form.
    """
    if actor.capacity not in _PUBLISHERS:
        raise Forbidden
    rules = rules or RoundRules()
    texts = [CriterionText(*criterion) for criterion in criteria]
    refuse_if(reasons_not_to_publish(rules, texts, title=title, opens_at=opens_at, closes_at=closes_at))
    if session.get(Neighbourhood, neighbourhood_id) is None or session.get(FormVersion, form_version_id) is None:
        raise NotFound
    made = Round(id=new_id(), reference=new_reference("RND"), neighbourhood_id=neighbourhood_id,
                 form_version_id=form_version_id, title=title.strip(), opens_at=opens_at, closes_at=closes_at,
                 rules=rules.as_json())
    # The criteria go in before their round: once the round is there, the table takes no more of them.
    session.add_all([Criterion(id=new_id(), round_id=made.id, position=position, name=text.name, question=text.question,
                               weight=text.weight) for position, text in enumerate(texts, start=1)])
    session.flush()
    session.add(made)
    session.flush()
    record_act(actor, "publish_round", "round", made.id)
    published = queries.round(made.id)
    append("round_published", public_record(published), idem_key=queries.record_key(made.id))
    return published


def public_record(round_: queries.RoundFacts) -> dict[str, Any]:
    """What the public log says of a round: its criteria, weights, rules and the order of its tie-break."""
    rules = {name: str(value) if name.endswith("_pence") else int(value) if isinstance(value, bool) else value
             for name, value in round_.rules.as_json().items()}
    return {
        "round": str(round_.id), "reference": round_.reference, "neighbourhood": round_.neighbourhood_code,
        "form": str(round_.form_version_id), "opens_at": round_.opens_at.astimezone(UTC).isoformat(),
        "closes_at": round_.closes_at.astimezone(UTC).isoformat() if round_.closes_at else "", "rules": rules,
        "criteria": [{"id": str(each.id), "position": each.position, "name": each.name, "question": each.question,
                      "weight": each.weight} for each in round_.criteria],
        "most_points": MOST_POINTS, "tie_break": list(TIE_BREAK)}
