"""Changing panels: seats, sittings, readers, interests, scores and locks.

What a member says acts from their own seat: the transaction is in the role `fund_panel` as that person (the edge sees
to it), and the triggers of migration 0008 ask the same rules again. Nothing here changes a score once it is locked, and
nothing writes one for somebody else.
"""

import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.db import refusal, session
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.panels import queries, rules
from fund.panels.models import (
    Assignment,
    Interest,
    InterestRuling,
    Panel,
    Score,
    ScoreLock,
    ScoreRelease,
    ScoreReminder,
    Seat,
    Sitting,
    SittingApplication,
    SittingPot,
    SittingSeed,
)
from fund.panels.rules import Consequence, SeatOffer
from fund.rounds import queries as rounds
from fund.transparency.actions import append_later, record_act


@contextmanager
def said_plainly() -> Iterator[None]:
    """Flush what the block wrote; what lost a race against a closing or a double press is refused in words."""
    try:
        yield
        session.flush()
    except DBAPIError as error:
        _state, constraint = refusal(error)
        if constraint == "ck_sitting_open":
            raise Refused(closed()) from error
        if constraint == "ck_sitting_pot_before_scores":
            raise Refused([Reason("scored", _("Somebody has scored already, so the money of this sitting stays as it "
                                              "is."))]) from error
        if constraint in _SAID_TWICE:
            sentence = _("This was saved a moment ago. Open the page again to see it.")
            raise Refused([Reason("twice", sentence)]) from error
        raise


_SAID_TWICE = frozenset({
    "uq_interest_version", "ck_interest_next_version", "pk_interest_ruling", "uq_score_version",
    "ck_score_next_version", "pk_score_lock", "pk_score_release", "pk_attendance", "uq_agreed_reason_version",
    "ck_agreed_reason_next_version", "pk_sitting_close", "pk_sitting_pot", "uq_assignment",
    "ck_score_not_locked", "ck_score_not_released", "ck_interest_only_raised"})


def closed() -> list[Reason]:
    """Why nothing more can be said in a sitting that is over."""
    return [Reason("closed", _("The sitting is closed. Its decisions stand."))]


# Panels and seats


def constitute(actor: Actor, neighbourhood_id: uuid.UUID, seats: Sequence[SeatOffer]) -> Panel:
    """Make the panel of a neighbourhood and invite its members; each takes up the seat by accepting the code.

    Raises Refused for fewer than eight seats, residents in the minority, somebody twice, or not one chair.
    """
    refuse_if(rules.reasons_not_to_constitute(seats))
    panel = Panel(neighbourhood_id=neighbourhood_id)
    session.add(panel)
    session.flush()
    today = clock.today()
    for number, offer in enumerate(seats, 1):
        session.add(Seat(panel_id=panel.id, number=number, person_id=offer.person_id, is_resident=offer.is_resident,
                         is_chair=offer.is_chair, term_from=offer.term_from or today,
                         term_to=offer.term_to or today + timedelta(days=3 * 365)))
    session.flush()
    record_act(actor, "constitute_panel", "panel", panel.id, seats=len(seats))
    return panel


def record_training(actor: Actor, *seat_ids: uuid.UUID) -> None:
    """Write down that members were trained. Again does nothing."""
    if not session.scalar(sa.select(sa.func.count()).where(Seat.id.in_(seat_ids))) == len(seat_ids):
        raise NotFound("no such seat")
    trained = session.scalars(sa.update(Seat).where(Seat.id.in_(seat_ids), Seat.trained_at.is_(None))
                              .values(trained_at=clock.now()).returning(Seat.id)).all()
    for seat_id in sorted(trained):
        record_act(actor, "record_training", "seat", seat_id)


