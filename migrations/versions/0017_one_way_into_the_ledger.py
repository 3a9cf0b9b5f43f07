"""One way into the log and the ledger: functions that act as the owner, and no right to insert for anybody else.

Until now the application inserted leaves, entries and lines with rights of its own, and triggers compared what it said
with what it did. The rows were read out of the leaf's bytes by the same call, so the comparison could only ever be
true, and it cost more than the posting. Now the bytes of the leaf are all that the application can hand over: the
function makes the rows out of them, refuses bytes that could be read in two ways, moves the balances and takes the next
place. The tables keep every constraint, so a mistake in a function is refused like anybody's, and fsck compares every
row with its leaf.

Old code cannot run on this schema: it inserts by itself. Stop it before the migration. No row is touched.
"""

from alembic import op

revision = "0017"
down_revision = "0016"

#: The tables into which only the functions write, and which of the two writes there.
WRITTEN_BY = {"log.leaf": "'log', 'ledger'", "ledger.account": "'ledger'", "ledger.entry": "'ledger'",
              "ledger.transfer": "'ledger'", "ledger.period_close": "'ledger'"}


def upgrade() -> None:
    """The functions, the fence round the tables, and the rights that nobody needs any more."""
    op.execute(SHED)
    op.execute(LOG)
    op.execute(RECORDS)
    op.execute(POST)
    op.execute(OPEN_AND_CLOSE)
    for table, writers in WRITTEN_BY.items():
        op.execute(f"""
        CREATE TRIGGER by_function_only BEFORE INSERT ON {table} FOR EACH STATEMENT
          WHEN (current_user <> 'fund_owner' OR (current_setting('fund.writer', true) IN ({writers})) IS NOT TRUE)
          EXECUTE FUNCTION log.refuse_hand();
        """)
    op.execute(GRANTS)


def downgrade() -> None:
    """The triggers and rights of before."""
    before = op.get_context().script.get_revision("0002").module  # type: ignore[union-attr]
    for table in WRITTEN_BY:
        op.execute(f"DROP TRIGGER by_function_only ON {table}")
    op.execute("""
    DROP FUNCTION ledger.post(text[], bytea[], bytea[]), ledger.open_account(text, bytea, bytea),
      ledger.close_period(text, bytea, bytea), log.append(text[], bytea[], bytea[]), log.exact(jsonb),
      log.refuse_hand();
    DROP TRIGGER b_record ON log.leaf; DROP FUNCTION ledger.record_in();
    ALTER TABLE log.leaf ADD CONSTRAINT ck_leaf_recorded_at CHECK (isfinite(recorded_at));
    """)
    for text in (before.LOG[before.LOG.index("-- Locks the head"):], before.TRANSFER_IN,
                 before.ENTRY_IN[:before.ENTRY_IN.index("-- An account is opened")], before.LEAF_CLOSES, before.POST):
        op.execute(text)
    op.execute("""
    ALTER TABLE ledger.entry ALTER CONSTRAINT fk_entry_leaf DEFERRABLE INITIALLY DEFERRED;
    ALTER TABLE ledger.transfer ALTER CONSTRAINT fk_transfer_entry DEFERRABLE INITIALLY DEFERRED;
    """)
    op.execute(before.GRANTS)


SHED = """
DROP TRIGGER a_continues ON log.leaf; DROP FUNCTION log.leaf_in();
DROP TRIGGER b_closes ON log.leaf; DROP FUNCTION ledger.leaf_closes();
DROP TRIGGER moves_balances ON ledger.transfer; DROP FUNCTION ledger.transfer_in();
DROP TRIGGER is_open ON ledger.entry; DROP FUNCTION ledger.entry_in();
DROP FUNCTION ledger.post(text[], bytea[], bytea[]);
DROP FUNCTION log.next_seq(text[]);
-- A leaf now comes first, then its entry, then the lines: nothing need wait for the end of the transaction.
ALTER TABLE ledger.entry ALTER CONSTRAINT fk_entry_leaf NOT DEFERRABLE;
ALTER TABLE ledger.transfer ALTER CONSTRAINT fk_transfer_entry NOT DEFERRABLE;
"""

