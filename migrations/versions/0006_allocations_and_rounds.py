"""Allocations: a pot shared out by a published rule, and each place's share, which nobody can lower for its term.

The money itself stands in the ledger (`4000/<code>`). A share names its entry; reversing that entry before the term
ends is refused by the ledger's own table, and a run whose shares are not its pot to the penny cannot be committed.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """The runs, the shares, the view that reads a place's money in one go, and the lock of the term."""
    op.execute("""
    CREATE TABLE allocation_run (
      id             uuid PRIMARY KEY,
      financial_year text NOT NULL CONSTRAINT ck_allocation_run_year CHECK (financial_year ~ '^20[0-9]{2}-[0-9]{2}$'),
      rule_version   text NOT NULL CONSTRAINT ck_allocation_run_rule CHECK (rule_version <> ''),
      pot_pence      bigint NOT NULL CONSTRAINT ck_allocation_run_pot CHECK (pot_pence > 0),
      floor_pence    bigint NOT NULL CONSTRAINT ck_allocation_run_floor CHECK (floor_pence >= 0),
      tie_order      text NOT NULL,
      need_versions  jsonb NOT NULL,
      inputs_sha256  bytea NOT NULL CONSTRAINT ck_allocation_run_inputs CHECK (octet_length(inputs_sha256) = 32),
      term_from      date NOT NULL,
      term_to        date NOT NULL,
      leaf_id        uuid NOT NULL
                       CONSTRAINT fk_allocation_run_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
      created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_allocation_run_year UNIQUE (financial_year, rule_version),
      CONSTRAINT uq_allocation_run_terms UNIQUE (id, floor_pence, term_to),
      CONSTRAINT ck_allocation_run_term CHECK (term_to >= term_from + interval '10 years')
    );

    CREATE TABLE allocation (
      id               uuid PRIMARY KEY,
      run_id           uuid NOT NULL,
      neighbourhood_id uuid NOT NULL CONSTRAINT fk_allocation_neighbourhood REFERENCES neighbourhood,
      residents        bigint NOT NULL,
      weight           bigint NOT NULL CONSTRAINT ck_allocation_weight CHECK (weight > 0),
      floor_pence      bigint NOT NULL,
      amount_pence     bigint NOT NULL CONSTRAINT ck_allocation_amount CHECK (amount_pence > 0),
      term_to          date NOT NULL,
      entry_id         uuid NOT NULL CONSTRAINT uq_allocation_entry UNIQUE
                         CONSTRAINT fk_allocation_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
      CONSTRAINT uq_allocation_place UNIQUE (run_id, neighbourhood_id),
      CONSTRAINT fk_allocation_run FOREIGN KEY (run_id, floor_pence, term_to)
        REFERENCES allocation_run (id, floor_pence, term_to),
      CONSTRAINT ck_allocation_floor CHECK (amount_pence >= floor_pence)
    );
    CREATE INDEX ix_allocation_neighbourhood ON allocation (neighbourhood_id);

    -- Looked at when everything of a run is written; a share added to a finished run is seen as well.
    CREATE FUNCTION allocations_sum_to_pot() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE run uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
    BEGIN
      IF (SELECT pot_pence FROM allocation_run WHERE id = run)
         IS DISTINCT FROM (SELECT sum(amount_pence) FROM allocation WHERE run_id = run) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'allocations_sum_to_pot', TABLE = 'allocation',
          MESSAGE = 'the shares of a run are its pot, to the penny';
      END IF;
      RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER sums_to_pot AFTER INSERT ON allocation_run DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION allocations_sum_to_pot('id');
    CREATE CONSTRAINT TRIGGER sums_to_pot AFTER INSERT ON allocation DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION allocations_sum_to_pot('run_id');

    -- A delegated allocation cannot be taken back before its term: not by mirroring its entry either.
    CREATE FUNCTION allocation_stands_for_its_term() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, log, pg_temp AS $$
    BEGIN
      IF EXISTS (SELECT FROM log.leaf l JOIN public.allocation a ON a.entry_id = l.id
                 WHERE l.seq = NEW.reverses AND a.term_to > LEAST(NEW.effective_on, current_date)) THEN
        RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'allocation_stands_for_its_term', SCHEMA = 'public',
          TABLE = 'allocation', MESSAGE = 'a delegated allocation cannot be taken back before its term';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER allocation_stands BEFORE INSERT ON ledger.entry FOR EACH ROW WHEN (NEW.reverses IS NOT NULL)
      EXECUTE FUNCTION allocation_stands_for_its_term();

    -- What every page about a place asks, in one look: what was set aside for it, and what may still be promised.
    CREATE VIEW neighbourhood_money AS
      SELECT n.id AS neighbourhood_id, n.code, n.residents,
             coalesce((SELECT sum(a.amount_pence) FROM allocation a WHERE a.neighbourhood_id = n.id), 0)::bigint
               AS allocated_pence,
             coalesce(b.credits_posted_pence - b.debits_posted_pence - b.debits_pending_pence, 0) AS left_pence,
             (SELECT max(a.term_to) FROM allocation a WHERE a.neighbourhood_id = n.id) AS term_to
      FROM neighbourhood n
      LEFT JOIN ledger.account c ON c.code = '4000/' || n.code
      LEFT JOIN ledger.balance b ON b.account_id = c.id;
    GRANT SELECT ON neighbourhood_money TO fund_common;
    """)
    for table in ("allocation_run", "allocation"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP VIEW neighbourhood_money;
    DROP TRIGGER allocation_stands ON ledger.entry; DROP FUNCTION allocation_stands_for_its_term();
    DROP TABLE allocation; DROP TABLE allocation_run;
    DROP FUNCTION allocations_sum_to_pot();
    """)
