"""Who took part, the panel's agreed reasons, the closing of a sitting, and the decisions that follow from the rule.

All of it can be inserted in the role `fund_panel` alone; a decision stands for ever.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

DECIDED_BY_THE_PANEL = ("attendance", "agreed_reason", "sitting_close", "decision")


def upgrade() -> None:
    """`award_taken_up` is written when the grant is offered, and frees the money that a decision holds."""
    op.execute("""
    CREATE TABLE attendance (
      sitting_id uuid NOT NULL CONSTRAINT fk_attendance_sitting REFERENCES sitting,
      seat_id    uuid NOT NULL CONSTRAINT fk_attendance_seat REFERENCES seat,
      joined_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_attendance PRIMARY KEY (sitting_id, seat_id)
    );

    -- What the applicant is told for each criterion: the panel's words, never a member's. The newest version counts.
    CREATE TABLE agreed_reason (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT fk_agreed_reason_application REFERENCES sitting_application,
      criterion_id   uuid NOT NULL CONSTRAINT fk_agreed_reason_criterion REFERENCES criterion,
      version        smallint NOT NULL CONSTRAINT ck_agreed_reason_version CHECK (version >= 1),
      reason         text NOT NULL CONSTRAINT ck_agreed_reason CHECK (length(btrim(reason)) > 0),
      seat_id        uuid NOT NULL CONSTRAINT fk_agreed_reason_seat REFERENCES seat,
      agreed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_agreed_reason_version UNIQUE (application_id, criterion_id, version)
    );

    CREATE TABLE sitting_close (
      sitting_id      uuid CONSTRAINT pk_sitting_close PRIMARY KEY
                        CONSTRAINT fk_sitting_close_sitting REFERENCES sitting,
      closed_by       uuid NOT NULL CONSTRAINT fk_sitting_close_seat REFERENCES seat,
      closed_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      seed            bytea NOT NULL,
      available_pence bigint NOT NULL CONSTRAINT ck_sitting_close_available CHECK (available_pence >= 0),
      rule_version    text NOT NULL
    );

    CREATE TABLE decision (
      id             uuid PRIMARY KEY,
      application_id uuid NOT NULL CONSTRAINT uq_decision_application UNIQUE
                       CONSTRAINT fk_decision_application REFERENCES sitting_application,
      sitting_id     uuid NOT NULL CONSTRAINT fk_decision_sitting_close REFERENCES sitting_close,
      outcome        text NOT NULL CONSTRAINT ck_decision_outcome
                       CHECK (outcome IN ('awarded', 'part_awarded', 'reserve', 'declined')),
      score_tenths   smallint NOT NULL CONSTRAINT ck_decision_score CHECK (score_tenths BETWEEN 0 AND 1000),
      rank           smallint NOT NULL CONSTRAINT ck_decision_rank CHECK (rank >= 1),
      amount_pence   bigint NOT NULL,
      leaf_id        uuid NOT NULL CONSTRAINT uq_decision_leaf UNIQUE,
      decided_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_decision_rank UNIQUE (sitting_id, rank),
      CONSTRAINT ck_decision_amount CHECK ((outcome IN ('awarded', 'part_awarded')) = (amount_pence > 0)
                                           AND amount_pence >= 0)
    );

    CREATE TABLE award_taken_up (
      decision_id uuid CONSTRAINT pk_award_taken_up PRIMARY KEY
                    CONSTRAINT fk_award_taken_up_decision REFERENCES decision,
      taken_up_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    """)
    for table in (*DECIDED_BY_THE_PANEL, "award_taken_up"):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        """)
    for table in DECIDED_BY_THE_PANEL:
        op.execute(f"GRANT SELECT ON {table} TO fund_common; GRANT INSERT ON {table} TO fund_panel")
    op.execute("GRANT SELECT, INSERT ON award_taken_up TO fund_common")


def downgrade() -> None:
    """Take all of it away."""
    op.execute("DROP TABLE award_taken_up, decision, sitting_close, agreed_reason, attendance")
