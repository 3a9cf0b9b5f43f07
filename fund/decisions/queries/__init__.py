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
from fund.kernel.errors import NotFound
from fund.kernel.reasons import Reason
from fund.ledger.queries import finds_entries
from fund.panels import queries as panels
from fund.panels import rules as panels_rules
from fund.panels.models import Sitting, SittingClose
from fund.rounds.queries import CriterionFacts, RoundFacts

#: A lot cannot be known before the sitting closes: the preview stands in for it with this, and says so.
NO_SEED = bytes(32)


def decision(decision_id: uuid.UUID) -> Decision:
    """A decision. Raises NotFound."""
    found = session.get(Decision, decision_id)
    if found is None:
        raise NotFound("no such decision")
    return found


@finds_entries
def record_of_application(reference: str) -> uuid.UUID | None:
    """The public record of the decision on an application, by its reference."""
    return session.scalar(sa.text("SELECT d.leaf_id FROM decision d JOIN application a ON a.id = d.application_id "
                                  "WHERE a.reference = :reference"), {"reference": reference})


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


@dataclass(frozen=True, slots=True)
class BeforeJoining:
    """What is asked before a seat takes part: `has_to_say` while it has not said of an application what ties it."""

    takes_part: bool
    is_closed: bool
    has_to_say: bool


def before_joining(sitting_id: uuid.UUID, seat_id: uuid.UUID) -> BeforeJoining:
    """How a seat stands to a sitting's decision."""
    row = panels.rows("""
        SELECT EXISTS (SELECT FROM attendance t WHERE t.sitting_id = :sitting AND t.seat_id = :seat) AS takes_part,
          EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = :sitting) AS is_closed, EXISTS (
          SELECT FROM sitting_application x WHERE x.sitting_id = :sitting
          AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
          AND NOT EXISTS (SELECT FROM interest i WHERE i.application_id = x.application_id AND i.seat_id = :seat)
        ) AS has_to_say""", sitting=sitting_id, seat=seat_id)[0]
    return BeforeJoining(*row)


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


@dataclass(frozen=True, slots=True)
class ReadyApplication:
    """One application of a sitting with all that its decision is made of."""

    application_id: uuid.UUID
    reference: str
    title: str
    group: str
    asked_pence: int
    least_pence: int | None
    need_rank: int
    deciding: DecidedBy
    reasons_missing: int
    points: dict[uuid.UUID, list[int]]
    readers: list[ReaderState]

    def facts(self, criteria: Sequence[CriterionFacts]) -> CloseFacts:
        """What the rules ask about it before its sitting closes."""
        counted = min((len(self.points.get(each.id, [])) for each in criteria), default=0)
        return CloseFacts(self.reference, self.readers, counted, self.deciding, self.reasons_missing)


@dataclass(frozen=True, slots=True)
class ReadySitting:
    """A sitting with all that its decisions are made of, in at most four queries. The round comes from memory."""

    sitting: Sitting
    round: RoundFacts
    strength: panels_rules.Strength
    available_pence: int
    applications: list[ReadyApplication]

    def scored(self) -> list[Scored]:
        """The applications as the rule sees them. One with no counted score is left out: nothing can be said of it."""
        return [Scored(a.reference, [a.points[c.id] for c in self.round.criteria], a.asked_pence,
                       a.least_pence if self.round.rules.part_funding else None, a.need_rank)
                for a in self.applications if a.points]

    def decide(self, available_pence: int, seed: bytes) -> list[Result]:
        """What the rule gives with this much money and this seed."""
        return rules.decide(self.scored(), [c.weight for c in self.round.criteria], available_pence, seed,
                            threshold_tenths=self.round.rules.threshold * 10)

    def reasons_not_to_close(self) -> list[Reason]:
        """Every reason why it cannot be closed now: the panel's strength, and each application's own."""
        return panels_rules.reasons_panel_may_not_decide(self.strength) + rules.reasons_not_to_close(
            [each.facts(self.round.criteria) for each in self.applications], now=clock.now(),
            scoring_closes_at=self.sitting.scoring_closes_at, round_closes_at=self.round.closes_at,
            quorum=self.round.rules.quorum, fewest_counted=panels_rules.FEWEST_COUNTED)

    def is_revealed(self) -> bool:
        """Whether every application's scores are open to the panel: all its readers are done, or had to be by now."""
        is_over = clock.now() >= self.sitting.scoring_closes_at
        return all(reader.is_settled(scoring_is_over=is_over) for each in self.applications for reader in each.readers)

    def preview(self) -> list[Result]:
        """What the rule gives if it closed now; where a lot would decide (`tie_break`) the order is a guess.

        Nothing while a reader still scores: a score made of two readers' points gives both away (invariant 6).
        """
        return self.decide(max(0, self.available_pence), NO_SEED) if self.is_revealed() else []


