"""A proposal of a trustee can be taken back by whoever made it, or turned down by another trustee.

Until now whatever was once proposed could be agreed to for ever: a sum that was typed wrong, or a change of the reserve
that nobody wants any more, waited for a second trustee's press of a button. What has ended is never agreed to, and what
was agreed to does not end, also where the two come at the same moment.
"""

from alembic import op

revision = "0034"
down_revision = "0033"

#: What waits for a second trustee: the proposal, the table of the second trustee's word, and its column for the first.
PROPOSALS = (("limit_proposal", "spending_limit", "proposal_id"),
             ("recovery_plan", "recovery_plan_confirmation", "plan_id"),
             ("reserve_change", "reserve_change_approval", "change_id"))


def upgrade() -> None:
    """The ends of proposals, and what refuses the one or the other."""
    op.execute(ENDS)
    for _proposal, agreed, column in PROPOSALS:
        op.execute(f"CREATE TRIGGER proposal_stands BEFORE INSERT ON {agreed} "
                   f"FOR EACH ROW EXECUTE FUNCTION proposal_stands('{column}')")


def downgrade() -> None:
    """Every proposal stands for ever again."""
    for _proposal, agreed, _column in PROPOSALS:
        op.execute(f"DROP TRIGGER proposal_stands ON {agreed}")
    op.execute("DROP TABLE proposal_end; DROP FUNCTION proposal_may_end(), proposal_stands()")


def _any(of: str) -> str:
    return "\n    OR ".join(f"EXISTS (SELECT FROM {of.format(*each)})" for each in PROPOSALS)


ENDS = f"""
CREATE TABLE proposal_end (
  proposal_id uuid CONSTRAINT pk_proposal_end PRIMARY KEY,
  ended_by    uuid NOT NULL,
  ended_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON proposal_end
  FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON proposal_end EXECUTE FUNCTION public.refuse_change();
GRANT SELECT, INSERT ON proposal_end TO fund_common;

-- Both functions wait for whoever ends the proposal or agrees to it, and then look at what was committed meanwhile.
CREATE FUNCTION proposal_may_end() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('proposal/' || NEW.proposal_id));
  IF NOT ({_any("{0} p WHERE p.id = NEW.proposal_id")}) THEN
    RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'fk_proposal_end_proposal', TABLE = 'proposal_end',
      MESSAGE = 'there is no such proposal';
  END IF;
  IF NOT staff_holds(NEW.ended_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_proposal_end_by_trustee', TABLE = 'proposal_end',
      MESSAGE = 'a proposal is ended by a trustee';
  END IF;
  IF {_any("{1} a WHERE a.{2} = NEW.proposal_id")} THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'proposal_is_open', TABLE = 'proposal_end',
      MESSAGE = 'two trustees agreed to it already';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER may_end BEFORE INSERT ON proposal_end FOR EACH ROW EXECUTE FUNCTION proposal_may_end();

CREATE FUNCTION proposal_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE proposal uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('proposal/' || proposal));
  IF EXISTS (SELECT FROM proposal_end e WHERE e.proposal_id = proposal) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'proposal_stands', TABLE = TG_TABLE_NAME,
      MESSAGE = 'the proposal was taken back or turned down';
  END IF;
  RETURN NEW;
END $$;
"""
