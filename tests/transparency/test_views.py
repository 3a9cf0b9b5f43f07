"""The log over HTTP: files byte for byte, pages that say what they are, and a verifier that works through it."""

import threading
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from fund.db import transaction
from fund.kernel.actor import Capacity
from fund.ledger import actions as ledger
from fund.ledger.queries.fsck import check_everything
from fund.transparency import formats, queries, rules
from fund.transparency.formats import bundle_path, read_checkpoint, read_note, tile_path
from fund.web.limits import limiter
from tests.client import PageClient
from tests.make.log import stranger as run


@pytest.fixture
def reader(a_log, own_app):
    """A stranger's browser, on a log with a few lines."""
    limiter.reset()
    own_app.test_client_class = PageClient
    a_log.grow(260)
    a_log.publish()
    return own_app.test_client()


def test_a_file_is_given_byte_for_byte_and_says_how_long_it_may_be_kept(a_log, reader):
    size = read_checkpoint(read_note(a_log.file("checkpoint")).text).size
    for name in (tile_path(0, 0), tile_path(0, 1, size - 256), tile_path(1, 0, 1), bundle_path(0),
                 bundle_path(1, size - 256)):
        answer = reader.get(f"/log/{name}")
        assert answer.data == a_log.file(name)
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer.headers
    answer = reader.get("/log/checkpoint")
    assert answer.data == a_log.file("checkpoint")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert reader.get(f"/log/history/{size}").data == answer.data
    assert reader.get("/log/log.vkey").text.strip() == str(a_log.key)
    with transaction():
        assert ledger.publish_balances() == [256]
    for name in ("schema/v1.json", "accounts/v1.json", "balances/256.json"):
        answer = reader.get(f"/log/{name}")
        assert answer.data == a_log.file(name)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_log_without_witnesses_says_that_it_alone_signs(a_log, reader):
    policy = reader.get("/log/policy")
    assert policy.headers["Cache-Control"] == "no-cache"
    assert f"log {a_log.key} " in policy.text
    assert formats.read_policy(policy.text) == formats.Policy()


@pytest.mark.parametrize("name", [
    "signed", "tile/0/1", "tile/0/000.p/0", "tile/0/000.p/256", "tile/64/000", "tile/00/000", "tile/0/001", "history/0",
    "history/99999", "../secret", "checkpoint/x", "tile/entries/x", "%2e%2e/checkpoint", "nothing", "proof/1", "key",
    "schema/v2.json", "schema/", "balances/255.json", "balances/0256.json", "balances/256", "balances/256.json/x"])
def test_what_is_no_published_file_is_not_there(reader, name):
    assert reader.get(f"/log/{name}").status_code == 404


def test_a_receipt_proves_its_line_and_one_that_is_not_published_has_none(a_log, reader, tmp_path):
    leaves = queries.leaves_after(-1, 10_000)
    for index in (0, 100, 255, 259):
        (tmp_path / "receipt").write_bytes(reader.get(f"/log/proof/{index}.tlog-proof").data)
        (tmp_path / "leaf").write_bytes(reader.get(f"/ledger/entries/{leaves[index].id}/leaf").data)
        done = run("--receipt", tmp_path / "receipt", "--leaf", tmp_path / "leaf", "--key", a_log.key)
        assert done.returncode == 0, done.stderr
    a_log.grow(1)
    assert reader.get(f"/log/proof/{queries.size() - 1}.tlog-proof").status_code == 404


def test_a_line_says_whether_it_is_sealed(a_log, reader):
    first = queries.leaf_by_seq(0).id
    page = reader.get(f"/ledger/entries/{first}")
    assert "Sealed with the first 260 lines." in page.text
    assert "/log/proof/0.tlog-proof" in page.text
    a_log.grow(1)
    page = reader.get(f"/ledger/entries/{queries.leaf_by_seq(260).id}")
    assert "The next seal will cover it." in page.text
    assert "tlog-proof" not in page.text


def test_the_pages_say_how_far_the_log_is(a_log, reader):
    a_log.grow(3)
    page = reader.get("/log/")
    assert "263" in page.text
    assert "260" in page.text
    assert "five minutes" not in page.text
    assert queries.waiting_for(uuid4(), {Capacity.TRUSTEE}) == []
    assert "The first 260" in reader.get("/log/history/").text
    assert "python3 verify.py" in reader.get("/log/verify/").text
    a_log.as_superuser("UPDATE log.leaf SET recorded_at = recorded_at - interval '6 minutes' WHERE seq = 260")
    assert "five minutes" in reader.get("/log/").text
    late, = queries.waiting_for(uuid4(), {Capacity.TRUSTEE})
    assert late.sentence == "Find out why 3 lines of the record are not published."
    assert queries.waiting_for(uuid4(), {Capacity.OFFICER}) == []


def test_every_seal_is_listed_a_page_at_a_time(a_log, reader):
    a_log.as_superuser("INSERT INTO published_checkpoint (size, root, cosigned_by) "
                       "SELECT n, sha256('x'), '{}' FROM generate_series(100, 159) AS n")
    page = reader.get("/log/history/")
    assert "The first 159" in page.text
    assert "/log/history/?before=111" in page.text
    assert "The first 100" in reader.get("/log/history/?before=111").text
    assert reader.get("/log/history/?before=x").status_code == 404


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def test_a_stranger_checks_the_whole_log_over_the_web(a_log, own_app, reader):
    server = make_server("127.0.0.1", 0, own_app, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = run(f"http://127.0.0.1:{server.server_port}/log", "--key", a_log.key)
    finally:
        server.shutdown()
        server.server_close()
    assert (done.returncode, done.stderr) == (0, "")
    assert "260 lines" in done.stdout


def test_it_is_the_tree_of_the_database(a_log, reader):
    checkpoint = read_checkpoint(read_note(reader.get("/log/checkpoint").data).text)
    assert checkpoint.root == rules.root(row.leaf_hash for row in queries.leaves_after(-1, 10_000))


@pytest.mark.parametrize("record", [b'"text"', b"[]", b"7", b"[" * 3_000 + b"]" * 3_000])
def test_a_line_that_says_no_object_does_not_break_its_page(a_log, reader, record):
    """It is never signed; but until somebody has looked, its page and the check of everything must stand."""
    last = queries.leaves_after(258, 1)[0]
    begin, end = last.encoded.index(b'"record":') + 9, last.encoded.index(b',"recorded_at"')
    written, leaf_id = last.encoded[:begin] + record + last.encoded[end:], last.id
    a_log.as_superuser(f"UPDATE log.leaf SET bytes = '\\x{written.hex()}' WHERE seq = 259")
    assert reader.get("/ledger/entries").status_code == 200
    answer = reader.get(f"/ledger/entries/{leaf_id}")
    assert answer.status_code == (422 if len(record) > 100 else 200)
    with transaction():
        named = [problem.code for problem in check_everything().problems if problem.where == "leaf 259"]
    assert ("ck_leaf_json" in named) == (len(record) > 100)
