"""The pages of the open books with a thousand entries and with a million: none may cost more for there being more.

    python -m bench.books [--entries 1000000] [--var var/bench]

Each page is asked for in turns with the floor (the layout and one SELECT), like those of `bench.pages`. The entries are
put there by an owner, past every trigger: it is the reading that is measured. Nothing here decides a test.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import sqlalchemy as sa
from flask import Flask, current_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

from bench.ledger import DAY, PLACES, a_fund, prepare
from fund.db import session

HERE = Path(__file__).resolve().parent
FIRST = 10**7  # the number of the first entry that is put there


def fill(address: str, start: int, end: int) -> None:
    """Entries from one number to another, each an allocation of a penny with its leaf."""
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("""
          INSERT INTO log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
          SELECT %(first)s + n, md5(n::text)::uuid, 'area_allocation', 'books/' || n, sha256('x'), now(),
            convert_to('{"effective_on":"2026-06-01","id":"' || md5(n::text)::uuid || '","kind":"area_allocation",'
              || '"recorded_at":"2026-06-01T00:00:00.000000Z","transfers":[{"amount":"1","credit":"4000/P'
              || lpad((n %% %(places)s)::text, 2, '0') || '","debit":"3200","phase":"single"}],"v":1}', 'UTF8')
          FROM generate_series(%(start)s, %(end)s - 1) n""",
                           {"first": FIRST, "places": PLACES, "start": start, "end": end})
        connection.execute("""
          INSERT INTO ledger.entry (seq, kind, effective_on)
          SELECT %s + n, 'area_allocation', %s::date FROM generate_series(%s, %s - 1) n""", [FIRST, DAY, start, end])
        connection.execute("""
          INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,
                                       amount_pence)
          SELECT %s + n, 1, 'area_allocation', 'single', s.id, s.class, p.id, p.class, 1
          FROM generate_series(%s, %s - 1) n JOIN ledger.account s ON s.code = '3200'
          JOIN ledger.account p ON p.code = '4000/P' || lpad((n %% %s)::text, 2, '0')""", [FIRST, start, end, PLACES])
        connection.execute("UPDATE log.log_head SET size = %s + %s", [FIRST, end])
    with psycopg.connect(address, autocommit=True) as connection:
        for table in ("log.leaf", "ledger.entry", "ledger.transfer"):
            connection.execute(f"VACUUM ANALYZE {table}")


def pages(entries: int) -> dict[str, str]:
    """The pages, by what they show."""
    with psycopg.connect(str(session.get_bind().engine.url.render_as_string(hide_password=False)
                             ).replace("+psycopg", "")) as connection:
        middle = connection.execute("SELECT id FROM log.leaf WHERE seq = %s", [FIRST + entries // 2]).fetchall()[0][0]
    return {"open books": "/ledger", "the whole record": "/ledger/entries",
            "the record, half way": f"/ledger/entries?before={FIRST + entries // 2}",
            "one entry": f"/ledger/entries/{middle}", "a place's account": "/ledger/accounts/4000/P07",
            "an account that all touch": "/ledger/accounts/3200", "find a line": f"/ledger/find?q={FIRST + 7}",
            "how the money flows": "/ledger/flow", "the public log": "/log/"}


def asker(app: Flask, path: str) -> Callable[[], str]:
    """Asks for a page once, past any cache of pages; gives its status."""

    def ask() -> str:
        environ = EnvironBuilder(path=path.partition("?")[0], query_string=path.partition("?")[2],
                                 base_url="http://localhost").get_environ()
        chunks, status, _ = run_wsgi_app(app, environ)
        b"".join(chunks)
        return status

    return ask


def group(ask: Callable[[], str], times: int = 20) -> tuple[float, float]:
    """(CPU, wall) milliseconds a request, over a group of them: the wall has the database's work in it."""
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        ask()
    return (time.process_time() - cpu) * 1000 / times, (time.perf_counter() - wall) * 1000 / times


def measure(app: Flask, what: str, path: str, floor: Callable[[], str]) -> dict[str, float | str]:
    """The quietest of eight groups, each beside one of the floor's."""
    ask = asker(app, path)
    status = ask()
    if status[:3] not in ("200", "302"):
        raise SystemExit(f"{path} answered {status}")
    for _ in range(8):
        ask()
    gc.collect()
    pairs = [(group(floor), group(ask)) for _ in range(8)]
    return {"page": what, "cpu_ms": min(own[0] for _, own in pairs), "wall_ms": min(own[1] for _, own in pairs),
            "x_floor": statistics.median(own[1] / base[1] for base, own in pairs)}


def main() -> None:
    """Measure with a thousand, then with a million; print both, and how many times more the second costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--var", type=Path, default=HERE.parent / "var" / "bench")
    given, _ = parser.parse_known_args()
    found: dict[int, list[dict[str, float | str]]] = {}
    with a_fund(given.var) as address:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        prepare()
        session.remove()
        done = 0
        for size in (1_000, given.entries):
            fill(address, done, size)
            done = size
            floor = asker(app, "/about")
            found[size] = [measure(app, what, path, floor) for what, path in pages(size).items()]
            session.execute(sa.text("SELECT 1"))
            session.remove()
    few, many = found[1_000], found[given.entries]
    print(f"{'page':<28}{'1,000: CPU ms':>15}{'wall':>8}{f'{given.entries:,}: CPU ms':>22}{'wall':>8}{'times':>8}")
    for one, other in zip(few, many, strict=True):
        print(f"{one['page']:<28}{one['cpu_ms']:>15.2f}{one['wall_ms']:>8.2f}{other['cpu_ms']:>22.2f}"
              f"{other['wall_ms']:>8.2f}{float(other['wall_ms']) / float(one['wall_ms']):>8.1f}")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE,
                            check=False).stdout.strip()
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "books.json").write_text(json.dumps({
        "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
        "load": os.getloadavg()[0], "entries": given.entries, "few": few, "many": many}, indent=1))


if __name__ == "__main__":
    main()
