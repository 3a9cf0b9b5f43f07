"""How fast a rehearsal drives grants: forty invented ones, on an empty database of its own and with a real bank.

`python -m bench.replay`. The floor beside it is the same number of one-row durable commits.
"""

import json
import os
import socket
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from fund import schema
from fund.app import create_app
from fund.db import db
from fund.embedded import bank, postgres, process
from fund.replay import actions
from fund.settings import Settings

VAR = Path(__file__).resolve().parent.parent / "var" / "bench"
GRANTS = 40


def a_file() -> bytes:
    """Invented grants, one a day, to one shipped place; every second is paid in part."""
    return json.dumps({"grants": [{
        "id": f"360G-bench-{n}", "title": f"Grant {n}", "description": "For the benchmark.", "currency": "GBP",
        "amountAwarded": 1000, "amountAppliedFor": 1000, "amountDisbursed": 1000 if n % 2 else 400,
        "awardDate": f"2016-{n // 28 + 1:02d}-{n % 28 + 1:02d}",
        "recipientOrganization": [{"id": f"GB-CHC-9{n:05d}", "name": f"Benchmark group {n}"}],
        "beneficiaryLocation": [{"geoCode": "E01004841"}]} for n in range(GRANTS)]}).encode()


def main() -> None:
    """Measure and print."""
    server, name = postgres.start(VAR / "postgres"), f"bench_replay_{os.getpid()}"
    admin = postgres.superuser_url(server)
    schema.make_roles(admin)
    schema.make_database(admin, name)
    schema.upgrade(postgres.role_url(server, name, "fund_migrator"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        child = bank.child(Path(folder), port, clock=datetime(2015, 12, 1, tzinfo=UTC))
        process.start(child, Path(folder) / "bank.log", Path(folder))
        try:
            process.wait_until(child.is_ready, seconds=20)
            app = create_app(Settings(_env_file=None, rehearsal=True, bank_url=bank.url(port), redis_url="",
                                      database_url=postgres.role_url(server, name, "fund_app")))
            with app.app_context():
                began = time.perf_counter()
                actions.rehearse(a_file(), [])
                took = time.perf_counter() - began
                db.engine.dispose()
        finally:
            process.stop_child(child)
    with psycopg.connect(postgres.superuser_url(server, name), autocommit=True) as connection:
        connection.execute("CREATE TABLE floor (n int)")
        began = time.perf_counter()
        for n in range(GRANTS * 10):
            connection.execute("INSERT INTO floor VALUES (%s)", [n])
        floor = GRANTS * 10 / (time.perf_counter() - began)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    rate = f"{GRANTS / took:.1f} a second. Durable one-row commits: {floor:.0f} a second"
    print(f"{GRANTS} grants in {took:.1f} s: {rate}")


if __name__ == "__main__":
    main()
