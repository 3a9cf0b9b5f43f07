"""A row of an allocation, an offer or a payment says what its entry in the ledger says.

Each names the entry that moved its money; that this entry moved just that money was left to the code that wrote both.
Now the lines of the entry are compared with the row when the transaction commits: kind, accounts, pence, the
reservation that each ends, what the entry relates to, and the day where the row has one. So nothing is signed, approved
or settled beside an entry of another sum. Rows that stand already are not looked at again.

A grant that is withdrawn after its signing has no page yet, and what its entry says is not settled: until then such a
row is refused.
"""

from alembic import op

revision = "0026"
down_revision = "0025"

#: The tables whose rows name the entry that moved their money.
ROWS = ("allocation", "award", "agreement", "award_end", "release", "release_end")


def upgrade() -> None:
    """One function that looks, on every table."""
    op.execute("CREATE UNIQUE INDEX uq_award_end_entry ON award_end (entry_id)")  # the others have theirs
    op.execute(SAID)
    for table in ROWS:
        op.execute(f"""
        CREATE CONSTRAINT TRIGGER row_says_its_entry AFTER INSERT ON {table}
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.grant_row_said();
        """)


def downgrade() -> None:
    """Without it."""
    for table in ROWS:
        op.execute(f"DROP TRIGGER row_says_its_entry ON {table}")
    op.execute("DROP FUNCTION public.grant_row_said(); DROP INDEX uq_award_end_entry")


SAID = """
CREATE FUNCTION public.grant_row_said() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE e record; is_so boolean;
BEGIN
  SELECT n.seq, n.kind, n.effective_on, n.relates_to, l.id INTO e FROM log.leaf l JOIN ledger.entry n ON n.seq = l.seq
  WHERE l.id = coalesce(to_jsonb(NEW) ->> 'entry_id', to_jsonb(NEW) ->> 'offer_entry_id')::uuid;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'row_says_its_entry', SCHEMA = 'public',
      TABLE = TG_TABLE_NAME, MESSAGE = 'it names a leaf that is no entry';
  END IF;
  WITH given AS NOT MATERIALIZED (
    SELECT a.id, a.offer_entry_id, d.leaf_id, '4000/' || n.code AS place, '5000/' || a.reference AS own
    FROM public.award a JOIN public.decision d ON d.id = a.decision_id
    JOIN public.application p ON p.id = a.application_id JOIN public.round r ON r.id = p.round_id
    JOIN public.neighbourhood n ON n.id = r.neighbourhood_id),
  said (kind, on_day, relates_to, phase, debit, credit, pence, ends) AS (
    SELECT 'area_allocation', r.term_from, ARRAY[r.leaf_id], 'single', '3200', '4000/' || n.code, x.amount_pence,
           NULL::uuid
    FROM public.allocation x JOIN public.allocation_run r ON r.id = x.run_id
    JOIN public.neighbourhood n ON n.id = x.neighbourhood_id WHERE x.entry_id = e.id
    -- A line for each stage: reserved by the offer, and posted or freed with all the others.
    UNION ALL SELECT 'grant_offer', NULL, ARRAY[g.leaf_id], 'pending', g.place, g.own, s.amount_pence, NULL
      FROM given g JOIN public.stage s ON s.award_id = g.id WHERE g.offer_entry_id = e.id
    UNION ALL SELECT 'grant_agreement', NULL, ARRAY[g.offer_entry_id], 'post', g.place, g.own, s.amount_pence,
           g.offer_entry_id
      FROM public.agreement x JOIN given g ON g.id = x.award_id JOIN public.stage s ON s.award_id = g.id
      WHERE x.entry_id = e.id
    UNION ALL SELECT 'grant_offer_lapsed', NULL, ARRAY[g.offer_entry_id], 'void', g.place, g.own, s.amount_pence,
           g.offer_entry_id
      FROM public.award_end x JOIN given g ON g.id = x.award_id JOIN public.stage s ON s.award_id = g.id
      WHERE x.entry_id = e.id AND x.kind <> 'withdrawn'
    UNION ALL SELECT 'stage_release', NULL, '{}', 'pending', g.own, '1000', x.amount_pence, NULL
      FROM public.release x JOIN public.stage s ON s.id = x.stage_id JOIN given g ON g.id = s.award_id
      WHERE x.entry_id = e.id
    -- What became of it: paid, or free again; and when it came back, the money that had been paid.
    UNION ALL SELECT CASE WHEN y.kind = 'settled' THEN 'stage_paid' ELSE 'payment_failed' END, y.booked_on,
           ARRAY[x.entry_id], CASE WHEN y.kind = 'settled' THEN 'post' ELSE 'void' END, g.own, '1000', x.amount_pence,
           x.entry_id
      FROM public.release_end y JOIN public.release x ON x.id = y.release_id JOIN public.stage s ON s.id = x.stage_id
      JOIN given g ON g.id = s.award_id WHERE y.entry_id = e.id AND y.kind <> 'returned'
    UNION ALL SELECT 'payment_returned', y.booked_on, ARRAY[z.entry_id], 'single', '1000', g.own, x.amount_pence, NULL
      FROM public.release_end y JOIN public.release x ON x.id = y.release_id JOIN public.stage s ON s.id = x.stage_id
      JOIN given g ON g.id = s.award_id
      JOIN public.release_end z ON z.release_id = x.id AND z.kind = 'settled'
      WHERE y.entry_id = e.id AND y.kind = 'returned'),
  asked (kind, on_day, relates_to, phase, debit, credit, pence, ends) AS (
    SELECT s.kind, coalesce(s.on_day, e.effective_on), s.relates_to, s.phase, s.debit, s.credit, s.pence, s.ends
    FROM said s),
  stands (kind, on_day, relates_to, phase, debit, credit, pence, ends) AS (
    SELECT e.kind, e.effective_on, e.relates_to, t.phase, d.code, c.code, t.amount_pence, l.id
    FROM ledger.transfer t JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
    LEFT JOIN log.leaf l ON l.seq = t.pending_seq WHERE t.entry_seq = e.seq)
  SELECT NOT EXISTS (SELECT * FROM asked EXCEPT ALL SELECT * FROM stands)
         AND NOT EXISTS (SELECT * FROM stands EXCEPT ALL SELECT * FROM asked) INTO is_so;
  IF is_so IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'row_says_its_entry', SCHEMA = 'public',
      TABLE = TG_TABLE_NAME, MESSAGE = 'it says something else than entry ' || e.seq || ' (' || e.kind || '), its own';
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.grant_row_said() FROM PUBLIC;
"""
