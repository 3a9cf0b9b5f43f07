"""Pages of a panel's members: my panel, say what ties me, read, score, lock; the chair's answers to doubts.

Every page is a member's own (`@access.seat`): what is sent acts in the database role `fund_panel` as that person.
"""

import io
import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, send_file, url_for
from flask_login import current_user

from fund.documents import queries as documents
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import NotFound
from fund.panels import actions, rules
from fund.panels.forms import INTERESTS, CodeForm, ConfirmForm, InterestForm, RulingForm, ScoreForm
from fund.panels.queries import pages, saved_scores
from fund.panels.queries.pages import MemberView
from fund.people.queries import describes_people
from fund.rounds import queries as rounds
from fund.web import access

blueprint = Blueprint("panels", __name__, url_prefix="/panel")
describes_people(pages.describe)


def member(view: MemberView) -> Actor:
    """The signed-in member, acting from the seat that an application's page was opened from."""
    return access.actor(Capacity.CHAIR if view.is_chair else Capacity.READER, view.seat_id)


@blueprint.get("")
@access.seat
def mine() -> Any:
    """My panel: who it is, what sits, what waits."""
    return render_template("panels/mine.html", panels=pages.my_panels(current_user.id))


@blueprint.route("/seats/<uuid:seat_id>/code", methods=["GET", "POST"])
@access.seat
def code(seat_id: uuid.UUID) -> Any:
    """The code of conduct, and taking up the seat by accepting it."""
    seat, place = pages.seat_of(current_user.id, seat_id)
    form = CodeForm()
    if form.validate_on_submit():
        actions.accept_code(access.actor(Capacity.CHAIR if seat.is_chair else Capacity.READER, seat_id), seat_id)
        return redirect(url_for("panels.mine"))
    return form.page("panels/code.html", place=place, accepted=seat.code_accepted_at)


@blueprint.route("/applications/<reference>/interest", methods=["GET", "POST"])
@access.seat
def interest(reference: str) -> Any:
    """Before anything is read: what ties me to it? Also later, when something comes to mind."""
    view = pages.member_view(current_user.id, reference)
    form = InterestForm()
    if form.validate_on_submit():
        said = actions.declare_interest(member(view), view.application_id, answer=form.answer.data)
        if said.consequence in rules.MAY_SCORE:
            return redirect(url_for("panels.application", reference=reference))
        return redirect(url_for("panels.interest", reference=reference))
    if not form.is_submitted() and view.answer:
        form.answer.data = view.answer
    return form.page("panels/interest.html", view=view, interests={each[0]: each[1:] for each in INTERESTS})


@blueprint.get("/applications/<reference>")
@access.seat
def application(reference: str) -> Any:
    """The frozen copy that the panel reads."""
    view = pages.member_view(current_user.id, reference)
    if not view.may_open:
        return redirect(url_for("panels.interest", reference=reference))
    submission, files = pages.frozen_copy(view)
    round_ = rounds.round(view.round_id)
    saved = saved_scores(view.assignment_id) if view.assignment_id else {}
    return render_template("panels/application.html", view=view, submission=submission, files=files, round=round_,
                           form_version=rounds.form(round_.form_version_id), saved=saved)


@blueprint.get("/applications/<reference>/files/<uuid:file_id>")
@access.seat
def file(reference: str, file_id: uuid.UUID) -> Any:
    """A file of the frozen copy."""
    _submission, files = pages.frozen_copy(pages.member_view(current_user.id, reference))
    if file_id not in {each.id for each in files}:
        raise NotFound("not a file of this application")
    row = documents.file(file_id)
    return send_file(io.BytesIO(documents.open_file(file_id)), mimetype=row.content_type, as_attachment=True,
                     download_name=row.name)


def _to_score(reference: str) -> MemberView:
    view = pages.member_view(current_user.id, reference)
    if view.assignment_id is None:
        raise NotFound("not theirs to score")
    return view


