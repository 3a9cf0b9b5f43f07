"""Entries and their lines."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import NotFound
from fund.ledger.models import PeriodClose, PostingRule
from fund.ledger.queries.amounts import balance_as_recorded, balance_of, balances
from fund.ledger.rules import DEBIT_NORMAL, Pending, Phase
from fund.ledger.rules.replay import Rule
from fund.transparency import formats
from fund.transparency import queries as public_record
from fund.transparency.queries import LeafRow


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


@dataclass(frozen=True, slots=True)
class Movement:
    """What one entry did to one account, in pence from the side on which the account grows."""

    seq: int
    entry_id: uuid.UUID
    kind: str
    effective_on: date
    recorded_at: datetime
    in_pence: int
    out_pence: int
    kept_pence: int  # newly kept aside to leave the account; below nothing when it no longer is
    coming_pence: int  # the same of what is to come to it
    after_pence: int
    phase: str


def movements_of(code: str, *, before: int | None = None, most: int = 50) -> list[Movement]:
    """The entries that touched an account, the latest first, from before a place of the log. Raises NotFound.

    It is found by two index scans that stop after `most` entries, however long the account's history is.
    """
    balance = balance_of(code) if before is None else balance_as_recorded(code, before - 1)
    rows = session.execute(_MOVEMENTS, {"code": code, "before": before, "most": most,
                                        "by_debit": balance.class_ in DEBIT_NORMAL}).all()
    after, movements = balance.posted_pence, []
    for row in rows:
        movements.append(Movement(row.seq, row.id, row.kind, row.effective_on, row.recorded_at, int(row.came),
                                  int(row.went), int(row.kept), int(row.coming), after, row.phase))
        after -= int(row.came) - int(row.went)
    return movements


_MOVEMENTS = sa.text("""
WITH account AS (SELECT id FROM ledger.account WHERE code = :code),
touched AS (
  SELECT entry_seq FROM (
    (SELECT DISTINCT entry_seq FROM ledger.transfer WHERE debit_id = (SELECT id FROM account)
       AND entry_seq < coalesce(CAST(:before AS bigint), 9223372036854775807) ORDER BY entry_seq DESC LIMIT :most)
    UNION
    (SELECT DISTINCT entry_seq FROM ledger.transfer WHERE credit_id = (SELECT id FROM account)
       AND entry_seq < coalesce(CAST(:before AS bigint), 9223372036854775807) ORDER BY entry_seq DESC LIMIT :most)) u
  ORDER BY entry_seq DESC LIMIT :most)
SELECT e.seq, l.id, e.kind, e.effective_on, l.recorded_at,
       sum(posted) FILTER (WHERE grows) AS came, sum(posted) FILTER (WHERE NOT grows) AS went,
       sum(kept) FILTER (WHERE NOT grows) AS kept, sum(kept) FILTER (WHERE grows) AS coming,
       (SELECT t.phase FROM ledger.transfer t WHERE t.entry_seq = e.seq ORDER BY t.line LIMIT 1) AS phase
FROM touched JOIN ledger.entry e ON e.seq = touched.entry_seq JOIN log.leaf l ON l.seq = e.seq
CROSS JOIN LATERAL (
  SELECT 0 AS posted, 0 AS kept, true AS grows UNION ALL SELECT 0, 0, false UNION ALL
  SELECT CASE WHEN t.phase IN ('single', 'post') THEN t.amount_pence ELSE 0 END,
         CASE t.phase WHEN 'pending' THEN t.amount_pence WHEN 'single' THEN 0 ELSE -(
           SELECT p.amount_pence FROM ledger.transfer p WHERE p.entry_seq = t.pending_seq AND p.line = t.pending_line)
         END, (t.debit_id = (SELECT id FROM account)) = CAST(:by_debit AS boolean)
  FROM ledger.transfer t
  WHERE t.entry_seq = e.seq AND (SELECT id FROM account) IN (t.debit_id, t.credit_id)) m
GROUP BY e.seq, l.id, e.kind, e.effective_on, l.recorded_at ORDER BY e.seq DESC
""")


def newer_movements(code: str, first: int, most: int) -> tuple[bool, int | None]:
    """Whether any entry from a place of the log on touched an account; and the place before which the first `most` of
    them stand, or none where there are no more than that."""
    rows = session.execute(_NEWER, {"code": code, "first": first, "most": most + 1}).scalars().all()
    return bool(rows), rows[most] if len(rows) > most else None


_NEWER = sa.text("""
SELECT entry_seq FROM (
  (SELECT DISTINCT entry_seq FROM ledger.transfer WHERE entry_seq >= :first
     AND debit_id = (SELECT id FROM ledger.account WHERE code = :code) ORDER BY entry_seq LIMIT :most)
  UNION
  (SELECT DISTINCT entry_seq FROM ledger.transfer WHERE entry_seq >= :first
     AND credit_id = (SELECT id FROM ledger.account WHERE code = :code) ORDER BY entry_seq LIMIT :most)) u
