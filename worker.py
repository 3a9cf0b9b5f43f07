"""The worker: `rq worker` for the fund's one queue, the sweeper that rings again for what was lost, and the publisher
of the log where it is given a key (LOG_KEY_FILE).

Started as `python worker.py`. The application is loaded once; all are forked from it before anything is open. If one
of them ends, so do the others, and whoever started this hears of it.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable

import structlog
from flask import Flask
from redis import Redis
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from fund import queue
from fund.app import create_app
from fund.db import leave_connections_to_the_parent
from fund.settings import settings
from fund.transparency.jobs import publish_for_ever

SWEEP_EVERY = 10

log = structlog.get_logger()


class FundWorker(Worker):
    """rq's worker, whose jobs run inside the application. Each job has a process of its own, forked from this one."""

    app: Flask

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Do one job inside the application."""
        with self.app.app_context():
            return bool(super().perform_job(job, queue, execution))


def work(app: Flask) -> None:
    """Do what the queue rings for, until asked to stop."""
    connection = Redis.from_url(settings().redis_url)
    worker = FundWorker([Queue("fund", connection=connection, serializer=JSONSerializer)], connection=connection,
                        serializer=JSONSerializer, log_job_description=False)
    worker.app = app
    worker.work()


def sweep(app: Flask) -> None:
    """Ring again, every ten seconds, for what should have been done by now, until asked to stop."""
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
    parent = os.getppid()
    while not asked_to_stop.wait(SWEEP_EVERY) and os.getppid() == parent:
        try:
            with app.app_context():
                rung = queue.sweep()
            if rung:
                log.info("sweeper.rang_again", rows=rung)
        except Exception:
            # An edge of the house: the database may be away for a while, and the next round asks again.
            log.exception("sweeper.failed")


def publish(app: Flask) -> None:
    """Publish the log as it grows, until asked to stop."""
    asked_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
    parent = os.getppid()
    with app.app_context():
        publish_for_ever(lambda: asked_to_stop.is_set() or os.getppid() != parent)


def fork(app: Flask, task: Callable[[Flask], None]) -> int:
    """Start `task` in a process of its own; gives its number."""
    number = os.fork()
    if number:
        return number
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        leave_connections_to_the_parent(app)
        task(app)
        status = 0
    except BaseException:
        log.exception("worker.failed", task=task.__name__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def main() -> int:
    """Run them until one ends or somebody asks to stop; gives the exit status."""
    app = create_app()
    # What was loaded is set apart from garbage collection, which would otherwise copy every shared page.
    gc.collect()
    gc.freeze()
    left = {fork(app, work), fork(app, sweep)}
    if settings().log_key_file:
        left.add(fork(app, publish))
    else:
        log.warning("log.has_no_key", why="LOG_KEY_FILE is not set, so nothing is published")
    asked_to_stop = False

    def stop(*_: object) -> None:
        nonlocal asked_to_stop
        # Asked twice, rq kills the job that it is doing.
        if not asked_to_stop:
            asked_to_stop = True
            for number in left:
                os.kill(number, signal.SIGTERM)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    status = 0
    while left:
        ended, _status = os.wait()
        left.discard(ended)
        status = 0 if asked_to_stop else 1
        stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
