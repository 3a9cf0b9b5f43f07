"""Writing to the ledger: one way in. Whether money should move is for the part that asks; here it moves, or is refused.

`post` is an action's last write: business rows first, then this, then the end of the transaction. From here on nobody
else can write to the log until the transaction ends, which is what makes its places gapless and its balances safe.
"""

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.db import session, write_now
from fund.kernel import clock, ids
from fund.kernel.errors import BadInput, Refused, Stale, refuse_if
from fund.ledger import queries, rules
from fund.ledger.rules import Line
from fund.transparency import actions as transparency
from fund.transparency import formats, storage
from fund.transparency import queries as public_record
from fund.transparency.actions import extras


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry that stands: its place in the log, its id, and the hash of its leaf."""

    seq: int
    entry_id: uuid.UUID
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPost:
    """One entry to be posted.

    `idem_key` names the request for ever: asked again it gives the entry that stands. `relates_to` names leaves that
    explain it (a decision, the payment that came back); `area`, `grant` and `params` stand in the leaf as they are;
    `commitments` are private values by field (`formats.COMMITTED`), or several for a field of several
    (`formats.OF_SEVERAL`), of which the leaf shows a salted hash each.
    """

    kind: str
    lines: Sequence[Line]
    effective_on: date
    idem_key: str
    relates_to: Sequence[uuid.UUID] = ()
    reverses: uuid.UUID | None = None
    area: str | None = None
    grant: str | None = None
    params: Mapping[str, Any] | None = None
    commitments: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    recorded_at: datetime | None = None
    entry_id: uuid.UUID | None = None


def post(kind: str, lines: Sequence[Line], *, effective_on: date, idem_key: str, **more: Any) -> Posted:
    """Post one entry; `more` are the other fields of `ToPost`.

    The same key with the same request gives the entry that stands already; with another request it raises Stale.
    Refused carries a plain sentence for what the database would not have (an overdraft, a way that the posting matrix
    does not know, a closed period); after it the transaction is over and nothing of it stands. BadInput for an account
    that is not open, an amount that is none, and text that no leaf can hold.
    """
    return post_many([ToPost(kind=kind, lines=lines, effective_on=effective_on, idem_key=idem_key, **more)])[0]


def post_many(entries: Iterable[ToPost]) -> list[Posted]:
    """Post entries in this order, all of them or none, and give one Posted for each: how an import posts.

    Each is checked as if it stood alone: no account is overdrawn after any of them. A line may resolve a reservation
    of an earlier entry of the same call, when that entry was given its `entry_id`. Many are best given as they are
    made: the database posts some while the next are asked for, so whatever makes them must not ask the database.
    """
    chunks = _chunks(entries)
    first = next(chunks, None)
    if first is None:
        return []
    write_now("leaf")
    session.flush()
    transparency.tell_the_publisher()
    asked, written = (first, _write(first)) if len(first) < CHUNK else _write_in_chunks(first, chunks)
    standing: dict[str, Posted] = {}
    prepared = asked
    if written is None:
        standing = _standing(asked)
        if not standing:
            transparency.begin()
        for one in asked:
            if one.idem_key in standing and one.entry.commitments and one.entry.entry_id is None:
                transparency.take_back(one.entry_id)  # what stands has its own, and this one will never be a leaf
        prepared = [one for one in asked if one.idem_key not in standing]
        written = (_write(prepared) if prepared else {}) or {}
    standing |= {one.idem_key: written[one.entry_id] for one in prepared}
    return [standing[one.idem_key] for one in asked]


def reverse(entry_id: uuid.UUID, *, effective_on: date, idem_key: str, **more: Any) -> Posted:
    """Mirror an entry line for line, once, because it was a mistake; `more` as for `post`. Raises NotFound."""
    lines = [Line(line.debit, line.credit, line.amount_pence) for line in queries.lines_of(entry_id)]
    return post("reversal", rules.mirror(lines), effective_on=effective_on, idem_key=idem_key, reverses=entry_id,
                **more)


def open_account(code: str, *, name: str) -> str:
    """Open an account, and say so in the log; one that is open already stays as it is. Gives its code.

    The first four digits decide its class, and with it its guard. Raises BadInput for a code that is none.
    """
    account_class = rules.CLASSES.get(code[:4])
    if account_class is None:
        raise BadInput(f"{code} is not the code of an account")
    write_now("leaf")
    session.flush()
    if not session.scalar(_IS_OPEN, {"code": code}):
        record = {"code": code, "class": account_class, "name": formats.nfc(name)}
        # Where it writes nothing and the log has begun, somebody else opened it while this waited.
        if _write_record(_OPEN_ACCOUNT, "account_opened", record, f"account/{code}") is None and _begun():
            _write_record(_OPEN_ACCOUNT, "account_opened", record, f"account/{code}")
    return code


def open_standing_accounts() -> None:
    """Open the accounts that every fund has; those that are open stay as they are."""
    for code, name in STANDING_ACCOUNTS.items():
        open_account(code, name=name)


STANDING_ACCOUNTS = {
    rules.BANK: "Bank", rules.INVESTMENTS: "Investments", rules.PERMANENT_CAPITAL: "Permanent capital",
    rules.DEFICIT: "Endowment below its capital", rules.UNAPPLIED_RETURN: "Return not yet applied",
    rules.SPENDABLE: "Spendable",
}


def close_period(closed_through: date, *, idem_key: str) -> transparency.Leaf:
    """Close the books through a day: nothing is entered for it or an earlier one again. Raises Refused."""
    write_now("leaf")
    session.flush()
    record = {"closed_through": closed_through.isoformat()}
    written = _write_record(_CLOSE_PERIOD, "period_closed", record, idem_key)
    if written is None:
        asked, _bytes = formats.record("period_closed", record, ids.new_id(), clock.now())
        standing = transparency.original(idem_key, asked)
        if standing is not None:
            return standing
        transparency.begin()
        written = _write_record(_CLOSE_PERIOD, "period_closed", record, idem_key)
    return transparency.Leaf(*written)  # type: ignore[misc]


def take_snapshots() -> int:
    """Keep the balances that moved at every place where that is due and not done yet; gives at how many places.

    A place up to which nothing moved has no row, and is looked at again."""
    size = public_record.size()
    taken = session.scalar(sa.text("SELECT coalesce(max(through_seq), -1) FROM ledger.balance_snapshot")) or 0
    due = range(taken + rules.SNAPSHOT_EVERY - (taken + 1) % rules.SNAPSHOT_EVERY, size, rules.SNAPSHOT_EVERY)
    take = sa.text("SELECT ledger.take_snapshot(:through)")
    return sum(session.execute(take, {"through": through}).scalar_one() > 0 for through in due)


def publish_balances() -> list[int]:
    """Publish what every account holds at each size of the log where that is due, published and not done yet; gives
    the sizes. Raises OutsideDown; Broken where a file says otherwise."""
    published = public_record.published_size()
    due = (size for size in (1 << power for power in range(published.bit_length(), -1, -1))
           if size <= published and rules.balances_due(size))
    missing = list(itertools.takewhile(lambda size: not storage.is_there(rules.balances_path(size)), due))
    done = []
    for size, document in queries.balances_at(reversed(missing)):
        extras.keep(rules.balances_path(size), document)
        done.append(size)
    return done


_IS_OPEN = sa.text("SELECT EXISTS (SELECT FROM ledger.account WHERE code = :code)")
_OPEN_ACCOUNT = sa.text("SELECT seq FROM ledger.open_account(:key, :hash, :leaf)")
_CLOSE_PERIOD = sa.text("SELECT seq, id, leaf_hash FROM ledger.close_period(:key, :hash, :leaf)")


def _write_record(statement: sa.TextClause, kind: str, record: Mapping[str, Any], idem_key: str) -> sa.Row | None:
    """Write a record that changes the books; None where its key was used before or the log has not begun."""
    transparency.tell_the_publisher()
    request_hash, encoded = formats.record(kind, record, ids.new_id(), clock.now())
    try:
        return session.execute(statement, {"key": idem_key, "hash": request_hash, "leaf": encoded}).first()
    except DBAPIError as error:
        raise _plainly(error, [str(record.get("code"))]) from error


def _begun() -> bool:
    """Begin the log where it has not begun; whether this did it."""
    if public_record.size() > 0:
        return False
    transparency.begin()
    return True


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An entry with its bytes made."""

    entry: ToPost
    entry_id: uuid.UUID
    request_hash: bytes
    bytes: bytes

    @property
    def idem_key(self) -> str:
        return self.entry.idem_key

    @classmethod
    def of(cls, entry: ToPost, moment: str) -> "_Prepared":
        """An entry that is recorded at this moment, as a leaf writes it, unless it has one of its own."""
        refuse_if(rules.reasons_not_to_post(entry.lines))
        if entry.commitments and (not entry.commitments.keys() <= set(formats.COMMITTED) or any(
                isinstance(value, str) == (name in formats.OF_SEVERAL) for name, value in entry.commitments.items())):
            raise BadInput("A line commits to no such thing: " + ", ".join(sorted(entry.commitments)))
        said = _said(entry)
        # The request is what was asked for, without what is made here: the same request always has the same hash.
        request_hash = hashlib.sha256(formats.canonical(
            {**said, "commitments": dict(entry.commitments)} if entry.commitments else said)).digest()
        entry_id = entry.entry_id or ids.new_id()
        for name, value in entry.commitments.items():
            said[name] = transparency.commit_to(entry_id, name, value) if isinstance(value, str) else [
                transparency.commit_to(entry_id, f"{name}/{number}", one) for number, one in enumerate(value, 1)]
        said["v"], said["id"] = 1, str(entry_id)
        said["recorded_at"] = moment if entry.recorded_at is None else formats.moment(entry.recorded_at)
        return cls(entry, entry_id, request_hash, formats.canonical(said, checked=True))


