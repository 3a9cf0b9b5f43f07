"""Reading the public record."""

import re
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.transparency import formats, storage
from fund.transparency.models import Head, Leaf, PublishedCheckpoint
from fund.transparency.rules import EMPTY_ROOT, inclusion_proof, signing, split, subtree_from


@dataclass(frozen=True, slots=True)
class LeafRow:
    """One line of the public log as it is stored."""

    seq: int
    id: uuid.UUID
    kind: str
    idem_key: str
    request_hash: bytes
    recorded_at: datetime
    encoded: bytes
    leaf_hash: bytes


_LEAF = sa.select(Leaf.seq, Leaf.id, Leaf.kind, Leaf.idem_key, Leaf.request_hash, Leaf.recorded_at, Leaf.encoded,
                  Leaf.leaf_hash)


def _one(statement: sa.Select) -> LeafRow:
    row = session.execute(statement).one_or_none()
    if row is None:
        raise NotFound("no such line of the public record")
    return LeafRow(*row)


def leaf_by_seq(seq: int) -> LeafRow:
    """The leaf at a place of the log. Raises NotFound."""
    return _one(_LEAF.where(Leaf.seq == seq))


def leaf_by_id(leaf_id: uuid.UUID) -> LeafRow:
    """The leaf with an id. Raises NotFound."""
    return _one(_LEAF.where(Leaf.id == leaf_id))


def leaf_by_key(idem_key: str) -> LeafRow:
    """The leaf that was written with a key. Raises NotFound."""
    return _one(_LEAF.where(Leaf.idem_key == idem_key))


def leaves_by_key(idem_keys: Iterable[str]) -> dict[str, LeafRow]:
    """The leaves that were written with any of these keys, by key."""
    rows = session.execute(_LEAF.where(Leaf.idem_key == sa.any_(sa.bindparam("keys", list(idem_keys), expanding=False)))
                           .order_by(Leaf.seq))
    return {row.idem_key: LeafRow(*row) for row in rows}


def leaves_after(seq: int, most: int = 1_000) -> list[LeafRow]:
    """The leaves after a place, in order: how the log is read from end to end (start at -1)."""
    return [LeafRow(*row) for row in session.execute(_LEAF.where(Leaf.seq > seq).order_by(Leaf.seq).limit(most))]


def size() -> int:
    """How many leaves the log holds."""
    return session.execute(sa.select(Head.size)).scalar_one()


@dataclass(frozen=True, slots=True)
class Publication:
    """How far the log is published: the last checkpoint that was, and what waits for the next."""

    size: int  # leaves there are
    published_size: int
    root: bytes
    published_at: datetime | None
    cosigned_by: tuple[str, ...]
    waiting_since: datetime | None  # when the oldest leaf that is not published was recorded

    @property
    def waiting(self) -> int:
        """How many leaves are recorded and not published yet."""
        return self.size - self.published_size


_PUBLICATION = sa.text("""
SELECT h.size, coalesce(p.size, 0) AS published_size, p.root, p.published_at, p.cosigned_by,
       (SELECT recorded_at FROM log.leaf WHERE seq = coalesce(p.size, 0)) AS waiting_since
FROM log.log_head h LEFT JOIN (SELECT * FROM published_checkpoint ORDER BY size DESC LIMIT 1) p ON true
""")


def publication() -> Publication:
    """How far the log is published."""
    row = session.execute(_PUBLICATION).one()
    return Publication(row.size, row.published_size, row.root or EMPTY_ROOT, row.published_at,
                       tuple(row.cosigned_by or ()), row.waiting_since)


def waiting_for(_person_id: uuid.UUID, capacities: Collection[Capacity]) -> list[Waiting]:
    """What waits for a trustee: a log that is late, which a person has to look at."""
    if Capacity.TRUSTEE not in capacities:
        return []
    found = publication()
    if not signing.is_late(found.waiting_since, clock.now()):
        return []
    return [Waiting(_("Find out why %(count)s lines of the record are not published.", count=found.waiting),
                    "transparency.overview", button=_("See the public log"), due_at=found.waiting_since)]


def checkpoints(*, before: int | None = None, most: int = 50) -> list[PublishedCheckpoint]:
    """The checkpoints that were published, the latest first, from below a size."""
    statement = sa.select(PublishedCheckpoint).order_by(PublishedCheckpoint.size.desc()).limit(most)
    return list(session.scalars(statement if before is None else statement.where(PublishedCheckpoint.size < before)))


def newer_checkpoints(size: int, most: int) -> tuple[bool, int | None]:
    """Whether a checkpoint of this size or a larger one was published; and the size before which the first `most` of
    them stand, or none where there are no more than that."""
    sizes = session.scalars(sa.select(PublishedCheckpoint.size).where(PublishedCheckpoint.size >= size)
                            .order_by(PublishedCheckpoint.size).limit(most + 1)).all()
    return bool(sizes), sizes[most] if len(sizes) > most else None


def leaf_bytes(start: int, end: int) -> list[tuple[bytes, bytes]]:
    """(bytes, hash) of the leaves from one place up to (not with) another, in order, as they are stored."""
    rows = session.execute(sa.select(Leaf.encoded, Leaf.leaf_hash).where(Leaf.seq >= start, Leaf.seq < end)
                           .order_by(Leaf.seq))
    return [(row.encoded, row.leaf_hash) for row in rows]


def published_size() -> int:
    """How many leaves the last published checkpoint covers: a leaf before that place is published."""
    return session.execute(sa.select(sa.func.coalesce(sa.func.max(PublishedCheckpoint.size), 0))).scalar_one()


@dataclass(frozen=True, slots=True)
class File:
    """A published file: its bytes, and whether they will never be others."""

    data: bytes
    is_for_ever: bool


_PUBLISHED = re.compile(
    r"checkpoint|log\.vkey|policy|verify/verify\.py(\.sha256)?"
    r"|(?P<forever>(schema|accounts)/v1\.json|balances/[1-9][0-9]{0,18}\.json|history/[1-9][0-9]{0,18}|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/){0,6}[0-9]{3}"
    r"(\.p/[1-9][0-9]{0,2})?)")


def published_file(path: str) -> File:
    """A file of the published log by its name. Raises NotFound, OutsideDown."""
    known = _PUBLISHED.fullmatch(path)
    found = storage.read(path) if known else None
    if found is None or known is None:
        raise NotFound("no such file of the log")
    return File(found.data, known["forever"] is not None)


def receipt_of(index: int) -> bytes:
    """The receipt (tlog-proof) of the leaf at a place, under the checkpoint that is published now.

    It is made of the published tiles, as anybody could make it. Raises NotFound for a leaf that is not published yet.
    """
    note = published_file(storage.CHECKPOINT).data
    size = formats.read_checkpoint(formats.read_note(note).text).size
    if index >= size:
        raise NotFound("no checkpoint covers this line yet")
    tree = subtree_from(
        lambda *tile: split(published_file(formats.tile_path(*tile)).data), size)
    return formats.receipt(index, inclusion_proof(index, size, tree), note)


def id_at(seq: int) -> uuid.UUID | None:
    """The id of the leaf at a place, if there is one."""
    return session.scalar(sa.select(Leaf.id).where(Leaf.seq == seq))


def known_id(leaf_id: uuid.UUID) -> uuid.UUID | None:
    """The id, if a leaf has it."""
    return session.scalar(sa.select(Leaf.id).where(Leaf.id == leaf_id))
