"""An application with the sample pages, on a database of its own in which transactions really commit."""

import os
import uuid

import psycopg
import pytest
import sqlalchemy as sa

from fund.app import create_app
from fund.db import db
from fund.embedded import postgres
from fund.settings import Settings
from fund.web.limits import limiter
from tests.client import PageClient
from tests.web import sample

TABLE = """
    CREATE TABLE sample (id int CONSTRAINT pk_sample PRIMARY KEY,
      other int CONSTRAINT fk_sample_other REFERENCES sample DEFERRABLE INITIALLY DEFERRED);
    GRANT SELECT, INSERT ON sample TO fund_common;
"""


def sample_app(url: str, **settings):
    """The application with the sample pages."""
    app = create_app(Settings(_env_file=None, **{"fund_env": "test", **settings, "database_url": url}))
    app.test_client_class = PageClient
    app.register_blueprint(sample.blueprint)
    app.extensions["sample_people"] = {}
    app.login_manager.user_loader(sample.load)
    return app


@pytest.fixture(scope="module")
def committed(server, template):
    """A database of this file's own, with the sample's table: its SQLAlchemy address, signed in as fund_app."""
    name = f"web_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        with psycopg.connect(postgres.superuser_url(server, name)) as inside:
            inside.execute(TABLE)
        yield postgres.role_url(server, name, "fund_app")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def site(committed, server):
    """The application with the sample pages; its table is empty."""
    app = sample_app(committed)
    limiter.reset()
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()
    with psycopg.connect(postgres.superuser_url(server, sa.make_url(committed).database)) as connection:
        connection.execute("TRUNCATE sample, outbox")


@pytest.fixture
def visitor(site):
    """A browser's stand-in on the sample pages."""
    return site.test_client()


@pytest.fixture
def rows(site):
    """`rows()`: the ids in the sample's table, as another connection sees them."""

    def read():
        with site.app_context():
            return list(db.session.scalars(sa.text("SELECT id FROM sample ORDER BY id")))

    return read


@pytest.fixture
def known(site):
    """`known(client, "Ana", Capacity.OFFICER)`: that browser is signed in as this person from now on."""

    def enter(client, name, *capacities):
        person = sample.Person(uuid.uuid4(), name, capacities)
        site.extensions["sample_people"][person.get_id()] = person
        client.sign_in(person)
        return person

    return enter


@pytest.fixture
def another(committed):
    """`another(redis_url="…")`: the sample pages under other settings. Afterwards tries are counted in memory again."""
    yield lambda **settings: sample_app(committed, **settings)
    sample_app(committed)
    limiter.reset()
