"""The endowment for anybody to read: what came in, what it earned, and what the rule lets a year spend."""

from flask import Blueprint, render_template

from fund.endowment import queries
from fund.web import access

blueprint = Blueprint("endowment", __name__)


@blueprint.get("/endowment")
@access.public
def overview() -> str:
    """What the endowment is worth, its tranches with their shares, its return, and each year's limit."""
    return render_template(
        "endowment/overview.html", worth=queries.worth(), shares=queries.shares_of_tranches(),
        returns=queries.returns(most=50), limits=queries.limits_with_what_is_left())
