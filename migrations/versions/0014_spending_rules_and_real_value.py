"""The rule that trustees chose for a year, and a limit that keeps the real value of what was given.

A limit says what the endowment was worth, in money of its day, and what all gifts are worth in today's money (its
floor). Where the limit would leave less than the floor, the row is refused unless two different trustees recorded a
recovery plan for the year. Limits that were set before this stand as they are: they have no floor to show.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

PERMANENT = ("spending_rule_choice", "recovery_plan", "recovery_plan_confirmation")


def upgrade() -> None:
    """Two tables of what trustees say, and a guard on what follows from it."""
    op.execute(TABLES)
    for table in PERMANENT:
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION public.refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)
    op.execute(GUARDS)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TRIGGER keeps_real_value ON spending_limit;
    ALTER TABLE spending_limit DROP COLUMN value_pence, DROP COLUMN floor_pence, DROP COLUMN inputs_sha256,
      DROP COLUMN plan_id, DROP COLUMN parameters;
    DROP TABLE recovery_plan_confirmation, recovery_plan, spending_rule_choice;
    DROP FUNCTION limit_keeps_real_value(), rule_before_limit(), plan_is_of_trustees(), plan_has_two_trustees();
    """)


TABLES = """
-- From this financial year on, this rule, until another is chosen. The newest row of the newest year up to it counts.
CREATE TABLE spending_rule_choice (
  id             uuid CONSTRAINT pk_spending_rule_choice PRIMARY KEY,
  financial_year text NOT NULL CONSTRAINT ck_spending_rule_choice_year CHECK (financial_year ~ '^[0-9]{4}-[0-9]{2}$'),
  rule           text NOT NULL CONSTRAINT ck_spending_rule_choice_rule CHECK (rule ~ '^[a-z_]{1,40}$'),
  rule_version   smallint NOT NULL CONSTRAINT ck_spending_rule_choice_version CHECK (rule_version >= 1),
  parameters     jsonb NOT NULL CONSTRAINT ck_spending_rule_choice_parameters
                   CHECK (jsonb_typeof(parameters) = 'object'),
  chosen_by      uuid,     -- none when the system did
  leaf_id        uuid NOT NULL CONSTRAINT uq_spending_rule_choice_leaf UNIQUE
                   CONSTRAINT fk_spending_rule_choice_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  chosen_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_spending_rule_choice_year ON spending_rule_choice (financial_year DESC, chosen_at DESC);

-- How the endowment will get back above what was given: one trustee writes it, and another confirms it.
CREATE TABLE recovery_plan (
  id             uuid CONSTRAINT pk_recovery_plan PRIMARY KEY,
  financial_year text NOT NULL CONSTRAINT ck_recovery_plan_year CHECK (financial_year ~ '^[0-9]{4}-[0-9]{2}$'),
  words          text NOT NULL CONSTRAINT ck_recovery_plan_words CHECK (length(words) BETWEEN 1 AND 2000),
  back_by        date NOT NULL,
  proposed_by    uuid NOT NULL,
  proposed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE recovery_plan_confirmation (
  plan_id      uuid CONSTRAINT pk_recovery_plan_confirmation PRIMARY KEY
                 CONSTRAINT fk_recovery_plan_confirmation_plan REFERENCES recovery_plan,
  confirmed_by uuid NOT NULL,
  leaf_id      uuid NOT NULL CONSTRAINT uq_recovery_plan_confirmation_leaf UNIQUE
                 CONSTRAINT fk_recovery_plan_confirmation_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  confirmed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Limits of before have none of these; NOT VALID asks it of every row from now on and of no older one.
ALTER TABLE spending_limit
  ADD COLUMN parameters    jsonb,
  ADD COLUMN value_pence   bigint,
  ADD COLUMN floor_pence   bigint CONSTRAINT ck_spending_limit_floor CHECK (floor_pence >= 0),
  ADD COLUMN inputs_sha256 bytea CONSTRAINT ck_spending_limit_hash CHECK (octet_length(inputs_sha256) = 32),
  ADD COLUMN plan_id       uuid CONSTRAINT fk_spending_limit_plan REFERENCES recovery_plan_confirmation,
  ADD CONSTRAINT ck_spending_limit_shows_its_floor CHECK (
    parameters IS NOT NULL AND value_pence IS NOT NULL AND floor_pence IS NOT NULL AND inputs_sha256 IS NOT NULL)
    NOT VALID;
"""

