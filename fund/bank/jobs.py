"""Work for later with the bank: the file, sending it once, fetching what the bank has for us."""

import uuid
from collections.abc import Sequence
from hashlib import sha256

import structlog

from fund import queue
from fund.bank import actions, queries, transport
from fund.db import session, transaction
from fund.kernel.errors import FundError, OutsideDown
from fund.kernel.words import _

log = structlog.get_logger()


@queue.job("bank.make_file")
def make_file(batch_id: str) -> None:
    """Make a batch's file; with a line to the bank, ask for it to be sent."""
    actions.make_file(uuid.UUID(batch_id))
    if transport.is_connected():
        queue.ask("bank.send", key=f"bank.send {batch_id} 1", batch_id=batch_id)


@queue.job("bank.send")
def send(batch_id: str) -> None:
    """Send a file, at most once: the claim is committed before anything leaves the house.

    A worker that dies between the claim and the answer leaves a claim without an end. Run again, this finds it and
    does nothing: only the bank's answer, or two people, can say what became of the file.
    """
    id_ = uuid.UUID(batch_id)
    attempt = actions.begin_sending(id_)
    if attempt is None:
        return
    encoded = actions.make_file(id_).encoded
    session.commit()
    try:
        answer = transport.send(encoded)
    except transport.NotSent:
        # It is certain that nothing left, so the queue may try again in a while.
        actions.end_sending(id_, attempt, outcome="not_sent")
        session.commit()
        raise
    except OutsideDown:
        return
    actions.end_sending(id_, attempt, outcome="accepted" if answer.taken else "refused", words=answer.words)
    queue.ask("bank.fetch", key=f"bank.fetch after {batch_id} {attempt}")


@queue.job("bank.fetch", every_seconds=60)
def fetch() -> None:
    """Read what the bank has for us, and again what could not be read before; then let the bank put it away.

    Each answer is read in a transaction of its own, so that one that is refused keeps none of the others.
    """
    if not transport.is_connected():
        return
    answers = transport.waiting_answers()
    for received in dict.fromkeys([*(one.encoded for one in queries.unread_messages()), *answers]):
        _read(received)
    if answers:
        queue.ask("bank.put_away", kept=[sha256(received).hexdigest() for received in answers])


@queue.job("bank.put_away")
def put_away(kept: Sequence[str] = ()) -> None:
    """Let the bank put away what we have `kept` (by hash); what came in between is read on the way."""
    for received in transport.take_answers():
        if sha256(received).hexdigest() not in kept:
            _read(received)


def _read(received: bytes) -> None:
    """Read one answer and keep it; what cannot be read is kept as it came, and waits for the authorisers to look."""
    try:
        with transaction():
            actions.read_message(received)
    except Exception as error:
        # Whatever is wrong with it, the others are read; and the bank may put it away, since we have it.
        with transaction():
            is_new = actions.keep_unread(received, why=str(error) if isinstance(error, FundError) else _(
                "It does not fit into our records (%(kind)s).", kind=type(error).__name__))
        if is_new:
            log.exception("bank.message_not_read", sha256=sha256(received).hexdigest())
