"""The public log, the permanent ledger, and the endowment's own records.

Two schemas, because one part must not know the other: `log` holds the leaves of the public record and the head that
gives them their places; `ledger` holds accounts, entries and transfers, each entry being a leaf. Rows are written lines
first, then the entry, then the leaf, which closes it: the triggers on `log.leaf` compare what the leaf says with the
rows it closes. The application can read and insert; balances and the head are written by the triggers alone, which run
as the owner with a pinned search path. LEDGER.md of the design is the reason for nearly every line.

Names in `CONSTRAINT = …` stand for a constraint in messages and tests just as those of CHECKs do.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

PERMANENT = ("log.leaf", "ledger.account_class", "ledger.posting_rule", "ledger.account", "ledger.entry",
             "ledger.transfer", "ledger.period_close")
STAYING = ("log.log_head", "ledger.balance")
ENDOWMENT_TABLES = ("tranche", "endowment_return", "spending_limit", "drawdown", "running_cost_budget")


def upgrade() -> None:
    """The log, the ledger, the posting matrix as rows, and the triggers that keep them."""
    op.execute(LOG)
    op.execute(LEDGER)
    op.execute(MATRIX)
    op.execute(TRANSFER_IN)
    op.execute(ENTRY_IN)
    op.execute(LEAF_CLOSES)
    op.execute(POST)
    op.execute(ENDOWMENT)
    for table in (*PERMANENT, *ENDOWMENT_TABLES):
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION public.refuse_change();
        """)
    for table in STAYING:
        op.execute(f"""
        CREATE TRIGGER stays BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER stays_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION public.refuse_change();
        """)
    op.execute(GRANTS)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("DROP TABLE running_cost_budget, drawdown, spending_limit, endowment_return, tranche")
    op.execute("DROP SCHEMA ledger CASCADE; DROP SCHEMA log CASCADE")


LOG = """
CREATE SCHEMA log;

-- One row is one line of the public record: stored bytes, hashed as stored. `seq` is its place in the Merkle tree.
CREATE TABLE log.leaf (
  seq          bigint NOT NULL CONSTRAINT pk_leaf PRIMARY KEY,
  id           uuid NOT NULL CONSTRAINT uq_leaf_id UNIQUE,
  kind         text NOT NULL CONSTRAINT ck_leaf_kind CHECK (kind ~ '^[a-z][a-z_]{1,59}$'),
  idem_key     text NOT NULL CONSTRAINT uq_leaf_idem_key UNIQUE
                 CONSTRAINT ck_leaf_idem_key CHECK (length(idem_key) BETWEEN 1 AND 200),
  request_hash bytea NOT NULL CONSTRAINT ck_leaf_request_hash CHECK (octet_length(request_hash) = 32),
  recorded_at  timestamptz NOT NULL CONSTRAINT ck_leaf_recorded_at CHECK (isfinite(recorded_at)),
  bytes        bytea NOT NULL CONSTRAINT ck_leaf_size CHECK (octet_length(bytes) BETWEEN 1 AND 65535),
  leaf_hash    bytea NOT NULL GENERATED ALWAYS AS (sha256('\\x00'::bytea || bytes)) STORED,
  CONSTRAINT ck_leaf_genesis CHECK ((seq = 0) = (kind = 'genesis')),
  CONSTRAINT ck_leaf_json CHECK (convert_from(bytes, 'UTF8') IS JSON OBJECT WITH UNIQUE KEYS)
);

-- One row: how many leaves there are. Whoever writes a leaf locks it first, so places have no gap.
CREATE TABLE log.log_head (
  one  boolean NOT NULL DEFAULT true CONSTRAINT pk_log_head PRIMARY KEY CONSTRAINT ck_log_head_one CHECK (one),
  size bigint NOT NULL CONSTRAINT ck_log_head_size CHECK (size >= 0)
);
INSERT INTO log.log_head (size) VALUES (0);

-- What opens a commitment that a leaf carries. Deleting a row makes the commitment unreadable by anyone, for ever.
CREATE TABLE log.commitment (
  leaf_id uuid NOT NULL CONSTRAINT fk_commitment_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  field   text NOT NULL,
  salt    bytea NOT NULL CONSTRAINT ck_commitment_salt CHECK (octet_length(salt) = 32),
  pointer text NOT NULL,
  CONSTRAINT pk_commitment PRIMARY KEY (leaf_id, field)
);

-- Locks the head and gives the next place; gives nothing when one of the keys was used before.
CREATE FUNCTION log.next_seq(keys text[]) RETURNS SETOF bigint LANGUAGE plpgsql VOLATILE ROWS 1
SECURITY DEFINER SET search_path = pg_catalog, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE s bigint;
BEGIN
  SELECT size INTO STRICT s FROM log.log_head FOR UPDATE;
  -- A statement of its own: in READ COMMITTED it sees what was committed while this one waited for the lock.
  IF NOT EXISTS (SELECT 1 FROM log.leaf WHERE idem_key = ANY (keys)) THEN RETURN NEXT s; END IF;
END $$;

CREATE FUNCTION log.leaf_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE lo bigint; hi bigint; k bigint; truthful boolean;
BEGIN
  SELECT min(seq), max(seq), count(*), bool_and(
           j ->> 'id' = id::text AND j ->> 'kind' = kind AND j -> 'v' = '1'::jsonb AND j ->> 'recorded_at' =
             to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) IS TRUE
    INTO lo, hi, k, truthful FROM (SELECT l.*, convert_from(l.bytes, 'UTF8')::jsonb AS j FROM new_leaf l) l;
  IF k = 0 THEN RETURN NULL; END IF;
  UPDATE log.log_head SET size = size + k WHERE size = lo AND hi = lo + k - 1;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'log_sequence', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'leaves ' || lo || ' to ' || hi || ' do not continue the log';
  END IF;
  IF NOT truthful THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_says_its_columns', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'the bytes of a leaf do not say its id, kind and time';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER a_continues AFTER INSERT ON log.leaf REFERENCING NEW TABLE AS new_leaf
  FOR EACH STATEMENT EXECUTE FUNCTION log.leaf_in();
"""

