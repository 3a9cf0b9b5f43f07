"""Pages of officers, who read evidence, and of approvers, who approve payments."""

import uuid
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.grants import actions, queries, rules
from fund.grants.forms import ApproveForm, ReviewForm
from fund.grants.queries import lists, pages
from fund.grants.rules import StageState
from fund.grants.views import blueprint
from fund.kernel import clock
from fund.kernel.actor import STAFF, Capacity
from fund.kernel.errors import BadInput
from fund.ledger import queries as ledger
from fund.organisations import queries as organisations
from fund.organisations.rules import CHECKS
from fund.web import access, paging
from fund.web.forms import PressForm

PAGE = 50


@blueprint.get("/staff/grants")
@access.staff(*STAFF)
def all_grants() -> str:
    """Where every grant stands: what was paid, what comes next, who does it and by when."""
    everything, today = request.args.get("all") == "1", clock.today()
    after = paging.place_asked_for()
    found = lists.list_of_grants(unfinished=not everything, after=after, most=PAGE + 1)
    last = found[PAGE - 1] if len(found) > PAGE else None
    onward = last and url_for("grants.all_grants", all="1" if everything else None,
                              after=paging.as_text(last.offered_at, last.id))
    return render_template(
        "grants/staff_list.html", rows=[(grant, pages.next_for(grant, today)) for grant in found[:PAGE]],
        everything=everything, first=after is None, onward=onward, sums=dict(ledger.steps_of_a_pound()))


@blueprint.get("/staff/grants/<reference>")
@access.staff(*STAFF)
def staff_grant(reference: str) -> str:
    """One grant as staff follow it: its stages, what comes next and whose it is, and the pages about it."""
    found = queries.grant(reference)
    return render_template(
        "grants/staff_grant.html", grant=found, coming=pages.next_for(found, clock.today()),
        evidence=queries.evidence_of_grant(found.id) if found.signed_at else [],
        reason_words=rules.bank_reason_words, State=StageState)


@blueprint.get("/evidence")
@access.staff(Capacity.OFFICER)
def evidence_queue() -> str:
    """What groups have shown and nobody has read."""
    waiting = queries.stages_in(lists.grants_with_evidence_to_read(), StageState.EVIDENCE_SENT)
    return render_template("grants/evidence_queue.html", waiting=waiting, days=rules.HAND_DAYS, now=clock.now())


@blueprint.route("/evidence/<uuid:evidence_id>", methods=["GET", "POST"])
@access.staff(Capacity.OFFICER)
def evidence(evidence_id: uuid.UUID) -> Any:
    """One evidence: what was promised, what was shown, and the officer's answer."""
    found, form = queries.evidence(evidence_id), ReviewForm()
    grant = queries.grant_of_stage(found.stage_id)
    if form.validate_on_submit():
        try:
            actions.review_evidence(access.actor(Capacity.OFFICER), evidence_id,
                                    accepted=form.answer.data == "accept", words=form.words.data or "")
            return redirect(url_for("grants.evidence_queue"), 303)
        except BadInput as error:
            form.blame(error)
    stage = grant.stage(found.stage_id)
    hand = queries.hand(current_user.id, "officer", grant, step_before=(found.sent_by,))
    return form.page("grants/evidence.html", grant=grant, stage=stage, evidence=found, Basis=rules.Basis,
                     reasons=rules.reasons_not_to_review(stage.state, hand, newest=stage.evidence_id == evidence_id))


@blueprint.get("/releases")
@access.staff(Capacity.APPROVER)
def release_queue() -> str:
    """Stages whose evidence is accepted, and payments that came to nothing."""
    grants = lists.grants_with_a_stage_to_release()
    return render_template("grants/release_queue.html", waiting=queries.stages_in(grants, *pages.RELEASABLE),
                           State=StageState, reason_words=rules.bank_reason_words,
                           stale=[one for one in queries.releases_that_stand() if not one.is_fresh])


@blueprint.route("/releases/<uuid:stage_id>", methods=["GET", "POST"])
@access.staff(Capacity.APPROVER)
def release(stage_id: uuid.UUID) -> Any:
    """All that an approver needs on one page: promised, shown, accepted by whom, which account, which checks."""
    form = ApproveForm()
    if form.validate_on_submit():
        actions.approve_release(access.actor(Capacity.APPROVER), stage_id)
        return redirect(url_for("grants.release_queue"), 303)
    grant = queries.grant_of_stage(stage_id)
    stage = grant.stage(stage_id)
    payee = grant.payee
    checks = organisations.checks_of([payee.organisation_id])[payee.organisation_id] if payee else []
    return form.page(
        "grants/release.html", grant=grant, stage=stage, State=StageState, reason_words=rules.bank_reason_words,
        evidence=queries.evidence(stage.evidence_id) if stage.evidence_id else None, CHECKS=CHECKS, press=PressForm(),
        checks=[check for check in checks if payee and check.bank_account_id in {None, payee.bank_account_id}],
        reasons=queries.reasons_not_to_release(current_user.id, grant, stage), today=clock.today())


@blueprint.post("/releases/<uuid:stage_id>/withdraw")
@access.staff(Capacity.APPROVER)
def withdraw(stage_id: uuid.UUID) -> Response:
    """Take back an approved payment that is in no authorised batch."""
    stage = queries.grant_of_stage(stage_id).stage(stage_id)
    if stage.release_id is not None and PressForm().validate_on_submit():
        actions.withdraw_release(access.actor(Capacity.APPROVER), stage.release_id)
    return redirect(url_for("grants.release", stage_id=stage_id), 303)
