"""Publishing: the files are those of the specification, each step may be the last, and no second history is signed."""

import base64
import hashlib
import os
import signal
import threading
import time
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import current_app

from fund.db import leave_connections_to_the_parent, session, transaction
from fund.kernel.errors import BadInput, Broken, Refused
from fund.settings import settings, use
from fund.transparency import formats, queries, rules, storage
from fund.transparency.actions import publish
from fund.transparency.formats import Signer
from fund.transparency.rules.tiles import tiles
from tests.make.witness import AWitness


def read_back(log) -> list[bytes]:
    """The leaves as the published files give them, after every hash was made again from them."""
    note = formats.read_note(log.file("checkpoint"))
    assert log.key.has_signed(note)
    checkpoint = formats.read_checkpoint(note.text)
    assert checkpoint.origin == log.origin
    leaves = []
    for at in range(0, checkpoint.size, 256):
        width = min(256, checkpoint.size - at)
        leaves += formats.leaves_of(log.file(formats.bundle_path(at // 256, width)))
    hashes = [rules.leaf_hash(leaf) for leaf in leaves]
    assert rules.root(hashes) == checkpoint.root
    for level, number, width in tiles(checkpoint.size):
        data = log.file(formats.tile_path(level, number, width))
        assert len(data) == 32 * width
        if level == 0:
            assert data == b"".join(hashes[number * 256:number * 256 + width])
    return leaves


def test_what_is_published_is_the_log_byte_for_byte(a_log):
    for more in (1, 3, 252, 1, 1, 300):
        a_log.grow(more)
        a_log.publish()
        assert read_back(a_log) == [row.encoded for row in queries.leaves_after(-1)]
    sizes = [row.size for row in queries.checkpoints()]
    assert sizes == sorted(sizes, reverse=True)
    assert queries.publication().waiting == 0
    for size in sizes:
        assert log_size(a_log.file(f"history/{size}")) == size


def log_size(note: bytes) -> int:
    return formats.read_checkpoint(formats.read_note(note).text).size


def test_publishing_again_writes_nothing_new(a_log):
    a_log.grow(5)
    a_log.publish()
    before = a_log.file("checkpoint")
    assert a_log.publish().waiting == 0
    assert a_log.file("checkpoint") == before
    assert len(queries.checkpoints()) == 1


def test_nothing_is_published_of_a_log_without_a_line(a_log):
    a_log.publish()
    assert a_log.file("checkpoint") is None


STEPS = ["put_once", "replace", "read"]


@pytest.mark.parametrize("sizes", [(3, 300), (256, 257)])
def test_killed_at_any_step_and_run_again_it_ends_with_the_same_bytes(a_log, sizes, monkeypatch):
    """Each call to the store is the last one once, before and after it took effect; the next run mends it."""
    a_log.grow(sizes[0])
    a_log.publish()
    for kind in STEPS:
        for after in (False, True):
            call = 0
            while True:
                a_log.grow(1)
                died = die_at(monkeypatch, kind, call, after=after, run=a_log.publish)
                done = a_log.publish()
                assert done.waiting == 0
                assert log_size(a_log.file("checkpoint")) == queries.size()
                if not died:
                    break
                call += 1
    read_back(a_log)


class Death(BaseException):
    """The process is gone."""


def die_at(monkeypatch, kind: str, call: int, *, after: bool, run) -> bool:
    """Run, and die at the given call of a kind; gives whether there was such a call."""
    calls, real = [], getattr(storage, kind)

    def mortal(*args, **kwargs):
        calls.append(1)
        mine = len(calls) == call + 1
        if mine and not after:
            raise Death
        answer = real(*args, **kwargs)
        if mine:
            raise Death
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(storage, kind, mortal)
        try:
            run()
        except Death:
            session.rollback()
            return True
    return False


@pytest.mark.parametrize("after", [False, True])
def test_a_publisher_that_is_killed_at_each_write_leaves_what_the_next_one_finishes(a_log, after):
    """A process of its own that the kernel ends (SIGKILL) before or after each of its writes in turn."""
    a_log.grow(254)
    a_log.publish()
    acknowledged, call = {}, 0
    while True:
        a_log.grow(1)
        killed = killed_at_write(a_log, call, after=after)
        for size, note in acknowledged.items():  # what was published stays as it was
            assert a_log.file(f"history/{size}") == note
        assert published_when_free(a_log).waiting == 0
        size = log_size(a_log.file("checkpoint"))
        assert size == queries.size()
        acknowledged[size] = a_log.file(f"history/{size}")
        if not killed:
            break
        call += 1
    assert call >= 5  # a bundle, a tile, what is signed, the history, the checkpoint
    read_back(a_log)


def published_when_free(log):
    """Publish once the database has seen that the process which held the lock is gone."""
    until = time.monotonic() + 30
    while (done := log.publish()) is None and time.monotonic() < until:
        time.sleep(0.05)
    return done


def killed_at_write(log, call: int, *, after: bool) -> bool:
    """Publish in a process that dies at its write number `call`; gives whether it came so far."""
    session.remove()
    child = os.fork()
    if child == 0:
        try:
            leave_connections_to_the_parent(current_app._get_current_object())
            storage.client.cache_clear()
            calls, real, lock = [], storage._put, threading.Lock()

            def mortal(*args, **kwargs):
                with lock:
                    calls.append(1)
                    mine = len(calls) == call + 1
                if mine and not after:
                    os.kill(os.getpid(), signal.SIGKILL)
                answer = real(*args, **kwargs)
                if mine:
                    os.kill(os.getpid(), signal.SIGKILL)
                return answer

            storage._put = mortal
            log.publish()
            os._exit(0)
        except BaseException:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_an_older_copy_of_the_database_is_refused(a_log):
    a_log.grow(10)
    a_log.publish()
    a_log.grow(5)
    a_log.publish()
    before = a_log.file("checkpoint")
    a_log.cut_back(10)
    with pytest.raises(Refused, match="older copy"):
        a_log.publish()
    assert a_log.file("checkpoint") == before


def test_an_older_copy_that_went_its_own_way_is_refused(a_log):
    a_log.grow(10)
    a_log.publish()
    a_log.grow(5)
    a_log.publish()
    a_log.cut_back(10)
    a_log.grow(20)
    with pytest.raises(Refused, match="another database, or"):
        a_log.publish()
    assert log_size(a_log.file("checkpoint")) == 15


def test_a_line_that_was_changed_under_the_last_tile_is_refused(a_log):
    a_log.grow(10)
    a_log.publish()
    a_log.as_superuser("""
             UPDATE log.leaf SET bytes = replace(convert_from(bytes, 'UTF8'), '"n"', '"m"')::bytea WHERE seq = 7;""")
    a_log.grow(1)
    with pytest.raises(Refused, match="not those that were published"):
        a_log.publish()


def test_of_two_publishers_one_loses(a_log, monkeypatch):
    a_log.grow(4)
    a_log.publish()
    a_log.grow(1)
    real = storage.replace

    def somebody_was_faster(path, data, over, **kwargs):
        if path == storage.SIGNED:
            with monkeypatch.context() as patched:
                patched.setattr(storage, "replace", real)
                text = formats.Checkpoint(a_log.origin, 5, b"\7" * 32).text
                note = formats.Note(text, (Signer.read(a_log.key_file.read_text()).sign(text),))
                assert real(storage.SIGNED, note.encoded, over)
        return real(path, data, over, **kwargs)

    monkeypatch.setattr(storage, "replace", somebody_was_faster)
    with pytest.raises(Broken, match="another publisher signed"):
        a_log.publish()
    assert log_size(a_log.file("checkpoint")) == 4


def test_only_one_publisher_of_a_database_runs_at_a_time(a_log):
    a_log.grow(2)
    with session.get_bind().connect() as other, other.begin():
        other.execute(sa.text("SELECT pg_advisory_xact_lock(7214051)"))
        assert a_log.publish() is None
    assert a_log.publish().size == 2


@pytest.mark.parametrize("path", ["tile/0/000.p/5", "tile/entries/000.p/6"])
def test_a_published_file_with_other_bytes_is_an_alarm(a_log, path):
    a_log.grow(5)
    a_log.publish()
    a_log.grow(1)
    a_log.overwrite(path, b"x" * 160)
    with pytest.raises((Broken, Refused)):
        a_log.publish()


def test_a_key_that_others_may_read_signs_nothing(a_log):
    a_log.grow(1)
    a_log.key_file.chmod(0o640)
    with pytest.raises(BadInput, match="others may read"):
        a_log.publish()


def test_a_key_of_another_origin_signs_nothing(a_log):
    a_log.grow(1)
    a_log.key_file.write_text(Signer.new("other.example/log").written())
    with pytest.raises(BadInput, match="origin"):
        a_log.publish()


def test_what_was_signed_with_a_key_that_is_not_ours_is_not_built_on(a_log):
    a_log.grow(1)
    a_log.publish()
    a_log.key_file.write_text(Signer.new(a_log.origin).written())
    a_log.grow(1)
    with pytest.raises(Broken, match="not ours"):
        a_log.publish()


def test_after_a_change_of_keys_both_sign(a_log):
    a_log.grow(1)
    a_log.publish()
    old = a_log.key
    a_log.key_file.write_text(Signer.new(a_log.origin).written() + a_log.key_file.read_text())
    a_log.grow(1)
    a_log.publish()
    note = formats.read_note(a_log.file("checkpoint"))
    assert a_log.key != old
    assert a_log.key.has_signed(note)
    assert old.has_signed(note)


# Witnesses ------------------------------------------------------------------------------------------------------------

@pytest.fixture
def witnesses(a_log, tmp_path):
    """Two witnesses, of which the policy wants both."""
    made = [AWitness(f"witness.example/{n}", [a_log.key]) for n in (1, 2)]
    policy = tmp_path / "policy"
    policy.write_text("".join(f"witness w{n} {one.signer.key} {one.url}\n" for n, one in enumerate(made, 1))
                      + "group both all w1 w2\nquorum both\n")
    use(settings().model_copy(update={"log_policy_file": str(policy)}))
    yield made
    for one in made:
        one.stop()


def test_witnesses_cosign_each_checkpoint(a_log, witnesses):
    for more in (3, 260):
        a_log.grow(more)
        assert a_log.publish().cosigned_by == ("w1", "w2")
        note = formats.read_note(a_log.file("checkpoint"))
        assert all(one.signer.key.has_signed(note) for one in witnesses)
    assert [one.asked for one in witnesses] == [[200, 200], [200, 200]]
    assert queries.publication().cosigned_by == ("w1", "w2")


def test_without_its_quorum_nothing_is_published_and_later_the_same_tree_is(a_log, witnesses):
    a_log.grow(3)
    a_log.publish()
    witnesses[1].fails = 503
    a_log.grow(2)
    done = a_log.publish()
    assert not done.is_complete
    assert log_size(a_log.file("checkpoint")) == 3
    signed = a_log.file("signed")
    witnesses[1].fails = 0
    a_log.grow(1)
    a_log.publish()
    assert log_size(a_log.file("history/5")) == 5
    assert formats.read_note(signed).text == formats.read_note(a_log.file("history/5")).text
    assert log_size(a_log.file("checkpoint")) == 6


def test_a_witness_that_saw_another_size_is_asked_again_from_there(a_log, witnesses):
    a_log.grow(3)
    a_log.publish()
    witnesses[0].seen.clear()
    a_log.grow(1)
    assert a_log.publish().cosigned_by == ("w1", "w2")
    assert witnesses[0].asked == [200, 409, 200]


def test_a_fork_is_not_cosigned(a_log, witnesses):
    """Whoever holds the key can sign a second history; the witnesses will not."""
    a_log.grow(3)
    a_log.publish()
    text = formats.Checkpoint(a_log.origin, 4, hashlib.sha256(b"fork").digest()).text
    note = formats.Note(text, (Signer.read(a_log.key_file.read_text()).sign(text),))
    proof = [base64.b64encode(b"\1" * 32).decode()]
    body = ("old 3\n" + "\n".join(proof) + "\n\n").encode() + note.encoded
    assert witnesses[0].answer("/w/add-checkpoint", body)[0] == 422


def test_cosignatures_are_made_anew_every_day(a_log, witnesses):
    a_log.grow(3)
    a_log.publish()
    assert [one.asked for one in witnesses] == [[200], [200]]
    a_log.publish()  # their clock stands in 2027 and so is fresh
    assert [one.asked for one in witnesses] == [[200], [200]]
    for one in witnesses:
        one.now = 1_700_000_000
        one.asked.clear()
    a_log.grow(1)
    a_log.publish()
    with transaction():
        publish.publish_next()
    assert [one.asked for one in witnesses] == [[200, 200], [200, 200]]


# What no line may say -------------------------------------------------------------------------------------------------

def a_leaf(**more) -> dict:
    return {"v": 1, "id": str(uuid4()), "kind": "rehearsal_rule", "recorded_at": "2026-06-01T09:00:00.000000Z",
            "record": {"n": "x"}, **more}


WRITTEN = {
    "a record of text": lambda: formats.canonical(a_leaf(record="text")),
    "a record of lists without end": lambda: formats.canonical(a_leaf(record={})).replace(
        b"{}", b"[" * 3_000 + b"]" * 3_000),
    "no words": lambda: formats.canonical(a_leaf(record={})).replace(b"{}", b'{"n":null}'),
    "spaces": lambda: formats.canonical(a_leaf()).replace(b",", b", "),
    "a name": lambda: formats.canonical(a_leaf(name="Jane Doe")),
}


@pytest.mark.parametrize("what", sorted(WRITTEN))
def test_a_line_that_strangers_would_refuse_is_not_signed_and_is_named(a_log, what):
    a_log.grow(3)
    a_log.publish()
    signed, shown = a_log.file("signed"), a_log.file("checkpoint")
    a_log.grow(4)
    a_log.as_superuser(f"UPDATE log.leaf SET bytes = '\\x{WRITTEN[what]().hex()}' WHERE seq = 5")
    with pytest.raises(Broken, match="line 5 must not be signed: "):
        a_log.publish()
    session.rollback()
    assert (a_log.file("signed"), a_log.file("checkpoint")) == (signed, shown)


def test_what_was_signed_before_is_not_asked_again(a_log, monkeypatch):
    """Each line is looked at once, so publishing costs by what is new."""
    seen, real = [], formats.reason_not_to_sign
    monkeypatch.setattr(formats, "reason_not_to_sign", lambda encoded: (seen.append(encoded), real(encoded))[1])
    for more in (3, 2, 300, 1):
        a_log.grow(more)
        a_log.publish()
    assert seen == [row.encoded for row in queries.leaves_after(-1, 10_000)]
