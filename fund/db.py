"""The database: base model, session, the one transaction edge, and the role in which a transaction acts.

Two roles act (migrations/roles.sql): `fund_app`, in which the process signs in, and `fund_panel`, which a
transaction takes on only while a seat of a panel acts. Scores, locks, interests and decisions can be written in the
second role alone, so no code that serves staff can write them, whatever it tries.
"""

import re
import uuid
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

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
Row = TypeVar("Row")

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


def remembered(key: Hashable, read: Callable[[], Row | None]) -> Row | None:
    """What `read` finds, read once and held until the transaction ends: for rows that never change once written.

    What is not there yet is looked for again. The session alone would not hold them: it forgets a row as soon as
    nobody has it in hand.
    """
    known: dict[Hashable, Any] = session.info.setdefault("remembered", {})
    if key not in known:
        found = read()
        if found is None:
            return None
        known[key] = found
    row: Row = known[key]
    return row


Writer = Callable[[list[dict[str, Any]]], None]
Waiting = dict[str, tuple[Writer, list[dict[str, Any]]]]


def write_later(table: str, write: Writer, row: dict[str, Any]) -> None:
    """Give `write` this row, with all others for the table, as the transaction ends: one statement instead of dozens.

    For what stands beside a change and is not read by it: acts, letters, work asked for, records of the log. It stands
    if and only if the transaction does, or the savepoint in which it was said, and whoever asks the session for the
    table before that sees it.
    """
    if not session().in_transaction():
        session.connection()  # begins one, which a rollback can undo
    session.info.setdefault("later", {}).setdefault(table, (write, []))[1].append(row)


def write_now(table: str | None = None) -> None:
    """Write what waits for the end of the transaction; only what waits for one table, if told which."""
    waiting: Waiting = session.info.get("later", {})
    while waiting if table is None else table in waiting:
        session.flush()
        # The log comes last: whoever writes to it keeps all others waiting until the transaction ends.
        write, rows = waiting.pop(table or min(waiting, key=lambda one: one == "leaf"))
        write(rows)  # which may leave more for another table: a letter asks for work


@sa.event.listens_for(session, "before_commit")
def _write_at_the_end(of: Any) -> None:
    if not of.in_nested_transaction():
        write_now()


@sa.event.listens_for(session, "do_orm_execute")
def _write_before_it_is_read(state: Any) -> None:
    waiting = state.session.info.get("later")
    if not waiting or state.is_column_load:  # a row in hand that is read again, may be within a flush
        return
    if isinstance(state.statement, sa.TextClause):
        said = state.statement.text  # constraints that are asked for now look at all that the transaction wrote
        is_read = "SET CONSTRAINTS" in said or any(re.search(rf"\b{table}\b", said) for table in waiting)
    else:
        is_read = any(mapper.local_table.name in waiting for mapper in state.all_mappers)
    if is_read:
        write_now()


@sa.event.listens_for(session, "after_transaction_create")
def _note_what_waits(of: Any, begun: Any) -> None:
    if begun.nested:
        of.info.setdefault("at_savepoint", {})[begun] = {
            table: (write, [dict(row) for row in rows]) for table, (write, rows) in of.info.get("later", {}).items()}


@sa.event.listens_for(session, "after_soft_rollback")
def _forget_what_did_not_stand(of: Any, undone: Any) -> None:
    of.info.pop("remembered", None)
    of.info["later"] = of.info.get("at_savepoint", {}).pop(undone, {})


@sa.event.listens_for(session, "after_transaction_end")
def _forget_at_the_end(of: Any, ended: Any) -> None:
    if ended.parent is None:
        of.info.pop("remembered", None)
        of.info.pop("at_savepoint", None)


def keep_prepared(most: int) -> None:
    """Let this connection keep so many prepared statements, for long work that goes round in more than a hundred."""
    driver: Any = session.connection().connection.driver_connection
    driver.prepared_max = most


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