LOG = """
-- It can only be true: the time of a leaf is read out of its bytes, and written there in one way.
ALTER TABLE log.leaf DROP CONSTRAINT ck_leaf_recorded_at;

-- Whether bytes say their id, version and time in the one way in which a leaf says them.
CREATE FUNCTION log.exact(j jsonb) RETURNS boolean LANGUAGE sql STABLE
RETURN (j -> 'v' = '1' AND j ->> 'id' = (j ->> 'id')::uuid::text AND j ->> 'recorded_at' =
        to_char((j ->> 'recorded_at')::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) IS TRUE;

-- The one way to write a public record. The columns are read out of the bytes; the places continue the log. Writes and
-- gives nothing when a key was used before, when the log has not begun, or when it has and the record would begin it.
CREATE FUNCTION log.append(keys text[], request_hashes bytea[], leaves bytea[])
RETURNS TABLE (seq bigint, id uuid, leaf_hash bytea) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE first bigint; begins boolean; exact boolean; writer text;
BEGIN
  SELECT h.size INTO STRICT first FROM log.log_head h FOR UPDATE;
  -- A statement of its own: in READ COMMITTED it sees what was committed while this one waited for the lock.
  SELECT bool_or(n.j ->> 'kind' = 'genesis'), bool_and(log.exact(n.j)) INTO begins, exact
  FROM (SELECT convert_from(l, 'UTF8')::jsonb AS j FROM unnest(leaves) AS l OFFSET 0) n;
  IF (first = 0) <> begins OR EXISTS (SELECT FROM log.leaf WHERE idem_key = ANY (keys)) THEN RETURN; END IF;
  IF NOT exact THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_says_its_columns', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'the bytes of a leaf do not say its version, id and time as a leaf says them';
  END IF;
  writer := set_config('fund.writer', 'log', true);
  RETURN QUERY
  INSERT INTO log.leaf AS written (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
  SELECT first + n.at - 1, (n.j ->> 'id')::uuid, n.j ->> 'kind', n.idem_key, n.request_hash,
         (n.j ->> 'recorded_at')::timestamptz, n.bytes
  FROM (SELECT l.*, convert_from(l.bytes, 'UTF8')::jsonb AS j
        FROM unnest(keys, request_hashes, leaves) WITH ORDINALITY AS l (idem_key, request_hash, bytes, at) OFFSET 0) n
  RETURNING written.seq, written.id, written.leaf_hash;
  UPDATE log.log_head SET size = first + cardinality(leaves);
  writer := set_config('fund.writer', '', true);
END $$;

CREATE FUNCTION log.refuse_hand() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = '42501', CONSTRAINT = 'by_function_only', SCHEMA = TG_TABLE_SCHEMA,
    TABLE = TG_TABLE_NAME, MESSAGE = TG_TABLE_NAME || ' is written by the functions of the log and the ledger alone';
END $$;
"""

RECORDS = """
-- A public record cannot pass for an entry: the ledger's kinds and words are for leaves that the ledger writes.
CREATE FUNCTION ledger.record_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE bad bigint;
BEGIN
  SELECT min(n.seq) INTO bad FROM n
  WHERE n.kind IN ('account_opened', 'period_closed')
     OR EXISTS (SELECT FROM ledger.posting_rule m WHERE m.kind = n.kind)
     OR jsonb_exists_any(convert_from(n.bytes, 'UTF8')::jsonb, ARRAY['transfers', 'effective_on']);
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'record_is_no_entry', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'leaf ' || bad || ' is a public record and says what only an entry says';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER b_record AFTER INSERT ON log.leaf REFERENCING NEW TABLE AS n FOR EACH STATEMENT
  WHEN (current_setting('fund.writer', true) IS DISTINCT FROM 'ledger') EXECUTE FUNCTION ledger.record_in();
"""

