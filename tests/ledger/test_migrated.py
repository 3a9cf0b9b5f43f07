"""A ledger that was begun at the first migration and lived through all of them: not a byte of what it said changed."""

import hashlib
import json
import re
import uuid

import psycopg
import pytest
from alembic.script import ScriptDirectory

from fund import schema
from fund.db import session
from fund.embedded import postgres
from fund.ledger.queries.fsck import check_everything
from fund.transparency.rules import root
from tests.ledger.conftest import an_app
from tests.make.beside import explain

FIRST = "0002"
GUARDS = {"1000": ("bank", "credits<=debits"), "3000": ("permanent_capital", "debits<=credits"),
          "3100": ("unapplied_return", "debits<=credits"), "1100": ("investments", "credits<=debits")}


def revisions() -> list[str]:
    """From the first that has a ledger to the newest, in order."""
    script = ScriptDirectory(str(schema.MIGRATIONS))
    return [one.revision for one in script.walk_revisions() if one.revision >= FIRST][::-1]


def leaf(kind: str, **said: object) -> bytes:
    return json.dumps({"v": 1, "id": str(uuid.uuid4()), "kind": kind, "recorded_at": "2027-03-28T01:00:00.000001Z",
                       **said}, sort_keys=True, separators=(",", ":")).encode()


class Writer:
    """Writes as the application of each age would: rows before the functions, bytes to the functions since."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.by_function, self.explains = connection.execute(
            "SELECT to_regproc('log.append') IS NOT NULL, to_regproc('endowment_explained') IS NOT NULL").fetchone()

    def record(self, kind: str, **record: str) -> None:
        self._row(kind, "log.append(ARRAY[%s], ARRAY[%s::bytea], ARRAY[%s::bytea])", record)

    def account(self, code: str) -> None:
        class_, guard = GUARDS[code]
        if not self.by_function:
            self.connection.execute("INSERT INTO ledger.account (code, name, class, guard, opened_seq) "
                                    "SELECT %s, %s, %s, %s, size FROM log.log_head", [code, code, class_, guard])
        self._row("account_opened", "ledger.open_account(%s, %s, %s)", {"code": code, "class": class_, "name": code})

    def _row(self, kind: str, call: str, record: dict[str, str]) -> None:
        encoded, key = leaf(kind, record=record), str(uuid.uuid4())
        if self.by_function:
            self.connection.execute(f"SELECT * FROM {call}", [key, b"r" * 32, encoded])
        else:
            self.connection.execute(
                "INSERT INTO log.leaf (seq, id, kind, idem_key, request_hash, recorded_at, bytes) "
                "SELECT size, %s, %s, %s, %s, %s, %s FROM log.log_head",
                [(said := json.loads(encoded))["id"], kind, key, b"r" * 32, said["recorded_at"], encoded])

    def entries(self, number: int) -> None:
        """A receipt, and a purchase that is reserved and posted; in part, as long as nothing asked for its row."""
        bought = leaf("trade", effective_on="2027-03-28", transfers=[
            {"amount": "5", "credit": "1000", "debit": "1100", "phase": "pending"}])
        for encoded in (
                leaf("dormant_assets_receipt", effective_on="2027-03-31", transfers=[
                    {"amount": str(1_000 + number), "credit": "3000", "debit": "1000", "phase": "single"}]), bought,
                leaf("trade", effective_on="2027-04-05", relates_to=[json.loads(bought)["id"]], transfers=[
                    {"amount": "5" if self.explains else "4", "credit": "1000", "debit": "1100", "phase": "post",
                     "pending": [json.loads(bought)["id"], 1]}])):
            found = self.connection.execute(
                "SELECT seq FROM ledger.post(ARRAY[%s], ARRAY[%s::bytea], ARRAY[%s::bytea])",
                [str(uuid.uuid4()), b"r" * 32, encoded]).fetchall()
            assert len(found) == 1
            if self.explains:
                explain(self.connection, [seq for (seq,) in found])


def log_of(connection) -> list[tuple]:
    return connection.execute("SELECT seq, id, kind, idem_key, request_hash, recorded_at, bytes, leaf_hash "
                              "FROM log.leaf ORDER BY seq").fetchall()


@pytest.fixture
def database(server):
    name = "a_ledger_through_the_ages"
    admin = postgres.superuser_url(server)
    schema.make_roles(admin)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    schema.make_database(admin, name)
    yield name
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_every_leaf_is_bit_identical_after_every_migration(server, database):
    before: list[tuple] = []
    for number, revision in enumerate(revisions()):
        schema.upgrade(postgres.role_url(server, database, "fund_migrator"), revision)
        with psycopg.connect(postgres.superuser_url(server, database)) as connection:
            connection.execute("SET ROLE fund_app")
            writer = Writer(connection)
            if not before:
                writer.record("genesis", origin="test")
                for code in GUARDS:
                    writer.account(code)
            now = log_of(connection)
            assert now[:len(before)] == before, revision
            assert root(row[-1] for row in now[:len(before)]) == root(row[-1] for row in before)
            assert all(hashlib.sha256(b"\0" + row[-2]).digest() == row[-1] for row in now)
            writer.record("rehearsal_rule", at=revision)
            writer.entries(number)
            connection.commit()
            before = log_of(connection)
    assert len(before) == 5 + 4 * len(revisions())
    with an_app(server, database):
        assert check_everything().problems == []
        session.rollback()


def test_no_migration_changes_a_row_of_the_log_or_the_ledger():
    changes = re.compile(r"\b(UPDATE|DELETE\s+FROM|TRUNCATE|MERGE\s+INTO)\s+(ONLY\s+)?"
                         r"(log\.(leaf|commitment)|ledger\.(entry|transfer|account|period_close|balance_snapshot))\b",
                         re.IGNORECASE)
    for path in sorted((schema.MIGRATIONS / "versions").glob("*.py")):
        assert not changes.search(path.read_text()), path.name
