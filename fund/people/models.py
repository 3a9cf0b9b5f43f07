"""People, their sessions, their requests to sign in, and the capacities that they hold."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

_CLOCK = sa.func.clock_timestamp()


class Person(Model):
    """Whoever can read an e-mail address."""

    __tablename__ = "person"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(server_default=_CLOCK)


class HeldCapacity(Model):
    """A capacity that a person holds, or held until `ended_at`."""

    __tablename__ = "capacity"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("person.id"))
    capacity: Mapped[str]
    granted_at: Mapped[datetime] = mapped_column(server_default=_CLOCK)
    ended_at: Mapped[datetime | None]


class SignInRequest(Model):
    """A letter that was asked for: its link and its code (hashed), the device that asked, and the way back."""

    __tablename__ = "sign_in_request"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str]
    token_sha256: Mapped[bytes]
    code_sha256: Mapped[bytes]
    device_sha256: Mapped[bytes]
    return_to: Mapped[str]
    words: Mapped[dict[str, Any]] = mapped_column(default=dict)
    code_tries: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=_CLOCK)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PersonSession(Model):
    """One device on which a person is signed in, until `expires_at` or until it is ended."""

    __tablename__ = "person_session"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("person.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=_CLOCK)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
