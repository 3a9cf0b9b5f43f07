"""Who took part, the panel's agreed reasons, the closing of a sitting, and the decisions that follow from the rule.

All of it can be inserted in the role `fund_panel` alone; a decision stands for ever. `sitting_result` is the published
rule of fund/decisions/rules.py written again in SQL: the trigger on `decision` computes every score, rank, outcome and
amount by itself from the readers' locked scores, and refuses any row that says otherwise.
"""

from alembic import op

revision = "0009"
down_revision = "0008"

FUNCTIONS = (
    "hmac_sha256(bytea, bytea)", "rule_of_sitting(uuid, text)", "counted_score(uuid)", "sitting_scores(uuid)",
    "sitting_result(uuid, bigint, bytea)", "seat_decides(uuid, uuid)", "deciding(uuid)",
    "panel_available_pence(uuid)", "attendance_in()", "agreed_reason_in()", "sitting_close_in()",
    "sitting_close_decides()", "decision_in()", "decision_follows_rule()", "award_taken_up_in()",
    "withdrawal_before_decision()")

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
      rule_version    text NOT NULL CONSTRAINT ck_sitting_close_rule CHECK (rule_version = '2026-1'),
      -- The transaction that closes it: its decisions are written in the same one.
      closed_in       xid8 NOT NULL DEFAULT pg_current_xact_id()
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
      -- Who took part without an interest, as counted at the closing, and how many of them are residents.
      present        smallint NOT NULL,
      residents      smallint NOT NULL,
      leaf_id        uuid NOT NULL CONSTRAINT uq_decision_leaf UNIQUE
                       CONSTRAINT fk_decision_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
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
    for text in (THE_RULE, WHO_DECIDES, TAKING_PART, CLOSING, DECISIONS):
        op.execute(text)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TRIGGER before_decision ON withdrawal;
    DROP TABLE award_taken_up, decision, sitting_close, agreed_reason, attendance;
    """)
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")


THE_RULE = """
-- RFC 2104 with a key of at most 64 bytes; PostgreSQL's core has sha256 and no hmac.
CREATE FUNCTION hmac_sha256(key bytea, message bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE inner_pad bytea := decode(repeat('36', 64), 'hex'); outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
  FOR i IN 0 .. octet_length(key) - 1 LOOP
    inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(key, i));
    outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(key, i));
  END LOOP;
  RETURN sha256(outer_pad || sha256(inner_pad || message));
END $$;

-- A number of the round's rules, or the fund's own where the round names none.
CREATE FUNCTION rule_of_sitting(sitting uuid, name text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT coalesce((r.rules ->> name)::int,
                  CASE name WHEN 'threshold' THEN 50 WHEN 'quorum' THEN 5 WHEN 'fewest_counted' THEN 2 END)
  FROM sitting t JOIN round r ON r.id = t.round_id WHERE t.id = sitting
$$;

-- The scores that count: of readers who locked and have no interest that keeps them out, as last saved.
CREATE FUNCTION counted_score(sitting uuid)
RETURNS TABLE (application_id uuid, seat_id uuid, criterion_id uuid, points smallint) LANGUAGE sql STABLE AS $$
  SELECT DISTINCT ON (s.assignment_id, s.criterion_id) a.application_id, a.seat_id, s.criterion_id, s.points
  FROM sitting_application x
    JOIN assignment a ON a.application_id = x.application_id
    JOIN score_lock l ON l.assignment_id = a.id
    JOIN score s ON s.assignment_id = a.id
  WHERE x.sitting_id = sitting AND seat_consequence(a.application_id, a.seat_id) IN ('none', 'note_only')
    AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = a.application_id)
  ORDER BY s.assignment_id, s.criterion_id, s.version DESC
$$;

-- Twice the median, times the weight, summed: tenths of a score out of 100, exactly.
CREATE FUNCTION sitting_scores(sitting uuid) RETURNS TABLE (application_id uuid, counted int, score_tenths int)
LANGUAGE sql STABLE AS $$
  WITH by_criterion AS (
    SELECT c.application_id, c.criterion_id, array_agg(c.points::int ORDER BY c.points) AS p, count(*)::int AS n
    FROM counted_score(sitting) c GROUP BY c.application_id, c.criterion_id)
  SELECT b.application_id, min(b.n), sum(k.weight * (b.p[(b.n + 1) / 2] + b.p[b.n / 2 + 1]))::int
  FROM by_criterion b JOIN criterion k ON k.id = b.criterion_id GROUP BY b.application_id
$$;

