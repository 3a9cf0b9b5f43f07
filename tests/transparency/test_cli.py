"""Keys are made once, are nobody else's to read, and are changed with a line of the log."""

import json
import stat

import pytest
from click.testing import CliRunner

from fund.ledger.cli import commands as ledger
from fund.transparency import queries
from fund.transparency.cli import commands
from fund.transparency.formats import Signer, read_note


def run(*arguments: str):
    return CliRunner().invoke(commands, arguments)


def test_a_new_key_is_its_owners_alone_and_is_never_overwritten(a_log, tmp_path):
    path = tmp_path / "another.key"
    done = run("new-key", str(path))
    assert done.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert done.stdout.strip() == str(Signer.read(path.read_text()).key)
    before = path.read_text()
    again = run("new-key", str(path))
    assert again.exit_code == 1
    assert "never overwritten" in again.output
    assert path.read_text() == before


def test_publishing_by_hand_publishes_all_and_again_nothing(a_log):
    a_log.grow(5)
    assert "5 lines are published, 0 wait." in run("publish").output
    assert run("publish").exit_code == 0
    assert queries.publication().published_size == 5


def test_after_a_rotation_both_keys_sign_and_the_log_says_so(a_log):
    a_log.grow(3)
    assert run("publish").exit_code == 0
    old = a_log.key
    done = run("rotate-key")
    assert done.exit_code == 0, done.output
    assert a_log.key != old
    assert stat.S_IMODE(a_log.key_file.stat().st_mode) == 0o600
    assert [path.name for path in a_log.key_file.parent.iterdir() if "log.key" in path.name] == ["log.key"]
    said = json.loads(queries.leaf_by_seq(3).encoded)
    assert (said["kind"], said["record"]) == ("key_rotated", {"key": str(a_log.key), "signed_with": str(old)})
    assert run("publish").exit_code == 0
    note = read_note(a_log.file("checkpoint"))
    assert old.has_signed(note)
    assert a_log.key.has_signed(note)
    assert a_log.file("log.vkey").decode().split() == [str(a_log.key), str(old)]


@pytest.mark.parametrize("stop", ["name_new_key", "unlink"])
def test_a_rotation_that_was_cut_off_goes_on_with_the_key_that_it_had_made(a_log, monkeypatch, stop):
    a_log.grow(3)

    def dies(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(*(("fund.transparency.actions.name_new_key", dies) if stop == "name_new_key"
                          else ("pathlib.Path.unlink", dies)))
        run("rotate-key")
    waiting = a_log.key_file.with_name("log.key.new").read_text()
    assert run("rotate-key").exit_code == 0
    assert a_log.key_file.read_text().splitlines()[0] == waiting.strip()
    assert len(a_log.key_file.read_text().splitlines()) == 2
    assert [leaf.kind for leaf in queries.leaves_after(2)] == ["key_rotated"]


def test_fsck_reads_the_published_files_too(a_log):
    a_log.grow(3)
    assert run("publish").exit_code == 0
    assert CliRunner().invoke(ledger, ["fsck"]).exit_code == 0
    a_log.overwrite("tile/0/000.p/3", b"x")
    done = CliRunner().invoke(ledger, ["fsck", "--json"])
    assert done.exit_code == 1
    assert [one["code"] for one in json.loads(done.stdout)["problems"]] == ["log_tile"]
    assert CliRunner().invoke(ledger, ["fsck", "--no-published"]).exit_code == 0
