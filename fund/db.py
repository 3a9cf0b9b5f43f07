"""The database: base model, session, the one transaction edge, and the role in which a transaction acts.

Two roles act (migrations/roles.sql): `fund_app`, in which the process signs in, and `fund_panel`, which a
transaction takes on only while a seat of a panel acts. Scores, locks, interests and decisions can be written in the
second role alone, so no code that serves staff can write them, whatever it tries.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, registry

from fund.kernel.actor import Actor
from fund.kernel.errors import Broken


class Base(DeclarativeBase):
    """The base of every table's class; the annotations that a column may have."""

    # On the registry, not the class: Flask-SQLAlchemy makes a subclass, and SQLAlchemy 2.1 refuses two maps.
    registry = registry(type_annotation_map={
        datetime: sa.DateTime(timezone=True),
        uuid.UUID: postgresql.UUID(as_uuid=True),
        dict[str, Any]: postgresql.JSONB,
        list[Any]: postgresql.JSONB,
        int: sa.BigInteger,
        bytes: postgresql.BYTEA,
    })


db = SQLAlchemy(model_class=Base)
session = db.session

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


@contextmanager
def transaction() -> Iterator[None]:
    """One job's or command's transaction: committed when the block ends well, else nothing of it stands."""
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise


def act_from_a_seat(actor: Actor) -> None:
    """Take on the panel's role for the rest of this transaction, as the person who holds the seat.

    Called at the edge (web access `seat`, the replay's driver), never by an action. The triggers of the panel's tables
    compare `fund.person` with the holder of the seat whose row is written. Raises Broken without a person.
    """
    if actor.person_id is None:
        raise Broken("only a person can act from a seat")
    session.execute(sa.text("SELECT set_config('role', 'fund_panel', true), set_config('fund.person', :id, true)"),
                    {"id": str(actor.person_id)})


def refusal(error: DBAPIError) -> tuple[str | None, str | None]:
    """The SQLSTATE and the constraint's name with which the database refused (either may be unknown)."""
    diagnosis = getattr(error.orig, "diag", None)
    return getattr(error.orig, "sqlstate", None), getattr(diagnosis, "constraint_name", None)


def leave_connections_to_the_parent(app: Flask) -> None:
    """Begin a forked process without the connections of the one it was forked from, and without closing them."""
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose(close=False)
