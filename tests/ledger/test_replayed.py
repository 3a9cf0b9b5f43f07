"""The balances that are published beside the log: out of the leaves alone, at a fixed rhythm, written once."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from fund.db import transaction
from fund.kernel.errors import Broken
from fund.ledger import actions, queries, rules
from fund.ledger.cli import commands
from fund.transparency import queries as public_record
from fund.transparency.actions import extras
from tests.make.ledger import make_funded_endowment
from tests.transparency.conftest import a_log  # noqa: F401

DAY = date(2026, 6, 1)


@pytest.fixture
def log(a_log):  # noqa: F811
    """A published log with money in it, of 530 lines."""
    with transaction():
        make_funded_endowment(on=DAY)
    a_log.grow(530 - public_record.size())
    a_log.publish()
    return a_log


def test_when_it_is_due():
    due = [size for size in range(20_000) if rules.balances_due(size)]
    assert due == [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384]


def test_each_file_says_what_every_account_held_then(log):
    assert actions.publish_balances() == [256, 512]
    said = json.loads(log.file("balances/512.json"))
    assert said["size"] == 512
    assert said["balances"] == {one.code: [one.debits_posted_pence, one.credits_posted_pence, one.debits_pending_pence,
                                           one.credits_pending_pence] for one in queries.all_balances()}
    assert sum(one[0] for one in said["balances"].values()) == sum(one[1] for one in said["balances"].values()) > 0


def test_what_stands_is_not_written_again_and_what_is_not_published_has_none(log):
    log.grow(600)
    assert actions.publish_balances() == [256, 512]
    assert log.file("balances/1024.json") is None
    log.publish()
    assert actions.publish_balances() == [1_024]
    assert actions.publish_balances() == []


def test_fsck_compares_them_with_the_sums_of_the_lines(log):
    with transaction():
        assert actions.publish_balances() == [256, 512]
    assert CliRunner().invoke(commands, ["fsck"]).exit_code == 0
    log.overwrite("balances/256.json", log.file("balances/256.json").replace(b"1", b"2", 1))
    done = CliRunner().invoke(commands, ["fsck", "--json"])
    assert done.exit_code == 1
    assert [(one["code"], one["where"]) for one in json.loads(done.stdout)["problems"]] == [
        ("log_balances", "balances/256.json")]
    assert CliRunner().invoke(commands, ["fsck", "--no-published"]).exit_code == 0


def test_the_same_again_is_no_error_and_other_sums_in_their_place_are_an_alarm(log):
    documents = dict(queries.balances_at([256, 512]))
    extras.keep("balances/256.json", documents[256])
    extras.keep("balances/256.json", documents[256])
    log.overwrite("balances/512.json", b"{}")
    with pytest.raises(Broken, match="is in the published log already, with other bytes"):
        extras.keep("balances/512.json", documents[512])


def test_after_a_line_that_breaks_a_rule_there_are_no_sums(log):
    log.as_superuser("""ALTER TABLE log.leaf DISABLE TRIGGER USER; UPDATE log.leaf SET bytes = convert_to(replace(
      convert_from(bytes, 'UTF8'), '"phase":"single"', '"phase":"pending"'), 'UTF8') WHERE kind = 'drawdown'""")
    assert list(queries.balances_at([256, 512])) == []
