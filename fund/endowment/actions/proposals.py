"""The end of what waits for a second trustee."""

import uuid

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.models import ProposalEnd
from fund.endowment.queries import Kind, Proposal
from fund.endowment.rules.given import trustee
from fund.kernel.actor import Actor
from fund.kernel.errors import refuse_if
from fund.transparency.actions import record_act


def end_proposal(actor: Actor, kind: Kind, proposal_id: uuid.UUID) -> Proposal:
    """Take back what one proposed, or turn down what another trustee did: nobody can agree to it any more. It can be
    proposed again. What one has ended stays as it is. Raises NotFound, and Refused where two agreed to it already or
    somebody else has ended it."""
    ended_by = trustee(actor)
    found = to_be_settled(kind, proposal_id)
    if found.ended_by == ended_by:
        return found
    refuse_if(rules.reasons_ended(found.proposed_by, ended_by, found.ended_by)
              or rules.reasons_not_to_end_proposal(found.is_agreed))
    session.add(ProposalEnd(kind=kind, proposal_id=proposal_id, ended_by=ended_by))
    record_act(actor, "end_proposal", "proposal", proposal_id, kind=kind)
    return found


def to_be_settled(kind: Kind, proposal_id: uuid.UUID) -> Proposal:
    """A proposal as it stands once nobody else is about to agree to it or to end it; so it stays until the transaction
    ends. Raises NotFound."""
    queries.wait_for_proposal(proposal_id)
    return queries.proposal(kind, proposal_id)