LEDGER = """
CREATE SCHEMA ledger;

-- What sorts of account there are. `guard` is what the balance row must always satisfy; a class has no other.
CREATE TABLE ledger.account_class (
  class  text NOT NULL CONSTRAINT pk_account_class PRIMARY KEY,
  prefix text NOT NULL CONSTRAINT uq_account_class_prefix UNIQUE,
  many   boolean NOT NULL,      -- one per year, place or grant, written after a stroke
  side   text NOT NULL CONSTRAINT ck_account_class_side CHECK (side IN ('asset', 'liability', 'fund')),
  guard  text NOT NULL CONSTRAINT ck_account_class_guard CHECK (guard IN ('debits<=credits', 'credits<=debits')),
  CONSTRAINT uq_account_class_guard UNIQUE (class, guard, prefix, many)
);
INSERT INTO ledger.account_class (prefix, class, many, side, guard) VALUES
  ('1000', 'bank',              false, 'asset',     'credits<=debits'),
  ('1100', 'investments',       false, 'asset',     'credits<=debits'),
  ('2000', 'reclaim_reserve',   false, 'liability', 'debits<=credits'),
  ('3000', 'permanent_capital', false, 'fund',      'debits<=credits'),
  ('3090', 'deficit',           false, 'fund',      'credits<=debits'),
  ('3100', 'unapplied_return',  false, 'fund',      'debits<=credits'),
  ('3150', 'drawdown_limit',    true,  'fund',      'debits<=credits'),
  ('3200', 'spendable',         false, 'fund',      'debits<=credits'),
  ('3250', 'running_costs',     true,  'fund',      'debits<=credits'),
  ('4000', 'allocation',        true,  'fund',      'debits<=credits'),
  ('5000', 'grant',             true,  'liability', 'debits<=credits');

-- The posting matrix: which kind of entry may move money between which classes, and in which phase.
CREATE TABLE ledger.posting_rule (
  kind         text NOT NULL,
  phase        text NOT NULL CONSTRAINT ck_posting_rule_phase CHECK (phase IN ('single', 'pending', 'post', 'void')),
  debit_class  text NOT NULL CONSTRAINT fk_posting_rule_debit REFERENCES ledger.account_class,
  credit_class text NOT NULL CONSTRAINT fk_posting_rule_credit REFERENCES ledger.account_class,
  resolves     text,            -- the kind of reservation that this kind posts or voids
  CONSTRAINT pk_posting_rule PRIMARY KEY (kind, phase, debit_class, credit_class),
  CONSTRAINT ck_posting_rule_resolves CHECK ((phase IN ('post', 'void')) = (resolves IS NOT NULL)),
  CONSTRAINT ck_posting_rule_capital CHECK (debit_class <> 'permanent_capital' OR kind = 'reversal')
);

CREATE TABLE ledger.account (
  id         integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_account PRIMARY KEY,
  code       text NOT NULL CONSTRAINT uq_account_code UNIQUE
               CONSTRAINT ck_account_code CHECK (code ~ '^[0-9]{4}(/[A-Za-z0-9][A-Za-z0-9._-]{0,59})?$'),
  name       text NOT NULL CONSTRAINT ck_account_name CHECK (length(name) BETWEEN 1 AND 200),
  class      text NOT NULL,
  guard      text NOT NULL,
  prefix     text NOT NULL GENERATED ALWAYS AS (split_part(code, '/', 1)) STORED,
  many       boolean NOT NULL GENERATED ALWAYS AS (strpos(code, '/') > 0) STORED,
  opened_seq bigint NOT NULL CONSTRAINT uq_account_leaf UNIQUE
               CONSTRAINT fk_account_leaf REFERENCES log.leaf (seq) DEFERRABLE INITIALLY DEFERRED,
  -- The class decides guard and code: no account can be opened without its guard, nor under another's number.
  CONSTRAINT fk_account_class FOREIGN KEY (class, guard, prefix, many)
    REFERENCES ledger.account_class (class, guard, prefix, many),
  CONSTRAINT uq_account_class UNIQUE (id, class),
  CONSTRAINT uq_account_guard UNIQUE (id, guard)
);

-- A cache of the transfers, kept by their trigger and proved by fsck; its CHECK is what makes overdraft impossible.
CREATE TABLE ledger.balance (
  account_id            integer NOT NULL CONSTRAINT pk_balance PRIMARY KEY,
  guard                 text NOT NULL,
  debits_posted_pence bigint NOT NULL DEFAULT 0
    CONSTRAINT ck_balance_debits_posted CHECK (debits_posted_pence >= 0),
  credits_posted_pence bigint NOT NULL DEFAULT 0
    CONSTRAINT ck_balance_credits_posted CHECK (credits_posted_pence >= 0),
  debits_pending_pence bigint NOT NULL DEFAULT 0
    CONSTRAINT ck_balance_debits_pending CHECK (debits_pending_pence >= 0),
  credits_pending_pence bigint NOT NULL DEFAULT 0
    CONSTRAINT ck_balance_credits_pending CHECK (credits_pending_pence >= 0),
  CONSTRAINT fk_balance_account FOREIGN KEY (account_id, guard) REFERENCES ledger.account (id, guard),
  CONSTRAINT ck_balance_overdraft CHECK (CASE guard
    WHEN 'debits<=credits' THEN debits_posted_pence + debits_pending_pence <= credits_posted_pence
    WHEN 'credits<=debits' THEN credits_posted_pence + credits_pending_pence <= debits_posted_pence
    ELSE false END)
) WITH (fillfactor = 50);

CREATE TABLE ledger.entry (
  seq          bigint NOT NULL CONSTRAINT pk_entry PRIMARY KEY
                 CONSTRAINT fk_entry_leaf REFERENCES log.leaf (seq) DEFERRABLE INITIALLY DEFERRED,
  kind         text NOT NULL,
  effective_on date NOT NULL
                 CONSTRAINT ck_entry_effective_on CHECK (effective_on BETWEEN DATE '1990-01-01' AND DATE '2999-12-31'),
  reverses     bigint CONSTRAINT uq_entry_reverses UNIQUE CONSTRAINT fk_entry_reverses REFERENCES ledger.entry (seq),
  relates_to   uuid[] NOT NULL DEFAULT '{}',
  CONSTRAINT ck_entry_reversal CHECK ((kind = 'reversal') = (reverses IS NOT NULL)),
  CONSTRAINT ck_entry_reverses_earlier CHECK (reverses < seq)
);
CREATE INDEX ix_entry_relates_to ON ledger.entry USING gin (relates_to) WHERE relates_to <> '{}';

CREATE TABLE ledger.transfer (
  entry_seq    bigint NOT NULL
                 CONSTRAINT fk_transfer_entry REFERENCES ledger.entry (seq) DEFERRABLE INITIALLY DEFERRED,
  line         smallint NOT NULL CONSTRAINT ck_transfer_line CHECK (line >= 1),
  kind         text NOT NULL,
  phase        text NOT NULL,
  debit_id     integer NOT NULL,
  debit_class  text NOT NULL,
  credit_id    integer NOT NULL,
  credit_class text NOT NULL,
  -- The upper bound keeps every sum of a year's entries far inside a bigint.
  amount_pence bigint NOT NULL
                 CONSTRAINT ck_transfer_amount CHECK (amount_pence > 0 AND amount_pence <= 1000000000000000),
  pending_seq  bigint,
  pending_line smallint,
  CONSTRAINT pk_transfer PRIMARY KEY (entry_seq, line),
  CONSTRAINT ck_transfer_two_accounts CHECK (debit_id <> credit_id),
  CONSTRAINT ck_transfer_capital CHECK (debit_class <> 'permanent_capital' OR kind = 'reversal'),
  CONSTRAINT ck_transfer_resolves CHECK ((phase IN ('post', 'void')) = (pending_seq IS NOT NULL)),
  CONSTRAINT ck_transfer_pending_line CHECK ((pending_seq IS NULL) = (pending_line IS NULL)),
  CONSTRAINT ck_transfer_pending_earlier CHECK (pending_seq < entry_seq),
  CONSTRAINT fk_transfer_debit FOREIGN KEY (debit_id, debit_class) REFERENCES ledger.account (id, class),
  CONSTRAINT fk_transfer_credit FOREIGN KEY (credit_id, credit_class) REFERENCES ledger.account (id, class),
  CONSTRAINT fk_transfer_rule FOREIGN KEY (kind, phase, debit_class, credit_class) REFERENCES ledger.posting_rule,
  CONSTRAINT fk_transfer_pending FOREIGN KEY (pending_seq, pending_line) REFERENCES ledger.transfer (entry_seq, line)
);
CREATE INDEX ix_transfer_debit ON ledger.transfer (debit_id, entry_seq);
CREATE INDEX ix_transfer_credit ON ledger.transfer (credit_id, entry_seq);
-- A reservation is resolved at most once.
CREATE UNIQUE INDEX uq_transfer_pending ON ledger.transfer (pending_seq, pending_line) WHERE pending_seq IS NOT NULL;

-- Each close is a leaf; nothing is entered with an effective date in a closed period.
CREATE TABLE ledger.period_close (
  seq            bigint NOT NULL CONSTRAINT pk_period_close PRIMARY KEY
                   CONSTRAINT fk_period_close_leaf REFERENCES log.leaf (seq) DEFERRABLE INITIALLY DEFERRED,
  closed_through date NOT NULL CONSTRAINT uq_period_close_date UNIQUE
);
"""

