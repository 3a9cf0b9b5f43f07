"""Counting what a page asks of the database: at most eight queries, whatever it lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from fund.db import session

MOST_QUERIES = 8
_NOT_COUNTED = ("SAVEPOINT", "RELEASE", "ROLLBACK", "RESET", "SET ")


@contextmanager
def at_most(most: int = MOST_QUERIES, page: str = "") -> Iterator[list[str]]:
    """Fail when more than `most` statements are sent in the block. Needs the fixture `session`."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not statement.lstrip().upper().startswith(_NOT_COUNTED):
            asked.append(" ".join(statement.split()))

    session.commit()  # what the test did before waits for the end of its transaction, and is not counted
    engine = session.connection().engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(asked) <= most, f"{page}: {len(asked)} queries\n" + "\n".join(each[:150] for each in asked)