def _said(entry: ToPost) -> dict[str, Any]:
    said: dict[str, Any] = {
        "kind": entry.kind, "effective_on": entry.effective_on.isoformat(),
        "transfers": [_line_said(line) for line in entry.lines]}
    if entry.relates_to:
        said["relates_to"] = [str(id_) for id_ in entry.relates_to]
    if entry.reverses is not None:
        said["reverses"] = str(entry.reverses)
    if entry.area is not None:
        said["area"] = entry.area
    if entry.grant is not None:
        said["grant"] = entry.grant
    if entry.params is not None:
        said["params"] = formats.nfc(entry.params)
    return said


def _line_said(line: Line) -> dict[str, Any]:
    said: dict[str, Any] = {"phase": str(line.phase), "debit": line.debit, "credit": line.credit,
                            "amount": str(line.amount_pence)}
    if line.pending is not None:
        said["pending"] = [str(line.pending[0]), line.pending[1]]
    return said


# One round trip, whether for one entry or for a thousand: the function (migration 0017) writes the leaves, and the
# entries and lines that it reads out of their bytes.
_POST = "SELECT seq, id, leaf_hash FROM ledger.post(%s::text[], %b::bytea[], %b::bytea[])"
# The same for one entry, whose parts the driver writes down faster than lists of them.
_POST_ONE = "SELECT seq, id, leaf_hash FROM ledger.post(ARRAY[%s::text], ARRAY[%b::bytea], ARRAY[%b::bytea])"


