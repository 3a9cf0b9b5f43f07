"""Pages of the authoriser: payments that wait, batches, files, the bank's answers and its statements."""

import io
import uuid
from datetime import date
from typing import Any, cast

from flask import Blueprint, redirect, render_template, send_file, url_for
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from fund.bank import actions, queries, rules, transport
from fund.bank.forms import AnswerForm, AuthoriseForm, BuildForm, SetAsideForm
from fund.bank.rules import BatchState
from fund.grants.rules import bank_reason_words
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Refused
from fund.people import queries as people
from fund.web import access
from fund.web.forms import PressForm

blueprint = Blueprint("bank", __name__)


def me() -> Actor:
    """The signed-in authoriser."""
    return access.actor(Capacity.AUTHORISER)


def _to(batch_id: uuid.UUID) -> Response:
    return redirect(url_for("bank.batch", batch_id=batch_id), 303)


@blueprint.route("/batches", methods=["GET", "POST"])
@access.staff(Capacity.AUTHORISER)
def batches() -> Any:
    """What waits to be sent, and the batches so far."""
    form = BuildForm()
    if form.validate_on_submit():
        try:
            return _to(actions.build_batch(me(), execute_on=cast(date, form.execute_on.data)).id)
        except (BadInput, Refused) as error:
            form.blame(BadInput(str(error), field="execute_on"))
    if not form.is_submitted():
        form.execute_on.data = rules.next_banking_day(clock.now())
    waiting = queries.releases_to_batch()
    return form.page("bank/batches.html", waiting=[one for one in waiting if one.is_fresh], State=BatchState,
                     stale=[one for one in waiting if not one.is_fresh], unmatched=queries.unmatched_count(),
                     batches=queries.batches())


@blueprint.get("/batches/<uuid:batch_id>")
@access.staff(Capacity.AUTHORISER, Capacity.APPROVER)
def batch(batch_id: uuid.UUID) -> str:
    """One batch: its lines, total and code, what is different from the last, and what the bank said."""
    view = queries.batch(batch_id, current_user.id)
    is_authoriser = Capacity.AUTHORISER in current_user.capacities
    return render_template(
        "bank/batch.html", batch=view, compared=queries.compared_with_last(view), outcomes=queries.outcomes(batch_id),
        messages=queries.messages_about(view.reference), reasons=rules.reasons_not_to_authorise(view.facts),
        names=people.names_of([view.made_by, *([view.authorised_by] if view.authorised_by else [])]),
        State=BatchState, is_authoriser=is_authoriser, is_connected=transport.is_connected(), press=PressForm(),
        reason_words=bank_reason_words)


@blueprint.route("/batches/<uuid:batch_id>/authorise", methods=["GET", "POST"])
@access.staff(Capacity.AUTHORISER)
def authorise(batch_id: uuid.UUID) -> Any:
    """The press itself, on a page of its own that shows the total and the code once more."""
    view, form = queries.batch(batch_id, current_user.id), AuthoriseForm()
    if form.validate_on_submit():
        try:
            actions.authorise_batch(me(), batch_id, total_pence=int(form.total_pence.data or 0),
                                    lines_sha256=bytes.fromhex(form.lines_sha256.data or ""))
        except ValueError as error:
            raise BadInput("The page was changed on its way. Open it again.") from error
        return _to(batch_id)
    form.total_pence.data, form.lines_sha256.data = str(view.facts.total_pence), view.facts.lines_sha256.hex()
    return form.page("bank/authorise.html", batch=view, reasons=rules.reasons_not_to_authorise(view.facts))


@blueprint.route("/batches/<uuid:batch_id>/set-aside", methods=["GET", "POST"])
@access.staff(Capacity.AUTHORISER)
def set_aside(batch_id: uuid.UUID) -> Any:
    """Not send it: every payment goes back to be approved again."""
    view, form = queries.batch(batch_id), SetAsideForm()
    if form.validate_on_submit():
        actions.set_aside_batch(me(), batch_id, words=form.words.data)
        return _to(batch_id)
    return form.page("bank/set_aside.html", batch=view, reasons=rules.reasons_not_to_set_aside(view.facts))


@blueprint.post("/batches/<uuid:batch_id>/file")
@access.staff(Capacity.AUTHORISER)
def file(batch_id: uuid.UUID) -> Response:
    """Take the file to the bank by hand, where there is no line to it: it counts as sent from then on."""
    view = queries.batch(batch_id)
    encoded = queries.payment_file(batch_id).encoded if transport.is_connected() else actions.take_file_by_hand(
        me(), batch_id)
    return send_file(io.BytesIO(encoded), mimetype="application/xml", as_attachment=True,
                     download_name=f"{view.reference}.xml")


@blueprint.post("/batches/<uuid:batch_id>/no-file")
@access.staff(Capacity.AUTHORISER, Capacity.APPROVER)
def no_file(batch_id: uuid.UUID) -> Response:
    """Say that the bank has no such file, after a sending that broke off."""
    capacity = next(one for one in (Capacity.AUTHORISER, Capacity.APPROVER) if one in current_user.capacities)
    actions.say_bank_has_no_file(access.actor(capacity), batch_id)
    return _to(batch_id)


@blueprint.post("/batches/<uuid:batch_id>/send-again")
@access.staff(Capacity.AUTHORISER)
def send_again(batch_id: uuid.UUID) -> Response:
    """Have it sent again."""
    actions.send_again(me(), batch_id)
    return _to(batch_id)


@blueprint.route("/statements", methods=["GET", "POST"])
@access.staff(Capacity.AUTHORISER, Capacity.APPROVER)
def statements() -> Any:
    """The lines of the bank's statements, those that nobody has explained first; and answers brought by hand."""
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            actions.read_upload(me(), cast(FileStorage, form.file.data).read())
            return redirect(url_for("bank.statements"), 303)
        except BadInput as error:
            form.blame(error)
    return form.page("bank/statements.html", unmatched=queries.statement_lines(unmatched_only=True),
                     lines=queries.statement_lines(), unread=queries.unread_messages(),
                     gaps=queries.statements_with_a_gap(), is_authoriser=Capacity.AUTHORISER in current_user.capacities,
                     is_connected=transport.is_connected())


@blueprint.post("/statements/next-day")
@access.demo
def next_day() -> Response:
    """In the demo: let a day pass at the pretend bank, so that it pays and sends its statement."""
    transport.let_a_day_pass()
    for received in transport.take_answers():
        actions.read_message(received)
    return redirect(url_for("bank.batches"), 303)
