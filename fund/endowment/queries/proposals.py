"""What a trustee proposed, of any kind: whether another agreed to it, and whether it ended."""

import uuid
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from fund.db import session
from fund.endowment.models import ProposalEnd
from fund.kernel.errors import NotFound

Kind = Literal["limit", "plan", "reserve"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A limit, a recovery plan or a change of the reserve that a trustee proposed. A change of the reserve is of no
    year."""

    id: uuid.UUID
    kind: Kind
    financial_year: str
    proposed_by: uuid.UUID
    is_agreed: bool
    ended_by: uuid.UUID | None


_PROPOSAL = sa.text("""
SELECT p.id, p.kind, p.financial_year, p.proposed_by, p.is_agreed, e.ended_by FROM (
  SELECT p.id, 'limit' AS kind, p.financial_year, p.proposed_by,
         EXISTS (SELECT FROM spending_limit a WHERE a.proposal_id = p.id) AS is_agreed
  FROM limit_proposal p WHERE p.id = :id
  UNION ALL SELECT p.id, 'plan', p.financial_year, p.proposed_by,
         EXISTS (SELECT FROM recovery_plan_confirmation a WHERE a.plan_id = p.id)
  FROM recovery_plan p WHERE p.id = :id
  UNION ALL SELECT p.id, 'reserve', '', p.proposed_by,
         EXISTS (SELECT FROM reserve_change_approval a WHERE a.change_id = p.id)
  FROM reserve_change p WHERE p.id = :id) p
LEFT JOIN proposal_end e ON (e.kind, e.proposal_id) = (p.kind, p.id)
WHERE p.kind = :kind
""")


def proposal(kind: Kind, proposal_id: uuid.UUID) -> Proposal:
    """What a trustee proposed. Raises NotFound."""
    row = session.execute(_PROPOSAL, {"kind": kind, "id": proposal_id}).one_or_none()
    if row is None:
        raise NotFound
    return Proposal(*row)


def has_ended(kind: Kind, proposal_id: sa.orm.InstrumentedAttribute[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Whether a proposal was taken back or turned down: for the questions of others, by the column of its id."""
    return sa.exists().where(ProposalEnd.kind == kind, ProposalEnd.proposal_id == proposal_id)
