"""What each page costs: CPU per request and queries, beside a bare page with the same layout, at two sizes of the fund.

`python -m bench.pages` makes a database of its own, loads the demo, stores 100 and then 10,000 applications in its
round, and asks every page of the line many times in one process. CPU is user and system time of that process: the
page's own work and the driver's, without the network and without PostgreSQL's. The ratio to the floor travels between
machines; the milliseconds do not. Results go to bench/results/.
"""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask, render_template
from werkzeug.test import EnvironBuilder, run_wsgi_app

import fund.demo.load
from fund import schema
from fund.app import create_app
from fund.db import db, session
from fund.embedded import postgres
from fund.settings import Settings
from fund.web import access, limits

HERE = Path(__file__).resolve().parent
VAR = HERE.parent / "var" / "bench"
SIZES = (100, 10_000)
REQUESTS = 120


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the line: whose it is (an e-mail of the demo, or nobody's), and its budget in ms (SPEED.md), if any."""

    name: str
    path: str
    who: str | None = None
    budget_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one page cost at one size."""

    page: str
    size: int
    cpu_ms: float
    times_the_floor: float
    queries: int
    kilobytes: float
    budget_ms: float | None


@contextmanager
def bench_fund(server: Any) -> Iterator[tuple[Flask, str]]:
    """A database of its own with the demo in it, and the application on it."""
    name = f"bench_{os.getpid()}"
    schema.make_roles(postgres.superuser_url(server))
    schema.make_database(postgres.superuser_url(server), name)
    schema.upgrade(postgres.role_url(server, name, "fund_migrator"))
    app = create_app(Settings(_env_file=None, fund_env="demo", database_url=postgres.role_url(server, name, "fund_app"),
                              s3_endpoint_url="", redis_url=""))
    limits.limiter.enabled = False  # one address asks for every page many times
    app.add_url_rule("/bench-floor", view_func=access.public(_floor))
    try:
        with app.app_context():
            fund.demo.load.load(say=lambda _line: None)
        yield app, name
    finally:
        with app.app_context():
            db.engine.dispose()
        with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _floor() -> str:
    """The floor: the same layout after one SELECT."""
    session.execute(sa.text("SELECT 1"))
    return render_template("errors/error.html", title="Floor", sentences=["Floor."], reference=None, status=200)


def store_applications(server: Any, name: str, wanted: int) -> None:
    """Store as many submitted applications in the demo's round, as the loader of a test may: without the triggers."""
    with psycopg.connect(postgres.superuser_url(server, name)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("""
        WITH one AS (SELECT s.*, a.round_id, a.applicant_id, a.answers FROM submission s
                     JOIN application a ON a.id = s.application_id ORDER BY s.submitted_at LIMIT 1),
        made AS (INSERT INTO application (id, reference, round_id, applicant_id, organisation_id, answers)
                 SELECT gen_random_uuid(), 'APP-BENCH-' || n, one.round_id, one.applicant_id, one.organisation_id,
                        one.answers
                 FROM one, generate_series((SELECT count(*) FROM submission), %s - 1) AS n RETURNING id)
        INSERT INTO submission (id, application_id, organisation_id, content, sha256, title, asked_pence, submitted_by,
                                submitted_at)
        SELECT gen_random_uuid(), made.id, one.organisation_id, one.content, one.sha256, one.title, one.asked_pence,
               one.submitted_by, clock_timestamp() - random() * interval '30 days'
        FROM one, made""", [wanted])
        connection.execute("SET session_replication_role = origin")
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")


def measure(app: Flask, page: Page, size: int, floor: Callable[[], Any]) -> Cost:
    """Ask for a page many times, each group of requests beside one of the floor, so that both meet the same noise.

    The time is the quietest group's: whatever else runs on the machine only ever adds to it. How often the floor fits
    is the median over the pairs of groups.
    """
    ask = _asker(app, page)
    status, body = ask()
    if status != "200 OK":
        raise SystemExit(f"{page.path} answered {status} to {page.who}")
    queries = _queries(app, ask)
    for _warm in range(10):
        ask()
    pairs = [(_group(floor), _group(ask)) for _pair in range(10)]
    return Cost(page.name, size, min(own for _, own in pairs), statistics.median(own / base for base, own in pairs),
                queries, len(body) / 1024, page.budget_ms)


def _group(ask: Callable[[], Any]) -> float:
    """CPU milliseconds a request, over a group of them."""
    before = time.process_time()
    for _request in range(REQUESTS // 10):
        ask()
    return (time.process_time() - before) * 1000 / (REQUESTS // 10)


def _asker(app: Flask, page: Page) -> Callable[[], tuple[str, bytes]]:
    client = app.test_client()
    if page.who is not None:
        with app.app_context():
            person_id = session.execute(sa.text("SELECT id FROM person WHERE email = :e"), {"e": page.who}).scalar_one()
            session.rollback()
            fund.demo.load.sign_in(client, person_id)
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    headers = {"Cookie": f"{cookie.key}={cookie.value}"} if cookie else {}

    def ask() -> tuple[str, bytes]:
        environ = EnvironBuilder(path=page.path.partition("?")[0], query_string=page.path.partition("?")[2],
                                 headers=headers, base_url="http://localhost").get_environ()
        chunks, status, _headers = run_wsgi_app(app, environ)
        return status, b"".join(chunks)

    return ask


def _queries(app: Flask, ask: Callable[[], Any]) -> int:
    counted = []

    def count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        counted.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        ask()
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return len(counted)


def table(costs: list[Cost]) -> str:
    """The table, as text."""
    lines = [f"{'page':<34}{'stored':>8}{'CPU ms':>9}{'x floor':>9}{'queries':>9}{'KB':>7}{'budget ms':>11}"]
    lines += [f"{cost.page:<34}{cost.size:>8}{cost.cpu_ms:>9.2f}{cost.times_the_floor:>9.1f}{cost.queries:>9}"
              f"{cost.kilobytes:>7.1f}{cost.budget_ms if cost.budget_ms is not None else '':>11}" for cost in costs]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep."""
    server = postgres.start(VAR / "postgres")
    costs: list[Cost] = []
    with bench_fund(server) as (app, name):
        for size in SIZES:
            store_applications(server, name, size)
            with app.app_context():
                pages = fund.demo.load.pages_of_the_line()
                session.rollback()
            nothing = Page("floor: the layout, one SELECT", "/bench-floor")
            floor = _asker(app, nothing)
            costs += [measure(app, page, size, floor) for page in (nothing, *(Page(*page) for page in pages))]
    print(table(costs))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE,
                            check=False).stdout.strip()
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "pages.json").write_text(json.dumps({
        "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
        "load": os.getloadavg()[0], "costs": [asdict(cost) for cost in costs]}, indent=1))


if __name__ == "__main__":
    main()
