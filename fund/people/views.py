"""Pages of signing in and out, of the profile, and of being anyone in the demo."""

import hashlib
import secrets
import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask_login import current_user, login_user
from werkzeug.wrappers import Response

from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import BadInput
from fund.people import actions, queries, rules
from fund.people.forms import CodeForm, ProfileForm, SignInForm
from fund.web import access, kept, limits
from fund.web.forms import PressForm
from fund.web.ways import there_is
from fund.web.words import COOKIE, LANGUAGES, language

blueprint = Blueprint("people", __name__)

access.load_person_with(queries.signed_in)
kept.find_with(queries.kept_fields)

YEAR_SECONDS = 365 * 24 * 3600
FIRST_PAGE = "/waiting"


def _address_asked_for() -> str:
    """The address that a request to sign in names, as one key to count by."""
    return hashlib.sha256(request.form.get("email", "").strip().lower().encode()).hexdigest()


@blueprint.get("/sign-in")
@access.public
def sign_in() -> Any:
    """Ask for an e-mail address; whoever is signed in already goes on."""
    if current_user.is_authenticated:
        return redirect(_way_on(rules.way_back(request.args.get("next"))))
    return SignInForm(next=rules.way_back(request.args.get("next"))).page("people/sign_in.html")


@blueprint.post("/sign-in")
@limits.at_most("10 per 5 minutes; 60 per day", key=_address_asked_for, name="sign-in of an address")
@limits.at_most("30 per 5 minutes", name="sign-in from one place")
@limits.at_most("1000 per 5 minutes", key=lambda: "all", name="sign-in of everybody")
@access.public
def begin_sign_in() -> Any:
    """Send the letter. The answer is the same whether anybody has the address or not."""
    form = SignInForm()
    if form.validate_on_submit():
        device = secrets.token_urlsafe(24)
        try:
            request_id = actions.begin_sign_in(
                form.email.data, device=device, return_to=form.next.data, words=rules.words_to_keep(form.kept.data),
                language=language())
        except BadInput as error:
            form.blame(error)
        else:
            session["sign_in"] = [str(request_id), device]
            return redirect(url_for("people.check"), 303)
    return form.page("people/sign_in.html")


@blueprint.get("/sign-in/check")
@access.public
def check() -> Any:
    """Say that a letter is on its way, and take the code on the device where it was asked for."""
    return _check_page(CodeForm())


@blueprint.post("/sign-in/check")
@limits.at_most("60 per 5 minutes", name="codes from one place")
@limits.at_most("2000 per 5 minutes", key=lambda: "all", name="codes of everybody")
@access.public
def claim_code() -> Any:
    """Sign this device in by the code. A wrong code is a redirect, so that the try it used up is committed."""
    form, begun = CodeForm(), _begun()
    if begun is None or not form.validate_on_submit() or not _may_try(begun.id):
        return _check_page(form)
    signed_in = actions.claim_by_code(begun.id, device=session["sign_in"][1], code=form.code.data, language=language())
    if signed_in is None:
        return redirect(url_for("people.check"), 303)
    return _welcome(signed_in)


def _begun() -> Any:
    """The request that this device began, if it did."""
    request_id, device = session.get("sign_in", ("", ""))
    return queries.sign_in_request(uuid.UUID(request_id), rules.sha256(device)) if request_id else None


def _may_try(request_id: uuid.UUID) -> bool:
    return not rules.reasons_not_to_try_code(queries.facts_of_request(request_id), clock.now())


def _check_page(form: CodeForm) -> Any:
    begun = _begun()
    if begun is None:
        return redirect(url_for("people.sign_in"), 303)
    facts = queries.facts_of_request(begun.id)
    reasons = rules.reasons_not_to_try_code(facts, clock.now())
    if reasons:
        return render_template("people/link_over.html", reasons=reasons, next=begun.return_to), 410
    if facts.code_tries and request.method == "GET":
        form.code.errors = [rules.wrong_code(facts)]
    answer, _status = form.page("people/check.html", address=begun.email, next=begun.return_to,
                                has_words=bool(begun.words))
    return answer, 422 if request.method == "POST" else 200


