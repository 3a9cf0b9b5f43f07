"""The fund's errors as pages: mapped to a status once, here.

Each page says what happened, what was kept and what to do. Where somebody's words could be lost (their sign-in ended,
the form's token was missing), the page shows them all and offers to send them again.

    Refused 409 with every sentence   Forbidden 403   NotFound 404   Stale 409 with both versions   BadInput 422
    OutsideDown 503                   Broken and anything unforeseen 500 with a number to quote
    a refusal by the database 409     the database away 503
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.globals import request_ctx
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from fund.db import refusal, session
from fund.kernel import errors as kinds
from fund.kernel.text import without_control
from fund.kernel.words import _
from fund.web import access, filters, limits
from fund.web.access import SIGN_IN_PATH, MustSignIn
from fund.web.headers import is_from_here
from fund.web.kept import as_text, page_of_the_form

log = structlog.get_logger()

#: Fields whose contents are never shown again.
_NEVER_SHOWN = {"csrf_token", "password", "code", "token"}


def page(status: int, title: str, sentences: Sequence[str] = (), *, kept: str = "", onward: str = "",
         **more: Any) -> tuple[str, int] | tuple[Response, int]:
    """An error page: what happened (`title`, `sentences`), what was kept (`kept`), what to do (`onward`)."""
    session.rollback()
    if request.accept_mimetypes.best == "application/json":
        return jsonify(title=title, sentences=list(sentences), kept=kept, onward=onward), status
    # Without an address of our own (a foreign Host) no link can be written; after a 5xx nobody asks who is there.
    g.bare = status >= 500
    template = "errors/plain.html" if request_ctx.url_adapter is None else "errors/error.html"
    return render_template(template, status=status, title=title, sentences=sentences, kept=kept, onward=onward,
                           **more), status


def kept_words() -> list[tuple[str, str]]:
    """What the form held, to be shown and sent again; nothing when it cannot be read."""
    try:
        return [(without_control(name), without_control(text)) for name, text in request.form.items(multi=True)
                if not any(name.endswith(secret) for secret in _NEVER_SHOWN)]
    except Exception:  # the edge: what cannot be read at all cannot be shown, and must not hide the first error
        return []


def _refused(error: kinds.Refused) -> Any:
    return page(409, _("This cannot be done now"), [reason.sentence for reason in error.reasons],
                kept=_("Nothing was changed."))


def _forbidden(_error: Exception) -> Any:
    return page(403, _("This page is for somebody else"),
                [_("Your account does not have the part that this page is for.")],
                onward=_("If you think it should, ask whoever looks after accounts in your team."))


def _from_elsewhere(_error: Exception) -> Any:
    return page(403, _("We did not take this"), [_("It came from another website, so we left everything as it was.")],
                onward=_("Open the page here and send it again."))


def _not_found(_error: Exception) -> Any:
    return page(404, _("We cannot find that page"),
                [_("The address may be mistyped, or the page may be for somebody else.")],
                onward=_("Start from the first page, or check the link that you were given."))


def _stale(error: kinds.Stale) -> Any:
    return page(409, _("Somebody changed this first"), [str(error)],
                kept=_("What you wrote is below. Nothing was lost."),
                onward=_("Compare the two, then send yours again if it should stand."),
                theirs=error.theirs, yours=error.yours)


def _bad_input(error: kinds.BadInput) -> Any:
    where = [_("Row %(row)s:", row=error.row)] if error.row is not None else []
    return page(422, _("Something in it needs mending"), [" ".join([*where, str(error)])],
                kept=_("Nothing was changed."), onward=_("Go back, mend it and send it again."), words=kept_words())


def _outside_down(_error: Exception) -> Any:
    return page(503, _("Something outside is not answering"),
                [_("A service that we rely on does not answer at the moment.")],
                kept=_("Nothing was lost that we had told you was saved."), onward=_("Try again in a few minutes."),
                words=kept_words())


def _must_sign_in(_error: Exception) -> Any:
    fields = kept_words()
    return page(403, _("Sign in to carry on"), [_("You are not signed in any more, so this was not sent.")],
                kept=_("What you wrote is kept. You get it back on the same page once you have signed in."),
                words=fields, sign_in=SIGN_IN_PATH, came_from=page_of_the_form(), carried=as_text(fields),
                files=bool(request.files))


def _no_token(error: CSRFError) -> Any:
    if request.endpoint and access.is_for_signed_in(request.endpoint) and not current_user.is_authenticated:
        return _must_sign_in(error)
    return page(400, _("Please send that once more"),
                [_("The page had been open for a long time, or your sign-in ended meanwhile. So this was not sent.")],
                kept=_("Everything that you wrote is kept on this page."), onward=_("Check it and send it again."),
                words=kept_words(), again=is_from_here() is True, files=bool(request.files))


def _try_again_after() -> str:
    when = limits.may_try_again_at()
    if when is None:
        return _("Wait a few minutes, then try again.")
    return _("Try again after %(moment)s.", moment=filters.moment(when + timedelta(seconds=59)))


def _http(error: HTTPException) -> Any:
    if (error.code or 500) < 400 or error.response is not None:
        return error
    says: dict[int, tuple[str, str, str]] = {
        400: (_("We could not read that"), _("What arrived was broken on its way, or is not meant for this page."),
              _("Go back and try again.")),
        405: (_("That does not work from here"), _("This address takes another kind of request."),
              _("Start from the page itself.")),
        410: (_("This has been used or is over"), _("The link worked once, or its time has passed."),
              _("Ask for a new one.")),
        413: (_("That is too big"), _("What you sent is larger than we can take: 25 MB with its files."),
              _("Make the file smaller, or send fewer at once.")),
        415: (_("We cannot read that kind of file"), _("It is not a kind that we take here."),
              _("Choose another file.")),
        429: (_("Too many tries for now"), _("This has been tried very often in a short time, so we paused it."),
              _try_again_after()),
    }
    title, sentence, onward = says.get(error.code or 500, says[400])
    answer = page(error.code or 500, title, [sentence], onward=onward,
                  words=kept_words() if error.code in {429} else [])
    if error.code == 405 and getattr(error, "valid_methods", None):
        return (*answer, {"Allow": ", ".join(sorted(error.valid_methods))})  # type: ignore[attr-defined]
    return answer


def _refused_by_the_database(error: exc.IntegrityError) -> Any:
    sqlstate, constraint = refusal(error)
    log.warning("web.refused_by_database", sqlstate=sqlstate, constraint=constraint, endpoint=request.endpoint)
    return page(409, _("This cannot be done now"),
                [_("It would break one of the fund's rules, or somebody did it a moment before you.")],
                kept=_("Nothing was changed."), onward=_("Look at the page again: it shows what stands now."))


def _database_trouble(error: exc.DBAPIError) -> Any:
    sqlstate, _constraint = refusal(error)
    if sqlstate in {"40001", "40P01"}:
        return _refused_by_the_database(error)  # type: ignore[arg-type]
    if isinstance(error, exc.OperationalError):
        log.error("web.database_away", sqlstate=sqlstate, endpoint=request.endpoint)
        return _outside_down(error)
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Any:
    number = secrets.token_hex(4).upper()
    log.error("web.unforeseen", number=number, endpoint=request.endpoint, method=request.method, exc_info=error)
    return page(500, _("Something went wrong on our side"),
                [_("It is our fault, not yours, and it has raised an alarm. Its number is %(number)s.", number=number)],
                kept=_("What you sent was not saved."),
                onward=_("Try again in a while. If it happens again, tell us the number."),
                words=kept_words())


def init_app(app: Flask) -> None:
    """Register a page for each kind."""
    app.config.setdefault("PROPAGATE_EXCEPTIONS", False)
    pages: dict[type[Exception] | int, Callable[..., Any]] = {
        kinds.Refused: _refused, kinds.Forbidden: _forbidden, kinds.NotFound: _not_found, kinds.Stale: _stale,
        kinds.BadInput: _bad_input, kinds.OutsideDown: _outside_down, MustSignIn: _must_sign_in, CSRFError: _no_token,
        403: _from_elsewhere, 404: _not_found, HTTPException: _http, exc.IntegrityError: _refused_by_the_database,
        exc.DBAPIError: _database_trouble, exc.TimeoutError: _outside_down, Exception: _unforeseen,
    }
    for kind, answer in pages.items():
        app.register_error_handler(kind, answer)
