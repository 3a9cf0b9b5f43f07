"""A proposal of a trustee can be taken back by whoever made it, or turned down by another trustee.

Until now whatever was once proposed could be agreed to for ever: a sum that was typed wrong, or a change of the reserve
that nobody wants any more, waited for a second trustee's press of a button. What has ended is never agreed to, and what
was agreed to does not end: each writes the proposal into one table of what is settled, whose key takes it once. A key
holds also where the two come at the same moment, and whatever isolation a transaction asks for.
"""

from alembic import op

revision = "0034"
down_revision = "0033"

#: What waits for a second trustee: its kind, the proposal, the table of the second trustee's word, and its column for
#: the first.
PROPOSALS = (("limit", "limit_proposal", "spending_limit", "proposal_id"),
             ("plan", "recovery_plan", "recovery_plan_confirmation", "plan_id"),
             ("reserve", "reserve_change", "reserve_change_approval", "change_id"))


def upgrade() -> None:
    """The ends of proposals, and the table in which each proposal is settled once."""
    op.execute(ENDS)
    for kind, _proposal, agreed, column in PROPOSALS:
        op.execute(f"""
        INSERT INTO proposal_settled (kind, proposal_id) SELECT '{kind}', {column} FROM {agreed}
          WHERE {column} IS NOT NULL;
        CREATE TRIGGER proposal_settled AFTER INSERT ON {agreed} FOR EACH ROW WHEN (NEW.{column} IS NOT NULL)
          EXECUTE FUNCTION proposal_settled('{kind}', '{column}');
        """)


def downgrade() -> None:
    """Every proposal stands for ever again."""
    for _kind, _proposal, agreed, _column in PROPOSALS:
        op.execute(f"DROP TRIGGER proposal_settled ON {agreed}")
    op.execute("DROP TABLE proposal_end, proposal_settled; DROP FUNCTION proposal_may_end(), proposal_settled()")


ENDS = """
CREATE TABLE proposal_end (
  kind        text CONSTRAINT ck_proposal_end_kind CHECK (kind IN ('limit', 'plan', 'reserve')),
  proposal_id uuid,
  ended_by    uuid NOT NULL,
  ended_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT pk_proposal_end PRIMARY KEY (kind, proposal_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON proposal_end
  FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON proposal_end EXECUTE FUNCTION public.refuse_change();
GRANT SELECT, INSERT ON proposal_end TO fund_common;

CREATE FUNCTION proposal_may_end() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NOT (CASE NEW.kind WHEN 'limit' THEN EXISTS (SELECT FROM limit_proposal p WHERE p.id = NEW.proposal_id)
                        WHEN 'plan' THEN EXISTS (SELECT FROM recovery_plan p WHERE p.id = NEW.proposal_id)
                        ELSE EXISTS (SELECT FROM reserve_change p WHERE p.id = NEW.proposal_id) END) THEN
    RAISE EXCEPTION USING ERRCODE = '23503', CONSTRAINT = 'fk_proposal_end_proposal', TABLE = 'proposal_end',
      MESSAGE = 'there is no such proposal';
  END IF;
  IF NOT staff_holds(NEW.ended_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_proposal_end_by_trustee', TABLE = 'proposal_end',
      MESSAGE = 'a proposal is ended by a trustee';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER may_end BEFORE INSERT ON proposal_end FOR EACH ROW EXECUTE FUNCTION proposal_may_end();

-- Written by the function alone, when two agreed to a proposal or when it ended.
CREATE TABLE proposal_settled (
  kind        text,
  proposal_id uuid,
  CONSTRAINT pk_proposal_settled PRIMARY KEY (kind, proposal_id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON proposal_settled
  FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER append_only_all BEFORE TRUNCATE ON proposal_settled EXECUTE FUNCTION public.refuse_change();

CREATE FUNCTION proposal_settled() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO public.proposal_settled (kind, proposal_id)
  VALUES (coalesce(TG_ARGV[0], to_jsonb(NEW) ->> 'kind'),
          (to_jsonb(NEW) ->> coalesce(TG_ARGV[1], 'proposal_id'))::uuid);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION proposal_settled() FROM PUBLIC;
CREATE TRIGGER proposal_settled AFTER INSERT ON proposal_end FOR EACH ROW EXECUTE FUNCTION proposal_settled();
"""
