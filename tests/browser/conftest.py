"""A real browser on the real application: committed data in a database of its own, served on loopback.

    def test_…(live, page):
        page.goto(live.url + "/")
        check(page)                       # from tests.browser.look: axe, one h1, no sideways scroll at 320 px

`live.app` is the application (`with live.app.app_context(): …` to make rows; commit them), `live.work()` does every
job that is due. A console error, a refused script or an uncaught exception in a page fails the test.
"""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, sync_playwright

from fund import queue
from fund.app import create_app
from fund.db import db
from fund.embedded import postgres
from fund.settings import Settings
from fund.web import assets
from tests.browser.look import serving

# Playwright's own Node asks for a library that a bare Debian lacks; the fund's asks for none.
os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", assets.node())


@dataclass(frozen=True)
class Live:
    """A running application: its address, and itself."""

    url: str
    app: Flask

    def work(self) -> int:
        """Do every job that is due; gives how many were done."""
        with self.app.app_context():
            return queue.run_all_due()


@contextmanager
def _running(server: Any, template: str) -> Iterator[Live]:
    """The application on loopback, with a fresh copy of the migrated database."""
    name = f"live_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        app = create_app(Settings(_env_file=None, fund_env="demo",
                                  database_url=postgres.role_url(server, name, "fund_app")))
        with serving(app) as url:
            yield Live(url, app)
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def live(server, template, built):
    """A running fund of this test's own, with nothing in it."""
    with _running(server, template) as found:
        yield found


@pytest.fixture(scope="module")
def module_live(server, template, built):
    """A running fund that the tests of one file share."""
    with _running(server, template) as found:
        yield found


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium where there is one, Playwright's own elsewhere."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def new_page(browser: Browser):
    """`new_page(scripts=False)`: another person's browser. What goes wrong inside any of them fails the test."""
    contexts, wrong = [], []

    def make(*, scripts: bool = True, width: int = 1280, height: int = 900) -> Page:
        context = browser.new_context(java_script_enabled=scripts, viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        page.on("response", lambda answer: answer.status < 500 or wrong.append(f"{answer.status} {answer.url}"))
        page.on("console", lambda said: _is_a_fault(said) and wrong.append(f"{page.url}: {said.text}"))
        return page

    yield make
    for context in contexts:
        context.close()
    assert not wrong, wrong


def _is_a_fault(said) -> bool:
    # A browser reports every 4xx page as a failed load: the tests look at those pages themselves.
    return said.type in {"error", "warning"} and "Failed to load resource" not in said.text


@pytest.fixture
def page(new_page) -> Page:
    """One person's browser, 1280 pixels wide."""
    return new_page()
