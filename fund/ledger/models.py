"""The ledger's tables. Their rows are written by the statements of `actions` alone, and never changed."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

SCHEMA = {"schema": "ledger"}


class AccountClass(Model):
    """A sort of account, and the guard that every account of the sort has."""

    __tablename__ = "account_class"
    __table_args__ = SCHEMA

    class_: Mapped[str] = mapped_column("class", primary_key=True)
    prefix: Mapped[str]
    many: Mapped[bool]
    side: Mapped[str]
    guard: Mapped[str]


class PostingRule(Model):
    """One row of the posting matrix."""

    __tablename__ = "posting_rule"
    __table_args__ = SCHEMA

    kind: Mapped[str] = mapped_column(primary_key=True)
    phase: Mapped[str] = mapped_column(primary_key=True)
    debit_class: Mapped[str] = mapped_column(primary_key=True)
    credit_class: Mapped[str] = mapped_column(primary_key=True)
    resolves: Mapped[str | None]


class Account(Model):
    """A ledger account. `opened_seq` is the leaf that opened it."""

    __tablename__ = "account"
    __table_args__ = SCHEMA

    id: Mapped[int] = mapped_column(sa.Integer, sa.Identity(always=True), primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    class_: Mapped[str] = mapped_column("class")
    guard: Mapped[str]
    prefix: Mapped[str] = mapped_column(sa.Computed("split_part(code, '/', 1)"))
    many: Mapped[bool] = mapped_column(sa.Computed("strpos(code, '/') > 0"))
    opened_seq: Mapped[int]


class BalanceRow(Model):
    """The four counters of an account: a cache of its transfers, kept by the function that posts."""

    __tablename__ = "balance"
    __table_args__ = SCHEMA

    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    guard: Mapped[str]
    debits_posted_pence: Mapped[int]
    credits_posted_pence: Mapped[int]
    debits_pending_pence: Mapped[int]
    credits_pending_pence: Mapped[int]


class BalanceSnapshot(Model):
    """The four counters of an account once the entry at a place of the log was recorded."""

    __tablename__ = "balance_snapshot"
    __table_args__ = SCHEMA

    account_id: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    through_seq: Mapped[int] = mapped_column(primary_key=True)
    debits_posted_pence: Mapped[int]
    credits_posted_pence: Mapped[int]
    debits_pending_pence: Mapped[int]
    credits_pending_pence: Mapped[int]


class Entry(Model):
    """One entry: what kind, which day it counts for, what it reverses or relates to. Its leaf has the same `seq`."""

    __tablename__ = "entry"
    __table_args__ = SCHEMA

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    effective_on: Mapped[date]
    reverses: Mapped[int | None]
    relates_to: Mapped[list[uuid.UUID]] = mapped_column(postgresql.ARRAY(postgresql.UUID(as_uuid=True)))


class Transfer(Model):
    """One line of an entry."""

    __tablename__ = "transfer"
    __table_args__ = SCHEMA

    entry_seq: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    kind: Mapped[str]
    phase: Mapped[str]
    debit_id: Mapped[int] = mapped_column(sa.Integer)
    debit_class: Mapped[str]
    credit_id: Mapped[int] = mapped_column(sa.Integer)
    credit_class: Mapped[str]
    amount_pence: Mapped[int]
    pending_seq: Mapped[int | None]
    pending_line: Mapped[int | None] = mapped_column(sa.SmallInteger)


class PeriodClose(Model):
    """The books closed through a day; the leaf with the same `seq` says so."""

    __tablename__ = "period_close"
    __table_args__ = SCHEMA

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    closed_through: Mapped[date]