POST = """
-- The one way to post. Each leaf is read once; leaf, entry and lines are made out of it, the balances move in one
-- statement, and the log goes on by as many places. What is refused here by name is what no constraint of a table sees.
-- Writes and gives nothing when a key was used before or the log has not begun.
CREATE FUNCTION ledger.post(keys text[], request_hashes bytea[], leaves bytea[])
RETURNS TABLE (seq bigint, id uuid, leaf_hash bytea) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  many integer := cardinality(leaves); first bigint; last bigint; said jsonb; moves jsonb; docs jsonb[];
  simple boolean := false; used boolean; closed date; day date; related uuid[]; writer text; bad text;
  debit record; credit record; pence bigint; posted bigint; pending bigint;
  exact boolean; exact_lines boolean; entries bigint := many;
  relating boolean; reversing boolean := false; resolving boolean := false; limiting boolean;
BEGIN
  -- The places are taken, and with them the lock that every writer waits for; given back where nothing is written.
  UPDATE log.log_head h SET size = h.size + many RETURNING h.size - many, h.size - 1 INTO STRICT first, last;
  IF many = 1 THEN
    said := convert_from(leaves[1], 'UTF8')::jsonb; moves := said -> 'transfers' -> 0; day := said ->> 'effective_on';
    simple := jsonb_array_length(said -> 'transfers') = 1
              AND NOT jsonb_exists(moves, 'pending') AND NOT jsonb_exists(said, 'reverses');
  END IF;
  -- A statement of its own: in READ COMMITTED it sees what was committed while this one waited for the lock.
  SELECT EXISTS (SELECT FROM log.leaf l WHERE l.idem_key = ANY (keys)),
         (SELECT max(p.closed_through) FROM ledger.period_close p WHERE p.closed_through >= day) INTO used, closed;
  IF first = 0 OR used THEN
    UPDATE log.log_head h SET size = first;
    RETURN;
  END IF;
  writer := set_config('fund.writer', 'ledger', true);

  IF simple THEN
    -- Most entries have one line, which neither ends a reservation nor mirrors: written without the cost of sets.
    INSERT INTO log.leaf AS written (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
    VALUES (first, (said ->> 'id')::uuid, said ->> 'kind', keys[1], request_hashes[1],
            (said ->> 'recorded_at')::timestamptz, leaves[1])
    RETURNING written.seq, written.id, written.leaf_hash INTO seq, id, leaf_hash;
    RETURN NEXT;
    IF jsonb_exists(said, 'relates_to') THEN
      related := ARRAY(SELECT jsonb_array_elements_text(said -> 'relates_to')::uuid);
    END IF;
    INSERT INTO ledger.entry (seq, kind, effective_on, relates_to)
    VALUES (first, said ->> 'kind', day, coalesce(related, '{}'));
    SELECT a.id, a.class, a.code INTO debit FROM ledger.account a WHERE a.code = moves ->> 'debit';
    SELECT a.id, a.class, a.code INTO credit FROM ledger.account a WHERE a.code = moves ->> 'credit';
    pence := moves ->> 'amount';
    INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,
                                 amount_pence)
    VALUES (first, 1, said ->> 'kind', moves ->> 'phase', debit.id, debit.class, credit.id, credit.class, pence);
    exact := (log.exact(said) AND said ->> 'effective_on' = to_char(day, 'YYYY-MM-DD')
              AND (related IS NULL OR said -> 'relates_to' = to_jsonb(related))) IS TRUE;
    exact_lines := (moves = jsonb_build_object('phase', moves ->> 'phase', 'debit', debit.code, 'credit', credit.code,
                                               'amount', pence::text)) IS TRUE;
    relating := related <> '{}'; limiting := said ->> 'kind' = 'spending_rule_set';
  ELSE
    docs := ARRAY(SELECT convert_from(l.bytes, 'UTF8')::jsonb FROM unnest(leaves) WITH ORDINALITY AS l (bytes, at)
                  ORDER BY l.at);
    RETURN QUERY
    INSERT INTO log.leaf AS written (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
    SELECT first + n.at - 1, (n.j ->> 'id')::uuid, n.j ->> 'kind', n.idem_key, n.request_hash,
           (n.j ->> 'recorded_at')::timestamptz, n.bytes
    FROM unnest(keys, request_hashes, leaves, docs) WITH ORDINALITY AS n (idem_key, request_hash, bytes, j, at)
    RETURNING written.seq, written.id, written.leaf_hash;

    WITH e AS MATERIALIZED (
      SELECT first + n.at - 1 AS place, n.j ->> 'kind' AS kind, (n.j ->> 'effective_on')::date AS effective_on, n.j,
             CASE WHEN jsonb_exists(n.j, 'reverses')
               THEN (SELECT r.seq FROM log.leaf r WHERE r.id = (n.j ->> 'reverses')::uuid) END AS reverses,
             CASE WHEN jsonb_exists(n.j, 'relates_to')
               THEN ARRAY(SELECT jsonb_array_elements_text(n.j -> 'relates_to')::uuid) ELSE '{}' END AS relates_to
      FROM unnest(docs) WITH ORDINALITY AS n (j, at)),
    written AS (
      INSERT INTO ledger.entry (seq, kind, effective_on, reverses, relates_to)
      SELECT e.place, e.kind, e.effective_on, e.reverses, e.relates_to FROM e)
    SELECT bool_and(log.exact(e.j) AND e.j ->> 'effective_on' = to_char(e.effective_on, 'YYYY-MM-DD')
             AND (NOT jsonb_exists(e.j, 'reverses')
                  OR e.j ->> 'reverses' = (SELECT r.id::text FROM log.leaf r WHERE r.seq = e.reverses))
             AND (NOT jsonb_exists(e.j, 'relates_to') OR e.j -> 'relates_to' = to_jsonb(e.relates_to))) IS TRUE,
           bool_or(e.kind = 'reversal'), bool_or(e.relates_to <> '{}'), bool_or(e.kind = 'spending_rule_set'),
           (SELECT max(p.closed_through) FROM ledger.period_close p WHERE p.closed_through >= min(e.effective_on))
      INTO exact, reversing, relating, limiting, closed FROM e;

    WITH line AS MATERIALIZED (
      SELECT first + n.at - 1 AS place, t.line, n.j ->> 'kind' AS kind, t.j ->> 'phase' AS phase,
             d.id AS debit_id, d.class AS debit_class, d.code AS debit, c.id AS credit_id, c.class AS credit_class,
             c.code AS credit, (t.j ->> 'amount')::bigint AS amount,
             CASE WHEN jsonb_exists(t.j, 'pending')
               THEN (SELECT p.seq FROM log.leaf p WHERE p.id = (t.j -> 'pending' ->> 0)::uuid) END AS pending_seq,
             (t.j -> 'pending' ->> 1)::smallint AS pending_line, t.j
      FROM unnest(docs) WITH ORDINALITY AS n (j, at)
      CROSS JOIN LATERAL jsonb_array_elements(n.j -> 'transfers') WITH ORDINALITY AS t (j, line)
      LEFT JOIN ledger.account d ON d.code = t.j ->> 'debit' LEFT JOIN ledger.account c ON c.code = t.j ->> 'credit'),
    written AS (
      INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,
                                   amount_pence, pending_seq, pending_line)
      SELECT l.place, l.line, l.kind, l.phase, l.debit_id, l.debit_class, l.credit_id, l.credit_class, l.amount,
             l.pending_seq, l.pending_line FROM line l)
    SELECT bool_and(l.j = jsonb_build_object('phase', l.phase, 'debit', l.debit, 'credit', l.credit,
                                             'amount', l.amount::text)
             || CASE WHEN l.pending_seq IS NULL THEN '{}' ELSE jsonb_build_object('pending', jsonb_build_array(
                  (SELECT p.id FROM log.leaf p WHERE p.seq = l.pending_seq), l.pending_line)) END) IS TRUE,
           bool_or(l.phase IN ('post', 'void')), count(DISTINCT l.place)
      INTO exact_lines, resolving, entries FROM line l;
  END IF;

  IF closed IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'period_is_open', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'the books are closed through ' || closed;
  END IF;
  -- The same leaf could be read in two ways, or has a word that no row keeps, or no transfer at all.
  IF NOT exact OR NOT exact_lines OR entries <> many THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_matches_rows', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'a leaf does not say just what its rows say';
  END IF;
  IF relating THEN IF EXISTS (
    SELECT FROM ledger.entry e CROSS JOIN LATERAL unnest(e.relates_to) AS r (id)
    WHERE e.seq BETWEEN first AND last AND NOT EXISTS (SELECT FROM log.leaf l WHERE l.id = r.id)) THEN
    RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'relates_to_a_leaf', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'an entry relates to something that is not in the log';
  END IF; END IF;
  IF resolving THEN IF EXISTS (
    SELECT FROM ledger.transfer n JOIN ledger.transfer p ON p.entry_seq = n.pending_seq AND p.line = n.pending_line
      JOIN ledger.posting_rule r ON (r.kind, r.phase, r.debit_class, r.credit_class)
                                  = (n.kind, n.phase, n.debit_class, n.credit_class)
    WHERE n.entry_seq BETWEEN first AND last
      AND (p.phase <> 'pending' OR p.kind <> r.resolves OR p.debit_id <> n.debit_id OR p.credit_id <> n.credit_id
        OR (n.phase = 'post' AND n.amount_pence > p.amount_pence)
        OR (n.phase = 'void' AND n.amount_pence <> p.amount_pence))) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reservation_resolves', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'a line does not resolve its reservation';
  END IF; END IF;
  -- A reversal is its entry's mirror, line for line. A reservation is voided, not reversed, and a reversal stands.
  IF reversing THEN IF EXISTS (
    SELECT FROM ledger.entry e JOIN ledger.entry o ON o.seq = e.reverses
    WHERE e.seq BETWEEN first AND last AND (o.kind = 'reversal' OR EXISTS (
      SELECT FROM (SELECT * FROM ledger.transfer t WHERE t.entry_seq = o.seq) origin
      FULL JOIN (SELECT * FROM ledger.transfer t WHERE t.entry_seq = e.seq) mirror USING (line)
      WHERE origin.debit_id IS DISTINCT FROM mirror.credit_id OR origin.credit_id IS DISTINCT FROM mirror.debit_id
         OR origin.amount_pence IS DISTINCT FROM mirror.amount_pence OR origin.phase NOT IN ('single', 'post')))) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reversal_mirrors', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'a reversal does not mirror the entry that it reverses';
  END IF; END IF;
  -- A limit is set by itself, so that what stands before it is what was committed or written before it.
  IF limiting THEN IF many > 1 OR EXISTS (
    SELECT FROM ledger.balance b JOIN ledger.account a ON a.id = b.account_id
    WHERE a.class = 'deficit' AND b.debits_posted_pence > b.credits_posted_pence) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'no_limit_in_deficit', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'no spending limit can be set while the endowment stands below its capital';
  END IF; END IF;

  IF simple THEN
    posted := CASE WHEN moves ->> 'phase' = 'single' THEN pence ELSE 0 END; pending := pence - posted;
    UPDATE ledger.balance b SET
      debits_posted_pence = b.debits_posted_pence + posted * (b.account_id = debit.id)::integer,
      credits_posted_pence = b.credits_posted_pence + posted * (b.account_id = credit.id)::integer,
      debits_pending_pence = b.debits_pending_pence + pending * (b.account_id = debit.id)::integer,
      credits_pending_pence = b.credits_pending_pence + pending * (b.account_id = credit.id)::integer
    WHERE b.account_id IN (debit.id, credit.id);
  ELSE
    -- The balance row's CHECK sees the net of all entries; where there are several, look after each of them.
    WITH moved AS (
      SELECT side.account_id, n.entry_seq,
             sum(CASE WHEN side.debit THEN m.posted ELSE 0 END) AS dp,
             sum(CASE WHEN side.debit THEN 0 ELSE m.posted END) AS cp,
             sum(CASE WHEN side.debit THEN m.pending ELSE 0 END) AS dq,
             sum(CASE WHEN side.debit THEN 0 ELSE m.pending END) AS cq
      FROM ledger.transfer n
      CROSS JOIN LATERAL (SELECT CASE WHEN n.phase IN ('single', 'post') THEN n.amount_pence ELSE 0 END AS posted,
        CASE n.phase WHEN 'pending' THEN n.amount_pence WHEN 'single' THEN 0
          ELSE -(SELECT p.amount_pence FROM ledger.transfer p
                 WHERE p.entry_seq = n.pending_seq AND p.line = n.pending_line) END AS pending OFFSET 0) m
      CROSS JOIN LATERAL (VALUES (n.debit_id, true), (n.credit_id, false)) side (account_id, debit)
      WHERE n.entry_seq BETWEEN first AND last GROUP BY side.account_id, n.entry_seq),
    running AS (
      SELECT m.account_id, m.entry_seq, sum(m.dp) OVER w AS dp, sum(m.cp) OVER w AS cp, sum(m.dq) OVER w AS dq,
             sum(m.cq) OVER w AS cq, lead(m.entry_seq) OVER w IS NULL AS is_last
      FROM moved m WINDOW w AS (PARTITION BY m.account_id ORDER BY m.entry_seq)),
    moves_on AS (
      UPDATE ledger.balance b SET debits_posted_pence = b.debits_posted_pence + r.dp,
        credits_posted_pence = b.credits_posted_pence + r.cp, debits_pending_pence = b.debits_pending_pence + r.dq,
        credits_pending_pence = b.credits_pending_pence + r.cq
      FROM running r WHERE b.account_id = r.account_id AND r.is_last)
    SELECT min(a.code) INTO bad
    FROM running r JOIN ledger.balance b ON b.account_id = r.account_id JOIN ledger.account a ON a.id = r.account_id
    WHERE NOT r.is_last AND CASE b.guard
      WHEN 'debits<=credits' THEN b.debits_posted_pence + r.dp + b.debits_pending_pence + r.dq
                                  > b.credits_posted_pence + r.cp
      ELSE b.credits_posted_pence + r.cp + b.credits_pending_pence + r.cq > b.debits_posted_pence + r.dp END;
    IF bad IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_balance_overdraft', SCHEMA = 'ledger',
        TABLE = 'balance', MESSAGE = 'one of the entries overdraws account ' || bad;
    END IF;
  END IF;
  writer := set_config('fund.writer', '', true);
END $$;
"""

