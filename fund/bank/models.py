"""Tables of the bank's side. Every row stands for ever; where a batch stands is read from them (migration 0011)."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

_NOW = sa.func.clock_timestamp()


class Batch(Model):
    """A frozen list of releases that goes out in one file."""

    __tablename__ = "batch"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    line_count: Mapped[int] = mapped_column(sa.Integer)
    total_pence: Mapped[int]
    lines_sha256: Mapped[bytes]
    execute_on: Mapped[date]
    made_by: Mapped[uuid.UUID]
    made_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class BatchRow(Model):
    """One release of a batch."""

    __tablename__ = "batch_line"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    release_id: Mapped[uuid.UUID]


class BatchSetAside(Model):
    """A batch that will not be sent, and why."""

    __tablename__ = "batch_set_aside"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    words: Mapped[str]
    set_aside_by: Mapped[uuid.UUID]
    set_aside_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class BatchAuthorisation(Model):
    """A third person's yes, to the total and the hash that their screen showed."""

    __tablename__ = "batch_authorisation"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    total_pence: Mapped[int]
    lines_sha256: Mapped[bytes]
    authorised_by: Mapped[uuid.UUID]
    authorised_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class PaymentFile(Model):
    """The bytes for the bank."""

    __tablename__ = "payment_file"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    encoded: Mapped[bytes] = mapped_column("bytes", deferred=True)
    sha256: Mapped[bytes] = mapped_column(sa.FetchedValue())
    made_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Sending(Model):
    """We began to send a file. Without an end nobody knows whether the bank has it."""

    __tablename__ = "sending"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    by_hand: Mapped[uuid.UUID | None]
    began_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class SendingEnd(Model):
    """What came of it."""

    __tablename__ = "sending_end"

    batch_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attempt: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    outcome: Mapped[str]
    answer: Mapped[str] = mapped_column(default="")
    said_by: Mapped[uuid.UUID | None]
    ended_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Message(Model):
    """A file of the bank's, as it came."""

    __tablename__ = "bank_message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    message_id: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    file_status: Mapped[str] = mapped_column(default="")
    file_reason: Mapped[str] = mapped_column(default="")
    encoded: Mapped[bytes] = mapped_column("bytes", deferred=True)
    received_by: Mapped[uuid.UUID | None]
    received_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class UnreadMessage(Model):
    """A file of the bank's that we could not read, as it came, and why."""

    __tablename__ = "unread_message"

    sha256: Mapped[bytes] = mapped_column(sa.FetchedValue(), primary_key=True)
    encoded: Mapped[bytes] = mapped_column("bytes")
    why: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class UnreadMessageEnd(Model):
    """It was read after all."""

    __tablename__ = "unread_message_end"

    sha256: Mapped[bytes] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class StatusRow(Model):
    """The bank's word on one payment."""

    __tablename__ = "payment_status"

    release_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    bank_message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")


class StatementRow(Model):
    """A statement's balances; `gap_pence` is what its lines leave unexplained."""

    __tablename__ = "statement"

    statement_id: Mapped[str] = mapped_column(primary_key=True)
    bank_message_id: Mapped[uuid.UUID]
    opening_pence: Mapped[int]
    closing_pence: Mapped[int]
    gap_pence: Mapped[int]


class LineRow(Model):
    """One movement that the bank booked."""

    __tablename__ = "statement_line"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[str]
    number: Mapped[int] = mapped_column(sa.Integer)
    is_debit: Mapped[bool]
    amount_pence: Mapped[int]
    booked_on: Mapped[date]
    end_to_end_id: Mapped[str | None]
    bank_reference: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")


class Match(Model):
    """A line and the release that it settled or brought back."""

    __tablename__ = "statement_match"

    statement_line_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    release_id: Mapped[uuid.UUID]
    kind: Mapped[str]
