"""What somebody had typed when they had to sign in first: carried along, and put back into the form they were at.

The page "Sign in to carry on" sends the fields along with the address (`as_text`); people keeps them with the letter;
after the sign-in `put_back` says on which page they belong, and every BaseForm of that page shows them until it is
sent.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, request, session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from fund.web.ways import there_is

_finders: list[Callable[[str], list[list[str]]]] = []


def find_with(finder: Callable[[str], list[list[str]]]) -> Callable[[str], list[list[str]]]:
    """Say how kept fields are found: from the key that `put_back` was given to pairs of name and text. A decorator."""
    _finders[:] = [finder]
    return finder


def page_of_the_form() -> str:
    """The page on which the form that is being sent stands: its own address, or the page that it was sent from."""
    if there_is(request.path):
        return request.path
    sent_from = urlsplit(request.referrer or "")
    return sent_from.path if sent_from.netloc == request.host and there_is(sent_from.path) else "/"


def as_text(fields: list[tuple[str, str]]) -> str:
    """The fields of this request as one text for a hidden field."""
    return json.dumps({"path": page_of_the_form(), "fields": [list(pair) for pair in fields]})


def put_back(key: str, path: str) -> None:
    """From now on the forms on `path` begin with the fields kept under `key`."""
    session["kept"] = [key, path]


def fields_for_this_page() -> MultiDict[str, Any] | None:
    """What the forms of this page begin with, if anything was kept for it."""
    key, path = session.get("kept", ("", ""))
    if path != request.path or request.method != "GET" or not _finders:
        return None
    if "kept_fields" not in g:
        g.kept_fields = MultiDict([(name, text) for name, text in _finders[0](key)])
    return g.kept_fields or None


def are_back() -> bool:
    """Whether this page shows words that were kept. Templates: `words_are_back()`."""
    return bool(g.get("kept_fields"))


def _forget_when_sent(response: Response) -> Response:
    if request.method == "POST" and response.status_code < 400 and session.get("kept", ("", ""))[1] == request.path:
        session.pop("kept")
    return response


def init_app(app: Flask) -> None:
    """Forget them when the form is sent well, and let templates say that they are back."""
    app.after_request(_forget_when_sent)
    app.jinja_env.globals["words_are_back"] = are_back
