"""The ways that stand on every page: which pages lead on, in what words, and where the reader is.

A part's page shows up here as soon as it exists; nothing leads to a page that does not.
"""

from functools import cache, partial
from typing import NamedTuple

from flask import Flask, current_app, g, request
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from fund.web.access import safe_next
from fund.web.words import _l

FOR_ANYBODY = (("/", _l("Home")), ("/places", _l("Find your place")), ("/ledger", _l("Open books")))
SIGNED_IN = ("/waiting", _l("What waits for you"))
SIGNED_OUT = ("/sign-in", _l("Sign in"))


class Way(NamedTuple):
    """One link of the navigation; `here` when the reader is on it or below it."""

    path: str
    words: object
    here: bool


def there_is(path: str, method: str = "GET") -> bool:
    """Whether a route takes this path. Templates: `{% if there_is("/demo") %}`."""
    return _there_is(current_app._get_current_object(), path, method)  # type: ignore[attr-defined]


@cache
def _there_is(app: Flask, path: str, method: str = "GET") -> bool:
    try:
        app.url_map.bind("localhost").match(path, method=method)
    except RequestRedirect:
        return True
    except HTTPException:
        return False
    return True


def who() -> object | None:
    """The signed-in person, or None; an error page of ours asks nobody, since the asking may be what failed."""
    if g.get("bare") or not current_user.is_authenticated:
        return None
    return current_user._get_current_object()


def ways() -> list[Way]:
    """The navigation, from left to right."""
    last = SIGNED_IN if who() is not None else SIGNED_OUT
    return [Way(path, words, _is_here(path)) for path, words in (*FOR_ANYBODY, last) if there_is(path)]


def _is_here(path: str) -> bool:
    return request.path == path or (path != "/" and request.path.startswith(path + "/"))


def this_page() -> str:
    """The address to come back to after changing the language."""
    if request.method == "GET" or there_is(request.path):
        return safe_next(request.full_path.rstrip("?"))
    return "/"


def init_app(app: Flask) -> None:
    """Give them to every template."""
    app.jinja_env.constant["there_is"] = partial(_there_is, app)  # type: ignore[attr-defined]
    app.jinja_env.globals.update(ways=ways, there_is=there_is, who=who, this_page=this_page, fund=app.config["FUND"])
