"""Is the ledger what it says it is? Replays everything in the database and names each thing that is wrong.

Four replays (LEDGER.md 3.3): the schema is what the migrations made (constraints, triggers, functions, rights) and the
server's settings keep what it acknowledged; every leaf says what its rows say; every balance is the sum of its
transfers, and no guard was broken after any entry; the hashes make one tree. What an owner can do in spite of every
constraint is found here.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import BadInput
from fund.ledger.queries import schema
from fund.ledger.queries.entries import posting_rules
from fund.ledger.rules.lines import CLASSES, guard_of
from fund.ledger.rules.replay import Books, Problem, balances_due, balances_file, balances_path
from fund.transparency import formats
from fund.transparency.rules import EMPTY_ROOT, Edge, leaf_hash

PAGE = 2_000


#: What is replayed, in this order; the last by who reads the published files (the command adds it).
CHECKS = {
    "schema": "Constraints, triggers, functions, rights and settings are as declared.",
    "leaves": "Each leaf says what its rows say, and breaks no rule of the posting matrix and no guard.",
    "tree": "The places have no gap, and the hashes make one tree.",
    "balances": "Each balance, and each snapshot of it, is the sum of its lines.",
    "files": "The published files and signed checkpoints are those of this log.",
}


@dataclass(slots=True)
class Report:
    """What was checked and what is wrong with it. `checked` counts the problems that each check found, by its name."""

    checked: dict[str, int] = field(default_factory=dict)
    size: int = 0
    root: bytes = EMPTY_ROOT
    entries: int = 0
    transfers: int = 0
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> str:
        """The report for a machine: one object.

        `sound` (nothing is wrong), `size` and `root` of the tree (hex), `entries`, `transfers`; `checks`, each with
        `name`, `sentence` and how many `problems` it found, only those that were made; and `problems`, each with the
        `code` of the constraint that should have refused it, `where`, and a `sentence`.
        """
        return json.dumps({"sound": not self.problems, "size": self.size, "root": self.root.hex(),
                           "entries": self.entries, "transfers": self.transfers,
                           "checks": [{"name": name, "sentence": CHECKS[name], "problems": found}
                                      for name, found in self.checked.items()],
                           "problems": [problem._asdict() for problem in self.problems]}, indent=2)


    def add(self, check: str, problems: Iterable[Problem]) -> None:
        """Take in what one of the checks found."""
        found = list(problems)
        self.problems += found
        self.checked[check] = self.checked.get(check, 0) + len(found)


def check_everything(progress: Callable[[int], None] = lambda _size: None,
                     published: Callable[[int], bytes | None] = lambda _size: None) -> Report:
    """Check the schema, then every leaf and balance in order; `progress` is told after each page of leaves.

    `published` gives the balances that were published for a size of the log, where they were; raises what it raises.
    Run it in one transaction that sees one moment (REPEATABLE READ); a READ COMMITTED one on a ledger that is being
    written to may name as missing what came in between.
    """
    report = Report()
    report.add("schema", [*schema.differences(), *schema.settings_that_lose()])
    books = Books(posting_rules(), transfers_said)
    tree = Edge()
    kept = _places_of_snapshots()
    moved: set[str] = set()  # since the last snapshot
    report.add("leaves", ())
    for page in _pages():
        hashes = [leaf_hash(row.bytes) for row in page]
        for place, (row, counted) in enumerate(zip(page, hashes, strict=True), tree.size):
            if problems := list(_leaf(row, place, counted, books)):
                report.add("leaves", problems)
            moved.update(code for line in row.lines or () for code in (line[3], line[5]))
            if row.seq in kept:
                report.add("balances", _snapshot(row.seq, books, moved))
                moved.clear()
            if balances_due(place + 1) and published(place + 1) not in (None, balances_file(place + 1, books.accounts)):
                report.add("files", [Problem("log_balances", balances_path(place + 1),
                                             "it says something else than the lines add up to")])
        tree.grow(hashes)
        report.entries += sum(row.entry is not None for row in page)
        report.transfers += sum(len(row.lines or ()) for row in page)
        progress(tree.size)
    report.size, report.root = tree.size, tree.root()
    report.add("tree", _head(tree.size))
    report.add("leaves", _strays())
    report.add("balances", [*_snapshots_beyond(tree.size), *_balances(books)])
    return report


def _rows(statement: str) -> list[Any]:
    return list(session.execute(sa.text(statement)))


# 2. Each leaf and its rows.

_PAGE = sa.text("""
SELECT l.seq, l.id, l.kind, l.recorded_at, l.bytes, l.leaf_hash, e.kind AS entry, e.effective_on, rl.id AS reverses,
       e.relates_to, t.lines, a.code, a.class, a.guard, a.name, pc.closed_through
