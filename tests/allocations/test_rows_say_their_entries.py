"""No share of a pot stands beside an entry that sets another sum aside, for another place, on another day."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fund.db import session
from fund.embedded import postgres
from fund.ledger import actions as ledger
from fund.ledger import rules as entries
from tests.make.allocations import make_allocation_run
from tests.make.ledger import make_funded_endowment
from tests.standing import refused_by, savepoint, standing, without


@pytest.fixture(scope="module")
def connection(app, server, database):
    """A pot that was shared out, and some money that was not."""
    with standing(app, postgres.superuser_url(server, database)) as connection:
        make_funded_endowment(spendable_pence=60_000_000)
        make_allocation_run(funded=False)
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"))
        session.commit()
        yield connection


def allocate(*, less: int = 0, elsewhere: bool = False, on: timedelta = timedelta(), related: bool = True) -> None:
    """A second share for a place, with nothing else against it, and an entry that differs by what is given."""
    row, other = session.execute(sa.text("""
      SELECT a.*, n.code, r.term_from, r.leaf_id FROM allocation a JOIN allocation_run r ON r.id = a.run_id
      JOIN neighbourhood n ON n.id = a.neighbourhood_id ORDER BY n.code LIMIT 2""")).mappings().all()
    without("ALTER TABLE allocation DROP CONSTRAINT uq_allocation_place", "DROP TRIGGER sums_to_pot ON allocation")
    pence = row["floor_pence"] + 1_000
    posted = ledger.post(
        "area_allocation", entries.area_allocation([(other["code"] if elsewhere else row["code"], pence - less)]),
        effective_on=row["term_from"] + on, idem_key=f"attack/{uuid.uuid4()}",
        relates_to=[row["leaf_id"]] if related else [])
    session.execute(sa.text("""
      INSERT INTO allocation (id, run_id, neighbourhood_id, residents, weight, floor_pence, amount_pence, term_to,
                              entry_id)
      VALUES (gen_random_uuid(), :run_id, :neighbourhood_id, :residents, :weight, :floor_pence, :pence, :term_to,
              :entry)"""), {**row, "pence": pence, "entry": posted.entry_id})
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


WRONG = [{"less": 1}, {"elsewhere": True}, {"on": timedelta(1)}, {"related": False}]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_a_share_says_what_its_entry_says(connection, wrong):
    with savepoint(connection):
        assert refused_by(lambda: allocate(**wrong)) == ("23514", "row_says_its_entry")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_without_that_trigger_it_goes_through(connection, wrong):
    with savepoint(connection):
        without("DROP TRIGGER row_says_its_entry ON allocation")
        allocate(**wrong)


def test_a_true_share_is_let_through(connection):
    with savepoint(connection):
        allocate()
