"""A loss falls on the return as far as it goes, and a gain makes a deficit good first; an offer goes to one grant.

How a gain or a loss is shared between the return and the deficit was worked out by the program from balances that it
read before it posted: with another entry in between, a loss could stand in the deficit while there was return to bear
it. The stand-alone verifier would then say no to every stranger for ever. Now the ledger looks when the balances have
moved; whoever comes second works it out again. Such an entry is posted by itself, so that the balances are its own.

An offer also goes to one grant, by a decision that awards something (migration 0025 looked at its place and its sum).
"""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """The two looks of `ledger.post`."""
    text = _before()
    for old, new in WORDS:
        if text.count(old) != 1:
            raise RuntimeError(f"ledger.post of migration 0025 is not the one that this was written for: {old}")
        text = text.replace(old, new)
    op.execute(text)


def downgrade() -> None:
    """Without them."""
    op.execute(_before())


def _before() -> str:
    said = op.get_context().script.get_revision("0025").module  # type: ignore[union-attr]
    text: str = said._post_as_it_was()
    for old, new in said.WORDS:
        text = text.replace(old, new)
    return text


LOOK = """\
  -- What a deficit bears, and what makes it good, is settled by the balances as this entry leaves them.
  IF valuing THEN IF many > 1 OR EXISTS (
    SELECT FROM ledger.transfer t JOIN ledger.entry e ON e.seq = t.entry_seq
      JOIN ledger.account a ON a.class = CASE e.kind WHEN 'revaluation_loss' THEN 'unapplied_return' ELSE 'deficit' END
      JOIN ledger.balance b ON b.account_id = a.id
    WHERE t.entry_seq = first
      AND CASE e.kind WHEN 'revaluation_loss'
          THEN t.debit_class = 'deficit' AND b.credits_posted_pence > b.debits_posted_pence
          ELSE t.credit_class = 'unapplied_return' AND b.debits_posted_pence > b.credits_posted_pence END) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'return_bears_it_first', SCHEMA = 'ledger',
      TABLE = 'transfer', MESSAGE = 'a loss falls on the return first, and a gain makes a deficit good first';
  END IF; END IF;
"""

WORDS = (
    ("limiting boolean; offering boolean;", "limiting boolean; offering boolean; valuing boolean;"),
    ("    offering := said ->> 'kind' = 'grant_offer';",
     "    offering := said ->> 'kind' = 'grant_offer';\n"
     "    valuing := said ->> 'kind' IN ('revaluation_gain', 'revaluation_loss');"),
    ("bool_or(e.kind = 'grant_offer'),",
     "bool_or(e.kind = 'grant_offer'),\n           bool_or(e.kind IN ('revaluation_gain', 'revaluation_loss')),"),
    ("limiting, offering, closed FROM e;", "limiting, offering, valuing, closed FROM e;"),
    ("        = r.said ->> 'amount') IS NOT TRUE\n", """\
        = r.said ->> 'amount') IS NOT TRUE
      OR (r.said ->> 'outcome' IN ('awarded', 'part_awarded')) IS NOT TRUE
      OR (SELECT count(DISTINCT t.credit_id) FROM ledger.transfer t WHERE t.entry_seq = e.seq) <> 1
"""),
    ("  writer := set_config('fund.writer', '', true);\nEND $$", LOOK
     + "  writer := set_config('fund.writer', '', true);\nEND $$"),
)
