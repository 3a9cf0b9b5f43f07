"""Real PostgreSQL for every test: one embedded server, one migrated template, a copy for each process.

`session` tests run inside one outer transaction that is rolled back; what an action commits is a savepoint of it.
"""

import fcntl
import hashlib
import os
from pathlib import Path

import hypothesis
import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from fund import schema
from fund.app import create_app
from fund.db import db
from fund.db import session as fund_session
from fund.embedded import postgres, process
from fund.settings import Settings, settings, use
from fund.web import assets
from fund.web.limits import limiter
from tests.client import PageClient
from tests.make.mail import Letters, start_mail_server
from tests.make.store import KEYS, start_store

# A machine that is busy with other things is no reason for a property to fail.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")

VAR = Path(os.environ.get("FUND_TEST_VAR", Path(__file__).resolve().parent.parent / "var" / "test"))


def pytest_collection_modifyitems(items):
    """The tests on real data first: one takes as long as a thousand others, and would end alone on one core."""
    items.sort(key=lambda item: item.get_closest_marker("real") is None)


@pytest.fixture(scope="session")
def server():
    """The embedded server; it is left running between runs and costs a second to start the first time."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return postgres.start(VAR / "postgres")


def template_of(server) -> str:
    """A database migrated to the head, made anew whenever a migration's text changes."""
    texts = [path.read_bytes() for path in sorted(schema.MIGRATIONS.rglob("*")) if path.suffix in {".py", ".sql"}]
    name = "template_" + hashlib.sha256(b"".join(texts)).hexdigest()[:16]
    with (VAR / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name + "_ok"]).fetchone():
                connection.execute(f"DROP DATABASE IF EXISTS {name}")
                schema.make_roles(postgres.superuser_url(server))
                schema.make_database(postgres.superuser_url(server), name)
                schema.upgrade(postgres.role_url(server, name, "fund_migrator"))
                connection.execute(f"ALTER DATABASE {name} RENAME TO {name}_ok")
    return name + "_ok"


@pytest.fixture(scope="session")
def template(server):
    """The migrated database that others are copied from: its name."""
    return template_of(server)


@pytest.fixture(scope="session")
def database(server, template):
    """This process's own copy of the migrated template: its name."""
    name = f"test_{os.getpid()}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        with (VAR / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        yield name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def app(server, database):
    """The application in its test settings, signed in to the database as `fund_app`."""
    given = Settings(_env_file=None, fund_env="test", database_url=postgres.role_url(server, database, "fund_app"))
    app = create_app(given, TESTING=True, PROPAGATE_EXCEPTIONS=False)
    app.test_client_class = PageClient
    yield app
    with app.app_context():
        for engine in db.engines.values():
            engine.dispose()


@pytest.fixture
def session(app):
    """The fund's session inside an outer transaction that is rolled back after the test."""
    with app.app_context():
        engine = db.engine
        connection = engine.connect()
        outer = connection.begin()
        # Flask-SQLAlchemy looks its engine up here; the connection stands in, so that every session joins `outer`.
        db._app_engines[app][None] = connection
        fund_session.session_factory.configure(join_transaction_mode="create_savepoint")
        fund_session.remove()
        use(app.config["FUND"])
        try:
            yield fund_session
        finally:
            fund_session.remove()
            db._app_engines[app][None] = engine
            fund_session.session_factory.configure(join_transaction_mode="conditional_savepoint")
            if outer.is_active:
                outer.rollback()
            connection.close()


@pytest.fixture
def client(app, session):
    """A browser's stand-in, signed in as nobody. Every page that it fetches is checked (tests/pages.py).

    `client.sign_in(person)`; `client.post_form(address, {…})` sends the token too.
    """
    limiter.reset()
    return app.test_client()


@pytest.fixture(scope="session")
def built():
    """The style sheet and the scripts, built unless they are there."""
    assets.build()


@pytest.fixture
def sign_in():
    """`sign_in(client, person)`: that browser is this person from now on."""
    return lambda client, person: client.sign_in(person)


@pytest.fixture(scope="session")
def mail_server():
    """A real mail server for this process."""
    letters = Letters()
    controller = start_mail_server(letters)
    yield letters, f"smtp://127.0.0.1:{controller.port}"
    controller.stop()


@pytest.fixture
def letters(mail_server, session):
    """The letters of this test: `letters.newest_to(address)` does the work that is due and gives the last one."""
    letters, address = mail_server
    letters.arrived.clear()
    letters.refuses.clear()
    use(settings().model_copy(update={"smtp_url": address}))
    return letters


@pytest.fixture(scope="session")
def store_server(worker_id, tmp_path_factory):
    """The embedded file store, once for this process: its address."""
    number = int(worker_id[2:]) + 1 if worker_id.startswith("gw") else 0
    child, address = start_store(tmp_path_factory.mktemp("store"), number)
    yield address
    process.stop_child(child)


@pytest.fixture
def store(store_server, session):
    """Files are kept in the embedded store in this test; gives its address."""
    use(settings().model_copy(update={
        "s3_endpoint_url": store_server, "s3_bucket": KEYS["bucket"], "s3_access_key": KEYS["access_key"],
        "s3_secret_key": SecretStr(KEYS["secret_key"])}))
    return store_server


@pytest.fixture
def owner(server, database):
    """A connection as the superuser acting as owner, for tests that drop a constraint and see the attack succeed."""
    with psycopg.connect(postgres.superuser_url(server, database)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def sql(session):
    """Raw SQL in the session's transaction: `sql("SELECT …", a=1)`."""
    return lambda text, **params: session.execute(sa.text(text), params)
