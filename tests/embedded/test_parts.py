"""Each embedded part: it keeps what it was given over a stop and a start, and listens on this machine alone."""

import contextlib
import json
import signal
import smtplib
import urllib.error
import urllib.request
from datetime import datetime
from email.message import EmailMessage

import boto3
import psutil
import psycopg
import pytest
from botocore.config import Config
from redis import Redis

from fund.embedded import bank, mailbox, postgres, process, s3, valkey


def listens_on(started: psutil.Process) -> set[str]:
    found = set()
    for one in [started, *started.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {connection.laddr.ip for connection in one.net_connections("inet")
                      if connection.status == psutil.CONN_LISTEN}
    return found


def test_the_queue_keeps_what_was_rung_over_a_kill(started, tmp_path, ports):
    first = started(valkey.child(tmp_path / "valkey", ports))
    assert listens_on(first.process) == {"127.0.0.1"}
    Redis.from_url(valkey.url(ports)).set("bell", "rung")
    process.stop_child(first, ask=signal.SIGKILL)
    started(valkey.child(tmp_path / "valkey", ports))
    assert Redis.from_url(valkey.url(ports)).get("bell") == b"rung"


def store(port):
    return boto3.client("s3", endpoint_url=s3.url(port), region_name="us-east-1", aws_access_key_id="key",
                        aws_secret_access_key="secret-of-the-test",
                        config=Config(retries={"max_attempts": 1, "mode": "standard"}, s3={"addressing_style": "path"}))


def test_the_file_store_keeps_files_over_a_restart_and_on_other_ports(started, tmp_path, ports):
    keys = {"bucket": "fund", "access_key": "key", "secret_key": "secret-of-the-test"}
    first = started(s3.child(tmp_path / "s3", ports, **keys))
    assert listens_on(first.process) == {"127.0.0.1"}
    store(ports).put_object(Bucket="fund", Key="a/b.txt", Body=b"kept")
    process.stop_child(first)
    moved = ports + s3.PORTS
    started(s3.child(tmp_path / "s3", moved, **keys))
    assert store(moved).get_object(Bucket="fund", Key="a/b.txt")["Body"].read() == b"kept"


def test_the_file_store_refuses_a_wrong_secret(started, tmp_path, ports):
    started(s3.child(tmp_path / "s3", ports, bucket="fund", access_key="key", secret_key="another-secret"))
    with pytest.raises(store(ports).exceptions.ClientError) as refused:
        store(ports).put_object(Bucket="fund", Key="a", Body=b"")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_database_listens_on_no_network_and_is_stopped_by_its_pid_file(room):
    folder = room / "database" / "postgres"
    try:
        server = postgres.start(folder, postgres.MODEST)
        with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW shared_buffers").fetchone() == ("24MB",)
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        assert listens_on(postgres.postmaster(folder)) == set()
        # Killed without a word, it leaves its pid file; the number may be anybody's by the next start.
        process.stop(postgres.postmaster(folder), patience=0)
        (folder / "postmaster.pid").write_text(f"1\n{folder}\n")
        postgres.stop(folder)
        server = postgres.start(folder, postgres.MODEST)
        with psycopg.connect(postgres.superuser_url(server)) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
        postgres.stop(folder)
        assert postgres.postmaster(folder) is None
    finally:
        postgres.stop(folder)


def test_a_database_whose_making_was_cut_off_is_made_again(room):
    folder = room / "database" / "postgres"
    half = folder.with_name("postgres.making")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    try:
        with psycopg.connect(postgres.superuser_url(postgres.start(folder))) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not half.exists()
    finally:
        postgres.stop(folder)


def asked(url: str, **options) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=5) as answer:
        return answer.read()


def test_the_bank_begins_at_the_given_time_and_keeps_its_accounts(started, tmp_path, ports):
    first = started(bank.child(tmp_path / "bank", ports, clock=datetime(2015, 1, 5, 9, 0)))
    assert listens_on(first.process) == {"127.0.0.1"}
    assert "2015-01-05" in json.dumps(json.loads(asked(f"{bank.url(ports)}/_mock/state")))
    account = {"id": "FUND", "name": "The fund", "iban": "GB82WEST12345698765432", "currency": "GBP", "balance": 100_00}
    asked(f"{bank.url(ports)}/_mock/accounts", data=json.dumps(account).encode(),
          headers={"Content-Type": "application/json"})
    process.stop_child(first)
    started(bank.child(tmp_path / "bank", ports))
    assert "GB82WEST12345698765432" in asked(f"{bank.url(ports)}/_mock/accounts/FUND").decode()


def send(port: int, subject: str, text: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "fund@example.org", "amina@example.org", subject
    mail.set_content(text)
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as line:
        line.send_message(mail)


def test_the_mailbox_shows_mails_newest_first_with_links_that_can_be_pressed(started, tmp_path, ports):
    first = started(mailbox.child(tmp_path / "mail", ports, ports + 1))
    assert listens_on(first.process) == {"127.0.0.1"}
    send(ports, "First", "Sign in: http://127.0.0.1:8000/sign-in/abc?a=1&b=2.")
    send(ports, "<script>alert(1)</script>", "<script>alert(2)</script> ŵ")
    listed = asked(f"http://127.0.0.1:{ports + 1}/").decode()
    assert listed.index("&lt;script&gt;") < listed.index("First")
    assert "<script" not in listed
    newest, oldest = mailbox.names(tmp_path / "mail")
    shown = asked(f"http://127.0.0.1:{ports + 1}/{oldest}").decode()
    assert 'href="http://127.0.0.1:8000/sign-in/abc?a=1&amp;b=2"' in shown
    shown = asked(f"http://127.0.0.1:{ports + 1}/{newest}").decode()
    assert "&lt;script&gt;alert(2)&lt;/script&gt; ŵ" in shown
    process.stop_child(first)
    started(mailbox.child(tmp_path / "mail", ports, ports + 1))
    assert "First" in asked(f"http://127.0.0.1:{ports + 1}/").decode()


@pytest.mark.parametrize(("path", "options", "status"), [
    ("../secret", {}, 404), ("%2e%2e/secret", {}, 404), ("nothing.eml", {}, 404),
    ("", {"method": "POST", "data": b"x"}, 501), ("", {"method": "DELETE"}, 501),
    ("", {"headers": {"Host": "evil.example"}}, 400),
])
def test_the_mailbox_page_reads_only_its_own_mails(started, tmp_path, ports, path, options, status):
    started(mailbox.child(tmp_path / "mail", ports, ports + 1))
    with pytest.raises(urllib.error.HTTPError) as refused:
        asked(f"http://127.0.0.1:{ports + 1}/{path}", **options)
    refused.value.close()
    assert refused.value.code == status
