"""The reserve for owners of dormant money who come forward: off until trustees decide otherwise, and who may move it.

The reclaim fund that sends the money carries that risk itself; a reserve of one's own is prudence. While it is off no
payment sets a part by, nothing is topped up and no owner is paid. Topping up and releasing take two different trustees.
"""

from alembic import op

revision = "0019"
down_revision = "0018"

PERMANENT = ("reclaim_reserve_policy", "reclaim_payment", "reclaim_payment_end", "reserve_change",
             "reserve_change_approval")


def upgrade() -> None:
    """Rows only; whether the reserve is on is the newest row of its policy."""
    op.execute(TABLES)
    for table in PERMANENT:
        op.execute(f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION public.refuse_change();
        CREATE TRIGGER append_only_all BEFORE TRUNCATE ON {table} EXECUTE FUNCTION public.refuse_change();
        GRANT SELECT, INSERT ON {table} TO fund_common;
        """)
    op.execute(GUARDS)


def downgrade() -> None:
    """Take all of it away."""
    op.execute("""
    DROP TRIGGER reserve_is_on ON tranche;
    DROP TABLE reserve_change_approval, reserve_change, reclaim_payment_end, reclaim_payment, reclaim_reserve_policy;
    DROP FUNCTION tranche_reserve_is_on(), reserve_is_on(), change_is_of_trustees(), change_has_two_trustees(),
      reclaim_reserve_is_on();
    """)


TABLES = """
CREATE TABLE reclaim_reserve_policy (
  id         uuid CONSTRAINT pk_reclaim_reserve_policy PRIMARY KEY,
  is_on      boolean NOT NULL,
  decided_by uuid,
  leaf_id    uuid NOT NULL CONSTRAINT uq_reclaim_reserve_policy_leaf UNIQUE
               CONSTRAINT fk_reclaim_reserve_policy_leaf REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  decided_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- To an owner, through the institution that held the money: a reference and no person.
CREATE TABLE reclaim_payment (
  id           uuid CONSTRAINT pk_reclaim_payment PRIMARY KEY,
  reference    text NOT NULL CONSTRAINT uq_reclaim_payment_reference UNIQUE
                 CONSTRAINT ck_reclaim_payment_reference CHECK (length(reference) BETWEEN 1 AND 100),
  amount_pence bigint NOT NULL CONSTRAINT ck_reclaim_payment_amount CHECK (amount_pence > 0),
  agreed_on    date NOT NULL,
  entry_id     uuid NOT NULL CONSTRAINT uq_reclaim_payment_entry UNIQUE
                 CONSTRAINT fk_reclaim_payment_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE reclaim_payment_end (
  payment_id  uuid CONSTRAINT pk_reclaim_payment_end PRIMARY KEY
                CONSTRAINT fk_reclaim_payment_end_payment REFERENCES reclaim_payment,
  is_paid     boolean NOT NULL,
  ended_on    date NOT NULL,
  entry_id    uuid NOT NULL CONSTRAINT uq_reclaim_payment_end_entry UNIQUE
                CONSTRAINT fk_reclaim_payment_end_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE reserve_change (
  id           uuid CONSTRAINT pk_reserve_change PRIMARY KEY,
  kind         text NOT NULL CONSTRAINT ck_reserve_change_kind CHECK (kind IN ('top_up', 'release')),
  amount_pence bigint NOT NULL CONSTRAINT ck_reserve_change_amount CHECK (amount_pence > 0),
  proposed_by  uuid NOT NULL,
  proposed_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE reserve_change_approval (
  change_id   uuid CONSTRAINT pk_reserve_change_approval PRIMARY KEY
                CONSTRAINT fk_reserve_change_approval_change REFERENCES reserve_change,
  approved_by uuid NOT NULL,
  entry_id    uuid NOT NULL CONSTRAINT uq_reserve_change_approval_entry UNIQUE
                CONSTRAINT fk_reserve_change_approval_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  approved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

GUARDS = """
CREATE FUNCTION reclaim_reserve_is_on() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT p.is_on FROM public.reclaim_reserve_policy p ORDER BY p.decided_at DESC, p.id LIMIT 1), false)
$$;

CREATE FUNCTION tranche_reserve_is_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.reclaim_pence > 0 AND NOT reclaim_reserve_is_on() THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reclaim_reserve_off', TABLE = 'tranche',
      MESSAGE = 'there is no reserve for reclaims';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reserve_is_on BEFORE INSERT ON tranche FOR EACH ROW EXECUTE FUNCTION tranche_reserve_is_on();

-- A release is for a reserve that is larger than it need be, so it is possible when the reserve was switched off too.
CREATE FUNCTION reserve_is_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT reclaim_reserve_is_on() THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'reclaim_reserve_off', TABLE = TG_TABLE_NAME,
      MESSAGE = 'there is no reserve for reclaims';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reserve_is_on BEFORE INSERT ON reclaim_payment FOR EACH ROW EXECUTE FUNCTION reserve_is_on();
CREATE TRIGGER reserve_is_on BEFORE INSERT ON reserve_change
  FOR EACH ROW WHEN (NEW.kind = 'top_up') EXECUTE FUNCTION reserve_is_on();

CREATE FUNCTION change_is_of_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT staff_holds(NEW.proposed_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_reserve_by_trustee', TABLE = 'reserve_change',
      MESSAGE = 'a change of the reserve is proposed by a trustee';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER of_trustees BEFORE INSERT ON reserve_change FOR EACH ROW EXECUTE FUNCTION change_is_of_trustees();

CREATE FUNCTION change_has_two_trustees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT staff_holds(NEW.approved_by, 'trustee') THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_reserve_by_trustee', TABLE = 'reserve_change_approval',
      MESSAGE = 'a change of the reserve is approved by a trustee';
  END IF;
  IF EXISTS (SELECT FROM reserve_change c WHERE c.id = NEW.change_id AND c.proposed_by = NEW.approved_by) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'ck_reserve_two_trustees', TABLE = 'reserve_change_approval',
      MESSAGE = 'a change of the reserve is of two different trustees';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER two_trustees BEFORE INSERT ON reserve_change_approval
  FOR EACH ROW EXECUTE FUNCTION change_has_two_trustees();
"""
