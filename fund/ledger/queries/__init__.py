"""Reading the ledger: `amounts`, `entries`, and `fsck`, which replays all of it and says what is wrong."""

from fund.ledger.queries.amounts import (
    Balance,
    ClassSum,
    accounts_of_class,
    all_balances,
    allocated_pence,
    available_pence,
    balance_as_effective,
    balance_as_recorded,
    balance_of,
    balances,
    class_sums,
    earlier_accounts,
    flows,
    largest_allocations,
    steps_of_a_pound,
)
from fund.ledger.queries.capital import capital_by_day
from fund.ledger.queries.entries import (
    Brief,
    LineRow,
    Movement,
    Shown,
    briefs,
    first_open_day,
    latest,
    lines_of,
    movements_of,
    newer_movements,
    pending_lines,
    posting_rules,
    relating_to,
    shown,
)
from fund.ledger.queries.find import finds_entries, found_by
from fund.ledger.queries.kinds import EntrySum, entries_of_kinds
from fund.ledger.queries.movements import Moved, moved_by_day
from fund.ledger.queries.named import WORDS, Named, Said, named, names_what_is_said
from fund.ledger.queries.replayed import balances_at

__all__ = [
    "WORDS", "Balance", "Brief", "ClassSum", "EntrySum", "LineRow", "Moved", "Movement", "Named", "Said", "Shown",
    "accounts_of_class", "all_balances", "allocated_pence", "available_pence", "balance_as_effective",
    "balance_as_recorded", "balance_of", "balances", "balances_at", "briefs", "capital_by_day", "class_sums",
    "earlier_accounts", "entries_of_kinds", "finds_entries", "first_open_day", "flows", "found_by",
    "largest_allocations", "latest", "lines_of", "moved_by_day", "movements_of", "named", "names_what_is_said",
    "newer_movements", "pending_lines", "posting_rules", "relating_to", "shown", "steps_of_a_pound",
]
