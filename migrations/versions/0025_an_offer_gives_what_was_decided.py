"""An offer gives what a panel decided, and the public record of a decision says what the panel's row says.

Until now the row of an award was held to its decision (`ck_award_as_decided`), and the entry in the ledger was not: an
entry of its own could reserve other money, in another place, or for a decision that nobody took. Now the ledger itself
asks an offer for the one decision that it relates to, in the log, of its place and to the penny; no decision is offered
twice; and a leaf that calls itself a decision stands beside a row that only a panel can write, and says the same. So a
stranger who has the log alone can check that money follows decisions, and the verifier does.

Offers that stand already are not looked at again: the part grants has related each to its decision from the first.
"""

from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """The look of `ledger.post` at offers, the index that lets each decision be offered once, and the leaf's look."""
    text = _post_as_it_was()
    for old, new in WORDS:
        if text.count(old) != 1:
            raise RuntimeError(f"ledger.post of migration 0017 is not the one that this was written for: {old}")
        text = text.replace(old, new)
    op.execute(text)
    op.execute("CREATE UNIQUE INDEX uq_entry_offer ON ledger.entry ((relates_to[1])) WHERE kind = 'grant_offer'")
    op.execute(SAID)


def downgrade() -> None:
    """Without them."""
    op.execute("""
    DROP TRIGGER leaf_says_its_decision ON decision; DROP TRIGGER decision_of_a_panel ON log.leaf;
    DROP FUNCTION public.decision_said(); DROP INDEX ledger.uq_entry_offer;
    """)
    op.execute(_post_as_it_was())


def _post_as_it_was() -> str:
    text: str = op.get_context().script.get_revision("0017").module.POST  # type: ignore[union-attr]
    return text.replace("CREATE FUNCTION ledger.post", "CREATE OR REPLACE FUNCTION ledger.post")


LOOK = """\
  -- An offer gives what one decision says, in its place and to the penny; uq_entry_offer sees that it does so once.
  IF offering THEN IF EXISTS (
    SELECT FROM ledger.entry e
    LEFT JOIN log.leaf d ON d.id = e.relates_to[1] AND d.kind = 'decision' AND cardinality(e.relates_to) = 1
    CROSS JOIN LATERAL (SELECT convert_from(d.bytes, 'UTF8')::jsonb -> 'record' AS said OFFSET 0) r
    WHERE e.seq BETWEEN first AND last AND e.kind = 'grant_offer' AND (
      ((SELECT sum(t.amount_pence)::text FROM ledger.transfer t WHERE t.entry_seq = e.seq)
        = r.said ->> 'amount') IS NOT TRUE
      OR EXISTS (SELECT FROM ledger.transfer t JOIN ledger.account a ON a.id = t.debit_id
                 WHERE t.entry_seq = e.seq AND (a.code = '4000/' || (r.said ->> 'area')) IS NOT TRUE))) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'offer_follows_decision', SCHEMA = 'ledger', TABLE = 'entry',
      MESSAGE = 'an offer does not give what one decision of its place says';
  END IF; END IF;

"""

#: What `ledger.post` notes of its entries on the way, and the look itself before the balances move.
WORDS = (
    ("resolving boolean := false; limiting boolean;",
     "resolving boolean := false; limiting boolean; offering boolean;"),
    ("limiting := said ->> 'kind' = 'spending_rule_set';",
     "limiting := said ->> 'kind' = 'spending_rule_set';\n    offering := said ->> 'kind' = 'grant_offer';"),
    ("bool_or(e.relates_to <> '{}'), bool_or(e.kind = 'spending_rule_set'),",
     "bool_or(e.relates_to <> '{}'), bool_or(e.kind = 'spending_rule_set'), bool_or(e.kind = 'grant_offer'),"),
    ("INTO exact, reversing, relating, limiting, closed FROM e;",
     "INTO exact, reversing, relating, limiting, offering, closed FROM e;"),
    ("  IF simple THEN\n    posted :=", LOOK + "  IF simple THEN\n    posted :="),
)

SAID = """
-- At the end of the transaction: a leaf that calls itself a decision has the row of one, and says just what it says.
CREATE FUNCTION public.decision_said() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE of_leaf uuid;
BEGIN
  IF TG_TABLE_SCHEMA = 'log' THEN of_leaf := NEW.id; ELSE of_leaf := NEW.leaf_id; END IF;
  IF NOT EXISTS (
    SELECT FROM log.leaf l JOIN public.decision d ON d.leaf_id = l.id
    JOIN public.sitting s ON s.id = d.sitting_id JOIN public.sitting_close c ON c.sitting_id = s.id
    JOIN public.round o ON o.id = s.round_id JOIN public.neighbourhood n ON n.id = o.neighbourhood_id
    JOIN public.application a ON a.id = d.application_id
    WHERE l.id = of_leaf AND l.kind = 'decision' AND convert_from(l.bytes, 'UTF8')::jsonb -> 'record'
      = jsonb_build_object(
          'sitting', s.id, 'decision', d.id, 'application', a.reference, 'area', n.code, 'outcome', d.outcome,
          'score_tenths', d.score_tenths, 'rank', d.rank, 'amount', d.amount_pence::text,
          'rule_version', c.rule_version)) THEN
    IF TG_TABLE_SCHEMA = 'log' THEN
      RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'decision_of_a_panel', SCHEMA = 'log', TABLE = 'leaf',
        MESSAGE = 'leaf ' || NEW.seq || ' calls itself a decision, and is not what a panel decided';
    END IF;
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'leaf_says_its_decision', SCHEMA = 'public',
      TABLE = 'decision', MESSAGE = 'the public record of a decision says something else';
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION public.decision_said() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER decision_of_a_panel AFTER INSERT ON log.leaf
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'decision') EXECUTE FUNCTION public.decision_said();
CREATE CONSTRAINT TRIGGER leaf_says_its_decision AFTER INSERT ON decision
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.decision_said();
"""