#: How many entries are sent together: while the database posts some, the next are written down here.
CHUNK = 250


def _chunks(entries: Iterable[ToPost]) -> Iterator[list["_Prepared"]]:
    """The entries with their bytes made, as many at a time as are sent together."""
    rest = iter(entries)
    while True:
        moment = formats.moment(clock.now())
        chunk = [_Prepared.of(entry, moment) for entry in islice(rest, CHUNK)]
        if not chunk:
            return
        yield chunk


def _write(prepared: Sequence[_Prepared]) -> dict[uuid.UUID, Posted] | None:
    """Write all of them, or none where one of the keys was used before or the log has not begun."""
    driver = _driver()
    try:
        if len(prepared) == 1:
            one = prepared[0]
            rows = driver.execute(_POST_ONE, (one.idem_key, one.request_hash, one.bytes)).fetchall()
        else:
            rows = driver.execute(_POST, _parts(prepared)).fetchall()
    except psycopg.Error as error:
        raise _plainly(error, _accounts(prepared)) from error
    return {row[1]: Posted(*row) for row in rows} if rows else None


def _write_in_chunks(first: list[_Prepared], rest: Iterable[list[_Prepared]]
                     ) -> tuple[list[_Prepared], dict[uuid.UUID, Posted] | None]:
    """The same for many entries, and all of them; the database works while the next are made."""
    driver = _driver()
    prepared: list[_Prepared] = []
    answers = []
    try:
        with driver.pipeline():
            driver.execute("SAVEPOINT posting")
            for chunk in chain([first], rest):
                prepared += chunk
                answers.append(driver.execute(_POST, _parts(chunk)))
        rows = [answer.fetchall() for answer in answers]
        if not all(rows):  # a key was used before: none of them stands, and whoever called goes on one by one
            driver.execute("ROLLBACK TO SAVEPOINT posting")
        driver.execute("RELEASE SAVEPOINT posting")
    except psycopg.Error as error:
        raise _plainly(error, _accounts(prepared)) from error
    return prepared, {row[1]: Posted(*row) for found in rows for row in found} if all(rows) else None


def _driver() -> Any:
    """The driver's own connection, in the session's transaction: SQLAlchemy's layers cost as much as the posting."""
    return session.connection().connection.driver_connection


def _parts(prepared: Sequence[_Prepared]) -> tuple[list[str], list[bytes], list[bytes]]:
    return ([one.idem_key for one in prepared], [one.request_hash for one in prepared],
            [one.bytes for one in prepared])


def _accounts(prepared: Sequence[_Prepared]) -> list[str]:
    return [code for one in prepared for line in one.entry.lines for code in (line.debit, line.credit)]


def _standing(prepared: Sequence[_Prepared]) -> dict[str, Posted]:
    """The entries that stand already for these keys. Raises Stale where one was asked for something else."""
    found = public_record.leaves_by_key(one.idem_key for one in prepared)
    for one in prepared:
        leaf = found.get(one.idem_key)
        if leaf is not None and leaf.request_hash != one.request_hash:
            raise Stale(f"“{one.idem_key}” is in the ledger already, and says something else.",
                        theirs=leaf.encoded, yours=one.bytes)
    return {key: Posted(leaf.seq, leaf.id, leaf.leaf_hash) for key, leaf in found.items()}


def _plainly(error: psycopg.Error | DBAPIError, accounts: Sequence[str]) -> Exception:
    """What the database refused, as a sentence for a person; anything else stays what it is."""
    refused: Any = error.orig if isinstance(error, DBAPIError) else error
    state, constraint = refused.sqlstate, refused.diag.constraint_name
    if state == "23502":  # an account or a reservation that was not found left a hole in its row
        return BadInput("An account of this entry is not open: " + ", ".join(dict.fromkeys(accounts)))
    reason = rules.why_refused(constraint or "", accounts)
    return error if reason is None else Refused([reason])
