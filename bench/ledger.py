"""The ledger's table: entries a second singly and in batches, and a balance among a million transfers.

    python -m bench.ledger [--turns 8] [--transfers 1000000] [--var var/bench]

Each figure is taken in short turns beside its floor (one durable one-row commit; COPY into the same tables with all
their constraints) and its peer (django-hordak, where it can be installed), because figures drift on a shared machine:
the ratio to the floor of the same turn is what counts. Nothing here decides a test.
"""

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path

import psycopg
import sqlalchemy as sa

from bench.hordak_peer import REQUIREMENTS
from fund import schema
from fund.app import create_app
from fund.db import session, transaction
from fund.embedded import postgres
from fund.endowment import actions as endowment
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Capacity
from fund.ledger import actions, queries, rules
from fund.ledger.queries.fsck import check_everything
from fund.replay import drive
from fund.settings import Settings, settings
from fund.transparency import formats

HERE = Path(__file__).resolve().parent
DAY, YEAR = date(2026, 6, 1), "2026-27"
PLACES = 40
BATCH = 1_000
TURN = 0.6  # seconds
FLOOR, SINGLY, PEER = "floor: one durable row", "entries singly", "django-hordak singly"
ABREAST = "entries singly, two clients at once"
COPY, BATCHED = "floor: COPY, with every constraint", "entries batched"
#: (what, the least that SPEED.md asks for, the floor that it is shown beside, its share of the floor in SPEED.md)
TABLE = ((FLOOR, "", "", ""), (SINGLY, "800", FLOOR, "23%"), (ABREAST, "", FLOOR, ""),
         (PEER, "", FLOOR, "10%"), (COPY, "", "", ""), (BATCHED, "12,000", COPY, "75%"),
         ("leaves checked by fsck", "", "", ""))


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
    gc.collect()
    gc.freeze()  # as the server and the worker do once they stand
    with app.app_context():
        try:
            yield postgres.superuser_url(server, name)
        finally:
            session.remove()
            sa.inspect(session.get_bind()).engine.dispose()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def a_peer(var: Path) -> Iterator[Callable[[], float] | None]:
    """django-hordak on the same server, in an environment made once; None where it cannot be had."""
    python = var / "hordak" / "bin" / "python"
    if not (var / "hordak" / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", var / "hordak"], check=True)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=False,
                              capture_output=True)
        if done.returncode:
            print("django-hordak is left out: it could not be installed (no network?)")
            yield None
            return
        (var / "hordak" / "installed").touch()
    server, name = postgres.start(var / "postgres"), f"hordak_{os.getpid()}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with in_step([[python, HERE / "hordak_peer.py", postgres.socket_folder(server), name]]) as turn:
            yield turn
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def in_step(commands: Sequence[Sequence[str | Path]]) -> Iterator[Callable[[], float]]:
    """Programs that work for as many seconds as a line asks, all at the same time; gives how many a second they did."""
    children = [subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                for command in commands]
    ends = [(child.stdin, child.stdout) for child in children if child.stdin is not None and child.stdout is not None]

    def turn() -> float:
        for asks, _ in ends:
            asks.write(f"{TURN}\n")
            asks.flush()
        return sum(float(answers.readline()) for _, answers in ends)

    try:
        if any(answers.readline() != "ready\n" for _, answers in ends):
            raise SystemExit("A program that is measured did not start.")
        yield turn
    finally:
        for child, (asks, answers) in zip(children, ends, strict=True):
            asks.close()
            child.wait(20)
            answers.close()


def post_when_asked(database_url: str, first: str) -> None:
    """Be one of two clients: post singly, from this number on, for as long as each line asks."""
    with create_app(Settings(_env_file=None, fund_env="test",  # type: ignore[call-arg]
                             database_url=database_url)).app_context():
        numbers = count(int(first))
        print("ready", flush=True)
        for line in sys.stdin:
            print(rate(float(line), lambda: singly(numbers)), flush=True)


def rate(seconds: float, work: Callable[[], int]) -> float:
    """How many a second, when `work` gives how many it did each time."""
    done, start = 0, time.perf_counter()
    while (taken := time.perf_counter() - start) < seconds:
        done += work()
    return done / taken


def prepare() -> None:
    """Accounts, and more spendable money than the bench can spend."""
    with transaction():
        endowment.receive_tranche(SYSTEM, sender="Bench", reference="1", amount_pence=3 * 10**13, received_on=DAY,
                                  scheme="banks", document=b"advice")
        endowment.record_income(SYSTEM, amount_pence=2 * 10**12, earned_on=DAY, source="Bench", reference="1")
        one, other = (drive.make_staff(drive.Driver(), f"trustee{n}@bench.example.org", "A trustee", Capacity.TRUSTEE,
                                       is_demo=False) for n in (1, 2))
        proposal = endowment.propose_spending_limit(one, YEAR, set_on=DAY)
        limit = endowment.confirm_spending_limit(other, proposal.id)
        endowment.draw_down(SYSTEM, amount_pence=limit.amount_pence, financial_year=YEAR, drawn_on=DAY, reference="1")
        for place in range(PLACES):
            actions.open_account(f"4000/P{place:02d}", name=f"Place {place}")


