"""Balances as they were at an entry, kept; and no books closed over a line of the bank's statement that nobody matched.

A snapshot is keyed by place in the log, not by day: what is entered later for an earlier day never changes it. Its
figures are computed here from the lines, and from the snapshot before; nobody can hand any in. fsck computes them
again.
"""

from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """The snapshots, the function that takes one, and the rule of the closed books."""
    op.execute(SNAPSHOTS)
    op.execute("""
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.balance_snapshot
      FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER append_only_all BEFORE TRUNCATE ON ledger.balance_snapshot EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER by_function_only BEFORE INSERT ON ledger.balance_snapshot FOR EACH STATEMENT
      WHEN (current_user <> 'fund_owner' OR (current_setting('fund.writer', true) IN ('ledger')) IS NOT TRUE)
      EXECUTE FUNCTION log.refuse_hand();
    REVOKE ALL ON FUNCTION ledger.take_snapshot(bigint) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ledger.take_snapshot(bigint) TO fund_common;
    GRANT SELECT ON ledger.balance_snapshot TO fund_common;
    """)
    op.execute(CLOSED_BOOKS)


def downgrade() -> None:
    """Without them."""
    op.execute("""
    DROP TRIGGER statement_lines_matched ON ledger.period_close; DROP FUNCTION public.statement_lines_matched();
    DROP FUNCTION ledger.take_snapshot(bigint); DROP TABLE ledger.balance_snapshot;
    """)


SNAPSHOTS = """
CREATE TABLE ledger.balance_snapshot (
  account_id  integer NOT NULL CONSTRAINT fk_balance_snapshot_account REFERENCES ledger.account (id),
  through_seq bigint NOT NULL CONSTRAINT fk_balance_snapshot_leaf REFERENCES log.leaf (seq),
  debits_posted_pence bigint NOT NULL CONSTRAINT ck_balance_snapshot_debits_posted CHECK (debits_posted_pence >= 0),
  credits_posted_pence bigint NOT NULL CONSTRAINT ck_balance_snapshot_credits_posted CHECK (credits_posted_pence >= 0),
  debits_pending_pence bigint NOT NULL CONSTRAINT ck_balance_snapshot_debits_pending CHECK (debits_pending_pence >= 0),
  credits_pending_pence bigint NOT NULL
    CONSTRAINT ck_balance_snapshot_credits_pending CHECK (credits_pending_pence >= 0),
  CONSTRAINT pk_balance_snapshot PRIMARY KEY (account_id, through_seq)
);

-- Every account as it stood once the entry at this place was recorded; gives how many. Where it was taken before it
-- stays as it is. No lock: whoever sees a size of the log sees every line below it.
CREATE FUNCTION ledger.take_snapshot(through bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE earlier bigint; rows bigint; writer text;
BEGIN
  IF (through >= 0 AND through < (SELECT h.size FROM log.log_head h)) IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'snapshot_of_the_past', SCHEMA = 'ledger',
      TABLE = 'balance_snapshot', MESSAGE = 'the log has no place ' || coalesce(through::text, 'without a number');
  END IF;
  earlier := coalesce((SELECT max(s.through_seq) FROM ledger.balance_snapshot s WHERE s.through_seq < through), -1);
  writer := set_config('fund.writer', 'ledger', true);
  INSERT INTO ledger.balance_snapshot (account_id, through_seq, debits_posted_pence, credits_posted_pence,
                                       debits_pending_pence, credits_pending_pence)
  SELECT a.id, through, coalesce(s.debits_posted_pence, 0) + coalesce(m.dp, 0),
         coalesce(s.credits_posted_pence, 0) + coalesce(m.cp, 0),
         coalesce(s.debits_pending_pence, 0) + coalesce(m.dq, 0),
         coalesce(s.credits_pending_pence, 0) + coalesce(m.cq, 0)
  FROM ledger.account a
  LEFT JOIN ledger.balance_snapshot s ON s.account_id = a.id AND s.through_seq = earlier
  LEFT JOIN (
    SELECT side.account_id, sum(CASE WHEN side.debit THEN x.posted ELSE 0 END) AS dp,
           sum(CASE WHEN side.debit THEN 0 ELSE x.posted END) AS cp,
           sum(CASE WHEN side.debit THEN x.pending ELSE 0 END) AS dq,
           sum(CASE WHEN side.debit THEN 0 ELSE x.pending END) AS cq
    FROM ledger.transfer t
    CROSS JOIN LATERAL (SELECT CASE WHEN t.phase IN ('single', 'post') THEN t.amount_pence ELSE 0 END AS posted,
      CASE t.phase WHEN 'pending' THEN t.amount_pence WHEN 'single' THEN 0
        ELSE -(SELECT p.amount_pence FROM ledger.transfer p
               WHERE p.entry_seq = t.pending_seq AND p.line = t.pending_line) END AS pending OFFSET 0) x
    CROSS JOIN LATERAL (VALUES (t.debit_id, true), (t.credit_id, false)) side (account_id, debit)
    WHERE t.entry_seq BETWEEN earlier + 1 AND through GROUP BY side.account_id) m ON m.account_id = a.id
  WHERE a.opened_seq <= through
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS rows = ROW_COUNT;
  writer := set_config('fund.writer', '', true);
  RETURN rows;
END $$;
"""

CLOSED_BOOKS = """
-- What the bank says happened is in the books, or somebody knows why not, before they are closed over it.
CREATE FUNCTION public.statement_lines_matched() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM public.statement_line l WHERE l.booked_on <= NEW.closed_through AND NOT EXISTS (
               SELECT FROM public.statement_match m WHERE m.statement_line_id = l.id)) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'statement_lines_matched', SCHEMA = 'ledger',
      TABLE = 'period_close', MESSAGE = 'a line of the bank''s statement up to that day is not matched';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER statement_lines_matched BEFORE INSERT ON ledger.period_close
  FOR EACH ROW EXECUTE FUNCTION public.statement_lines_matched();
"""
