"""Pages about decisions: the panel's sitting and its closing, the public page of each decision, the applicant's own."""

import uuid
from typing import Any

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask_login import current_user

from fund.applications import queries as applications
from fund.decisions import actions, queries, rules
from fund.decisions.forms import CloseForm, JoinForm, PotForm, reasons_form
from fund.decisions.queries import pages
from fund.decisions.queries.pages import SittingPage
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound
from fund.panels import actions as panels_actions
from fund.panels import queries as panels
from fund.panels.forms import field_name, interests_form
from fund.panels.queries import pages as panels_pages
from fund.rounds import queries as rounds
from fund.settings import settings
from fund.web import access, headers

blueprint = Blueprint("decisions", __name__)
blueprint.add_app_template_filter(pages.score_words, "score")
blueprint.add_app_template_filter(pages.median_words, "median")
blueprint.add_app_template_filter(pages.outcome_words, "outcome")


def _member(page: SittingPage) -> Actor:
    return access.actor(Capacity.CHAIR if page.is_chair else Capacity.READER, page.seat_id)


@blueprint.get("/panel/sittings/<uuid:sitting_id>")
@access.seat
def sitting(sitting_id: uuid.UUID) -> Any:
    """A sitting as its panel sees it: who is how far, who takes part, what is left; afterwards what was decided."""
    page = pages.sitting_page(current_user.id, sitting_id)
    if page.is_closed:
        return render_template("decisions/result.html", page=page, decided=pages.decided_lines(sitting_id))
    return render_template("decisions/sitting.html", page=page, lines=pages.application_lines(sitting_id),
                           members=panels_pages.members_of(page.panel_id),
                           views=panels_pages.member_views(current_user.id, sitting_id),
                           standings=panels_pages.standings(sitting_id))


@blueprint.route("/panel/sittings/<uuid:sitting_id>/join", methods=["GET", "POST"])
@access.seat
def join(sitting_id: uuid.UUID) -> Any:
    """Take part in the decision: say of every application what ties me to it, and press."""
    page = pages.sitting_page(current_user.id, sitting_id)
    views = panels_pages.member_views(current_user.id, sitting_id)
    unsaid = [view for view in views if view.consequence is None]
    form = interests_form([(v.reference, f"{v.title} ({v.group})", None) for v in unsaid]) if unsaid else JoinForm()
    if form.validate_on_submit():
        member = _member(page)
        for view in unsaid:
            panels_actions.declare_interest(member, view.application_id, answer=form[field_name(view.reference)].data)
        actions.join(member, sitting_id)
        return redirect(url_for("decisions.sitting", sitting_id=sitting_id))
    return form.page("decisions/join.html", page=page, unsaid=unsaid, field_name=field_name)


@blueprint.route("/panel/sittings/<uuid:sitting_id>/pot", methods=["GET", "POST"])
@access.seat
def pot(sitting_id: uuid.UUID) -> Any:
    """How much of the panel's money goes into this sitting: the chair says it once, before anybody has scored."""
    page = pages.sitting_page(current_user.id, sitting_id)
    if not page.is_chair:
        raise Forbidden
    form = PotForm()
    if form.validate_on_submit():
        try:
            panels_actions.set_pot(_member(page), sitting_id, pot_pence=form.pot.data or 0)
        except BadInput as error:
            form.blame(error)
        else:
            return redirect(url_for("decisions.sitting", sitting_id=sitting_id))
    return form.page("decisions/pot.html", page=page)


@blueprint.route("/panel/applications/<reference>/reasons", methods=["GET", "POST"])
@access.seat
def reasons(reference: str) -> Any:
    """The panel's agreed reasons for one application: what the group will be told."""
    view = panels_pages.member_view(current_user.id, reference)
    if not view.writes_reasons:
        raise Forbidden
    criteria, agreed = rounds.round(view.round_id).criteria, queries.agreed_reasons(view.application_id)
    form = reasons_form([(c.position, f"{c.name}: {c.question}", agreed[c.id].reason if c.id in agreed else "")
                         for c in criteria])
    if form.validate_on_submit():
        member = access.actor(Capacity.CHAIR if view.is_chair else Capacity.READER, view.seat_id)
        actions.agree_reasons(member, view.application_id,
                              {c.id: form[f"reason_{c.position}"].data for c in criteria})
        return redirect(url_for("decisions.sitting", sitting_id=view.sitting_id))
    shown = panels_pages.locked_scores(view) if view.is_revealed else []
    return form.page("decisions/reasons.html", view=view, criteria=criteria, shown=shown)


@blueprint.route("/panel/sittings/<uuid:sitting_id>/close", methods=["GET", "POST"])
@access.seat
def close(sitting_id: uuid.UUID) -> Any:
    """What the rule gives, shown before it stands, and the chair's press that makes it stand."""
    page = pages.sitting_page(current_user.id, sitting_id)
    if not page.is_chair:
        raise Forbidden
    if page.is_closed:
        return redirect(url_for("decisions.sitting", sitting_id=sitting_id))
    form = CloseForm()
    if form.validate_on_submit():
        actions.close_sitting(_member(page), sitting_id)
        return redirect(url_for("decisions.sitting", sitting_id=sitting_id))
    ready = queries.ready_sitting(panels.sitting(sitting_id))
    return form.page("decisions/close.html", page=page, reasons=ready.reasons_not_to_close(),
                     preview=pages.preview_for(page.seat_id, ready), available=ready.available_pence,
                     rule=rules.rule_text())


@blueprint.get("/decisions/<uuid:decision_id>")
@access.public
def decision(decision_id: uuid.UUID) -> Any:
    """How it was decided, for anybody."""
    return render_template("decisions/decision.html", how=queries.how_it_was_decided(decision_id),
                           rule=rules.rule_text(), interests_words=pages.interests_words)


@blueprint.get("/decisions/sittings/<uuid:sitting_id>.json")
@access.public
def open_data(sitting_id: uuid.UUID) -> Any:
    """A sitting's data, from which anybody works out its decisions again."""
    said = {"rehearsal": headers.REHEARSAL} if settings().rehearsal else {}
    return jsonify(said | queries.open_data(sitting_id))


@blueprint.get("/decisions/rule")
@access.public
def rule() -> Any:
    """The published rule."""
    return render_template("decisions/rule.html", rule=rules.rule_text(), version=rules.RULE_VERSION)


@blueprint.get("/applications/<reference>/decision")
@access.signed_in
def own(reference: str) -> Any:
    """The applicant's own decision, with the panel's reasons and what to do next."""
    application = applications.application_for(current_user.id, reference)
    made = queries.decision_of(application.id)
    if made is None:
        raise NotFound("not decided yet")
    return render_template("decisions/own.html", application=application, how=queries.how_it_was_decided(made.id))