CREATE FUNCTION sitting_result(sitting uuid, available bigint, seed bytea)
RETURNS TABLE (application_id uuid, score_tenths int, rank int, outcome text, amount_pence bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  a record; threshold int := rule_of_sitting(sitting, 'threshold') * 10;
  part_funding boolean := coalesce((SELECT (r.rules ->> 'part_funding')::boolean FROM sitting t
                                    JOIN round r ON r.id = t.round_id WHERE t.id = sitting), true);
BEGIN
  rank := 0;
  FOR a IN
    SELECT x.application_id, s.score_tenths, u.asked_pence, u.least_pence
    FROM sitting_application x
      JOIN application p ON p.id = x.application_id
      JOIN submission u ON u.application_id = x.application_id
      LEFT JOIN sitting_scores(sitting) s ON s.application_id = x.application_id
    WHERE x.sitting_id = sitting
      AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
    ORDER BY s.score_tenths DESC, x.need_rank, u.asked_pence,
             hmac_sha256(seed, convert_to(p.reference, 'UTF8'))
  LOOP
    rank := rank + 1;
    application_id := a.application_id;
    score_tenths := a.score_tenths;
    amount_pence := 0;
    IF a.score_tenths IS NULL THEN
      outcome := NULL;
    ELSIF a.score_tenths < threshold THEN
      outcome := 'declined';
    ELSIF a.asked_pence <= available THEN
      outcome := 'awarded'; amount_pence := a.asked_pence;
    ELSIF a.least_pence <= available AND part_funding THEN
      outcome := 'part_awarded'; amount_pence := available;
    ELSE
      outcome := 'reserve';
    END IF;
    available := available - amount_pence;
    RETURN NEXT;
  END LOOP;
END $$;
"""

WHO_DECIDES = """
-- A seat decides an application when it takes part, serves, and said of it that nothing keeps it out.
CREATE FUNCTION seat_decides(seat_id uuid, application uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT seat_serves(s) AND NOT is_staff(s.person_id) AND NOT has_stake(application, s.person_id)
     AND coalesce(seat_consequence(application, s.id) IN ('none', 'note_only'), false)
  FROM seat s WHERE s.id = seat_id
$$;

CREATE FUNCTION deciding(sitting uuid)
RETURNS TABLE (application_id uuid, present int, residents int) LANGUAGE sql STABLE AS $$
  SELECT x.application_id, count(s.id)::int, (count(s.id) FILTER (WHERE s.is_resident))::int
  FROM sitting_application x
    LEFT JOIN attendance t ON t.sitting_id = x.sitting_id AND seat_decides(t.seat_id, x.application_id)
    LEFT JOIN seat s ON s.id = t.seat_id
  WHERE x.sitting_id = sitting AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
  GROUP BY x.application_id
$$;

-- What the panel's allocation still holds in the ledger, less what it has awarded and nobody has been offered yet;
-- no more than the panel put into this sitting, if it said so.
CREATE FUNCTION panel_available_pence(sitting uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT greatest(0, least((SELECT p.pot_pence FROM sitting_pot p WHERE p.sitting_id = t.id),
       coalesce((SELECT b.credits_posted_pence - b.debits_posted_pence - b.debits_pending_pence
                   FROM ledger.account k JOIN ledger.balance b ON b.account_id = k.id
                   WHERE k.code = '4000/' || n.code), 0)
       - coalesce((SELECT sum(d.amount_pence) FROM decision d JOIN sitting o ON o.id = d.sitting_id
                   JOIN round q ON q.id = o.round_id
                   WHERE q.neighbourhood_id = n.id AND d.sitting_id <> t.id
                     AND NOT EXISTS (SELECT FROM award_taken_up w WHERE w.decision_id = d.id)), 0)::bigint))
  FROM sitting t JOIN round r ON r.id = t.round_id JOIN neighbourhood n ON n.id = r.neighbourhood_id
  WHERE t.id = sitting
$$;
"""

TAKING_PART = """
CREATE FUNCTION attendance_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat;
BEGIN
  s := seat_acts(NEW.seat_id);
  PERFORM sitting_is_open(NEW.sitting_id, false);
  IF s.panel_id IS DISTINCT FROM sitting_panel(NEW.sitting_id) THEN
    PERFORM panel_refuses('ck_attendance_own_panel', 'a member takes part in sittings of their own panel');
  END IF;
  NEW.joined_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER by_holder BEFORE INSERT ON attendance FOR EACH ROW EXECUTE FUNCTION attendance_in();

-- The chair writes down what the panel agreed; where the chair is kept out, another seat does.
CREATE FUNCTION agreed_reason_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat; t uuid;
BEGIN
  s := seat_acts(NEW.seat_id);
  SELECT sitting_id INTO t FROM sitting_application WHERE application_id = NEW.application_id;
  PERFORM sitting_is_open(t, false);
  IF s.panel_id IS DISTINCT FROM sitting_panel(t) OR NOT (s.is_chair OR EXISTS (
       SELECT FROM seat c WHERE c.panel_id = s.panel_id AND c.is_chair AND c.ended_at IS NULL
       AND NOT seat_decides(c.id, NEW.application_id)
       AND seat_consequence(NEW.application_id, c.id) IS NOT NULL)) THEN
    PERFORM panel_refuses('ck_agreed_reason_by_chair', 'the chair writes down what the panel agreed', '42501');
  END IF;
  IF NOT seat_decides(s.id, NEW.application_id) THEN
    PERFORM panel_refuses('ck_agreed_reason_unconflicted', 'who is kept out writes no reasons');
  END IF;
  IF NEW.version <> 1 + coalesce((SELECT max(o.version) FROM agreed_reason o WHERE o.application_id = NEW.application_id
                                  AND o.criterion_id = NEW.criterion_id), 0) THEN
    PERFORM panel_refuses('ck_agreed_reason_next_version', 'the versions of a reason follow one another');
  END IF;
  IF NOT EXISTS (SELECT FROM application p JOIN criterion c ON c.round_id = p.round_id
                 WHERE p.id = NEW.application_id AND c.id = NEW.criterion_id) THEN
    PERFORM panel_refuses('ck_agreed_reason_own_criterion', 'reasons are given for the criteria of the round');
  END IF;
  NEW.agreed_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER by_chair BEFORE INSERT ON agreed_reason FOR EACH ROW EXECUTE FUNCTION agreed_reason_in();
"""

CLOSING = """
CREATE FUNCTION sitting_close_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE s seat; t sitting; serving int; residents int;
BEGIN
  s := seat_acts(NEW.closed_by);
  PERFORM sitting_is_open(NEW.sitting_id, true);
  SELECT * INTO t FROM sitting WHERE id = NEW.sitting_id;
  NEW.closed_at := clock_timestamp();
  NEW.closed_in := pg_current_xact_id();
  IF NOT s.is_chair OR s.panel_id IS DISTINCT FROM sitting_panel(t.id) THEN
    PERFORM panel_refuses('ck_sitting_close_by_chair', 'the chair of the panel closes its sitting', '42501');
  END IF;
  IF NEW.closed_at < (SELECT r.closes_at FROM round r WHERE r.id = t.round_id) THEN
    PERFORM panel_refuses('ck_sitting_close_after_round', 'the round is still open');
  END IF;
  IF NEW.seed IS DISTINCT FROM (SELECT x.seed FROM sitting_seed x WHERE x.sitting_id = t.id) THEN
    PERFORM panel_refuses('ck_sitting_close_seed', 'this is not the seed that was committed to');
  END IF;
  IF NEW.available_pence IS DISTINCT FROM panel_available_pence(t.id) THEN
    PERFORM panel_refuses('ck_sitting_close_available_true', 'the ledger has another sum for this panel');
  END IF;
  SELECT count(*), count(*) FILTER (WHERE m.is_resident) INTO serving, residents
    FROM seat m WHERE m.panel_id = s.panel_id AND seat_serves(m) AND NOT is_staff(m.person_id);
  IF serving < 8 OR residents * 100 < 51 * serving THEN
    PERFORM panel_refuses('ck_sitting_close_strength', 'the panel is below strength');
  END IF;
  IF EXISTS (
    SELECT FROM sitting_application x JOIN assignment a ON a.application_id = x.application_id
    WHERE x.sitting_id = t.id
      AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
      AND NOT EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = a.id)
      AND NOT EXISTS (SELECT FROM score_release l WHERE l.assignment_id = a.id)
      AND coalesce(seat_consequence(a.application_id, a.seat_id) NOT IN ('no_scoring', 'out_of_room'), true)
      AND NOT (NEW.closed_at >= t.scoring_closes_at
               AND (SELECT count(*) FROM score_reminder r WHERE r.assignment_id = a.id) >= 2)) THEN
    PERFORM panel_refuses('ck_sitting_close_unfinished', 'a reader has not finished, and was not let go');
  END IF;
  IF EXISTS (SELECT FROM deciding(t.id) d LEFT JOIN sitting_scores(t.id) c USING (application_id)
             WHERE coalesce(c.counted, 0) < rule_of_sitting(t.id, 'fewest_counted')) THEN
    PERFORM panel_refuses('ck_sitting_close_scores', 'an application has too few scores that count');
  END IF;
  IF EXISTS (SELECT FROM deciding(t.id) d
             WHERE d.present < rule_of_sitting(t.id, 'quorum') OR d.residents * 2 <= d.present) THEN
    PERFORM panel_refuses('ck_sitting_close_quorum', 'too few take part, or residents are not the majority of them');
  END IF;
  IF EXISTS (SELECT FROM deciding(t.id) d JOIN application p ON p.id = d.application_id
               JOIN criterion c ON c.round_id = p.round_id
             WHERE NOT EXISTS (SELECT FROM agreed_reason g
                               WHERE g.application_id = p.id AND g.criterion_id = c.id)) THEN
    PERFORM panel_refuses('ck_sitting_close_reasons', 'an application has no agreed reason for a criterion');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER may_close BEFORE INSERT ON sitting_close FOR EACH ROW EXECUTE FUNCTION sitting_close_in();

-- At the end of the transaction every application of the sitting has its decision, and there was one at least.
CREATE FUNCTION sitting_close_decides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM decision d WHERE d.sitting_id = NEW.sitting_id) THEN
    PERFORM panel_refuses('ck_sitting_close_decides', 'a sitting closes with its decisions');
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER decides AFTER INSERT ON sitting_close DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sitting_close_decides();
"""

DECISIONS = """
CREATE FUNCTION decision_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c sitting_close;
BEGIN
  SELECT * INTO c FROM sitting_close WHERE sitting_id = NEW.sitting_id;
  PERFORM seat_acts(c.closed_by);
  IF c.closed_in IS DISTINCT FROM pg_current_xact_id() THEN
    PERFORM panel_refuses('ck_decision_with_its_close', 'decisions are written when their sitting closes, not after');
  END IF;
  IF NEW.amount_pence > (SELECT u.asked_pence FROM submission u WHERE u.application_id = NEW.application_id) THEN
    PERFORM panel_refuses('ck_decision_within_ask', 'nobody is awarded more than they asked for');
  END IF;
  IF NOT EXISTS (SELECT FROM deciding(NEW.sitting_id) d WHERE d.application_id = NEW.application_id
                 AND d.present = NEW.present AND d.residents = NEW.residents) THEN
    PERFORM panel_refuses('ck_decision_quorum_counted', 'another number of members takes part');
  END IF;
  NEW.decided_at := c.closed_at;
  RETURN NEW;
END $$;
CREATE TRIGGER with_its_close BEFORE INSERT ON decision FOR EACH ROW EXECUTE FUNCTION decision_in();

-- All decisions of a sitting come in one statement, and each says exactly what the rule gives.
CREATE FUNCTION decision_follows_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE c sitting_close; r record;
BEGIN
  FOR c IN SELECT * FROM sitting_close x WHERE x.sitting_id IN (SELECT sitting_id FROM new_decision) LOOP
    IF (SELECT sum(d.amount_pence) FROM decision d WHERE d.sitting_id = c.sitting_id) > c.available_pence THEN
      PERFORM panel_refuses('ck_decision_within_available', 'more is awarded than the panel has');
    END IF;
    FOR r IN
      SELECT d.id, e.application_id, d.score_tenths = e.score_tenths AS score, d.rank = e.rank AS rank,
             d.outcome = e.outcome AND d.amount_pence = e.amount_pence AS outcome
      FROM sitting_result(c.sitting_id, c.available_pence, c.seed) e
        FULL JOIN (SELECT * FROM decision x WHERE x.sitting_id = c.sitting_id) d USING (application_id)
    LOOP
      IF r.id IS NULL OR r.score IS NULL THEN
        PERFORM panel_refuses('ck_decision_complete', 'a sitting decides its own applications, all of them');
      ELSIF NOT r.score THEN
        PERFORM panel_refuses('ck_decision_score_recomputed', 'the readers'' scores give another score');
      ELSIF NOT r.rank THEN
        PERFORM panel_refuses('ck_decision_rank_recomputed', 'the published order gives another rank');
      ELSIF NOT r.outcome THEN
        PERFORM panel_refuses('ck_decision_outcome_recomputed', 'the published rule gives another outcome');
      END IF;
    END LOOP;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER follows_rule AFTER INSERT ON decision REFERENCING NEW TABLE AS new_decision
  FOR EACH STATEMENT EXECUTE FUNCTION decision_follows_rule();

CREATE FUNCTION award_taken_up_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM decision d WHERE d.id = NEW.decision_id AND d.amount_pence > 0) THEN
    PERFORM panel_refuses('ck_award_taken_up_awarded', 'only an award is taken up');
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER awarded BEFORE INSERT ON award_taken_up FOR EACH ROW EXECUTE FUNCTION award_taken_up_in();

-- An application can be withdrawn until it is decided.
CREATE FUNCTION withdrawal_before_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE t uuid;
BEGIN
  SELECT sitting_id INTO t FROM sitting_application WHERE application_id = NEW.application_id;
  IF t IS NOT NULL THEN PERFORM sitting_is_open(t, false); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER before_decision BEFORE INSERT ON withdrawal FOR EACH ROW EXECUTE FUNCTION withdrawal_before_decision();
"""
