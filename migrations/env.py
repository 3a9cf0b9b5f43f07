"""Runs the migrations as the NOLOGIN owner: the migrator signs in and takes the owner's role on."""

import sqlalchemy as sa
from alembic import context

import fund.app  # noqa: F401  every part's tables
from fund.db import db

engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.pool.NullPool)
with engine.connect() as connection:
    connection.execute(sa.text("SET ROLE fund_owner"))
    connection.execute(sa.text("SET lock_timeout = '10s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=db.metadata, include_schemas=True,
                      transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
