"""Batches of releases, their payment file, what the bank answered, and the lines of its statements.

A batch's lines, total and hash cannot change; a statement line settles one release at most, and only by its reference.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

PERMANENT = ("batch", "batch_line", "batch_authorisation", "payment_file", "bank_message", "payment_status",
             "statement_line", "statement_match")


def upgrade() -> None:
    """Rows only; where a batch stands is read from them."""
    op.execute("""
    CREATE TABLE batch (
      id          uuid PRIMARY KEY,
      reference   text NOT NULL CONSTRAINT uq_batch_reference UNIQUE,
      line_count  integer NOT NULL CONSTRAINT ck_batch_line_count CHECK (line_count >= 1),
      total_pence bigint NOT NULL CONSTRAINT ck_batch_total CHECK (total_pence > 0),
      lines_sha256 bytea NOT NULL CONSTRAINT ck_batch_lines_sha256 CHECK (octet_length(lines_sha256) = 32),
      execute_on  date NOT NULL,
      made_by     uuid NOT NULL,
      made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE batch_line (
      batch_id   uuid NOT NULL CONSTRAINT fk_batch_line_batch REFERENCES batch DEFERRABLE INITIALLY DEFERRED,
      number     integer NOT NULL,
      release_id uuid NOT NULL CONSTRAINT uq_batch_line_release UNIQUE
                   CONSTRAINT fk_batch_line_release REFERENCES release,
      CONSTRAINT pk_batch_line PRIMARY KEY (batch_id, number)
    );
    CREATE TABLE batch_authorisation (
      batch_id      uuid CONSTRAINT pk_batch_authorisation PRIMARY KEY
                      CONSTRAINT fk_batch_authorisation_batch REFERENCES batch,
      authorised_by uuid NOT NULL,
      authorised_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE TABLE payment_file (
      batch_id uuid CONSTRAINT pk_payment_file PRIMARY KEY
                 CONSTRAINT fk_payment_file_authorisation REFERENCES batch_authorisation,
      bytes    bytea NOT NULL,
      sha256   bytea NOT NULL GENERATED ALWAYS AS (sha256(bytes)) STORED,
      made_at  timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- What came from the bank, as it came, once each.
    CREATE TABLE bank_message (
      id          uuid PRIMARY KEY,
      kind        text NOT NULL CONSTRAINT ck_bank_message_kind
                    CHECK (kind IN ('pain.002', 'camt.054', 'camt.053', 'pacs.004')),
      message_id  text NOT NULL,
      bytes       bytea NOT NULL,
      received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_bank_message UNIQUE (kind, message_id)
    );
    -- The bank's word on one payment of a file, before any money is booked.
    CREATE TABLE payment_status (
      release_id      uuid NOT NULL CONSTRAINT fk_payment_status_release REFERENCES release,
      bank_message_id uuid NOT NULL CONSTRAINT fk_payment_status_message REFERENCES bank_message,
      status          text NOT NULL,
      reason          text NOT NULL DEFAULT '',
      CONSTRAINT pk_payment_status PRIMARY KEY (release_id, bank_message_id)
    );
    CREATE TABLE statement_line (
      id              uuid PRIMARY KEY,
      bank_message_id uuid NOT NULL CONSTRAINT fk_statement_line_message REFERENCES bank_message,
      statement_id    text NOT NULL,
      number          integer NOT NULL,
      is_debit        boolean NOT NULL,
      amount_pence    bigint NOT NULL CONSTRAINT ck_statement_line_amount CHECK (amount_pence > 0),
      booked_on       date NOT NULL,
      end_to_end_id   text,
      bank_reference  text NOT NULL,
      CONSTRAINT uq_statement_line UNIQUE (statement_id, number)
    );
    CREATE TABLE statement_match (
      statement_line_id uuid CONSTRAINT pk_statement_match PRIMARY KEY
                          CONSTRAINT fk_statement_match_line REFERENCES statement_line,
      release_id        uuid NOT NULL CONSTRAINT fk_statement_match_release REFERENCES release,
      kind              text NOT NULL CONSTRAINT ck_statement_match_kind CHECK (kind IN ('settled', 'returned')),
      CONSTRAINT uq_statement_match_release UNIQUE (release_id, kind)
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
