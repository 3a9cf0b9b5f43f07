"""Two people at the same moment, and workers that die: in a database of its own, with everything committed."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa

from fund.app import create_app
from fund.bank import actions, queries
from fund.bank.rules import BatchState
from fund.db import db, session
from fund.embedded import postgres
from fund.grants import actions as grants
from fund.grants import queries as granted
from fund.grants.rules import StageState
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Capacity
from fund.kernel.errors import FundError, Refused, Stale
from fund.settings import Settings, settings, use
from tests.make.bank import authorise, make_batch, make_report, make_statement
from tests.make.grants import make_accepted, make_offers, make_release


@pytest.fixture(scope="module")
def world(server, template):
    """A database of its own with grants in it."""
    name = f"at_once_{os.getpid()}"
    before = settings()
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        url = postgres.role_url(server, name, "fund_app")
        app = create_app(Settings(_env_file=None, fund_env="test", database_url=url), TESTING=True)
        try:
            with app.app_context():
                accepted, released, sent, *rest = made = make_offers(10)
                make_accepted(accepted)
                for one in (released, sent, *rest):
                    make_release(one)
                session.commit()
                pairs = [granted.releases([one.stage().release_id for one in rest[at:at + 2]]) for at in (0, 2, 4)]
                batches = [make_batch(sent.staff, pair).id for pair in pairs]
                last = make_batch(sent.staff, granted.releases([rest[6].stage().release_id])).id
                for id_ in (*batches[:2], last):
                    authorise(sent.staff, id_)
                    actions.make_file(id_)
                batch = make_batch(sent.staff, [granted.releases([sent.stage().release_id])[0]])
                batch_id = batch.id
                authorise(sent.staff, batch_id)
                actions.make_file(batch_id)
                session.commit()
            yield SimpleNamespace(app=app, url=url, made=made, accepted=accepted, released=released, sent=sent,
                                  batch_id=batch_id, pairs=pairs, batches=batches, last=rest[6],
                                  superuser=postgres.superuser_url(server, name))
        finally:
            with app.app_context():
                session.remove()
                for engine in db.engines.values():
                    engine.dispose()
            use(before)
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def at_the_same_moment(world, *acts, meanwhile=lambda: None):
    """Do all of these at once, each in a transaction of its own; gives what each came to."""
    barrier, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        with world.app.app_context():
            barrier.wait()
            try:
                results[number] = act()
                session.commit()
            except FundError as error:
                session.rollback()
                results[number] = error
            finally:
                session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    try:
        meanwhile()
    finally:
        for thread in threads:
            thread.join()
    return results


def until_they_wait(world, many):
    """Until so many sessions of this database wait for a lock."""
    until = time.monotonic() + 20
    with psycopg.connect(world.superuser, autocommit=True) as watch:
        while watch.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                            "AND wait_event_type = 'Lock'").fetchone()[0] < many:
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)


def behind_the_log(world, *acts):
    """The same, one after another, while somebody else holds the log until each waits: for it, or for one of them."""
    with psycopg.connect(world.superuser) as holder:
        holder.execute("SELECT FROM log.log_head FOR UPDATE")

        def after(number, act):
            until_they_wait(world, number)
            return act()

        def meanwhile():
            until_they_wait(world, len(acts))
            holder.rollback()

        return at_the_same_moment(world, *(partial(after, *pair) for pair in enumerate(acts)), meanwhile=meanwhile)


def test_of_two_approvers_at_the_same_moment_one_wins_and_the_other_hears_who(world):
    staff = world.accepted.staff
    with world.app.app_context():
        stage_id = world.accepted.stage().id
    results = at_the_same_moment(world, *(
        lambda actor=actor: grants.approve_release(actor, stage_id).attempt
        for actor in (staff.approver, staff.deputies[Capacity.APPROVER]) * 2))
    assert [result for result in results if result == 1] == [1]
    losers = [result for result in results if result != 1]
    assert all(isinstance(loser, Stale | Refused) for loser in losers)
    assert any("approved" in str(loser) for loser in losers)
    with world.app.app_context():
        assert session.scalar(sa.text("SELECT count(*) FROM release WHERE stage_id = :id"), {"id": stage_id}) == 1


def test_of_two_batches_at_the_same_moment_one_holds_the_payment(world):
    staff = world.released.staff
    with world.app.app_context():
        release_id = world.released.stage().release_id
    results = at_the_same_moment(world, *(
        lambda actor=actor: actions.build_batch(actor, [release_id], execute_on=clock.today()).line_count
        for actor in (staff.authoriser, staff.deputies[Capacity.AUTHORISER])))
    assert sorted(str(type(result).__name__) for result in results) == ["Stale", "int"]


@pytest.fixture
def deadly_bank(world):
    """A bank that takes a file and kills whoever brought it before it answers. It counts the files."""
    files, workers = [], []

    class Deadly(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            files.append(self.rfile.read(int(self.headers["Content-Length"])))
            os.kill(workers[-1].pid, signal.SIGKILL)

        def log_message(self, *_):
            """Say nothing."""

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deadly)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    environment = {**os.environ, "FUND_ENV": "test", "DATABASE_URL": world.url,
                   "BANK_URL": f"http://127.0.0.1:{served.server_port}", "REDIS_URL": ""}

    def work(job, **args):
        """Do a job in a process of its own; gives how it ended."""
        code = ("import json, sys; from fund.app import create_app; from fund import queue\n"
                "app = create_app(); given = json.loads(sys.argv[1])\n"
                "with app.app_context(): queue.JOBS[given['job']](**given['args']); queue.session.commit()")
        workers.append(subprocess.Popen([sys.executable, "-c", code, json.dumps({"job": job, "args": args})],
                                        env=environment, stderr=subprocess.DEVNULL))
        return workers[-1].wait()

    yield SimpleNamespace(files=files, work=work)
    served.shutdown()
    served.server_close()


def test_a_worker_killed_after_the_bank_took_the_file_never_sends_it_again(world, deadly_bank):
    batch_id = str(world.batch_id)
    assert deadly_bank.work("bank.send", batch_id=batch_id) == -signal.SIGKILL
    for _time in range(2):
        assert deadly_bank.work("bank.send", batch_id=batch_id) == 0
    assert deadly_bank.work("bank.make_file", batch_id=batch_id) == 0
    with world.app.app_context():
        [sent] = deadly_bank.files
        assert sent == queries.payment_file(world.batch_id).encoded == actions.file_bytes(world.batch_id)
        assert queries.batch(world.batch_id).state is BatchState.SENDING
        stage = world.sent.stage()
        received = make_statement([(True, stage.amount_pence, stage.end_to_end_id)])
        for _time in range(2):
            actions.read_message(received)
            session.commit()
        assert world.sent.stage().state is StageState.PAID
        assert queries.batch(world.batch_id).state is BatchState.SETTLED
        assert session.scalar(sa.text("SELECT count(*) FROM statement_line")) == 1


def test_nobody_can_say_it_never_arrived_once_the_bank_answered(world):
    with world.app.app_context(), pytest.raises(Refused):
        actions.say_bank_has_no_file(world.sent.staff.approver, world.batch_id)


def reads(received):
    return lambda: actions.read_message(received).kind


def test_two_statements_with_the_same_payments_in_another_order_do_not_wait_in_a_ring(world):
    lines = [(True, release.amount_pence, release.end_to_end_id) for release in world.pairs[0]]
    results = behind_the_log(world, reads(make_statement(lines)), reads(make_statement(lines[::-1])))
    assert results == ["camt.053"] * 2
    with world.app.app_context():
        assert queries.batch(world.batches[0]).state is BatchState.SETTLED
        assert len(queries.statement_lines(unmatched_only=True)) == 2  # those of the second: they were paid once


def test_two_reports_that_turn_down_the_same_payments_in_another_order_do_not_wait_in_a_ring(world):
    said = [(release.end_to_end_id, "RJCT", "AC04") for release in world.pairs[1]]
    results = behind_the_log(world, *(reads(make_report("B", order)) for order in (said, said[::-1])))
    assert results == ["pain.002"] * 2
    with world.app.app_context():
        assert granted.ends_of([one.id for one in world.pairs[1]]) == {one.id: {"refused"} for one in world.pairs[1]}


def test_a_batch_is_set_aside_while_its_last_payment_is_withdrawn(world):
    staff, batch_id = world.sent.staff, world.batches[2]
    with world.app.app_context():
        last = queries.batch(batch_id).lines[-1].id
    set_aside, withdrawn = behind_the_log(
        world, lambda: actions.set_aside_batch(staff.authoriser, batch_id, words="Not now."),
        lambda: grants.withdraw_release(staff.approver, last).kind)
    assert set_aside is None
    assert withdrawn == "withdrawn" or isinstance(withdrawn, Stale | Refused)
    with world.app.app_context():
        assert queries.batch(batch_id).state is BatchState.SET_ASIDE
        assert granted.ends_of([one.id for one in world.pairs[2]]) == {
            one.id: {"withdrawn"} for one in world.pairs[2]}


def closing(world, through, then):
    """Close the books through a day beside this context's open transaction, and do `then` in it while that waits."""
    def meanwhile():
        try:
            until_they_wait(world, 1)
            then()
            session.commit()
        finally:
            session.rollback()

    return at_the_same_moment(world, lambda: actions.close_books(SYSTEM, through, today=clock.today()),
                              meanwhile=meanwhile)[0]


def test_the_books_are_not_closed_over_a_line_that_is_being_read(world):
    day = clock.today() - timedelta(days=2)
    with world.app.app_context():
        actions.read_message(make_statement([(False, 5_00, None)], booked_on=day))
        refused = closing(world, day, lambda: None)
        assert isinstance(refused, Refused)
        assert [reason.code for reason in refused.reasons] == ["statement_lines_matched"]


def test_whoever_closes_the_books_lets_a_statement_be_read_to_its_end(world):
    """It waits for the lines before it holds the log, which their payments need."""
    day = clock.today()
    with world.app.app_context():
        paid = world.last.stage()
        actions.read_message(make_statement([(False, 5_00, None)], booked_on=day))
        assert closing(world, day - timedelta(days=3), lambda: actions.read_message(make_statement(
            [(True, paid.amount_pence, paid.end_to_end_id)], booked_on=day))) is None
        assert world.last.stage().state is StageState.PAID
