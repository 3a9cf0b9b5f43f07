"""The stage on which the tables of the panel are attacked."""

import pytest
import sqlalchemy as sa

from fund.db import db
from fund.db import session as fund_session
from fund.embedded import postgres
from tests.panels import stage as stages


@pytest.fixture(scope="module")
def _stage(app, server, database):
    engine = sa.create_engine(postgres.role_url(server, database, "postgres"), poolclass=sa.pool.NullPool)
    with app.app_context(), engine.connect() as connection:
        outer = connection.begin()
        connection.execute(sa.text("SELECT set_config('role', 'fund_app', true)"))
        own = db.engine
        db._app_engines[app][None] = connection
        fund_session.session_factory.configure(join_transaction_mode="create_savepoint")
        fund_session.remove()
        try:
            stage = stages.build()
            fund_session.commit()
            yield stage, connection
        finally:
            fund_session.remove()
            db._app_engines[app][None] = own
            fund_session.session_factory.configure(join_transaction_mode="conditional_savepoint")
            outer.rollback()


@pytest.fixture
def stage(_stage):
    """The stage, in a savepoint that is rolled back after the test."""
    stage, connection = _stage
    fund_session.remove()
    with connection.begin_nested() as savepoint:
        yield stage
        fund_session.remove()
        savepoint.rollback()
