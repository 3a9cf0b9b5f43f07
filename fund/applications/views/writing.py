"""Writing an application: one page at a time, kept as typed, sent once."""

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.applications import actions, forms, queries
from fund.applications.forms import pressed
from fund.applications.queries import Whole
from fund.applications.rules import MOST_FILES, SubmitFacts, problems, reasons_not_to_submit
from fund.applications.views import blueprint
from fund.documents import actions as documents
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, NotFound, Refused
from fund.kernel.words import _
from fund.organisations import queries as organisations
from fund.organisations.actions import make_organisation
from fund.organisations.formats import org_id_from_typed
from fund.organisations.forms import FewForm, GroupForm
from fund.organisations.rules import Kind
from fund.rounds.formats import Page
from fund.web import access
from fund.web.edge import keep_although_422


def _me() -> Actor:
    return access.actor(Capacity.APPLICANT)


def _mine(reference: str) -> Whole:
    return queries.application_for(current_user.id, reference)


def _status(reference: str) -> Response:
    return redirect(url_for("applications.show", reference=reference), 303)


@blueprint.get("/applications/<reference>/who")
@access.signed_in
def who(reference: str) -> Any:
    """Who is applying: a group of theirs, a few people, or another group."""
    whole = _mine(reference)
    form = _who_form()
    form.who.data = str(whole.organisation_id) if whole.organisation_id else None
    return _status(reference) if whole.submission else form.page("applications/who.html", whole=whole)


def _who_form() -> forms.WhoForm:
    form = forms.WhoForm()
    mine = organisations.organisations_of(current_user.id)
    form.who.choices = [
        *((str(group.id), group.name) for group in mine),
        ("few", _("Just us: a few people"), _("You need no constitution and no bank account.")),
        ("group", _("Another group or organisation") if mine else _("A group or organisation"))]
    return form


@blueprint.post("/applications/<reference>/who")
@access.signed_in
def say_who(reference: str) -> Any:
    """Keep who is applying, or ask for the name of a group that we do not know yet."""
    whole, form = _mine(reference), _who_form()
    if not form.validate_on_submit():
        return form.page("applications/who.html", whole=whole)
    if form.who.data in {"few", "group"}:
        return redirect(url_for("applications.new_group", reference=reference, kind=form.who.data), 303)
    chosen = next(group.id for group in organisations.organisations_of(current_user.id)
                  if str(group.id) == form.who.data)
    actions.say_who(_me(), whole.id, organisation_id=chosen)
    return _onward(whole, None)


def _group_form(kind: str) -> FewForm | GroupForm:
    return FewForm() if kind == "few" else GroupForm()


@blueprint.get("/applications/<reference>/who/<any(few, group):kind>")
@access.signed_in
def new_group(reference: str, kind: str) -> Any:
    """The name of a few people, or of a group with what it is."""
    whole = _mine(reference)
    return _status(reference) if whole.submission else _group_form(kind).page(
        "applications/new_group.html", whole=whole, kind=kind)


@blueprint.post("/applications/<reference>/who/<any(few, group):kind>")
@access.signed_in
def make_group(reference: str, kind: str) -> Any:
    """Make the group and say that it applies."""
    whole, form = _mine(reference), _group_form(kind)
    if form.validate_on_submit():
        try:
            chosen = Kind.INFORMAL if isinstance(form, FewForm) else form.kind.data
            number = "" if isinstance(form, FewForm) else form.register_number.data or ""
            made = make_organisation(_me(), name=form.name.data, kind=chosen, org_id=org_id_from_typed(chosen, number))
            actions.say_who(_me(), whole.id, organisation_id=made.id)
            return _onward(whole, None)
        except BadInput as error:
            form.blame(error)
    return form.page("applications/new_group.html", whole=whole, kind=kind)


def _page_of(whole: Whole, page_id: str) -> Page:
    page = whole.form.page(page_id)
    if page is None:
        raise NotFound
    return page


@blueprint.get("/applications/<reference>/write/<page_id>")
@access.signed_in
def write(reference: str, page_id: str) -> Any:
    """One page of questions, filled with what was typed before."""
    whole = _mine(reference)
    page = _page_of(whole, page_id)
    if whole.submission:
        return _status(reference)
    form = forms.questions_form(whole.round.form_version_id, page_id)(data=whole.values)
    form.version.data = str(whole.version)
    if request.args.get("mend"):
        form.blame_all(problems(whole.form, whole.values, whole.round.rules, page=page))
    return _show_page(whole, page, form)


def _show_page(whole: Whole, page: Page, form: Any) -> Any:
    status = 422 if request.method == "POST" else 200
    return render_template("applications/write.html", whole=whole, page=page, form=form,
                           number=1 + whole.form.pages.index(page)), status


@blueprint.post("/applications/<reference>/write/<page_id>")
@access.signed_in
def keep(reference: str, page_id: str) -> Any:
    """Keep the page as typed; go on when nothing in it needs mending, else show it with what does."""
    whole = _mine(reference)
    page = _page_of(whole, page_id)
    form = forms.questions_form(whole.round.form_version_id, page_id)()
    is_well_formed, typed = form.validate(), form.typed()
    fragment = _change_rows(form, typed) if "costs" in typed else None
    saved = actions.save(_me(), whole.id, answers=typed, version=form.opened_version(), tab=form.tab.data or "")
    if fragment is not None:
        return redirect(url_for("applications.write", reference=reference, page_id=page_id, _anchor=fragment), 303)
    if pressed() == "later":
        return _status(reference)
    form.blame_all(problems(whole.form, saved.values, whole.round.rules, page=page))
    if is_well_formed and not any(field.errors for field in form):
        return _onward(whole, page)
    keep_although_422()
    form.version.data = str(saved.version)
    return _show_page(whole, page, form)


