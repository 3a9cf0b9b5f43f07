"""The two real files, whole: what must come out is known to the penny."""

import os
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from fund.app import create_app
from fund.db import db
from fund.db import session as fund_session
from fund.embedded import postgres
from fund.ledger import queries as ledger
from fund.ledger.queries.fsck import check_everything
from fund.replay import actions
from fund.settings import Settings
from fund.transparency import formats, queries
from fund.transparency.queries.check import published_files
from tests.conftest import template_of
from tests.make.bank import running_bank
from tests.make.log import a_name, balances_of, published_as

pytestmark = pytest.mark.real
SHARED = Path(os.environ.get("SHARED_DIR") or Path(__file__).resolve().parents[3] / "shared")
LOOK_UPS = ("lookups/lookup_lsoa21_ward24_ltla24.csv", "lookups/lookup_lsoa11_lsoa21_ltla22.csv",
            "population/census2021_lsoa21_selected.csv")


@pytest.mark.parametrize(("name", "begins", "decided", "paid", "unposted"), [
    ("power_to_change_2015_2019.json", "2015-01-01T09:00", (849, 5_060_768_420), 3_817_492_489,
     {"no_area": (21, 101_801_234), "disbursed_above_award": (9, 528_528)}),
    ("trafford_council_2013_2024.json", "2013-01-01T09:00", (555, 129_143_654), 0, {}),
])
def test_a_real_file_ends_with_its_known_sums(server, database, store_server, tmp_path, name, begins, decided, paid,
                                              unposted):
    data = (SHARED / "data" / "360giving" / name).read_bytes()
    own = f"{database}_{name[:5]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {own} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {own} TEMPLATE {template_of(server)} OWNER fund_owner")
    with running_bank(clock=begins) as bank:
        log_name = a_name()
        app = create_app(Settings(_env_file=None, fund_env="test", rehearsal=True, bank_url=bank.url,
                                  log_origin=log_name,
                                  database_url=postgres.role_url(server, own, "fund_app")))
        with app.app_context():
            try:
                done = actions.rehearse(data, [SHARED / "data" / each for each in LOOK_UPS])
                in_the_books = fund_session.execute(sa.text("""
                    SELECT (SELECT count(*) FROM decision), (SELECT sum(amount_pence) FROM decision),
                      (SELECT coalesce(sum(t.amount_pence), 0) FROM ledger.entry e
                       JOIN ledger.transfer t ON t.entry_seq = e.seq WHERE e.kind = 'stage_paid'),
                      (SELECT sum(b.credits_posted_pence - b.debits_posted_pence) FROM ledger.balance b
                       JOIN ledger.account a ON a.id = b.account_id WHERE a.code LIKE '5000/%')""")).one()
                with published_as(log_name, server, store_server, tmp_path) as log:
                    it_is_sound_and_agrees_with_a_stranger(log, tmp_path)
                    every_changed_byte_is_named(log)
            finally:
                fund_session.remove()
                db.engine.dispose()
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {own} WITH (FORCE)")
    assert tuple(map(int, in_the_books)) == (*decided, paid, decided[1] - paid)
    found: dict[str, tuple[int, int]] = {}
    for listed in done.plan.unposted:
        count, pence = found.get(listed.reason, (0, 0))
        found[listed.reason] = (count + 1, pence + listed.pence)
    assert found == unposted


def it_is_sound_and_agrees_with_a_stranger(log, folder):
    """fsck finds nothing, the whole log is published, and the verifier has the same balances to the penny."""
    assert check_everything().problems == []
    log.publish()
    assert queries.publication().waiting == 0
    assert list(published_files()) == []
    assert balances_of(log.save(folder / "copy"), log.key, folder) == {
        one.code: [one.debits_posted_pence, one.credits_posted_pence, one.debits_pending_pence,
                   one.credits_pending_pence] for one in ledger.all_balances()}


def every_changed_byte_is_named(log):
    """One byte in each kind of place, put back after each: an entry, a balance row, a bundle, a tile, a checkpoint."""
    log.as_superuser("UPDATE log.leaf SET bytes = overlay(bytes placing 'X' from 30) WHERE seq = 500")
    assert {problem.where for problem in check_everything().problems} >= {"leaf 500"}
    assert {problem.where for problem in published_files()} >= {"tile/entries/001", "tile/0/001", "checkpoint"}
    fund_session.rollback()
    leaf = list(formats.leaves_of(log.file("tile/entries/001")))[500 - 256]
    log.as_superuser(f"UPDATE log.leaf SET bytes = decode('{leaf.hex()}', 'hex') WHERE seq = 500")
    log.as_superuser("UPDATE ledger.balance SET credits_posted_pence = credits_posted_pence + 1, "
                     "debits_posted_pence = debits_posted_pence + 1 WHERE account_id = "
                     "(SELECT id FROM ledger.account WHERE code = '3200')")
    assert [problem.where for problem in check_everything().problems] == ["account 3200"]
    fund_session.rollback()
    log.as_superuser("UPDATE ledger.balance SET credits_posted_pence = credits_posted_pence - 1, "
                     "debits_posted_pence = debits_posted_pence - 1 WHERE account_id = "
                     "(SELECT id FROM ledger.account WHERE code = '3200')")
    assert check_everything().problems == []
    for path in ("tile/entries/003", "tile/0/002", "tile/1/000.p/*", "checkpoint"):
        name = path.replace("*", str(queries.size() // 256))
        data = log.file(name)
        log.overwrite(name, bytes([data[0] ^ 1]) + data[1:])
        assert [problem.where for problem in published_files()] == [name]
        log.overwrite(name, data)
    assert list(published_files()) == []
