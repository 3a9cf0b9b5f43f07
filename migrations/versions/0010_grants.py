"""Awards, agreements, payees, stages, evidence, and the release of a stage.

A release is the payment instruction: its reference to the bank is minted once, when it is approved. A stage has one
live release at most; another can follow only when the one before it came back, was turned down or was withdrawn.

The triggers repeat fund/grants/rules.py. Each is a rule of its own with a name of its own (`CONSTRAINT = …`, SQLSTATE
23514), so that one can be dropped and the attack that it refuses tried. What concerns one stage waits for the row of
the stage, so two people who act at the same moment act one after the other.
"""

from alembic import op

revision = "0010"
down_revision = "0009"

PERMANENT = ("award", "award_end", "agreement", "payee", "stage", "evidence", "evidence_file", "evidence_review",
             "release", "release_step", "release_end", "offer_reminder")

FUNCTIONS = ("staff_holds(uuid, text)", "staff_is_tied(uuid, uuid)", "acts_for(uuid, uuid)",
             "may_receive_for(uuid, uuid)", "check_stands(uuid, text, uuid)", "grantee_of(uuid)", "stamp_grants()",
             "wait_for_award()", "wait_for_stage()", "wait_for_release()", "ck_award_stages_sum()")


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
    CREATE INDEX ix_award_organisation ON award (organisation_id, offered_at);
    -- An offer that lapsed or was declined by the group, or a grant that ended.
    CREATE TABLE award_end (
      award_id uuid CONSTRAINT pk_award_end PRIMARY KEY CONSTRAINT fk_award_end_award REFERENCES award,
      kind     text NOT NULL CONSTRAINT ck_award_end_kind CHECK (kind IN ('lapsed', 'declined_by_group', 'withdrawn')),
      entry_id uuid NOT NULL,
      ended_by uuid,
      ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT ck_award_end_by CHECK ((ended_by IS NULL) = (kind = 'lapsed'))
    );
    CREATE TABLE offer_reminder (
      award_id uuid NOT NULL CONSTRAINT fk_offer_reminder_award REFERENCES award,
      number   smallint NOT NULL CONSTRAINT ck_offer_reminder_number CHECK (number >= 1),
      sent_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_offer_reminder PRIMARY KEY (award_id, number)
    );
    CREATE TABLE agreement (
      award_id      uuid CONSTRAINT pk_agreement PRIMARY KEY CONSTRAINT fk_agreement_award REFERENCES award,
      terms_version text NOT NULL CONSTRAINT ck_agreement_terms CHECK (length(terms_version) BETWEEN 1 AND 20),
      spending_plan text NOT NULL CONSTRAINT ck_agreement_plan CHECK (length(btrim(spending_plan)) > 0),
      signed_by     uuid NOT NULL,
      signed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
      entry_id      uuid NOT NULL CONSTRAINT uq_agreement_entry UNIQUE
    );
    -- Into whose account the money goes: the group's own or its host's. The newest row counts.
    CREATE TABLE payee (
      id              uuid PRIMARY KEY,
      award_id        uuid NOT NULL CONSTRAINT fk_payee_award REFERENCES award,
      version         smallint NOT NULL CONSTRAINT ck_payee_version CHECK (version >= 1),
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
      CONSTRAINT uq_stage_number UNIQUE (award_id, number)
    );

    CREATE TABLE evidence (
      id           uuid PRIMARY KEY,
      stage_id     uuid NOT NULL CONSTRAINT fk_evidence_stage REFERENCES stage,
      number       smallint NOT NULL CONSTRAINT ck_evidence_number CHECK (number >= 1),
      story        text NOT NULL CONSTRAINT ck_evidence_story CHECK (length(btrim(story)) > 0),
      sent_by      uuid NOT NULL,
      sent_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_evidence_number UNIQUE (stage_id, number)
    );
    CREATE TABLE evidence_file (
      evidence_id uuid NOT NULL CONSTRAINT fk_evidence_file_evidence REFERENCES evidence,
      file_id     uuid NOT NULL,
      sha256      bytea NOT NULL CONSTRAINT ck_evidence_file_sha256 CHECK (octet_length(sha256) = 32),
      CONSTRAINT pk_evidence_file PRIMARY KEY (evidence_id, file_id)
    );
    CREATE INDEX ix_evidence_file_sha256 ON evidence_file (sha256);
    CREATE INDEX ix_evidence_file_file ON evidence_file (file_id);
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
    -- How far the payment has come, for the group to follow, once each.
    CREATE TABLE release_step (
      release_id uuid NOT NULL CONSTRAINT fk_release_step_release REFERENCES release,
      step       text NOT NULL CONSTRAINT ck_release_step_step
                   CHECK (step IN ('in_batch', 'authorised', 'sent', 'accepted_by_bank')),
      reached_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT pk_release_step PRIMARY KEY (release_id, step)
    );
    CREATE TABLE release_end (
      id             uuid PRIMARY KEY,
      release_id     uuid NOT NULL CONSTRAINT fk_release_end_release REFERENCES release,
      kind           text NOT NULL CONSTRAINT ck_release_end_kind
                       CHECK (kind IN ('settled', 'refused', 'returned', 'withdrawn')),
      bank_reason    text NOT NULL DEFAULT '',
      bank_reference text NOT NULL DEFAULT '',
      booked_on      date NOT NULL,
      entry_id       uuid NOT NULL CONSTRAINT uq_release_end_entry UNIQUE,
      recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT uq_release_end_kind UNIQUE (release_id, kind)
    );
    CREATE INDEX ix_release_end_recorded ON release_end (recorded_at, id);
    """)
    for table in PERMANENT:
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)
    op.execute(FACTS)
    op.execute(WAITING)
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
    op.execute(f"DROP TABLE {', '.join(reversed(PERMANENT))}")
    for name, *_rest in RULES:
        op.execute(f"DROP FUNCTION {name}()")
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")


FACTS = """
CREATE FUNCTION staff_holds(person uuid, wanted text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM capacity c WHERE c.person_id = person AND c.capacity = wanted AND c.ended_at IS NULL)
$$;

