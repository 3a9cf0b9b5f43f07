"""`fund run` as a person meets it: started, used, stopped, cut off, started again, and refused with a way out."""

import json
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import urllib.request
import uuid

import psutil
import psycopg
import pytest
from redis import Redis

from fund.embedded import bank, mailbox, postgres, process, s3, supervisor, valkey
from fund.embedded.supervisor import Given, Supervisor
from tests.make.whole import ROOT, Run
from tests.test_settings import SAFE

MOST_MEMORY = 900_000_000


@pytest.fixture
def run(room, ports):
    """Starts the fund; whatever is left of it at the end is stopped."""
    began: list[Run] = []

    def start(port: int = ports, **settings: str) -> Run:
        began.append(Run(room / "var", port, **settings))
        return began[-1]

    yield start
    for one in began:
        one.stop()


def page(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read().decode()


def connect(run_: Run) -> psycopg.Connection:
    addresses = json.loads((run_.var / "run" / "addresses.json").read_text())
    return psycopg.connect(addresses["DATABASE_URL"].replace("+psycopg", ""), autocommit=True)


@pytest.mark.whole
def test_one_command_starts_everything_on_this_machine_alone(run, ports):
    first = run().until_ready()
    assert "<h1" in page(ports)
    assert "Mailbox" in page(ports + 1)
    assert f"http://127.0.0.1:{ports}\n" in first.said

    family = first.family()
    assert set(first.processes()) == {"postgres", "valkey", "s3", "mailbox", "bank", "web", "worker"}
    listens = {connection.laddr.ip for one in family for connection in one.net_connections("inet")
               if connection.status == psutil.CONN_LISTEN}
    assert listens == {"127.0.0.1"}
    for _ in range(20):
        page(ports)
    assert sum(one.memory_full_info().pss for one in family if one.is_running()) < MOST_MEMORY

    second = run()
    assert second.ended() == 1
    assert f"(process {first.popen.pid})" in second.said
    assert f"http://127.0.0.1:{ports}" in second.said
    assert "make stop" in second.said
    assert "Traceback" not in second.said

    _a_lost_bell_is_rung_again(first)
    _a_part_that_dies_is_named_and_everything_stops(first, family)


def _a_lost_bell_is_rung_again(running: Run) -> None:
    """No bell is rung for this row, so only the sweeper can find it. No job has this name: the worker notes that."""
    asked = uuid.uuid4()
    with connect(running) as database:
        database.execute("INSERT INTO outbox (id, job, args, asked_at, due_at) "
                         "VALUES (%s, 'no such job', '{}', now() - interval '1 hour', now() - interval '1 hour')",
                         [asked])
        Redis.from_url(valkey.url(running.port + supervisor.QUEUE)).flushall()

        def row() -> tuple[int, str | None]:
            return database.execute("SELECT attempts, last_error FROM outbox WHERE id = %s", [asked]).fetchone()

        assert process.wait_until(lambda: row()[0] == 1, seconds=60)
        assert row()[1] == "Broken: no job is called no such job"


def _a_part_that_dies_is_named_and_everything_stops(running: Run, family: list[psutil.Process]) -> None:
    running.processes()["bank"].kill()
    assert running.ended() == 1
    assert "The pretend bank stopped by itself, so everything else was stopped too." in running.said
    assert "bank.log" in running.said
    assert "Traceback" not in running.said
    assert psutil.wait_procs(family, timeout=10)[1] == []


@pytest.mark.whole
def test_what_a_cut_off_run_left_is_named_and_stopped_and_nothing_is_lost(run):
    cut_off = run().until_ready()
    family = cut_off.family()[1:]
    with connect(cut_off) as database:
        database.execute("INSERT INTO outbox (id, job, args, done_at) VALUES (gen_random_uuid(), 'kept', '{}', now())")
    cut_off.popen.kill()
    cut_off.ended()

    refused = run()
    assert refused.ended() == 1
    assert "An earlier run was cut off and left this running: " in refused.said
    assert all(f"(process {part.pid})" in refused.said for part in cut_off.processes().values())
    assert "make stop" in refused.said
    assert "Traceback" not in refused.said

    assert "Stopping the database" in cut_off.stopped_by_command()
    assert psutil.wait_procs(family, timeout=10)[1] == []

    again = run().until_ready()
    with connect(again) as database:
        assert database.execute("SELECT count(*) FROM outbox WHERE job = 'kept'").fetchone() == (1,)
    _ctrl_c_stops_everything_in_reverse_order(again)


def _ctrl_c_stops_everything_in_reverse_order(running: Run) -> None:
    family = running.family()
    running.popen.send_signal(signal.SIGINT)
    assert running.ended() == 0
    assert psutil.wait_procs(family, timeout=10)[1] == []
    order = re.findall(r"^  the (.+) stopped$", running.said, re.M)
    assert order == ["worker", "web server", "pretend bank", "mailbox", "file store", "queue", "database"]


@pytest.mark.parametrize(("offset", "needs"), [
    (0, "the web server"), (supervisor.BANK, "the pretend bank"), (supervisor.FILES + 2, "the file store"),
    (supervisor.FILES + 10_000, "the file store")])
def test_a_taken_port_is_named_with_who_has_it_and_the_way_out(run, ports, offset, needs):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", ports + offset))
        other.listen()
        refused = run()
        assert refused.ended() == 1
    assert f"Port {ports + offset}, which {needs} needs, is taken by" in refused.said
    assert f"process {os.getpid()}" in refused.said
    assert "make run PORT=8100" in refused.said or "make run PORT=8000" in refused.said
    assert "Traceback" not in refused.said


@pytest.mark.parametrize("port", ["80", "45001", "70000", "-1"])
def test_a_port_that_leaves_no_room_is_refused(run, port):
    refused = run(PORT=port)
    assert refused.ended() == 1
    assert f"PORT is {port}" in refused.said
    assert "make run PORT=8100" in refused.said


@pytest.mark.parametrize(("setting", "address"), [
    ("REDIS_URL", "redis://127.0.0.1:{}/0"), ("S3_ENDPOINT_URL", "http://127.0.0.1:{}"),
    ("SMTP_URL", "smtp://user:secret@127.0.0.1:{}"), ("BANK_URL", "http://127.0.0.1:{}"),
    ("DATABASE_URL", "postgresql://fund_app:secret@127.0.0.1:{}/fund")])
def test_an_address_where_nobody_answers_is_named_without_its_secret(run, ports, setting, address):
    refused = run(**{setting: address.format(ports + 9)})
    assert refused.ended() == 1
    assert setting in refused.said
    assert "secret" not in refused.said
    assert "Traceback" not in refused.said


def test_a_migrators_address_without_the_database_is_refused(run):
    refused = run(MIGRATION_DATABASE_URL="postgresql://fund_migrator@127.0.0.1/fund")
    assert refused.ended() == 1
    assert "set both, or neither" in refused.said


def test_production_is_not_started_this_way(run):
    refused = run(**{name.upper(): str(value) for name, value in SAFE.items()})
    assert refused.ended() == 1
    assert "FUND_ENV is production" in refused.said


@pytest.fixture
def small_disk(room):
    """A disk of 20 MB."""
    folder = room / "var"
    folder.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], check=False, capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("this machine does not let a test mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("filled", [False, True])
def test_a_full_disk_is_named_with_the_way_out(small_disk, run, filled):
    if filled:
        with (small_disk / "film").open("wb") as film, pytest.raises(OSError, match="No space left"):
            film.write(b"0" * 30_000_000)
    refused = run()
    assert refused.ended() == 1
    assert f"The disk that holds {small_disk} is" in refused.said
    assert "Make some room" in refused.said
    assert "Traceback" not in refused.said


SETTING_OF = {"redis_url": "valkey", "s3_endpoint_url": "s3", "smtp_url": "mailbox", "bank_url": "bank"}


@pytest.mark.parametrize("setting", SETTING_OF)
def test_an_address_that_is_set_keeps_its_embedded_part_from_starting(tmp_path, setting):
    one = Supervisor(tmp_path, tmp_path / "var", Given(**{setting: "given"}), print)
    assert {child.slug for child in one.embedded()} == set(SETTING_OF.values()) - {SETTING_OF[setting]}
    assert setting.upper() not in one.environment


@pytest.mark.whole
def test_every_embedded_part_can_be_replaced(run, started, room, ports):
    """The same programs, started by somebody else, stand in for managed ones: database, queue, files, mail, bank."""
    outside = room / "outside"
    others = ports + 10
    store = {"bucket": "elsewhere", "access_key": "key", "secret_key": "secret-of-the-test"}
    started(valkey.child(outside / "valkey", others))
    started(s3.child(outside / "s3", others + 1, **store))
    started(mailbox.child(outside / "mail", others + 6, others + 7))
    started(bank.child(outside / "bank", others + 8))
    try:
        server = postgres.start(outside / "postgres", postgres.MODEST)
        superuser = postgres.superuser_url(server)
        given = {
            "DATABASE_URL": postgres.role_url(server, "managed", "fund_app").replace("+psycopg", ""),
            "MIGRATION_DATABASE_URL": postgres.role_url(server, "managed", "fund_migrator").replace("+psycopg", ""),
            "REDIS_URL": valkey.url(others), "S3_ENDPOINT_URL": s3.url(others + 1), "S3_BUCKET": "elsewhere",
            "S3_ACCESS_KEY": "key", "S3_SECRET_KEY": "secret-of-the-test", "SMTP_URL": f"smtp://127.0.0.1:{others + 6}",
            "BANK_URL": bank.url(others + 8), "PUBLIC_URL": f"http://localhost:{ports}",
        }
        locked_out = run(**given)
        assert locked_out.ended() == 1
        assert "fund bootstrap" in locked_out.said
        assert "Traceback" not in locked_out.said
        subprocess.run([sys.executable, "-m", "fund", "bootstrap", superuser, "--database", "managed"], cwd=ROOT,
                       env=locked_out.environment, check=True, capture_output=True, timeout=60)
        running = run(**given).until_ready()
        assert set(running.processes()) == {"web", "worker"}
        assert "<h1" in page(ports)
        assert f"Open     http://localhost:{ports}" in running.said
        assert "Mailbox" not in running.said
        with connect(running) as database:
            assert database.execute("SELECT current_database(), current_user").fetchone() == ("managed", "fund_app")
        assert Redis.from_url(valkey.url(others)).scard("rq:workers") == 1
        running.popen.terminate()
        assert running.ended() == 0
        with smtplib.SMTP("127.0.0.1", others + 6, timeout=5) as still_there:
            assert still_there.noop()[0] == 250
    finally:
        postgres.stop(outside / "postgres")


def test_a_demo_that_was_cut_off_while_loading_begins_again(tmp_path):
    said: list[str] = []
    one = Supervisor(tmp_path, tmp_path / "var", Given(), said.append)
    loading, loaded = one._demo_marks()
    (tmp_path / "var" / "postgres").mkdir(parents=True)
    loading.touch()
    one._forget_half_a_demo()
    assert not (tmp_path / "var" / "postgres").exists()
    assert "beginning again" in said[0]
    (tmp_path / "var" / "postgres").mkdir()
    loaded.touch()
    loading.touch()
    one._forget_half_a_demo()
    assert (tmp_path / "var" / "postgres").exists(), "a whole demo is never thrown away"


def test_a_demo_that_was_cut_off_in_somebody_elses_database_is_left_to_a_person(tmp_path):
    one = Supervisor(tmp_path, tmp_path / "var", Given(database_url="postgresql://db/fund"), print)
    loading, _loaded = one._demo_marks()
    loading.parent.mkdir()
    loading.touch()
    with pytest.raises(process.CannotRun, match="Make that database empty again"):
        one._forget_half_a_demo()
