"""Taking turns: whoever changes a year's limit or a holding waits for whoever does it already.

The tables' triggers take the same locks. Taken here first, before anything is written to the log: whoever writes to it
holds the log until the transaction ends, and two who took the two locks in different order would wait for each other.
"""

import uuid

import sqlalchemy as sa

from fund.db import session

_WAIT = sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))")


def wait_for_year(financial_year: str) -> None:
    """Wait until nobody else chooses the rule or sets the limit of a year, and keep it until the transaction ends."""
    session.execute(_WAIT, {"name": f"endowment/{financial_year}"})


def wait_for_proposal(proposal_id: uuid.UUID) -> None:
    """Wait until nobody else agrees to a proposal or ends it, and keep it until the transaction ends: whoever comes
    second reads what became of it, before `pk_proposal_settled` would refuse them."""
    session.execute(_WAIT, {"name": f"proposal/{proposal_id}"})


def wait_for_holding(holding_id: uuid.UUID) -> None:
    """Wait until nobody else trades in a holding or values it, and keep it until the transaction ends."""
    session.execute(_WAIT, {"name": f"holding/{holding_id}"})