FROM (SELECT * FROM log.leaf WHERE seq > :after ORDER BY seq LIMIT :most) l
LEFT JOIN ledger.entry e ON e.seq = l.seq LEFT JOIN log.leaf rl ON rl.seq = e.reverses
LEFT JOIN ledger.account a ON a.opened_seq = l.seq LEFT JOIN ledger.period_close pc ON pc.seq = l.seq
LEFT JOIN LATERAL (
  SELECT array_agg(ARRAY[t.line::text, t.kind, t.phase, d.code, t.debit_class, c.code, t.credit_class,
                         t.amount_pence::text, p.id::text, t.pending_line::text] ORDER BY t.line) AS lines
  FROM ledger.transfer t JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
  LEFT JOIN log.leaf p ON p.seq = t.pending_seq WHERE t.entry_seq = l.seq) t ON true
ORDER BY l.seq
""")


def _pages() -> Iterator[list[Any]]:
    after = -1
    while page := session.execute(_PAGE, {"after": after, "most": PAGE}).all():
        yield list(page)
        after = page[-1].seq


def _leaf(row: Any, place: int, counted: bytes, books: Books) -> Iterator[Problem]:
    where = f"leaf {row.seq}"
    if row.seq != place:
        yield Problem("log_sequence", where, f"place {place} of the log is empty")
    if counted != row.leaf_hash:
        yield Problem("leaf_hash", where, "its hash is not that of its bytes")
    try:
        said = formats.read(row.bytes)
    except BadInput as error:
        yield Problem("ck_leaf_json", where, f"its bytes are {error}")
        return
    if said.get("id") != str(row.id) or said.get("kind") != row.kind or said.get("v") != 1 \
            or said.get("recorded_at") != formats.moment(row.recorded_at):
        yield Problem("leaf_says_its_columns", where, "its bytes do not say its id, kind and time")
    if _said_by_rows(row) != {name: said[name] for name in _OF_ROWS if name in said}:
        yield Problem("leaf_matches_rows", where, "its bytes do not say what its rows say")
    yield from _row_facts(row, where)
    yield from books.apply(said, where)


_OF_ROWS = ("transfers", "effective_on", "reverses", "relates_to")


def _said_by_rows(row: Any) -> dict[str, Any]:
    """What a true leaf says of these rows."""
    said: dict[str, Any] = {}
    if row.entry is not None:
        said["effective_on"] = row.effective_on.isoformat()
        said["transfers"] = [_transfer(line) for line in row.lines or ()]
        if row.reverses is not None:
            said["reverses"] = str(row.reverses)
        if row.relates_to:
            said["relates_to"] = [str(id_) for id_ in row.relates_to]
    return said


def _transfer(line: list[str]) -> dict[str, Any]:
    said: dict[str, Any] = {"phase": line[2], "debit": line[3], "credit": line[5], "amount": line[7]}
    if line[8] is not None:
        said["pending"] = [line[8], int(line[9])]
    return said


def _row_facts(row: Any, where: str) -> Iterator[Problem]:
    """What a leaf does not say, and its rows must still have right: classes, numbers, kinds and guards."""
    if row.entry is None and row.lines:
        yield Problem("fk_transfer_entry", where, "it has lines and no entry")
    for number, line in enumerate(row.lines or (), 1):
        if int(line[0]) != number or line[1] != row.kind or row.entry != row.kind:
            yield Problem("leaf_matches_rows", where, f"line {number} is numbered or called otherwise")
        if (line[4], line[6]) != (CLASSES.get(line[3][:4]), CLASSES.get(line[5][:4])):
            yield Problem("fk_transfer_debit", where, f"line {number} gives an account another class")
    if (row.kind == "account_opened") != (row.code is not None) or (row.kind == "period_closed") != (
            row.closed_through is not None):
        yield Problem("leaf_matches_rows", where, "what it opens or closes is not there")
    if row.code is not None and row.guard != guard_of(row.__getattr__("class")):
        yield Problem("fk_account_class", where, f"account {row.code} has the guard {row.guard}")


# 3. What stands beside the leaves.

def transfers_said(entry_id: str) -> list[dict[str, Any]] | None:
    """The transfers of an entry as its leaf says them; nothing where there is no such leaf, or it moves nothing."""
    found = session.execute(sa.text("SELECT bytes FROM log.leaf WHERE id = CAST(:id AS uuid)"),
                            {"id": entry_id}).scalar_one_or_none()
    return None if found is None else json.loads(found).get("transfers")


def _head(size: int) -> Iterator[Problem]:
    heads = _rows("SELECT size FROM log.log_head")
    if [row.size for row in heads] != [size]:
        yield Problem("log_head", "log.log_head", f"it says {[row.size for row in heads]}, and there are {size} leaves")


def _strays() -> Iterator[Problem]:
    """Rows that no leaf closes."""
    for table, column in (("entry", "seq"), ("transfer", "entry_seq"), ("account", "opened_seq"),
                          ("period_close", "seq")):
        for row in _rows(f"SELECT {column} AS seq FROM ledger.{table} t WHERE NOT EXISTS "  # noqa: S608
                         f"(SELECT 1 FROM log.leaf l WHERE l.seq = t.{column}) ORDER BY 1 LIMIT 100"):
            yield Problem("fk_entry_leaf", f"leaf {row.seq}", f"a row of {table} has no leaf")


def _places_of_snapshots() -> set[int]:
    return {row.through_seq for row in _rows("SELECT DISTINCT through_seq FROM ledger.balance_snapshot ORDER BY 1")}


def _snapshot(seq: int, books: Books, moved: Set[str]) -> Iterator[Problem]:
    """The balances kept at a place, beside those that the leaves so far make: each that is kept, and each account that
    moved since the last place."""
    rows = session.execute(sa.text("""
      SELECT a.code, s.debits_posted_pence, s.credits_posted_pence, s.debits_pending_pence, s.credits_pending_pence
      FROM ledger.balance_snapshot s JOIN ledger.account a ON a.id = s.account_id
      WHERE s.through_seq = :seq ORDER BY a.code"""), {"seq": seq})
    kept = {row[0]: tuple(row[1:]) for row in rows}
    for code in sorted(kept.keys() | moved):
        counted = books.accounts[code].all() if code in books.accounts else None
        if kept.get(code) != counted:
            yield Problem("balance_snapshot", f"account {code} at leaf {seq}",
                          f"its balance is kept as {kept.get(code)}, and its leaves make {counted}")


def _snapshots_beyond(size: int) -> Iterator[Problem]:
    for seq in sorted(place for place in _places_of_snapshots() if place >= size):
        yield Problem("balance_snapshot", f"leaf {seq}", "balances are kept for a place that the log has not")


def _balances(books: Books) -> Iterator[Problem]:
    rows = _rows("""
      SELECT a.code, a.guard, b.guard AS of_balance, b.debits_posted_pence, b.credits_posted_pence,
             b.debits_pending_pence, b.credits_pending_pence
      FROM ledger.account a LEFT JOIN ledger.balance b ON b.account_id = a.id ORDER BY a.code""")
    for row in rows:
        counted = books.accounts.pop(row.code, None)
        kept = (row.debits_posted_pence, row.credits_posted_pence, row.debits_pending_pence, row.credits_pending_pence)
        if counted is None:
            yield Problem("leaf_matches_rows", f"account {row.code}", "no leaf opens it")
        elif kept != counted.all():
            yield Problem("balance", f"account {row.code}",
                          f"its balance is kept as {kept}, and its leaves make {counted.all()}")
        if row.guard != row.of_balance:
            yield Problem("fk_account_class", f"account {row.code}", "its balance has another guard")
    for code in sorted(books.accounts):
        yield Problem("leaf_matches_rows", f"account {code}", "a leaf opens it, and it is not there")
    posted = [sum(c) for c in zip(*((row.debits_posted_pence, row.credits_posted_pence, row.debits_pending_pence,
                                     row.credits_pending_pence) for row in rows
                                    if row.debits_posted_pence is not None), strict=True)]
    if posted and (posted[0] != posted[1] or posted[2] != posted[3]):
        yield Problem("balance", "ledger.balance", "debits and credits do not have the same sum")
