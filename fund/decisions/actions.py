"""Deciding: members take part, the panel's reasons are agreed, the chair closes the sitting.

All of it acts from a seat, in the database role `fund_panel`. `close_sitting` writes what `rules.decide` gives and
nothing else; the triggers of migration 0009 work it out again and refuse any other row.
"""

import uuid
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund import queue
from fund.applications import queries as applications
from fund.db import session
from fund.decisions import queries, rules
from fund.decisions.models import AgreedReason, Attendance, AwardTakenUp, Decision
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.panels import actions as panels_actions
from fund.panels import queries as panels
from fund.panels import rules as panels_rules
from fund.panels.actions import closed, said_plainly
from fund.panels.models import Seat, Sitting, SittingClose, SittingSeed
from fund.settings import settings
from fund.transparency.actions import append_later, record_act


def join(actor: Actor, sitting_id: uuid.UUID) -> Attendance:
    """Take part in a sitting's decision, from one's own seat. Again does nothing.

    Raises Refused until the member said of every application if anything ties them to it, and once it is closed.
    """
    seat = _seat(actor, sitting_id)
    before = queries.before_joining(sitting_id, seat.id)
    if before.takes_part:
        return session.get_one(Attendance, (sitting_id, seat.id))
    refuse_if(_reasons_not_to_join(seat, before))
    attendance = Attendance(sitting_id=sitting_id, seat_id=seat.id)
    with said_plainly():
        session.add(attendance)
    record_act(actor, "join_decision", "sitting", sitting_id)
    return attendance


def _reasons_not_to_join(seat: Seat, before: queries.BeforeJoining) -> list[Reason]:
    if before.is_closed:
        return closed()
    reasons = []
    if not panels_rules.serves(panels.facts_of(seat), clock.today()):
        reasons.append(Reason("not_serving", _("Your seat is not serving now, so it cannot decide.")))
    if before.has_to_say:
        reasons.append(Reason("say_first", _("First say of every application if you know anyone behind it.")))
    return reasons


def agree_reasons(actor: Actor, application_id: uuid.UUID, reasons: Mapping[uuid.UUID, str]) -> list[AgreedReason]:
    """Write down the panel's reason for some criteria of an application; an unchanged one adds nothing.

    The chair does, or another member where the chair is kept out of it. Raises Refused until its readers are done.
    """
    before = panels.before_a_panel(application_id)
    stands = panels.standing(actor, application_id)
    _may_agree(stands, application_id)
    if stands.is_closed:
        raise Refused(closed())
    criteria = {c.id for c in panels.round_of(panels.sitting(before.sitting_id)).criteria}
    stand, written = queries.agreed_reasons(application_id), []
    for criterion_id, words in reasons.items():
        if criterion_id not in criteria:
            raise NotFound("no such question")
        said, old = _worded(words), stand.get(criterion_id)
        if old is None or old.reason != said:
            written.append(AgreedReason(application_id=application_id, criterion_id=criterion_id, reason=said,
                                        seat_id=stands.seat.id, version=1 + (old.version if old else 0)))
    with said_plainly():
        session.add_all(written)
    if written:
        record_act(actor, "agree_reasons", "application", application_id, application_id=application_id)
    return written


def _may_agree(stands: panels.Standing, application_id: uuid.UUID) -> None:
    """Raise Forbidden for whoever does not write the panel's reasons, Refused while readers still score."""
    if stands.consequence is None:
        raise Refused([Reason("say_first", _("First say if you know anyone behind this application."))])
    if stands.consequence not in panels_rules.MAY_SCORE:
        raise Forbidden
    if not stands.seat.is_chair:
        chair = panels.chair_of(stands.seat.panel_id)
        if chair is not None and panels.consequence_of(application_id, chair.id) not in panels_rules.RECUSED:
            raise Forbidden
    if not queries.is_revealed(application_id):
        raise Refused([Reason("still_scoring", _("Its readers are not done. Their scores open when the last one is."))])


def _worded(words: str) -> str:
    words = words.strip()
    if not words:
        raise BadInput(_("Write the panel’s reason in a sentence or two."), field="reason")
    if len(words) > rules.LONGEST_REASON:
        raise BadInput(_("Use at most %(most)s letters.", most=rules.LONGEST_REASON), field="reason")
    return words


