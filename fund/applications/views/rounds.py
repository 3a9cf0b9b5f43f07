"""A round as anybody sees it: what it is for, every question, how it is decided, and the odds; and the way in."""

from flask import redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.applications import actions, queries
from fund.applications.queries import lists
from fund.applications.rules import State
from fund.applications.views import blueprint
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.ledger import queries as ledger
from fund.rounds import queries as rounds
from fund.rounds.rules import MOST_POINTS
from fund.web import access
from fund.web.forms import PressForm
from fund.web.templates import page_of_facts


@blueprint.get("/rounds/<reference>")
@access.public
def round_page(reference: str) -> str:
    """What it is for, all its questions, its criteria and weights, how it is decided, and the odds."""
    round_ = rounds.round(reference)
    code = f"4000/{round_.neighbourhood_code}"
    return page_of_facts(
        "applications/round.html", round=round_, questions=rounds.form(round_.form_version_id), most_points=MOST_POINTS,
        is_open=round_.is_open(clock.now()), so_far=lists.count_in_round(round_.id), most=lists.MOST_COUNTED,
        money=ledger.balances([code]).get(code))


@blueprint.get("/rounds/<reference>/apply")
@access.signed_in
def begin(reference: str) -> str | Response:
    """What it takes; a draft that was begun already; what could be taken over from an earlier application."""
    round_ = rounds.round(reference)
    mine = queries.applications_of(current_user.id, most=20)
    draft = next((whole for whole in mine if whole.submission is None and whole.round.id == round_.id
                  and whole.applicant_id == current_user.id), None)
    if draft is not None:
        return redirect(url_for("applications.show", reference=draft.reference), 303)
    earlier = [whole for whole in mine if whole.values][:5]
    return render_template("applications/begin.html", round=round_, earlier=earlier, form=PressForm(),
                           is_open=round_.is_open(clock.now()), states=State)


@blueprint.post("/rounds/<reference>/apply")
@access.signed_in
def begin_now(reference: str) -> Response:
    """Begin, or go on with the draft that is there."""
    like = request.form.get("like", "")
    earlier = queries.application_for(current_user.id, like).id if like else None
    draft = actions.start(access.actor(Capacity.APPLICANT), rounds.round(reference).id, like=earlier)
    return redirect(url_for("applications.show", reference=draft.reference), 303)
