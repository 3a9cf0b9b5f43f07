"""The outbox: asked for with the change, done once, tried again, and given up in the open."""

import pytest
import sqlalchemy as sa

from fund import queue
from fund.kernel.errors import OutsideDown


@pytest.fixture
def jobs(monkeypatch):
    done: list[dict] = []
    monkeypatch.setattr(queue, "JOBS", {"note": lambda **args: done.append(args)})
    return done


def test_work_asked_for_twice_with_one_key_is_done_once(session, jobs):
    queue.ask("note", key="a", number=1)
    queue.ask("note", key="a", number=2)
    session.commit()
    assert queue.run_all_due() == 1
    assert jobs == [{"number": 1}]
    assert queue.run_all_due() == 0


def test_work_of_a_transaction_that_failed_is_never_done(session, jobs):
    queue.ask("note", number=1)
    session.rollback()
    assert queue.run_all_due() == 0
    assert jobs == []


def test_a_job_that_fails_waits_and_is_given_up_after_ten_attempts(session, monkeypatch):
    def fails() -> None:
        raise OutsideDown("nobody there")

    monkeypatch.setattr(queue, "JOBS", {"fails": fails})
    queue.ask("fails")
    session.commit()
    row = session.scalars(sa.select(queue.Outbox)).one()
    outbox_id = row.id
    for attempt in range(1, queue.MOST_ATTEMPTS + 1):
        with pytest.raises(OutsideDown):
            queue.run(str(outbox_id))
        assert session.get(queue.Outbox, outbox_id).attempts == attempt
    assert queue.due() == []
    assert session.get(queue.Outbox, outbox_id).given_up_at is not None
    queue.run(str(outbox_id))
    assert session.get(queue.Outbox, outbox_id).attempts == queue.MOST_ATTEMPTS


class Bell:
    """Stands where Redis stands: it hears what is rung, and says how much is waiting."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []
        self.count = 0

    def enqueue_many(self, rung) -> None:
        self.heard += [(one.args[0], one.at_front) for one in rung]


@pytest.fixture
def bell(app, monkeypatch):
    bell = Bell()
    monkeypatch.setattr(queue, "_bell", lambda: bell)
    monkeypatch.setitem(app.config, "REDIS_URL", "redis://not.there")
    return bell


def test_what_somebody_waits_for_goes_before_everything_else(session, jobs, bell):
    queue.ask("note", number=1)
    queue.ask("note", number=2, urgent=True)
    session.commit()
    assert [at_front for _id, at_front in bell.heard] == [True, False]
    queue.ask("note", number=3, urgent=True)
    session.rollback()
    session.commit()
    assert len(bell.heard) == 2


def test_the_sweeper_rings_again_only_when_bells_were_lost(session, jobs, bell, monkeypatch):
    monkeypatch.setattr(queue, "RHYTHMS", {})
    for number in range(3):
        queue.ask("note", number=number)
    session.commit()
    bell.heard.clear()
    bell.count = 3
    assert queue.sweep(older_than_seconds=0) == 3
    assert bell.heard == []
    bell.count = 0
    assert queue.sweep(older_than_seconds=0) == 3
    assert len(bell.heard) == 3
