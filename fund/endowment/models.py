"""The endowment's tables: append-only, each row beside the ledger entry that it made (`entry_id` is the leaf's id)."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Tranche(Model):
    """One payment of dormant assets, which is capital for ever."""

    __tablename__ = "tranche"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sender: Mapped[str]
    reference: Mapped[str]
    scheme: Mapped[str]
    amount_pence: Mapped[int]
    reclaim_pence: Mapped[int]
    received_on: Mapped[date]
    document_sha256: Mapped[bytes]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class EndowmentReturn(Model):
    """Income, a gain or a loss of the whole endowment, with its date and source."""

    __tablename__ = "endowment_return"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    amount_pence: Mapped[int]
    earned_on: Mapped[date]
    source: Mapped[str]
    reference: Mapped[str]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class SpendingLimit(Model):
    """What a year may spend, and the inputs from which anybody can work it out again."""

    __tablename__ = "spending_limit"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    rule: Mapped[str]
    rule_version: Mapped[int] = mapped_column(sa.SmallInteger)
    rate_basis_points: Mapped[int] = mapped_column(sa.SmallInteger)
    cost_ceiling_basis_points: Mapped[int] = mapped_column(sa.SmallInteger)
    inputs: Mapped[dict[str, Any]]
    rule_pence: Mapped[int]
    amount_pence: Mapped[int]
    set_on: Mapped[date]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    #: These are empty for limits that were set before migration 0014.
    parameters: Mapped[dict[str, Any] | None]
    value_pence: Mapped[int | None]
    floor_pence: Mapped[int | None]
    inputs_sha256: Mapped[bytes | None]
    plan_id: Mapped[uuid.UUID | None]


class SpendingRuleChoice(Model):
    """The rule that counts from a financial year on, until another is chosen."""

    __tablename__ = "spending_rule_choice"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    rule: Mapped[str]
    rule_version: Mapped[int] = mapped_column(sa.SmallInteger)
    parameters: Mapped[dict[str, Any]]
    chosen_by: Mapped[uuid.UUID | None]
    leaf_id: Mapped[uuid.UUID]
    chosen_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class RecoveryPlan(Model):
    """How the endowment will get back above what was given, in a trustee's words."""

    __tablename__ = "recovery_plan"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    words: Mapped[str]
    back_by: Mapped[date]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class RecoveryPlanConfirmation(Model):
    """Another trustee's word on a recovery plan: from then on it counts, and is public."""

    __tablename__ = "recovery_plan_confirmation"

    plan_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    confirmed_by: Mapped[uuid.UUID]
    leaf_id: Mapped[uuid.UUID]
    confirmed_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Drawdown(Model):
    """Part of a year's limit made spendable."""

    __tablename__ = "drawdown"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    amount_pence: Mapped[int]
    drawn_on: Mapped[date]
    reference: Mapped[str]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class RunningCostBudget(Model):
    """Spendable money set by for a year's running costs and panel pay."""

    __tablename__ = "running_cost_budget"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    amount_pence: Mapped[int]
    set_on: Mapped[date]
    reference: Mapped[str]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