def close_sitting(actor: Actor, sitting_id: uuid.UUID) -> list[Decision]:
    """Close a sitting: reveal the lot's seed and write one decision an application, as the published rule gives it.

    One transaction, the chair's. It asks for the applicants to be told and for offers to be made, and opens the next
    sitting of a round that is always open. Raises Forbidden for anybody but the chair, Refused with every reason why
    the sitting cannot close now.
    """
    seat = _seat(actor, sitting_id)
    if not seat.is_chair:
        raise Forbidden
    with said_plainly():
        session.execute(sa.text("SELECT sitting_is_open(:id, true)").bindparams(id=sitting_id))
    sitting = panels.sitting(sitting_id)
    ready = queries.ready_sitting(sitting)
    refuse_if(ready.reasons_not_to_close())
    seed = session.scalars(sa.select(SittingSeed.seed).where(SittingSeed.sitting_id == sitting_id)).one()
    close = SittingClose(sitting_id=sitting_id, closed_by=seat.id, seed=seed, available_pence=ready.available_pence,
                         rule_version=rules.RULE_VERSION)
    results = ready.decide(close.available_pence, seed)
    with said_plainly():
        session.add(close)
    decisions = _write(ready, results)
    record_act(actor, "close_sitting", "sitting", sitting_id, decisions=len(decisions))
    _publish(sitting, close, decisions, results)
    queue.ask("decisions.tell_applicants", key=f"tell-applicants/{sitting_id}", sitting_id=str(sitting_id))
    queue.ask("grants.make_offers", key=f"make-offers/{sitting_id}", sitting_id=str(sitting_id))
    if ready.round.closes_at is None:
        panels_actions.open_sitting(SYSTEM, sitting.round_id)
    return decisions


def _write(ready: queries.ReadySitting, results: list[rules.Result]) -> list[Decision]:
    """Write the decisions in one statement: the trigger looks at all of them at once."""
    applications_by = {each.reference: each for each in ready.applications}
    session.execute(sa.insert(Decision).values([{
        "id": ids.new_id(), "application_id": applications_by[r.reference].application_id,
        "sitting_id": ready.sitting.id, "outcome": r.outcome.value, "score_tenths": r.score_tenths, "rank": r.rank,
        "amount_pence": r.amount_pence, "present": applications_by[r.reference].deciding.present,
        "residents": applications_by[r.reference].deciding.residents, "leaf_id": ids.new_id()} for r in results]))
    return queries.decisions_of(ready.sitting.id)


def _publish(sitting: Sitting, close: SittingClose, decisions: list[Decision], results: list[rules.Result]) -> None:
    about = panels.round_of(sitting)
    append_later("sitting_closed", {
        "sitting": str(sitting.id), "round": about.reference, "area": about.neighbourhood_code,
        "seed": close.seed.hex(), "rule_version": close.rule_version, "available": str(close.available_pence),
        "decisions": len(decisions),
    }, idem_key=f"sitting-closed/{sitting.id}")
    for decision, result in zip(decisions, results, strict=True):
        append_later("decision", {
            "sitting": str(sitting.id), "decision": str(decision.id), "application": result.reference,
            "area": about.neighbourhood_code, "score_tenths": result.score_tenths, "rank": result.rank,
            "outcome": result.outcome.value, "amount": str(result.amount_pence), "rule_version": close.rule_version,
        }, idem_key=f"decision/{decision.application_id}", leaf_id=decision.leaf_id)


def tell_applicants(sitting_id: uuid.UUID) -> None:
    """Write to whoever sent each application of a closed sitting: the outcome, the panel's reasons, what comes next.

    The job that closing asks for; a letter is written once, however often this runs. No member's name or words are in
    it. Raises Broken where a reason is missing: no group is ever told no without one (invariant 10).
    """
    for decision in queries.decisions_of(sitting_id):
        how = queries.how_it_was_decided(decision.id)
        to = applications.submission_of(decision.application_id)
        send(f"decision_{decision.outcome}", key=f"decision/{decision.id}", person_id=to.submitted_by,
             reference=how.reference, place=how.place, asked_pence=how.asked_pence,
             amount_pence=decision.amount_pence, path=f"/applications/{how.reference}/decision",
             reasons=[{"name": each.name, "reason": each.reason} for each in how.criteria],
             help_phone=settings().help_phone)
        record_act(SYSTEM, "tell_applicant", "decision", decision.id, application_id=decision.application_id)


def mark_taken_up(decision_id: uuid.UUID) -> None:
    """Say that an award was offered as a grant: the ledger holds its money from now on. Again does nothing."""
    session.execute(postgresql.insert(AwardTakenUp).values(decision_id=decision_id).on_conflict_do_nothing())


def _seat(actor: Actor, sitting_id: uuid.UUID) -> Seat:
    """The actor's own seat on the panel of a sitting. Raises NotFound for anybody who is not of it."""
    return panels.own_seat(actor, panels.panel_of_sitting(sitting_id).id)
