"""The price index of a month is within a tenth of one of the two months before.

A month's index stands for ever and the floor under the endowment is worked out from it, so a slip of a digit could let
a year spend what it must not, or nothing. In the table that comes with the fund no month moved by more than 2.5 %. Two
months, so that after a slip that was small enough to stand the right index can follow.
"""

from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Look at the month before: in the table, or May 2026, the last in fund/endowment/rules/prices.py."""
    op.execute(_function("""
      IF NEW.tenths NOT BETWEEN ceil(last_tenths * 0.9) AND floor(last_tenths * 1.1)
         AND NEW.tenths NOT BETWEEN ceil(earlier_tenths * 0.9) AND floor(earlier_tenths * 1.1) THEN
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
    DECLARE last_month date; last_tenths integer; earlier_tenths integer;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('price_month'));
      SELECT p.month, p.tenths, lead(p.tenths) OVER (ORDER BY p.month DESC)
      INTO last_month, last_tenths, earlier_tenths
      FROM (SELECT p.month, p.tenths FROM price_month p
            UNION ALL VALUES (DATE '2026-05-01', 1424), (DATE '2026-04-01', 1421)) p (month, tenths)
      ORDER BY p.month DESC LIMIT 1;
      IF NEW.month <> last_month + INTERVAL '1 month' THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prices_in_order', TABLE = 'price_month',
          MESSAGE = 'the next month is to come first';
      END IF;{look}
      RETURN NEW;
    END $$;"""
