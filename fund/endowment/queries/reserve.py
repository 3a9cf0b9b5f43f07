"""The reserve for owners who come forward: whether there is one, and the changes that wait for a second trustee."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from fund.db import session
from fund.endowment.models import ReclaimReservePolicy, ReserveChange, ReserveChangeApproval
from fund.endowment.queries.proposals import has_ended
from fund.kernel.errors import NotFound
from fund.ledger import queries as ledger
from fund.ledger import rules as accounts


def reserve_is_on() -> bool:
    """Whether trustees switched the reserve on, and not off again."""
    newest = session.execute(sa.select(ReclaimReservePolicy.is_on).order_by(
        ReclaimReservePolicy.decided_at.desc(), ReclaimReservePolicy.id).limit(1)).scalar_one_or_none()
    return bool(newest)


def reserve_pence() -> int:
    """What is set by for owners and not kept aside for one of them."""
    return ledger.available_pence(accounts.RECLAIM_RESERVE)


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """A change of the reserve that a trustee proposed, and whether another approved it."""

    id: uuid.UUID
    kind: str
    amount_pence: int
    proposed_by: uuid.UUID
    approved: bool


_CHANGES = sa.select(
    ReserveChange.id, ReserveChange.kind, ReserveChange.amount_pence, ReserveChange.proposed_by,
    ReserveChangeApproval.change_id.is_not(None),
).outerjoin(ReserveChangeApproval, ReserveChangeApproval.change_id == ReserveChange.id)


def proposed_change(change_id: uuid.UUID) -> ProposedChange:
    """One change of the reserve. Raises NotFound."""
    row = session.execute(_CHANGES.where(ReserveChange.id == change_id)).one_or_none()
    if row is None:
        raise NotFound
    return ProposedChange(*row)


def proposed_changes() -> list[ProposedChange]:
    """The changes of the reserve that wait for a second trustee, the oldest first."""
    rows = session.execute(_CHANGES.where(
        ReserveChangeApproval.change_id.is_(None), ~has_ended("reserve", ReserveChange.id),
    ).order_by(ReserveChange.proposed_at, ReserveChange.id))
    return [ProposedChange(*row) for row in rows]
