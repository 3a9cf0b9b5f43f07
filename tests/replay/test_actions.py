"""A rehearsal of invented rows with every defect: its sums, and that it goes on where it was cut off."""

import json
import random
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa

from fund.app import create_app
from fund.db import db
from fund.db import session as fund_session
from fund.embedded import postgres
from fund.replay import actions
from fund.replay.drive import Driver
from fund.replay.rules import summary
from fund.settings import Settings
from tests.conftest import template_of
from tests.make.bank import running_bank

FILE = Path(__file__).parent / "data" / "every_defect.json"


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def a_rehearsal(server, database, which):
    """An application on an empty database of its own, with a real bank whose clock begins before the first grant."""
    name = f"{database}_rehearsal_{which}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_of(server)} OWNER fund_owner")
    with running_bank(clock="2015-11-01T09:00") as bank:
        app = create_app(Settings(_env_file=None, fund_env="test", rehearsal=True, bank_url=bank.url,
                                  database_url=postgres.role_url(server, name, "fund_app")))
        with app.app_context():
            yield app
            fund_session.remove()
            db.engine.dispose()
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class DyingDriver(Driver):
    """A driver whose process ends at the next of these calls, in the middle of whatever it was doing."""

    def __init__(self, points):
        super().__init__()
        self.points, self.count = sorted(points), 0

    def do(self, action, *args, **kwargs):
        self.count += 1
        if self.points and self.count >= self.points[0]:
            self.points.pop(0)
            raise Killed
        return super().do(action, *args, **kwargs)


def entries():
    """What the ledger holds, without what differs by chance: ids, references and times."""
    rows = fund_session.execute(sa.text("""
        SELECT e.kind, e.effective_on, array_agg(t.phase || ' ' || split_part(d.code, '/', 1) || ' '
               || split_part(c.code, '/', 1) || ' ' || t.amount_pence ORDER BY t.line)
        FROM ledger.entry e JOIN ledger.transfer t ON t.entry_seq = e.seq
        JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
        GROUP BY e.seq, e.kind, e.effective_on ORDER BY 2, 1, 3""")).all()
    fund_session.rollback()
    return [tuple(map(str, row)) for row in rows]


def test_every_defect_is_driven_or_listed_and_the_sums_are_the_files(server, database):
    with a_rehearsal(server, database, "a"):
        done = actions.rehearse(FILE.read_bytes(), [])
        balances = _balances()
    driven = {drive.grant.row: (drive.awarded_pence, drive.paid_pence) for drive in done.plan.drives}
    assert driven == {1: (100000, 100000), 2: (100000, 40025), 3: (100000, 0), 4: (100000, 100000),
                      5: (100000, 100000), 6: (123456, 123456), 11: (100000, 0), 13: (100000, 100000)}
    assert {(listed.row, listed.reason, listed.pence) for listed in done.plan.unposted} == {
        (4, "disbursed_above_award", 20050), (7, "no_area", 100000), (8, "unknown_area", 100000),
        (9, "no_amount", 0), (10, "no_date", 100000), (12, "same_id_again", 100000)}
    assert {(listed.row, listed.reason) for listed in done.plan.notes} == {
        (5, "ask_raised_to_award"), (11, "odd_organisation_id")}
    assert balances == {"awarded": 823456, "paid": 563481, "committed": 823456 - 563481}
    assert done.calls["decisions.close_sitting"] == 8
    assert any(line.startswith("decided        8") for line in summary(done.plan, done.calls))


def _balances():
    row = fund_session.execute(sa.text("""
        SELECT (SELECT sum(amount_pence) FROM award), (SELECT sum(r.amount_pence) FROM release r
                JOIN release_end e ON e.release_id = r.id AND e.kind = 'settled'),
               (SELECT sum(b.credits_posted_pence - b.debits_posted_pence - b.debits_pending_pence)
                FROM ledger.balance b JOIN ledger.account a ON a.id = b.account_id
                WHERE a.code LIKE '5000/%')""")).one()
    fund_session.rollback()
    return dict(zip(("awarded", "paid", "committed"), map(int, row), strict=True))


def test_killed_at_twenty_random_points_it_ends_with_the_entries_of_an_unbroken_run(server, database):
    rows = json.loads(FILE.read_bytes())
    rows["grants"] = [rows["grants"][5], rows["grants"][12]]
    data = json.dumps(rows).encode()
    with a_rehearsal(server, database, "b"):
        whole = actions.rehearse(data, [])
        unbroken = entries()
    calls = sum(whole.calls.values())
    points = random.Random(20).sample(range(1, calls), 20)
    with a_rehearsal(server, database, "c"):
        driver, deaths = DyingDriver(points), 0
        while True:
            try:
                done = actions.rehearse(data, [], driver=driver)
                break
            except Killed:
                fund_session.rollback()
                deaths += 1
        assert entries() == unbroken
        assert done.calls == whole.calls
    assert deaths == 20
