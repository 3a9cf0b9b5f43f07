"""Reading decisions: who takes part, what the rule gives, and how each was decided, for members, applicants, anybody.

The public part shows medians and spreads, never one reader's points, and no member's name.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.decisions import rules
from fund.decisions.models import AgreedReason, Attendance, AwardTakenUp, Decision
from fund.decisions.rules import CloseFacts, DecidedBy, ReaderState, Result, Scored
from fund.kernel import clock
from fund.kernel.errors import Broken, NotFound
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.panels import queries as panels
from fund.panels import rules as panels_rules
from fund.panels.models import SittingClose
from fund.panels.rules import RECUSED

#: A lot cannot be known before the sitting closes: the preview stands in for it with this, and says so.
NO_SEED = bytes(32)


def decision(decision_id: uuid.UUID) -> Decision:
    """A decision. Raises NotFound."""
    found = session.get(Decision, decision_id)
    if found is None:
        raise NotFound("no such decision")
    return found


def decision_of(application_id: uuid.UUID) -> Decision | None:
    """The decision on an application, if its sitting was closed."""
    return session.scalar(sa.select(Decision).where(Decision.application_id == application_id))


def decisions_of(sitting_id: uuid.UUID) -> list[Decision]:
    """The decisions of a sitting, by rank."""
    return list(session.scalars(sa.select(Decision).where(Decision.sitting_id == sitting_id).order_by(Decision.rank)))


def decisions_not_taken_up(sitting_id: uuid.UUID) -> list[Decision]:
    """The awards of a sitting that were not offered as grants yet, by rank."""
    return list(session.scalars(
        sa.select(Decision).where(Decision.sitting_id == sitting_id, Decision.amount_pence > 0,
                                  ~sa.exists().where(AwardTakenUp.decision_id == Decision.id))
        .order_by(Decision.rank)))


def available_pence(sitting_id: uuid.UUID) -> int:
    """What the panel can award now: what its allocation still holds in the ledger, less awards not offered yet."""
    return int(session.scalar(sa.text("SELECT panel_available_pence(:id)").bindparams(id=sitting_id)) or 0)


def attending(sitting_id: uuid.UUID) -> set[uuid.UUID]:
    """The seats that take part in a sitting's decision."""
    return set(session.scalars(sa.select(Attendance.seat_id).where(Attendance.sitting_id == sitting_id)))


def deciding(sitting_id: uuid.UUID) -> dict[uuid.UUID, DecidedBy]:
    """Who decides each application of a sitting, without anybody whom an interest keeps out."""
    out: dict[uuid.UUID, int] = {}
    for (application_id, _seat), consequence in panels.consequences(sitting_id).items():
        out[application_id] = out.get(application_id, 0) + (consequence in RECUSED)
    return {row.application_id: DecidedBy(row.present, row.residents, out.get(row.application_id, 0))
            for row in panels.rows("SELECT * FROM deciding(:id) ORDER BY application_id", id=sitting_id)}


def agreed_reasons(application_id: uuid.UUID) -> dict[uuid.UUID, AgreedReason]:
    """The panel's newest agreed reason for each criterion of an application, by criterion."""
    found = session.scalars(sa.select(AgreedReason).where(AgreedReason.application_id == application_id)
                            .order_by(AgreedReason.criterion_id, AgreedReason.version))
    return {reason.criterion_id: reason for reason in found}


def is_revealed(application_id: uuid.UUID) -> bool:
    """Whether an application's scores are open to its panel: every reader is done, or had to be by now."""
    sitting = panels.sitting(panels.before_a_panel(application_id).sitting_id)
    is_over = clock.now() >= sitting.scoring_closes_at
    return all(ReaderState(r.is_locked, r.is_released, r.is_recused, r.reminders).is_settled(scoring_is_over=is_over)
               for r in panels.readings_of_application(application_id))


def counted_points(sitting_id: uuid.UUID) -> dict[uuid.UUID, dict[uuid.UUID, list[int]]]:
    """Every counted point, sorted, by application and criterion: of locked scores whose reader is not kept out."""
    points: dict[uuid.UUID, dict[uuid.UUID, list[int]]] = {}
    for row in panels.rows("SELECT application_id, criterion_id, points FROM counted_score(:id) "
                           "ORDER BY application_id, criterion_id, points", id=sitting_id):
        points.setdefault(row.application_id, {}).setdefault(row.criterion_id, []).append(row.points)
    return points