MATRIX = """
INSERT INTO ledger.posting_rule (kind, phase, debit_class, credit_class, resolves) VALUES
  ('dormant_assets_receipt',  'single',  'bank',             'permanent_capital', NULL),
  ('dormant_assets_receipt',  'single',  'bank',             'reclaim_reserve',   NULL),
  ('reclaim_paid',            'pending', 'reclaim_reserve',  'bank',              NULL),
  ('reclaim_paid',            'post',    'reclaim_reserve',  'bank',              'reclaim_paid'),
  ('reclaim_paid',            'void',    'reclaim_reserve',  'bank',              'reclaim_paid'),
  ('reclaim_reserve_top_up',  'single',  'unapplied_return', 'reclaim_reserve',   NULL),
  ('reclaim_reserve_release', 'single',  'reclaim_reserve',  'permanent_capital', NULL),
  ('trade',                   'pending', 'investments',      'bank',              NULL),
  ('trade',                   'post',    'investments',      'bank',              'trade'),
  ('trade',                   'void',    'investments',      'bank',              'trade'),
  ('trade',                   'pending', 'bank',             'investments',       NULL),
  ('trade',                   'post',    'bank',             'investments',       'trade'),
  ('trade',                   'void',    'bank',             'investments',       'trade'),
  ('investment_income',       'single',  'bank',             'unapplied_return',  NULL),
  ('bank_interest',           'single',  'bank',             'unapplied_return',  NULL),
  ('revaluation_gain',        'single',  'investments',      'deficit',           NULL),
  ('revaluation_gain',        'single',  'investments',      'unapplied_return',  NULL),
  ('revaluation_loss',        'single',  'unapplied_return', 'investments',       NULL),
  ('revaluation_loss',        'single',  'deficit',          'investments',       NULL),
  -- Not in LEDGER.md 1.3: income that comes while a deficit stands makes it good, or no limit could be set again.
  ('deficit_made_good',       'single',  'unapplied_return', 'deficit',           NULL),
  ('spending_rule_set',       'single',  'unapplied_return', 'drawdown_limit',    NULL),
  ('drawdown',                'single',  'drawdown_limit',   'spendable',         NULL),
  ('area_allocation',         'single',  'spendable',        'allocation',        NULL),
  ('operating_budget',        'single',  'spendable',        'running_costs',     NULL),
  ('grant_offer',             'pending', 'allocation',       'grant',             NULL),
  ('grant_agreement',         'post',    'allocation',       'grant',             'grant_offer'),
  ('grant_offer_lapsed',      'void',    'allocation',       'grant',             'grant_offer'),
  ('stage_release',           'pending', 'grant',            'bank',              NULL),
  ('stage_paid',              'post',    'grant',            'bank',              'stage_release'),
  ('payment_failed',          'void',    'grant',            'bank',              'stage_release'),
  ('payment_returned',        'single',  'bank',             'grant',             NULL),
  ('host_contribution',       'pending', 'grant',            'bank',              NULL),
  ('host_contribution',       'post',    'grant',            'bank',              'host_contribution'),
  ('host_contribution',       'void',    'grant',            'bank',              'host_contribution'),
  ('grant_return',            'single',  'bank',             'allocation',        NULL),
  ('grant_return',            'single',  'bank',             'spendable',         NULL),
  ('grant_decommitted',       'single',  'grant',            'allocation',        NULL),
  ('operating_cost',          'single',  'running_costs',    'bank',              NULL),
  ('operating_cost',          'pending', 'running_costs',    'bank',              NULL),
  ('operating_cost',          'post',    'running_costs',    'bank',              'operating_cost'),
  ('operating_cost',          'void',    'running_costs',    'bank',              'operating_cost'),
  ('participation_payment',   'pending', 'running_costs',    'bank',              NULL),
  ('participation_payment',   'post',    'running_costs',    'bank',              'participation_payment'),
  ('participation_payment',   'void',    'running_costs',    'bank',              'participation_payment');
-- A reversal is the mirror of what moved money; it may go wherever an entry came from, and nowhere else.
INSERT INTO ledger.posting_rule (kind, phase, debit_class, credit_class)
  SELECT DISTINCT 'reversal', 'single', credit_class, debit_class FROM ledger.posting_rule
  WHERE phase IN ('single', 'post');
"""

