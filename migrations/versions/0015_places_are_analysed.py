"""After official files are loaded the planner is told how much there is.

A load puts a hundred thousand rows into tables that were empty, in one transaction, and the next query came before
PostgreSQL's own clock had looked: it took minutes where it takes milliseconds. The application does not own these
tables, so it asks through a function. A plan that was kept from before is thrown away with it.
"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """A function that looks at the tables of places."""
    op.execute("""
    CREATE FUNCTION places_were_loaded() RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
      ANALYZE area, lsoa, lsoa_residents, need_figure, postcode;
    END $$;
    REVOKE ALL ON FUNCTION places_were_loaded() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION places_were_loaded() TO fund_common;
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP FUNCTION places_were_loaded()")
