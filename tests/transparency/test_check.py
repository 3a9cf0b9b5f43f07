"""The published files against the database: whatever differs is named, wherever it was changed."""

import json

import pytest
from click.testing import CliRunner

from fund.transparency import formats, queries
from fund.transparency.cli import commands
from fund.transparency.formats import Signer
from fund.transparency.queries.check import published_files


@pytest.fixture
def log(a_log):
    """Published twice, over more than one tile."""
    a_log.grow(200)
    a_log.publish()
    a_log.grow(400)
    a_log.publish()
    return a_log


def found() -> set[tuple[str, str]]:
    return {(problem.code, problem.where) for problem in published_files()}


def test_a_published_log_is_what_the_database_makes(log):
    seen = []
    assert list(published_files(seen.append)) == []
    assert seen == [600]


def test_a_log_that_was_never_published_has_nothing_to_compare(a_log):
    a_log.grow(3)
    assert found() == set()


@pytest.mark.parametrize(("path", "code"), [
    ("tile/0/000", "log_tile"), ("tile/0/002.p/88", "log_tile"), ("tile/1/000.p/2", "log_tile"),
    ("tile/entries/001", "log_bundle"), ("tile/entries/002.p/88", "log_bundle"), ("history/200", "log_history"),
    ("history/600", "log_history"), ("checkpoint", "log_checkpoint")])
def test_a_byte_that_was_changed_in_the_store_is_named(log, path, code):
    data = bytearray(log.file(path))
    data[len(data) // 2] ^= 1
    log.overwrite(path, bytes(data))
    assert (code, path) in found()


@pytest.mark.parametrize("path", ["schema/v1.json", "accounts/v1.json"])
def test_a_document_that_the_first_line_names_is_compared_with_it(log, path):
    log.overwrite(path, log.file(path).replace(b"e", b"f", 1))
    assert found() == {("log_document", path)}


def test_a_line_that_was_changed_in_the_database_is_named(log):
    log.as_superuser("""UPDATE log.leaf SET bytes = replace(convert_from(bytes, 'UTF8'), '"n"', '"m"')::bytea
                        WHERE seq = 300""")
    assert found() == {("log_bundle", "tile/entries/001"), ("log_tile", "tile/0/001"), ("log_tile", "tile/1/000.p/2"),
                       ("log_checkpoint", "checkpoint"), ("log_history", "history/600")}


def test_an_older_copy_of_the_database_is_named(log):
    log.cut_back(200)
    assert ("log_sequence", "leaf 200") in found()


def test_a_checkpoint_of_another_key_is_named(log):
    note = formats.read_note(log.file("checkpoint"))
    log.overwrite("checkpoint", formats.Note(note.text, (Signer.new(log.origin).sign(note.text),)).encoded)
    assert found() == {("log_checkpoint", "checkpoint")}


def test_an_older_checkpoint_put_back_is_named(log):
    log.overwrite("checkpoint", log.file("history/200"))
    assert ("log_checkpoint", "checkpoint") in found()


def test_a_root_that_was_changed_in_the_database_is_named(log):
    log.as_superuser("UPDATE published_checkpoint SET root = sha256('x') WHERE size = 200")
    assert found() == {("log_history", "history/200")}


def test_lines_that_wait_too_long_are_named(log):
    log.grow(2)
    assert found() == set()
    log.as_superuser("UPDATE log.leaf SET recorded_at = recorded_at - interval '6 minutes' WHERE seq = 600")
    assert found() == {("log_late", "leaf 600")}


def test_the_command_ends_with_one_and_a_report(log):
    assert CliRunner().invoke(commands, ["check"]).exit_code == 0
    log.overwrite("tile/0/000", b"")
    done = CliRunner().invoke(commands, ["check", "--json"])
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["sound"], report["size"], report["published"]) == (False, queries.size(), 600)
    assert report["problems"][0]["where"] == "tile/0/000"
