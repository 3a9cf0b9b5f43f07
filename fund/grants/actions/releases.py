"""Releasing a stage, and what became of it at the bank."""

import uuid
from collections.abc import Collection
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund.db import session
from fund.grants import queries
from fund.grants.actions.asked import in_capacity, said_plainly, tell
from fund.grants.models import (
    Release,
    ReleaseEnd,
    ReleaseStep,
)
from fund.grants.queries import GrantRow
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import Broken, Forbidden, NotFound, Stale, refuse_if
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as ledger_queries
from fund.ledger import rules as entries
from fund.people import queries as people
from fund.transparency.actions import record_act


def approve_release(actor: Actor, stage_id: uuid.UUID, *, effective_on: date | None = None) -> Release:
    """Approve that a stage is paid: mint its reference to the bank and reserve its money, in one step.

    Raises Refused with every reason; Stale, naming who and when, when another approver was first.
    """
    approver = in_capacity(actor, Capacity.APPROVER)
    grant = queries.grant_of_stage(stage_id)
    stage = grant.stage(stage_id)
    refuse_if(queries.reasons_not_to_release(approver, grant, stage))
    if grant.payee is None or stage.evidence_id is None:
        raise Broken("a stage without payee or evidence has no reason against it")
    release = Release(
        id=ids.new_id(), stage_id=stage_id, attempt=stage.attempt + 1, evidence_id=stage.evidence_id,
        end_to_end_id=ids.new_reference("LUCF", 12).replace("-", ""), amount_pence=stage.amount_pence,
        payee_id=grant.payee.id, bank_account_id=grant.payee.bank_account_id, approved_by=approver,
        entry_id=ids.new_id())
    with said_plainly(lambda: _approved_first(stage_id)):
        session.add(release)
        session.flush()
    record_act(actor, "approve_release", "stage", stage_id, application_id=grant.application_id,
               amount_pence=stage.amount_pence, attempt=release.attempt)
    ledger.post("stage_release", entries.stage_release(grant.reference, [stage.amount_pence]),
                effective_on=effective_on or clock.today(), idem_key=f"stage-release/{release.id}",
                entry_id=release.entry_id, grant=grant.reference, area=grant.place_code)
    return release


def _approved_first(stage_id: uuid.UUID) -> Stale | None:
    """Who approved the stage while this person looked at it."""
    won = session.scalars(sa.select(Release).where(Release.stage_id == stage_id)
                          .order_by(Release.attempt.desc()).limit(1)).one_or_none()
    if won is None:
        return None
    name = people.names_of([won.approved_by]).get(won.approved_by, "")
    return Stale(_("%(name)s approved this payment at %(time)s. It is paid once, so nothing was added.", name=name,
                   time=won.approved_at.astimezone(clock.LONDON).strftime("%H:%M:%S")), theirs=won.id)


def withdraw_release(actor: Actor, release_id: uuid.UUID) -> ReleaseEnd:
    """Take back a payment that was approved and is in no authorised batch: the stage can be approved again."""
    if actor.capacity not in {Capacity.APPROVER, Capacity.AUTHORISER}:
        raise Forbidden
    return _end_release(actor, release_id, "withdrawn", "payment_failed", booked_on=clock.today())


def record_step(release_ids: Collection[uuid.UUID], step: str) -> None:
    """Note how far these payments have come, for their groups to follow: in_batch, authorised, sent, …"""
    if release_ids:
        session.execute(postgresql.insert(ReleaseStep).values(
            [{"release_id": release_id, "step": step} for release_id in release_ids]).on_conflict_do_nothing())


def wait_for_releases(release_ids: Collection[uuid.UUID]) -> None:
    """Wait until nobody else ends one of these payments; asked before the first of several is ended.

    Whoever ends a payment holds the log from then on. Were the next one waited for only then, somebody could hold that
    and wait for the log. So all are taken first, and in one order whatever the order in which the bank names them.
    """
    if release_ids:
        session.execute(sa.select(sa.func.wait_for_releases(sa.cast(list(release_ids), postgresql.ARRAY(sa.Uuid)))))


def record_settled(release_id: uuid.UUID, *, booked_on: date, bank_reference: str) -> ReleaseEnd:
    """The bank booked the payment: it is paid. Only after a statement line is matched to it. Again does nothing."""
    return _end_release(SYSTEM, release_id, "settled", "stage_paid", booked_on=booked_on,
                        bank_reference=bank_reference)


def record_refused(release_id: uuid.UUID, *, reason: str, booked_on: date) -> ReleaseEnd:
    """The bank would not make the payment: its money is on the grant again. Again does nothing."""
    return _end_release(SYSTEM, release_id, "refused", "payment_failed", booked_on=booked_on, bank_reason=reason)


def record_returned(release_id: uuid.UUID, *, booked_on: date, bank_reference: str, reason: str = "") -> ReleaseEnd:
    """A settled payment came back: its money is on the grant again, and the group gives another account."""
    return _end_release(SYSTEM, release_id, "returned", "payment_returned", booked_on=booked_on,
                        bank_reference=bank_reference, bank_reason=reason)


def _end_release(actor: Actor, release_id: uuid.UUID, kind: str, entry_kind: str, *, booked_on: date,
                 bank_reference: str = "", bank_reason: str = "") -> ReleaseEnd:
    release = session.get(Release, release_id)
    if release is None:
        raise NotFound("no such release")
    standing = {end.kind: end for end in session.scalars(
        sa.select(ReleaseEnd).where(ReleaseEnd.release_id == release_id).order_by(ReleaseEnd.recorded_at))}
    if kind in standing:
        return standing[kind]
    grant = queries.grant_of_stage(release.stage_id)
    end = ReleaseEnd(id=ids.new_id(), release_id=release_id, kind=kind, bank_reason=bank_reason,
                     bank_reference=bank_reference, booked_on=booked_on, entry_id=ids.new_id())
    with said_plainly():
        session.add(end)
        session.flush()
    record_act(actor, f"payment_{kind}", "stage", release.stage_id, application_id=grant.application_id,
               amount_pence=release.amount_pence, attempt=release.attempt)
    if kind == "returned":
        lines = entries.payment_returned(grant.reference, release.amount_pence)
        relates_to = standing["settled"].entry_id
    else:
        pending = ledger_queries.pending_lines(release.entry_id)
        lines = entries.post_pending(pending) if kind == "settled" else entries.void_pending(pending)
        relates_to = release.entry_id
    # The bank may tell late of a day in the closed books: the row keeps its day, the entry takes the first open one.
    posted = ledger.post(entry_kind, lines, effective_on=ledger_queries.first_open_day(booked_on),
                         idem_key=f"{entry_kind}/{release_id}", entry_id=end.entry_id, relates_to=[relates_to],
                         grant=grant.reference, area=grant.place_code)
    _tell_of_end(grant, release, end, posted.seq)
    return end


def _tell_of_end(grant: GrantRow, release: Release, end: ReleaseEnd, entry: int) -> None:
    if end.kind == "withdrawn":
        return
    number = grant.stage(release.stage_id).number
    about = {"reference": grant.reference, "stage": number, "amount_pence": release.amount_pence,
             "booked_on": end.booked_on.isoformat(), "bank_reference": end.bank_reference, "entry": entry}
    template = "stage_paid" if end.kind == "settled" else "payment_returned"
    if template == "payment_returned":
        about |= {"reason": end.bank_reason, "was_paid": end.kind == "returned"}
    tell(template, grant.organisation_id, key=f"{end.kind}/{release.id}", **about)