GUARDS = """
CREATE FUNCTION limit_keeps_real_value() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE worth bigint; chosen spending_rule_choice;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('endowment/' || NEW.financial_year));
  -- What it says the endowment was worth is what the ledger says: capital, less a deficit, and unapplied return.
  SELECT coalesce(sum(t.sign * t.amount_pence), 0) INTO worth
    FROM ledger.account a
    CROSS JOIN LATERAL (
      SELECT 1 AS sign, c.entry_seq, c.phase, c.amount_pence FROM ledger.transfer c WHERE c.credit_id = a.id
      UNION ALL SELECT -1, d.entry_seq, d.phase, d.amount_pence FROM ledger.transfer d WHERE d.debit_id = a.id) t
    JOIN ledger.entry e ON e.seq = t.entry_seq
    WHERE a.class IN ('permanent_capital', 'deficit', 'unapplied_return')
      AND e.effective_on <= NEW.set_on AND t.phase IN ('single', 'post');
  IF NEW.value_pence IS DISTINCT FROM worth THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'limit_says_its_value', TABLE = 'spending_limit',
      MESSAGE = 'the endowment was worth ' || worth || ' pence on that day';
  END IF;
  SELECT * INTO chosen FROM spending_rule_choice c WHERE c.financial_year <= NEW.financial_year
    ORDER BY c.financial_year DESC, c.chosen_at DESC LIMIT 1;
  IF FOUND AND (chosen.rule, chosen.rule_version, chosen.parameters)
               IS DISTINCT FROM (NEW.rule, NEW.rule_version, NEW.parameters) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'limit_follows_choice', TABLE = 'spending_limit',
      MESSAGE = 'trustees chose ' || chosen.rule || ' version ' || chosen.rule_version;
  END IF;
  IF NEW.value_pence - NEW.amount_pence < NEW.floor_pence AND NOT EXISTS (
      SELECT FROM recovery_plan_confirmation c JOIN recovery_plan p ON p.id = c.plan_id
      WHERE c.plan_id = NEW.plan_id AND p.financial_year = NEW.financial_year) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'limit_keeps_real_value', TABLE = 'spending_limit',
      MESSAGE = 'it would leave less than what was given, and no two trustees recorded a recovery plan';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keeps_real_value BEFORE INSERT ON spending_limit
  FOR EACH ROW EXECUTE FUNCTION limit_keeps_real_value();

CREATE FUNCTION rule_before_limit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever chooses and whoever sets the limit take this lock, so that they act one after the other.
  PERFORM pg_advisory_xact_lock(hashtext('endowment/' || NEW.financial_year));
  IF EXISTS (SELECT FROM spending_limit l WHERE l.financial_year = NEW.financial_year) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'rule_before_limit', TABLE = TG_TABLE_NAME,
      MESSAGE = 'the limit for ' || NEW.financial_year || ' is set already';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER before_limit BEFORE INSERT ON spending_rule_choice
  FOR EACH ROW EXECUTE FUNCTION rule_before_limit();

CREATE FUNCTION plan_is_of_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT staff_holds(NEW.proposed_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_plan_by_trustee', TABLE = 'recovery_plan',
      MESSAGE = 'a recovery plan is written by a trustee';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER of_trustees BEFORE INSERT ON recovery_plan FOR EACH ROW EXECUTE FUNCTION plan_is_of_trustees();

CREATE FUNCTION plan_has_two_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT staff_holds(NEW.confirmed_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_plan_by_trustee', TABLE = 'recovery_plan_confirmation',
      MESSAGE = 'a recovery plan is confirmed by a trustee';
  END IF;
  IF EXISTS (SELECT FROM recovery_plan p WHERE p.id = NEW.plan_id AND p.proposed_by = NEW.confirmed_by) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_plan_two_trustees', TABLE = 'recovery_plan_confirmation',
      MESSAGE = 'a recovery plan is of two different trustees';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER two_trustees BEFORE INSERT ON recovery_plan_confirmation
  FOR EACH ROW EXECUTE FUNCTION plan_has_two_trustees();
"""
