"""The tables of the public record."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Act(Model):
    """One thing that somebody did: the audit trail. Append-only; ids and codes, nothing personal."""

    __tablename__ = "act"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    person_id: Mapped[uuid.UUID | None]
    seat_id: Mapped[uuid.UUID | None]
    capacity: Mapped[str]
    verb: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[uuid.UUID]
    application_id: Mapped[uuid.UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Leaf(Model):
    """One line of the public log. Read only: `actions.append` and the ledger's posting write it by statement."""

    __tablename__ = "leaf"
    __table_args__ = {"schema": "log"}

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[uuid.UUID]
    kind: Mapped[str]
    idem_key: Mapped[str]
    request_hash: Mapped[bytes]
    recorded_at: Mapped[datetime]
    encoded: Mapped[bytes] = mapped_column("bytes")
    leaf_hash: Mapped[bytes] = mapped_column(sa.Computed("sha256('\\x00'::bytea || bytes)"))


class Head(Model):
    """How many leaves there are: one row, written by the functions that write leaves."""

    __tablename__ = "log_head"
    __table_args__ = {"schema": "log"}

    one: Mapped[bool] = mapped_column(primary_key=True)
    size: Mapped[int]


class Commitment(Model):
    """What opens one commitment of one leaf. Deleting the row makes the commitment unreadable for ever."""

    __tablename__ = "commitment"
    __table_args__ = {"schema": "log"}

    leaf_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    pointer: Mapped[str]


class PublishedCheckpoint(Model):
    """A checkpoint that was published: how many leaves it covers, and who cosigned it. The files are the truth."""

    __tablename__ = "published_checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_seq: Mapped[int] = mapped_column(sa.Computed("size - 1"))
    root: Mapped[bytes]
    cosigned_by: Mapped[list[str]] = mapped_column(postgresql.ARRAY(sa.Text))
    published_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
