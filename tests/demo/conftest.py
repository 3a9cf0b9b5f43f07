"""The demo, loaded once for all tests here, on a database of its own; they only read."""

import psycopg
import pytest
import sqlalchemy as sa

from fund.app import create_app
from fund.db import db
from fund.db import session as fund_session
from fund.demo import load
from fund.embedded import postgres
from fund.settings import Settings
from tests.client import PageClient
from tests.conftest import template_of


@pytest.fixture(scope="package")
def demo(server, database):
    """The application on a database that holds the demo."""
    name = f"{database}_demo"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_of(server)} OWNER fund_owner")
    url = postgres.role_url(server, name, "fund_app")
    app = create_app(Settings(_env_file=None, fund_env="test", database_url=url), TESTING=True,
                     PROPAGATE_EXCEPTIONS=False)
    app.test_client_class = PageClient
    with app.app_context():
        try:
            load.load()
            yield app
        finally:
            fund_session.remove()
            db.engine.dispose()
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def one(demo):
    """`one("SELECT …")`: a single value of the demo's database."""
    def ask(text, **values):
        found = fund_session.execute(sa.text(text), values).scalar_one()
        fund_session.rollback()
        return found
    return ask


@pytest.fixture
def as_person(demo, one):
    """`as_person(somebody)`: a browser in which that person of the demo is signed in; nobody when None."""
    def browser(somebody):
        client = demo.test_client()
        if somebody is not None:
            load.sign_in(client, one("SELECT id FROM person WHERE email = :e", e=somebody.email))
        return client
    return browser
