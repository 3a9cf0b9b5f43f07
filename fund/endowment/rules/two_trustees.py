"""What takes two trustees: one proposes, and another, who is a trustee too, agrees. Pure.

A recovery plan, a change of the reserve and a year's limit all ask here. Each table has the same as a constraint
(`ck_plan_two_trustees`, `ck_reserve_two_trustees`, `ck_limit_two_trustees`).
"""

import uuid

from fund.kernel.reasons import Reason
from fund.kernel.words import _


def reasons_not_to_second(proposed_by: uuid.UUID, person_id: uuid.UUID | None, own: str = "") -> list[Reason]:
    """Give the reason why this trustee may not agree to what a trustee proposed, if it is their own; `own` says so in
    words of its own."""
    if person_id != proposed_by:
        return []
    return [Reason("same_trustee", own or _("You proposed this. Another trustee has to approve it."))]


def reasons_ended(proposed_by: uuid.UUID, person_id: uuid.UUID | None, ended_by: uuid.UUID | None) -> list[Reason]:
    """Give the reason why nobody may agree to a proposal that has ended (`pk_proposal_settled` in the database), in
    words for this trustee."""
    if ended_by is None:
        return []
    if ended_by == proposed_by:
        words = _("You took this back.") if ended_by == person_id else _("Whoever proposed this took it back.")
    else:
        words = _("You turned this down.") if ended_by == person_id else _("Another trustee turned this down.")
    return [Reason("ended", words)]


def reasons_not_to_end_proposal(is_agreed: bool) -> list[Reason]:
    """Give the reason why a proposal may not be taken back or turned down (`pk_proposal_settled` in the database)."""
    return [Reason("agreed", _("Two trustees agreed to this already."))] if is_agreed else []
