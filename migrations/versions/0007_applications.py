"""Rounds, their criteria and forms, applications, the frozen submission, and whether it may go to the panel.

A published form and round never change, so they can be kept in memory by every process.
"""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The draft may change; what was submitted may not."""
    op.execute("""
    CREATE TABLE form_version (
      id           uuid PRIMARY KEY,
      name         text NOT NULL,
      version      smallint NOT NULL,
      definition   jsonb NOT NULL,
      published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_form_version UNIQUE (name, version)
    );

    -- closes_at empty: always open, decided in sittings. rules: readers, quorum, threshold, the most one may ask for …
    CREATE TABLE round (
      id               uuid PRIMARY KEY,
      reference        text NOT NULL CONSTRAINT uq_round_reference UNIQUE,
      neighbourhood_id uuid NOT NULL CONSTRAINT fk_round_neighbourhood REFERENCES neighbourhood,
      form_version_id  uuid NOT NULL CONSTRAINT fk_round_form_version REFERENCES form_version,
      title            text NOT NULL,
      opens_at         timestamptz NOT NULL,
      closes_at        timestamptz,
      rules            jsonb NOT NULL,
      published_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT ck_round_dates CHECK (closes_at > opens_at)
    );
    CREATE INDEX ix_round_neighbourhood ON round (neighbourhood_id, opens_at);

    -- Criteria go in before their round, in one transaction: once the round is there, none can be added.
    CREATE TABLE criterion (
      id       uuid PRIMARY KEY,
      round_id uuid NOT NULL CONSTRAINT fk_criterion_round REFERENCES round DEFERRABLE INITIALLY DEFERRED,
      position smallint NOT NULL,
      name     text NOT NULL,
      question text NOT NULL,
      weight   smallint NOT NULL CONSTRAINT ck_criterion_weight CHECK (weight BETWEEN 1 AND 100),
      CONSTRAINT uq_criterion_position UNIQUE (round_id, position)
    );

    CREATE FUNCTION criteria_sum_to_100() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE of_round uuid := coalesce(to_jsonb(NEW) ->> 'round_id', to_jsonb(NEW) ->> 'id')::uuid;
    BEGIN
      IF (SELECT coalesce(sum(weight), 0) FROM criterion c WHERE c.round_id = of_round) <> 100 THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_criteria_sum_to_100',
          MESSAGE = 'the weights of a round must sum to 100';
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER weights AFTER INSERT ON round FOR EACH ROW EXECUTE FUNCTION criteria_sum_to_100();
    -- Asked again at the commit, after the foreign key: a criterion that another transaction held back is seen then.
    CREATE CONSTRAINT TRIGGER weights AFTER INSERT ON criterion DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION criteria_sum_to_100();
    CREATE FUNCTION criterion_with_its_round() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF EXISTS (SELECT FROM round r WHERE r.id = NEW.round_id) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_criterion_with_its_round',
          MESSAGE = 'the criteria of a published round are frozen';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER with_its_round BEFORE INSERT ON criterion FOR EACH ROW EXECUTE FUNCTION criterion_with_its_round();

    CREATE TABLE application (
      id              uuid PRIMARY KEY,
      reference       text NOT NULL CONSTRAINT uq_application_reference UNIQUE,
      round_id        uuid NOT NULL CONSTRAINT fk_application_round REFERENCES round,
      applicant_id    uuid NOT NULL CONSTRAINT fk_application_applicant REFERENCES person,
      organisation_id uuid CONSTRAINT fk_application_organisation REFERENCES organisation,
      answers         jsonb NOT NULL DEFAULT '{}',
      version         bigint NOT NULL DEFAULT 1,
      created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      saved_at        timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_application_applicant ON application (applicant_id, created_at);
    CREATE INDEX ix_application_round ON application (round_id, id);
    CREATE INDEX ix_application_organisation ON application (organisation_id) WHERE organisation_id IS NOT NULL;
    GRANT SELECT, INSERT ON application TO fund_common;
    GRANT UPDATE (organisation_id, answers, version, saved_at) ON application TO fund_common;

    CREATE TABLE application_file (
      application_id uuid NOT NULL CONSTRAINT fk_application_file_application REFERENCES application,
      file_id        uuid NOT NULL CONSTRAINT fk_application_file_file REFERENCES stored_file,
      CONSTRAINT pk_application_file PRIMARY KEY (application_id, file_id)
    );
    CREATE INDEX ix_application_file_file ON application_file (file_id);
    GRANT SELECT, INSERT, DELETE ON application_file TO fund_common;

    -- The frozen copy. The panel reads this and nothing else.
    CREATE TABLE submission (
      id              uuid PRIMARY KEY,
      application_id  uuid NOT NULL CONSTRAINT uq_submission_application UNIQUE
                        CONSTRAINT fk_submission_application REFERENCES application,
      organisation_id uuid NOT NULL CONSTRAINT fk_submission_organisation REFERENCES organisation,
      content         jsonb NOT NULL,
      sha256          bytea NOT NULL CONSTRAINT ck_submission_sha256 CHECK (octet_length(sha256) = 32),
      title           text NOT NULL,
      asked_pence     bigint NOT NULL CONSTRAINT ck_submission_asked CHECK (asked_pence > 0),
      least_pence     bigint CONSTRAINT ck_submission_least CHECK (least_pence > 0 AND least_pence <= asked_pence),
      submitted_by    uuid NOT NULL,
      submitted_at    timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_submission_submitted ON submission (submitted_at, id);
    CREATE INDEX ix_submission_organisation ON submission (organisation_id, submitted_at);

    -- The database's clock decides whether it is in time.
    CREATE FUNCTION submission_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.submitted_at := clock_timestamp();
      IF NOT EXISTS (SELECT FROM application a JOIN round r ON r.id = a.round_id WHERE a.id = NEW.application_id
                     AND NEW.submitted_at >= r.opens_at
                     AND (r.closes_at IS NULL OR NEW.submitted_at < r.closes_at)) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_submission_in_time',
          MESSAGE = 'the round is not open';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER in_time BEFORE INSERT ON submission FOR EACH ROW EXECUTE FUNCTION submission_in_time();

    -- A draft that was submitted changes no more.
    CREATE FUNCTION application_is_draft() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE line jsonb := to_jsonb(CASE TG_OP WHEN 'INSERT' THEN NEW ELSE OLD END);
    BEGIN
      IF EXISTS (SELECT FROM submission s
                 WHERE s.application_id = coalesce(line ->> 'application_id', line ->> 'id')::uuid) THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_application_is_draft',
          MESSAGE = 'a submitted application is frozen';
      END IF;
      RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
    CREATE TRIGGER is_draft BEFORE UPDATE ON application FOR EACH ROW EXECUTE FUNCTION application_is_draft();
    CREATE TRIGGER is_draft BEFORE INSERT OR DELETE ON application_file
      FOR EACH ROW EXECUTE FUNCTION application_is_draft();

    CREATE TABLE withdrawal (
      application_id uuid CONSTRAINT pk_withdrawal PRIMARY KEY
                       CONSTRAINT fk_withdrawal_application REFERENCES application,
      withdrawn_by   uuid NOT NULL,
      withdrawn_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    -- Whether a submission may go to the panel: by a listed reason only, by a person, once.
    CREATE TABLE eligibility (
      application_id uuid CONSTRAINT pk_eligibility PRIMARY KEY
                       CONSTRAINT fk_eligibility_submission REFERENCES submission (application_id),
      eligible       boolean NOT NULL,
      reason         text CONSTRAINT ck_eligibility_listed CHECK (reason IN
                       ('outside_the_neighbourhood', 'outside_the_objects', 'statutory_duty', 'over_the_limit',
                        'twice')),
      checked_by     uuid NOT NULL,
      checked_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT ck_eligibility_reason CHECK (eligible = (reason IS NULL))
    );
    """)
    for table in ("form_version", "round", "criterion", "submission", "withdrawal", "eligibility"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE eligibility, withdrawal, submission, application_file, application, criterion, round, form_version;
    DROP FUNCTION application_is_draft(), submission_in_time(), criterion_with_its_round(), criteria_sum_to_100();
    """)