OPEN_AND_CLOSE = """
-- Opens the account that the leaf's record names; its class gives its guard. Gives nothing when it is open already.
CREATE FUNCTION ledger.open_account(key text, request_hash bytea, leaf bytea)
RETURNS TABLE (seq bigint) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE place bigint; writer text; j jsonb := convert_from(leaf, 'UTF8')::jsonb; r jsonb := j -> 'record';
BEGIN
  SELECT h.size INTO STRICT place FROM log.log_head h FOR UPDATE;
  IF place = 0 OR EXISTS (SELECT FROM log.leaf l WHERE l.idem_key = key)
     OR EXISTS (SELECT FROM ledger.account a WHERE a.code = r ->> 'code') THEN RETURN; END IF;
  IF (log.exact(j) AND j ->> 'kind' = 'account_opened' AND j - ARRAY['id', 'kind', 'record', 'recorded_at', 'v'] = '{}'
      AND r = jsonb_build_object('code', r ->> 'code', 'class', r ->> 'class', 'name', r ->> 'name')) IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_matches_rows', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'a leaf that opens an account says its code, class and name';
  END IF;
  writer := set_config('fund.writer', 'ledger', true);
  INSERT INTO log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
  VALUES (place, (j ->> 'id')::uuid, j ->> 'kind', key, request_hash, (j ->> 'recorded_at')::timestamptz, leaf);
  INSERT INTO ledger.account (code, name, class, guard, opened_seq)
  VALUES (r ->> 'code', r ->> 'name', r ->> 'class', coalesce((SELECT c.guard FROM ledger.account_class c
          WHERE c.class = r ->> 'class'), 'none'), place);
  UPDATE log.log_head SET size = place + 1;
  writer := set_config('fund.writer', '', true);
  RETURN QUERY SELECT place;
END $$;

-- Closes the books through the day that the leaf's record names. Gives nothing when the key was used before.
CREATE FUNCTION ledger.close_period(key text, request_hash bytea, leaf bytea)
RETURNS TABLE (seq bigint, id uuid, leaf_hash bytea) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE
  place bigint; writer text; j jsonb := convert_from(leaf, 'UTF8')::jsonb;
  day date := j -> 'record' ->> 'closed_through';
BEGIN
  SELECT h.size INTO STRICT place FROM log.log_head h FOR UPDATE;
  IF place = 0 OR EXISTS (SELECT FROM log.leaf l WHERE l.idem_key = key) THEN RETURN; END IF;
  IF (log.exact(j) AND j ->> 'kind' = 'period_closed' AND j - ARRAY['id', 'kind', 'record', 'recorded_at', 'v'] = '{}'
      AND j -> 'record' = jsonb_build_object('closed_through', to_char(day, 'YYYY-MM-DD'))) IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_matches_rows', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'a leaf that closes a period says the day';
  END IF;
  writer := set_config('fund.writer', 'ledger', true);
  RETURN QUERY
  INSERT INTO log.leaf AS written (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
  VALUES (place, (j ->> 'id')::uuid, j ->> 'kind', key, request_hash, (j ->> 'recorded_at')::timestamptz, leaf)
  RETURNING written.seq, written.id, written.leaf_hash;
  INSERT INTO ledger.period_close (seq, closed_through) VALUES (place, day);
  UPDATE log.log_head SET size = place + 1;
  writer := set_config('fund.writer', '', true);
END $$;
"""

GRANTS = """
REVOKE INSERT ON log.leaf, ledger.account, ledger.entry, ledger.transfer, ledger.period_close FROM fund_common;
REVOKE ALL ON FUNCTION log.append(text[], bytea[], bytea[]), log.exact(jsonb), log.refuse_hand(), ledger.record_in(),
  ledger.post(text[], bytea[], bytea[]), ledger.open_account(text, bytea, bytea),
  ledger.close_period(text, bytea, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.append(text[], bytea[], bytea[]), ledger.post(text[], bytea[], bytea[]),
  ledger.open_account(text, bytea, bytea), ledger.close_period(text, bytea, bytea) TO fund_common;
"""
