"""One's own applications: the list, where each stands, the receipt, the frozen copy, taking it back."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.applications import actions, queries
from fund.applications.queries import Whole, pages
from fund.applications.queries.pages import Step
from fund.applications.rules import INELIGIBLE_BECAUSE, State
from fund.applications.views import blueprint
from fund.documents import queries as documents
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.words import _
from fund.web import access
from fund.web.filters import date, moment
from fund.web.forms import PressForm


@blueprint.get("/applications")
@access.signed_in
def mine() -> str:
    """The applications of this person and of the groups that they act for, the newest first."""
    found = queries.applications_of(current_user.id)
    stands = {id_: pages.stands_at(steps) for id_, steps in pages.told_of(found).items()}
    return render_template("applications/mine.html", mine=found, states=State, stands=stands)


@blueprint.get("/applications/<reference>")
@access.signed_in
def show(reference: str) -> str:
    """A draft as a list of what to do; a sent application as where it stands."""
    whole = queries.application_for(current_user.id, reference)
    if whole.submission is None:
        return render_template("applications/tasks.html", whole=whole, tasks=_tasks(whole),
                               is_missed=whole.state is State.MISSED)
    why = INELIGIBLE_BECAUSE.get(whole.eligibility.reason or "") if whole.eligibility else None
    told = pages.told_of([whole]).get(whole.id, [])
    return render_template(
        "applications/status.html", whole=whole, steps=drawn(pages.steps_of(whole, told)), why=why, states=State,
        stands=pages.stands_at(told) if told else None, form=PressForm(), money=queries.money_of(whole))


def drawn(steps: list[Step]) -> list[dict[str, str]]:
    """Steps as the path draws them, with their dates in words."""
    return [{"name": step.name, "kind": step.kind, "state": step.state, "detail": _when(step),
             "href": url_for(step.endpoint, **step.values) if step.endpoint else ""} for step in steps]


def _when(step: Step) -> str:
    if not step.at:
        return ""
    return moment(step.at) if step.kind in {"done", "back"} else _("By %(when)s", when=date(step.at))


def _tasks(whole: Whole) -> list[dict[str, Any]]:
    """What is to be done before it can be sent, each with its page and how far it is."""
    wrong = {page.id for problem in whole.problems if (page := whole.form.page_of(problem.question_id))}
    tasks = [{"name": _("Who you are"), "done": whole.organisation_id is not None,
              "state": whole.organisation_name or _("To do"),
              "href": url_for("applications.who", reference=whole.reference)}]
    for page in whole.form.pages:
        begun = any(whole.values.get(question.id) for question in page.questions)
        tasks.append({"name": _(page.title), "done": page.id not in wrong,
                      "state": _("Done") if page.id not in wrong else _("Carry on") if begun else _("To do"),
                      "href": url_for("applications.write", reference=whole.reference, page_id=page.id)})
    tasks.append({"name": _("Photos and files"), "done": True, "state": _("Only if you like"),
                  "href": url_for("applications.files", reference=whole.reference)})
    tasks.append({"name": _("Check and send"), "done": False,
                  "state": _("Ready") if all(task["done"] for task in tasks) else _("When the rest is done"),
                  "href": url_for("applications.check_and_send", reference=whole.reference)})
    return tasks


@blueprint.get("/applications/<reference>/received")
@access.signed_in
def received(reference: str) -> Any:
    """The receipt: the reference, the moment, the fingerprint, and what happens next."""
    whole = queries.application_for(current_user.id, reference)
    if whole.submission is None:
        return redirect(url_for("applications.show", reference=reference), 303)
    return render_template("applications/received.html", whole=whole)


@blueprint.get("/applications/<reference>/copy")
@access.signed_in
def frozen_copy(reference: str) -> str:
    """What was sent, as the panel reads it."""
    whole = queries.application_for(current_user.id, reference)
    if whole.submission is None:
        raise NotFound
    return render_template("applications/copy.html", whole=whole, money=queries.money_of(whole))


@blueprint.post("/applications/<reference>/withdraw")
@access.signed_in
def withdraw(reference: str) -> Response:
    """Take it back."""
    whole = queries.application_for(current_user.id, reference)
    actions.withdraw(access.actor(Capacity.APPLICANT), whole.id)
    return redirect(url_for("applications.show", reference=reference), 303)


@blueprint.get("/applications/<reference>/files/<uuid:file_id>")
@access.signed_in
def file(reference: str, file_id: UUID) -> Response:
    """A file of one's own application."""
    return hand_over(queries.application_for(current_user.id, reference), file_id)


def hand_over(whole: Whole, file_id: UUID) -> Response:
    """A file as something to save, never as a page of ours. Raises NotFound when the application has no such file."""
    if file_id not in queries.file_ids_of(whole.id):
        raise NotFound
    row = documents.file(file_id)
    answer = Response(documents.open_file(file_id), mimetype="application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=row.name)
    return answer
