"""Work for later of the part `decisions`."""

import uuid

from fund.decisions import actions
from fund.queue import job


@job("decisions.tell_applicants")
def tell_applicants(sitting_id: str) -> None:
    """Write to every group of a closed sitting."""
    actions.tell_applicants(uuid.UUID(sitting_id))
