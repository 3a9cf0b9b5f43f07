"""The tables of decisions. Their keys, checks and triggers stand in migrations/versions/0009_decisions.py."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

_NOW: dict[str, Any] = {"server_default": sa.func.clock_timestamp()}


class Attendance(Model):
    """A member takes part in a sitting's decision."""

    __tablename__ = "attendance"

    sitting_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seat_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    joined_at: Mapped[datetime] = mapped_column(**_NOW)


class AgreedReason(Model):
    """What the panel tells the applicant about one criterion. The newest version counts."""

    __tablename__ = "agreed_reason"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID]
    criterion_id: Mapped[uuid.UUID]
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str]
    seat_id: Mapped[uuid.UUID]
    agreed_at: Mapped[datetime] = mapped_column(**_NOW)


class Decision(Model):
    """What the panel decided on one application. It stands for ever."""

    __tablename__ = "decision"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    sitting_id: Mapped[uuid.UUID]
    outcome: Mapped[str]
    score_tenths: Mapped[int] = mapped_column(sa.SmallInteger)
    rank: Mapped[int] = mapped_column(sa.SmallInteger)
    amount_pence: Mapped[int]
    present: Mapped[int] = mapped_column(sa.SmallInteger)
    residents: Mapped[int] = mapped_column(sa.SmallInteger)
    leaf_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    decided_at: Mapped[datetime] = mapped_column(**_NOW)


class AwardTakenUp(Model):
    """The award of a decision was offered as a grant: the ledger holds its money now, no more the decision."""

    __tablename__ = "award_taken_up"

    decision_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    taken_up_at: Mapped[datetime] = mapped_column(**_NOW)
