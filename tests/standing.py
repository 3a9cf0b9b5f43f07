"""A state that is made once for a whole file of tests: each test acts in a savepoint of it that is rolled back.

Where the connection is the superuser's, a test may also step into the owner's shoes (`without`), drop one rule, and see
that it was this rule that refused: the twin of every attack.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError

from fund.db import db, refusal
from fund.db import session as fund_session


@contextmanager
def standing(app: Flask, superuser_url: str = "") -> Iterator[sa.Connection]:
    """The fund's session inside one transaction, rolled back when the block ends.

    With `superuser_url` the connection is the superuser's, acting as `fund_app`; else it is the application's own.
    """
    with app.app_context():
        own = db.engine
        engine = own if not superuser_url else sa.create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(superuser_url))
        connection = engine.connect()
        outer = connection.begin()
        if superuser_url:
            connection.execute(sa.text("SET ROLE fund_app"))
        db._app_engines[app][None] = connection
        fund_session.session_factory.configure(join_transaction_mode="create_savepoint")
        fund_session.remove()
        try:
            yield connection
        finally:
            fund_session.remove()
            db._app_engines[app][None] = own
            fund_session.session_factory.configure(join_transaction_mode="conditional_savepoint")
            outer.rollback()
            connection.close()
            if superuser_url:
                engine.dispose()


@contextmanager
def savepoint(connection: sa.Connection) -> Iterator[None]:
    """What happens in the block is undone."""
    fund_session.commit()
    inner = connection.begin_nested()
    try:
        yield
    finally:
        fund_session.remove()
        if inner.is_active:
            inner.rollback()


def without(*statements: str) -> None:
    """As the owner: drop a rule, or whatever `statements` do; then act as the application again."""
    fund_session.execute(sa.text(f"RESET ROLE; {'; '.join(statements)}; SET ROLE fund_app"))


def refused_by(attack: Any) -> tuple[str | None, str | None]:
    """The SQLSTATE and the constraint with which the database refuses what `attack` does."""
    def to_the_end() -> None:
        attack()
        fund_session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))

    with pytest.raises(DBAPIError) as error:
        to_the_end()
    return refusal(error.value)