@blueprint.route("/applications/<reference>/score/<int:position>", methods=["GET", "POST"])
@access.seat
def score(reference: str, position: int) -> Any:
    """One question: a number from 0 to 5 and why. Saved at once; the next question follows."""
    view = _to_score(reference)
    criteria = rounds.round(view.round_id).criteria
    criterion = next((each for each in criteria if each.position == position), None)
    if criterion is None or view.assignment_id is None:
        raise NotFound("no such question")
    if not view.may_open:
        return redirect(url_for("panels.interest", reference=reference))
    form = ScoreForm()
    if form.validate_on_submit():
        actions.save_scores(member(view), view.assignment_id,
                            scores={criterion.id: (int(form.points.data), form.reason.data)})
        return redirect(_next_question(view))
    saved = saved_scores(view.assignment_id)
    if not form.is_submitted() and criterion.id in saved:
        form.points.data, form.reason.data = str(saved[criterion.id].points), saved[criterion.id].reason
    return form.page("panels/score.html", view=view, criterion=criterion, criteria=criteria, saved=saved)


def _next_question(view: MemberView) -> str:
    """The first question that has no score yet; when all have one, the step before the lock."""
    saved = saved_scores(view.assignment_id) if view.assignment_id else {}
    left = [each.position for each in rounds.round(view.round_id).criteria if each.id not in saved]
    if left:
        return url_for("panels.score", reference=view.reference, position=left[0])
    return url_for("panels.lock", reference=view.reference)


@blueprint.route("/applications/<reference>/lock", methods=["GET", "POST"])
@access.seat
def lock(reference: str) -> Any:
    """My scores once more, and locking them."""
    view = _to_score(reference)
    if view.assignment_id is None or not view.may_open:
        return redirect(url_for("panels.interest", reference=reference))
    form = ConfirmForm()
    if form.validate_on_submit():
        actions.lock_scores(member(view), view.assignment_id)
        return redirect(url_for("panels.scores", reference=reference))
    return form.page("panels/lock.html", view=view, criteria=rounds.round(view.round_id).criteria,
                     saved=saved_scores(view.assignment_id))


@blueprint.route("/applications/<reference>/release", methods=["GET", "POST"])
@access.seat
def release(reference: str) -> Any:
    """Let the panel go on without my score."""
    view = _to_score(reference)
    form = ConfirmForm()
    if form.validate_on_submit() and view.assignment_id is not None:
        actions.release_score(member(view), view.assignment_id)
        return redirect(url_for("panels.mine"))
    return form.page("panels/release.html", view=view)


@blueprint.get("/applications/<reference>/scores")
@access.seat
def scores(reference: str) -> Any:
    """What the readers gave, for members who may see it by now."""
    view = pages.member_view(current_user.id, reference)
    if not view.may_open:
        return redirect(url_for("panels.interest", reference=reference))
    return render_template("panels/scores.html", view=view, shown=pages.locked_scores(view),
                           criteria=rounds.round(view.round_id).criteria)


@blueprint.post("/applications/<reference>/another-reader")
@access.seat
def another_reader(reference: str) -> Any:
    """One more reader, chosen by the rule, where there would be too few scores."""
    view = pages.member_view(current_user.id, reference)
    actions.find_another_reader(member(view), view.application_id)
    return redirect(url_for("decisions.sitting", sitting_id=view.sitting_id))


@blueprint.route("/interests/<uuid:interest_id>/ruling", methods=["GET", "POST"])
@access.seat
def ruling(interest_id: uuid.UUID) -> Any:
    """A member's doubt, and the answer to it."""
    doubt, name = pages.doubt_for(current_user.id, interest_id)
    form = RulingForm()
    if form.validate_on_submit():
        view = pages.member_view(current_user.id, doubt.reference)
        actions.rule_on_interest(member(view), interest_id, consequence=form.consequence.data)
        return redirect(url_for("panels.mine"))
    return form.page("panels/ruling.html", doubt=doubt, name=name)
