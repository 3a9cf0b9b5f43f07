"""fsck: a sound ledger is sound, and what an owner does in spite of every constraint is found and named."""

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fund.db import session, transaction
from fund.ledger import actions, queries, rules
from fund.ledger.cli import commands
from fund.ledger.queries import schema
from fund.ledger.queries.fsck import check_everything
from fund.ledger.rules.lines import CLASSES, guard_of
from fund.transparency import queries as public_record
from fund.transparency import rules as tree
from tests.ledger.conftest import a_database, an_app
from tests.make.beside import alone, decided
from tests.make.ledger import make_allocation, make_funded_endowment
from tests.make.ledger_sql import DAY


@pytest.fixture(scope="module")
def true_ledger(server):
    """The name of a database with a small true ledger, committed by the application."""
    with a_database(server) as database:
        with an_app(server, database):
            with alone(server):
                write_a_true_ledger(server)
        yield database


@pytest.fixture
def books(server, true_ledger):
    """A superuser's session on the true ledger, rolled back: `books(statement)` does what no grant can stop."""
    with an_app(server, true_ledger, "postgres"):
        yield lambda statement: session.connection().exec_driver_sql(statement)
        session.rollback()


def write_a_true_ledger(server) -> None:
    with transaction():
        make_funded_endowment(spendable_pence=100_000)
    (decision,) = decided(server, "E05000650", 300)
    with transaction():
        make_allocation(amount_pence=50_000)
        actions.open_account("5000/G", name="Grant G")
        offer = actions.post("grant_offer", rules.grant_offer("E05000650", "G", [100, 200]), effective_on=DAY,
                             idem_key="o", relates_to=[decision])
        actions.post("grant_agreement", rules.post_pending([rules.Pending(offer.entry_id, 1, "4000/E05000650",
                                                                          "5000/G", 100)]),
                     effective_on=DAY, idem_key="a")
        wrong = actions.post("grant_decommitted", rules.grant_decommitted("G", "E05000650", 10), effective_on=DAY,
                             idem_key="w", relates_to=[offer.entry_id])
        actions.reverse(wrong.entry_id, effective_on=DAY, idem_key="r")
        actions.close_period(DAY.replace(year=2020), idem_key="c")
        session.execute(sa.text("SELECT ledger.take_snapshot(12), ledger.take_snapshot(20)"))


def codes() -> set[str]:
    return {problem.code for problem in check_everything().problems}


def test_a_true_ledger_is_sound(books):
    report = check_everything()
    assert report.problems == []
    assert report.size == public_record.size()
    assert report.root == tree.root(leaf.leaf_hash for leaf in public_record.leaves_after(-1))
    said = json.loads(report.as_json())
    assert said["sound"] is True
    assert [(check["name"], check["problems"]) for check in said["checks"]] == [
        ("schema", 0), ("leaves", 0), ("balances", 0), ("tree", 0)]


@pytest.mark.parametrize("json_asked", [False, True])
def test_the_command_ends_with_0_where_all_is_well_and_1_where_not(server, true_ledger, json_asked, monkeypatch):
    arguments = ["fsck", "--json"] if json_asked else ["fsck"]
    with an_app(server, true_ledger):
        well = CliRunner().invoke(commands, arguments, catch_exceptions=False)
        monkeypatch.setitem(schema.SETTINGS, "fsync", "in doubt")
        ill = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert (well.exit_code, ill.exit_code) == (0, 1)
    if json_asked:
        assert (json.loads(well.stdout)["sound"], json.loads(ill.stdout)["problems"][0]["where"]) == (True, "fsync")
    else:
        assert "Everything adds up." in well.stdout
        assert "fsync: it is on" in ill.stdout


def test_an_empty_ledger_is_sound(own_app):
    report = check_everything()
    assert (report.problems, report.size) == ([], 0)


def test_the_matrix_and_the_classes_of_the_code_are_those_of_the_database(own_app):
    rows = session.execute(sa.text("SELECT prefix, class, guard FROM ledger.account_class")).all()
    assert {row.prefix: row[1] for row in rows} == CLASSES
    assert all(row.guard == guard_of(row[1]) for row in rows)


