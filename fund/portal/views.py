"""Pages of the part `portal`."""

from flask import Blueprint, render_template

from fund.web import access

blueprint = Blueprint("portal", __name__)


@blueprint.get("/")
@access.public
def home() -> str:
    """What the fund is, in one screen, and the way in for everyone."""
    return render_template("portal/home.html")
