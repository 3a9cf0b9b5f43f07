"""Follow the pound: any payment backwards to the tranches; and who else touched a decision."""

import uuid

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from fund.kernel.errors import NotFound
from fund.portal import queries
from fund.portal.views.blueprint import blueprint
from fund.web import access

LONGEST = 40


@blueprint.get("/follow")
@access.public
def follow() -> str | Response:
    """Ask for a reference, or choose one of the newest payments."""
    reference = request.args.get("reference", "").strip()
    if reference:
        return redirect(url_for("portal.trail", reference=reference[:LONGEST]))
    return render_template("portal/follow.html", payments=queries.newest_payments(), typed="", problem="")


@blueprint.get("/follow/<reference>")
@access.public
def trail(reference: str) -> str | tuple[str, int]:
    """A payment, grant or application, and where its money came from. An unknown one stays in the box to be mended."""
    try:
        found = queries.trail(reference)
    except NotFound as error:
        return render_template("portal/follow.html", payments=queries.newest_payments(), typed=reference[:LONGEST],
                               problem=str(error)), 404
    return render_template("portal/trail.html", trail=found, asked=reference.strip().upper())


@blueprint.get("/decisions/<uuid:decision_id>/touched")
@access.public
def touched(decision_id: uuid.UUID) -> str:
    """Who else touched a decision: every act of anyone who is not of the panel."""
    facts = queries.decision_facts(decision_id)
    return render_template("portal/touched.html", facts=facts, touched=queries.who_else_touched(facts.application_id))