@blueprint.get("/sign-in/link/<token>")
@access.public
def link(token: str) -> Any:
    """What the letter's link opens: one button. Opening it changes nothing, so a scanner of mail cannot use it up."""
    found = queries.sign_in_request_of_link(rules.sha256(token))
    reasons = rules.reasons_not_to_use_link(queries.facts_of_request(found.id) if found else None, clock.now())
    if reasons or found is None:
        return render_template("people/link_over.html", reasons=reasons, next=found.return_to if found else "/"), 410
    return PressForm().page("people/link.html", address=found.email, token=token)


@blueprint.post("/sign-in/link/<token>")
@limits.at_most("60 per 5 minutes", name="links from one place")
@access.public
def claim_link(token: str) -> Any:
    """Sign this device in, whichever it is."""
    found = queries.sign_in_request_of_link(rules.sha256(token))
    if found is None or rules.reasons_not_to_use_link(queries.facts_of_request(found.id), clock.now()):
        return link(token)
    return _welcome(actions.claim_by_link(token, language=language()))


def _welcome(signed_in: actions.SignIn) -> Response:
    """Make this device theirs, and take them back to where they were going, with their words."""
    _leave()
    session.permanent = True
    person = queries.signed_in(str(signed_in.session_id))
    login_user(person)
    if signed_in.words_path:
        kept.put_back(str(signed_in.request_id), signed_in.words_path)
    answer = redirect(_way_on(signed_in.return_to), 303)
    return _in_their_language(answer, person.language if person else "en")


def _leave() -> None:
    """End the session that this device had, if it had one."""
    if current_user.is_authenticated:
        actions.end_session(current_user.session_id)
    session.pop("sign_in", None)
    session.pop("kept", None)


def _way_on(return_to: str) -> str:
    return FIRST_PAGE if return_to == "/" and there_is(FIRST_PAGE) else return_to


def _in_their_language(answer: Response, code: str) -> Response:
    if code in LANGUAGES:
        answer.set_cookie(COOKIE, code, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure)
    return answer


@blueprint.post("/sign-out")
@access.public
def sign_out() -> Response:
    """End this device's session at once, and forget everything that it held."""
    _leave()
    session.clear()
    return redirect("/", 303)


@blueprint.get("/profile")
@access.signed_in
def profile() -> Any:
    """Who you are to others, and the language in which the fund writes to you."""
    return ProfileForm(name=current_user.name, language=current_user.language).page("people/profile.html")


@blueprint.post("/profile")
@access.signed_in
def change_profile() -> Any:
    """Keep a name and a language."""
    form = ProfileForm()
    if form.validate_on_submit():
        try:
            actions.change_profile(access.actor(Capacity.APPLICANT), name=form.name.data, language=form.language.data)
        except BadInput as error:
            form.blame(error)
        else:
            return _in_their_language(redirect(_way_on("/"), 303), form.language.data)
    return form.page("people/profile.html")


@access.demo
def demo() -> str:
    """Everyone in the demo, with what they may do."""
    people = queries.demo_people()
    return render_template("people/demo.html", people=people, may_do=queries.what_people_may_do(people),
                           next=rules.way_back(request.args.get("next")))


@access.demo
def be_in_the_demo(person_id: uuid.UUID) -> Response:
    """Sign the visitor in as somebody of the demo."""
    return _welcome(actions.start_demo_sign_in(person_id, return_to=request.form.get("next")))


@blueprint.record
def _demo_pages(state: BlueprintSetupState) -> None:
    """Add the demo's pages, unless this is production: there they do not exist at all."""
    if state.app.config["FUND"].fund_env != "production" and state.app.config["FUND"].demo_sign_in:
        state.add_url_rule("/demo", "demo", demo, methods=["GET"])
        state.add_url_rule("/demo/<uuid:person_id>", "be_in_the_demo", be_in_the_demo, methods=["POST"])