def scored(sitting_id: uuid.UUID) -> tuple[list[Scored], list[int]]:
    """The applications of a sitting as the rule sees them, and the weights of its criteria, in order.

    One with no counted score at all is left out: nothing can be said of it.
    """
    about = panels.round_of(panels.sitting(sitting_id))
    points = counted_points(sitting_id)
    needs = {row.application_id: row.need_rank for row in panels.rows(
        "SELECT application_id, need_rank FROM sitting_application WHERE sitting_id = :id", id=sitting_id)}
    found = [Scored(card.reference, [points[card.application_id][c.id] for c in about.criteria], card.asked_pence,
                    card.least_pence if about.rules.part_funding else None, needs[card.application_id])
             for card in panels.cards_of(sitting_id) if card.application_id in points]
    return found, [c.weight for c in about.criteria]


def preview(sitting_id: uuid.UUID) -> list[Result]:
    """What the rule gives if the sitting closed now; where a lot would decide (`tie_break`) the order is a guess."""
    about = panels.round_of(panels.sitting(sitting_id))
    found, weights = scored(sitting_id)
    return rules.decide(found, weights, max(0, available_pence(sitting_id)), NO_SEED,
                        threshold_tenths=about.rules.threshold * 10)


def close_facts(sitting_id: uuid.UUID) -> list[CloseFacts]:
    """What the rules need to know of each application before its sitting closes."""
    criteria = panels.round_of(panels.sitting(sitting_id)).criteria
    points, present = counted_points(sitting_id), deciding(sitting_id)
    readings = panels.readings_of_sitting(sitting_id)
    agreed = {(row.application_id, row.criterion_id) for row in panels.rows(
        "SELECT DISTINCT g.application_id, g.criterion_id FROM agreed_reason g JOIN sitting_application x "
        "ON x.application_id = g.application_id WHERE x.sitting_id = :id", id=sitting_id)}
    return [CloseFacts(
        reference=card.reference,
        readers=[ReaderState(r.is_locked, r.is_released, r.is_recused, r.reminders)
                 for r in readings if r.application_id == card.application_id],
        counted=min((len(points.get(card.application_id, {}).get(c.id, [])) for c in criteria), default=0),
        deciding=present.get(card.application_id, DecidedBy(0, 0)),
        reasons_missing=sum((card.application_id, c.id) not in agreed for c in criteria),
    ) for card in panels.cards_of(sitting_id)]


def reasons_not_to_close(sitting_id: uuid.UUID) -> list[Reason]:
    """Every reason why a sitting cannot be closed now: the panel's strength, and each application's own."""
    sitting = panels.sitting(sitting_id)
    about = panels.round_of(sitting)
    panel = panels.panel_of_sitting(sitting_id)
    return panels_rules.reasons_panel_may_not_decide(panels.strength_of(panel.id)) + rules.reasons_not_to_close(
        close_facts(sitting_id), now=clock.now(), scoring_closes_at=sitting.scoring_closes_at,
        round_closes_at=about.closes_at, quorum=about.rules.quorum, fewest_counted=panels_rules.FEWEST_COUNTED)


# How it was decided, for anybody


@dataclass(frozen=True, slots=True)
class CriterionShown:
    """One criterion of a decided application: the middle of its readers' points and how far they lie apart."""

    name: str
    question: str
    weight: int
    median_halves: int
    lowest: int
    highest: int
    reason: str


@dataclass(frozen=True, slots=True)
class HowDecided:
    """Everything that is public about a decision, and nothing that is not."""

    decision: Decision
    reference: str
    place: str
    round_title: str
    sitting_id: uuid.UUID
    sitting_number: int
    rule_version: str
    threshold: int
    criteria: Sequence[CriterionShown]
    readers: int
    deciding: DecidedBy
    quorum: int
    interests: dict[str, int]
    available_pence: int
    asked_pence: int
    least_pence: int | None
    tie_break: str
    of_how_many: int
    seed: bytes
    seed_commitment: bytes
    scoring_closed_at: datetime


