"""Writing to the public record."""

import uuid
from typing import Any

from fund.db import session
from fund.kernel.actor import Actor
from fund.transparency.models import Act


def record_act(actor: Actor, verb: str, subject_kind: str, subject_id: uuid.UUID, *,
               application_id: uuid.UUID | None = None, **detail: Any) -> None:
    """Write down that `actor` did `verb` to a subject, in the same transaction as the change itself.

    `application_id` files the act under an application, so that its page can show everyone who touched it.
    `detail` is JSON of codes, amounts and ids; never a name, an address or free text.
    """
    session.add(Act(person_id=actor.person_id, seat_id=actor.seat_id, capacity=actor.capacity.value, verb=verb,
                    subject_kind=subject_kind, subject_id=subject_id, application_id=application_id, detail=detail))
