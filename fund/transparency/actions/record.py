"""Writing to the public record."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund import queue
from fund.db import session, write_later, write_now
from fund.kernel import clock, ids
from fund.kernel.actor import Actor
from fund.kernel.errors import Stale
from fund.settings import settings
from fund.transparency import formats, queries
from fund.transparency.models import Act, Commitment

GENESIS, ERASURE, KEY_ROTATED = "genesis", "erasure", "key_rotated"
CALL = "log"  # what the publisher of the log is called by


@dataclass(frozen=True, slots=True)
class Leaf:
    """A line of the public log that now stands: its place, its id and its hash."""

    seq: int
    id: uuid.UUID
    leaf_hash: bytes


def record_act(actor: Actor, verb: str, subject_kind: str, subject_id: uuid.UUID, *,
               application_id: uuid.UUID | None = None, **detail: Any) -> None:
    """Write down that `actor` did `verb` to a subject, in the same transaction as the change itself.

    `application_id` files the act under an application, so that its page can show everyone who touched it.
    `detail` is JSON of codes, amounts and ids; never a name, an address or free text.
    """
    write_later("act", _write_acts, {
        "person_id": actor.person_id, "seat_id": actor.seat_id, "capacity": actor.capacity.value, "verb": verb,
        "subject_kind": subject_kind, "subject_id": subject_id, "application_id": application_id, "detail": detail})


def _write_acts(acts: list[dict[str, Any]]) -> None:
    session.connection().execute(sa.insert(Act).inline(), acts)


# One round trip, for one record or for many: the function (migration 0017) locks the head, reads the columns out of the
# bytes, and writes nothing where a key was used before, or where the log has not begun.
_APPEND = sa.text("SELECT seq, id, leaf_hash FROM log.append(:keys, :hashes, :leaves)").bindparams(
    sa.bindparam("keys", type_=postgresql.ARRAY(sa.Text)),
    sa.bindparam("hashes", type_=postgresql.ARRAY(postgresql.BYTEA)),
    sa.bindparam("leaves", type_=postgresql.ARRAY(postgresql.BYTEA)))


def append(kind: str, record: Mapping[str, Any], *, idem_key: str, recorded_at: datetime | None = None,
           leaf_id: uuid.UUID | None = None) -> Leaf:
    """Write a public record that moves no money: a rule published, scores sealed, a decision, a seed committed.

    `record` is made of objects, lists, text and small integers (amounts are strings of pence) and holds nothing
    personal. The same key with the same record gives the leaf that stands already; with another record it raises
    Stale. BadInput when the record cannot stand in a leaf. Call it last in an action: until the transaction ends
    nobody else can write to the log.
    """
    record, leaf_id, recorded_at = formats.nfc(record), leaf_id or ids.new_id(), recorded_at or clock.now()
    request_hash, encoded = formats.record(kind, record, leaf_id, recorded_at)
    write_now("leaf")
    session.flush()
    tell_the_publisher()
    written = session.execute(_APPEND, {"keys": [idem_key], "hashes": [request_hash], "leaves": [encoded]}).first()
    if written is not None:
        return Leaf(*written)
    standing = original(idem_key, request_hash)
    if standing is not None:
        return standing
    begin()
    return append(kind, record, idem_key=idem_key, recorded_at=recorded_at, leaf_id=leaf_id)


def append_later(kind: str, record: Mapping[str, Any], *, idem_key: str, leaf_id: uuid.UUID | None = None) -> None:
    """The same for a record whose place nobody asks for: it is written with the others as the transaction ends.

    So the log is held for a moment and not for as long as the action takes. Stale is raised by the end, then.
    """
    record, leaf_id, recorded_at = formats.nfc(record), leaf_id or ids.new_id(), clock.now()
    request_hash, encoded = formats.record(kind, record, leaf_id, recorded_at)
    write_later("leaf", _write_records, {
        "kind": kind, "record": record, "idem_key": idem_key, "leaf_id": leaf_id, "recorded_at": recorded_at,
        "hash": request_hash, "bytes": encoded})


def tell_the_publisher() -> None:
    """Wake the publisher once this transaction stands. Whoever writes leaves says so."""
    queue.call_after_commit(CALL)


def _write_records(records: list[dict[str, Any]]) -> None:
    tell_the_publisher()
    written = session.connection().execute(_APPEND, {
        "keys": [one["idem_key"] for one in records], "hashes": [one["hash"] for one in records],
        "leaves": [one["bytes"] for one in records]})
    if len(written.all()) < len(records):  # one of them stands already, or the log has not begun
        for one in records:
            append(one["kind"], one["record"], idem_key=one["idem_key"], recorded_at=one["recorded_at"],
                   leaf_id=one["leaf_id"])


def original(idem_key: str, request_hash: bytes) -> Leaf | None:
    """The leaf that a key was used for before, if any. Raises Stale when it was used to ask for something else."""
    found = queries.leaves_by_key([idem_key]).get(idem_key)
    if found is None:
        return None
    if found.request_hash != request_hash:
        raise Stale(f"“{idem_key}” is on the record already, and says something else.", theirs=found.encoded)
    return Leaf(found.seq, found.id, found.leaf_hash)


#: What every line of the log keeps to, by the word under which the first line gives its hash: (file, bytes).
_KEPT_TO = {"schema": ("schema/v1.json", formats.written(formats.LINE))}


def keeps_to(word: str, file: str, document: Mapping[str, Any]) -> None:
    """Have the log keep to a document of a higher part: it is published as `file`, and the first line names its hash.

    Said while the application is put together. The document stays as it is for as long as logs that began with it.
    """
    _KEPT_TO[word] = file, formats.written(document)


def kept_to() -> dict[str, bytes]:
    """The documents that the log keeps to, by file."""
    return dict(_KEPT_TO.values())


def begin(origin: str | None = None) -> Leaf:
    """Write the log's first leaf, which names the log and what it keeps to; give it where it stands already. Every
    writer sees to it. Raises Stale where the log has another name."""
    origin = origin or settings().log_origin
    standing = queries.leaves_by_key([GENESIS]).get(GENESIS)
    if standing is None:
        hashes = {word: formats.fingerprint(document) for word, (_, document) in _KEPT_TO.items()}
        return append(GENESIS, {"origin": origin, **hashes}, idem_key=GENESIS)
    if formats.read(standing.encoded)["record"]["origin"] != origin:
        raise Stale("This log has another name.", theirs=standing.encoded)
    return Leaf(standing.seq, standing.id, standing.leaf_hash)


def commit_to(leaf_id: uuid.UUID, field: str, value: str, *, pointer: str | None = None) -> str:
    """Give a commitment to `value` for a field of the leaf that will have this id: `sha256:` and 64 hex digits.

    The salt is fresh for each field of each leaf and is kept in a table from which it may be deleted, with `pointer`
    (where the value is; by default the value itself). Once deleted nobody can tell what the leaf committed to.
    """
    salt = secrets.token_bytes(32)
    session.add(Commitment(leaf_id=leaf_id, field=field, salt=salt, pointer=value if pointer is None else pointer))
    return formats.commitment(salt, formats.nfc(value))


def take_back(leaf_id: uuid.UUID) -> None:
    """Remove what was committed to for a leaf that will never be written: another stands in its place."""
    session.execute(sa.delete(Commitment).where(Commitment.leaf_id == leaf_id))


def erase(pointer: str) -> int:
    """Make every commitment to a value unreadable for ever, and say so in the log; gives how many there were.

    `pointer` is what the commitments were kept with: the value itself, or where it is (a person's id). The leaves and
    their proofs stay as they are: each commitment had a salt of its own, and nobody can tell any more what it was to.
    """
    gone = session.execute(sa.delete(Commitment).where(Commitment.pointer == pointer)
                           .returning(Commitment.leaf_id, Commitment.field))
    erased = sorted((str(row.leaf_id), row.field) for row in gone)
    if erased:
        append(ERASURE, {"erased": [{"leaf": leaf, "field": field} for leaf, field in erased]},
               idem_key=f"{ERASURE}/{ids.new_id()}")
    return len(erased)


def name_new_key(vkey: str, signed_with: str) -> Leaf:
    """Say in the log that it is signed with another key from now on; `signed_with` is the key until now."""
    return append(KEY_ROTATED, {"key": vkey, "signed_with": signed_with}, idem_key=f"{KEY_ROTATED}/{vkey}")
