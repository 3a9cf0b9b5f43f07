"""The migrations run up, down and up again, and the head is the one that is recorded."""

import psycopg

from fund import schema
from fund.embedded import postgres


def test_every_migration_goes_up_down_and_up_again(server):
    name = "migrations_up_and_down"
    admin = postgres.superuser_url(server)
    schema.make_roles(admin)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    schema.make_database(admin, name)
    url = postgres.role_url(server, name, "fund_migrator")
    schema.upgrade(url)
    with psycopg.connect(postgres.superuser_url(server, name)) as connection:
        (head,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert head == (schema.MIGRATIONS / "HEAD").read_text().strip()
    schema.downgrade(url, "base")
    with psycopg.connect(postgres.superuser_url(server, name)) as connection:
        left = connection.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind IN ('r', 'v', 'S') "
            "UNION ALL SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'public'").fetchall()
    assert left == [("public.alembic_version",)]
    schema.upgrade(url)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
