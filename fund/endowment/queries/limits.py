"""What is known when a year's limit is to be set: the rule in force, past values, prices, gifts, recovery plans."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import rules
from fund.endowment.models import (
    LimitProposal,
    PriceMonth,
    ProposalEnd,
    RecoveryPlan,
    RecoveryPlanConfirmation,
    SpendingLimit,
    SpendingRuleChoice,
)
from fund.endowment.queries.proposals import has_ended
from fund.endowment.queries.records import worth
from fund.endowment.queries.reserve import proposed_changes
from fund.endowment.rules import Choice, Inputs, LimitFacts
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
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


def choice_for(financial_year: str) -> SpendingRuleChoice | None:
    """What trustees chose last for a year or for one before it, if they ever chose."""
    return session.scalars(
        sa.select(SpendingRuleChoice).where(SpendingRuleChoice.financial_year <= financial_year)
        .order_by(SpendingRuleChoice.financial_year.desc(), SpendingRuleChoice.chosen_at.desc()).limit(1)).first()


def rule_for(financial_year: str) -> Choice:
    """The rule in force in a year: what trustees chose last for it or for a year before, else the rule that the fund
    began with."""
    row = choice_for(financial_year)
    return rules.DEFAULT_CHOICE if row is None else rules.choice_of(row.rule, row.parameters, row.rule_version)


def prices() -> dict[date, int]:
    """The price index in tenths, by month: the table that comes with the fund, and what was recorded since."""
    rows = session.execute(sa.select(PriceMonth.month, PriceMonth.tenths).order_by(PriceMonth.month))
    return {**rules.INDEX, **{row.month: row.tenths for row in rows}}


def limits_of(financial_years: Collection[str]) -> dict[str, int]:
    """The limits of those of the years that have one, in pence, by year."""
    rows = session.execute(
        sa.select(SpendingLimit.financial_year, SpendingLimit.amount_pence)
        .where(SpendingLimit.financial_year.in_(financial_years)).order_by(SpendingLimit.financial_year))
    return {row.financial_year: row.amount_pence for row in rows}


def limit_facts(financial_year: str, set_on: date, asked_pence: int | None = None,
                recovery_plans: Sequence["Plan"] | None = None) -> LimitFacts:
    """What is known when a year's limit is to be set on a day; with the year's recovery plans, where they are known."""
    index = prices()
    latest = rules.latest_known(set_on, index)
    before = rules.year_ago(latest, index) if latest is not None else None
    known = (latest.tenths, before.tenths) if latest is not None and before is not None else (1, 1)
    moved = ledger.moved_by_day()
    today, *year_ends = rules.values_on(moved.items(), [set_on, *rules.year_ends_before(financial_year)])
    # At the last three year ends at which there was any endowment, or, where there was none yet, on the day.
    values = [value for value in year_ends if value.value_pence > 0] or [today]
    year_before = rules.year_before(financial_year)
    limits = limits_of([year_before, financial_year])
    recovery, now = confirmed_plan(financial_year, recovery_plans), worth(rules.total_return(moved.items()))
    return LimitFacts(
        financial_year, set_on, financial_year in limits, now.deficit_pence, now.unapplied_pence,
        rule_for(financial_year), Inputs(values, limits.get(year_before), *known), today.value_pence,
        rules.floor_of(ledger.capital_by_day(set_on), latest, index), latest, before,
        recovery.id if recovery else None, asked_pence)


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
    """The recovery plans of a year (of all without one) that nobody took back or turned down, the newest first."""
    found = _PLANS if financial_year is None else _PLANS.where(RecoveryPlan.financial_year == financial_year)
    return [Plan(*row) for row in session.execute(found.where(~has_ended("plan", RecoveryPlan.id)))]


def plan(plan_id: uuid.UUID) -> Plan:
    """The recovery plan with this id. Raises NotFound."""
    row = session.execute(_PLANS.where(RecoveryPlan.id == plan_id)).one_or_none()
    if row is None:
        raise NotFound
    return Plan(*row)


def confirmed_plan(financial_year: str, known: Sequence[Plan] | None = None) -> Plan | None:
    """The newest recovery plan of a year that two trustees recorded, if there is one; among those that are known."""
    found = plans(financial_year) if known is None else known
    return next((one for one in found if one.leaf_id is not None), None)


def last_year_with_a_limit() -> str:
    """The latest year for which a limit is set; nothing while none is."""
    return session.scalar(sa.select(sa.func.max(SpendingLimit.financial_year))) or ""


def limit_proposal(proposal_id: uuid.UUID) -> tuple[LimitProposal, bool, bool, uuid.UUID | None]:
    """The proposed limit with this id, whether whoever proposed it is a trustee still, whether it is the newest of its
    year, and who ended it. Raises NotFound."""
    other = sa.orm.aliased(LimitProposal)
    newest = sa.select(other.id).where(other.financial_year == LimitProposal.financial_year).order_by(
        other.proposed_at.desc(), other.id).limit(1).scalar_subquery()
    row = session.execute(
        sa.select(LimitProposal, sa.func.staff_holds(LimitProposal.proposed_by, Capacity.TRUSTEE.value),
                  LimitProposal.id == newest, ProposalEnd.ended_by)
        .outerjoin(ProposalEnd, sa.and_(ProposalEnd.kind == "limit", ProposalEnd.proposal_id == LimitProposal.id))
        .where(LimitProposal.id == proposal_id)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1], row[2], row[3]


def proposed_limits() -> dict[str, LimitProposal]:
    """What is proposed for each year that has no limit yet: the newest proposal, unless it has ended. An older one does
    not come back with its end."""
    has_one = sa.exists().where(SpendingLimit.financial_year == LimitProposal.financial_year)
    found = session.execute(sa.select(LimitProposal, has_ended("limit", LimitProposal.id)).where(~has_one).order_by(
        LimitProposal.financial_year, LimitProposal.proposed_at, LimitProposal.id.desc()))
    newest = {one.financial_year: (one, ended) for one, ended in found}
    return {year: one for year, (one, ended) in newest.items() if not ended}


def waiting_for(person_id: uuid.UUID, capacities: Collection[Capacity]) -> list[Waiting]:
    """What waits for a trustee: this year's limit, when nobody proposed one; a limit, a plan or a change of the reserve
    that is another's, for whatever year."""
    if Capacity.TRUSTEE not in capacities:
        return []
    year, waiting = rules.financial_year(clock.today()), []
    is_set, proposed = limit_is_set(year), proposed_limits()
    if not is_set and year not in proposed:
        waiting.append(Waiting(_("Propose how much may be spent in %(year)s.", year=year), "endowment.spending",
                               {"financial_year": year}, button=_("See what the rule gives")))
    waiting += [
        Waiting(_("Read another trustee's limit for %(year)s, and confirm it or not.", year=one.financial_year),
                "endowment.confirm_limit", {"proposal_id": one.id}, button=_("Read the limit"))
        if one.proposed_by != person_id else
        Waiting(_("Another trustee reads the limit that you proposed for %(year)s.", year=one.financial_year),
                "endowment.confirm_limit", {"proposal_id": one.id}, whose=_("another trustee"))
        for one in proposed.values()]
    waiting += [
        Waiting(_("Read what another trustee would change of the reserve for owners, and approve it or not."),
                "endowment.approve_change", {"change_id": one.id}, button=_("Read the change"))
        for one in proposed_changes() if one.proposed_by != person_id]
    return waiting + [
        Waiting(_("Read another trustee's recovery plan for %(year)s, and confirm it or not.",
                  year=one.financial_year),
                "endowment.confirm_plan", {"plan_id": one.id}, button=_("Read the plan"))
        for one in plans() if one.leaf_id is None and one.proposed_by != person_id
        and one.financial_year >= year and not (is_set and one.financial_year == year)]
