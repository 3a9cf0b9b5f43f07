"""What waits for the end of its transaction: it stands with it, goes with it, and is seen by whoever asks before."""

import pytest
import sqlalchemy as sa

from fund.db import remembered, write_later, write_now
from fund.kernel.actor import SYSTEM
from fund.kernel.ids import new_id
from fund.transparency.actions import append_later, record_act
from fund.transparency.queries import leaves_after


def acts(session):
    return list(session.scalars(sa.text("SELECT verb FROM act WHERE subject_kind = 'thing' ORDER BY id")))


def say(verb):
    record_act(SYSTEM, verb, "thing", new_id())


def test_what_waits_is_seen_by_whoever_reads_its_table(session):
    say("one")
    assert "later" in session.info
    assert acts(session) == ["one"]
    append_later("note", {"text": "a"}, idem_key="note/a")
    append_later("note", {"text": "b"}, idem_key="note/b")
    assert [leaf.idem_key for leaf in leaves_after(-1)][-2:] == ["note/a", "note/b"]


def test_a_transaction_that_is_undone_takes_with_it_what_waited(session):
    say("undone")
    session.rollback()
    say("stands")
    session.commit()
    session.rollback()
    assert acts(session) == ["stands"]


@pytest.mark.parametrize("read_inside", [False, True])
def test_a_savepoint_that_is_undone_takes_only_its_own(session, read_inside):
    say("before")
    savepoint = session.begin_nested()
    say("inside")
    if read_inside:
        assert acts(session) == ["before", "inside"]
    savepoint.rollback()
    say("after")
    session.commit()
    assert acts(session) == ["before", "after"]


def test_a_writer_may_leave_more_to_be_written(session):
    written = []

    def write_letter(rows):
        written.append(("letter", rows))
        write_later("ask", lambda more: written.append(("ask", more)), {"n": 2})

    write_later("letter", write_letter, {"n": 1})
    write_now()
    assert written == [("letter", [{"n": 1}]), ("ask", [{"n": 2}])]


def test_what_never_changes_is_read_once_a_transaction(session):
    found = iter([None, "first", "second"])
    assert [remembered("key", lambda: next(found)) for _ in range(3)] == [None, "first", "first"]
    session.execute(sa.text("SELECT 1"))
    session.commit()
    assert remembered("key", lambda: next(found)) == "second"


def test_a_name_at_the_start_of_a_line_is_seen_too(session):
    say("one")
    assert session.scalars(sa.text("SELECT verb FROM\nact\nWHERE subject_kind = 'thing'")).all() == ["one"]
