"""No entry of a grant without the row that explains it.

Migration 0026 holds each row to its entry; an entry with no row at all still went through: an offer to a grant that no
award stands for, a payment that nobody approved, money that came back from nowhere and could be spent. Now an entry of
an offer, an agreement, a release or what became of it is the one that a row names, when the transaction commits. The
kinds that no page posts yet (a return, a decommitment, a host's contribution, a running cost, a member's payment) are
refused until their part has rows that say them.

An allocation is not asked: many are posted at once, and each would wait for the end of the transaction. Its row is held
to it, and what it sets aside for a place no panel can give without a decision.
"""

from alembic import op

revision = "0028"
down_revision = "0027"

#: Which rows name an entry of each kind. A kind that is neither here nor in migration 0023 has none yet.
NAMED_BY = {
    "grant_offer": ("award", "offer_entry_id"), "grant_agreement": ("agreement", "entry_id"),
    "grant_offer_lapsed": ("award_end", "entry_id"), "stage_release": ("release", "entry_id"),
    "stage_paid": ("release_end", "entry_id"), "payment_failed": ("release_end", "entry_id"),
    "payment_returned": ("release_end", "entry_id"),
}
ELSEWHERE = ("area_allocation", "reversal")


def upgrade() -> None:
    """The function, and the trigger that asks it of every entry but an allocation."""
    of_the_endowment = op.get_context().script.get_revision("0023").module.KINDS  # type: ignore[union-attr]
    others = ", ".join(f"'{kind}'" for kind in (*of_the_endowment, *ELSEWHERE))
    cases = "\n".join(
        f"        WHEN '{kind}' THEN EXISTS (SELECT FROM public.{table} x WHERE x.{column} = of_leaf)"
        for kind, (table, column) in NAMED_BY.items())
    op.execute(f"""
    CREATE FUNCTION public.grant_entry_explained() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
    DECLARE of_leaf uuid; explained boolean;
    BEGIN
      IF NEW.kind IN ({others}) THEN RETURN NULL; END IF;
      SELECT l.id INTO of_leaf FROM log.leaf l WHERE l.seq = NEW.seq;
      explained := CASE NEW.kind
{cases}
        ELSE false END;
      IF NOT explained THEN
        RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'grant_entry_explained', SCHEMA = 'ledger',
          TABLE = 'entry', MESSAGE = 'entry ' || NEW.seq || ' (' || NEW.kind || ') is not what a row of a grant says';
      END IF;
      RETURN NULL;
    END $$;
    REVOKE ALL ON FUNCTION public.grant_entry_explained() FROM PUBLIC;
    CREATE CONSTRAINT TRIGGER grant_entry_explained AFTER INSERT ON ledger.entry
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind <> 'area_allocation')
      EXECUTE FUNCTION public.grant_entry_explained();
    """)


def downgrade() -> None:
    """Without it."""
    op.execute("DROP TRIGGER grant_entry_explained ON ledger.entry; DROP FUNCTION public.grant_entry_explained()")
