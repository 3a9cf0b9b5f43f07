"""What of the return is spent: the rule that trustees choose, the year's limit, drawdowns and budgets.

Section 104A of the Charities Act 2011 and the Charities (Total Return) Regulations 2013 (amended 2018 and 2023) let
trustees allocate unapplied total return to the trust for application, at their discretion and even-handed between
present and future beneficiaries. Here a published rule bounds that discretion, and the real value of all gifts bounds
the rule.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.actions.proposals import to_be_settled
from fund.endowment.models import (
    Drawdown,
    LimitProposal,
    PriceMonth,
    RecoveryPlan,
    RecoveryPlanConfirmation,
    RunningCostBudget,
    SpendingLimit,
    SpendingRuleChoice,
)
from fund.endowment.rules.given import allow, key, same, text, trustee
from fund.kernel import clock, ids
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, NotFound, refuse_if
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import rules as accounts
from fund.transparency import formats
from fund.transparency.actions import append, record_act


def choose_rule(actor: Actor, financial_year: str, *, rule: str, parameters: Mapping[str, int]) -> SpendingRuleChoice:
    """Choose the rule by which limits are set from a financial year on, until another is chosen.

    The choice is a public record with the rule's version and its figures. What was chosen last for the year, chosen
    again (a button pressed twice), stands as it is. Raises BadInput for a rule or a figure that there is not, Refused
    where the year's limit is set already.
    """
    allow(actor, rules.SPENDERS)
    _check_year(financial_year)
    chosen = rules.choice_of(rule, parameters)
    queries.wait_for_year(financial_year)
    refuse_if(rules.reasons_far_from(financial_year, clock.today())
              + rules.reasons_not_to_choose_rule(queries.limit_is_set(financial_year)))
    last = queries.choice_for(financial_year)
    if last is not None and (last.financial_year, last.rule, last.rule_version, last.parameters) == (
            financial_year, chosen.rule.name, chosen.rule.version, dict(chosen.parameters)):
        return last
    row = SpendingRuleChoice(id=ids.new_id(), financial_year=financial_year, rule=chosen.rule.name,
                             rule_version=chosen.rule.version, parameters=dict(chosen.parameters),
                             chosen_by=actor.person_id, leaf_id=ids.new_id())
    session.add(row)
    record_act(actor, "choose_spending_rule", "spending_rule_choice", row.id, rule=chosen.rule.name,
               rule_version=chosen.rule.version, financial_year=financial_year)
    append("spending_rule_chosen", {
        "financial_year": financial_year, "rule": chosen.rule.name, "rule_version": chosen.rule.version,
        "parameters": dict(chosen.parameters), "capacity": actor.capacity.value},
        idem_key=f"spending_rule/{row.id}", leaf_id=row.leaf_id)
    return row


def propose_recovery_plan(actor: Actor, financial_year: str, *, words: str, back_by: date) -> RecoveryPlan:
    """Write how the endowment will get back above what was given; it counts when another trustee confirms it."""
    proposed_by = trustee(actor)
    _check_year(financial_year)
    words = text(words, "words", 2_000)
    refuse_if(rules.reasons_far_from(financial_year, clock.today())
              + rules.reasons_not_to_choose_rule(queries.limit_is_set(financial_year)))
    if back_by <= clock.today():
        raise BadInput(_("Give a day that is still to come."), field="back_by")
    plan = RecoveryPlan(id=ids.new_id(), financial_year=financial_year, words=words, back_by=back_by,
                        proposed_by=proposed_by)
    session.add(plan)
    record_act(actor, "propose_recovery_plan", "recovery_plan", plan.id, financial_year=financial_year)
    return plan


def confirm_recovery_plan(actor: Actor, plan_id: uuid.UUID) -> RecoveryPlanConfirmation:
    """Confirm another trustee's recovery plan, which is public from then on: the leaf holds the hash of its words.

    Raises Refused for one's own plan, and for a year whose limit is set already.
    """
    confirmed_by = trustee(actor)
    plan = session.get(RecoveryPlan, plan_id)
    if plan is None:
        raise NotFound
    proposal = to_be_settled("plan", plan_id)
    refuse_if(rules.reasons_ended(plan.proposed_by, confirmed_by, proposal.ended_by)
              or rules.reasons_not_to_confirm_plan(plan.proposed_by, confirmed_by, proposal.is_agreed,
                                                   queries.limit_is_set(plan.financial_year)))
    row = RecoveryPlanConfirmation(plan_id=plan.id, confirmed_by=confirmed_by, leaf_id=ids.new_id())
    session.add(row)
    record_act(actor, "confirm_recovery_plan", "recovery_plan", plan.id, financial_year=plan.financial_year)
    append("recovery_plan_recorded", {
        "financial_year": plan.financial_year, "back_by": plan.back_by.isoformat(), "trustees": 2,
        "words_sha256": hashlib.sha256(plan.words.encode()).hexdigest()},
        idem_key=f"recovery_plan/{plan.id}", leaf_id=row.leaf_id)
    return row


def propose_spending_limit(actor: Actor, financial_year: str, *, set_on: date, asked_pence: int | None = None,
                           cost_ceiling_basis_points: int = rules.COST_CEILING_BASIS_POINTS) -> LimitProposal:
    """Propose what a year may spend: what the chosen rule gives, or all unapplied return where that is less.

    Another trustee's word sets it (`confirm_spending_limit`), as long as nothing of it changed. Trustees may ask for
    less (`asked_pence`), never for more. The proposal that stands, again by the same trustee, stays as it is. Raises
    Refused while a deficit stands, and where the endowment would be left with less than the real value of all gifts
    unless two trustees recorded a recovery plan for the year.
    """
    proposed_by = trustee(actor)
    _check_year(financial_year)
    queries.wait_for_year(financial_year)
    facts = queries.limit_facts(financial_year, set_on, asked_pence)
    refuse_if(rules.reasons_not_in_turn(financial_year, queries.last_year_with_a_limit())
              + rules.reasons_not_yet(set_on, clock.today()) + rules.reasons_not_to_set_limit(facts))
    inputs, inputs_sha256 = _inputs(facts, cost_ceiling_basis_points)
    standing = queries.proposed_limits().get(financial_year)
    if standing is not None and (standing.inputs_sha256, standing.set_on, standing.proposed_by) == (
            inputs_sha256, set_on, proposed_by):
        return standing
    proposal = LimitProposal(
        id=ids.new_id(), financial_year=financial_year, set_on=set_on, asked_pence=asked_pence,
        amount_pence=facts.amount_pence, cost_ceiling_basis_points=cost_ceiling_basis_points, inputs=inputs,
        inputs_sha256=inputs_sha256, proposed_by=proposed_by)
    session.add(proposal)
    record_act(actor, "propose_spending_limit", "limit_proposal", proposal.id, amount_pence=proposal.amount_pence)
    return proposal


def confirm_spending_limit(actor: Actor, proposal_id: uuid.UUID) -> SpendingLimit:
    """Confirm another trustee's limit, which sets it: one a year, with all that it was worked out from in the leaf.

    The leaf commits to who both were (`approved_by`) and names neither. Raises Refused for one's own proposal, for one
    whose figures changed since, and for whatever refuses a limit.
    """
    confirmed_by = trustee(actor)
    year = queries.limit_proposal(proposal_id)[0].financial_year
    queries.wait_for_year(year)
    queries.wait_for_proposal(proposal_id)
    proposal, proposer_is_trustee, is_newest, ended_by = queries.limit_proposal(proposal_id)
    refuse_if(rules.reasons_ended(proposal.proposed_by, confirmed_by, ended_by))
    facts = queries.limit_facts(year, proposal.set_on, proposal.asked_pence)
    inputs, inputs_sha256 = _inputs(facts, proposal.cost_ceiling_basis_points)
    refuse_if(rules.reasons_not_to_confirm_limit(
        facts, proposed_by=proposal.proposed_by, person_id=confirmed_by,
        same_figures=rules.same_figures(facts, proposal.inputs),
        proposer_is_trustee=proposer_is_trustee, is_newest=is_newest))
    ledger.open_standing_accounts()
    ledger.open_account(accounts.drawdown_limit(year), name=f"Limit for {year}")
    plan = queries.confirmed_plan(year) if facts.breaches_floor else None
    limit = SpendingLimit(
        id=ids.new_id(), financial_year=year, rule=facts.choice.rule.name, rule_version=facts.choice.rule.version,
        rate_basis_points=facts.choice.parameters["rate"], parameters=dict(facts.choice.parameters),
        cost_ceiling_basis_points=proposal.cost_ceiling_basis_points, inputs=inputs, inputs_sha256=inputs_sha256,
        rule_pence=facts.rule_pence, amount_pence=facts.amount_pence, value_pence=facts.value_pence,
        floor_pence=facts.floor_pence, plan_id=plan.id if plan else None, set_on=proposal.set_on,
        proposal_id=proposal.id, confirmed_by=confirmed_by, entry_id=ids.new_id())
    session.add(limit)
    record_act(actor, "confirm_spending_limit", "spending_limit", limit.id, amount_pence=limit.amount_pence)
    ledger.post("spending_rule_set", accounts.spending_rule_set(limit.amount_pence, year), effective_on=limit.set_on,
                idem_key=f"spending_limit/{year}", entry_id=limit.entry_id,
                relates_to=[plan.leaf_id] if plan else [], params={**inputs, "inputs_sha256": inputs_sha256.hex()},
                commitments={"approved_by": [str(proposal.proposed_by), str(confirmed_by)]})
    return limit


def _inputs(facts: rules.LimitFacts, cost_ceiling_basis_points: int) -> tuple[dict[str, Any], bytes]:
    """All that a limit is worked out from, and its hash."""
    inputs = {**facts.said(), "cost_ceiling_basis_points": cost_ceiling_basis_points}
    return inputs, hashlib.sha256(formats.canonical(inputs)).digest()


def record_price(actor: Actor, *, month: date, tenths: int, source: str) -> PriceMonth:
    """Record the price index of the next month (its first day, in tenths), by which gifts are kept at their worth.

    The same again gives the row that stands. Raises Refused for another month than the next one, and for one that is
    not over.
    """
    allow(actor, rules.KEEPERS)
    source = text(source, "source", 200)
    found = session.get(PriceMonth, month)
    if found is not None:
        return same(found, {"tenths": tenths, "source": source})
    known = queries.prices()
    earlier, last = (rules.Level(each, known[each]) for each in sorted(known)[-2:])
    refuse_if(rules.reasons_not_to_record_price(month, tenths, last, earlier, clock.today()))
    row = PriceMonth(month=month, tenths=tenths, source=source, leaf_id=ids.new_id())
    session.add(row)
    record_act(actor, "record_price", "price_month", row.leaf_id, month=f"{month:%Y-%m}", tenths=tenths)
    append("price_recorded", {"series": rules.SERIES, "month": f"{month:%Y-%m}", "tenths": tenths, "source": source},
           idem_key=f"price/{month:%Y-%m}", leaf_id=row.leaf_id)
    return row


def _check_year(financial_year: str) -> None:
    try:
        rules.first_day(financial_year)
    except ValueError:
        raise BadInput(_("Write the year like 2026-27."), field="financial_year") from None


def draw_down(actor: Actor, *, amount_pence: int, financial_year: str, drawn_on: date, reference: str) -> Drawdown:
    """Make part of a year's limit spendable. The same reference and drawdown again gives the one that stands."""
    allow(actor, rules.SPENDERS)
    reference = text(reference, "reference")
    given = {"amount_pence": amount_pence, "financial_year": financial_year, "drawn_on": drawn_on}
    found = session.scalars(sa.select(Drawdown).where(Drawdown.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given)
    refuse_if(rules.reasons_not_yet(drawn_on, clock.today()) + rules.reasons_not_to_draw_down(
        amount_pence, queries.limit_left_pence(financial_year), financial_year, drawn_on))
    row = Drawdown(id=ids.new_id(), reference=reference, entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, "draw_down", "drawdown", row.id, amount_pence=amount_pence)
    ledger.post("drawdown", accounts.drawdown(amount_pence, financial_year), effective_on=drawn_on,
                idem_key=key("drawdown", reference), entry_id=row.entry_id,
                relates_to=[queries.spending_limit(financial_year).entry_id])
    return row


def budget_running_costs(actor: Actor, *, amount_pence: int, financial_year: str, set_on: date,
                         reference: str) -> RunningCostBudget:
    """Set spendable money by for a year's running costs and panel pay, within the published ceiling."""
    allow(actor, rules.SPENDERS)
    reference = text(reference, "reference")
    given = {"amount_pence": amount_pence, "financial_year": financial_year, "set_on": set_on}
    found = session.scalars(sa.select(RunningCostBudget)
                            .where(RunningCostBudget.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given)
    limit = queries.spending_limit(financial_year)
    refuse_if(rules.reasons_not_yet(set_on, clock.today()) + rules.reasons_not_to_budget_costs(
        amount_pence, queries.budgeted_pence(financial_year), limit.amount_pence, limit.cost_ceiling_basis_points))
    ledger.open_account(accounts.running_costs(financial_year), name=f"Running costs {financial_year}")
    row = RunningCostBudget(id=ids.new_id(), reference=reference, entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, "budget_running_costs", "running_cost_budget", row.id, amount_pence=amount_pence)
    ledger.post("operating_budget", accounts.operating_budget(amount_pence, financial_year), effective_on=set_on,
                idem_key=key("running_costs", reference), entry_id=row.entry_id, relates_to=[limit.entry_id])
    return row
