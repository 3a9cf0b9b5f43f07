"""The price index of a month is within a tenth of the month before.

A month's index stands for ever and the floor under the endowment is worked out from it, so a slip of a digit could let
a year spend what it must not, or nothing. In the table that comes with the fund no month moved by more than 2.5 %.
"""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Look at the month before: in the table, or May 2026, the last in fund/endowment/rules/prices.py."""
    op.execute(_function("""
      IF NEW.tenths NOT BETWEEN ceil(last_tenths * 0.9) AND floor(last_tenths * 1.1) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'price_near_the_last', TABLE = 'price_month',
          MESSAGE = 'prices do not move by a tenth in a month';
      END IF;"""))


def downgrade() -> None:
    """Look at the order alone."""
    op.execute(_function(""))


def _function(look: str) -> str:
    return f"""
    CREATE OR REPLACE FUNCTION prices_in_order() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE last_month date := '2026-05-01'; last_tenths integer := 1424;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('price_month'));
      SELECT p.month, p.tenths INTO last_month, last_tenths
      FROM (SELECT p.month, p.tenths FROM price_month p UNION ALL VALUES (last_month, last_tenths)) p (month, tenths)
      ORDER BY p.month DESC LIMIT 1;
      IF NEW.month <> last_month + INTERVAL '1 month' THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prices_in_order', TABLE = 'price_month',
          MESSAGE = 'the next month is to come first';
      END IF;{look}
      RETURN NEW;
    END $$;"""
