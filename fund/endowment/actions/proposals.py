"""The end of what waits for a second trustee."""

import uuid

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.models import ProposalEnd
from fund.endowment.queries import Proposal
from fund.endowment.rules.given import trustee
from fund.kernel.actor import Actor
from fund.kernel.errors import refuse_if
from fund.transparency.actions import record_act


def end_proposal(actor: Actor, proposal_id: uuid.UUID) -> Proposal:
    """Take back what one proposed, or turn down what another trustee did: nobody can agree to it any more. It can be
    proposed again. One that has ended stays as it is. Raises NotFound, and Refused where two agreed to it already."""
    ended_by = trustee(actor)
    found = to_be_settled(proposal_id)
    if found.ended_by is not None:
        return found
    refuse_if(rules.reasons_not_to_end_proposal(found.is_agreed))
    session.add(ProposalEnd(proposal_id=proposal_id, ended_by=ended_by))
    record_act(actor, "end_proposal", "proposal", proposal_id, kind=found.kind)
    return found


def to_be_settled(proposal_id: uuid.UUID) -> Proposal:
    """A proposal as it stands once nobody else is about to agree to it or to end it; so it stays until the transaction
    ends. Raises NotFound."""
    queries.proposal(proposal_id)
    queries.wait_for_proposal(proposal_id)
    return queries.proposal(proposal_id)
