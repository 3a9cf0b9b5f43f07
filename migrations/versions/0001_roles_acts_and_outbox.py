"""The audit trail, the outbox, and the trigger that refuses to change what is permanent.

Roles are made by migrations/roles.sql, before any migration. Every table's grants stand beside the table.
"""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """The first tables, and `refuse_change` for every permanent table of later migrations."""
    op.execute("""
    GRANT USAGE ON SCHEMA public TO fund_common;

    -- A table that must stand for ever calls this before UPDATE, DELETE or TRUNCATE: even its owner is refused.
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'append_only', TABLE = TG_TABLE_NAME,
        MESSAGE = TG_TABLE_NAME || ' is append-only: ' || TG_OP || ' refused';
    END $$;

    CREATE TABLE act (
      id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at             timestamptz NOT NULL DEFAULT clock_timestamp(),
      person_id      uuid,
      seat_id        uuid,
      capacity       text NOT NULL CONSTRAINT ck_act_capacity CHECK (capacity IN
                       ('applicant', 'reader', 'chair', 'officer', 'approver', 'authoriser', 'trustee', 'system')),
      verb           text NOT NULL CONSTRAINT ck_act_verb CHECK (verb ~ '^[a-z_]+$'),
      subject_kind   text NOT NULL CONSTRAINT ck_act_subject CHECK (subject_kind ~ '^[a-z_]+$'),
      subject_id     uuid NOT NULL,
      application_id uuid,
      detail         jsonb NOT NULL DEFAULT '{}',
      CONSTRAINT ck_act_person CHECK ((person_id IS NULL) = (capacity = 'system'))
    );
    CREATE INDEX ix_act_application ON act (application_id, id) WHERE application_id IS NOT NULL;
    CREATE INDEX ix_act_subject ON act (subject_kind, subject_id, id);
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON act FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER append_only_all BEFORE TRUNCATE ON act EXECUTE FUNCTION refuse_change();
    GRANT SELECT, INSERT ON act TO fund_common;

    CREATE TABLE outbox (
      id          uuid PRIMARY KEY,
      job         text NOT NULL,
      args        jsonb NOT NULL,
      key         text UNIQUE,
      asked_at    timestamptz NOT NULL DEFAULT now(),
      due_at      timestamptz NOT NULL DEFAULT now(),
      attempts    smallint NOT NULL DEFAULT 0,
      done_at     timestamptz,
      given_up_at timestamptz,
      last_error  text
    );
    CREATE INDEX ix_outbox_due ON outbox (due_at, id) WHERE done_at IS NULL AND given_up_at IS NULL;
    GRANT SELECT, INSERT ON outbox TO fund_common;
    GRANT UPDATE (due_at, attempts, done_at, given_up_at, last_error) ON outbox TO fund_common;
    """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("DROP TABLE outbox; DROP TABLE act; DROP FUNCTION refuse_change()")
