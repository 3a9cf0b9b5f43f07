"""Work for later: a row in the same transaction, and a bell.

An action asks for work with `ask`. That writes a row of the outbox in the action's own transaction, so the work is
asked for if and only if the action stands. After the commit rq is rung; should the bell be lost (Redis away, a worker
killed), `sweep` rings again for every row that is due and not done. PostgreSQL is the truth, rq only wakes somebody.

A job is written to run twice: a worker may die after the effect and before the row is marked done.
"""

import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model, session, transaction, write_later
from fund.kernel import clock
from fund.kernel.errors import Broken

log = structlog.get_logger()

MOST_ATTEMPTS = 10
JOBS: dict[str, Callable[..., None]] = {}
#: Jobs that are done again and again, with the seconds between.
RHYTHMS: dict[str, int] = {}


class Outbox(Model):
    """One piece of work that a committed transaction asked for."""

    __tablename__ = "outbox"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    job: Mapped[str]
    args: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(unique=True)
    asked_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    due_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    done_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None]


def job(name: str, *, every_seconds: int | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Name a function of some part's `jobs.py` as the one that does this kind of work, again and again if told so."""

    if every_seconds is not None:
        RHYTHMS[name] = every_seconds

    def register(function: Callable[..., None]) -> Callable[..., None]:
        if JOBS.setdefault(name, function) is not function:
            raise Broken(f"two jobs are called {name}")
        return function

    return register


def ask(name: str, *, key: str | None = None, urgent: bool = False, **args: Any) -> None:
    """Ask for `name` to be done with `args` once this transaction stands; the same `key` is asked for only once.

    `args` are JSON; give ids, not contents, and nothing personal. What is `urgent` (somebody sits and waits for it)
    goes before everything that has been rung for so far.
    """
    write_later("outbox", _write_asked, {"id": uuid.uuid4(), "job": name, "args": args, "key": key, "urgent": urgent})


def _write_asked(asked: list[dict[str, Any]]) -> None:
    urgent = {row["id"]: row.pop("urgent") for row in asked}
    rows = session.connection().execute(_ASK, asked)
    for (id_,) in rows:
        session.info.setdefault("to_ring_first" if urgent[id_] else "to_ring", []).append(id_)


_ASK = insert(Outbox).on_conflict_do_nothing(index_elements=["key"]).returning(Outbox.id)


def _bell() -> Queue:
    # No retries and short waits: with redis-py's own ten retries a Redis that is away held a request for 26 seconds.
    connection = Redis.from_url(current_app.config["REDIS_URL"], retry=None, socket_connect_timeout=1, socket_timeout=2)
    return Queue("fund", connection=connection, serializer=JSONSerializer)


def ring(ids: list[uuid.UUID], *, first: bool = False) -> None:
    """Wake a worker for these rows of the outbox. A Redis that is away is no error: the sweeper rings again."""
    if not ids or not current_app.config["REDIS_URL"]:
        return
    try:
        queue = _bell()
        queue.enqueue_many([
            Queue.prepare_data("fund.queue.run", args=(str(id_),), timeout=300, result_ttl=0, failure_ttl=3600,
                               at_front=first)
            for id_ in ids])
    except RedisError as error:
        log.warning("queue.bell_lost", error=type(error).__name__, rows=len(ids))


def call_after_commit(name: str) -> None:
    """Wake whoever waits for `name` once this transaction stands: somebody who then looks for the work in the
    database itself (the publisher of the log), so that no row has to say that there is some."""
    session.info.setdefault("to_call", set()).add(name)


def _call(names: set[str]) -> None:
    if not names or not current_app.config["REDIS_URL"]:
        return
    try:
        with _bell().connection.pipeline(transaction=False) as redis:
            for name in names:  # one call is enough, however often it is made before anybody listens
                redis.lpush(f"fund:called:{name}", 1)
                redis.ltrim(f"fund:called:{name}", 0, 0)
            redis.execute()
    except RedisError as error:
        log.warning("queue.call_lost", error=type(error).__name__, names=sorted(names))


def wait_for_call(name: str, *, seconds: int) -> bool:
    """Wait until somebody calls `name`, at most so long; gives whether somebody did."""
    try:
        if current_app.config["REDIS_URL"]:
            with Redis.from_url(current_app.config["REDIS_URL"], socket_timeout=seconds + 5) as redis:
                return redis.brpop([f"fund:called:{name}"], timeout=seconds) is not None
    except RedisError as error:
        log.warning("queue.cannot_be_called", error=type(error).__name__, name=name)
    time.sleep(seconds)
    return False


@sa.event.listens_for(session, "after_commit")
def _ring_after_commit(committed: Any) -> None:
    ring(committed.info.pop("to_ring_first", []), first=True)
    ring(committed.info.pop("to_ring", []))
    _call(committed.info.pop("to_call", set()))


@sa.event.listens_for(session, "after_soft_rollback")
def _forget(rolled_back: Any, _previous: Any) -> None:
    if not rolled_back.in_nested_transaction():
        rolled_back.info.pop("to_ring", None)
        rolled_back.info.pop("to_ring_first", None)
        rolled_back.info.pop("to_call", None)


def run(outbox_id: str) -> None:
    """Do one piece of work, if it is still to be done and nobody else is at it."""
    try:
        with transaction():
            row = session.execute(
                sa.select(Outbox).where(Outbox.id == uuid.UUID(outbox_id), Outbox.done_at.is_(None),
                                        Outbox.given_up_at.is_(None)).with_for_update(skip_locked=True)
            ).scalar_one_or_none()
            if row is None:
                return
            if row.job not in JOBS:
                raise Broken(f"no job is called {row.job}")
            JOBS[row.job](**row.args)
            row.done_at = sa.func.clock_timestamp()
    except Exception as error:
        log.exception("queue.job_failed", outbox_id=outbox_id)
        with transaction():
            _note_failure(outbox_id, error)
        raise


def _note_failure(outbox_id: str, error: Exception) -> None:
    """Wait longer after each failure (1, 2, 4 … minutes); after the last attempt leave the row for a person."""
    row = session.get(Outbox, uuid.UUID(outbox_id), with_for_update=True)
    if row is None or row.done_at is not None:
        return
    row.attempts += 1
    row.last_error = f"{type(error).__name__}: {error}"[:500]
    row.due_at = sa.func.clock_timestamp() + timedelta(minutes=2 ** (row.attempts - 1))
    if row.attempts >= MOST_ATTEMPTS:
        row.given_up_at = sa.func.clock_timestamp()


def due(most: int = 500, *, only: str = "") -> list[uuid.UUID]:
    """The rows that are due and not done, oldest first; `only` is how the names of the jobs wanted begin."""
    return list(session.scalars(
        sa.select(Outbox.id).where(Outbox.done_at.is_(None), Outbox.given_up_at.is_(None),
                                   Outbox.job.startswith(only), Outbox.due_at <= sa.func.clock_timestamp())
        .order_by(Outbox.due_at, Outbox.id).limit(most)))


def ask_for_the_regular() -> None:
    """Ask for every job with a rhythm, once in each of its stretches of time, whoever asks and however often."""
    now = int(clock.now().timestamp())
    with transaction():
        for name, seconds in sorted(RHYTHMS.items()):
            ask(name, key=f"{name} from {now - now % seconds}")


def sweep(*, older_than_seconds: int = 15) -> int:
    """Ring again for what should have been done by now, and for what is regular; gives how many rows were late."""
    ask_for_the_regular()
    late = list(session.scalars(
        sa.select(Outbox.id).where(Outbox.done_at.is_(None), Outbox.given_up_at.is_(None),
                                   Outbox.due_at <= sa.func.clock_timestamp() - timedelta(seconds=older_than_seconds))
        .order_by(Outbox.due_at, Outbox.id).limit(500)))
    session.rollback()
    if _rung() < len(late):
        ring(late)
    return len(late)


def _rung() -> int:
    """How many bells have been rung and not been heard yet. While there are as many as rows, none was lost."""
    if not current_app.config["REDIS_URL"]:
        return 0
    try:
        return int(_bell().count)
    except RedisError:
        return 0


def run_all_due(*, only: str = "") -> int:
    """Do everything that is due, here and now: for tests and one-process commands. Gives how many were done.

    `only` is how the names of the jobs wanted begin, as `bank.`.
    """
    done = 0
    while ids := due(only=only):
        session.commit()  # no rollback: after one the driver forgets every statement that it had prepared
        for outbox_id in ids:
            run(str(outbox_id))
            done += 1
    return done
