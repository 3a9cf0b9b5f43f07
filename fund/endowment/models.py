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
    #: These are empty for limits that were set before migration 0024, by one trustee or by the system.
    proposal_id: Mapped[uuid.UUID | None]
    confirmed_by: Mapped[uuid.UUID | None]


class LimitProposal(Model):
    """A year's limit as one trustee proposes it, with all its figures; another trustee's word sets it."""

    __tablename__ = "limit_proposal"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    financial_year: Mapped[str]
    set_on: Mapped[date]
    asked_pence: Mapped[int | None]
    amount_pence: Mapped[int]
    cost_ceiling_basis_points: Mapped[int] = mapped_column(sa.SmallInteger)
    inputs: Mapped[dict[str, Any]]
    inputs_sha256: Mapped[bytes]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


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


class Holding(Model):
    """Something that the endowment is invested in."""

    __tablename__ = "holding"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class HoldingTrade(Model):
    """A purchase or sale that was agreed: its money is kept aside until it ends."""

    __tablename__ = "holding_trade"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    holding_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("holding.id"))
    is_buy: Mapped[bool]
    amount_pence: Mapped[int]
    agreed_on: Mapped[date]
    reference: Mapped[str]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class HoldingTradeEnd(Model):
    """A trade settled, or called off."""

    __tablename__ = "holding_trade_end"

    trade_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("holding_trade.id"), primary_key=True)
    is_settled: Mapped[bool]
    ended_on: Mapped[date]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class HoldingValuation(Model):
    """What a holding was worth on a day, who says so, and in which document; `return_id` is the gain or loss."""

    __tablename__ = "holding_valuation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    holding_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("holding.id"))
    valued_on: Mapped[date]
    value_pence: Mapped[int]
    carried_pence: Mapped[int]
    source: Mapped[str]
    reference: Mapped[str]
    document_sha256: Mapped[bytes]
    return_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("endowment_return.id"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ReclaimReservePolicy(Model):
    """Whether the fund keeps a reserve for owners who come forward; the newest row counts."""

    __tablename__ = "reclaim_reserve_policy"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    is_on: Mapped[bool]
    decided_by: Mapped[uuid.UUID | None]
    leaf_id: Mapped[uuid.UUID]
    decided_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ReclaimPayment(Model):
    """What an owner is to be paid back, kept aside until it is paid or called off. No person is named."""

    __tablename__ = "reclaim_payment"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    amount_pence: Mapped[int]
    agreed_on: Mapped[date]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ReclaimPaymentEnd(Model):
    """A payment to an owner made, or called off."""

    __tablename__ = "reclaim_payment_end"

    payment_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("reclaim_payment.id"), primary_key=True)
    is_paid: Mapped[bool]
    ended_on: Mapped[date]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ReserveChange(Model):
    """A trustee's proposal to top the reserve up, or to release some of it."""

    __tablename__ = "reserve_change"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    amount_pence: Mapped[int]
    proposed_by: Mapped[uuid.UUID]
    proposed_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ReserveChangeApproval(Model):
    """Another trustee's approval of it, with the entry that moved the money."""

    __tablename__ = "reserve_change_approval"

    change_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("reserve_change.id"), primary_key=True)
    approved_by: Mapped[uuid.UUID]
    entry_id: Mapped[uuid.UUID]
    approved_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class ProposalEnd(Model):
    """A trustee's word that nobody is to agree to a proposal any more: their own, or another trustee's."""

    __tablename__ = "proposal_end"

    kind: Mapped[str] = mapped_column(primary_key=True)
    proposal_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    ended_by: Mapped[uuid.UUID]
    ended_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class PriceMonth(Model):
    """The price index of a month after the table that comes with the fund, in tenths, with its source."""

    __tablename__ = "price_month"

    month: Mapped[date] = mapped_column(primary_key=True)
    tenths: Mapped[int] = mapped_column(sa.Integer)
    source: Mapped[str]
    leaf_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
