"""Pages of the part `organisations`: a group's own pages, a host's answer, and an officer's checks."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput
from fund.kernel.words import _
from fund.organisations import actions, forms, queries
from fund.organisations.formats import org_id_from_typed
from fund.organisations.rules import CHECKS, KINDS, Check, Kind
from fund.people import actions as people_actions
from fund.people import queries as people
from fund.people.rules import email_address
from fund.web import access
from fund.web.forms import PressForm

blueprint = Blueprint("organisations", __name__)


def _me() -> Actor:
    return access.actor(Capacity.APPLICANT)


def _page(organisation_id: UUID) -> Response:
    return redirect(url_for("organisations.show", organisation_id=organisation_id), 303)


@blueprint.get("/groups")
@access.signed_in
def mine() -> str:
    """The groups that this person acts for."""
    return render_template("organisations/mine.html", mine=queries.organisations_of(current_user.id), kinds=KINDS)


@blueprint.get("/groups/new")
@access.signed_in
def new() -> Any:
    """A new group."""
    return forms.GroupForm().page("organisations/new.html")


@blueprint.post("/groups/new")
@access.signed_in
def make() -> Any:
    """Make a group."""
    form = forms.GroupForm()
    if form.validate_on_submit():
        try:
            made = actions.make_organisation(_me(), name=form.name.data, kind=form.kind.data,
                                             org_id=org_id_from_typed(form.kind.data, form.register_number.data or ""))
            return _page(made.id)
        except BadInput as error:
            form.blame(error)
    return form.page("organisations/new.html")


def _show(organisation_id: UUID, form: forms.PersonForm) -> Any:
    found = queries.organisation_of(current_user.id, organisation_id)
    members = queries.members_of(found.id)
    accounts = queries.accounts_of(found.id)
    return form.page(
        "organisations/show.html", group=found, kind=KINDS[Kind(found.kind)][0], members=members,
        names=people.names_of([member.person_id for member in members]), account=accounts[0] if accounts else None,
        agreements=queries.host_agreements_of(found.id), button=PressForm(),
        reasons=queries.reasons_not_to_pay(found.id), me=current_user.id,
        may_sign=any(member.person_id == current_user.id and member.may_sign for member in members))


@blueprint.get("/groups/<uuid:organisation_id>")
@access.signed_in
def show(organisation_id: UUID) -> Any:
    """Who the group is, who acts for it, where its money goes, and its host."""
    return _show(organisation_id, forms.PersonForm(formdata=None))


@blueprint.post("/groups/<uuid:organisation_id>")
@access.signed_in
def add_person(organisation_id: UUID) -> Any:
    """Let somebody else act for the group."""
    form = forms.PersonForm()
    queries.organisation_of(current_user.id, organisation_id)
    if form.validate_on_submit():
        try:
            person = people_actions.find_or_make_person(email_address(form.email.data))
            actions.add_member(_me(), organisation_id, person_id=person.id, may_sign=form.may_sign.data == "yes")
            return _page(organisation_id)
        except BadInput as error:
            form.blame(BadInput(str(error), field="email"))
    return _show(organisation_id, form)


@blueprint.post("/groups/<uuid:organisation_id>/people/<uuid:person_id>/end")
@access.signed_in
def end_person(organisation_id: UUID, person_id: UUID) -> Response:
    """End somebody's acting for the group."""
    actions.end_membership(_me(), organisation_id, person_id=person_id)
    return redirect(url_for("organisations.mine"), 303) if person_id == current_user.id else _page(organisation_id)


@blueprint.get("/groups/<uuid:organisation_id>/account")
@access.signed_in
def account(organisation_id: UUID) -> Any:
    """A bank account to add."""
    return forms.AccountForm().page("organisations/account.html",
                                    group=queries.organisation_of(current_user.id, organisation_id))


@blueprint.post("/groups/<uuid:organisation_id>/account")
@access.signed_in
def add_account(organisation_id: UUID) -> Any:
    """Add a bank account; it counts when an officer has checked it."""
    group, form = queries.organisation_of(current_user.id, organisation_id), forms.AccountForm()
    if form.validate_on_submit():
        try:
            actions.add_bank_account(_me(), group.id, holder=form.holder.data, sort_code=form.sort_code.data,
                                     account_number=form.account_number.data)
            return _page(group.id)
        except BadInput as error:
            form.blame(error)
    return form.page("organisations/account.html", group=group)


def _host_page(organisation_id: UUID, *, sent: bool) -> tuple[Any, forms.HostForm, str]:
    group = queries.organisation_of(current_user.id, organisation_id)
    name = request.args.get("name", "")[:100].strip()
    form = forms.HostForm() if sent else forms.HostForm(formdata=None)
    form.host.choices = [(str(host.id), host.name, _(KINDS[Kind(host.kind)][0]))
                         for host in queries.possible_hosts(group.id, name)]
    return group, form, name


