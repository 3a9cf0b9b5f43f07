"""Entries and their lines."""

import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import NotFound
from fund.ledger.rules import Pending, Phase


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of an entry as it stands; `pending` is the reservation that it resolved."""

    line: int
    phase: Phase
    debit: str
    credit: str
    amount_pence: int
    pending: tuple[uuid.UUID, int] | None


def pending_lines(entry_id: uuid.UUID) -> list[Pending]:
    """The reservations of an entry that are still open, by line."""
    rows = session.execute(_PENDING, {"id": entry_id})
    return [Pending(entry_id, row.line, row.debit, row.credit, row.amount_pence) for row in rows]


_PENDING = sa.text("""
SELECT t.line, d.code AS debit, c.code AS credit, t.amount_pence
FROM log.leaf l JOIN ledger.transfer t ON t.entry_seq = l.seq
JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
WHERE l.id = :id AND t.phase = 'pending' AND NOT EXISTS (
  SELECT 1 FROM ledger.transfer r WHERE r.pending_seq = t.entry_seq AND r.pending_line = t.line)
ORDER BY t.line
""").bindparams(sa.bindparam("id", type_=sa.dialects.postgresql.UUID))


def lines_of(entry_id: uuid.UUID) -> list[LineRow]:
    """The lines of an entry, in order. Raises NotFound where there is no such entry."""
    rows = session.execute(_LINES, {"id": entry_id}).all()
    if not rows:
        raise NotFound("no such entry")
    return [LineRow(row.line, Phase(row.phase), row.debit, row.credit, row.amount_pence,
                    None if row.pending_id is None else (row.pending_id, row.pending_line)) for row in rows]


_LINES = sa.text("""
SELECT t.line, t.phase, d.code AS debit, c.code AS credit, t.amount_pence, p.id AS pending_id, t.pending_line
FROM log.leaf l JOIN ledger.transfer t ON t.entry_seq = l.seq
JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
LEFT JOIN log.leaf p ON p.seq = t.pending_seq
WHERE l.id = :id ORDER BY t.line
""").bindparams(sa.bindparam("id", type_=sa.dialects.postgresql.UUID))