_HEAD = """
SELECT panel_available_pence(:id) AS available, count(m.id) FILTER (WHERE seat_serves(m)) AS serving,
       count(m.id) FILTER (WHERE seat_serves(m) AND m.is_resident) AS residents
FROM panel p LEFT JOIN seat m ON m.panel_id = p.id WHERE p.id = sitting_panel(:id)
"""

_APPLICATIONS = """
SELECT x.application_id, a.reference, s.title, o.name, s.asked_pence, s.least_pence, x.need_rank,
  d.present, d.residents,
  (SELECT count(DISTINCT i.seat_id) FROM interest i WHERE i.application_id = x.application_id
     AND seat_consequence(i.application_id, i.seat_id) IN ('no_scoring', 'out_of_room')),
  (SELECT count(*) FROM criterion c WHERE c.round_id = a.round_id AND NOT EXISTS (
     SELECT FROM agreed_reason g WHERE g.application_id = x.application_id AND g.criterion_id = c.id))
FROM sitting_application x
  JOIN deciding(:id) d ON d.application_id = x.application_id
  JOIN application a ON a.id = x.application_id
  JOIN submission s ON s.application_id = x.application_id
  JOIN organisation o ON o.id = s.organisation_id
WHERE x.sitting_id = :id ORDER BY x.put_at, a.reference
"""

_READERS = """
SELECT g.application_id, EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = g.id),
  EXISTS (SELECT FROM score_release l WHERE l.assignment_id = g.id),
  coalesce(seat_consequence(g.application_id, g.seat_id) IN ('no_scoring', 'out_of_room'), false),
  (SELECT count(*) FROM score_reminder m WHERE m.assignment_id = g.id)
FROM sitting_application x JOIN assignment g ON g.application_id = x.application_id
WHERE x.sitting_id = :id ORDER BY g.assigned_at, g.id
"""


def ready_sitting(sitting: Sitting) -> ReadySitting:
    """An open sitting with all that its decisions will be made of."""
    head = panels.rows(_HEAD, id=sitting.id)[0]
    readers: dict[uuid.UUID, list[ReaderState]] = {}
    for application_id, *state in panels.rows(_READERS, id=sitting.id):
        readers.setdefault(application_id, []).append(ReaderState(*state))
    return _sitting_with(sitting, panels_rules.Strength(head.serving, head.residents), int(head.available), readers)


def closed_sitting(sitting: Sitting, close: SittingClose) -> ReadySitting:
    """A closed sitting with all that its decisions were made of; who serves and who read is history by then."""
    return _sitting_with(sitting, panels_rules.Strength(0, 0), close.available_pence, {})


def _sitting_with(sitting: Sitting, strength: panels_rules.Strength, available_pence: int,
                  readers: dict[uuid.UUID, list[ReaderState]]) -> ReadySitting:
    points = counted_points(sitting.id)
    found = [ReadyApplication(*[*row[:7], DecidedBy(*row[7:10]), row[10], points.get(row[0], {}),
                                readers.get(row[0], [])])
             for row in panels.rows(_APPLICATIONS, id=sitting.id)]
    return ReadySitting(sitting, panels.round_of(sitting), strength, available_pence, found)