ROWS = "SET session_replication_role = replica; {}; SET session_replication_role = origin"
SPOILED = [
    # (what an owner did, the statement, what fsck says)
    ("a balance raised", "UPDATE ledger.balance SET debits_posted_pence = 10 ^ 9 WHERE account_id = 1", "balance"),
    ("a balance row lost", ROWS.format("DELETE FROM ledger.balance WHERE account_id = 1"), "balance"),
    ("a balance's guard changed",
     ROWS.format("UPDATE ledger.balance SET guard = 'debits<=credits' FROM ledger.account a WHERE a.id = account_id "
                 "AND a.code = '3090'"), "fk_account_class"),
    ("an account's guard changed",
     ROWS.format("UPDATE ledger.account SET guard = 'debits<=credits' WHERE code = '3090'"), "fk_account_class"),
    ("the head put back", "UPDATE log.log_head SET size = size - 1", "log_head"),
    ("the head emptied", ROWS.format("TRUNCATE log.log_head"), "log_head"),
    ("an amount changed", ROWS.format("UPDATE ledger.transfer SET amount_pence = amount_pence + 1 WHERE kind = "
                                      "'area_allocation'"), "leaf_matches_rows"),
    ("a line taken out", ROWS.format("DELETE FROM ledger.transfer WHERE kind = 'area_allocation'"),
     "leaf_matches_rows"),
    ("a line put in", ROWS.format("INSERT INTO ledger.transfer SELECT entry_seq, 2, kind, phase, debit_id, "
                                  "debit_class, credit_id, credit_class, 5 FROM ledger.transfer WHERE kind = "
                                  "'area_allocation'"),
     "leaf_matches_rows"),
    ("a class changed on a line", ROWS.format("UPDATE ledger.transfer SET debit_class = 'bank' WHERE kind = "
                                              "'area_allocation'"), "fk_transfer_debit"),
    ("a day changed", ROWS.format("UPDATE ledger.entry SET effective_on = effective_on - 1"), "leaf_matches_rows"),
    ("a kind changed", ROWS.format("UPDATE ledger.entry SET kind = 'drawdown' WHERE kind = 'area_allocation'"),
     "leaf_matches_rows"),
    ("a relation taken out", ROWS.format("UPDATE ledger.entry SET relates_to = '{}'"), "leaf_matches_rows"),
    ("an entry taken out", ROWS.format("DELETE FROM ledger.entry WHERE kind = 'area_allocation'"),
     "leaf_matches_rows"),
    ("a leaf taken out", ROWS.format("DELETE FROM log.leaf WHERE kind = 'area_allocation'"), "log_sequence"),
    ("the last leaf taken out", ROWS.format("DELETE FROM log.leaf WHERE seq = (SELECT max(seq) FROM log.leaf)"),
     "fk_entry_leaf"),
    ("a byte of a leaf changed", ROWS.format("UPDATE log.leaf SET bytes = set_byte(bytes, 17, get_byte(bytes, 17) # 1) "
                                             "WHERE kind = 'area_allocation'"), "leaf_matches_rows"),
    ("a leaf written another way", ROWS.format("UPDATE log.leaf SET bytes = bytes || ' '::bytea "
                                               "WHERE kind = 'area_allocation'"), "ck_leaf_json"),
    ("a leaf given another time", ROWS.format("UPDATE log.leaf SET recorded_at = now() - interval '1 year' "
                                              "WHERE seq = 3"), "leaf_says_its_columns"),
    ("an account renumbered", ROWS.format("UPDATE ledger.account SET code = '4000/X' WHERE class = 'allocation'"),
     "leaf_matches_rows"),
    ("an account taken out", ROWS.format("DELETE FROM ledger.account WHERE code = '1100'"), "leaf_matches_rows"),
    ("a close taken out", ROWS.format("DELETE FROM ledger.period_close"), "leaf_matches_rows"),
    ("a rule taken out of the matrix", ROWS.format("DELETE FROM ledger.posting_rule WHERE kind = 'drawdown'"),
     "fk_transfer_rule"),
    ("a snapshot changed", ROWS.format("UPDATE ledger.balance_snapshot SET credits_posted_pence = "
                                       "credits_posted_pence + 1"), "balance_snapshot"),
    ("an account left out of a snapshot", ROWS.format(
        "DELETE FROM ledger.balance_snapshot s USING ledger.account a WHERE a.id = s.account_id AND a.code = '3000'"),
     "balance_snapshot"),
    ("a snapshot of what is to come", ROWS.format(
        "INSERT INTO ledger.balance_snapshot SELECT id, 10 ^ 6, 0, 0, 0, 0 FROM ledger.account"), "balance_snapshot"),
    ("a CHECK dropped", "ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_overdraft", "schema"),
    ("a CHECK that binds only new rows", "ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_overdraft; ALTER TABLE "
     "ledger.balance ADD CONSTRAINT ck_balance_overdraft CHECK (guard <> '') NOT VALID", "schema"),
    ("a unique index dropped", "DROP INDEX ledger.uq_transfer_pending", "schema"),
    ("a trigger dropped", "DROP TRIGGER append_only ON log.leaf", "schema"),
    ("a trigger switched off", "ALTER TABLE ledger.transfer DISABLE TRIGGER append_only", "schema"),
    ("a foreign key's triggers switched off", "ALTER TABLE ledger.transfer DISABLE TRIGGER ALL", "schema"),
    ("a trigger that fires for replicas only", "ALTER TABLE ledger.transfer ENABLE REPLICA TRIGGER append_only",
     "schema"),
    ("a function emptied", "CREATE OR REPLACE FUNCTION ledger.record_in() RETURNS trigger LANGUAGE plpgsql SECURITY "
     "DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN NULL; END $$", "schema"),
    ("a search path let go",
     "ALTER FUNCTION ledger.post(text[], bytea[], bytea[]) RESET search_path", "schema"),
    ("a function let go of its owner",
     "ALTER FUNCTION ledger.post(text[], bytea[], bytea[]) SECURITY INVOKER", "schema"),
    ("a function that everybody may call", "GRANT EXECUTE ON FUNCTION ledger.record_in() TO PUBLIC", "schema"),
    ("a check that lets everything through", "ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_overdraft; ALTER "
     "TABLE ledger.balance ADD CONSTRAINT ck_balance_overdraft CHECK (true)", "schema"),
    ("a fence opened for one", "CREATE OR REPLACE TRIGGER by_function_only BEFORE INSERT ON ledger.transfer FOR EACH "
     "STATEMENT WHEN (current_user = 'nobody') EXECUTE FUNCTION log.refuse_hand()", "schema"),
    ("a rule that hides rows", "CREATE RULE hide AS ON INSERT TO ledger.transfer DO INSTEAD NOTHING", "schema"),
    ("rows hidden from the application", "ALTER TABLE ledger.transfer ENABLE ROW LEVEL SECURITY", "schema"),
    ("a column more", "ALTER TABLE ledger.balance ADD COLUMN mine bigint", "schema"),
    ("a table more", "CREATE TABLE ledger.mine (a int)", "schema"),
    ("a hole allowed", "ALTER TABLE ledger.transfer ALTER pending_seq SET DEFAULT 1, ALTER amount_pence DROP NOT NULL",
     "schema"),
    ("a table that a crash empties", "ALTER TABLE log.commitment SET UNLOGGED", "schema"),
    ("the application made an owner", "GRANT fund_owner TO fund_app", "schema"),
    ("a rule put into the matrix",
     "INSERT INTO ledger.posting_rule VALUES ('gift', 'single', 'spendable', 'bank', NULL)", "schema"),
    ("a class of account put in", "INSERT INTO ledger.account_class VALUES ('purse', '9000', false, 'fund', "
     "'credits<=debits')", "schema"),
    ("a function more", "CREATE FUNCTION ledger.more() RETURNS int LANGUAGE sql AS 'SELECT 1'", "schema"),
    ("the refusal emptied", "CREATE OR REPLACE FUNCTION public.refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
     "$$ BEGIN RETURN NEW; END $$", "schema"),
    ("a right too many", "GRANT UPDATE ON ledger.balance TO fund_app", "schema"),
    ("a right for everybody", "GRANT INSERT ON ledger.posting_rule TO PUBLIC", "schema"),
    ("a right to a column", "GRANT UPDATE (size) ON log.log_head TO fund_app", "schema"),
    ("a table given away", "ALTER TABLE ledger.account OWNER TO fund_app", "schema"),
]


@pytest.mark.parametrize(("name", "statement", "code"), SPOILED, ids=[name for name, _, _ in SPOILED])
def test_what_an_owner_does_is_named(books, name, statement, code):
    books(statement)
    assert code in codes()


def test_an_overdraft_that_was_made_good_again_is_still_named(books):
    """The balance is right now; it was wrong after one entry, and the replay looks after each."""
    books("ALTER TABLE ledger.balance DROP CONSTRAINT ck_balance_overdraft")
    actions.post("area_allocation", rules.area_allocation([("E05000650", 50_001)]), effective_on=DAY, idem_key="over")
    actions.post("grant_return", rules.grant_return(1, None), effective_on=DAY, idem_key="refill")
    assert queries.balance_of("3200").posted_pence == 0
    report = check_everything()
    assert {problem.code for problem in report.problems} == {"schema", "ck_balance_overdraft"}


def test_a_server_that_may_lose_what_it_acknowledged_is_named(books):
    session.execute(sa.text("SET LOCAL synchronous_commit = off"))
    assert {problem.code for problem in check_everything().problems} == {"settings"}
