"""The endowment's own rows held against the ledger: what moved without them, and what they say that did not move.

Since migration 0023 the database refuses each of these when a transaction ends. What is left is an owner who takes a
trigger away, and what was written before: as a limit that nobody worked out. That is found here and named.
"""

import hashlib
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from fund.db import session
from fund.endowment import rules
from fund.endowment.models import SpendingLimit
from fund.endowment.queries.holdings import holdings
from fund.endowment.queries.records import total_return
from fund.ledger import queries as ledger
from fund.ledger import rules as accounts
from fund.transparency import formats


class Problem(NamedTuple):
    """Something that should not be: a name for it, where, and a sentence."""

    code: str
    where: str
    sentence: str


#: Each row that stands for an entry: the entry's id, its kind and what it moved.
_ROWS = sa.text("""
SELECT entry_id, 'dormant_assets_receipt' AS kind, amount_pence FROM tranche
UNION ALL SELECT entry_id, kind, amount_pence FROM endowment_return
UNION ALL SELECT entry_id, 'spending_rule_set', amount_pence FROM spending_limit
UNION ALL SELECT entry_id, 'drawdown', amount_pence FROM drawdown
UNION ALL SELECT entry_id, 'operating_budget', amount_pence FROM running_cost_budget
UNION ALL SELECT entry_id, 'trade', amount_pence FROM holding_trade
UNION ALL SELECT e.entry_id, 'trade', t.amount_pence FROM holding_trade_end e JOIN holding_trade t ON t.id = e.trade_id
UNION ALL SELECT entry_id, 'reclaim_paid', amount_pence FROM reclaim_payment
UNION ALL SELECT e.entry_id, 'reclaim_paid', p.amount_pence FROM reclaim_payment_end e
          JOIN reclaim_payment p ON p.id = e.payment_id
UNION ALL SELECT a.entry_id, 'reclaim_reserve_' || c.kind, c.amount_pence FROM reserve_change_approval a
          JOIN reserve_change c ON c.id = a.change_id
ORDER BY 1""")

KINDS = frozenset({
    "dormant_assets_receipt", "investment_income", "bank_interest", "revaluation_gain", "revaluation_loss",
    "spending_rule_set", "drawdown", "operating_budget", "trade", "reclaim_paid", "reclaim_reserve_top_up",
    "reclaim_reserve_release"})


def check() -> tuple[int, list[Problem]]:
    """How many entries of the endowment there are, and everything that does not tie."""
    said: dict[uuid.UUID, tuple[str, int]] = {
        row.entry_id: (row.kind, row.amount_pence) for row in session.execute(_ROWS)}
    entries = ledger.entries_of_kinds(KINDS)
    return len(entries), [*_entries(entries, said), *_sums(), *_limits()]


def _entries(entries: list[ledger.EntrySum], said: dict[uuid.UUID, tuple[str, int]]) -> Iterator[Problem]:
    for entry in entries:
        row = said.pop(entry.entry_id, None)
        where = f"entry {entry.entry_id}"
        if row is None and not entry.is_reversed:
            yield Problem("entry_without_row", where, f"{entry.kind}: nothing in the endowment stands for it")
        elif row is not None and row != (entry.kind, entry.pence):
            yield Problem("row_says_otherwise", where, f"it moved {entry.pence} pence, and its row says {row[1]}")
    for entry_id in said:
        yield Problem("row_without_entry", f"entry {entry_id}", "a row stands for an entry of another kind")


def _sums() -> Iterator[Problem]:
    carried, found = sum(line.carried_pence for line in holdings()), ledger.balances(
        [accounts.INVESTMENTS, accounts.UNAPPLIED_RETURN, accounts.DEFICIT, accounts.PERMANENT_CAPITAL])
    stands = {code: found[code].posted_pence if code in found else 0 for code in (
        accounts.INVESTMENTS, accounts.UNAPPLIED_RETURN, accounts.DEFICIT, accounts.PERMANENT_CAPITAL)}
    if carried != stands[accounts.INVESTMENTS]:
        yield Problem("holdings_are_the_account", accounts.INVESTMENTS,
                      f"the holdings are carried at {carried} pence, the account at {stands[accounts.INVESTMENTS]}")
    split = total_return()
    if split.unapplied_pence != stands[accounts.UNAPPLIED_RETURN] - stands[accounts.DEFICIT]:
        yield Problem("return_ties", accounts.UNAPPLIED_RETURN, "what was earned, less what was applied, is not there")
    if split.gift_pence != stands[accounts.PERMANENT_CAPITAL]:
        yield Problem("capital_ties", accounts.PERMANENT_CAPITAL, "what was given is not there")


def _limits() -> Iterator[Problem]:
    for limit in session.scalars(sa.select(SpendingLimit).order_by(SpendingLimit.financial_year)):
        if limit.inputs_sha256 is None:  # from before inputs were hashed
            continue
        again, where = rules.recomputed(limit.inputs), f"limit {limit.financial_year}"
        if (again.rule_pence, again.floor_pence, again.amount_pence) != (
                limit.rule_pence, limit.floor_pence, limit.amount_pence):
            yield Problem("limit_recomputed", where, f"its inputs give {again.amount_pence} pence")
        if hashlib.sha256(formats.canonical(limit.inputs)).digest() != limit.inputs_sha256:
            yield Problem("inputs_hash", where, "its hash is not that of its inputs")
