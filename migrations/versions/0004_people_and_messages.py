"""People, how they sign in, the capacities in which staff act, messages to them, and the files that they give.

People can be erased, so nothing permanent refers to a person by more than a bare id without a foreign key.
"""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """A person is whoever can read an e-mail address; a capacity is what the fund lets its own people do."""
    op.execute("""
    CREATE TABLE person (
      id         uuid PRIMARY KEY,
      email      text NOT NULL CONSTRAINT ck_person_email CHECK (email = lower(email) AND email LIKE '_%%@_%%'),
      name       text NOT NULL DEFAULT '',
      language   text NOT NULL DEFAULT 'en' CONSTRAINT ck_person_language CHECK (language IN ('en', 'cy')),
      is_demo    boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_person_email UNIQUE (email)
    );
    GRANT SELECT, INSERT ON person TO fund_common;
    GRANT UPDATE (name, language) ON person TO fund_common;

    -- One account never holds two capacities: who accepts, who approves and who authorises are different people (S73).
    CREATE TABLE capacity (
      id         uuid PRIMARY KEY,
      person_id  uuid NOT NULL CONSTRAINT fk_capacity_person REFERENCES person,
      capacity   text NOT NULL CONSTRAINT ck_capacity_capacity
                   CHECK (capacity IN ('officer', 'approver', 'authoriser', 'trustee')),
      granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      ended_at   timestamptz
    );
    CREATE UNIQUE INDEX uq_capacity_one_for_each_person ON capacity (person_id) WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON capacity TO fund_common;
    GRANT UPDATE (ended_at) ON capacity TO fund_common;

    -- Staff never sit on a panel, and panels are never staff. Table `seat` (0008) has the other half; both halves take
    -- this lock first, so that a capacity and a seat given at the same moment cannot pass each other.
    CREATE FUNCTION lock_person(person uuid) RETURNS void LANGUAGE sql AS $$
      SELECT pg_advisory_xact_lock(hashtextextended('person ' || person::text, 0));
    $$;
    CREATE FUNCTION refuse_capacity_beside_a_seat() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM lock_person(NEW.person_id);
      IF NEW.ended_at IS NULL AND to_regclass('public.seat') IS NOT NULL THEN
        IF EXISTS (SELECT FROM public.seat WHERE person_id = NEW.person_id AND ended_at IS NULL) THEN
          RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_capacity_no_seat', TABLE = 'capacity',
            MESSAGE = 'this person sits on a panel, so they cannot be staff';
        END IF;
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER no_seat BEFORE INSERT OR UPDATE ON capacity
      FOR EACH ROW EXECUTE FUNCTION refuse_capacity_beside_a_seat();

    CREATE TABLE sign_in_request (
      id            uuid PRIMARY KEY,
      email         text NOT NULL CONSTRAINT ck_sign_in_request_email CHECK (email = lower(email)),
      token_sha256  bytea NOT NULL CONSTRAINT uq_sign_in_request_token UNIQUE,
      code_sha256   bytea NOT NULL,
      device_sha256 bytea NOT NULL,
      return_to     text NOT NULL CONSTRAINT ck_sign_in_request_return_to CHECK (return_to ~ '^/([^/\\\\]|$)'),
      words         jsonb NOT NULL DEFAULT '{}',
      code_tries    smallint NOT NULL DEFAULT 0 CONSTRAINT ck_sign_in_request_code_tries CHECK (code_tries <= 5),
      created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at    timestamptz NOT NULL,
      used_at       timestamptz
    );
    CREATE INDEX ix_sign_in_request_email ON sign_in_request (email, created_at);
    GRANT SELECT, INSERT, DELETE ON sign_in_request TO fund_common;
    GRANT UPDATE (code_tries, used_at) ON sign_in_request TO fund_common;

    CREATE TABLE person_session (
      id         uuid PRIMARY KEY,
      person_id  uuid NOT NULL CONSTRAINT fk_person_session_person REFERENCES person ON DELETE CASCADE,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz NOT NULL,
      ended_at   timestamptz
    );
    CREATE INDEX ix_person_session_person ON person_session (person_id);
    GRANT SELECT, INSERT ON person_session TO fund_common;
    GRANT UPDATE (ended_at) ON person_session TO fund_common;

    CREATE TABLE message (
      id         uuid PRIMARY KEY,
      key        text NOT NULL CONSTRAINT uq_message_key UNIQUE,
      person_id  uuid,
      address    text NOT NULL,
      template   text NOT NULL,
      language   text NOT NULL CONSTRAINT ck_message_language CHECK (language IN ('en', 'cy')),
      values     jsonb NOT NULL DEFAULT '{}',
      -- What only the reader may know (a link, a code), sealed with FIELD_KEY; gone once it is sent.
      sealed     bytea,
      useless_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      sent_at    timestamptz,
      ended_as   text CONSTRAINT ck_message_ended_as CHECK (ended_as IN ('address_refused', 'too_late')),
      CONSTRAINT ck_message_one_end CHECK (sent_at IS NULL OR ended_as IS NULL),
      CONSTRAINT ck_message_sealed_until_sent CHECK (sealed IS NULL OR (sent_at IS NULL AND ended_as IS NULL))
    );
    CREATE INDEX ix_message_person ON message (person_id, created_at);
    GRANT SELECT, INSERT, DELETE ON message TO fund_common;
    GRANT UPDATE (sent_at, ended_as, sealed) ON message TO fund_common;

    CREATE TABLE stored_file (
      id           uuid PRIMARY KEY,
      uploaded_by  uuid NOT NULL,
      name         text NOT NULL CONSTRAINT ck_stored_file_name CHECK (length(name) BETWEEN 1 AND 200),
      content_type text NOT NULL,
      size_bytes   bigint NOT NULL CONSTRAINT ck_stored_file_size CHECK (size_bytes BETWEEN 1 AND 26214400),
      sha256       bytea NOT NULL CONSTRAINT ck_stored_file_sha256 CHECK (octet_length(sha256) = 32),
      created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    GRANT SELECT, INSERT, DELETE ON stored_file TO fund_common;
    """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE stored_file, message, person_session, sign_in_request, capacity, person;
    DROP FUNCTION refuse_capacity_beside_a_seat();
    DROP FUNCTION lock_person(uuid);
    """)