def accept_code(actor: Actor, seat_id: uuid.UUID) -> None:
    """Accept the code of conduct for one's own seat, and with it the seat. Again does nothing."""
    own = (Seat.id == seat_id, Seat.person_id == actor.person_id, Seat.ended_at.is_(None))
    if session.execute(sa.update(Seat).where(*own, Seat.code_accepted_at.is_(None))
                       .values(code_accepted_at=clock.now()).returning(Seat.id)).one_or_none():
        record_act(actor, "accept_code", "seat", seat_id)
    else:
        _own(actor, seat_id)


def give_up_seat(actor: Actor, seat_id: uuid.UUID) -> None:
    """Give up one's own seat; what was said from it stands."""
    seat = _own(actor, seat_id)
    seat.ended_at = clock.now()
    session.flush()
    record_act(actor, "give_up_seat", "seat", seat_id)


def _own(actor: Actor, seat_id: uuid.UUID) -> Seat:
    seat = session.get(Seat, seat_id)
    if seat is None or seat.person_id != actor.person_id or seat.ended_at is not None:
        raise NotFound("not your seat")
    return seat


# Sittings and readers


def open_sitting(actor: Actor, round_id: uuid.UUID, *, scoring_closes_at: datetime | None = None) -> Sitting:
    """Open the next sitting of a round: its deadline and the commitment to its lot are published now.

    `scoring_closes_at` is by default the round's scoring days after now, or after the round closes. The secret of the
    lot is written where only the panel's closing can read it. Raises Refused while a sitting of the round is open.
    """
    about = rounds.round(round_id)
    if queries.open_sitting_of(round_id) is not None:
        raise Refused([Reason("sitting_is_open", _("A sitting of this round is open."))])
    seed = secrets.token_bytes(32)
    number = 1 + (session.scalar(sa.select(sa.func.max(Sitting.number)).where(Sitting.round_id == round_id)) or 0)
    starts = max(clock.now(), about.closes_at or clock.now())
    sitting = Sitting(round_id=round_id, number=number, seed_commitment=rules.commitment(seed),
                      scoring_closes_at=scoring_closes_at or rules.scoring_deadline(starts, about.rules.scoring_days))
    session.add(sitting)
    session.flush()
    session.execute(sa.insert(SittingSeed).inline().values(sitting_id=sitting.id, seed=seed))
    record_act(actor, "open_sitting", "sitting", sitting.id)
    append_later("sitting_opened", {
        "sitting": str(sitting.id), "round": about.reference, "number": number, "area": about.neighbourhood_code,
        "seed_commitment": f"sha256:{sitting.seed_commitment.hex()}",
        "scoring_closes_at": sitting.scoring_closes_at.astimezone(clock.UTC).isoformat(),
    }, idem_key=f"sitting-opened/{sitting.id}")
    return sitting


def put_before_the_panel(application_id: uuid.UUID) -> None:
    """Put an eligible application into the open sitting of its round and give it its readers. Again does nothing.

    The job that an eligible check asks for. Opens the round's first sitting where none is open.
    """
    if session.get(SittingApplication, application_id) is not None:
        return
    round_id = queries.round_of_application(application_id)
    sitting = queries.open_sitting_of(round_id) or open_sitting(SYSTEM, round_id)
    session.add(SittingApplication(application_id=application_id, sitting_id=sitting.id,
                                   need_rank=queries.need_rank_of(application_id)))
    session.flush()
    record_act(SYSTEM, "put_before_panel", "sitting", sitting.id, application_id=application_id)
    find_readers(application_id)


def find_readers(application_id: uuid.UUID) -> list[Assignment]:
    """Give an application the readers that it lacks: those with least to read who have no known tie to it."""
    before = queries.before_a_panel(application_id)
    readings = queries.readings_of_application(application_id)
    about = queries.round_of(queries.sitting(before.sitting_id))
    wanted = rules.readers_wanted(
        scoring=sum(not r.is_settled for r in readings),
        finished=sum(r.is_locked and not r.is_recused for r in readings),
        released=sum(r.is_released for r in readings), readers=about.rules.readers)
    return _assign(application_id, before.sitting_id, wanted, already={reading.seat_id for reading in readings})


