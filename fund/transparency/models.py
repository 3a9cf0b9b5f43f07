"""The tables of the public record."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
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
