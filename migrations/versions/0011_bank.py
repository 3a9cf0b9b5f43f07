"""Batches of releases, their payment file, what the bank answered, and the lines of its statements.

A batch's lines, total and hash cannot change; a third person authorises them as they saw them; a statement line settles
one release at most, and only by its reference. Triggers as in 0010: one rule, one name, SQLSTATE 23514.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

PERMANENT = ("batch", "batch_line", "batch_set_aside", "batch_authorisation", "payment_file", "sending", "sending_end",
             "bank_message", "payment_status", "statement", "statement_line", "statement_match")

FUNCTIONS = ("release_is_fresh(uuid)", "wait_for_batch()", "ck_batch_lines_agree()")


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
      made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_batch_what_is_seen UNIQUE (id, total_pence, lines_sha256)
    );
    CREATE TABLE batch_line (
      batch_id   uuid NOT NULL CONSTRAINT fk_batch_line_batch REFERENCES batch DEFERRABLE INITIALLY DEFERRED,
      number     integer NOT NULL CONSTRAINT ck_batch_line_number CHECK (number >= 1),
      release_id uuid NOT NULL CONSTRAINT uq_batch_line_release UNIQUE
                   CONSTRAINT fk_batch_line_release REFERENCES release,
      CONSTRAINT pk_batch_line PRIMARY KEY (batch_id, number)
    );
    -- Not sent, and its payments withdrawn: they are approved again.
    CREATE TABLE batch_set_aside (
      batch_id     uuid CONSTRAINT pk_batch_set_aside PRIMARY KEY CONSTRAINT fk_batch_set_aside_batch REFERENCES batch,
      words        text NOT NULL CONSTRAINT ck_batch_set_aside_words CHECK (length(btrim(words)) > 0),
      set_aside_by uuid NOT NULL,
      set_aside_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- The total and the hash are what the authoriser's screen showed and what they sent back.
    CREATE TABLE batch_authorisation (
      batch_id      uuid CONSTRAINT pk_batch_authorisation PRIMARY KEY,
      total_pence   bigint NOT NULL,
      lines_sha256  bytea NOT NULL,
      authorised_by uuid NOT NULL,
      authorised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT fk_batch_authorisation_what_was_seen FOREIGN KEY (batch_id, total_pence, lines_sha256)
        REFERENCES batch (id, total_pence, lines_sha256)
    );
    CREATE TABLE payment_file (
      batch_id uuid CONSTRAINT pk_payment_file PRIMARY KEY
                 CONSTRAINT fk_payment_file_authorisation REFERENCES batch_authorisation,
      bytes    bytea NOT NULL,
      sha256   bytea NOT NULL GENERATED ALWAYS AS (sha256(bytes)) STORED,
      made_at  timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    -- We are about to send: written and committed before anything leaves the house. No end: we do not know.
    CREATE TABLE sending (
      batch_id uuid NOT NULL CONSTRAINT fk_sending_file REFERENCES payment_file,
      attempt  smallint NOT NULL CONSTRAINT ck_sending_attempt CHECK (attempt >= 1),
      by_hand  uuid,
      began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_sending PRIMARY KEY (batch_id, attempt)
    );
    CREATE TABLE sending_end (
      batch_id uuid NOT NULL,
      attempt  smallint NOT NULL,
      outcome  text NOT NULL CONSTRAINT ck_sending_end_outcome CHECK (outcome IN ('accepted', 'refused', 'not_sent')),
      answer   text NOT NULL DEFAULT '',
      said_by  uuid,
      ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_sending_end PRIMARY KEY (batch_id, attempt),
      CONSTRAINT fk_sending_end_sending FOREIGN KEY (batch_id, attempt) REFERENCES sending (batch_id, attempt)
    );
    -- What came from the bank, as it came, once each.
    CREATE TABLE bank_message (
      id          uuid PRIMARY KEY,
      kind        text NOT NULL CONSTRAINT ck_bank_message_kind
                    CHECK (kind IN ('pain.002', 'camt.054', 'camt.053', 'pacs.004')),
      message_id  text NOT NULL,
      about       text NOT NULL DEFAULT '',
      file_status text NOT NULL DEFAULT '',
      file_reason text NOT NULL DEFAULT '',
      bytes       bytea NOT NULL,
      received_by uuid,
      received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_bank_message UNIQUE (kind, message_id)
    );
    CREATE INDEX ix_bank_message_about ON bank_message (about) WHERE about <> '';
    -- The bank's word on one payment of a file, before any money is booked.
    CREATE TABLE payment_status (
      release_id      uuid NOT NULL CONSTRAINT fk_payment_status_release REFERENCES release,
      bank_message_id uuid NOT NULL CONSTRAINT fk_payment_status_message REFERENCES bank_message,
      status          text NOT NULL,
      reason          text NOT NULL DEFAULT '',
      CONSTRAINT pk_payment_status PRIMARY KEY (release_id, bank_message_id)
    );
    CREATE TABLE statement (
      statement_id    text CONSTRAINT pk_statement PRIMARY KEY,
      bank_message_id uuid NOT NULL CONSTRAINT fk_statement_message REFERENCES bank_message,
      opening_pence   bigint NOT NULL,
      closing_pence   bigint NOT NULL,
      gap_pence       bigint NOT NULL
    );
    CREATE TABLE statement_line (
      id              uuid PRIMARY KEY,
      statement_id    text NOT NULL CONSTRAINT fk_statement_line_statement REFERENCES statement,
      number          integer NOT NULL,
      is_debit        boolean NOT NULL,
      amount_pence    bigint NOT NULL CONSTRAINT ck_statement_line_amount CHECK (amount_pence > 0),
      booked_on       date NOT NULL,
      end_to_end_id   text,
      bank_reference  text NOT NULL,
      reason          text NOT NULL DEFAULT '',
      CONSTRAINT uq_statement_line UNIQUE (statement_id, number)
    );
    CREATE INDEX ix_statement_line_reference ON statement_line (end_to_end_id);
    CREATE INDEX ix_statement_line_booked ON statement_line (booked_on, id);
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
    op.execute(FACTS)
    for name, table, must_hold, sentence in RULES:
        op.execute(f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        BEGIN
          IF ({must_hold}) IS NOT TRUE THEN
            RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = '{name}', TABLE = '{table}', MESSAGE = '{sentence}';
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}();
        """)


