"""Counting what a page asks of the database."""

from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from fund.db import db

MOST_QUERIES = 8


@pytest.fixture
def count_queries(session, app):
    """`with count_queries(name):` fails when more than eight statements are sent in the block."""
    connection = session.connection()
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_more):
        if not statement.lstrip().upper().startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "RESET", "SET ")):
            asked.append(" ".join(statement.split()))

    @contextmanager
    def counting(name):
        asked.clear()
        sa.event.listen(connection.engine, "before_cursor_execute", note)
        try:
            yield
        finally:
            sa.event.remove(connection.engine, "before_cursor_execute", note)
        assert len(asked) <= MOST_QUERIES, f"{name}: {len(asked)} queries\n" + "\n".join(s[:150] for s in asked)

    assert db is not None
    return counting