@blueprint.get("/groups/<uuid:organisation_id>/host")
@access.signed_in
def host(organisation_id: UUID) -> Any:
    """Organisations near by that could receive money for the group."""
    group, form, name = _host_page(organisation_id, sent=False)
    return form.page("organisations/host.html", group=group, name=name)


@blueprint.post("/groups/<uuid:organisation_id>/host")
@access.signed_in
def ask_host(organisation_id: UUID) -> Any:
    """Ask one of them."""
    group, form, name = _host_page(organisation_id, sent=True)
    if not form.validate_on_submit():
        return form.page("organisations/host.html", group=group, name=name)
    actions.ask_host(_me(), group.id, UUID(form.host.data))
    return _page(group.id)


@blueprint.get("/hosting/<uuid:agreement_id>")
@access.signed_in
def hosting(agreement_id: UUID) -> Any:
    """What a group asks of a host, for somebody of the host."""
    agreement = queries.host_agreement(agreement_id)
    queries.organisation_of(current_user.id, agreement.host_id)
    return PressForm().page("organisations/hosting.html", agreement=agreement,
                                      may_sign=queries.may_sign(current_user.id, agreement.host_id))


@blueprint.post("/hosting/<uuid:agreement_id>")
@access.signed_in
def answer_host(agreement_id: UUID) -> Response:
    """Agree to receive money for the group, or say no (or end it)."""
    agreement = queries.host_agreement(agreement_id)
    if request.form.get("do") == "agree":
        actions.agree_to_host(_me(), agreement_id)
    else:
        actions.end_host(_me(), agreement_id)
    is_host = queries.is_member(current_user.id, agreement.host_id)
    return _page(agreement.host_id if is_host else agreement.group_id)


@blueprint.get("/staff/organisations")
@access.staff(Capacity.OFFICER)
def accounts_to_check() -> str:
    """Accounts that nobody has checked yet, the oldest first."""
    return render_template("organisations/queue.html", rows=queries.accounts_awaiting_check(most=100))


def _staff_page(organisation_id: UUID, form: forms.CheckForm, details: Any = None) -> Any:
    found = queries.organisation(organisation_id)
    accounts = queries.accounts_of(found.id)
    checks = queries.checks_of([found.id])[found.id]
    return form.page(
        "organisations/staff.html", group=found, kind=KINDS[Kind(found.kind)][0], accounts=accounts, checks=checks,
        names=people.names_of({check.made_by for check in checks}), what=CHECKS, today=clock.today(), details=details,
        reasons=queries.reasons_not_to_pay(found.id), button=PressForm(),
        others=queries.others_with_account(accounts[0].id) if accounts else [],
        tied=queries.has_interest(current_user.id, found.id))


@blueprint.get("/staff/organisations/<uuid:organisation_id>")
@access.staff(Capacity.OFFICER)
def staff_page(organisation_id: UUID) -> Any:
    """An organisation with its account, what was checked and when that runs out."""
    return _staff_page(organisation_id, forms.CheckForm(formdata=None))


@blueprint.post("/staff/organisations/<uuid:organisation_id>")
@access.staff(Capacity.OFFICER)
def record_check(organisation_id: UUID) -> Any:
    """Write down a check."""
    form = forms.CheckForm()
    if not form.validate_on_submit():
        return _staff_page(organisation_id, form)
    of_account = form.kind.data == Check.BANK_ACCOUNT
    accounts = queries.accounts_of(organisation_id) if of_account else []
    if of_account and not accounts:
        form.blame(BadInput(_("There is no bank account yet."), field="kind"))
        return _staff_page(organisation_id, form)
    try:
        actions.record_check(access.actor(Capacity.OFFICER), organisation_id, kind=form.kind.data,
                             passed=form.passed.data == "yes", source=form.source.data,
                             bank_account_id=accounts[0].id if accounts else None)
    except BadInput as error:
        form.blame(error)
        return _staff_page(organisation_id, form)
    return redirect(url_for("organisations.staff_page", organisation_id=organisation_id), 303)


@blueprint.post("/staff/organisations/<uuid:organisation_id>/numbers")
@access.staff(Capacity.OFFICER)
def show_numbers(organisation_id: UUID) -> Any:
    """Show the newest account's numbers once, to check them with the bank; that they were shown is written down."""
    details = actions.show_account(access.actor(Capacity.OFFICER), organisation_id)
    return _staff_page(organisation_id, forms.CheckForm(formdata=None), details)


@blueprint.post("/staff/organisations/<uuid:organisation_id>/interest")
@access.staff(Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE)
def declare_interest(organisation_id: UUID) -> Response:
    """Declare that one is tied to this organisation."""
    actions.declare_staff_interest(access.actor(next(iter(current_user.capacities))), organisation_id)
    return redirect(access.safe_next(request.form.get("next")), 303)
