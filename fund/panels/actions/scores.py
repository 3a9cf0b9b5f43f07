"""Scores: saved, locked, released, and asked for once more."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor
from fund.kernel.errors import BadInput, NotFound, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.panels import queries, rules
from fund.panels.actions.plainly import closed, said_plainly
from fund.panels.actions.sittings import find_readers, interest_page
from fund.panels.models import (
    Score,
    ScoreLock,
    ScoreRelease,
    ScoreReminder,
    Seat,
)
from fund.transparency.actions import append_later, record_act


def save_scores(actor: Actor, assignment_id: uuid.UUID, *,
                scores: Mapping[uuid.UUID, tuple[int, str]]) -> list[Score]:
    """Save points (0 to 5) and a reason for some criteria; every earlier value is kept, an unchanged one adds nothing.

    Raises Refused when the reader may not score (any more), BadInput for points or a reason that are none.
    """
    reading = _may_score(actor, assignment_id)
    criteria = {c.id for c in queries.round_of(queries.sitting(reading.sitting_id)).criteria}
    saved, written = queries.saved_scores(assignment_id) if reading.scored else {}, []
    for criterion_id, (points, reason) in scores.items():
        if criterion_id not in criteria:
            raise NotFound("no such question")
        reason = _scored_well(points, reason)
        before = saved.get(criterion_id)
        if before is None or (before.points, before.reason) != (points, reason):
            written.append(Score(assignment_id=assignment_id, criterion_id=criterion_id, points=points, reason=reason,
                                 version=1 + (before.version if before else 0)))
    with said_plainly():
        session.add_all(written)
    if written:
        record_act(actor, "save_scores", "assignment", assignment_id, application_id=reading.application_id)
    return written


def _scored_well(points: int, reason: str) -> str:
    if points not in range(6):
        raise BadInput(_("Choose a number from 0 to 5."), field="points")
    reason = reason.strip()
    if not reason:
        raise BadInput(_("Say in a few words why."), field="reason")
    if len(reason) > rules.LONGEST_REASON:
        raise BadInput(_("Use at most %(most)s letters.", most=rules.LONGEST_REASON), field="reason")
    return reason


def lock_scores(actor: Actor, assignment_id: uuid.UUID) -> ScoreLock:
    """Lock one's scores: they stand from now on, and a seal of them is published. Refused while one is missing."""
    own = queries.own_reading(actor, assignment_id)
    if own[0].is_locked:
        return session.get_one(ScoreLock, assignment_id)
    reading = _to_score(*own)
    criteria = queries.round_of(queries.sitting(reading.sitting_id)).criteria
    saved = queries.saved_scores(assignment_id)
    refuse_if(rules.reasons_not_to_lock([c.id for c in criteria], saved.keys()))
    salt = secrets.token_bytes(32)
    text = rules.sealed_text(assignment_id, [(c.position, saved[c.id].points, saved[c.id].reason) for c in criteria])
    lock = ScoreLock(assignment_id=assignment_id, salt=salt, commitment=rules.seal(salt, text))
    with said_plainly():
        session.add(lock)
    record_act(actor, "lock_scores", "assignment", assignment_id, application_id=reading.application_id)
    append_later("scores_sealed", {"sitting": str(reading.sitting_id), "application": reading.reference,
                                   "seal": f"sha256:{lock.commitment.hex()}"},
                 idem_key=f"scores-sealed/{assignment_id}")
    return lock


def release_score(actor: Actor, assignment_id: uuid.UUID) -> ScoreRelease:
    """Let the panel go on without one's score. Where too few would be left another reader is found."""
    reading, stands = queries.own_reading(actor, assignment_id)
    if reading.is_released:
        return session.get_one(ScoreRelease, assignment_id)
    if reading.is_locked:
        raise Refused([Reason("locked", _("You locked your scores. They stand."))])
    if stands.is_closed:
        raise Refused(closed())
    released = ScoreRelease(assignment_id=assignment_id)
    with said_plainly():
        session.add(released)
    record_act(actor, "release_score", "assignment", assignment_id, application_id=reading.application_id)
    find_readers(reading.application_id)
    return released


def _may_score(actor: Actor, assignment_id: uuid.UUID) -> queries.Reading:
    return _to_score(*queries.own_reading(actor, assignment_id))


def _to_score(reading: queries.Reading, stands: queries.Standing) -> queries.Reading:
    refuse_if(rules.reasons_not_to_score(
        serving=stands.serves, consequence=stands.consequence, is_locked=reading.is_locked,
        is_released=reading.is_released, is_closed=stands.is_closed))
    if stands.has_stake:
        raise Refused([Reason("own_group", _("This is an application of your own group."))])
    return reading


def remind(now: datetime | None = None) -> int:
    """Send every reminder that is due before scoring closes; gives how many. Safe to run at any time and again.

    The worker calls it hourly. Two reminders, twelve hours apart at least, let a chair close over a reader who never
    came.
    """
    sent = 0
    for reading, when in queries.unfinished_readings():
        number = rules.reminder_due(now or clock.now(), reading.due_at, sent=when)
        if number is not None:
            session.add(ScoreReminder(assignment_id=reading.assignment_id, number=number))
            session.flush()
            record_act(SYSTEM, "remind_reader", "assignment", reading.assignment_id,
                       application_id=reading.application_id, number=number)
            seat = session.get_one(Seat, reading.seat_id)
            send("panel_reminder", key=f"reminder/{reading.assignment_id}/{number}", person_id=seat.person_id,
                 reference=reading.reference, due=reading.due_at.isoformat(), path=interest_page(reading.reference))
            sent += 1
    return sent