-- Declared, or a member of it.
CREATE FUNCTION staff_is_tied(person uuid, organisation uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM staff_interest i
                 WHERE i.person_id = person AND i.organisation_id = organisation AND i.ended_at IS NULL)
      OR EXISTS (SELECT FROM membership m
                 WHERE m.person_id = person AND m.organisation_id = organisation AND m.ended_at IS NULL)
$$;

CREATE FUNCTION acts_for(person uuid, organisation uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM membership m
                 WHERE m.person_id = person AND m.organisation_id = organisation AND m.ended_at IS NULL AND m.may_sign)
$$;

CREATE FUNCTION may_receive_for(payee uuid, grantee uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT payee = grantee OR EXISTS (
    SELECT FROM host_agreement h
    WHERE h.group_id = grantee AND h.host_id = payee AND h.agreed_at IS NOT NULL AND h.ended_at IS NULL)
$$;

-- The newest check of its kind counts: a failed one undoes a passed one before it.
CREATE FUNCTION check_stands(organisation uuid, of_kind text, account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT c.passed AND c.expires_on >= (clock_timestamp() AT TIME ZONE 'Europe/London')::date
    FROM organisation_check c WHERE c.organisation_id = organisation AND c.kind = of_kind
      AND c.bank_account_id IS NOT DISTINCT FROM account ORDER BY c.made_at DESC, c.id LIMIT 1), false)
$$;

