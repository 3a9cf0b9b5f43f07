"""What arrives, read strictly: Flask's own reading gives 500 for deep JSON, an empty form for broken multipart, and no
limit to the number of fields. Here each is a 400 or a 413 that says what was wrong.
"""

import io
import re
from collections.abc import Iterator
from typing import IO, Any

import flask
from flask import Flask
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.routing import IntegerConverter

MOST_FIELDS = 1000
#: A file of 25 MB, and the form around it.
MOST_BYTES = 26 * 1024 * 1024
MOST_TEXT_BYTES = 1024 * 1024
#: What no text of a form, a query or a JSON body may hold: PostgreSQL and UTF-8 have no place for them.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class _StrictParser(FormDataParser):
    """Says that a form is broken where Werkzeug gives an empty one, and too big before all of it is read."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "silent": False})

    def parse(self, stream: IO[bytes], mimetype: str, *args: Any, **kwargs: Any) -> Any:
        """The stream, the fields and the files. Raises BadRequest or RequestEntityTooLarge."""
        if mimetype == "application/x-www-form-urlencoded":
            body = stream.read(MOST_TEXT_BYTES + 1)
            if len(body) > MOST_TEXT_BYTES or body.count(b"&") > MOST_FIELDS:
                raise RequestEntityTooLarge("The form is too long.")
            stream = io.BytesIO(body)
        try:
            stream, form, files = super().parse(stream, mimetype, *args, **kwargs)
            if None in form or None in files:
                raise ValueError("a part without a name")
            return stream, form, files
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            raise BadRequest("The form arrived broken.") from error


class Request(flask.Request):
    """A request whose form and JSON are read strictly."""

    form_data_parser_class = _StrictParser
    max_form_parts = MOST_FIELDS

    def get_json(self, *args: Any, **kwargs: Any) -> Any:
        """The body as JSON. Raises BadRequest when it is nested too deeply or holds what no text can."""
        try:
            found = super().get_json(*args, **kwargs)
        except RecursionError as error:
            raise BadRequest("The data is nested too deeply.") from error
        except ValueError as error:
            raise BadRequest("The data is no JSON that we can read.") from error
        if any(_UNKEEPABLE.search(text) for text in _texts_within(found)):
            raise BadRequest("The text holds characters that cannot be kept.")
        return found


def _texts_within(data: Any) -> Iterator[str]:
    """Every text of some JSON, keys too, however deep."""
    waiting = [data]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part


class _ShortInteger(IntegerConverter):
    """A number in an address, short enough for a bigint: longer ones are no page of ours."""

    regex = r"[0-9]{1,18}"


def _refuse_what_cannot_be_kept() -> None:
    """400 for NUL and lone surrogates in an address or a form; 413 for more fields than any form of ours has."""
    given = flask.request
    texts = [given.path, *(text for pair in given.args.items(multi=True) for text in pair)]
    if given.method not in {"GET", "HEAD", "OPTIONS"} and given.endpoint is not None:
        if len(given.form) + len(given.files) > MOST_FIELDS:
            raise RequestEntityTooLarge("The form has too many fields.")
        texts += [text for pair in given.form.items(multi=True) for text in pair]
        texts += [file.filename or "" for _name, file in given.files.items(multi=True)]
    if any(_UNKEEPABLE.search(text) for text in texts):
        raise BadRequest("The text holds characters that cannot be kept.")


def init_app(app: Flask) -> None:
    """Set the limits, and refuse what cannot be kept before any view sees it."""
    app.config.update(MAX_CONTENT_LENGTH=MOST_BYTES, MAX_FORM_MEMORY_SIZE=MOST_TEXT_BYTES, MAX_FORM_PARTS=MOST_FIELDS)
    app.url_map.converters["int"] = _ShortInteger
    app.before_request(_refuse_what_cannot_be_kept)
