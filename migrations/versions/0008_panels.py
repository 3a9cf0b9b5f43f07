"""Panels, seats, sittings, readers, interests, scores and locks.

What a member says (interest, score, lock, release) can be inserted in the role `fund_panel` alone, and only for the
seat of the person named by `fund.person`. Nothing of it can be changed or removed by anybody.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

SAID_BY_A_MEMBER = ("interest", "interest_ruling", "score", "score_lock", "score_release")
SET_BY_THE_HOUSE = ("panel", "sitting", "sitting_application", "assignment", "score_reminder")


def upgrade() -> None:
    """Rows only; the state of a score or a seat is read from them."""
    op.execute("""
    CREATE TABLE panel (
      id               uuid PRIMARY KEY,
      neighbourhood_id uuid NOT NULL CONSTRAINT uq_panel_neighbourhood UNIQUE
                         CONSTRAINT fk_panel_neighbourhood REFERENCES neighbourhood,
      constituted_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    CREATE TABLE seat (
      id               uuid PRIMARY KEY,
      panel_id         uuid NOT NULL CONSTRAINT fk_seat_panel REFERENCES panel,
      number           smallint NOT NULL,
      person_id        uuid NOT NULL CONSTRAINT fk_seat_person REFERENCES person,
      is_resident      boolean NOT NULL,
      is_chair         boolean NOT NULL DEFAULT false,
      term_from        date NOT NULL,
      term_to          date NOT NULL,
      trained_at       timestamptz,
      code_accepted_at timestamptz,
      ended_at         timestamptz,
      CONSTRAINT uq_seat_number UNIQUE (panel_id, number),
      CONSTRAINT ck_seat_term CHECK (term_to > term_from)
    );
    CREATE UNIQUE INDEX uq_seat_person ON seat (panel_id, person_id) WHERE ended_at IS NULL;
    CREATE UNIQUE INDEX uq_seat_chair ON seat (panel_id) WHERE is_chair AND ended_at IS NULL;
    CREATE INDEX ix_seat_person ON seat (person_id) WHERE ended_at IS NULL;
    GRANT SELECT, INSERT ON seat TO fund_common;
    GRANT UPDATE (trained_at, code_accepted_at, ended_at) ON seat TO fund_common;

    -- A sitting gathers applications. Its lot was committed to before anybody scored.
    CREATE TABLE sitting (
      id                uuid PRIMARY KEY,
      round_id          uuid NOT NULL CONSTRAINT fk_sitting_round REFERENCES round,
      number            smallint NOT NULL,
      scoring_closes_at timestamptz NOT NULL,
      seed_commitment   bytea NOT NULL CONSTRAINT ck_sitting_seed_commitment CHECK (octet_length(seed_commitment) = 32),
      opened_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_sitting_number UNIQUE (round_id, number)
    );
    -- The seed itself: only a transaction of the panel's can read it, to close the sitting.
    CREATE TABLE sitting_seed (
      sitting_id uuid CONSTRAINT pk_sitting_seed PRIMARY KEY CONSTRAINT fk_sitting_seed_sitting REFERENCES sitting,
      seed       bytea NOT NULL CONSTRAINT ck_sitting_seed CHECK (octet_length(seed) = 32)
    );
    GRANT INSERT ON sitting_seed TO fund_common;
    GRANT SELECT ON sitting_seed TO fund_panel;

    CREATE TABLE sitting_application (
      application_id uuid CONSTRAINT pk_sitting_application PRIMARY KEY
                       CONSTRAINT fk_sitting_application_eligibility REFERENCES eligibility,
      sitting_id     uuid NOT NULL CONSTRAINT fk_sitting_application_sitting REFERENCES sitting,
      put_at         timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX ix_sitting_application_sitting ON sitting_application (sitting_id, application_id);

    CREATE TABLE assignment (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT fk_assignment_application REFERENCES sitting_application,
      seat_id        uuid NOT NULL CONSTRAINT fk_assignment_seat REFERENCES seat,
      assigned_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_assignment UNIQUE (application_id, seat_id)
    );
    CREATE INDEX ix_assignment_seat ON assignment (seat_id, assigned_at);

    -- The newest row of a seat for an application counts.
    CREATE TABLE interest (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT fk_interest_application REFERENCES sitting_application,
      seat_id        uuid NOT NULL CONSTRAINT fk_interest_seat REFERENCES seat,
      version        smallint NOT NULL CONSTRAINT ck_interest_version CHECK (version >= 1),
      answer         text NOT NULL CONSTRAINT ck_interest_answer CHECK (answer IN
                       ('nothing', 'know_someone', 'neighbour_runs_it', 'family_would_use_it', 'i_am_in_it',
                        'not_sure')),
      consequence    text NOT NULL CONSTRAINT ck_interest_consequence CHECK (consequence IN
                       ('none', 'note_only', 'no_scoring', 'out_of_room', 'ask')),
      declared_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_interest_version UNIQUE (application_id, seat_id, version)
    );
    CREATE TABLE interest_ruling (
      interest_id uuid CONSTRAINT pk_interest_ruling PRIMARY KEY
                    CONSTRAINT fk_interest_ruling_interest REFERENCES interest,
      consequence text NOT NULL CONSTRAINT ck_interest_ruling_consequence
                    CHECK (consequence IN ('none', 'note_only', 'no_scoring', 'out_of_room')),
      ruled_by    uuid NOT NULL CONSTRAINT fk_interest_ruling_seat REFERENCES seat,
      ruled_at    timestamptz NOT NULL DEFAULT clock_timestamp()
    );

    CREATE TABLE score (
      id            uuid PRIMARY KEY,
      assignment_id uuid NOT NULL CONSTRAINT fk_score_assignment REFERENCES assignment,
      criterion_id  uuid NOT NULL CONSTRAINT fk_score_criterion REFERENCES criterion,
      version       smallint NOT NULL CONSTRAINT ck_score_version CHECK (version >= 1),
      points        smallint NOT NULL CONSTRAINT ck_score_points CHECK (points BETWEEN 0 AND 5),
      reason        text NOT NULL CONSTRAINT ck_score_reason CHECK (length(btrim(reason)) > 0),
      saved_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_score_version UNIQUE (assignment_id, criterion_id, version)
    );
    CREATE TABLE score_lock (
      assignment_id uuid CONSTRAINT pk_score_lock PRIMARY KEY
                      CONSTRAINT fk_score_lock_assignment REFERENCES assignment,
      locked_at     timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- A reader who cannot finish lets the panel go on without their score.
    CREATE TABLE score_release (
      assignment_id uuid CONSTRAINT pk_score_release PRIMARY KEY
                      CONSTRAINT fk_score_release_assignment REFERENCES assignment,
      released_at   timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE score_reminder (
      assignment_id uuid NOT NULL CONSTRAINT fk_score_reminder_assignment REFERENCES assignment,
      number        smallint NOT NULL,
      sent_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_score_reminder PRIMARY KEY (assignment_id, number)
    );
    """)
    for table in (*SAID_BY_A_MEMBER, *SET_BY_THE_HOUSE, "sitting_seed"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        """)
    for table in SAID_BY_A_MEMBER:
        op.execute(f"GRANT SELECT ON {table} TO fund_common; GRANT INSERT ON {table} TO fund_panel")
    for table in SET_BY_THE_HOUSE:
        op.execute(f"GRANT SELECT, INSERT ON {table} TO fund_common")


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TABLE score_reminder, score_release, score_lock, score, interest_ruling, interest, assignment,
      sitting_application, sitting_seed, sitting, seat, panel;
    """)
