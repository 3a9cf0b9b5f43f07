"""What officers see of applications: the queue, one application, and whether it goes to the panel. They change none."""

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.applications import actions, forms, queries
from fund.applications.queries import lists
from fund.applications.rules import INELIGIBLE_BECAUSE, State
from fund.applications.views import blueprint
from fund.applications.views.applicant import hand_over
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.organisations import queries as organisations
from fund.rounds import queries as rounds
from fund.web import access, paging

PAGE = 50


@blueprint.get("/staff/applications")
@access.staff(Capacity.OFFICER)
def queue() -> str:
    """What waits to be checked, the oldest first; or everything, the newest first."""
    after, everything = paging.place_asked_for(), request.args.get("all") == "1"
    read = lists.list_of_all if everything else lists.submissions_awaiting_eligibility
    rows = read(after=after, most=PAGE + 1)
    known = rounds.rounds([row.round_id for row in rows])
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    onward = last and url_for("applications.queue", all="1" if everything else None,
                              after=paging.as_text(last.submitted_at, last.application_id))
    return render_template(
        "applications/queue.html", rows=rows[:PAGE], rounds=known, everything=everything, onward=onward,
        now=clock.now(), first=after is None, why=INELIGIBLE_BECAUSE,
        due={row.application_id: queries.check_due_at(row.submitted_at, known[row.round_id]) for row in rows[:PAGE]})


def _check_page(reference: str, form: forms.EligibilityForm) -> Any:
    whole = queries.application_for_staff(reference)
    submission = whole.submission
    tied = submission is not None and organisations.has_interest(current_user.id, submission.organisation_id)
    return form.page(
        "applications/check.html", whole=whole, money=queries.money_of(whole), states=State, why=INELIGIBLE_BECAUSE,
        others=lists.others_of_group(submission.organisation_id, whole.id) if submission else [], tied=tied)


@blueprint.get("/staff/applications/<reference>")
@access.staff(Capacity.OFFICER)
def check(reference: str) -> Any:
    """One application as it was sent, and the question whether it goes to the panel."""
    return _check_page(reference, forms.EligibilityForm())


@blueprint.post("/staff/applications/<reference>")
@access.staff(Capacity.OFFICER)
def say_eligible(reference: str) -> Any:
    """Say that it goes to the panel, or the one listed reason why not; then on to the next."""
    form = forms.EligibilityForm()
    if not form.validate_on_submit():
        return _check_page(reference, form)
    eligible = form.answer.data == "eligible"
    actions.check_eligibility(access.actor(Capacity.OFFICER), queries.application_for_staff(reference).id,
                              eligible=eligible, reason=None if eligible else form.answer.data)
    return redirect(url_for("applications.check", reference=reference), 303)


@blueprint.get("/staff/applications/<reference>/files/<uuid:file_id>")
@access.staff(Capacity.OFFICER)
def staff_file(reference: str, file_id: UUID) -> Response:
    """A file of a submitted application."""
    return hand_over(queries.application_for_staff(reference), file_id)
