"""Making and changing the schema: the roles, a database, its migrations. Used by the command line and the tests."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def make_roles(superuser_url: str) -> None:
    """Make the fund's roles on a server; safe to run again. `superuser_url` is a libpq address."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute((MIGRATIONS / "roles.sql").read_text())


def make_database(superuser_url: str, name: str) -> None:
    """Make a database that the fund's owner owns, unless it is there."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER fund_owner").format(sql.Identifier(name)))


def _config(migration_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = migration_url
    return config


def upgrade(migration_url: str, revision: str = "head") -> None:
    """Bring the schema up to `revision`. `migration_url` is SQLAlchemy's, and signs in as fund_migrator."""
    if revision != "head" or not _is_at_head(migration_url):
        command.upgrade(_config(migration_url), revision)


def _is_at_head(migration_url: str) -> bool:
    """Whether the newest migration is in already: asked before Alembic loads every part of the fund, which takes
    longer than all the rest of a second start."""
    with psycopg.connect(migration_url.replace("+psycopg", "", 1)) as connection:
        connection.execute("SET ROLE fund_owner")
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return False
        return connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            ((MIGRATIONS / "HEAD").read_text().strip(),)]


def downgrade(migration_url: str, revision: str) -> None:
    """Take the schema back to `revision`."""
    command.downgrade(_config(migration_url), revision)
