"""The tables of rounds. Keys, checks and triggers stand in migrations/versions/0007_applications.py."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class FormVersion(Model):
    """A published version of a form."""

    __tablename__ = "form_version"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    definition: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Round(Model):
    """A published call for applications in one neighbourhood."""

    __tablename__ = "round"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    reference: Mapped[str] = mapped_column(unique=True)
    neighbourhood_id: Mapped[uuid.UUID]
    form_version_id: Mapped[uuid.UUID]
    title: Mapped[str]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime | None]
    rules: Mapped[dict[str, Any]]
    published_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Criterion(Model):
    """What readers score, and how much it weighs; frozen with its round."""

    __tablename__ = "criterion"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    round_id: Mapped[uuid.UUID]
    position: Mapped[int] = mapped_column(sa.SmallInteger)
    name: Mapped[str]
    question: Mapped[str]
    weight: Mapped[int] = mapped_column(sa.SmallInteger)
