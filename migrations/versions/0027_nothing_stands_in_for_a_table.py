"""No table of a session's own stands in for one of ours; and four doors that stood ajar.

A rule that says `score` reads whatever the search path finds first, and PostgreSQL looks among a session's temporary
tables before all others unless it is told where else to look. So whoever had the application's password could make a
temporary `score`, or `capacity`, and have the rules of decisions and payments read that. Now every function of the
database looks into the catalogue, then into `public`, and among temporary tables last; a test asks the catalogue for
each.

Also: the books are closed through days that are over, and no other; a year's limit looks at the endowment when nobody
can post any more, so that what it says is so when it is posted; and the ceiling of running costs, which only the
program kept, is kept by the table.
"""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Where every function looks, and the three rules."""
    op.execute("""
    DO $$ DECLARE f record; BEGIN
      FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE p.pronamespace IN ('log'::regnamespace, 'ledger'::regnamespace, 'public'::regnamespace)
          AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
          AND NOT coalesce(array_to_string(p.proconfig, ';') ~ 'search_path=[^;]*pg_temp(;|$)', false)
      LOOP EXECUTE format('ALTER FUNCTION %s SET search_path = pg_catalog, public, pg_temp', f.name); END LOOP;
    END $$;
    """)
    op.execute(_close_period().replace(DAY_IS_SAID, DAY_IS_SAID + DAY_IS_OVER))
    op.execute(WAITS)
    op.execute(CEILING)


def downgrade() -> None:
    """Without the rules. Where the functions look stays: no earlier program needs them to look elsewhere."""
    op.execute("""
    DROP TRIGGER a_waits_for_the_ledger ON spending_limit; DROP FUNCTION public.limit_waits_for_the_ledger();
    DROP TRIGGER within_the_ceiling ON running_cost_budget; DROP FUNCTION public.budget_within_the_ceiling();
    """)
    op.execute(_close_period())


def _close_period() -> str:
    text: str = op.get_context().script.get_revision("0017").module.OPEN_AND_CLOSE  # type: ignore[union-attr]
    if text.count(DAY_IS_SAID) != 1:
        raise RuntimeError("ledger.close_period of migration 0017 is not the one that this was written for")
    return "CREATE OR REPLACE " + text[text.index("FUNCTION ledger.close_period"):]


DAY_IS_SAID = """      MESSAGE = 'a leaf that closes a period says the day';
  END IF;
"""
DAY_IS_OVER = """\
  -- Nothing could be entered for years, and nothing undoes it.
  IF day >= (clock_timestamp() AT TIME ZONE 'Europe/London')::date THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'period_is_over', SCHEMA = 'ledger', TABLE = 'period_close',
      MESSAGE = 'the books are closed through days that are over';
  END IF;
"""

WAITS = """
CREATE FUNCTION public.limit_waits_for_the_ledger() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM log.log_head FOR UPDATE;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION public.limit_waits_for_the_ledger() FROM PUBLIC;
CREATE TRIGGER a_waits_for_the_ledger BEFORE INSERT ON spending_limit
  FOR EACH ROW EXECUTE FUNCTION public.limit_waits_for_the_ledger();
"""

CEILING = """
CREATE FUNCTION public.budget_within_the_ceiling() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('endowment/' || NEW.financial_year));
  IF (SELECT l.amount_pence * l.cost_ceiling_basis_points / 10000
        - (SELECT coalesce(sum(b.amount_pence), 0) FROM public.running_cost_budget b
           WHERE b.financial_year = l.financial_year) < NEW.amount_pence
      FROM public.spending_limit l WHERE l.financial_year = NEW.financial_year) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'within_the_ceiling', SCHEMA = 'public',
      TABLE = 'running_cost_budget', MESSAGE = 'running costs would take more of the limit than its ceiling';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION public.budget_within_the_ceiling() FROM PUBLIC;
CREATE TRIGGER within_the_ceiling BEFORE INSERT ON running_cost_budget
  FOR EACH ROW EXECUTE FUNCTION public.budget_within_the_ceiling();
"""
