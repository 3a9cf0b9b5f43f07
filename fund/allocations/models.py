"""The tables of allocations. Their keys, checks and triggers stand in migrations/versions/0006."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class AllocationRun(Model):
    """One sharing-out of a pot, with all that it was worked out from. Append-only."""

    __tablename__ = "allocation_run"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    financial_year: Mapped[str]
    rule_version: Mapped[str]
    pot_pence: Mapped[int]
    floor_pence: Mapped[int]
    tie_order: Mapped[str]
    need_versions: Mapped[dict[str, Any]]
    inputs_sha256: Mapped[bytes]
    term_from: Mapped[date]
    term_to: Mapped[date]
    leaf_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Allocation(Model):
    """One place's share of a run: delegated until `term_to`, never lowered. `entry_id` is its entry in the ledger."""

    __tablename__ = "allocation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    run_id: Mapped[uuid.UUID]
    neighbourhood_id: Mapped[uuid.UUID]
    residents: Mapped[int]
    weight: Mapped[int]
    floor_pence: Mapped[int]
    amount_pence: Mapped[int]
    term_to: Mapped[date]
    entry_id: Mapped[uuid.UUID] = mapped_column(unique=True)
