"""The public log over HTTP: its files as they are published, and three pages that say what they are. For anybody."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from fund.kernel import clock
from fund.kernel.errors import NotFound
from fund.settings import settings
from fund.transparency import queries
from fund.transparency.rules import signing
from fund.web import access

blueprint = Blueprint("transparency", __name__)

PAGE = 50
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {"tile": "application/octet-stream", "schema": "application/json", "accounts": "application/json",
          "balances": "application/json", "verify/verify.py": "text/x-python; charset=utf-8"}


@blueprint.get("/log/")
@access.public
def overview() -> str:
    """How far the log is published, who signed it, and what anybody can do with it."""
    found = queries.publication()
    return render_template("transparency/overview.html", found=found, origin=settings().log_origin,
                           is_late=signing.is_late(found.waiting_since, clock.now()))


@blueprint.get("/log/verify/")
@access.public
def how_to_check() -> str:
    """How to check the whole log, or one line, without trusting anybody."""
    return render_template("transparency/how_to_check.html", address=settings().public_url + "/log",
                           published=queries.published_size())


@blueprint.get("/log/history/")
@access.public
def history() -> Any:
    """Every checkpoint that was published, the latest first."""
    given = request.args.get("before", "")
    if given and not (given.isascii() and given.isdigit() and len(given) < 19):
        raise NotFound
    before = int(given) if given else None
    found = queries.checkpoints(before=before, most=PAGE + 1)
    if before is not None and not found:
        return redirect(url_for(".history"))
    older = url_for(".history", before=found[PAGE - 1].size) if len(found) > PAGE else None
    newer = None
    if before is not None:
        are_newer, size = queries.newer_checkpoints(before, PAGE)
        newer = url_for(".history", before=size) if are_newer else None
    return render_template("transparency/history.html", found=found[:PAGE], older=older, newer=newer)


@blueprint.get("/log/proof/<int:index>.tlog-proof")
@access.public
def receipt(index: int) -> Response:
    """The receipt of one line, to be kept: it proves the line for ever, without the fund."""
    response = _file(queries.receipt_of(index), "text/plain; charset=utf-8", "no-cache")
    response.headers["Content-Disposition"] = f'attachment; filename="line-{index}.tlog-proof"'
    return response


@blueprint.get("/log/<path:name>")
@access.public
def file(name: str) -> Response:
    """A published file, byte for byte."""
    found = queries.published_file(name)
    kind = _TYPES.get(name) or _TYPES.get(name.partition("/")[0], "text/plain; charset=utf-8")
    response = _file(found.data, kind, _FOR_EVER if found.is_for_ever else "no-cache")
    if name == "checkpoint" and "save" in request.args:
        response.headers["Content-Disposition"] = 'attachment; filename="checkpoint"'
    return response


def _file(data: bytes, kind: str, caching: str) -> Response:
    # Anybody's page may read the log: a verifier in a browser, a mirror, a witness.
    return Response(data, content_type=kind, headers={
        "Cache-Control": caching, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"})