CREATE FUNCTION grantee_of(of_stage uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT a.organisation_id FROM award a JOIN stage s ON s.award_id = a.id WHERE s.id = of_stage
$$;

-- The moment is the database's, whatever the row says.
CREATE FUNCTION stamp_grants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'agreement' THEN NEW.signed_at := clock_timestamp();
    WHEN 'evidence_review' THEN NEW.reviewed_at := clock_timestamp();
    WHEN 'release' THEN NEW.approved_at := clock_timestamp();
    ELSE NEW.recorded_at := clock_timestamp();
  END CASE;
  RETURN NEW;
END $$;
CREATE TRIGGER a_stamp BEFORE INSERT ON agreement FOR EACH ROW EXECUTE FUNCTION stamp_grants();
CREATE TRIGGER a_stamp BEFORE INSERT ON evidence_review FOR EACH ROW EXECUTE FUNCTION stamp_grants();
CREATE TRIGGER a_stamp BEFORE INSERT ON release FOR EACH ROW EXECUTE FUNCTION stamp_grants();
CREATE TRIGGER a_stamp BEFORE INSERT ON release_end FOR EACH ROW EXECUTE FUNCTION stamp_grants();
"""

# Before any rule looks: whoever acts on the same award or stage goes first or second, never at once.
WAITING = """
CREATE FUNCTION wait_for_award() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM FROM award WHERE id = NEW.award_id FOR NO KEY UPDATE;
  RETURN NEW;
END $$;
CREATE FUNCTION wait_for_stage() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM FROM stage WHERE id = (CASE TG_TABLE_NAME
    WHEN 'evidence_review' THEN (SELECT e.stage_id FROM evidence e
                                 WHERE e.id = (to_jsonb(NEW) ->> 'evidence_id')::uuid)
    ELSE (to_jsonb(NEW) ->> 'stage_id')::uuid END) FOR NO KEY UPDATE;
  RETURN NEW;
END $$;
CREATE FUNCTION wait_for_release() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  PERFORM FROM release WHERE id = NEW.release_id FOR NO KEY UPDATE;
  RETURN NEW;
END $$;
CREATE TRIGGER b_wait BEFORE INSERT ON award_end FOR EACH ROW EXECUTE FUNCTION wait_for_award();
CREATE TRIGGER b_wait BEFORE INSERT ON agreement FOR EACH ROW EXECUTE FUNCTION wait_for_award();
CREATE TRIGGER b_wait BEFORE INSERT ON payee FOR EACH ROW EXECUTE FUNCTION wait_for_award();
CREATE TRIGGER b_wait BEFORE INSERT ON evidence FOR EACH ROW EXECUTE FUNCTION wait_for_stage();
CREATE TRIGGER b_wait BEFORE INSERT ON evidence_review FOR EACH ROW EXECUTE FUNCTION wait_for_stage();
CREATE TRIGGER b_wait BEFORE INSERT ON release FOR EACH ROW EXECUTE FUNCTION wait_for_stage();
CREATE TRIGGER b_wait BEFORE INSERT ON release_end FOR EACH ROW EXECUTE FUNCTION wait_for_release();

-- Stages come with their award and sum to it, to the penny, when the transaction ends.
CREATE FUNCTION ck_award_stages_sum() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE of_award uuid := coalesce(to_jsonb(NEW) ->> 'award_id', to_jsonb(NEW) ->> 'id')::uuid;
BEGIN
  IF (SELECT coalesce(sum(s.amount_pence), 0) FROM stage s WHERE s.award_id = of_award)
     IS DISTINCT FROM (SELECT a.amount_pence FROM award a WHERE a.id = of_award) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_award_stages_sum', TABLE = 'award',
      MESSAGE = 'the stages of an award sum to it';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ck_award_stages_sum AFTER INSERT ON award DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ck_award_stages_sum();
CREATE CONSTRAINT TRIGGER ck_award_stages_sum AFTER INSERT ON stage DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION ck_award_stages_sum();
"""

#: (name, table, what must hold for the new row, what is said when it does not), in the order of a grant's life.
RULES = (
    ("ck_award_as_decided", "award", """EXISTS (
       SELECT FROM decision d JOIN submission s ON s.application_id = d.application_id
       WHERE d.id = NEW.decision_id AND d.application_id = NEW.application_id
         AND d.outcome IN ('awarded', 'part_awarded') AND d.amount_pence = NEW.amount_pence
         AND s.organisation_id = NEW.organisation_id)""",
     "an award gives what the panel decided, to whom the panel decided"),

    ("ck_agreement_offer_open", "agreement", "NOT EXISTS (SELECT FROM award_end e WHERE e.award_id = NEW.award_id)",
     "an offer that has ended cannot be signed"),
    ("ck_agreement_in_time", "agreement", """(SELECT a.lapses_on >=
       (clock_timestamp() AT TIME ZONE 'Europe/London')::date FROM award a WHERE a.id = NEW.award_id)""",
     "an offer is signed before it lapses"),
    ("ck_agreement_signatory", "agreement",
     "(SELECT acts_for(NEW.signed_by, a.organisation_id) FROM award a WHERE a.id = NEW.award_id)",
     "somebody who may sign for the group signs its agreement"),
    ("ck_award_end_unsigned", "award_end", """(NEW.kind = 'withdrawn') =
       EXISTS (SELECT FROM agreement g WHERE g.award_id = NEW.award_id)""",
     "only an offer lapses or is declined, only a signed grant is withdrawn"),
    ("ck_award_end_no_live_release", "award_end", """NOT EXISTS (
       SELECT FROM release r JOIN stage s ON s.id = r.stage_id WHERE s.award_id = NEW.award_id
         AND NOT EXISTS (SELECT FROM release_end e WHERE e.release_id = r.id))""",
     "a grant cannot end while a payment of it is on its way"),

    ("ck_payee_grantee_or_host", "payee",
     "(SELECT may_receive_for(NEW.organisation_id, a.organisation_id) FROM award a WHERE a.id = NEW.award_id)",
     "money goes to the group or to a host that agreed to receive it"),
    ("ck_payee_account_of_payee", "payee", """EXISTS (SELECT FROM bank_account b
       WHERE b.id = NEW.bank_account_id AND b.organisation_id = NEW.organisation_id)""",
     "the account belongs to the payee"),
    ("ck_payee_signatory", "payee",
     "(SELECT acts_for(NEW.chosen_by, a.organisation_id) FROM award a WHERE a.id = NEW.award_id)",
     "somebody who may sign for the group says where its money goes"),

    ("ck_evidence_after_agreement", "evidence", """EXISTS (
       SELECT FROM stage s JOIN agreement g ON g.award_id = s.award_id WHERE s.id = NEW.stage_id
         AND NOT EXISTS (SELECT FROM award_end e WHERE e.award_id = s.award_id))""",
     "evidence is shown for a grant that is signed and has not ended"),
    ("ck_evidence_of_the_group", "evidence",
     """EXISTS (SELECT FROM membership m WHERE m.person_id = NEW.sent_by AND m.ended_at IS NULL
       AND m.organisation_id = grantee_of(NEW.stage_id))""",
     "somebody of the group shows its evidence"),
    ("ck_evidence_one_at_a_time", "evidence", """NEW.number = 1 + (
       SELECT count(*) FROM evidence e WHERE e.stage_id = NEW.stage_id)
       AND NOT EXISTS (SELECT FROM evidence e LEFT JOIN evidence_review r ON r.evidence_id = e.id
                       WHERE e.stage_id = NEW.stage_id AND (r.evidence_id IS NULL OR r.accepted))""",
     "more evidence is shown only when more was asked for"),

    ("ck_evidence_review_other_hand", "evidence_review",
     "(SELECT e.sent_by <> NEW.reviewed_by FROM evidence e WHERE e.id = NEW.evidence_id)",
     "evidence is read by somebody other than who sent it"),
    ("ck_evidence_review_capacity", "evidence_review", "staff_holds(NEW.reviewed_by, 'officer')",
     "an officer reads evidence"),
    ("ck_evidence_review_interest", "evidence_review", """(
       SELECT NOT staff_is_tied(NEW.reviewed_by, grantee_of(e.stage_id)) AND NOT coalesce((
         SELECT staff_is_tied(NEW.reviewed_by, p.organisation_id) FROM payee p JOIN stage s ON s.award_id = p.award_id
         WHERE s.id = e.stage_id ORDER BY p.version DESC LIMIT 1), false)
       FROM evidence e WHERE e.id = NEW.evidence_id)""",
     "nobody reads the evidence of a group or payee in which they have an interest"),

    ("ck_stage_evidence_before_release", "release", """EXISTS (
       SELECT FROM evidence_review r JOIN evidence e ON e.id = r.evidence_id
       WHERE r.evidence_id = NEW.evidence_id AND r.accepted AND e.stage_id = NEW.stage_id)""",
     "a stage is released only when its evidence is accepted"),
    ("ck_release_grant_stands", "release", """EXISTS (
       SELECT FROM stage s JOIN agreement g ON g.award_id = s.award_id WHERE s.id = NEW.stage_id
         AND NOT EXISTS (SELECT FROM award_end e WHERE e.award_id = s.award_id))""",
     "nothing is paid without an agreement, or after its end"),
    ("ck_release_amount_of_stage", "release",
     "(SELECT s.amount_pence = NEW.amount_pence FROM stage s WHERE s.id = NEW.stage_id)",
     "a release pays what its stage says, to the penny"),
    ("ck_release_newest_payee", "release", """NEW.payee_id = (
       SELECT p.id FROM payee p JOIN stage s ON s.award_id = p.award_id WHERE s.id = NEW.stage_id
       ORDER BY p.version DESC LIMIT 1)
       AND NEW.bank_account_id = (SELECT p.bank_account_id FROM payee p WHERE p.id = NEW.payee_id)""",
     "money goes to the account that the group chose last"),
    ("ck_release_payee_entitled", "release", """(
       SELECT may_receive_for(p.organisation_id, a.organisation_id)
       FROM payee p JOIN award a ON a.id = p.award_id WHERE p.id = NEW.payee_id)""",
     "money goes to the group or to a host that agrees to receive it"),
    ("ck_release_checks_in_date", "release", """(
       SELECT check_stands(p.organisation_id, 'bank_account', p.bank_account_id)
          AND check_stands(p.organisation_id, 'identity', NULL)
          AND check_stands(p.organisation_id, 'sanctions', NULL) FROM payee p WHERE p.id = NEW.payee_id)""",
     "the payee and its account have passed every check, in date"),
    ("ck_release_other_hand", "release", """NOT EXISTS (
       SELECT FROM evidence_review r JOIN evidence e ON e.id = r.evidence_id
       WHERE e.stage_id = NEW.stage_id AND NEW.approved_by IN (r.reviewed_by, e.sent_by))""",
     "a payment is approved by somebody other than who accepted its evidence"),
    ("ck_release_capacity", "release", "staff_holds(NEW.approved_by, 'approver')", "an approver approves a payment"),
    ("ck_release_interest", "release", """(
       SELECT NOT staff_is_tied(NEW.approved_by, grantee_of(NEW.stage_id))
          AND NOT staff_is_tied(NEW.approved_by, p.organisation_id) FROM payee p WHERE p.id = NEW.payee_id)""",
     "nobody approves a payment to a body in which they have an interest"),
    ("ck_release_after_end", "release", """NEW.attempt = 1 + (
         SELECT count(*) FROM release r WHERE r.stage_id = NEW.stage_id)
       AND NOT EXISTS (
         SELECT FROM release r WHERE r.stage_id = NEW.stage_id
           AND NOT EXISTS (SELECT FROM release_end e WHERE e.release_id = r.id
                           AND e.kind IN ('refused', 'returned', 'withdrawn')))""",
     "a stage is paid once: again only after the bank refused or sent back the payment before"),
    ("ck_release_new_check_after_return", "release", """NOT EXISTS (
       SELECT FROM release r JOIN release_end e ON e.release_id = r.id JOIN payee p ON p.id = NEW.payee_id
       WHERE r.stage_id = NEW.stage_id AND e.kind = 'returned'
         AND (p.chosen_at < e.recorded_at OR NOT EXISTS (
           SELECT FROM organisation_check c WHERE c.kind = 'bank_account' AND c.bank_account_id = p.bank_account_id
             AND c.passed AND c.made_at > e.recorded_at)))""",
     "after a payment came back the account is chosen and checked anew"),

    ("ck_release_end_returned_after_settled", "release_end", """NEW.kind <> 'returned' OR EXISTS (
       SELECT FROM release_end e WHERE e.release_id = NEW.release_id AND e.kind = 'settled')""",
     "only a payment that settled can come back"),
    ("ck_release_end_once", "release_end", """NOT EXISTS (
       SELECT FROM release_end e WHERE e.release_id = NEW.release_id
         AND NOT (e.kind = 'settled' AND NEW.kind = 'returned'))""",
     "a payment ends once"),
    ("ck_award_not_overpaid", "release_end", """NEW.kind <> 'settled' OR (
       SELECT a.amount_pence >= r.amount_pence + coalesce((
         SELECT sum(CASE e.kind WHEN 'settled' THEN o.amount_pence WHEN 'returned' THEN -o.amount_pence ELSE 0 END)
         FROM release_end e JOIN release o ON o.id = e.release_id JOIN stage s ON s.id = o.stage_id
         WHERE s.award_id = a.id), 0)
       FROM release r JOIN stage t ON t.id = r.stage_id JOIN award a ON a.id = t.award_id
       WHERE r.id = NEW.release_id)""",
     "what settled, less what came back, is never more than the award"),
)
