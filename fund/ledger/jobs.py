"""Work for later of the part `ledger`."""

from fund import queue
from fund.ledger import actions


@queue.job("ledger.snapshots", every_seconds=3_600)
def take_snapshots() -> None:
    """Keep the balances that moved, every ten thousand places of the log."""
    actions.take_snapshots()


@queue.job("ledger.balances", every_seconds=300)
def publish_balances() -> None:
    """Publish what every account holds, at each doubling of the log."""
    actions.publish_balances()