TRANSFER_IN = """
-- Lines come first. They may only join an entry that is still open, in order; they move the balances as they come.
CREATE FUNCTION ledger.transfer_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, ledger, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE s bigint; lo bigint; hi bigint; k bigint; resolving boolean; limiting boolean; overdrawn text;
BEGIN
  SELECT head.size, added.* INTO STRICT s, lo, hi, k, resolving, limiting
  FROM (SELECT size FROM log.log_head FOR UPDATE) head,
       (SELECT min(entry_seq), max(entry_seq), count(DISTINCT entry_seq), bool_or(phase IN ('post', 'void')),
               bool_or(kind = 'spending_rule_set') FROM n) added;
  IF k = 0 THEN RETURN NULL; END IF;
  IF lo < s THEN
    RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'entry_is_open', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'entry ' || lo || ' is closed';
  END IF;
  IF (SELECT max(entry_seq) FROM transfer) > hi
     OR (k > 1 AND (SELECT count(*) FROM transfer WHERE entry_seq > lo)
                <> (SELECT count(*) FROM n WHERE entry_seq > lo))
  THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'entries_in_order', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'a line of a later entry was written before entry ' || lo;
  END IF;
  IF resolving AND EXISTS (
    SELECT 1 FROM n JOIN transfer p ON p.entry_seq = n.pending_seq AND p.line = n.pending_line
      JOIN posting_rule r ON (r.kind, r.phase, r.debit_class, r.credit_class)
                           = (n.kind, n.phase, n.debit_class, n.credit_class)
    WHERE p.phase <> 'pending' OR p.kind <> r.resolves OR p.debit_id <> n.debit_id OR p.credit_id <> n.credit_id
       OR (n.phase = 'post' AND n.amount_pence > p.amount_pence)
       OR (n.phase = 'void' AND n.amount_pence <> p.amount_pence))
  THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reservation_resolves', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'a line does not resolve its reservation';
  END IF;
  -- A limit is set by itself, so that what stands before it is what was committed or written before it.
  IF limiting AND (k > 1 OR EXISTS (SELECT 1 FROM balance b JOIN account a ON a.id = b.account_id
                                    WHERE a.class = 'deficit' AND b.debits_posted_pence > b.credits_posted_pence)) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'no_limit_in_deficit', SCHEMA = 'ledger', TABLE = 'transfer',
      MESSAGE = 'no spending limit can be set while the endowment stands below its capital';
  END IF;
  -- The balance row's CHECK sees the net of one statement; where that holds several entries, look after each of them.
  IF k > 1 THEN
    SELECT a.code INTO overdrawn FROM (
      SELECT u.account_id, sum(sum(dp)) OVER w AS dp, sum(sum(cp)) OVER w AS cp, sum(sum(dq)) OVER w AS dq,
             sum(sum(cq)) OVER w AS cq
      FROM (
        SELECT n.entry_seq, side.account_id, CASE WHEN debit THEN m.posted ELSE 0 END AS dp,
               CASE WHEN debit THEN 0 ELSE m.posted END AS cp, CASE WHEN debit THEN m.pending ELSE 0 END AS dq,
               CASE WHEN debit THEN 0 ELSE m.pending END AS cq
        FROM n LEFT JOIN transfer p ON p.entry_seq = n.pending_seq AND p.line = n.pending_line
        CROSS JOIN LATERAL (SELECT
          CASE WHEN n.phase IN ('single', 'post') THEN n.amount_pence ELSE 0 END AS posted,
          CASE n.phase WHEN 'pending' THEN n.amount_pence WHEN 'single' THEN 0 ELSE -p.amount_pence END AS pending) m
        CROSS JOIN LATERAL (VALUES (n.debit_id, true), (n.credit_id, false)) side (account_id, debit)) u
      GROUP BY u.account_id, u.entry_seq WINDOW w AS (PARTITION BY u.account_id ORDER BY u.entry_seq)) r
    JOIN balance b ON b.account_id = r.account_id JOIN account a ON a.id = r.account_id
    WHERE CASE b.guard
      WHEN 'debits<=credits' THEN b.debits_posted_pence + r.dp + b.debits_pending_pence + r.dq
                                  > b.credits_posted_pence + r.cp
      ELSE b.credits_posted_pence + r.cp + b.credits_pending_pence + r.cq > b.debits_posted_pence + r.dp END
    LIMIT 1;
    IF overdrawn IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_balance_overdraft', SCHEMA = 'ledger',
        TABLE = 'balance', MESSAGE = 'one of the entries overdraws account ' || overdrawn;
    END IF;
  END IF;
  WITH moved AS (
    SELECT n.debit_id, n.credit_id,
           CASE WHEN n.phase IN ('single', 'post') THEN n.amount_pence ELSE 0 END AS posted,
           CASE n.phase WHEN 'pending' THEN n.amount_pence WHEN 'single' THEN 0 ELSE -p.amount_pence END AS pending
    FROM n LEFT JOIN transfer p ON p.entry_seq = n.pending_seq AND p.line = n.pending_line),
  net AS (
    SELECT account_id, sum(dp)::bigint AS dp, sum(cp)::bigint AS cp, sum(dq)::bigint AS dq, sum(cq)::bigint AS cq
    FROM (SELECT debit_id AS account_id, posted AS dp, 0 AS cp, pending AS dq, 0 AS cq FROM moved
          UNION ALL SELECT credit_id, 0, posted, 0, pending FROM moved) u GROUP BY account_id)
  UPDATE balance b SET debits_posted_pence = b.debits_posted_pence + net.dp,
    credits_posted_pence = b.credits_posted_pence + net.cp, debits_pending_pence = b.debits_pending_pence + net.dq,
    credits_pending_pence = b.credits_pending_pence + net.cq
  FROM net WHERE b.account_id = net.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER moves_balances AFTER INSERT ON ledger.transfer REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.transfer_in();
"""

