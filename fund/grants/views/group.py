"""A group's pages of its grants: the offer, where the money goes, what it shows, what was paid."""

import io
import uuid
from typing import Any

from flask import redirect, render_template, send_file, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.documents import actions as file_actions
from fund.documents import queries as documents
from fund.grants import actions, queries, rules
from fund.grants.forms import DeclineForm, EvidenceForm, OfferForm, PayeeForm
from fund.grants.queries import GrantRow, pages
from fund.grants.rules import OfferFacts, StageState
from fund.grants.views import blueprint
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, NotFound
from fund.organisations import queries as organisations
from fund.web import access


def me() -> Actor:
    """The signed-in person, for their group."""
    return access.actor(Capacity.APPLICANT)


def _to(grant: GrantRow) -> Response:
    return redirect(url_for("grants.grant", reference=grant.reference), 303)


@blueprint.get("/grants")
@access.signed_in
def mine() -> str:
    """The grants of my groups."""
    today = clock.today()
    found = queries.grants_of(current_user.id)
    return render_template("grants/mine.html", grants=[(grant, pages.next_for(grant, today)) for grant in found])


@blueprint.get("/grants/<reference>")
@access.signed_in
def grant(reference: str) -> str:
    """One grant: what comes next, its stages as a path, what was shown and paid."""
    found = queries.grant_for(current_user.id, reference)
    payee = found.payee
    return render_template(
        "grants/grant.html", grant=found, coming=pages.next_for(found, clock.today()),
        evidence=queries.evidence_of_grant(found.id) if found.signed_at else [],
        checks=organisations.reasons_not_to_pay(payee.organisation_id, bank_account_id=payee.bank_account_id)
        if payee else [],
        entries=pages.entry_numbers([found.agreement_entry_id, *(stage.end_entry_id for stage in found.stages)]),
        reason_words=rules.bank_reason_words, State=StageState)


@blueprint.route("/grants/<reference>/offer", methods=["GET", "POST"])
@access.signed_in
def offer(reference: str) -> Any:
    """Read the offer and sign it."""
    found, form = queries.grant_for(current_user.id, reference), OfferForm()
    if form.validate_on_submit():
        try:
            actions.accept_offer(me(), found.id, terms_version=form.terms_version.data or "",
                                 spending_plan=form.spending_plan.data)
            return _to(found)
        except BadInput as error:
            form.blame(error)
    form.terms_version.data = rules.TERMS_VERSION
    return form.page("grants/offer.html", grant=found, reasons=_reasons_not_to_answer(found))


@blueprint.route("/grants/<reference>/decline", methods=["GET", "POST"])
@access.signed_in
def decline(reference: str) -> Any:
    """Say no to the offer."""
    found, form = queries.grant_for(current_user.id, reference), DeclineForm()
    if form.validate_on_submit():
        actions.decline_offer(me(), found.id)
        return _to(found)
    return form.page("grants/decline.html", grant=found, reasons=_reasons_not_to_answer(found))


def _reasons_not_to_answer(found: GrantRow) -> list[Any]:
    may = organisations.may_sign(current_user.id, found.organisation_id)
    return rules.reasons_not_to_answer_offer(
        OfferFacts(found.lapses_on, found.offer.signed, found.end_kind, may), clock.today())


@blueprint.route("/grants/<reference>/account", methods=["GET", "POST"])
@access.signed_in
def payee(reference: str) -> Any:
    """Say where the money goes: our own account, or a host's."""
    found, form = queries.grant_for(current_user.id, reference), PayeeForm()
    choices = pages.accounts_for(found)
    form.account.choices = [(one.value, f"{one.organisation_name}: {one.holder} ····{one.last_four}")
                            for one in choices]
    if choices and form.validate_on_submit():
        chosen = next(one for one in choices if one.value == form.account.data)
        actions.choose_payee(me(), found.id, organisation_id=chosen.organisation_id,
                             bank_account_id=chosen.bank_account_id)
        return _to(found)
    if not form.is_submitted() and found.payee:
        form.account.data = f"{found.payee.organisation_id}/{found.payee.bank_account_id}"
    return form.page("grants/payee.html", grant=found, choices=choices)


@blueprint.route("/grants/<reference>/stages/<int:number>/evidence", methods=["GET", "POST"])
@access.signed_in
def send_evidence(reference: str, number: int) -> Any:
    """Show what was done for a stage."""
    found, form = queries.grant_for(current_user.id, reference), EvidenceForm()
    stage = next((one for one in found.stages if one.number == number), None)
    if stage is None:
        raise NotFound("no such stage")
    if form.validate_on_submit():
        try:
            actions.send_evidence(me(), stage.id, story=form.story.data, file_ids=_kept_files(form))
            return _to(found)
        except BadInput as error:
            form.blame(error)
    return form.page("grants/send_evidence.html", grant=found, stage=stage, Basis=rules.Basis,
                     reasons=rules.reasons_not_to_send_evidence(stage.state))


def _kept_files(form: EvidenceForm) -> list[uuid.UUID]:
    """Keep the files that were chosen. Raises BadInput naming the box of the first that will not do."""
    kept = []
    for name in EvidenceForm.FILES:
        chosen = form[name].data
        if chosen is None:
            continue
        try:
            kept.append(file_actions.keep_file(me(), name=chosen.filename or "", data=chosen.read(),
                                               content_type=chosen.mimetype or ""))
        except BadInput as error:
            raise BadInput(str(error), field=name) from error
    return kept


@blueprint.get("/grants/<reference>/files/<uuid:file_id>")
@access.signed_in
def file(reference: str, file_id: uuid.UUID) -> Response:
    """A file that was shown: for the group and for the fund's officers and approvers."""
    found = queries.grant_with_file(file_id)
    is_staff = current_user.capacities & {Capacity.OFFICER, Capacity.APPROVER}
    if found.reference != reference or not (
            is_staff or organisations.is_member(current_user.id, found.organisation_id)):
        raise NotFound("no such file")
    row = documents.file(file_id)
    return send_file(io.BytesIO(documents.open_file(file_id)), mimetype=row.content_type, as_attachment=True,
                     download_name=row.name)
