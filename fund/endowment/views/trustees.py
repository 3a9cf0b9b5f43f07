"""Pages of trustees: what a year may spend, the rule it follows, and what two decide: limit, plan, reserve."""

import uuid
from dataclasses import replace
from typing import Any, cast

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.endowment import actions, queries, rules
from fund.endowment.forms import LimitForm, PlanForm, ReserveForm, RuleForm, SureForm
from fund.endowment.views import blueprint
from fund.endowment.views.public import rule_words_of
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, NotFound, Refused
from fund.kernel.reasons import Reason
from fund.web import access


def me() -> Actor:
    """The signed-in trustee."""
    return access.actor(Capacity.TRUSTEE)


def _year(financial_year: str) -> str:
    try:
        rules.first_day(financial_year)
    except ValueError:
        raise NotFound from None
    return financial_year


def _to(financial_year: str) -> Response:
    return redirect(url_for("endowment.spending", financial_year=financial_year), 303)


def _compared(facts: rules.LimitFacts) -> dict[str, Any]:
    """The rule in force and the others, each with what it would give this year and how often it lasts."""
    choices, start = rules.beside(facts.choice), rules.start_of(facts)
    return {"choices": choices, "gives": [replace(facts, choice=choice) for choice in choices],
            "found": rules.compare(start, rules.Assumptions(), choices) if start.value_pence else None,
            "percent": rules.percent}


@blueprint.get("/trustees/spending")
@access.staff(Capacity.TRUSTEE)
def spending_now() -> Response:
    """The year that waits for its limit: this one, or the next when this one has it."""
    year = rules.financial_year(clock.today())
    return _to(rules.year_after(year) if queries.limit_is_set(year) else year)


@blueprint.get("/trustees/spending/<financial_year>")
@access.staff(Capacity.TRUSTEE)
def spending(financial_year: str) -> str:
    """What a year may spend as things stand, what stands against it, and what trustees can do."""
    plans = queries.plans(_year(financial_year))
    facts = queries.limit_facts(financial_year, clock.today(), recovery_plans=plans)
    return render_template(
        "endowment/spending.html", facts=facts, reasons=rules.reasons_not_to_set_limit(facts),
        plans=plans, proposal=queries.proposed_limits().get(financial_year),
        me=current_user.id, percent=rules.percent)


def _not_to_choose(facts: rules.LimitFacts) -> list[Reason]:
    return rules.reasons_far_from(facts.financial_year, clock.today()) + rules.reasons_not_to_choose_rule(
        facts.set_already)


