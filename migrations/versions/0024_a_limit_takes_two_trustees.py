"""A year's limit takes two trustees: one proposes it with all its figures, another confirms the same figures.

A limit names its proposal and who confirmed it. The row is refused where the two are one person, where either is no
trustee (any more), and where its day, sum, ceiling or inputs are not those that were proposed: then the proposal has
lapsed, and another is made. Limits that were set before this stand as they are, with no proposal to show.
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """The proposals, and what a limit must have of them."""
    op.execute(PROPOSALS)
    op.execute("""
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON limit_proposal
      FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
    CREATE TRIGGER append_only_all BEFORE TRUNCATE ON limit_proposal EXECUTE FUNCTION public.refuse_change();
    GRANT SELECT, INSERT ON limit_proposal TO fund_common;
    """)
    op.execute(GUARDS)


def downgrade() -> None:
    """One trustee is enough again."""
    op.execute("""
    DROP TRIGGER two_trustees ON spending_limit;
    ALTER TABLE spending_limit DROP COLUMN proposal_id, DROP COLUMN confirmed_by;
    DROP TABLE limit_proposal;
    DROP FUNCTION limit_is_of_trustees(), limit_has_two_trustees();
    """)


PROPOSALS = """
CREATE TABLE limit_proposal (
  id             uuid CONSTRAINT pk_limit_proposal PRIMARY KEY,
  financial_year text NOT NULL CONSTRAINT ck_limit_proposal_year CHECK (financial_year ~ '^[0-9]{4}-[0-9]{2}$'),
  set_on         date NOT NULL,
  asked_pence    bigint CONSTRAINT ck_limit_proposal_asked CHECK (asked_pence > 0),   -- none: all that the rule gives
  amount_pence   bigint NOT NULL CONSTRAINT ck_limit_proposal_amount CHECK (amount_pence > 0),
  cost_ceiling_basis_points smallint NOT NULL
                   CONSTRAINT ck_limit_proposal_ceiling CHECK (cost_ceiling_basis_points BETWEEN 0 AND 3000),
  inputs         jsonb NOT NULL,
  inputs_sha256  bytea NOT NULL CONSTRAINT ck_limit_proposal_hash CHECK (octet_length(inputs_sha256) = 32),
  proposed_by    uuid NOT NULL,
  proposed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_limit_proposal_year ON limit_proposal (financial_year, proposed_at DESC);

-- Limits of before have neither; NOT VALID asks it of every row from now on and of no older one.
ALTER TABLE spending_limit
  ADD COLUMN proposal_id  uuid CONSTRAINT fk_spending_limit_proposal REFERENCES limit_proposal
                            CONSTRAINT uq_spending_limit_proposal UNIQUE,
  ADD COLUMN confirmed_by uuid,
  ADD CONSTRAINT ck_spending_limit_proposed CHECK (proposal_id IS NOT NULL AND confirmed_by IS NOT NULL) NOT VALID;
"""

GUARDS = """
CREATE TRIGGER before_limit BEFORE INSERT ON limit_proposal FOR EACH ROW EXECUTE FUNCTION rule_before_limit();

CREATE FUNCTION limit_is_of_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT staff_holds(NEW.proposed_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_limit_by_trustee', TABLE = 'limit_proposal',
      MESSAGE = 'a limit is proposed by a trustee';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER of_trustees BEFORE INSERT ON limit_proposal FOR EACH ROW EXECUTE FUNCTION limit_is_of_trustees();

CREATE FUNCTION limit_has_two_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE proposed limit_proposal;
BEGIN
  SELECT * INTO proposed FROM limit_proposal p WHERE p.id = NEW.proposal_id;
  IF NOT FOUND THEN
    RETURN NULL;  -- its foreign key says so
  END IF;
  IF NOT staff_holds(NEW.confirmed_by, 'trustee') OR NOT staff_holds(proposed.proposed_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_limit_by_trustee', TABLE = 'spending_limit',
      MESSAGE = 'a limit is proposed and confirmed by people who are trustees';
  END IF;
  IF NEW.confirmed_by = proposed.proposed_by THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_limit_two_trustees', TABLE = 'spending_limit',
      MESSAGE = 'a limit is of two different trustees';
  END IF;
  IF (NEW.financial_year, NEW.set_on, NEW.amount_pence, NEW.cost_ceiling_basis_points, NEW.inputs, NEW.inputs_sha256)
     IS DISTINCT FROM (proposed.financial_year, proposed.set_on, proposed.amount_pence,
                       proposed.cost_ceiling_basis_points, proposed.inputs, proposed.inputs_sha256) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'limit_as_proposed', TABLE = 'spending_limit',
      MESSAGE = 'the figures are not those that were proposed';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER two_trustees AFTER INSERT ON spending_limit
  FOR EACH ROW EXECUTE FUNCTION limit_has_two_trustees();
"""
