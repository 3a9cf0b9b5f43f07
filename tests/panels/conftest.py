"""One connection for all tests of a file, each test in a savepoint of it; what many need is made once.

`session` here is the usual one but for that: `make_world()` and `make_ready_to_close()` give what was made before the
first test, as it was then. `stage` is for attacks on the tables (tests/panels/stage.py).
"""

import pytest
import sqlalchemy as sa

from fund.db import db
from fund.db import session as fund_session
from fund.embedded import postgres
from tests.make import decisions as make_decisions
from tests.make import panels as make_panels
from tests.panels import stage as stages


@pytest.fixture(scope="module")
def _connection(app, server, database):
    """A superuser's connection that acts as `fund_app`, in one transaction that is rolled back at the end."""
    engine = sa.create_engine(postgres.role_url(server, database, "postgres"), poolclass=sa.pool.NullPool)
    with app.app_context(), engine.connect() as connection:
        outer = connection.begin()
        connection.execute(sa.text("SET SESSION AUTHORIZATION fund_app"))
        own = db.engine
        db._app_engines[app][None] = connection
        fund_session.session_factory.configure(join_transaction_mode="create_savepoint")
        fund_session.remove()
        try:
            make_panels.PREBUILT.update(fresh=make_panels.make_world().ids)
            make_panels.PREBUILT.update(ready=make_decisions.make_ready_to_close().ids)
            fund_session.commit()
            yield connection
        finally:
            make_panels.PREBUILT.clear()
            fund_session.remove()
            db._app_engines[app][None] = own
            fund_session.session_factory.configure(join_transaction_mode="conditional_savepoint")
            outer.rollback()


@pytest.fixture
def session(_connection):
    """The fund's session in a savepoint that is rolled back after the test."""
    fund_session.remove()
    before = dict(make_panels.PREBUILT)
    with _connection.begin_nested() as savepoint:
        yield fund_session
        fund_session.remove()
        savepoint.rollback()
    make_panels.PREBUILT.update(before)


@pytest.fixture(scope="module")
def _stage(_connection):
    stage = stages.build()
    fund_session.commit()
    return stage


@pytest.fixture
def stage(_stage, session):
    """The stage on which the tables are attacked."""
    return _stage
