"""Work of the part `transparency`: the loop of the publisher, which the worker runs in a process of its own."""

import time
from collections.abc import Callable

import structlog

from fund import queue
from fund.db import transaction
from fund.kernel import clock
from fund.kernel.errors import BadInput, Broken, OutsideDown, Refused
from fund.transparency import queries
from fund.transparency.actions import CALL, extras, publish
from fund.transparency.rules import signing

log = structlog.get_logger()

LISTEN_SECONDS = 2  # a call that was lost costs no more than this
LOOK_SECONDS = 60  # so often the published files are looked at although nothing is new
PAUSE_SECONDS = 1  # at most one checkpoint a second


def publish_for_ever(has_to_stop: Callable[[], bool]) -> None:
    """Publish what is new whenever somebody calls, and look by itself every few seconds.

    What must not be signed is said at once and again, and nothing is signed: a person has to look.
    """
    extras_are_up, look_at = False, 0.0
    while not has_to_stop():
        try:
            extras_are_up = extras_are_up or extras.put_up()
            if something_waits() or time.monotonic() > look_at:
                while publish_once() and not has_to_stop():
                    pass
                look_at = time.monotonic() + LOOK_SECONDS
        except (Refused, Broken, BadInput) as error:
            log.error("log.not_published", why=str(error))
        except OutsideDown as error:
            log.warning("log.store_away", why=str(error))
        except Exception:
            # An edge of the house: the database may be away for a while, and the next round asks again.
            log.exception("log.publisher_failed")
        tell_when_late()
        time.sleep(PAUSE_SECONDS)
        queue.wait_for_call(CALL, seconds=LISTEN_SECONDS)


def publish_once() -> bool:
    """Publish one checkpoint, if there is anything new; gives whether there is more to do at once."""
    with transaction():
        done = publish.publish_next()
    if done is not None and done.is_complete and done.is_new:
        log.info("log.published", size=done.size, waiting=done.waiting)
    return done is not None and done.is_complete and done.waiting > 0


def something_waits() -> bool:
    """Whether a line of the record is not published yet."""
    with transaction():
        return queries.publication().waiting > 0


def tell_when_late() -> None:
    """Alarm while a line of the record waits for longer than it should."""
    try:
        with transaction():
            found = queries.publication()
    except Exception:
        log.exception("log.publisher_failed")
        return
    if signing.is_late(found.waiting_since, clock.now()):
        log.error("log.late", waiting=found.waiting, since=found.waiting_since)