def downgrade() -> None:
    """Take all of it away."""
    for name, table, *_rest in RULES:
        op.execute(f"DROP TRIGGER {name} ON {table}")
    op.execute(f"DROP TABLE {', '.join(reversed(PERMANENT))}")
    for name, *_rest in RULES:
        op.execute(f"DROP FUNCTION {name}()")
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")


FACTS = """
-- The account is still the one that was approved, may still receive the money, and its checks still stand.
CREATE FUNCTION release_is_fresh(of_release uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT r.payee_id = (SELECT n.id FROM payee n WHERE n.award_id = a.id ORDER BY n.version DESC LIMIT 1)
     AND may_receive_for(p.organisation_id, a.organisation_id)
     AND check_stands(p.organisation_id, 'bank_account', p.bank_account_id)
     AND check_stands(p.organisation_id, 'identity', NULL) AND check_stands(p.organisation_id, 'sanctions', NULL)
  FROM release r JOIN payee p ON p.id = r.payee_id JOIN award a ON a.id = p.award_id WHERE r.id = of_release
$$;

-- Whoever acts on a batch waits for the batch and for the awards of its lines, in one order: an account cannot be
-- changed between the look and the authorisation.
CREATE FUNCTION wait_for_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM FROM batch WHERE id = NEW.batch_id FOR NO KEY UPDATE;
  PERFORM FROM award WHERE id IN (
    SELECT p.award_id FROM batch_line l JOIN release r ON r.id = l.release_id JOIN payee p ON p.id = r.payee_id
    WHERE l.batch_id = NEW.batch_id) ORDER BY id FOR NO KEY UPDATE;
  RETURN NEW;
END $$;
CREATE TRIGGER b_wait BEFORE INSERT ON batch_authorisation FOR EACH ROW EXECUTE FUNCTION wait_for_batch();
CREATE TRIGGER b_wait BEFORE INSERT ON batch_set_aside FOR EACH ROW EXECUTE FUNCTION wait_for_batch();
CREATE TRIGGER b_wait BEFORE INSERT ON sending FOR EACH ROW EXECUTE FUNCTION wait_for_batch();
CREATE TRIGGER b_wait BEFORE INSERT ON batch_line FOR EACH ROW EXECUTE FUNCTION wait_for_release();

-- The count, the total and the hash are those of the lines, when the transaction ends and for ever after: a line that
-- comes later disagrees. fund/bank/rules.py computes the same hash.
CREATE FUNCTION ck_batch_lines_agree() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE of_batch uuid := coalesce(to_jsonb(NEW) ->> 'batch_id', to_jsonb(NEW) ->> 'id')::uuid;
BEGIN
  IF (SELECT row(b.line_count, b.line_count, b.total_pence, b.lines_sha256) FROM batch b WHERE b.id = of_batch)
     IS DISTINCT FROM (
       SELECT row(count(*)::integer, max(l.number), sum(r.amount_pence)::bigint, sha256(convert_to(string_agg(
         r.end_to_end_id || ' ' || r.amount_pence || ' ' || encode(a.fingerprint, 'hex'), chr(10)
         ORDER BY r.end_to_end_id COLLATE "C"), 'UTF8')))
       FROM batch_line l JOIN release r ON r.id = l.release_id JOIN bank_account a ON a.id = r.bank_account_id
       WHERE l.batch_id = of_batch) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_batch_lines_agree', TABLE = 'batch',
      MESSAGE = 'a batch is its lines: their number, total and hash cannot change';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ck_batch_lines_agree AFTER INSERT ON batch DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ck_batch_lines_agree();
CREATE CONSTRAINT TRIGGER ck_batch_lines_agree AFTER INSERT ON batch_line DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ck_batch_lines_agree();
"""

