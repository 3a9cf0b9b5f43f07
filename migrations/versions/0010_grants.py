"""Awards, agreements, payees, stages, evidence, and the release of a stage.

A release is the payment instruction: its reference to the bank is minted once, when it is approved. A stage has one
live release at most; another can follow only when the one before it came back or was turned down.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

PERMANENT = ("award", "award_end", "agreement", "payee", "stage", "evidence", "evidence_file", "evidence_review",
             "release", "release_end")


def upgrade() -> None:
    """Rows only; where a stage stands is read from them."""
    op.execute("""
    CREATE TABLE award (
      id              uuid PRIMARY KEY,
      reference       text NOT NULL CONSTRAINT uq_award_reference UNIQUE,
      decision_id     uuid NOT NULL CONSTRAINT uq_award_decision UNIQUE
                        CONSTRAINT fk_award_decision REFERENCES decision,
      application_id  uuid NOT NULL CONSTRAINT uq_award_application UNIQUE
                        CONSTRAINT fk_award_submission REFERENCES submission (application_id),
      organisation_id uuid NOT NULL CONSTRAINT fk_award_organisation REFERENCES organisation,
      amount_pence    bigint NOT NULL CONSTRAINT ck_award_amount CHECK (amount_pence > 0),
      offered_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      lapses_on       date NOT NULL,
      offer_entry_id  uuid NOT NULL CONSTRAINT uq_award_offer_entry UNIQUE
    );
    -- An offer that lapsed or was declined by the group, or a grant that ended.
    CREATE TABLE award_end (
      award_id uuid CONSTRAINT pk_award_end PRIMARY KEY CONSTRAINT fk_award_end_award REFERENCES award,
      kind     text NOT NULL CONSTRAINT ck_award_end_kind CHECK (kind IN ('lapsed', 'declined_by_group', 'withdrawn')),
      entry_id uuid NOT NULL,
      ended_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE agreement (
      award_id      uuid CONSTRAINT pk_agreement PRIMARY KEY CONSTRAINT fk_agreement_award REFERENCES award,
      terms_version text NOT NULL,
      spending_plan text NOT NULL,
      signed_by     uuid NOT NULL,
      signed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      entry_id      uuid NOT NULL CONSTRAINT uq_agreement_entry UNIQUE
    );
    -- Into whose account the money goes: the group's own or its host's. The newest row counts.
    CREATE TABLE payee (
      id              uuid PRIMARY KEY,
      award_id        uuid NOT NULL CONSTRAINT fk_payee_award REFERENCES award,
      version         smallint NOT NULL,
      organisation_id uuid NOT NULL CONSTRAINT fk_payee_organisation REFERENCES organisation,
      bank_account_id uuid NOT NULL CONSTRAINT fk_payee_bank_account REFERENCES bank_account,
      chosen_by       uuid NOT NULL,
      chosen_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_payee_version UNIQUE (award_id, version)
    );

    CREATE TABLE stage (
      id            uuid PRIMARY KEY,
      award_id      uuid NOT NULL CONSTRAINT fk_stage_award REFERENCES award,
      number        smallint NOT NULL CONSTRAINT ck_stage_number CHECK (number >= 1),
      basis         text NOT NULL CONSTRAINT ck_stage_basis CHECK (basis IN ('up_front', 'on_evidence', 'on_claim')),
      amount_pence  bigint NOT NULL CONSTRAINT ck_stage_amount CHECK (amount_pence > 0),
      due_on        date NOT NULL,
      asks_for      text NOT NULL,
      CONSTRAINT uq_stage_number UNIQUE (award_id, number)
    );

    CREATE TABLE evidence (
      id           uuid PRIMARY KEY,
      stage_id     uuid NOT NULL CONSTRAINT fk_evidence_stage REFERENCES stage,
      number       smallint NOT NULL,
      story        text NOT NULL CONSTRAINT ck_evidence_story CHECK (length(btrim(story)) > 0),
      sent_by      uuid NOT NULL,
      sent_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_evidence_number UNIQUE (stage_id, number)
    );
    CREATE TABLE evidence_file (
      evidence_id uuid NOT NULL CONSTRAINT fk_evidence_file_evidence REFERENCES evidence,
      file_id     uuid NOT NULL,
      sha256      bytea NOT NULL,
      CONSTRAINT pk_evidence_file PRIMARY KEY (evidence_id, file_id)
    );
    CREATE TABLE evidence_review (
      evidence_id uuid CONSTRAINT pk_evidence_review PRIMARY KEY
                    CONSTRAINT fk_evidence_review_evidence REFERENCES evidence,
      accepted    boolean NOT NULL,
      words       text NOT NULL DEFAULT '',
      reviewed_by uuid NOT NULL,
      reviewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT ck_evidence_review_words CHECK (accepted OR length(btrim(words)) > 0)
    );

    CREATE TABLE release (
      id              uuid PRIMARY KEY,
      stage_id        uuid NOT NULL CONSTRAINT fk_release_stage REFERENCES stage,
      attempt         smallint NOT NULL CONSTRAINT ck_release_attempt CHECK (attempt >= 1),
      evidence_id     uuid NOT NULL CONSTRAINT fk_release_evidence_review REFERENCES evidence_review,
      end_to_end_id   text NOT NULL CONSTRAINT uq_release_end_to_end_id UNIQUE
                        CONSTRAINT ck_release_end_to_end_id CHECK (end_to_end_id ~ '^[A-Z0-9]{6,18}$'),
      amount_pence    bigint NOT NULL CONSTRAINT ck_release_amount CHECK (amount_pence > 0),
      payee_id        uuid NOT NULL CONSTRAINT fk_release_payee REFERENCES payee,
      bank_account_id uuid NOT NULL CONSTRAINT fk_release_bank_account REFERENCES bank_account,
      approved_by     uuid NOT NULL,
      approved_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      entry_id        uuid NOT NULL CONSTRAINT uq_release_entry UNIQUE,
      CONSTRAINT uq_release_attempt UNIQUE (stage_id, attempt)
    );
    CREATE TABLE release_end (
      id            uuid PRIMARY KEY,
      release_id    uuid NOT NULL CONSTRAINT fk_release_end_release REFERENCES release,
      kind          text NOT NULL CONSTRAINT ck_release_end_kind CHECK (kind IN ('settled', 'refused', 'returned')),
      bank_reason   text NOT NULL DEFAULT '',
      booked_on     date NOT NULL,
      entry_id      uuid NOT NULL CONSTRAINT uq_release_end_entry UNIQUE,
      recorded_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_release_end_kind UNIQUE (release_id, kind)
    );
    """)
    for table in PERMANENT:
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)


def downgrade() -> None:
    """Take all of it away."""
    op.execute(f"DROP TABLE {', '.join(reversed(PERMANENT))}")
