"""Reading the ledger: `amounts`, `entries`, and `fsck`, which replays all of it and says what is wrong."""

from fund.ledger.queries.amounts import (
    Balance,
    all_balances,
    available_pence,
    balance_as_effective,
    balance_as_recorded,
    balance_of,
    balances,
)
from fund.ledger.queries.entries import LineRow, lines_of, pending_lines

__all__ = ["Balance", "LineRow", "all_balances", "available_pence", "balance_as_effective", "balance_as_recorded",
           "balance_of", "balances", "lines_of", "pending_lines"]
