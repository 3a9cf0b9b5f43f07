"""A database of a test's own, for tests that commit; and what a commit would check, for those that are rolled back."""

from datetime import date

import pytest
import sqlalchemy as sa

from fund.kernel import clock
from tests.ledger.conftest import hand, own_app, stage

__all__ = ["hand", "own_app", "stage"]


@pytest.fixture(autouse=True)
def in_its_year(monkeypatch):
    """The year of these tests is 2026-27, on its last day, whenever they run: some things can be done for this year and
    the next alone, and nothing for a day that has not come."""
    monkeypatch.setattr(clock, "today", lambda: date(2027, 3, 31))


@pytest.fixture
def behind_their_backs():
    """Of a test that writes on purpose what no commit would let through."""


@pytest.fixture(autouse=True)
def what_a_commit_would_check(request):
    """Ask the constraints that wait for the end of a transaction, which a test's own never has."""
    if "session" not in request.fixturenames or "behind_their_backs" in request.fixturenames:
        yield
        return
    session = request.getfixturevalue("session")
    yield
    try:
        session.execute(sa.text("SELECT 1"))
        session.commit()
    except sa.exc.SQLAlchemyError:  # of a test that was refused something, and took nothing back
        session.rollback()
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
