"""A snapshot keeps the accounts that moved since the one before, and no others.

Each grant has an account, so a snapshot of all of them every ten thousand places grew with the square of the ledger:
seven million rows in a ledger of a million lines, nearly all of them the same as ten thousand places earlier. A balance
of long ago is counted up from the newest row of its account, which was always looked for by account.
"""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    """Only what moved."""
    op.execute(_function(MOVED))


def downgrade() -> None:
    """All accounts, as in 0021. The rows of those that had not moved are not made up for: no balance needs them, and
    only an fsck as old as 0032 asks for them."""
    op.execute(_function(ALL))


SUMS = """(
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
    WHERE t.entry_seq BETWEEN earlier + 1 AND through GROUP BY side.account_id) m"""

MOVED = f"""{SUMS}
  LEFT JOIN LATERAL (SELECT b.* FROM ledger.balance_snapshot b
    WHERE b.account_id = m.account_id AND b.through_seq <= earlier ORDER BY b.through_seq DESC LIMIT 1) s ON true
  JOIN ledger.account a ON a.id = m.account_id"""

ALL = f"""ledger.account a
  LEFT JOIN LATERAL (SELECT b.* FROM ledger.balance_snapshot b
    WHERE b.account_id = a.id AND b.through_seq <= earlier ORDER BY b.through_seq DESC LIMIT 1) s ON true
  LEFT JOIN {SUMS} ON m.account_id = a.id WHERE a.opened_seq <= through"""


def _function(of: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION ledger.take_snapshot(through bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE
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
  FROM {of}
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS rows = ROW_COUNT;
  writer := set_config('fund.writer', '', true);
  RETURN rows;
END $$;
"""
