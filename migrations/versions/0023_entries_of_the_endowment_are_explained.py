"""No entry of the endowment without the row that explains it, and no such row beside another entry than it says.

The posting matrix lets anybody with the application's password hand the ledger an entry of an endowment's kind; until
now only `fund endowment check` saw that nothing stood for it. Now both sides are looked at when the transaction
commits: the lines of the entry must be just those that its row says, of its kind, on its day, in its year, by the
reservation that it ends. A gain or a loss must be that of a valuation, and what makes a deficit good belongs to one
income of the same day. Entries and rows that stand already are not looked at again.

The trigger on the ledger's table asks for the kind first, so that no other entry waits for the end of its transaction.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

#: The kinds that the endowment posts; a test holds them against the posting matrix.
KINDS = ("dormant_assets_receipt", "investment_income", "bank_interest", "revaluation_gain", "revaluation_loss",
         "deficit_made_good", "spending_rule_set", "drawdown", "operating_budget", "trade", "reclaim_paid",
         "reclaim_reserve_top_up", "reclaim_reserve_release")
#: The tables whose rows name the entry that they explain.
ROWS = ("tranche", "endowment_return", "spending_limit", "drawdown", "running_cost_budget", "holding_trade",
        "holding_trade_end", "reclaim_payment", "reclaim_payment_end", "reserve_change_approval")


def upgrade() -> None:
    """One function that looks, on the entries and on every table beside them; and one for gains and losses."""
    op.execute(EXPLAINED)
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    op.execute(f"""
    CREATE CONSTRAINT TRIGGER endowment_entry_explained AFTER INSERT ON ledger.entry
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind IN ({kinds}))
      EXECUTE FUNCTION public.endowment_explained();
    """)
    for table in ROWS:
        op.execute(f"""
        CREATE CONSTRAINT TRIGGER row_says_its_entry AFTER INSERT ON {table}
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.endowment_explained();
        """)
    op.execute(VALUED)


def downgrade() -> None:
    """Without them: nothing refuses, and `fund endowment check` names it."""
    op.execute("DROP TRIGGER endowment_entry_explained ON ledger.entry")
    op.execute("DROP TRIGGER change_of_value_valued ON endowment_return")
    for table in ROWS:
        op.execute(f"DROP TRIGGER row_says_its_entry ON {table}")
    op.execute("DROP FUNCTION public.endowment_explained(), public.change_of_value_valued()")


EXPLAINED = """
-- Looks at one entry of the endowment: that it is new, or that a new row names it. What rows say is written out here
-- and not in a view, so that fsck, which knows this function's text, sees every change of it.
CREATE FUNCTION public.endowment_explained() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE e record; explained boolean;
BEGIN
  IF TG_TABLE_SCHEMA = 'ledger' THEN
    SELECT n.seq, n.kind, n.effective_on, n.relates_to, l.id INTO e
    FROM ledger.entry n JOIN log.leaf l ON l.seq = n.seq WHERE n.seq = NEW.seq;
  ELSE
    SELECT n.seq, n.kind, n.effective_on, n.relates_to, l.id INTO e
    FROM log.leaf l JOIN ledger.entry n ON n.seq = l.seq WHERE l.id = NEW.entry_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'row_says_its_entry', SCHEMA = 'public',
        TABLE = TG_TABLE_NAME, MESSAGE = 'it names a leaf that is no entry';
    END IF;
  END IF;

  IF e.kind = 'deficit_made_good' AND TG_TABLE_SCHEMA = 'ledger' THEN
    -- It has no row of its own: it is part of what one income brought, on the same day, and once.
    explained := EXISTS (
        SELECT FROM public.endowment_return r
        WHERE e.relates_to = ARRAY[r.entry_id] AND r.kind IN ('investment_income', 'bank_interest')
          AND r.earned_on = e.effective_on AND r.amount_pence >= (
            SELECT sum(t.amount_pence) FROM ledger.transfer t WHERE t.entry_seq = e.seq))
      AND NOT EXISTS (SELECT FROM ledger.entry o WHERE o.relates_to && e.relates_to AND o.relates_to <> '{}'
                      AND o.kind = 'deficit_made_good' AND o.seq <> e.seq);
  ELSE
    WITH said (kind, on_day, phase, debit, credit, pence, ends) AS (
      SELECT 'dormant_assets_receipt', x.received_on, 'single', '1000', '3000', x.amount_pence - x.reclaim_pence,
             NULL::uuid FROM public.tranche x WHERE x.entry_id = e.id AND x.amount_pence > x.reclaim_pence
      UNION ALL SELECT 'dormant_assets_receipt', x.received_on, 'single', '1000', '2000', x.reclaim_pence, NULL
        FROM public.tranche x WHERE x.entry_id = e.id AND x.reclaim_pence > 0
      -- A gain or a loss is one of the whole return, whatever part of it a deficit bears.
      UNION ALL SELECT x.kind, x.earned_on, 'single', CASE x.kind WHEN 'revaluation_gain' THEN '1100'
          WHEN 'revaluation_loss' THEN '3100' ELSE '1000' END, CASE x.kind WHEN 'revaluation_loss' THEN '1100'
          ELSE '3100' END, x.amount_pence, NULL FROM public.endowment_return x WHERE x.entry_id = e.id
      UNION ALL SELECT 'spending_rule_set', x.set_on, 'single', '3100', '3150/' || x.financial_year, x.amount_pence,
             NULL FROM public.spending_limit x WHERE x.entry_id = e.id
      UNION ALL SELECT 'drawdown', x.drawn_on, 'single', '3150/' || x.financial_year, '3200', x.amount_pence, NULL
        FROM public.drawdown x WHERE x.entry_id = e.id
      UNION ALL SELECT 'operating_budget', x.set_on, 'single', '3200', '3250/' || x.financial_year, x.amount_pence,
             NULL FROM public.running_cost_budget x WHERE x.entry_id = e.id
      UNION ALL SELECT 'trade', x.agreed_on, 'pending', CASE WHEN x.is_buy THEN '1100' ELSE '1000' END,
             CASE WHEN x.is_buy THEN '1000' ELSE '1100' END, x.amount_pence, NULL
        FROM public.holding_trade x WHERE x.entry_id = e.id
      UNION ALL SELECT 'trade', y.ended_on, CASE WHEN y.is_settled THEN 'post' ELSE 'void' END,
             CASE WHEN x.is_buy THEN '1100' ELSE '1000' END, CASE WHEN x.is_buy THEN '1000' ELSE '1100' END,
             x.amount_pence, x.entry_id
        FROM public.holding_trade_end y JOIN public.holding_trade x ON x.id = y.trade_id WHERE y.entry_id = e.id
      UNION ALL SELECT 'reclaim_paid', x.agreed_on, 'pending', '2000', '1000', x.amount_pence, NULL
        FROM public.reclaim_payment x WHERE x.entry_id = e.id
      UNION ALL SELECT 'reclaim_paid', y.ended_on, CASE WHEN y.is_paid THEN 'post' ELSE 'void' END, '2000', '1000',
             x.amount_pence, x.entry_id
        FROM public.reclaim_payment_end y JOIN public.reclaim_payment x ON x.id = y.payment_id WHERE y.entry_id = e.id
      UNION ALL SELECT 'reclaim_reserve_' || x.kind, (y.approved_at AT TIME ZONE 'Europe/London')::date, 'single',
             CASE x.kind WHEN 'top_up' THEN '3100' ELSE '2000' END,
             CASE x.kind WHEN 'top_up' THEN '2000' ELSE '3000' END, x.amount_pence, NULL
        FROM public.reserve_change_approval y JOIN public.reserve_change x ON x.id = y.change_id
        WHERE y.entry_id = e.id),
    is_so (kind, on_day, phase, debit, credit, pence, ends) AS (
      SELECT e.kind, e.effective_on, t.phase, s.debit, s.credit, sum(t.amount_pence)::bigint, l.id
      FROM ledger.transfer t JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
      LEFT JOIN log.leaf l ON l.seq = t.pending_seq
      CROSS JOIN LATERAL (SELECT CASE WHEN d.code = '3090' AND e.kind = 'revaluation_loss' THEN '3100' ELSE d.code END,
        CASE WHEN c.code = '3090' AND e.kind = 'revaluation_gain' THEN '3100' ELSE c.code END) s (debit, credit)
      WHERE t.entry_seq = e.seq GROUP BY t.phase, s.debit, s.credit, l.id)
    -- Where nothing is said nothing is explained: also when somebody has it asked before the lines are written.
    SELECT EXISTS (SELECT FROM said) AND NOT EXISTS (SELECT * FROM said EXCEPT ALL SELECT * FROM is_so)
           AND NOT EXISTS (SELECT * FROM is_so EXCEPT ALL SELECT * FROM said) INTO explained;
  END IF;

  IF explained IS NOT TRUE THEN
    IF TG_TABLE_SCHEMA = 'ledger' THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'endowment_entry_explained', SCHEMA = 'ledger',
        TABLE = 'entry', MESSAGE = 'entry ' || e.seq || ' (' || e.kind || ') is not what a row of the endowment says';
    END IF;
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'row_says_its_entry', SCHEMA = 'public',
      TABLE = TG_TABLE_NAME, MESSAGE = 'it says something else than entry ' || e.seq || ' (' || e.kind || '), its own';
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.endowment_explained() FROM PUBLIC;
"""

VALUED = """
CREATE FUNCTION public.change_of_value_valued() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM public.holding_valuation v WHERE v.return_id = NEW.id) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'change_of_value_valued', SCHEMA = 'public',
      TABLE = 'endowment_return', MESSAGE = 'a gain or a loss is that of a valuation';
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.change_of_value_valued() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER change_of_value_valued AFTER INSERT ON endowment_return
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind IN ('revaluation_gain', 'revaluation_loss'))
  EXECUTE FUNCTION public.change_of_value_valued();
"""
