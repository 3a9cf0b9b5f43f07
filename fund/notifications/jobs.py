"""Work for later: sending letters."""

import uuid

from fund.notifications import actions
from fund.queue import job


@job("notifications.send")
def send(message_id: str) -> None:
    """Hand one letter to the mail server; run twice, it goes once."""
    actions.deliver(uuid.UUID(message_id))