def find_another_reader(actor: Actor, application_id: uuid.UUID) -> Assignment:
    """Give an application one more reader, because it would else have too few scores. The chair's to ask for.

    Nobody chooses who: the rule does. Raises Refused when no member is left.
    """
    if not queries.standing(actor, application_id).seat.is_chair:
        raise Forbidden
    already = {reading.seat_id for reading in queries.readings_of_application(application_id)}
    found = _assign(application_id, queries.before_a_panel(application_id).sitting_id, 1, already=already)
    if not found:
        raise Refused([Reason("nobody_left", _("Every other member reads it already or is kept out."))])
    record_act(actor, "find_another_reader", "application", application_id, application_id=application_id)
    return found[0]


def _assign(application_id: uuid.UUID, sitting_id: uuid.UUID, how_many: int, *,
            already: Collection[uuid.UUID]) -> list[Assignment]:
    if not how_many:
        return []
    panel = queries.panel_of_sitting(sitting_id)
    said, loads, today = queries.consequences(sitting_id), queries.loads(sitting_id), clock.today()
    people = {seat.id: seat.person_id for seat in queries.seats_of(panel.id)
              if rules.serves(queries.facts_of(seat), today)
              and said.get((application_id, seat.id), Consequence.NONE) in rules.MAY_SCORE}
    tied = queries.with_a_stake(application_id, people.values())
    able = {seat_id: loads.get(seat_id, 0) for seat_id, person_id in people.items() if person_id not in tied}
    found = [Assignment(application_id=application_id, seat_id=seat_id)
             for seat_id in rules.readers_for(application_id, able, already=already, how_many=how_many)]
    session.add_all(found)
    with said_plainly():
        pass
    reference, due = queries.card_of(application_id).reference, queries.sitting(sitting_id).scoring_closes_at
    for assignment in found:
        record_act(SYSTEM, "assign_reader", "assignment", assignment.id, application_id=application_id)
        send("panel_to_read", key=f"to-read/{assignment.id}", person_id=people[assignment.seat_id],
             reference=reference, due=due.isoformat(), path=_interest_page(reference))
    return found


def _interest_page(reference: str) -> str:
    return f"/panel/applications/{reference}/interest"


def set_pot(actor: Actor, sitting_id: uuid.UUID, *, pot_pence: int) -> SittingPot:
    """Say how much of the panel's money goes into a sitting, before anybody scores; without it, all that is left does.

    The chair says it, once, and it is published. Saying the same again changes nothing. Raises Forbidden for anybody
    else, Refused when somebody has scored, BadInput for no money.
    """
    if pot_pence <= 0:
        raise BadInput(_("Write more than £0."), field="pot")
    seat = queries.own_seat(actor, queries.panel_of_sitting(sitting_id).id)
    refuse_if(_not_serving(serves=rules.serves(queries.facts_of(seat), clock.today())))
    if not seat.is_chair:
        raise Forbidden
    stands = session.get(SittingPot, sitting_id)
    if stands is not None:
        if stands.pot_pence != pot_pence:
            raise Refused([Reason("pot_set", _("The money of this sitting was set already, and stays as it is."))])
        return stands
    pot = SittingPot(sitting_id=sitting_id, pot_pence=pot_pence, set_by=seat.id)
    with said_plainly():
        session.add(pot)
    record_act(actor, "set_pot", "sitting", sitting_id, pot_pence=pot_pence)
    append_later("sitting_pot", {"sitting": str(sitting_id), "pot": str(pot_pence)},
                 idem_key=f"sitting-pot/{sitting_id}")
    return pot


# Interests


