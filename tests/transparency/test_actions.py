"""Public records: written once, said in canonical bytes, and open to be forgotten only where they were committed to."""

import hashlib

import pytest
import sqlalchemy as sa

from fund.kernel.errors import BadInput, NotFound, Stale
from fund.kernel.ids import new_id
from fund.transparency import actions, formats, queries, rules


def test_a_record_is_a_leaf_after_the_first_which_names_the_log(session):
    leaf = actions.append("rule_published", {"rule": "tie-break", "version": 1}, idem_key="rule/1")
    assert leaf.seq == 1
    genesis = formats.read(queries.leaf_by_seq(0).encoded)
    assert (genesis["kind"], genesis["record"]) == ("genesis", {"origin": "demo.fund.example/ledger"})
    row = queries.leaf_by_id(leaf.id)
    said = formats.read(row.encoded)
    assert said == {"v": 1, "id": str(leaf.id), "kind": "rule_published",
                    "recorded_at": formats.moment(row.recorded_at), "record": {"rule": "tie-break", "version": 1}}
    assert row.leaf_hash == leaf.leaf_hash == rules.leaf_hash(row.encoded)
    assert queries.size() == 2
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_the_same_record_twice_is_one_leaf(session):
    first = actions.append("decision", {"outcome": "awarded"}, idem_key="d/1")
    assert actions.append("decision", {"outcome": "awarded"}, idem_key="d/1") == first
    with pytest.raises(Stale):
        actions.append("decision", {"outcome": "declined"}, idem_key="d/1")


def test_a_log_keeps_its_name(session):
    actions.begin("first.example/log")
    with pytest.raises(Stale):
        actions.begin("second.example/log")


def test_a_record_that_cannot_stand_in_a_leaf_writes_nothing(session):
    with pytest.raises(BadInput):
        actions.append("decision", {"score": 3.5}, idem_key="d/1")
    assert queries.size() == 0


def test_the_leaves_are_read_in_order_a_page_at_a_time(session):
    for number in range(4):
        actions.append("decision", {"number": number}, idem_key=f"d/{number}")
    assert [leaf.seq for leaf in queries.leaves_after(-1, 2)] == [0, 1]
    assert [leaf.seq for leaf in queries.leaves_after(1)] == [2, 3, 4]
    assert queries.leaf_by_key("d/3").seq == 4
    with pytest.raises(NotFound):
        queries.leaf_by_seq(9)


def test_a_commitment_can_be_opened_until_it_is_forgotten(session, sql):
    leaf_id = new_id()
    shown = actions.commit_to(leaf_id, "subject", "Ann Other")
    leaf = actions.append("visit", {"subject": shown}, idem_key="v/1", leaf_id=leaf_id)
    session.commit()
    salt, pointer = sql("SELECT salt, pointer FROM log.commitment").one()
    assert shown == "sha256:" + hashlib.sha256(salt + pointer.encode()).hexdigest()
    assert (len(salt), pointer) == (32, "Ann Other")
    assert actions.forget(leaf_id) == 1
    assert sql("SELECT count(*) FROM log.commitment").scalar_one() == 0
    assert rules.leaf_hash(queries.leaf_by_id(leaf.id).encoded) == leaf.leaf_hash


def test_the_same_words_are_never_committed_to_the_same_way(session):
    leaf_id = new_id()
    assert actions.commit_to(leaf_id, "a", "Ann") != actions.commit_to(leaf_id, "b", "Ann")
