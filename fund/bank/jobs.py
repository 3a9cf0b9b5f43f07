"""Work for later with the bank: the file, sending it once, fetching what the bank has for us."""

import uuid
from collections.abc import Sequence
from hashlib import sha256

from fund import queue
from fund.bank import actions, transport
from fund.db import session
from fund.kernel.errors import OutsideDown


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
    """Read what the bank has for us and keep it; then, once it is kept, let the bank put it away."""
    if not transport.is_connected():
        return
    answers = transport.waiting_answers()
    for received in answers:
        actions.read_message(received)
    if answers:
        queue.ask("bank.put_away", kept=[sha256(received).hexdigest() for received in answers])


@queue.job("bank.put_away")
def put_away(kept: Sequence[str] = ()) -> None:
    """Let the bank put away what we have `kept` (by hash); what came in between is read on the way."""
    for received in transport.take_answers():
        if sha256(received).hexdigest() not in kept:
            actions.read_message(received)