def declare_interest(actor: Actor, application_id: uuid.UUID, *, answer: str) -> Interest:
    """Say what ties one to an application, before or after reading it; the same answer again changes nothing.

    An interest that keeps the reader out excludes what they scored, and another reader is found. Raises Refused when it
    would lower an earlier one or the sitting is closed, BadInput for an answer that is none.
    """
    if answer not in rules.CONSEQUENCES:
        raise BadInput(_("Choose the sentence that fits best."), field="answer")
    stands = queries.standing(actor, application_id)
    seat, consequence = stands.seat, rules.CONSEQUENCES[answer]
    refuse_if(_not_serving(serves=stands.serves))
    if stands.said_last is not None and stands.said_last.answer == answer:
        return stands.said_last
    if stands.is_closed:
        raise Refused(closed())
    refuse_if(rules.reasons_not_to_declare(stands.consequence, consequence))
    interest = Interest(application_id=application_id, seat_id=seat.id, answer=answer, consequence=consequence.value,
                        version=1 + (stands.said_last.version if stands.said_last else 0))
    with said_plainly():
        session.add(interest)
    record_act(actor, "declare_interest", "interest", interest.id, application_id=application_id,
               consequence=consequence.value)
    if consequence in rules.RECUSED:
        find_readers(application_id)
    if consequence is Consequence.ASK:
        _ask_the_chair(seat, interest)
    return interest


def _ask_the_chair(seat: Seat, interest: Interest) -> None:
    """Write to whoever answers a doubt: the chair; on the chair's own, every other member."""
    reference = queries.card_of(interest.application_id).reference
    for other in queries.seats_of(seat.panel_id):
        if other.id != seat.id and (other.is_chair or seat.is_chair):
            send("panel_doubt", key=f"doubt/{interest.id}/{other.id}", person_id=other.person_id, reference=reference,
                 path=f"/panel/interests/{interest.id}/ruling")


def rule_on_interest(actor: Actor, interest_id: uuid.UUID, *, consequence: str) -> InterestRuling:
    """Answer a member's doubt. The chair does; on the chair's own doubt any other member. The same again is nothing.

    Raises Forbidden for anybody else, Refused when there is no doubt (any more), BadInput for a ruling that is none.
    """
    if consequence not in {ruling.value for ruling in rules.RULINGS}:
        raise BadInput(_("Choose what this means for them."), field="consequence")
    interest = session.get(Interest, interest_id)
    if interest is None:
        raise NotFound("no such interest")
    ruler = queries.standing(actor, interest.application_id)
    refuse_if(_not_serving(serves=ruler.serves))
    stands = session.get(InterestRuling, interest_id)
    if stands is not None and stands.consequence == consequence and stands.ruled_by == ruler.seat.id:
        return stands
    _may_rule(ruler, interest, already=stands is not None)
    ruling = InterestRuling(interest_id=interest_id, consequence=consequence, ruled_by=ruler.seat.id)
    with said_plainly():
        session.add(ruling)
    record_act(actor, "rule_on_interest", "interest", interest_id, application_id=interest.application_id,
               consequence=consequence)
    if Consequence(consequence) in rules.RECUSED:
        find_readers(interest.application_id)
    return ruling


def _may_rule(ruler: queries.Standing, interest: Interest, *, already: bool) -> None:
    of_seat = session.get(Seat, interest.seat_id)
    if of_seat is None or ruler.seat.id == of_seat.id or not (ruler.seat.is_chair or of_seat.is_chair):
        raise Forbidden
    newest = queries.newest_interest(interest.application_id, interest.seat_id)
    if already or interest.consequence != Consequence.ASK or newest is None or newest.id != interest.id:
        raise Refused([Reason("no_doubt", _("This was answered already, or they said something clearer since."))])
    if ruler.consequence in rules.RECUSED:
        raise Refused([Reason("recused", _("You have an interest in this application yourself."))])
    if ruler.is_closed:
        raise Refused(closed())


# Scores


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


def _not_serving(*, serves: bool) -> list[Reason]:
    if serves:
        return []
    return [Reason("not_serving", _(
        "Your seat is not serving now: accept the code of conduct and finish the training first."))]


# Reminders


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
                 reference=reading.reference, due=reading.due_at.isoformat(), path=_interest_page(reading.reference))
            sent += 1
    return sent