_LINES = "batch_line l JOIN release r ON r.id = l.release_id JOIN payee p ON p.id = r.payee_id"

RULES = (
    ("ck_batch_capacity", "batch", "staff_holds(NEW.made_by, 'authoriser')", "an authoriser puts a batch together"),
    ("ck_batch_line_live", "batch_line",
     "NOT EXISTS (SELECT FROM release_end e WHERE e.release_id = NEW.release_id)",
     "a payment that has ended goes into no batch"),
    ("ck_batch_line_not_stale", "batch_line", "release_is_fresh(NEW.release_id)",
     "the account or its checks changed after approval"),

    ("ck_batch_set_aside_unauthorised", "batch_set_aside",
     "NOT EXISTS (SELECT FROM batch_authorisation a WHERE a.batch_id = NEW.batch_id)",
     "an authorised batch may be on its way"),
    ("ck_batch_authorisation_not_set_aside", "batch_authorisation",
     "NOT EXISTS (SELECT FROM batch_set_aside a WHERE a.batch_id = NEW.batch_id)",
     "a batch that was set aside cannot be authorised"),
    ("ck_batch_authorisation_capacity", "batch_authorisation", "staff_holds(NEW.authorised_by, 'authoriser')",
     "an authoriser authorises a batch"),
    ("ck_batch_authorisation_other_hand", "batch_authorisation", f"""NOT EXISTS (
       SELECT FROM {_LINES} JOIN evidence e ON e.stage_id = r.stage_id
         LEFT JOIN evidence_review v ON v.evidence_id = e.id
       WHERE l.batch_id = NEW.batch_id
         AND (r.approved_by = NEW.authorised_by OR v.reviewed_by = NEW.authorised_by
              OR e.sent_by = NEW.authorised_by))""",
     "a batch is authorised by somebody who accepted and approved none of it"),
    ("ck_batch_authorisation_interest", "batch_authorisation", f"""NOT EXISTS (
       SELECT FROM {_LINES} JOIN award a ON a.id = p.award_id WHERE l.batch_id = NEW.batch_id
         AND (staff_is_tied(NEW.authorised_by, a.organisation_id)
              OR staff_is_tied(NEW.authorised_by, p.organisation_id)))""",
     "nobody authorises a payment to a body in which they have an interest"),
    ("ck_batch_authorisation_not_stale", "batch_authorisation", """NOT EXISTS (
       SELECT FROM batch_line l WHERE l.batch_id = NEW.batch_id AND release_is_fresh(l.release_id) IS NOT TRUE)""",
     "the account or its checks changed after approval"),

    ("ck_sending_once", "sending", """NEW.attempt = 1 + (SELECT count(*) FROM sending s WHERE s.batch_id = NEW.batch_id)
       AND NOT EXISTS (SELECT FROM sending s LEFT JOIN sending_end e USING (batch_id, attempt)
                       WHERE s.batch_id = NEW.batch_id AND e.outcome IS DISTINCT FROM 'not_sent')""",
     "a file is sent once: again only when it is certain that the bank has not had it"),

    ("ck_statement_match_line", "statement_match", """EXISTS (
       SELECT FROM statement_line l JOIN release r ON r.end_to_end_id = l.end_to_end_id
       WHERE l.id = NEW.statement_line_id AND r.id = NEW.release_id AND r.amount_pence = l.amount_pence
         AND l.is_debit = (NEW.kind = 'settled'))""",
     "a line is matched by its reference, its amount and its side"),
    ("ck_statement_match_sent", "statement_match", """EXISTS (
       SELECT FROM batch_line l JOIN payment_file f ON f.batch_id = l.batch_id WHERE l.release_id = NEW.release_id)""",
     "only a payment of an authorised batch is matched"),

    ("ck_release_end_settled_by_statement", "release_end", """NEW.kind NOT IN ('settled', 'returned') OR EXISTS (
       SELECT FROM statement_match m JOIN statement_line l ON l.id = m.statement_line_id
       WHERE m.release_id = NEW.release_id AND m.kind = NEW.kind AND l.booked_on = NEW.booked_on)""",
     "a payment settles, or comes back, only by a line of the bank statement"),
    ("ck_release_end_refused_by_bank", "release_end", """NEW.kind <> 'refused' OR EXISTS (
       SELECT FROM payment_status s WHERE s.release_id = NEW.release_id AND s.status = 'RJCT')""",
     "a payment is refused only by the bank"),
    ("ck_release_end_withdrawn_unsent", "release_end", """NEW.kind <> 'withdrawn' OR NOT EXISTS (
       SELECT FROM batch_line l JOIN batch_authorisation a ON a.batch_id = l.batch_id
       WHERE l.release_id = NEW.release_id)""",
     "a payment of an authorised batch may be on its way"),
)
