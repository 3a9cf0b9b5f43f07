"""Serving an application to a browser, and looking at a page as it shows it.

Faults that axe finds, one h1, nothing scrolling sideways, and a picture for people to look at.
"""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

SHOTS = Path(os.environ.get("FUND_SHOTS", Path(__file__).resolve().parent.parent.parent / "var" / "shots"))
NARROW = 320


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an application on loopback, a thread a request; gives its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def check(page: Page, shot: str = "") -> None:
    """Assert that axe finds nothing, that there is one h1, and that nothing scrolls sideways at 320 px.

    With `shot`, and FUND_SHOTS set, pictures are kept at both widths.
    """
    wide = page.viewport_size
    assert wide is not None
    faults = faults_of(page)
    headings = page.locator("h1").count()
    if shot:
        keep(page, shot)
    page.set_viewport_size({"width": NARROW, "height": 800})
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    faults += [f"at {NARROW}px: {fault}" for fault in faults_of(page) if fault not in faults]
    if shot:
        keep(page, f"{shot}-{NARROW}")
    page.set_viewport_size(wide)
    assert not faults, f"{page.url}: " + "\n".join(faults)
    assert headings == 1, f"{page.url}: {headings} h1"
    assert over <= 0, f"{page.url}: {over} px too wide at {NARROW}"


def keep(page: Page, name: str) -> None:
    """Keep a picture of the whole page in FUND_SHOTS (nothing without that setting)."""
    if "FUND_SHOTS" in os.environ:
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def faults_of(page: Page) -> list[str]:
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
                                                 "best-practice"], "resultTypes": ["violations"]})
    return [f"{fault['id']}: {fault['help']}: {node['html'][:200]}"
            for fault in found.response["violations"] for node in fault["nodes"]]
