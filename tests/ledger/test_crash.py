"""Many processes at once, clients killed, a server stopped in the middle: nothing acknowledged is lost or doubled."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import psycopg
import pytest

from fund import schema
from fund.db import session, transaction
from fund.embedded import postgres
from fund.ledger import actions, rules
from fund.ledger.queries.fsck import check_everything
from tests.conftest import VAR
from tests.ledger.conftest import a_database, an_app
from tests.make.beside import ask_for_rows, decided, explained
from tests.make.ledger_sql import DAY

POSTERS = 3
DECISIONS = 1_000  # of each place: more than are offered before the clients stop


@contextmanager
def posters(url: str, folder, seconds: float, names) -> Iterator[list[subprocess.Popen]]:
    """Clients that post for so long; what each was told is in a file of its name."""
    children = []
    try:
        for name in names:
            with (folder / name).open("w") as said, (folder / f"{name}.err").open("w") as errors:
                children.append(subprocess.Popen(
                    [sys.executable, "-m", "tests.ledger.poster", url, name, str(seconds)], stdout=said, stderr=errors))
        yield children
        for child in children:
            child.wait(120)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()


def prepare(server, database) -> None:
    with an_app(server, database):
        with transaction():
            open_the_books()
        ask_for_rows(server, database, ask=False)
        for place in "AB":
            decided(server, place, *[2 + number % 15 for number in range(DECISIONS)])


def open_the_books() -> None:
    actions.open_standing_accounts()
    for code in ("3150/2026-27", "4000/A", "4000/B", "5000/G"):
        actions.open_account(code, name=code)
    for kind, lines in (("dormant_assets_receipt", rules.dormant_assets_receipt(10_000)),
                        ("investment_income", rules.investment_income(6_000)),
                        ("spending_rule_set", rules.spending_rule_set(5_000, "2026-27")),
                        ("drawdown", rules.drawdown(5_000, "2026-27")),
                        ("area_allocation", rules.area_allocation([("A", 500), ("B", 500)]))):
        explained(actions.post(kind, lines, effective_on=DAY, idem_key=kind))


def acknowledged(folder, names) -> dict[str, int]:
    lines = [line.split() for name in names for line in (folder / name).read_text().splitlines()]
    assert len({line[0] for line in lines}) == len(lines)
    return {line[0]: int(line[1]) for line in lines if len(line) == 2}


def assert_nothing_is_lost_or_doubled(server, database, told: dict[str, int]) -> None:
    with psycopg.connect(postgres.superuser_url(server, database)) as connection:
        kept = dict(connection.execute("SELECT idem_key, seq FROM log.leaf ORDER BY seq").fetchall())
        assert {key: kept.get(key) for key in told} == told
        assert sorted(kept.values()) == list(range(len(kept)))
        assert connection.execute("SELECT size FROM log.log_head").fetchone() == (len(kept),)
        twice = connection.execute("SELECT pending_seq FROM ledger.transfer WHERE pending_seq IS NOT NULL "
                                   "GROUP BY pending_seq, pending_line HAVING count(*) > 1 ORDER BY 1").fetchall()
        assert twice == []
        sums = connection.execute(
            "SELECT sum(debits_posted_pence) - sum(credits_posted_pence), sum(debits_pending_pence) - "
            "sum(credits_pending_pence) FROM ledger.balance").fetchone()
        assert sums == (0, 0)
    ask_for_rows(server, database, ask=True)
    with an_app(server, database):
        assert check_everything().problems == []
        session.rollback()


def test_processes_that_post_at_once_and_again(server, tmp_path):
    names = [f"p{number}" for number in range(POSTERS)]
    with a_database(server) as database:
        prepare(server, database)
        with posters(postgres.role_url(server, database, "fund_app"), tmp_path, 4, names) as children:
            pass
        assert [child.returncode for child in children] == [0] * POSTERS, [
            (tmp_path / f"{name}.err").read_text()[-2_000:] for name in names]
        told = acknowledged(tmp_path, names)
        assert len({key.split("/")[0] for key in told}) == POSTERS
        assert_nothing_is_lost_or_doubled(server, database, told)


@pytest.fixture
def own_server():
    """A server of this test's own, which waits for the disk, and is stopped without warning."""
    folder = VAR / f"crash_{os.getpid()}" / "postgres"
    try:
        yield folder
    finally:
        postgres.stop(folder)
        shutil.rmtree(folder.parent, ignore_errors=True)


def stop_at_once(folder) -> None:
    """What `pg_ctl stop -m immediate` does: no checkpoint, no goodbye; the next start recovers from the log."""
    found = postgres.postmaster(folder)
    assert found is not None
    found.send_signal(signal.SIGQUIT)
    psutil.wait_procs([found], timeout=20)
    postgres.stop(folder)  # it forgets a server that is gone


def test_nothing_acknowledged_is_lost_when_clients_and_the_server_are_killed(own_server, tmp_path):
    server = postgres.start(own_server, postgres.MODEST)
    admin = postgres.superuser_url(server)
    schema.make_roles(admin)
    schema.make_database(admin, "crash")
    schema.upgrade(postgres.role_url(server, "crash", "fund_migrator"))
    prepare(server, "crash")
    names = [f"c{number}" for number in range(POSTERS)]
    with posters(postgres.role_url(server, "crash", "fund_app"), tmp_path, 9, names) as children:
        time.sleep(4)
        children[0].kill()
        stop_at_once(own_server)
        server = postgres.start(own_server, postgres.MODEST)
        time.sleep(1.5)
        children[1].kill()
        stop_at_once(own_server)
        server = postgres.start(own_server, postgres.MODEST)
    assert children[2].returncode == 0, (tmp_path / "c2.err").read_text()[-2_000:]
    told = acknowledged(tmp_path, names)
    assert any(key.startswith("c2/") for key in told)
    assert_nothing_is_lost_or_doubled(server, "crash", told)
