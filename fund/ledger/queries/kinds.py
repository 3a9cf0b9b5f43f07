"""Entries of some kinds with what they moved: for parts that hold their own rows against the ledger."""

import uuid
from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from fund.db import session


class EntrySum(NamedTuple):
    """An entry: the id of its leaf, its kind, all that its lines moved, and whether a reversal took it back."""

    entry_id: uuid.UUID
    kind: str
    pence: int
    is_reversed: bool


_ENTRIES = sa.text("""
SELECT l.id, e.kind, sum(t.amount_pence) AS pence,
       EXISTS (SELECT FROM ledger.entry r WHERE r.reverses = e.seq) AS reversed
FROM ledger.entry e JOIN log.leaf l ON l.seq = e.seq JOIN ledger.transfer t ON t.entry_seq = e.seq
WHERE e.kind = ANY(:kinds) GROUP BY l.id, e.kind, e.seq ORDER BY e.seq""")


def entries_of_kinds(kinds: Iterable[str]) -> list[EntrySum]:
    """Every entry of these kinds, in the order of the log."""
    return [EntrySum(row.id, row.kind, int(row.pence), row.reversed)
            for row in session.execute(_ENTRIES, {"kinds": sorted(kinds)})]
