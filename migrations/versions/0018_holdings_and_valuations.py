"""What the endowment is invested in: holdings, trades that settle later, and valuations with their document.

A holding is carried at its last valuation and what was bought and sold since; together the holdings are the account
1100. A valuation posts exactly the difference, so the table asks that it says what the holding was carried at.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

PERMANENT = ("holding", "holding_trade", "holding_trade_end", "holding_valuation")


def upgrade() -> None:
    """Rows only; what a holding is carried at is read from them."""
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
    DROP TABLE holding_valuation, holding_trade_end, holding_trade, holding;
    DROP FUNCTION holding_is_not_oversold(), valuation_carries(), holding_carried(uuid);
    """)


TABLES = """
CREATE TABLE holding (
  id        uuid CONSTRAINT pk_holding PRIMARY KEY,
  name      text NOT NULL CONSTRAINT uq_holding_name UNIQUE
              CONSTRAINT ck_holding_name CHECK (length(name) BETWEEN 1 AND 100),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Agreed on one day and settled, or called off, on another.
CREATE TABLE holding_trade (
  id           uuid CONSTRAINT pk_holding_trade PRIMARY KEY,
  holding_id   uuid NOT NULL CONSTRAINT fk_holding_trade_holding REFERENCES holding,
  is_buy       boolean NOT NULL,
  amount_pence bigint NOT NULL CONSTRAINT ck_holding_trade_amount CHECK (amount_pence > 0),
  agreed_on    date NOT NULL,
  reference    text NOT NULL CONSTRAINT uq_holding_trade_reference UNIQUE
                 CONSTRAINT ck_holding_trade_reference CHECK (length(reference) BETWEEN 1 AND 100),
  entry_id     uuid NOT NULL CONSTRAINT uq_holding_trade_entry UNIQUE
                 CONSTRAINT fk_holding_trade_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ix_holding_trade_holding ON holding_trade (holding_id);
CREATE TABLE holding_trade_end (
  trade_id    uuid CONSTRAINT pk_holding_trade_end PRIMARY KEY
                CONSTRAINT fk_holding_trade_end_trade REFERENCES holding_trade,
  is_settled  boolean NOT NULL,     -- else it was called off
  ended_on    date NOT NULL,
  entry_id    uuid NOT NULL CONSTRAINT uq_holding_trade_end_entry UNIQUE
                CONSTRAINT fk_holding_trade_end_entry REFERENCES log.leaf (id) DEFERRABLE INITIALLY DEFERRED,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE holding_valuation (
  id              uuid CONSTRAINT pk_holding_valuation PRIMARY KEY,
  holding_id      uuid NOT NULL CONSTRAINT fk_holding_valuation_holding REFERENCES holding,
  valued_on       date NOT NULL,
  value_pence     bigint NOT NULL CONSTRAINT ck_holding_valuation_value CHECK (value_pence >= 0),
  carried_pence   bigint NOT NULL,
  source          text NOT NULL CONSTRAINT ck_holding_valuation_source CHECK (length(source) BETWEEN 1 AND 100),
  reference       text NOT NULL CONSTRAINT ck_holding_valuation_reference CHECK (length(reference) BETWEEN 1 AND 100),
  document_sha256 bytea NOT NULL CONSTRAINT ck_holding_valuation_document CHECK (octet_length(document_sha256) = 32),
  -- The gain or loss that it made; none when nothing changed.
  return_id       uuid CONSTRAINT uq_holding_valuation_return UNIQUE
                    CONSTRAINT fk_holding_valuation_return REFERENCES endowment_return,
  recorded_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT uq_holding_valuation_day UNIQUE (holding_id, valued_on),
  CONSTRAINT uq_holding_valuation_reference UNIQUE (source, reference),
  CONSTRAINT ck_holding_valuation_return CHECK ((return_id IS NULL) = (value_pence = carried_pence))
);
"""

GUARDS = """
CREATE FUNCTION holding_carried(holding uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT coalesce(sum(CASE WHEN t.is_buy THEN t.amount_pence ELSE -t.amount_pence END), 0)
          FROM public.holding_trade t JOIN public.holding_trade_end e ON e.trade_id = t.id AND e.is_settled
          WHERE t.holding_id = holding)::bigint
       + (SELECT coalesce(sum(v.value_pence - v.carried_pence), 0) FROM public.holding_valuation v
          WHERE v.holding_id = holding)::bigint
$$;

CREATE FUNCTION valuation_carries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('holding/' || NEW.holding_id));
  IF NEW.carried_pence <> holding_carried(NEW.holding_id) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'valuation_carries', TABLE = 'holding_valuation',
      MESSAGE = 'the holding is carried at ' || holding_carried(NEW.holding_id) || ' pence';
  END IF;
  IF EXISTS (SELECT FROM holding_valuation v WHERE v.holding_id = NEW.holding_id AND v.valued_on > NEW.valued_on)
     OR EXISTS (SELECT FROM holding_trade t JOIN holding_trade_end e ON e.trade_id = t.id AND e.is_settled
                WHERE t.holding_id = NEW.holding_id AND e.ended_on > NEW.valued_on) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'valuation_in_order', TABLE = 'holding_valuation',
      MESSAGE = 'something later is on the record already';
  END IF;
  IF NEW.return_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM endowment_return r WHERE r.id = NEW.return_id AND r.earned_on = NEW.valued_on
        AND r.kind = CASE WHEN NEW.value_pence > NEW.carried_pence THEN 'revaluation_gain' ELSE 'revaluation_loss' END
        AND r.amount_pence = abs(NEW.value_pence - NEW.carried_pence)) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'valuation_posts_its_difference',
      TABLE = 'holding_valuation', MESSAGE = 'the gain or loss is not the difference of this valuation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER carries BEFORE INSERT ON holding_valuation FOR EACH ROW EXECUTE FUNCTION valuation_carries();

-- What is sold was there: what is carried covers every sale that is agreed and not ended.
CREATE FUNCTION holding_is_not_oversold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('holding/' || NEW.holding_id));
  IF NOT NEW.is_buy AND NEW.amount_pence > holding_carried(NEW.holding_id) - (
      SELECT coalesce(sum(t.amount_pence), 0) FROM holding_trade t
      WHERE t.holding_id = NEW.holding_id AND NOT t.is_buy
        AND NOT EXISTS (SELECT FROM holding_trade_end e WHERE e.trade_id = t.id)) THEN
    RAISE EXCEPTION USING ERRCODE = '23514', CONSTRAINT = 'holding_not_oversold', TABLE = 'holding_trade',
      MESSAGE = 'more would be sold than the holding is carried at';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER not_oversold BEFORE INSERT ON holding_trade
  FOR EACH ROW EXECUTE FUNCTION holding_is_not_oversold();
"""