def counted_points(sitting_id: uuid.UUID) -> dict[uuid.UUID, dict[uuid.UUID, list[int]]]:
    """Every counted point, sorted, by application and criterion: of locked scores whose reader is not kept out."""
    points: dict[uuid.UUID, dict[uuid.UUID, list[int]]] = {}
    for row in panels.rows("SELECT application_id, criterion_id, points FROM counted_score(:id) "
                           "ORDER BY application_id, criterion_id, points", id=sitting_id):
        points.setdefault(row.application_id, {}).setdefault(row.criterion_id, []).append(row.points)
    return points


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
    row = session.execute(sa.select(Decision, Sitting, SittingClose).join(Sitting, Sitting.id == Decision.sitting_id)
                          .join(SittingClose, SittingClose.sitting_id == Decision.sitting_id)
                          .where(Decision.id == decision_id)).one_or_none()
    if row is None:
        raise NotFound("no such decision")
    made, sitting, close = row
    ready = closed_sitting(sitting, close)
    own = next(each for each in ready.applications if each.application_id == made.application_id)
    reasons = agreed_reasons(made.application_id)
    criteria = [CriterionShown(c.name, c.question, c.weight, rules.median_halves(own.points[c.id]),
                               own.points[c.id][0], own.points[c.id][-1], reasons[c.id].reason)
                for c in ready.round.criteria]
    results = {r.reference: r for r in ready.decide(close.available_pence, close.seed)}
    return HowDecided(
        decision=made, reference=own.reference, place=ready.round.neighbourhood_name, round_title=ready.round.title,
        sitting_id=made.sitting_id, sitting_number=ready.sitting.number, rule_version=close.rule_version,
        threshold=ready.round.rules.threshold, criteria=criteria,
        readers=min(len(each) for each in own.points.values()),
        deciding=DecidedBy(made.present, made.residents, own.deciding.recused), quorum=ready.round.rules.quorum,
        interests=_interests(made.application_id), available_pence=close.available_pence,
        asked_pence=own.asked_pence, least_pence=own.least_pence, tie_break=results[own.reference].tie_break,
        of_how_many=len(results), seed=close.seed, seed_commitment=ready.sitting.seed_commitment,
        scoring_closed_at=ready.sitting.scoring_closes_at)


def _close_of(sitting_id: uuid.UUID) -> SittingClose:
    close = session.get(SittingClose, sitting_id)
    if close is None:
        raise NotFound("this sitting is not closed")
    return close


def _interests(application_id: uuid.UUID) -> dict[str, int]:
    """How many members said what of an application, by consequence: numbers only."""
    return {row.consequence: row.how_many for row in panels.rows("""
        SELECT consequence, count(*) AS how_many FROM (
          SELECT DISTINCT seat_id, seat_consequence(application_id, seat_id) AS consequence FROM interest
          WHERE application_id = :id) said GROUP BY consequence ORDER BY consequence""", id=application_id)}


def open_data(sitting_id: uuid.UUID) -> dict[str, Any]:
    """What a stranger needs to work out a sitting's decisions again with `rules.recompute`. Raises NotFound."""
    close = _close_of(sitting_id)
    ready = closed_sitting(panels.sitting(sitting_id), close)
    references = {each.application_id: each.reference for each in ready.applications}
    return {
        "sitting": str(sitting_id), "round": ready.round.reference, "rule_version": close.rule_version,
        "threshold_tenths": ready.round.rules.threshold * 10, "weights": [c.weight for c in ready.round.criteria],
        "available_pence": str(close.available_pence), "seed": close.seed.hex(),
        "seed_commitment": ready.sitting.seed_commitment.hex(),
        "applications": [{
            "reference": a.reference, "medians_halves": [rules.median_halves(p) for p in a.points],
            "asked_pence": str(a.asked_pence), "least_pence": None if a.least_pence is None else str(a.least_pence),
            "need_rank": a.need_rank} for a in sorted(ready.scored(), key=lambda a: a.reference)],
        "decisions": [{
            "reference": references[d.application_id], "score_tenths": d.score_tenths, "rank": d.rank,
            "outcome": d.outcome, "amount_pence": str(d.amount_pence)} for d in decisions_of(sitting_id)],
    }


# At the end, because the pages are made of what stands above.
from fund.decisions.queries.pages import waiting_for as waiting_for  # noqa: E402


