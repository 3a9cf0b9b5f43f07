"""What is logged: enough to find a fault, and nothing that somebody typed."""

import json

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError

from fund.db import session as fund_session

TYPED = "Amina’s sort code is 12-34-56"


def test_a_trace_shows_the_code_and_no_value(app, capsys):
    def fails(typed: str) -> None:
        raise RuntimeError(f"{len(typed)} characters")

    try:
        fails(TYPED)
    except RuntimeError:
        structlog.get_logger().exception("something.failed", number=7)
    line = json.loads(capsys.readouterr().out)
    assert line["event"] == "something.failed"
    assert line["number"] == 7
    assert "in fails" in line["exception"]
    assert "sort code" not in line["exception"]


def test_a_refusal_by_the_database_does_not_repeat_what_was_typed(session):
    with pytest.raises(DBAPIError) as refused:
        fund_session.execute(sa.text("SELECT 1 FROM nowhere WHERE name = :name"), {"name": TYPED})
    assert "sort code" not in str(refused.value)
    assert "nowhere" in str(refused.value)
