"""What waits for you."""

from flask import Blueprint, render_template
from flask_login import current_user

from fund.dashboards import queries
from fund.kernel import clock
from fund.web import access

blueprint = Blueprint("dashboards", __name__)


@blueprint.get("/waiting")
@access.signed_in
def waiting() -> str:
    """At most three things to do first, then the rest, then what others are doing for you."""
    desk = queries.desk_of(current_user.id, current_user.capacities, has_name=bool(current_user.name))
    return render_template("dashboards/waiting.html", desk=desk, now=clock.now())