ORDER BY entry_seq LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Brief:
    """One line of the record, in a list. `amount_pence` is what it moved or kept aside; nothing for a public record,
    which has no phase either."""

    seq: int
    entry_id: uuid.UUID
    kind: str
    recorded_at: datetime
    effective_on: date | None
    amount_pence: int
    phase: str | None


def latest(*, before: int | None = None, most: int = 50) -> list[Brief]:
    """The latest lines of the record, entries and public records both, from before a place of the log."""
    return [Brief(*row) for row in session.execute(_LATEST, {"before": before, "most": most})]


_BRIEF = """
SELECT l.seq, l.id, l.kind, l.recorded_at, e.effective_on, coalesce(
  (SELECT CAST(sum(t.amount_pence) AS bigint) FROM ledger.transfer t WHERE t.entry_seq = l.seq), 0) AS amount_pence,
  (SELECT t.phase FROM ledger.transfer t WHERE t.entry_seq = l.seq ORDER BY t.line LIMIT 1) AS phase
FROM log.leaf l LEFT JOIN ledger.entry e ON e.seq = l.seq
"""
_LATEST = sa.text(_BRIEF + """
WHERE l.seq < coalesce(CAST(:before AS bigint), 9223372036854775807) ORDER BY l.seq DESC LIMIT :most
""")


def relating_to(leaf_id: uuid.UUID, most: int = 100) -> list[Brief]:
    """The entries that say that they relate to a line of the record, or reverse it, the earliest first."""
    return [Brief(*row) for row in session.execute(_RELATING, {"id": leaf_id, "most": most})]


_RELATING = sa.text(_BRIEF + """
WHERE l.seq IN (
  SELECT seq FROM ledger.entry WHERE relates_to <> '{}' AND relates_to @> ARRAY[CAST(:id AS uuid)]
  UNION SELECT r.seq FROM ledger.entry r JOIN log.leaf o ON o.seq = r.reverses WHERE o.id = CAST(:id AS uuid)
  UNION SELECT t.entry_seq FROM ledger.transfer t JOIN log.leaf o ON o.seq = t.pending_seq
    WHERE o.id = CAST(:id AS uuid))
ORDER BY l.seq LIMIT :most
""")  # noqa: S608  two constants


def briefs(leaf_ids: Iterable[uuid.UUID]) -> list[Brief]:
    """These lines of the record, in the order in which they were written."""
    return [Brief(*row) for row in session.execute(_BRIEFS, {"ids": list(leaf_ids)})]


_BRIEFS = sa.text(_BRIEF + "WHERE l.id = ANY(CAST(:ids AS uuid[])) ORDER BY l.seq")


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of the record with all that its page shows. `entry` is false for a public record."""

    leaf: LeafRow
    said: dict[str, Any]
    entry: bool
    effective_on: date | None
    lines: list[LineRow]
    names: dict[str, str]
    explained_by: list[Brief]
    followed_by: list[Brief]

    @property
    def amount_pence(self) -> int:
        """What it moved or kept aside."""
        return sum(line.amount_pence for line in self.lines)

    @property
    def phase(self) -> str | None:
        """That of its first line; a public record has none."""
        return self.lines[0].phase if self.lines else None


def shown(leaf_id: uuid.UUID) -> Shown:
    """One line of the record, an entry or a public record. Raises NotFound."""
    leaf = public_record.leaf_by_id(leaf_id)
    said = formats.read(leaf.encoded)
    is_entry = "transfers" in said
    lines = lines_of(leaf_id) if is_entry else []
    names = {balance.code: balance.name for balance in balances(
        {code for line in lines for code in (line.debit, line.credit)}).values()} if lines else {}
    before = {uuid.UUID(id_) for id_ in said.get("relates_to", ())}
    before |= {line.pending[0] for line in lines if line.pending}
    if "reverses" in said:
        before.add(uuid.UUID(said["reverses"]))
    return Shown(leaf, said, is_entry, date.fromisoformat(said["effective_on"]) if is_entry else None, lines, names,
                 briefs(before) if before else [], relating_to(leaf_id))


def first_open_day(day: date) -> date:
    """The day itself; where the books are closed over it, the first day after them: there a correction goes."""
    closed_through = session.scalar(sa.select(sa.func.max(PeriodClose.closed_through)))
    return day if closed_through is None else max(day, closed_through + timedelta(days=1))


def posting_rules() -> list[Rule]:
    """The posting matrix: which kind of entry may move money between which classes of account, and in which phase."""
    return [Rule(*row) for row in session.execute(
        sa.select(PostingRule.kind, PostingRule.phase, PostingRule.debit_class, PostingRule.credit_class,
                  PostingRule.resolves)
        .order_by(PostingRule.kind, PostingRule.phase, PostingRule.debit_class, PostingRule.credit_class))]
