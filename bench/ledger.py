"""Entries a second, singly and in batches, beside the floor of the same run: one durable one-row commit.

    python -m bench.ledger [--seconds 5] [--var var/bench]

Absolute figures drift on a shared machine, so the ratio to the floor is what counts. Nothing here decides a test.
"""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import psycopg
import sqlalchemy as sa

from fund import schema
from fund.app import create_app
from fund.db import session, transaction
from fund.embedded import postgres
from fund.ledger import actions, rules
from fund.ledger.queries.fsck import check_everything
from fund.settings import Settings

DAY = date(2026, 6, 1)
PLACES = 40
BATCH = 1_000


@contextmanager
def a_fund(var: Path) -> Iterator[str]:
    """A fresh database on a server of the bench's own; gives the superuser's address of it."""
    server = postgres.start(var / "postgres")
    name = f"bench_{os.getpid()}"
    superuser = postgres.superuser_url(server)
    schema.make_roles(superuser)
    schema.make_database(superuser, name)
    schema.upgrade(postgres.role_url(server, name, "fund_migrator"))
    given = Settings(_env_file=None, fund_env="test",  # type: ignore[call-arg]
                     database_url=postgres.role_url(server, name, "fund_app"))
    app = create_app(given)
    with app.app_context():
        try:
            yield postgres.superuser_url(server, name)
        finally:
            session.remove()
            sa.inspect(session.get_bind()).engine.dispose()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def rate(seconds: float, work: Callable[[], int]) -> float:
    """How many a second, when `work` gives how many it did each time."""
    done, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < seconds:
        done += work()
    return done / taken


def floor(address: str, seconds: float) -> float:
    """Commits of one row, each durable, on a bare connection: nothing that keeps a row can be faster singly."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE floor (id bigint PRIMARY KEY, what text)")
        numbers = count()

        def commit() -> int:
            connection.execute("INSERT INTO floor VALUES (%s, 'a row')", [next(numbers)])
            return 1

        return rate(seconds, commit)


def copy_floor(address: str, seconds: float) -> float:
    """Rows by COPY, a thousand to a durable commit, into a table with no rule at all."""
    with psycopg.connect(address, autocommit=True) as connection:
        numbers = count()

        def batch() -> int:
            with connection.cursor().copy("COPY floor FROM STDIN") as copy:
                for _ in range(BATCH):
                    copy.write_row((next(numbers) + 10**9, "a row"))
            return BATCH

        return rate(seconds, batch)


def entry(number: int) -> actions.ToPost:
    """A small allocation: one line, as most entries of the fund have."""
    return actions.ToPost(kind="area_allocation", lines=rules.area_allocation([(f"P{number % PLACES:02d}", 1)]),
                          effective_on=DAY, idem_key=f"bench/{number}")


def prepare() -> None:
    """Accounts, and more spendable money than the bench can spend."""
    with transaction():
        actions.open_standing_accounts()
        actions.open_account("3150/2026-27", name="Limit")
        for place in range(PLACES):
            actions.open_account(f"4000/P{place:02d}", name=f"Place {place}")
        for kind, lines in (("dormant_assets_receipt", rules.dormant_assets_receipt(10**12)),
                            ("investment_income", rules.investment_income(10**12)),
                            ("spending_rule_set", rules.spending_rule_set(10**12, "2026-27")),
                            ("drawdown", rules.drawdown(10**12, "2026-27"))):
            actions.post(kind, lines, effective_on=DAY, idem_key=kind)


def singly(numbers: Iterator[int]) -> int:
    """One entry in a transaction of its own, through the same action as the pages."""
    one = entry(next(numbers))
    with transaction():
        actions.post(one.kind, one.lines, effective_on=one.effective_on, idem_key=one.idem_key)
    return 1


def batched(numbers: Iterator[int]) -> int:
    """A thousand entries in one call, as an import posts them."""
    with transaction():
        actions.post_many([entry(next(numbers)) for _ in range(BATCH)])
    return BATCH


def main() -> None:
    """Measure, print a table, keep it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seconds", type=float, default=5)
    asked.add_argument("--var", type=Path, default=Path("var/bench").resolve())
    given = asked.parse_args()
    numbers = count()
    with a_fund(given.var) as address:
        prepare()
        singly(numbers)
        figures = {"floor: one durable row": floor(address, given.seconds),
                   "floor: rows by COPY, 1,000 a commit": copy_floor(address, given.seconds),
                   "entries singly": rate(given.seconds, lambda: singly(numbers)),
                   "entries batched": rate(given.seconds, lambda: batched(numbers))}
        start = time.perf_counter()
        report = check_everything()
        figures["leaves checked by fsck"] = report.size / (time.perf_counter() - start)
        sound = not report.problems
    print(f"{'what':<40}{'per second':>12}{'of its floor':>14}{'at least':>10}")
    for name, least, of in (("floor: one durable row", "", ""), ("entries singly", "800", "floor: one durable row"),
                            ("floor: rows by COPY, 1,000 a commit", "", ""),
                            ("entries batched", "12,000", "floor: rows by COPY, 1,000 a commit"),
                            ("leaves checked by fsck", "", "")):
        ratio = f"{figures[name] / figures[of]:.0%}" if of else ""
        print(f"{name:<40}{figures[name]:>12,.0f}{ratio:>14}{least:>10}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; the ledger is {'sound' if sound else 'NOT SOUND'}")
    keep(figures)


def keep(figures: dict[str, float]) -> None:
    """Write the figures down with machine, commit and load."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "ledger.json").write_text(json.dumps({
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit.stdout.strip(),
        "machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "per_second": {name: round(figure, 1) for name, figure in figures.items()}}, indent=2) + "\n")


if __name__ == "__main__":
    main()
