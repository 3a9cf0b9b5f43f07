"""The price index of months after the table that comes with the fund: each recorded once, in order, with its source."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """A row a month, without a gap after May 2026, the last of the table in fund/endowment/rules/prices.py."""
    op.execute("""
    CREATE TABLE price_month (
      month       date CONSTRAINT pk_price_month PRIMARY KEY
                    CONSTRAINT ck_price_month_first_day CHECK (extract(day FROM month) = 1 AND month > '2026-05-01'),
      tenths      integer NOT NULL CONSTRAINT ck_price_month_tenths CHECK (tenths BETWEEN 100 AND 1000000),
      source      text NOT NULL CONSTRAINT ck_price_month_source CHECK (length(source) BETWEEN 1 AND 200),
      leaf_id     uuid NOT NULL CONSTRAINT uq_price_month_leaf UNIQUE
                    CONSTRAINT fk_price_month_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
      recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON price_month
      FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER append_only_all BEFORE TRUNCATE ON price_month EXECUTE FUNCTION public.refuse_change();
    GRANT SELECT, INSERT ON price_month TO fund_common;

    CREATE FUNCTION prices_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('price_month'));
      IF NEW.month <> (SELECT coalesce(max(p.month), DATE '2026-05-01') + INTERVAL '1 month' FROM price_month p) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'prices_in_order', TABLE = 'price_month',
          MESSAGE = 'the next month is to come first';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER in_order BEFORE INSERT ON price_month FOR EACH ROW EXECUTE FUNCTION prices_in_order();
    """)


def downgrade() -> None:
    """Take it away."""
    op.execute("DROP TABLE price_month; DROP FUNCTION prices_in_order()")
