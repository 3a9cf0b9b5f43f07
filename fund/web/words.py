"""English and Welsh: which of them a page is in, and how a sentence is looked up.

A person's choice is kept in the cookie `language`; before any choice the browser's own wish counts. Jobs and letters
write in a person's language inside `with in_language("cy"):`.

The catalogue is fund/translations/cy/LC_MESSAGES/messages.po. To bring it up to date with the code:

    pybabel -q extract -F babel.cfg -k _l -k N_ --no-location --sort-output --no-wrap --omit-header \\
            -o var/messages.pot .
    pybabel -q update -i var/messages.pot -d fund/translations -l cy --no-wrap --no-fuzzy-matching --omit-header
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel.support import Translations
from flask import Flask, g, has_request_context, request
from flask_babel.speaklater import LazyString
from werkzeug.wrappers import Response

from fund.kernel import words

LANGUAGES = {"en": "English", "cy": "Cymraeg"}
COOKIE = "language"
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

_given: ContextVar[str | None] = ContextVar("language", default=None)


def language() -> str:
    """The language of this request: `en` or `cy`."""
    if not has_request_context():
        return "en"
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    return request.accept_languages.best_match(LANGUAGES, default="en") or "en"


@contextmanager
def in_language(code: str) -> Iterator[None]:
    """Everything inside is written in this language: for letters and jobs."""
    chosen = code if code in LANGUAGES else "en"
    before = _given.set(chosen)
    try:
        yield
    finally:
        _given.reset(before)


@cache
def _catalogue(code: str) -> NullTranslations:
    """The catalogue of a language, read once by each process."""
    return Translations.load(str(CATALOGUES), [code])


def language_now() -> str:
    """The language of this letter or request. Asked for every sentence of a page, so a request keeps its answer."""
    given = _given.get()
    if given is not None:
        return given
    if not has_request_context():
        return "en"
    kept = g.get("language")
    if kept is None:
        kept = g.language = language()
    return str(kept)


def _in(code: str, sentence: str) -> str:
    return _catalogue(code).gettext(sentence)


def _look_up(sentence: str) -> str:
    return _catalogue(language_now()).gettext(sentence)


def _look_up_number(one: str, many: str, number: int) -> str:
    return _catalogue(language_now()).ngettext(one, many, number)


def _l(sentence: str, /) -> LazyString:
    """A sentence that is looked up whenever it is shown: for what is made once, as forms are."""
    return LazyString(words._, sentence)


def _say_that_it_varies(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def init_app(app: Flask) -> None:
    """Set up the catalogues, and tell the kernel's words how to be looked up."""
    words.use(_look_up)
    templates = app.jinja_env
    templates.add_extension("jinja2.ext.i18n")
    templates.install_gettext_callables(_look_up, _look_up_number, newstyle=True)  # type: ignore[attr-defined]
    templates.look_up = _in  # type: ignore[attr-defined]
    app.after_request(_say_that_it_varies)
    templates.globals.update(language=language_now, languages=LANGUAGES)