def _change_rows(form: Any, typed: dict[str, Any]) -> str | None:
    """Add or take out a cost line when one of those buttons was pressed; gives where on the page to go on."""
    rows, button = typed["costs"], pressed()
    if button == "add":
        typed["costs"] = [*rows, {"what": "", "amount": ""}]
        return str(form.costs.row_id(len(rows)))
    if button.startswith("remove-") and button[7:].isdecimal() and int(button[7:]) < len(rows):
        typed["costs"] = rows[:int(button[7:])] + rows[int(button[7:]) + 1:]
        return "costs"
    return "costs" if button == "sum" else None


@blueprint.post("/applications/<reference>/autosave/<page_id>")
@access.signed_in
def autosave(reference: str, page_id: str) -> Any:
    """Keep the page as typed while it is being written."""
    whole = _mine(reference)
    _page_of(whole, page_id)
    form = forms.questions_form(whole.round.form_version_id, page_id)()
    actions.save(_me(), whole.id, answers=form.typed(), version=form.opened_version(), tab=form.tab.data or "")
    return "", 204


def _onward(whole: Whole, page: Page | None) -> Response:
    """The next page of the form after this one; after the last the files."""
    pages = whole.form.pages
    number = 0 if page is None else pages.index(page) + 1
    if number < len(pages):
        return redirect(url_for("applications.write", reference=whole.reference, page_id=pages[number].id), 303)
    return redirect(url_for("applications.files", reference=whole.reference), 303)


@blueprint.get("/applications/<reference>/files")
@access.signed_in
def files(reference: str) -> Any:
    """The files of a draft."""
    whole = _mine(reference)
    return _status(reference) if whole.submission else _files_page(whole, forms.FileForm())


def _files_page(whole: Whole, form: forms.FileForm) -> Any:
    return form.page("applications/files.html", whole=whole, files=queries.files_of(whole.id), most=MOST_FILES)


@blueprint.post("/applications/<reference>/files")
@access.signed_in
def change_files(reference: str) -> Any:
    """Add a file, or take one out."""
    whole, form = _mine(reference), forms.FileForm()
    form.validate()
    button = pressed()
    if button.startswith("remove-"):
        found = next((file for file in queries.files_of(whole.id) if str(file.id) == button[7:]), None)
        if found is not None:
            actions.detach(_me(), whole.id, file_id=found.id)
        return redirect(url_for("applications.files", reference=reference), 303)
    if form.file.data is None:
        if button == "onward":
            return redirect(url_for("applications.check_and_send", reference=reference), 303)
        form.blame(BadInput(_("Choose a file first."), field="file"))
        return _files_page(whole, form)
    try:
        given = form.file.data
        kept = documents.keep_file(_me(), name=given.filename or "", content_type=given.mimetype, data=given.read())
        actions.attach(_me(), whole.id, file_id=kept)
    except BadInput as error:
        form.blame(error)
        return _files_page(whole, form)
    except Refused as error:
        form.blame(BadInput(str(error), field="file"))
        return _files_page(whole, form)
    return redirect(url_for("applications.files", reference=reference), 303)


def _left_to_do(whole: Whole) -> list[tuple[str, str]]:
    """What must be done before it can be sent: a sentence each, and the page where it is done."""
    may_sign = whole.organisation_id is not None and organisations.may_sign(current_user.id, whole.organisation_id)
    reasons = reasons_not_to_submit(SubmitFacts(
        has_organisation=whole.organisation_id is not None, may_sign=may_sign, opens_at=whole.round.opens_at,
        closes_at=whole.round.closes_at, now=clock.now()), [])
    left = [(reason.sentence, url_for("applications.who", reference=whole.reference)
             if reason.code in {"who", "may_sign"} else "") for reason in reasons]
    for problem in whole.problems:
        page = whole.form.page_of(problem.question_id)
        left.append((problem.reason.sentence, url_for(
            "applications.write", reference=whole.reference, page_id=page.id, mend=1, _anchor=problem.question_id)
            if page else ""))
    return left


@blueprint.get("/applications/<reference>/check")
@access.signed_in
def check_and_send(reference: str) -> Any:
    """Everything that was written, what is left to do, and what becomes public and when."""
    whole = _mine(reference)
    return _status(reference) if whole.submission else _check_page(whole)


def _check_page(whole: Whole) -> Any:
    form = forms.SendForm()
    form.version.data = str(whole.version)
    return render_template("applications/check_and_send.html", whole=whole, form=form, left=_left_to_do(whole),
                           files=queries.files_of(whole.id)), 422 if request.method == "POST" else 200


@blueprint.post("/applications/<reference>/check")
@access.signed_in
def send(reference: str) -> Any:
    """Send it: once, however often the button is pressed."""
    whole = _mine(reference)
    if whole.submission is None and _left_to_do(whole):
        return _check_page(whole)
    version = request.form.get("version", "")
    if not version.isascii() or not version.isdecimal() or len(version) > 18:
        raise BadInput(_("The page arrived incomplete. Open it again."))
    actions.submit(_me(), whole.id, version=int(version))
    return redirect(url_for("applications.received", reference=reference), 303)
