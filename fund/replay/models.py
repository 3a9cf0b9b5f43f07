"""How far a rehearsal has come."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class RehearsalStep(Model):
    """One step of one grant that stands: what it made (ids) and how often it called each action."""

    __tablename__ = "rehearsal_step"

    file_sha256: Mapped[bytes] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    made: Mapped[dict[str, Any]] = mapped_column(default=dict)
    calls: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
