"""What is known when a year's limit is to be set: the rule in force, past values, prices, gifts, recovery plans."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import rules
from fund.endowment.models import RecoveryPlan, RecoveryPlanConfirmation, SpendingLimit, SpendingRuleChoice
from fund.endowment.queries.records import values_on
from fund.endowment.queries.records import worth as worth_now
from fund.endowment.rules import Choice, Inputs, LimitFacts
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.ledger import queries as ledger


def limit_is_set(financial_year: str) -> bool:
    """Whether the year has its limit."""
    return session.execute(
        sa.select(sa.exists().where(SpendingLimit.financial_year == financial_year))).scalar_one()


def choices() -> list[SpendingRuleChoice]:
    """Every choice of a rule, the newest first."""
    return list(session.scalars(sa.select(SpendingRuleChoice).order_by(
        SpendingRuleChoice.financial_year.desc(), SpendingRuleChoice.chosen_at.desc(), SpendingRuleChoice.id)))


def rule_for(financial_year: str) -> Choice:
    """The rule in force in a year: what trustees chose last for it or for a year before, else the rule that the fund
    began with."""
    row = session.scalars(
        sa.select(SpendingRuleChoice).where(SpendingRuleChoice.financial_year <= financial_year)
        .order_by(SpendingRuleChoice.financial_year.desc(), SpendingRuleChoice.chosen_at.desc()).limit(1)).first()
    return rules.DEFAULT_CHOICE if row is None else rules.choice_of(row.rule, row.parameters, row.rule_version)


def previous_limit_pence(financial_year: str) -> int | None:
    """The limit of the year before; None where there was none."""
    return session.execute(sa.select(SpendingLimit.amount_pence).where(
        SpendingLimit.financial_year == rules.year_before(financial_year))).scalar_one_or_none()


def limit_facts(financial_year: str, set_on: date, asked_pence: int | None = None,
                choice: Choice | None = None) -> LimitFacts:
    """What is known when a year's limit is to be set on a day; by another rule than the one in force, if told one."""
    latest = rules.latest_known(set_on)
    before = rules.year_ago(latest) if latest is not None else None
    known = (latest.tenths, before.tenths) if latest is not None and before is not None else (1, 1)
    today, *year_ends = values_on([set_on, *rules.year_ends_before(financial_year)])
    # At the last three year ends at which there was any endowment, or, where there was none yet, on the day.
    values = [value for value in year_ends if value.value_pence > 0] or [today]
    inputs = Inputs(values, previous_limit_pence(financial_year), *known)
    plan, worth = confirmed_plan(financial_year), worth_now()
    return LimitFacts(
        financial_year, set_on, limit_is_set(financial_year), worth.deficit_pence, worth.unapplied_pence,
        choice or rule_for(financial_year), inputs, today.value_pence,
        rules.floor_of(ledger.capital_by_day(set_on), latest), latest, before, plan.id if plan else None, asked_pence)


@dataclass(frozen=True, slots=True)
class Plan:
    """A recovery plan; `leaf_id` is that of its public record, None until another trustee confirmed it."""

    id: uuid.UUID
    financial_year: str
    words: str
    back_by: date
    proposed_by: uuid.UUID
    leaf_id: uuid.UUID | None


_PLANS = (
    sa.select(RecoveryPlan.id, RecoveryPlan.financial_year, RecoveryPlan.words, RecoveryPlan.back_by,
              RecoveryPlan.proposed_by, RecoveryPlanConfirmation.leaf_id)
    .outerjoin(RecoveryPlanConfirmation, RecoveryPlanConfirmation.plan_id == RecoveryPlan.id)
    .order_by(RecoveryPlan.financial_year.desc(), RecoveryPlan.proposed_at.desc(), RecoveryPlan.id))


def plans(financial_year: str | None = None) -> list[Plan]:
    """The recovery plans of a year (of all without one), the newest first."""
    found = _PLANS if financial_year is None else _PLANS.where(RecoveryPlan.financial_year == financial_year)
    return [Plan(*row) for row in session.execute(found)]


def confirmed_plan(financial_year: str) -> Plan | None:
    """The newest recovery plan of a year that two trustees recorded, if there is one."""
    return next((plan for plan in plans(financial_year) if plan.leaf_id is not None), None)


def waiting_for(person_id: uuid.UUID, capacities: Collection[Capacity]) -> list[Waiting]:
    """What waits for a trustee: this year's limit, when there is none, and another trustee's recovery plan."""
    if Capacity.TRUSTEE not in capacities:
        return []
    year = rules.financial_year(clock.today())
    if limit_is_set(year):
        return []
    waiting = [Waiting(_("Set how much may be spent in %(year)s.", year=year), "endowment.overview",
                       button=_("See the endowment"))]
    return waiting + [
        Waiting(_("Read another trustee's recovery plan for %(year)s, and confirm it or not.", year=year),
                "endowment.overview", button=_("See the endowment"))
        for plan in plans(year) if plan.leaf_id is None and plan.proposed_by != person_id]
