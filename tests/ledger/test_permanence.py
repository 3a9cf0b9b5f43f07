"""What stands, stands: no role of the application changes or removes a row, and an owner who means well cannot either.

The tables come from the database's own catalogue, so a new one is tested from its first day.
"""

import psycopg
import pytest

from fund.embedded import postgres
from tests.make.ledger_sql import Hand, L, scene

PERMANENT = ["log.leaf", "ledger.account", "ledger.account_class", "ledger.entry", "ledger.period_close",
             "ledger.posting_rule", "ledger.transfer", "public.tranche", "public.endowment_return",
             "public.spending_limit", "public.drawdown", "public.running_cost_budget"]
STAYING = ["log.log_head", "ledger.balance"]  # their trigger updates them; nobody removes a row
FORGOTTEN = ["log.commitment"]


@pytest.fixture(scope="module")
def fund(server, database):
    with psycopg.connect(postgres.superuser_url(server, database)) as connection:
        # TRUNCATE can meet autovacuum; let that one find the deadlock and give way.
        connection.execute("SET deadlock_timeout = '10min'")
        connection.execute("SET ROLE fund_app")
        hand = Hand(connection)
        yield hand, scene(hand)
        connection.rollback()


@pytest.fixture
def hand(fund):
    with fund[0].connection.transaction(force_rollback=True):
        yield fund[0]


def statements(table: str) -> dict[str, str]:
    column = {"log.log_head": "size", "ledger.balance": "debits_posted_pence", "ledger.account_class": "side",
              "ledger.period_close": "closed_through", "log.leaf": "recorded_at", "ledger.entry": "effective_on",
              "ledger.transfer": "amount_pence", "ledger.account": "name", "ledger.posting_rule": "resolves",
              }.get(table, "recorded_at")
    return {"UPDATE": f"UPDATE {table} SET {column} = {column}", "DELETE": f"DELETE FROM {table}",
            "TRUNCATE": f"TRUNCATE {table} CASCADE"}


