"""What stands, stands: no role of the application inserts, changes or removes a row, and an owner who means well cannot
change or remove one either.

Tables, functions and columns come from the database's own catalogue, so a new one is attacked from its first day: every
object, every operation, every role, each with what refuses it; and with that taken away it goes through.
"""

import re

import psycopg
import pytest

from fund.embedded import postgres
from fund.ledger.queries import schema
from tests.make.ledger_sql import Hand, L, on_stage

#: Tables of other parts whose rows stand beside entries of the ledger and are as permanent.
BESIDE = ["public.tranche", "public.endowment_return", "public.spending_limit", "public.drawdown",
          "public.running_cost_budget"]
#: What an owner may do to a table by a plain statement, and fsck finds.
OPEN_TO_AN_OWNER = {("log.log_head", "UPDATE"), ("ledger.balance", "UPDATE"), ("ledger.posting_rule", "INSERT"),
                    ("ledger.account_class", "INSERT"), ("ledger.balance", "INSERT"), ("log.log_head", "INSERT"),
                    ("log.commitment", "INSERT"), ("log.commitment", "UPDATE"), ("log.commitment", "DELETE"),
                    ("log.commitment", "TRUNCATE")}
#: What the application may do: commitments are opened and forgotten, one way or another; who may delete may lock.
OPEN_TO_THE_APPLICATION = {("log.commitment", operation) for operation in ("INSERT", "DELETE", "MERGE", "LOCK")}
OPERATIONS = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "MERGE", "LOCK", "ALTER", "DISABLE TRIGGER", "DROP")
TABLES = sorted({name.rsplit(".", 1)[0] for name in schema.declared()["columns"]})
FUNCTIONS = sorted(name for name in schema.declared()["functions"] if name.startswith(("log.", "ledger.")))
TO_BE_CALLED = {name.split(" ")[0] for name in schema.declared()["rights"] if name.endswith(") fund_common")}


@pytest.fixture(scope="module")
def acted(server, database):
    with on_stage(postgres.superuser_url(server, database)) as (hand, stage):
        # TRUNCATE can meet autovacuum; let that one find the deadlock and give way.
        hand.run("RESET ROLE; SET deadlock_timeout = '10min'; SET ROLE fund_app")
        hand.run("SELECT ledger.take_snapshot(%s)", stage["income"])
        yield hand, stage


def test_no_function_looks_into_a_session_s_own_tables_before_ours(hand):
    """Where a function looks is written with it, and temporary tables come last: else one called `score` or `capacity`
    would be read by the rules of decisions and payments in place of ours."""
    found = hand.run("""
      SELECT p.oid::regprocedure::text, array_to_string(p.proconfig, ';') FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
      WHERE n.nspname IN ('log', 'ledger', 'public') AND l.lanname IN ('sql', 'plpgsql')
        AND p.prosqlbody IS NULL ORDER BY 1""").fetchall()
    assert len(found) > 100
    assert [name for name, settings in found if not re.search(
        r"search_path=pg_catalog(, \w+)*, pg_temp(;|$)", settings or "")] == []


def statement(hand: Hand, table: str, operation: str) -> str:
    """The operation on every row of the table, changing nothing but that it is done."""
    rows = hand.run("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND "
                    "attgenerated = '' AND attidentity = '' ORDER BY attnum", table).fetchall()
    columns = ", ".join(name for (name,) in rows)
    first = rows[0][0]
    return {
        "INSERT": f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE false",
        "UPDATE": f"UPDATE {table} SET {first} = {first}", "DELETE": f"DELETE FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
        "MERGE": f"MERGE INTO {table} t USING (VALUES (1)) v ON true WHEN MATCHED THEN DELETE",
        "LOCK": f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", "ALTER": f"ALTER TABLE {table} ADD COLUMN mine text",
        "DISABLE TRIGGER": f"ALTER TABLE {table} DISABLE TRIGGER USER", "DROP": f"DROP TABLE {table} CASCADE",
    }[operation]


def test_the_declared_schema_is_that_of_the_newest_migration(own_app):
    """After a migration that changes it: `fund ledger schema > migrations/ledger_schema.json` on a new database."""
    assert schema.as_declared(schema.catalogue()) == schema.DECLARED.read_text()


@pytest.mark.parametrize("role", ["fund_app", "fund_panel"])
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("table", TABLES)
def test_no_role_of_the_application_does_it(hand, table, operation, role):
    what = statement(hand, table, operation)
    hand.run(f"SET ROLE {role}")
    if (table, operation) in OPEN_TO_THE_APPLICATION:
        hand.run(what)
        return
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        hand.run(what)
    assert table.split(".")[1] in str(refused.value)


# A right given by mistake is one thing more than what an owner can do by a plain statement: fsck compares that.
FENCED = [(table, operation) for table in TABLES for operation in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
          if (table, operation) not in OPEN_TO_AN_OWNER]
# The tables beside the ledger are empty in this scene, and a trigger for each row needs a row.
@pytest.mark.parametrize(("table", "operation"), [*FENCED, *((table, "TRUNCATE") for table in BESIDE)])
def test_with_the_right_granted_by_mistake_a_trigger_still_refuses(hand, table, operation):
    what = statement(hand, table, operation)
    hand.run("RESET ROLE")
    hand.run("GRANT ALL ON ALL TABLES IN SCHEMA public, log, ledger TO fund_app")
    hand.run("SET CONSTRAINTS ALL IMMEDIATE")
    hand.run("SET ROLE fund_app")
    hand.run("SET fund.writer = 'ledger'")  # the word alone is not enough for anybody but the owner
    with pytest.raises(psycopg.Error) as refused:
        hand.run(what)
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == (
        ("42501", "by_function_only") if operation == "INSERT" else ("23001", "append_only"))