ENTRY_IN = """
CREATE FUNCTION ledger.entry_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, ledger, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE s bigint; lo bigint; earliest date; closed date; related boolean;
BEGIN
  SELECT head.size, added.* INTO STRICT s, lo, earliest, related
  FROM (SELECT size FROM log.log_head FOR UPDATE) head,
       (SELECT min(seq), min(effective_on), bool_or(relates_to <> '{}') FROM n) added;
  IF lo < s THEN
    RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'entry_is_open', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'place ' || lo || ' of the log is taken';
  END IF;
  closed := (SELECT max(closed_through) FROM period_close);
  IF earliest <= closed THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'period_is_open', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'the books are closed through ' || closed;
  END IF;
  IF related AND EXISTS (SELECT 1 FROM n CROSS JOIN LATERAL unnest(n.relates_to) AS r (id)
                         WHERE NOT EXISTS (SELECT 1 FROM log.leaf WHERE leaf.id = r.id)) THEN
    RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'relates_to_a_leaf', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'an entry relates to something that is not in the log';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER is_open AFTER INSERT ON ledger.entry REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.entry_in();

-- An account is opened, and a period closed, by a leaf that is still to come; a new account gets its balance row.
CREATE FUNCTION ledger.account_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, ledger, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM n WHERE opened_seq < (SELECT size FROM log.log_head)) THEN
    RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'entry_is_open', SCHEMA = 'ledger', TABLE = 'account',
      MESSAGE = 'an account is opened by a leaf of its own';
  END IF;
  INSERT INTO balance (account_id, guard) SELECT id, guard FROM n;
  RETURN NULL;
END $$;
CREATE TRIGGER is_opened AFTER INSERT ON ledger.account REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.account_in();

CREATE FUNCTION ledger.period_close_in() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, ledger, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM n WHERE seq < (SELECT size FROM log.log_head)) THEN
    RAISE EXCEPTION USING ERRCODE = '23001', CONSTRAINT = 'entry_is_open', SCHEMA = 'ledger', TABLE = 'period_close',
      MESSAGE = 'a period is closed by a leaf of its own';
  END IF;
  IF EXISTS (SELECT 1 FROM n JOIN period_close c ON c.seq < n.seq AND c.closed_through > n.closed_through) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'period_is_open', SCHEMA = 'ledger', TABLE = 'period_close',
      MESSAGE = 'a later period is closed already';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER is_later AFTER INSERT ON ledger.period_close REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.period_close_in();
"""