def test_every_table_of_the_log_and_the_ledger_is_one_of_these(hand):
    found = {f"{schema}.{table}" for schema, table in hand.run(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('log', 'ledger')")}
    assert found == {t for t in [*PERMANENT, *STAYING, *FORGOTTEN] if not t.startswith("public.")}


@pytest.mark.parametrize("role", ["fund_app", "fund_panel"])
@pytest.mark.parametrize("operation", ["UPDATE", "DELETE", "TRUNCATE"])
@pytest.mark.parametrize("table", PERMANENT + STAYING)
def test_a_row_is_never_changed_by_the_application(hand, table, operation, role):
    hand.run(f"SET ROLE {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hand.run(statements(table)[operation])


@pytest.mark.parametrize(("table", "operation"), [
    (table, operation) for table in PERMANENT + STAYING for operation in ("UPDATE", "DELETE", "TRUNCATE")
    if (table, operation) not in {(staying, "UPDATE") for staying in STAYING}])  # fsck compares those two
def test_with_the_right_granted_by_mistake_a_trigger_still_refuses(hand, table, operation):
    hand.run("RESET ROLE")
    hand.run("GRANT ALL ON ALL TABLES IN SCHEMA public, log, ledger TO fund_app")
    hand.run("SET CONSTRAINTS ALL IMMEDIATE")
    if table.startswith("public."):  # these are empty in the scene, and a row trigger needs a row
        operation = "TRUNCATE"
    hand.run("SET ROLE fund_app")
    with pytest.raises(psycopg.Error) as refused:
        hand.run(statements(table)[operation])
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("23001", "append_only")


@pytest.mark.parametrize("operation", ["UPDATE", "DELETE", "TRUNCATE"])
def test_without_the_trigger_the_granted_right_would_work(hand, operation):
    hand.run("RESET ROLE")
    hand.run("GRANT ALL ON ALL TABLES IN SCHEMA ledger TO fund_app")
    hand.run("SET CONSTRAINTS ALL IMMEDIATE")
    hand.run("DROP TRIGGER append_only ON ledger.transfer")
    hand.run("DROP TRIGGER append_only_all ON ledger.transfer")
    hand.run("ALTER TABLE ledger.transfer DROP CONSTRAINT fk_transfer_pending")
    hand.run("SET ROLE fund_app")
    hand.run(statements("ledger.transfer")[operation])


def test_the_application_reads_and_inserts_and_nothing_else(hand):
    """Column by column and table by table, from the catalogue: what stands here is what somebody decided."""
    rows = hand.run("""
      SELECT n.nspname || '.' || c.relname, string_agg(DISTINCT a.privilege_type, ',' ORDER BY a.privilege_type)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) a
      WHERE n.nspname IN ('log', 'ledger') AND c.relkind = 'r'
        AND a.grantee NOT IN ('fund_owner'::regrole) GROUP BY 1""").fetchall()
    assert dict(rows) == {
        "log.leaf": "INSERT,SELECT", "log.log_head": "SELECT", "log.commitment": "DELETE,INSERT,SELECT",
        "ledger.account_class": "SELECT", "ledger.posting_rule": "SELECT", "ledger.account": "INSERT,SELECT",
        "ledger.balance": "SELECT", "ledger.entry": "INSERT,SELECT", "ledger.transfer": "INSERT,SELECT",
        "ledger.period_close": "INSERT,SELECT"}
    by_column = hand.one("SELECT count(*) FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid IN ("
                         "SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                         "WHERE n.nspname IN ('log', 'ledger'))")
    assert by_column == 0


def test_every_function_that_acts_as_the_owner_has_its_search_path_pinned(hand):
    rows = hand.run("""SELECT proname, proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                       WHERE n.nspname IN ('log', 'ledger') AND prosecdef""").fetchall()
    assert len(rows) == 7
    assert all(config and config[0].startswith("search_path=pg_catalog") and config[0].endswith("pg_temp")
               for _, config in rows)


REFUSED_STATEMENTS = [
    ("set an account's balance", "UPDATE ledger.balance SET credits_posted_pence = 10 ^ 9"),
    ("set the size of the log", "UPDATE log.log_head SET size = 0"),
    ("hold the head by hand", "SELECT size FROM log.log_head FOR UPDATE"),
    ("make a second head", "INSERT INTO log.log_head (one, size) VALUES (false, 0)"),
    ("give an account its balance", "INSERT INTO ledger.balance (account_id, guard) VALUES (1, 'none')"),
    ("add a row to the matrix", "INSERT INTO ledger.posting_rule VALUES ('gift', 'single', 'spendable', 'bank', NULL)"),
    ("add a class of account", "INSERT INTO ledger.account_class VALUES ('x', '9', false, 'fund', 'none')"),
    ("change by conflict", "INSERT INTO log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes) "
     "SELECT seq, id, kind, idem_key, request_hash, recorded_at, bytes FROM log.leaf WHERE seq = 0 "
     "ON CONFLICT (seq) DO UPDATE SET kind = 'genesis'"),
    ("change by merge", "MERGE INTO ledger.entry e USING (VALUES (14)) v (seq) ON v.seq = e.seq "
     "WHEN MATCHED THEN UPDATE SET kind = 'other'"),
    ("switch a trigger off", "ALTER TABLE ledger.transfer DISABLE TRIGGER ALL"),
    ("drop a constraint", "ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_overdraft"),
    ("drop a trigger", "DROP TRIGGER b_closes ON log.leaf"),
    ("replace a function", "CREATE OR REPLACE FUNCTION ledger.transfer_in() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NULL; END $$"),
    ("act as a replica", "SET session_replication_role = replica"),
    ("make a table in the ledger's schema", "CREATE TABLE ledger.own (a int)"),
    ("make a function in the log's schema", "CREATE FUNCTION log.own() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ("run a trigger by hand", "SELECT ledger.transfer_in()"),
]


@pytest.mark.parametrize(("name", "statement"), REFUSED_STATEMENTS, ids=[n for n, _ in REFUSED_STATEMENTS])
def test_the_application_may_not(hand, name, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        hand.run(statement)


def test_the_application_cannot_become_the_owner(server, database):
    """On a connection that signed in as the application, as the processes do."""
    address = postgres.role_url(server, database, "fund_app").replace("+psycopg", "")
    with psycopg.connect(address) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SET ROLE fund_owner")


def test_the_hash_of_a_leaf_cannot_be_given(hand):
    with pytest.raises(psycopg.errors.GeneratedAlways):
        hand.leaf("decision", {"record": {}}, columns={"leaf_hash": b"h" * 32})


def test_a_shadow_of_a_table_in_the_session_changes_nothing(hand):
    """Temporary tables stand before others unless a function says otherwise; these functions do."""
    for table, columns in (("balance", "account_id int, guard text"), ("log_head", "size bigint"),
                           ("transfer", "entry_seq bigint"), ("account", "id int")):
        hand.run(f"CREATE TEMP TABLE {table} ({columns})")
    before = hand.balance("3100")
    hand.write("investment_income", L("1000", "3100", 5))
    assert hand.balance("3100") == before + 5