def entry(number: int) -> actions.ToPost:
    """A small allocation: one line, as most entries of the fund have."""
    return actions.ToPost(kind="area_allocation", lines=rules.area_allocation([(f"P{number % PLACES:02d}", 1)]),
                          effective_on=DAY, idem_key=f"bench/{number}")


def singly(numbers: Iterator[int]) -> int:
    """One entry in a transaction of its own, through the same action as the pages."""
    one = entry(next(numbers))
    with transaction():
        actions.post(one.kind, one.lines, effective_on=one.effective_on, idem_key=one.idem_key)
    return 1


def batched(numbers: Iterator[int]) -> int:
    """A thousand entries in one call, as an import posts them."""
    with transaction():
        actions.post_many(entry(next(numbers)) for _ in range(BATCH))
    return BATCH


class Copier:
    """The floor of a batch: rows that are made already, by COPY as the owner, into the same tables.

    Every constraint and trigger of the tables is asked; the function that alone may post is gone round, and with it
    all that it looks at by itself. What is not counted is the making of the bytes.
    """

    def __init__(self, address: str, numbers: Iterator[int]) -> None:
        self.numbers = numbers
        self.connection = psycopg.connect(address)
        self.connection.execute("SET ROLE fund_owner")
        self.connection.execute("SELECT set_config('fund.writer', 'ledger', false)")
        self.accounts = {code: row for code, *row in self.connection.execute(
            "SELECT code, id, class FROM ledger.account").fetchall()}
        self.connection.commit()

    def rate(self, seconds: float) -> float:
        """How many entries a second, as they are copied for this long."""
        done, taken = 0, 0.0
        while taken < seconds:
            places = [next(self.numbers) % PLACES for _ in range(BATCH)]
            leaves = [self._leaf(place) for place in places]
            start = time.perf_counter()
            with self.connection.transaction():
                self._copy(places, leaves)
            done, taken = done + BATCH, taken + time.perf_counter() - start
        return done / taken

    def _leaf(self, place: int) -> tuple[uuid.UUID, datetime, bytes]:
        leaf_id, at = ids.new_id(), clock.now()
        return leaf_id, at, formats.canonical({
            "v": 1, "id": str(leaf_id), "kind": "area_allocation", "recorded_at": formats.moment(at),
            "effective_on": DAY.isoformat(), "transfers": [
                {"phase": "single", "debit": rules.SPENDABLE, "credit": f"4000/P{place:02d}", "amount": "1"}]})

    def _copy(self, places: list[int], leaves: list[tuple[uuid.UUID, datetime, bytes]]) -> None:
        execute, many = self.connection.execute, len(leaves)
        first = execute("UPDATE log.log_head SET size = size + %s RETURNING size - %s", [many, many]).fetchall()[0][0]
        self._rows("log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes)", (
            (seq, leaf_id, "area_allocation", f"copied/{seq}", bytes(32), at, leaf)
            for seq, (leaf_id, at, leaf) in enumerate(leaves, first)))
        self._rows("ledger.entry (seq, kind, effective_on)", (
            (seq, "area_allocation", DAY) for seq in range(first, first + many)))
        spendable = self.accounts[rules.SPENDABLE]
        self._rows("ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,"
                   " amount_pence)", (
            (seq, 1, "area_allocation", "single", *spendable, *self.accounts[f"4000/P{place:02d}"], 1)
            for seq, place in enumerate(places, first)))
        execute("""
          UPDATE ledger.balance b SET debits_posted_pence = debits_posted_pence + m.debits,
            credits_posted_pence = credits_posted_pence + m.credits
          FROM (SELECT side.account_id, sum(side.debit) AS debits, sum(side.credit) AS credits
                FROM ledger.transfer t CROSS JOIN LATERAL (VALUES
                  (t.debit_id, t.amount_pence, 0), (t.credit_id, 0, t.amount_pence)) side (account_id, debit, credit)
                WHERE t.entry_seq >= %s GROUP BY side.account_id) m WHERE m.account_id = b.account_id""", [first])

    def _rows(self, into: str, rows: Iterator[tuple[object, ...]]) -> None:
        with self.connection.cursor().copy(f"COPY {into} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


def in_turns(address: str, abreast: Callable[[], float], peer: Callable[[], float] | None,
             turns: int) -> list[dict[str, float]]:
    """All that is posted or written, in turns: for each turn how many a second of each."""
    numbers, rows = count(), count()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA bench; CREATE TABLE bench.floor (id bigint PRIMARY KEY, what text)")

        def commit() -> int:
            connection.execute("INSERT INTO bench.floor VALUES (%s, 'a row')", [next(rows)])
            return 1

        copier = Copier(address, numbers)
        for _ in range(30):  # prepared statements, plans, caches
            singly(numbers)
        taken = []
        for _ in range(turns):
            turn = {FLOOR: rate(TURN, commit), SINGLY: rate(TURN, lambda: singly(numbers))}
            turn |= {ABREAST: abreast()} | ({} if peer is None else {PEER: peer()})
            taken.append(turn | {COPY: copier.rate(TURN), BATCHED: rate(TURN, lambda: batched(numbers))})
        copier.connection.close()
        return taken


def balances(address: str, transfers: int) -> dict[str, float]:
    """Milliseconds of a balance now, as recorded and as effective, of an account with this many transfers.

    The rows are put there by an owner, past every trigger: it is the reading that is measured.
    """
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("""
          INSERT INTO ledger.entry (seq, kind, effective_on)
          SELECT 10 ^ 7 + n, 'area_allocation', %s::date + n %% 300 FROM generate_series(1, %s) n""", [DAY, transfers])
        connection.execute("""
          INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,
                                       amount_pence)
          SELECT 10 ^ 7 + n, 1, 'area_allocation', 'single', s.id, s.class, p.id, p.class, 1
          FROM generate_series(1, %s) n JOIN ledger.account s ON s.code = '3200'
          JOIN ledger.account p ON p.code = '4000/P' || lpad((n %% 40)::text, 2, '0')""", [transfers])
        connection.execute("UPDATE log.log_head SET size = 10 ^ 7 + %s + 1", [transfers])
        for through in range(10**7 + rules.SNAPSHOT_EVERY, 10**7 + transfers + 1, rules.SNAPSHOT_EVERY):
            connection.execute("SELECT ledger.take_snapshot(%s)", [through])
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE ledger.transfer")
        connection.execute("VACUUM ANALYZE ledger.entry")
    half = 10**7 + transfers // 2 + 4_321
    seen = {"balance now": lambda: queries.balance_of("3200"),
            "balance of a place as recorded": lambda: queries.balance_as_recorded("4000/P07", half),
            "balance of a place as effective": lambda: queries.balance_as_effective("4000/P07", DAY)}
    return {what: _milliseconds(read) for what, read in seen.items()}


def _milliseconds(read: Callable[[], object]) -> float:
    taken = []
    for _ in range(25):
        start = time.perf_counter()
        read()
        taken.append((time.perf_counter() - start) * 1_000)
    session.rollback()
    return statistics.median(taken)


def main() -> None:
    """Measure, print a table, keep it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--turns", type=int, default=8)
    asked.add_argument("--transfers", type=int, default=1_000_000)
    asked.add_argument("--var", type=Path, default=Path("var/bench").resolve())
    given = asked.parse_args(sys.argv[1:] if __name__ == "__main__" else [])
    with a_fund(given.var) as address:
        prepare()
        client = [sys.executable, "-c", "import sys; from bench import ledger; ledger.post_when_asked(*sys.argv[1:])",
                  settings().database_url]
        with a_peer(given.var) as peer, in_step([[*client, str(10**9 * one)] for one in (1, 2)]) as abreast:
            turns = in_turns(address, abreast, peer, given.turns)
        start = time.perf_counter()
        report = check_everything()
        checked = report.size / (time.perf_counter() - start)
        milliseconds = balances(address, given.transfers)
    figures = {what: statistics.median(turn[what] for turn in turns) for what in turns[0]}
    figures["leaves checked by fsck"] = checked
    ratios = {what: statistics.median(turn[what] / turn[of] for turn in turns) for what, _, of, _ in TABLE
              if of and what in figures}
    print(f"{'a second':<40}{'median':>12}{'best turn':>12}{'at least':>10}{'of its floor':>14}{'at least':>10}")
    for what, least, of, share in TABLE:
        if what in figures:
            best = max((turn[what] for turn in turns if what in turn), default=figures[what])
            ratio = f"{ratios[what]:.0%}" if of else ""
            print(f"{what:<40}{figures[what]:>12,.0f}{best:>12,.0f}{least:>10}{ratio:>14}{share:>10}")
    print(f"\n{f'milliseconds, at {given.transfers:,} transfers':<40}{'median':>12}{'at most':>36}")
    for what, took in milliseconds.items():
        print(f"{what:<40}{took:>12.2f}{'1' if what == 'balance now' else '':>36}")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; the ledger was "
          f"{'NOT SOUND' if report.problems else 'sound'}")
    keep(figures, ratios, milliseconds, turns)


def keep(figures: dict[str, float], ratios: dict[str, float], milliseconds: dict[str, float],
         turns: list[dict[str, float]]) -> None:
    """Write the figures down with machine, commit and load."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "ledger.json").write_text(json.dumps({
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit.stdout.strip(),
        "machine": platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "per_second": {name: round(figure, 1) for name, figure in figures.items()},
        "of_its_floor": {name: round(ratio, 4) for name, ratio in ratios.items()},
        "milliseconds": {name: round(took, 3) for name, took in milliseconds.items()},
        "turns": [{name: round(figure, 1) for name, figure in turn.items()} for turn in turns]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