LEAF_CLOSES = """
-- The leaf comes last and closes what it says: rows and bytes must agree, both ways.
CREATE FUNCTION ledger.leaf_closes() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, ledger, log, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
DECLARE bad bigint; reversing boolean;
BEGIN
  SELECT min(seq) FILTER (WHERE truthful IS NOT TRUE), bool_or(kind = 'reversal') INTO bad, reversing FROM (
    SELECT l.seq, l.kind,
      CASE WHEN e.seq IS NULL
        THEN r.lines = 0 AND NOT jsonb_exists(j, 'transfers') AND NOT jsonb_exists(j, 'effective_on')
          AND NOT EXISTS (SELECT 1 FROM posting_rule m WHERE m.kind = l.kind)
        ELSE e.kind = l.kind AND r.of_kind AND r.last = r.lines AND j -> 'transfers' = r.said
          AND j ->> 'effective_on' = to_char(e.effective_on, 'YYYY-MM-DD')
          AND coalesce(j -> 'relates_to', '[]') = to_jsonb(e.relates_to)
          AND CASE WHEN e.reverses IS NULL THEN NOT jsonb_exists(j, 'reverses')
              ELSE j ->> 'reverses' = (SELECT o.id::text FROM log.leaf o WHERE o.seq = e.reverses) END
      END
      AND CASE WHEN a.id IS NULL THEN l.kind <> 'account_opened'
          ELSE l.kind = 'account_opened' AND j -> 'record' = jsonb_build_object('code', a.code, 'class', a.class,
                                                                              'name', a.name) END
      AND CASE WHEN pc.seq IS NULL THEN l.kind <> 'period_closed'
          ELSE l.kind = 'period_closed'
            AND j -> 'record' = jsonb_build_object('closed_through', to_char(pc.closed_through, 'YYYY-MM-DD')) END
      AS truthful
    FROM (SELECT n.seq, n.kind, convert_from(n.bytes, 'UTF8')::jsonb AS j FROM n) l
    LEFT JOIN entry e ON e.seq = l.seq
    LEFT JOIN account a ON a.opened_seq = l.seq
    LEFT JOIN period_close pc ON pc.seq = l.seq
    CROSS JOIN LATERAL (
      SELECT count(*) AS lines, max(t.line) AS last, bool_and(t.kind = l.kind) AS of_kind, jsonb_agg(
          jsonb_build_object('phase', t.phase, 'debit', d.code, 'credit', c.code, 'amount', t.amount_pence::text)
          || CASE WHEN t.pending_seq IS NULL THEN '{}' ELSE jsonb_build_object('pending', jsonb_build_array(
               (SELECT p.id FROM log.leaf p WHERE p.seq = t.pending_seq), t.pending_line)) END
          ORDER BY t.line) AS said
      FROM transfer t JOIN account d ON d.id = t.debit_id JOIN account c ON c.id = t.credit_id
      WHERE t.entry_seq = l.seq) r) said;
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_matches_rows', SCHEMA = 'log', TABLE = 'leaf',
      MESSAGE = 'leaf ' || bad || ' does not say what its rows say';
  END IF;
  -- A reversal is its entry's mirror, line for line. A reservation is voided, not reversed, and a reversal stands.
  IF reversing THEN
    SELECT e.seq INTO bad FROM n JOIN entry e ON e.seq = n.seq JOIN entry o ON o.seq = e.reverses
    WHERE o.kind = 'reversal' OR EXISTS (
      SELECT 1 FROM (SELECT * FROM transfer WHERE entry_seq = o.seq) first
      FULL JOIN (SELECT * FROM transfer WHERE entry_seq = e.seq) mirror USING (line)
      WHERE first.debit_id IS DISTINCT FROM mirror.credit_id OR first.credit_id IS DISTINCT FROM mirror.debit_id
         OR first.amount_pence IS DISTINCT FROM mirror.amount_pence OR first.phase NOT IN ('single', 'post'))
    LIMIT 1;
    IF bad IS NOT NULL THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reversal_mirrors', SCHEMA = 'ledger', TABLE = 'entry',
        MESSAGE = 'entry ' || bad || ' does not mirror the one it reverses';
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER b_closes AFTER INSERT ON log.leaf REFERENCING NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION ledger.leaf_closes();
"""

