"""Closing the books: not over a line of the bank's statement that nobody matched, whoever asks and however."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from fund.bank import actions
from fund.bank.cli import commands
from fund.db import refusal
from fund.kernel import clock
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import Refused
from fund.ledger import actions as ledger
from fund.ledger import rules as accounts
from tests.make.bank import make_statement

TODAY = date(2025, 4, 6)


@pytest.fixture
def unexplained(session):
    """A credit of 31 March on the bank's statement that belongs to no payment of ours."""
    ledger.open_standing_accounts()
    actions.read_message(make_statement([(False, 500, None)], booked_on=date(2025, 3, 31)))


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def test_the_books_are_not_closed_over_an_unmatched_line(unexplained):
    with pytest.raises(Refused) as refused:
        actions.close_books(SYSTEM, date(2025, 3, 31), today=TODAY)
    assert codes(refused) == ["statement_lines_matched"]


def test_they_are_closed_before_it(unexplained):
    actions.close_books(SYSTEM, date(2025, 3, 30), today=TODAY)
    with pytest.raises(Refused) as refused:
        ledger.post("investment_income", accounts.investment_income(5), effective_on=date(2025, 3, 30), idem_key="late")
    assert codes(refused) == ["period_is_open"]


def test_they_are_closed_to_the_last_day_of_the_year_and_no_further(session):
    ledger.open_standing_accounts()
    actions.close_books(SYSTEM, date(2025, 3, 31), today=TODAY)
    ledger.post("investment_income", accounts.investment_income(5), effective_on=date(2025, 4, 1), idem_key="new year")
    for on in (date(2025, 3, 31), date(2024, 12, 31)):
        with pytest.raises(Refused) as refused, session.begin_nested():
            ledger.post("investment_income", accounts.investment_income(5), effective_on=on, idem_key=f"late {on}")
        assert codes(refused) == ["period_is_open"]


def test_a_day_that_is_not_over_stays_open(session):
    with pytest.raises(Refused) as refused:
        actions.close_books(SYSTEM, TODAY, today=TODAY)
    assert codes(refused) == ["not_over"]


def test_the_table_refuses_it_too_and_not_without_its_trigger(unexplained, session):
    with pytest.raises(Refused) as refused, session.begin_nested():
        ledger.close_period(date(2025, 3, 31), idem_key="past the bank")
    assert codes(refused) == ["statement_lines_matched"]
    with pytest.raises(DBAPIError) as raw, session.begin_nested():
        session.execute(sa.text("SELECT ledger.close_period('k', :hash, :leaf)"), {"hash": b"r" * 32, "leaf": (
            b'{"id":"00000000-0000-4000-8000-000000000001","kind":"period_closed","record":{"closed_through":"2025-03-31"},'
            b'"recorded_at":"2025-04-06T00:00:00.000000Z","v":1}')})
    assert refusal(raw.value) == ("23514", "statement_lines_matched")


def test_the_command_closes_a_day_once(app, session):
    yesterday = clock.today() - timedelta(days=1)
    ledger.open_standing_accounts()
    first, again = (CliRunner().invoke(commands, ["close-books", str(yesterday)]) for _ in range(2))
    assert (first.exit_code, first.output) == (0, f"The books are closed through {yesterday}.\n")
    assert again.exit_code == 0  # the same request: what stands already
    refused = CliRunner().invoke(commands, ["close-books", str(yesterday - timedelta(days=1))])
    assert refused.exit_code == 1
    assert "The books are closed for that day." in refused.output
