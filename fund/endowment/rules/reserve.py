"""What came in, and the reserve for owners who come forward: why one may not be recorded. Pure.

The reserve is off unless trustees switched it on: the reclaim fund that sends the money pays owners itself and carries
the risk (Dormant Bank and Building Society Accounts Act 2008; Dormant Assets Act 2022), so ours is prudence only.
"""

import uuid

from fund.endowment.rules.investments import MOST_PENCE
from fund.endowment.rules.two_trustees import reasons_not_to_second
from fund.kernel.money import pounds
from fund.kernel.reasons import Reason
from fund.kernel.words import _


def _amount(pence: int) -> list[Reason]:
    if type(pence) is int and 0 < pence <= MOST_PENCE:
        return []
    return [Reason("ck_transfer_amount", _("An amount is a whole number of pence, more than nothing."))]


def _off(is_on: bool) -> list[Reason]:
    return [] if is_on else [Reason("reclaim_reserve_off", _(
        "The fund keeps no reserve for owners. Trustees would have to switch it on first."))]


def reasons_not_to_receive(amount_pence: int, reclaim_pence: int, reserve_is_on: bool) -> list[Reason]:
    """Give every reason why a payment of dormant assets may not be recorded (`reclaim_reserve_off` of the table)."""
    reasons = _amount(amount_pence)
    if not reasons and not (type(reclaim_pence) is int and 0 <= reclaim_pence <= amount_pence):
        reasons.append(Reason("ck_tranche_reclaim", _("The part for reclaims cannot be more than the payment.")))
    return reasons + (_off(reserve_is_on) if reclaim_pence else [])


def reasons_not_to_pay_owner(amount_pence: int, available_pence: int, reserve_is_on: bool) -> list[Reason]:
    """Give every reason why an owner may not be paid from the reserve (`ck_balance_overdraft` of its account)."""
    reasons = _amount(amount_pence) + _off(reserve_is_on)
    if not reasons and amount_pence > available_pence:
        reasons.append(Reason("over_reserve", _("Only %(left)s is set by for owners.", left=pounds(available_pence))))
    return reasons


def reasons_not_to_end_payment(ended: bool) -> list[Reason]:
    """Give every reason why a payment to an owner may not be ended."""
    return [Reason("payment_ended", _("This payment was made or called off already."))] if ended else []


def reasons_not_to_change_reserve(kind: str, amount_pence: int, unapplied_pence: int, reserve_pence: int,
                                  reserve_is_on: bool) -> list[Reason]:
    """Give every reason why the reserve may not be topped up from return, or released to capital."""
    reasons = _amount(amount_pence) + (_off(reserve_is_on) if kind == "top_up" else [])
    there = unapplied_pence if kind == "top_up" else reserve_pence
    if not reasons and amount_pence > there:
        reasons.append(Reason("not_there", _("Only %(there)s is there for this.", there=pounds(there))))
    return reasons


def reasons_not_to_approve_change(proposed_by: uuid.UUID, person_id: uuid.UUID | None, approved: bool) -> list[Reason]:
    """Give every reason why this trustee may not approve a change of the reserve (`ck_reserve_two_trustees`)."""
    if approved:
        return [Reason("change_approved", _("This change is approved already."))]
    return reasons_not_to_second(proposed_by, person_id)
