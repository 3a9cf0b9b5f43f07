"""Reading messages."""

import uuid

import sqlalchemy as sa

from fund.db import session
from fund.notifications.models import Message


def messages_to(person_id: uuid.UUID, most: int = 100) -> list[Message]:
    """What was written to somebody, newest first."""
    return list(session.scalars(sa.select(Message).where(Message.person_id == person_id)
                                .order_by(Message.created_at.desc(), Message.id).limit(most)))


def message_with_key(key: str) -> Message | None:
    """The message that was asked for with this key."""
    return session.scalars(sa.select(Message).where(Message.key == key)).one_or_none()


def refused_addresses(most: int = 100) -> list[Message]:
    """Messages that the addressee's own mail server would not take, newest first: somebody should telephone."""
    return list(session.scalars(sa.select(Message).where(Message.ended_as == "address_refused")
                                .order_by(Message.created_at.desc(), Message.id).limit(most)))
