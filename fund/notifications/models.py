"""The table of messages."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Message(Model):
    """One letter to one address: waiting, sent, or ended without being sent."""

    __tablename__ = "message"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[uuid.UUID | None]
    address: Mapped[str]
    template: Mapped[str]
    language: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sealed: Mapped[bytes | None]
    useless_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    sent_at: Mapped[datetime | None]
    ended_as: Mapped[str | None]