@blueprint.route("/trustees/spending/<financial_year>/rule", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def choose_rule(financial_year: str) -> Any:
    """The rules beside each other, and the choice of one."""
    facts, form = queries.limit_facts(_year(financial_year), clock.today()), RuleForm()
    if form.validate_on_submit():
        try:
            actions.choose_rule(me(), financial_year, rule=form.rule.data, parameters=form.parameters())
            return _to(financial_year)
        except (BadInput, Refused) as error:
            form.blame(error)
    return form.page("endowment/choose_rule.html", facts=facts, **_compared(facts), reasons=_not_to_choose(facts))


@blueprint.route("/trustees/spending/<financial_year>/plan", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def write_plan(financial_year: str) -> Any:
    """Write a recovery plan, for another trustee to confirm."""
    facts, form = queries.limit_facts(_year(financial_year), clock.today()), PlanForm()
    if form.validate_on_submit():
        try:
            actions.propose_recovery_plan(me(), financial_year, words=form.words.data, back_by=cast(
                Any, form.back_by.data))
            return _to(financial_year)
        except (BadInput, Refused) as error:
            form.blame(error)
    return form.page("endowment/plan.html", facts=facts, reasons=_not_to_choose(facts))


@blueprint.route("/trustees/plans/<uuid:plan_id>", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def confirm_plan(plan_id: uuid.UUID) -> Any:
    """Read another trustee's recovery plan, and confirm it."""
    plan, form = queries.plan(plan_id), SureForm()
    if form.validate_on_submit():
        actions.confirm_recovery_plan(me(), plan_id)
        return _to(plan.financial_year)
    proposal = queries.proposal("plan", plan_id)
    reasons = (rules.reasons_ended(plan.proposed_by, current_user.id, proposal.ended_by)
               or rules.reasons_not_to_confirm_plan(plan.proposed_by, current_user.id, proposal.is_agreed,
                                                    queries.limit_is_set(plan.financial_year)))
    return form.page("endowment/confirm_plan.html", plan=plan, reasons=reasons, ending=_ending(proposal))


@blueprint.route("/trustees/spending/<financial_year>/limit", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def propose_limit(financial_year: str) -> Any:
    """Propose the year's limit: as much as the rule and the return allow, or less. Another trustee confirms it."""
    facts, form = queries.limit_facts(_year(financial_year), clock.today()), LimitForm()
    if form.validate_on_submit():
        try:
            actions.propose_spending_limit(me(), financial_year, set_on=cast(Any, form.set_on.data),
                                           asked_pence=form.asked.data)
            return _to(financial_year)
        except (BadInput, Refused) as error:
            form.blame(error)
    if not form.is_submitted():
        form.set_on.data = clock.today()
    return form.page("endowment/propose_limit.html", facts=facts, percent=rules.percent,
                     reasons=rules.reasons_not_to_set_limit(facts))


def _rule_words(inputs: dict[str, Any]) -> str:
    return rule_words_of(inputs["rule"], inputs["rule_version"], inputs["parameters"]["rate"])


@blueprint.route("/trustees/limits/<uuid:proposal_id>", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def confirm_limit(proposal_id: uuid.UUID) -> Any:
    """Read the limit that another trustee proposed, with all its figures, and set it by confirming it."""
    (proposal, proposer_is_trustee, is_newest, ended_by), form = queries.limit_proposal(proposal_id), SureForm()
    if form.validate_on_submit():
        actions.confirm_spending_limit(me(), proposal_id)
        return redirect(url_for("endowment.limit", financial_year=proposal.financial_year), 303)
    facts = queries.limit_facts(proposal.financial_year, proposal.set_on, proposal.asked_pence)
    ended = rules.reasons_ended(proposal.proposed_by, current_user.id, ended_by)
    reasons = ended or rules.reasons_not_to_confirm_limit(
        facts, proposed_by=proposal.proposed_by, person_id=current_user.id,
        same_figures=rules.same_figures(facts, proposal.inputs),
        proposer_is_trustee=proposer_is_trustee, is_newest=is_newest)
    return form.page("endowment/confirm_limit.html", proposal=proposal, facts=facts, reasons=reasons,
                     ending=proposal if is_newest and not facts.set_already and ended_by is None else None,
                     percent=rules.percent, series=rules.SERIES, rule_words=_rule_words(proposal.inputs))


@blueprint.route("/trustees/reserve", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def reserve() -> Any:
    """The reserve for owners: what it holds, what waits for a second trustee, and a proposal to change it."""
    form = ReserveForm()
    if form.validate_on_submit():
        try:
            actions.propose_reserve_change(me(), kind=form.kind.data, amount_pence=form.amount.data or 0)
            return redirect(url_for("endowment.reserve"), 303)
        except (BadInput, Refused) as error:
            form.blame(error)
    return form.page("endowment/reserve.html", is_on=queries.reserve_is_on(), held_pence=queries.reserve_pence(),
                     waiting=queries.proposed_changes(), me=current_user.id)


@blueprint.route("/trustees/reserve/<uuid:change_id>", methods=["GET", "POST"])
@access.staff(Capacity.TRUSTEE)
def approve_change(change_id: uuid.UUID) -> Any:
    """Approve another trustee's change of the reserve."""
    change, form = queries.proposed_change(change_id), SureForm()
    if form.validate_on_submit():
        actions.approve_reserve_change(me(), change_id)
        return redirect(url_for("endowment.reserve"), 303)
    proposal = queries.proposal("reserve", change_id)
    reasons = (rules.reasons_ended(change.proposed_by, current_user.id, proposal.ended_by)
               or rules.reasons_not_to_approve_change(change.proposed_by, current_user.id, proposal.is_agreed))
    return form.page("endowment/approve_change.html", change=change, reasons=reasons, ending=_ending(proposal))


def _ending(proposal: queries.Proposal) -> queries.Proposal | None:
    """The proposal, if it can still be taken back or turned down."""
    return None if proposal.is_agreed or proposal.ended_by else proposal


@blueprint.post("/trustees/proposals/<any(limit, plan, reserve):kind>/<uuid:proposal_id>/end")
@access.staff(Capacity.TRUSTEE)
def end_proposal(kind: queries.Kind, proposal_id: uuid.UUID) -> Response:
    """Take back what one proposed, or turn down what another trustee did."""
    actions.end_proposal(me(), kind, proposal_id)
    pages = {"limit": url_for("endowment.confirm_limit", proposal_id=proposal_id),
             "plan": url_for("endowment.confirm_plan", plan_id=proposal_id),
             "reserve": url_for("endowment.approve_change", change_id=proposal_id)}
    return redirect(pages[kind], 303)  # which says what became of it
