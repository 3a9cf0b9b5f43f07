"""Work for later of the part `panels`."""

import uuid

from fund.panels import actions
from fund.queue import job


@job("panels.put_before_the_panel")
def put_before_the_panel(application_id: str) -> None:
    """Put an eligible application before its panel."""
    actions.put_before_the_panel(uuid.UUID(application_id))


@job("panels.remind", every_seconds=3600)
def remind() -> None:
    """Send the reminders that are due to readers."""
    actions.remind()
