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
    assert genesis["kind"] == "genesis"
    assert genesis["record"] == {"origin": "demo.fund.example/ledger"} | {
        word: "sha256:" + hashlib.sha256(actions.kept_to()[f"{word}/v1.json"]).hexdigest()
        for word in ("schema", "accounts")}
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


def test_a_log_that_began_with_its_name_alone_stays_as_it_is(session):
    """Lines are never written anew: logs of before the first line said what they keep to are as good."""
    first = actions.append("genesis", {"origin": "old.example/log"}, idem_key=actions.GENESIS)
    assert actions.begin("old.example/log") == first
    assert actions.append("decision", {"outcome": "awarded"}, idem_key="d/1").seq == 1
    with pytest.raises(Stale):
        actions.begin("new.example/log")


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


def test_a_commitment_can_be_opened_until_it_is_erased(session, sql):
    leaf_id = new_id()
    shown = actions.commit_to(leaf_id, "subject", "Ann Other")
    actions.append("visit", {"subject": shown}, idem_key="v/1", leaf_id=leaf_id)
    session.commit()
    salt, pointer = sql("SELECT salt, pointer FROM log.commitment").one()
    assert shown == "sha256:" + hashlib.sha256(salt + pointer.encode()).hexdigest()
    assert (len(salt), pointer) == (32, "Ann Other")
    assert actions.erase("Ann Other") == 1
    assert sql("SELECT count(*) FROM log.commitment").scalar_one() == 0


def test_after_a_person_is_erased_every_proof_holds_and_the_log_says_only_which_lines(session, sql):
    for number in range(9):
        leaf_id = new_id()
        said = actions.commit_to(leaf_id, "subject", f"person {number % 3}", pointer=f"person/{number % 3}")
        actions.append("visit", {"subject": said}, idem_key=f"v/{number}", leaf_id=leaf_id)
    before = queries.leaves_after(-1)
    hashes = [leaf.leaf_hash for leaf in before]
    root = rules.root(hashes)
    assert actions.erase("person/1") == 3
    assert actions.erase("person/1") == 0
    after = queries.leaves_after(-1)
    assert [leaf.encoded for leaf in after[:-1]] == [leaf.encoded for leaf in before]
    for index, leaf in enumerate(after[:-1]):
        proof = rules.inclusion_proof(index, len(hashes), lambda lo, hi: rules.root(hashes[lo:hi]))
        assert rules.inclusion_holds(rules.leaf_hash(leaf.encoded), index, len(hashes), proof, root)
    assert after[-1].kind == "erasure"
    assert b"person" not in after[-1].encoded
    assert after[-1].encoded.count(b'"field":"subject"') == 3
    assert sql("SELECT count(*) FROM log.commitment WHERE pointer = 'person/1'").scalar_one() == 0
    assert sql("SELECT count(*) FROM log.commitment").scalar_one() == 6


def test_the_same_words_are_never_committed_to_the_same_way(session):
    leaf_id = new_id()
    assert actions.commit_to(leaf_id, "a", "Ann") != actions.commit_to(leaf_id, "b", "Ann")