ENDOWMENT = """
-- What came in from dormant assets. A sender's reference is used once, whoever records it.
CREATE TABLE tranche (
  id              uuid CONSTRAINT pk_tranche PRIMARY KEY,
  sender          text NOT NULL CONSTRAINT ck_tranche_sender CHECK (length(sender) BETWEEN 1 AND 200),
  reference       text NOT NULL CONSTRAINT ck_tranche_reference CHECK (length(reference) BETWEEN 1 AND 100),
  scheme          text NOT NULL CONSTRAINT ck_tranche_scheme CHECK (scheme IN
                    ('banks', 'insurance_and_pensions', 'investments_and_wealth', 'securities')),
  amount_pence    bigint NOT NULL CONSTRAINT ck_tranche_amount CHECK (amount_pence > 0),
  reclaim_pence   bigint NOT NULL CONSTRAINT ck_tranche_reclaim CHECK (reclaim_pence BETWEEN 0 AND amount_pence),
  received_on     date NOT NULL,
  document_sha256 bytea NOT NULL CONSTRAINT ck_tranche_document CHECK (octet_length(document_sha256) = 32),
  entry_id        uuid NOT NULL CONSTRAINT uq_tranche_entry UNIQUE
                    CONSTRAINT fk_tranche_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT uq_tranche_reference UNIQUE (sender, reference)
);

-- What the whole endowment earned or lost, each with its date and its source.
CREATE TABLE endowment_return (
  id              uuid CONSTRAINT pk_endowment_return PRIMARY KEY,
  kind            text NOT NULL CONSTRAINT ck_endowment_return_kind CHECK (kind IN
                    ('investment_income', 'bank_interest', 'revaluation_gain', 'revaluation_loss')),
  amount_pence    bigint NOT NULL CONSTRAINT ck_endowment_return_amount CHECK (amount_pence > 0),
  earned_on       date NOT NULL,
  source          text NOT NULL CONSTRAINT ck_endowment_return_source CHECK (length(source) BETWEEN 1 AND 200),
  reference       text NOT NULL CONSTRAINT ck_endowment_return_reference CHECK (length(reference) BETWEEN 1 AND 100),
  entry_id        uuid NOT NULL CONSTRAINT uq_endowment_return_entry UNIQUE
                    CONSTRAINT fk_endowment_return_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT uq_endowment_return_reference UNIQUE (source, reference)
);

-- A year's limit: what the spending rule gave, from which values, by which version of the rule. One a year.
CREATE TABLE spending_limit (
  id                uuid CONSTRAINT pk_spending_limit PRIMARY KEY,
  financial_year    text NOT NULL CONSTRAINT uq_spending_limit_year UNIQUE
                      CONSTRAINT ck_spending_limit_year CHECK (financial_year ~ '^[0-9]{4}-[0-9]{2}$'),
  rule              text NOT NULL,
  rule_version      smallint NOT NULL,
  rate_basis_points smallint NOT NULL CONSTRAINT ck_spending_limit_rate CHECK (rate_basis_points BETWEEN 1 AND 1000),
  cost_ceiling_basis_points smallint NOT NULL
                      CONSTRAINT ck_spending_limit_ceiling CHECK (cost_ceiling_basis_points BETWEEN 0 AND 3000),
  inputs            jsonb NOT NULL,
  rule_pence        bigint NOT NULL,
  amount_pence      bigint NOT NULL
                      CONSTRAINT ck_spending_limit_amount CHECK (amount_pence > 0 AND amount_pence <= rule_pence),
  set_on            date NOT NULL,
  entry_id          uuid NOT NULL CONSTRAINT uq_spending_limit_entry UNIQUE
                      CONSTRAINT fk_spending_limit_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE drawdown (
  id             uuid CONSTRAINT pk_drawdown PRIMARY KEY,
  financial_year text NOT NULL CONSTRAINT fk_drawdown_year REFERENCES spending_limit (financial_year),
  amount_pence   bigint NOT NULL CONSTRAINT ck_drawdown_amount CHECK (amount_pence > 0),
  drawn_on       date NOT NULL,
  reference      text NOT NULL CONSTRAINT uq_drawdown_reference UNIQUE,
  entry_id       uuid NOT NULL CONSTRAINT uq_drawdown_entry UNIQUE
                   CONSTRAINT fk_drawdown_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE running_cost_budget (
  id             uuid CONSTRAINT pk_running_cost_budget PRIMARY KEY,
  financial_year text NOT NULL CONSTRAINT fk_running_cost_budget_year REFERENCES spending_limit (financial_year),
  amount_pence   bigint NOT NULL CONSTRAINT ck_running_cost_budget_amount CHECK (amount_pence > 0),
  set_on         date NOT NULL,
  reference      text NOT NULL CONSTRAINT uq_running_cost_budget_reference UNIQUE,
  entry_id       uuid NOT NULL CONSTRAINT uq_running_cost_budget_entry UNIQUE
                   CONSTRAINT fk_running_cost_budget_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

POST = """
-- What the application calls: three inserts with its own rights, in one round trip. The rows are read out of the
-- leaves, so they cannot differ. Writes and gives nothing when a key was used before or the log has not begun.
CREATE FUNCTION ledger.post(keys text[], request_hashes bytea[], leaves bytea[])
RETURNS TABLE (seq bigint, id uuid, leaf_hash bytea) LANGUAGE plpgsql VOLATILE
SECURITY INVOKER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE first bigint;
BEGIN
  first := (SELECT h.seq FROM log.next_seq(keys) AS h (seq));
  IF first IS NULL OR first = 0 THEN RETURN; END IF;
  INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, credit_class,
                               amount_pence, pending_seq, pending_line)
  SELECT first + n.at - 1, t.line, n.j ->> 'kind', t.j ->> 'phase', d.id, d.class, c.id, c.class,
         (t.j ->> 'amount')::bigint,
         CASE WHEN jsonb_exists(t.j, 'pending') THEN coalesce(
           (SELECT p.seq FROM log.leaf p WHERE p.id = (t.j -> 'pending' ->> 0)::uuid),
           (SELECT first + b.at - 1 FROM unnest(leaves) WITH ORDINALITY AS b (bytes, at)
            WHERE convert_from(b.bytes, 'UTF8')::jsonb ->> 'id' = t.j -> 'pending' ->> 0)) END,
         (t.j -> 'pending' ->> 1)::smallint
  FROM (SELECT l.at, convert_from(l.bytes, 'UTF8')::jsonb AS j
        FROM unnest(leaves) WITH ORDINALITY AS l (bytes, at) OFFSET 0) n
  CROSS JOIN LATERAL jsonb_array_elements(n.j -> 'transfers') WITH ORDINALITY AS t (j, line)
  LEFT JOIN ledger.account d ON d.code = t.j ->> 'debit' LEFT JOIN ledger.account c ON c.code = t.j ->> 'credit';
  INSERT INTO ledger.entry (seq, kind, effective_on, reverses, relates_to)
  SELECT first + n.at - 1, n.j ->> 'kind', (n.j ->> 'effective_on')::date,
         (SELECT r.seq FROM log.leaf r WHERE r.id = (n.j ->> 'reverses')::uuid),
         CASE WHEN jsonb_exists(n.j, 'relates_to')
           THEN ARRAY(SELECT jsonb_array_elements_text(n.j -> 'relates_to')::uuid) ELSE '{}' END
  FROM (SELECT l.at, convert_from(l.bytes, 'UTF8')::jsonb AS j
        FROM unnest(leaves) WITH ORDINALITY AS l (bytes, at) OFFSET 0) n;
  RETURN QUERY
  INSERT INTO log.leaf AS written (seq, id, kind, idem_key, request_hash, recorded_at, bytes)
  SELECT first + n.at - 1, (n.j ->> 'id')::uuid, n.j ->> 'kind', n.idem_key, n.request_hash,
         (n.j ->> 'recorded_at')::timestamptz, n.bytes
  FROM (SELECT l.*, convert_from(l.bytes, 'UTF8')::jsonb AS j
        FROM unnest(keys, request_hashes, leaves) WITH ORDINALITY AS l (idem_key, request_hash, bytes, at) OFFSET 0) n
  RETURNING written.seq, written.id, written.leaf_hash;
END $$;
"""

GRANTS = """
REVOKE ALL ON FUNCTION ledger.post(text[], bytea[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.post(text[], bytea[], bytea[]) TO fund_common;
REVOKE ALL ON FUNCTION log.next_seq(text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION log.leaf_in(), ledger.transfer_in(), ledger.entry_in(), ledger.account_in(),
  ledger.period_close_in(), ledger.leaf_closes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log.next_seq(text[]) TO fund_common;
GRANT USAGE ON SCHEMA log, ledger TO fund_common;
GRANT SELECT ON ALL TABLES IN SCHEMA log, ledger TO fund_common;
GRANT INSERT ON log.leaf, ledger.account, ledger.entry, ledger.transfer, ledger.period_close TO fund_common;
-- The openings of commitments are the one thing here that may be forgotten.
GRANT INSERT, DELETE ON log.commitment TO fund_common;
GRANT SELECT, INSERT ON tranche, endowment_return, spending_limit, drawdown, running_cost_budget TO fund_common;
"""
