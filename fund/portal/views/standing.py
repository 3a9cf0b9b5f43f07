"""The public pages that belong to no other part: the first page, and what the fund says about itself."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from fund.ledger import queries as ledger
from fund.portal.views.blueprint import blueprint
from fund.web import access, headers
from fund.web.templates import page_of_facts
from fund.web.words import COOKIE, LANGUAGES

YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("/")
@access.public
def home() -> str:
    """What the fund is, in one screen, and the way in for everyone."""
    return page_of_facts("portal/home.html", steps=ledger.steps_of_a_pound())


@blueprint.get("/about")
@access.public
def about() -> str:
    """What the fund is for, who decides what, and what nobody can do."""
    return render_template("portal/about.html")


@blueprint.get("/accessibility")
@access.public
def accessibility() -> str:
    """What works for whom, what does not yet, and whom to tell."""
    return render_template("portal/accessibility.html")


@blueprint.get("/privacy")
@access.public
def privacy() -> str:
    """What is kept about people, what becomes public, and the cookies."""
    return render_template("portal/privacy.html")


@blueprint.post("/language")
@access.public
@headers.without_token
def language() -> Response:
    """Keep the reader's choice of language in a cookie of their own, and go back to the page."""
    chosen = request.form.get("language", "")
    answer = redirect(access.safe_next(request.form.get("next")), 303)
    if chosen in LANGUAGES:
        answer.set_cookie(COOKIE, chosen, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer
