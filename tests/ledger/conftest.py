"""A database of a test's own, for tests that commit, or that do what only an owner can."""

import fcntl
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from fund.app import create_app
from fund.db import db
from fund.embedded import postgres
from fund.settings import Settings
from tests.conftest import VAR, template_of
from tests.make.ledger_sql import on_stage


@contextmanager
def a_database(server):
    """The name of an empty database that is dropped at the end."""
    name = f"own_{uuid4().hex[:12]}"
    template = template_of(server)
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        with (VAR / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def an_app(server, database, role="fund_app"):
    """The application on that database, signed in as `role`, in an application context."""
    given = Settings(_env_file=None, fund_env="test", database_url=postgres.role_url(server, database, role))
    app = create_app(given, TESTING=True, SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 12})
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture(scope="module")
def acted(server, database):
    """The scene of a small ledger, set once for a file of attacks: the hand, and the seq of what was written."""
    with on_stage(postgres.superuser_url(server, database)) as found:
        yield found


@pytest.fixture
def hand(acted):
    """The hand, in a savepoint that takes back whatever the test does."""
    with acted[0].connection.transaction(force_rollback=True):
        yield acted[0]


@pytest.fixture
def stage(acted):
    """The seq of what stands, by its name."""
    return acted[1]


@pytest.fixture
def own_app(server):
    """The application on a database of the test's own, in an application context."""
    with a_database(server) as database, an_app(server, database) as app:
        yield app
