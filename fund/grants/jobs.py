"""Work for later with grants: making offers after a sitting, reminding of them, letting them lapse."""

import uuid

from fund import queue
from fund.grants import actions
from fund.kernel import clock


@queue.job("grants.make_offers")
def make_offers(sitting_id: str) -> None:
    """Offer what a sitting awarded."""
    actions.make_offers(uuid.UUID(sitting_id))


@queue.job("grants.look_after_offers", every_seconds=3600)
def look_after_offers() -> None:
    """Remind groups of offers that lapse soon, and end those whose last day is over."""
    actions.remind_of_offers(clock.today())
    actions.lapse_offers(clock.today())