def how_it_was_decided(decision_id: uuid.UUID) -> HowDecided:
    """How a decision came about: rule, medians, weights, order, quorum, interests counted, the lot. Raises NotFound."""
    made = decision(decision_id)
    sitting, close = panels.sitting(made.sitting_id), session.get(SittingClose, made.sitting_id)
    if close is None:
        raise Broken("a decision without the closing of its sitting")
    about = panels.round_of(sitting)
    card = panels.card_of(made.application_id)
    points = counted_points(sitting.id)[made.application_id]
    reasons = agreed_reasons(made.application_id)
    criteria = [CriterionShown(c.name, c.question, c.weight, rules.median_halves(points[c.id]), min(points[c.id]),
                               max(points[c.id]), reasons[c.id].reason) for c in about.criteria]
    results = {r.reference: r for r in _results(sitting.id, close)}
    return HowDecided(
        decision=made, reference=card.reference, place=about.neighbourhood_name, round_title=about.title,
        sitting_id=sitting.id, sitting_number=sitting.number, rule_version=close.rule_version,
        threshold=about.rules.threshold, criteria=criteria,
        readers=min(len(each) for each in points.values()), deciding=deciding(sitting.id)[made.application_id],
        quorum=about.rules.quorum, interests=_interests(made.application_id), available_pence=close.available_pence,
        asked_pence=card.asked_pence, least_pence=card.least_pence, tie_break=results[card.reference].tie_break,
        of_how_many=len(results), seed=close.seed, seed_commitment=sitting.seed_commitment,
        scoring_closed_at=sitting.scoring_closes_at)


def _results(sitting_id: uuid.UUID, close: SittingClose) -> list[Result]:
    about = panels.round_of(panels.sitting(sitting_id))
    found, weights = scored(sitting_id)
    return rules.decide(found, weights, close.available_pence, close.seed, threshold_tenths=about.rules.threshold * 10)


def _interests(application_id: uuid.UUID) -> dict[str, int]:
    """How many members said what of an application, by consequence: numbers only."""
    return {row.consequence: row.how_many for row in panels.rows("""
        SELECT consequence, count(*) AS how_many FROM (
          SELECT DISTINCT seat_id, seat_consequence(application_id, seat_id) AS consequence FROM interest
          WHERE application_id = :id) said GROUP BY consequence ORDER BY consequence""", id=application_id)}


def open_data(sitting_id: uuid.UUID) -> dict[str, Any]:
    """What a stranger needs to work out a sitting's decisions again with `rules.recompute`. Raises NotFound."""
    close = session.get(SittingClose, sitting_id)
    if close is None:
        raise NotFound("this sitting is not closed")
    sitting = panels.sitting(sitting_id)
    about = panels.round_of(sitting)
    found, weights = scored(sitting_id)
    decided = {panels.card_of(d.application_id).reference: d for d in decisions_of(sitting_id)}
    return {
        "sitting": str(sitting_id), "round": about.reference, "rule_version": close.rule_version,
        "threshold_tenths": about.rules.threshold * 10, "weights": weights,
        "available_pence": str(close.available_pence),
        "seed": close.seed.hex(), "seed_commitment": sitting.seed_commitment.hex(),
        "applications": [{
            "reference": a.reference, "medians_halves": [rules.median_halves(p) for p in a.points],
            "asked_pence": str(a.asked_pence), "least_pence": None if a.least_pence is None else str(a.least_pence),
            "need_rank": a.need_rank} for a in sorted(found, key=lambda a: a.reference)],
        "decisions": [{
            "reference": reference, "score_tenths": d.score_tenths, "rank": d.rank, "outcome": d.outcome,
            "amount_pence": str(d.amount_pence)} for reference, d in sorted(decided.items(), key=lambda x: x[1].rank)],
    }


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to call about a decision."""

    name: str
    telephone: str
    email: str


def contact() -> Contact:
    """Whom a group may call: the fund's own desk, a person and not a machine."""
    return Contact(_("Ruth at the fund’s desk"), "0161 496 0123", "hello@fund.example.org")


# At the end, because the pages are made of what stands above.
from fund.decisions.queries.pages import waiting_for as waiting_for  # noqa: E402


