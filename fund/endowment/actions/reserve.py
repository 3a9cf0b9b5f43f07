"""The reserve for owners of dormant money who come forward: switched on or off, paid from, topped up and released."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.actions.proposals import to_be_settled
from fund.endowment.models import (
    ReclaimPayment,
    ReclaimPaymentEnd,
    ReclaimReservePolicy,
    ReserveChange,
    ReserveChangeApproval,
)
from fund.endowment.rules.given import allow, key, same, text, trustee
from fund.kernel import clock, ids
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, NotFound, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency.actions import append, record_act


def switch_reserve(actor: Actor, *, is_on: bool) -> ReclaimReservePolicy:
    """Switch the reserve on or off, in public. Money that is set by stays until two trustees release it."""
    allow(actor, rules.SPENDERS)
    row = ReclaimReservePolicy(id=ids.new_id(), is_on=is_on, decided_by=actor.person_id, leaf_id=ids.new_id())
    session.add(row)
    record_act(actor, "switch_reserve", "reclaim_reserve_policy", row.id, is_on=is_on)
    append("reclaim_reserve_policy", {"reserve": "on" if is_on else "off", "capacity": actor.capacity.value},
           idem_key=f"reclaim_reserve/{row.id}", leaf_id=row.leaf_id)
    return row


def pay_owner(actor: Actor, *, amount_pence: int, agreed_on: date, reference: str) -> ReclaimPayment:
    """Keep aside what an owner is to be paid back, through the institution that held the money.

    `reference` is the institution's: nothing here names the owner. The same reference and payment again gives the one
    that stands. Raises Refused where the reserve is off or holds less.
    """
    allow(actor, rules.KEEPERS)
    reference = text(reference, "reference")
    given = {"amount_pence": amount_pence, "agreed_on": agreed_on}
    found = session.scalars(sa.select(ReclaimPayment).where(ReclaimPayment.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given)
    refuse_if(rules.reasons_not_yet(agreed_on, clock.today()) + rules.reasons_not_to_pay_owner(
        amount_pence, balances.available_pence(accounts.RECLAIM_RESERVE), queries.reserve_is_on()))
    payment = ReclaimPayment(id=ids.new_id(), reference=reference, entry_id=ids.new_id(), **given)
    session.add(payment)
    record_act(actor, "pay_owner", "reclaim_payment", payment.id, amount_pence=amount_pence)
    ledger.post("reclaim_paid", accounts.reclaim_paid(amount_pence), effective_on=agreed_on,
                idem_key=key("reclaim", reference), entry_id=payment.entry_id, params={"reference": reference})
    return payment


def end_payment(actor: Actor, reference: str, *, is_paid: bool, ended_on: date) -> ReclaimPaymentEnd:
    """The payment to an owner was made, or will not be: what was kept aside has moved, or is free again."""
    allow(actor, rules.KEEPERS)
    payment = session.scalars(sa.select(ReclaimPayment).where(
        ReclaimPayment.reference == reference.strip())).one_or_none()
    if payment is None:
        raise NotFound(f"no payment {reference}")
    found = session.get(ReclaimPaymentEnd, payment.id)
    if found is not None and (found.is_paid, found.ended_on) == (is_paid, ended_on):
        return found
    refuse_if(rules.reasons_not_yet(ended_on, clock.today()) + rules.reasons_not_to_end_payment(found is not None))
    end = ReclaimPaymentEnd(payment_id=payment.id, is_paid=is_paid, ended_on=ended_on, entry_id=ids.new_id())
    session.add(end)
    record_act(actor, "end_payment", "reclaim_payment", payment.id, is_paid=is_paid)
    resolve: Callable[[Sequence[accounts.Pending]], list[accounts.Line]] = (
        accounts.post_pending if is_paid else accounts.void_pending)
    ledger.post("reclaim_paid", resolve(balances.pending_lines(payment.entry_id)), effective_on=ended_on,
                idem_key=key("reclaim ended", payment.reference), entry_id=end.entry_id, relates_to=[payment.entry_id])
    return end


def propose_reserve_change(actor: Actor, *, kind: str, amount_pence: int) -> ReserveChange:
    """Propose to set return by for owners (`top_up`), or to make capital of what is not needed (`release`)."""
    proposed_by = trustee(actor)
    if kind not in {"top_up", "release"}:
        raise BadInput(_("Choose one of the answers."), field="kind")
    refuse_if(_reasons(kind, amount_pence))
    change = ReserveChange(id=ids.new_id(), kind=kind, amount_pence=amount_pence, proposed_by=proposed_by)
    session.add(change)
    record_act(actor, "propose_reserve_change", "reserve_change", change.id, amount_pence=amount_pence)
    return change


def approve_reserve_change(actor: Actor, change_id: uuid.UUID) -> ReserveChangeApproval:
    """Approve another trustee's proposal: the money moves. Raises Refused for one's own, and where it is not there."""
    approved_by = trustee(actor)
    change = session.get(ReserveChange, change_id)
    if change is None:
        raise NotFound
    proposal = to_be_settled("reserve", change_id)
    refuse_if(rules.reasons_ended(change.proposed_by, approved_by, proposal.ended_by)
              or rules.reasons_not_to_approve_change(change.proposed_by, approved_by, proposal.is_agreed))
    refuse_if(_reasons(change.kind, change.amount_pence))
    ledger.open_standing_accounts()
    ledger.open_account(accounts.RECLAIM_RESERVE, name="Set by for reclaims")
    row = ReserveChangeApproval(change_id=change.id, approved_by=approved_by, entry_id=ids.new_id())
    session.add(row)
    session.flush()  # the database says when it was approved, and the entry is of that day
    record_act(actor, "approve_reserve_change", "reserve_change", change.id, amount_pence=change.amount_pence)
    lines = (accounts.reclaim_reserve_top_up if change.kind == "top_up" else accounts.reclaim_reserve_release)(
        change.amount_pence)
    ledger.post(f"reclaim_reserve_{change.kind}", lines, effective_on=row.approved_at.astimezone(clock.LONDON).date(),
                idem_key=f"reserve_change/{change.id}", entry_id=row.entry_id, params={"trustees": 2})
    return row


def _reasons(kind: str, amount_pence: int) -> list[Reason]:
    return rules.reasons_not_to_change_reserve(
        kind, amount_pence, balances.available_pence(accounts.UNAPPLIED_RETURN),
        balances.available_pence(accounts.RECLAIM_RESERVE), queries.reserve_is_on())
