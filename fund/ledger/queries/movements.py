"""What moved between the classes of accounts, day by day: what a statement for any period is made from.

The sums are kept by each process and only newer entries are ever added, as entries never change; so a statement of any
period costs one short query, at a million entries too.
"""

import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa

from fund.db import session


class Moved(NamedTuple):
    """Money that moved on a day; a reversal bears the kind that was wrong, and moves it back on its own day."""

    day: date
    kind: str
    debit_class: str
    credit_class: str


@dataclass(slots=True)
class _Days:
    seq: int = -1
    leaf_id: uuid.UUID | None = None
    pence: dict[Moved, int] = field(default_factory=dict)


_days = _Days()
_HEAD = sa.text("""
SELECT last.seq, (SELECT id FROM log.leaf WHERE seq = :seq), (SELECT id FROM log.leaf WHERE seq = last.seq)
FROM (SELECT max(seq) AS seq FROM ledger.entry) last""")
_NEWER = sa.text("""
SELECT e.effective_on, coalesce(wrong.kind, t.kind), t.debit_class, t.credit_class, sum(t.amount_pence)
FROM ledger.transfer t JOIN ledger.entry e ON e.seq = t.entry_seq LEFT JOIN ledger.entry wrong ON wrong.seq = e.reverses
WHERE t.phase IN ('single', 'post') AND t.entry_seq > :after AND t.entry_seq <= :last
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""")


def moved_by_day() -> dict[Moved, int]:
    """How much was ever posted (reservations left out), by day, kind and the two classes of account."""
    global _days
    known = _days
    last, leaf_id, last_id = session.execute(_HEAD, {"seq": known.seq}).one()
    if leaf_id is None or leaf_id != known.leaf_id:  # another database, or a test that rolled back
        known = _Days()
    if last is None or last == known.seq:
        return known.pence
    pence = dict(known.pence)
    for day, kind, debit, credit, amount in session.execute(_NEWER, {"after": known.seq, "last": last}):
        key = Moved(day, kind, debit, credit)
        pence[key] = pence.get(key, 0) + int(amount)
    _days = _Days(last, last_id, pence)
    return pence