@pytest.mark.parametrize(("table", "operation"), FENCED)
def test_an_owner_is_refused_by_the_trigger_and_not_without_it(hand, table, operation):
    what = statement(hand, table, operation)
    hand.run("RESET ROLE")
    hand.run("SET ROLE fund_owner")
    hand.run("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.Error) as refused, hand.connection.transaction():
        hand.run(what)
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == (
        ("42501", "by_function_only") if operation == "INSERT" else ("23001", "append_only"))
    hand.run("RESET ROLE")
    hand.run("SET session_replication_role = replica")  # no trigger, and none of those that keep foreign keys
    hand.run(what)
    hand.run("SET session_replication_role = origin")


@pytest.mark.parametrize("role", ["fund_app", "fund_panel"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_functions_that_write_can_be_called(hand, function, role):
    name, types = re.fullmatch(r"([\w.]+)\((.*)\)", function).groups()
    arguments = ", ".join(f"NULL::{one}" for one in types.split(",") if one)
    hand.run(f"SET ROLE {role}")
    with pytest.raises(psycopg.Error) as refused:  # nothing at all is a leaf
        hand.run(f"SELECT {name}({arguments})")
    assert (refused.value.sqlstate == "42501") == (function not in TO_BE_CALLED)


def test_five_functions_write():
    assert sorted(TO_BE_CALLED) == [
        "ledger.close_period(text,bytea,bytea)", "ledger.open_account(text,bytea,bytea)",
        "ledger.post(text[],bytea[],bytea[])", "ledger.take_snapshot(bigint)", "log.append(text[],bytea[],bytea[])"]


def test_every_function_that_acts_as_the_owner_has_its_search_path_pinned():
    acting = [what for what in schema.declared()["functions"].values() if "SECURITY DEFINER" in what]
    assert len(acting) >= 8
    assert all(re.search(r"search_path=pg_catalog(, \w+)*, pg_temp", what) for what in acting)


REFUSED_STATEMENTS = [
    ("set an account's balance", "UPDATE ledger.balance SET credits_posted_pence = 10 ^ 9"),
    ("set the size of the log", "UPDATE log.log_head SET size = 0"),
    ("hold the head by hand", "SELECT size FROM log.log_head FOR UPDATE"),
    ("hold an account's balance by hand", "SELECT * FROM ledger.balance FOR UPDATE"),
    ("copy leaves in", "COPY log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes) FROM STDIN"),
    ("read the server's files", "COPY log.commitment FROM '/etc/hostname'"),
    ("give a balance a rule of one's own", "CREATE RULE mine AS ON UPDATE TO ledger.balance DO INSTEAD NOTHING"),
    ("put a trigger on a table", "CREATE TRIGGER mine BEFORE INSERT ON ledger.transfer FOR EACH STATEMENT "
     "EXECUTE FUNCTION public.refuse_change()"),
    ("hide rows", "CREATE POLICY mine ON ledger.transfer USING (false)"),
    ("take a function's search path away", "ALTER FUNCTION ledger.post(text[], bytea[], bytea[]) RESET search_path"),
    ("take the ledger away", "DROP SCHEMA ledger CASCADE"),
    ("own the ledger", "ALTER SCHEMA ledger OWNER TO fund_app"),
    ("let the log be lost in a crash", "ALTER TABLE log.leaf SET UNLOGGED"),
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
    ("drop a trigger", "DROP TRIGGER b_record ON log.leaf"),
    ("replace a function", "CREATE OR REPLACE FUNCTION ledger.record_in() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NULL; END $$"),
    ("act as a replica", "SET session_replication_role = replica"),
    ("make a table in the ledger's schema", "CREATE TABLE ledger.own (a int)"),
    ("make a function in the log's schema", "CREATE FUNCTION log.own() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ("run a trigger by hand", "SELECT ledger.record_in()"),
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


def test_the_hash_of_a_leaf_cannot_be_given_by_an_owner_either(hand):
    hand.as_owner()
    with pytest.raises(psycopg.errors.GeneratedAlways):
        hand.row("decision", {"record": {}}, leaf_hash=b"h" * 32)


def test_the_word_of_the_writer_is_gone_when_the_function_ends(hand):
    hand.write("investment_income", L("1000", "3100", 5))
    assert hand.one("SELECT current_setting('fund.writer')") == ""


def test_a_word_said_before_lets_no_record_pass_for_an_entry(hand):
    hand.run("SET fund.writer = 'ledger'")
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        hand.leaf("stage_paid", {"record": {}})
    assert refused.value.diag.constraint_name == "record_is_no_entry"


def test_a_shadow_of_a_table_in_the_session_changes_nothing(hand):
    """Temporary tables stand before others unless a function says otherwise; these functions do."""
    for table, columns in (("balance", "account_id int, guard text"), ("log_head", "size bigint"),
                           ("transfer", "entry_seq bigint"), ("account", "id int")):
        hand.run(f"CREATE TEMP TABLE {table} ({columns})")
    before = hand.balance("3100")
    hand.write("investment_income", L("1000", "3100", 5))
    assert hand.balance("3100") == before + 5
