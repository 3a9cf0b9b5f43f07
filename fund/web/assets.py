"""The style sheet, scripts, pictures and fonts: built once, with names that change when their contents do.

In templates: `{{ asset("fund.css") }}` is the file's address.
"""

import json
from functools import cache
from pathlib import Path

from flask import Flask, url_for

STATIC = Path(__file__).resolve().parent / "static"
MANIFEST = STATIC / "manifest.json"


@cache
def manifest() -> dict[str, str]:
    """What each file is called today; empty before the assets are built (the pages then have no style)."""
    return dict(json.loads(MANIFEST.read_text())) if MANIFEST.exists() else {}


def asset(name: str) -> str:
    """The address of a built file."""
    return url_for("static", filename=manifest().get(name, name))


def init_app(app: Flask) -> None:
    """Give templates `asset`."""
    app.jinja_env.globals["asset"] = asset
