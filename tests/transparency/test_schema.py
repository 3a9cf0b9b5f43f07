"""The published schema of a line: it takes what the fund writes, refuses what no line says, and never changes."""

import hashlib
import json

import jsonschema
import pytest
import sqlalchemy as sa

from fund.ledger import rules as ledger
from fund.transparency import actions, formats, queries, verify
from tests.transparency.test_verify_in_one_go import AT, LOG

VALID = jsonschema.Draft202012Validator(formats.LINE, format_checker=jsonschema.FormatChecker())
ENTRY = LOG[AT]
RECORD = next(said for said in LOG if said["kind"] == "rehearsal_rule")


def test_it_is_a_schema_and_stays_what_the_first_lines_of_logs_name():
    """Lines are for ever, and so is what their logs keep to. If you mean to let a line say more: leave this file, and
    make version 2 beside it."""
    jsonschema.Draft202012Validator.check_schema(formats.LINE)
    assert {name: hashlib.sha256(document).hexdigest() for name, document in actions.kept_to().items()} == {
        "schema/v1.json": "49493f729620bc3a15771a035e973e8894264d15b2daa997b55a76301e728394",
        "accounts/v1.json": "7ab6d62766d98eaa3ab8f5c23dde7824a1773d4420b4015daccba2ee8892e1a4"}


@pytest.mark.parametrize("said", LOG, ids=lambda said: f"{said['kind']}-{said['id'][-2:]}")
def test_every_kind_of_line_is_right_by_it(said):
    said = json.loads(json.dumps(said).replace("\\u011c", "G"))  # the verifier does not ask how a code is spelt
    assert [error.message for error in VALID.iter_errors(said)] == []


def changed(**words) -> dict:
    return {key: one for key, one in {**ENTRY, **words}.items() if one is not None}


def moved(**words) -> dict:
    move = {key: one for key, one in {**ENTRY["transfers"][0], **words}.items() if one is not None}
    return changed(transfers=[move])


@pytest.mark.parametrize("said", [
    changed(name="Ann Smith"), moved(note="for Ann"), {**RECORD, "note": "x"}, {**RECORD, "transfers": []},
    changed(record={}), changed(v=2), changed(v="1"), changed(v=True), changed(kind="Grant"), changed(kind="x" * 61),
    changed(id=None), changed(id=ENTRY["id"].replace("-", "")), changed(id="0000000A" + ENTRY["id"][8:]),
    changed(id=ENTRY["id"] + "\n"), changed(effective_on=None), changed(effective_on="2027-02-30"),
    changed(effective_on="1989-12-31"), changed(effective_on="2027-04-01\n"), changed(effective_on="3000-01-01"),
    changed(recorded_at="2027-04-01T24:00:00.000000Z"), changed(recorded_at="2027-04-01T09:00:00Z"),
    changed(recorded_at="2027-04-01T09:00:60.000000Z"), changed(transfers=[]), changed(reverses=ENTRY["id"]),
    changed(kind="reversal"), changed(relates_to=["x"]), changed(relates_to=ENTRY["id"]), changed(evidence="Ann Smith"),
    changed(approved_by=["sha256:" + "A" * 64]), changed(approved_by=[]),
    changed(approved_by="sha256:" + "a" * 64), changed(subject="a\0b"), changed(params={"share": 0.5}),
    changed(params={"is": True}), changed(params={"is": {"none": [None]}}), changed(params={"ŵ": 1}),
    changed(params={"n": 2**53}), moved(amount=8000), moved(amount="08000"), moved(amount="0"), moved(amount="-5"),
    moved(amount="٨٠"), moved(amount="8000\n"), moved(amount=str(10**15 + 1)), moved(phase="posted"),
    moved(phase="single"), moved(pending=None), moved(pending=[ENTRY["id"], "1"]), moved(pending=[ENTRY["id"], 0]),
    moved(pending=[ENTRY["id"], True]), moved(pending=[ENTRY["id"]]), moved(pending=[ENTRY["id"], 1, 1]),
    moved(debit="4000/"), moved(debit="400"), moved(debit="4000/Ann Smith"), moved(credit=None), [], "x", 1, None,
], ids=lambda said: json.dumps(said)[:240])
def test_what_no_line_says_is_wrong_by_it(said):
    assert not VALID.is_valid(said)


def test_a_line_commits_to_each_of_those_who_decided_it():
    assert VALID.is_valid(changed(approved_by=["sha256:" + "a" * 64, "sha256:" + "b" * 64]))


def test_the_most_of_one_movement_is_that_of_the_ledger():
    assert VALID.is_valid(moved(amount=str(ledger.MOST_PENCE)))
    assert not VALID.is_valid(moved(amount=str(ledger.MOST_PENCE + 1)))


def test_the_verifier_knows_the_same_words():
    kinds = formats.LINE["$defs"]
    assert set(kinds["entry"]["properties"]) == verify.OF_AN_ENTRY
    assert set(kinds["line"]["properties"]) == verify.OF_A_RECORD
    assert set(kinds["transfer"]["properties"]) == verify.OF_A_MOVEMENT


def test_the_chart_of_accounts_is_that_of_the_database_and_of_the_verifier(session):
    classes = {row.prefix: {"class": row.class_, "guard": row.guard} for row in session.execute(sa.text(
        "SELECT prefix, class AS class_, guard FROM ledger.account_class ORDER BY prefix"))}
    chart = actions.kept_to()["accounts/v1.json"]
    assert json.loads(chart) == {"v": 1, "classes": classes}
    assert chart == verify.chart()


def test_both_are_published_and_the_first_line_names_them(a_log):
    a_log.grow(1)
    record = formats.read(queries.leaf_by_seq(0).encoded)["record"]
    for word in ("schema", "accounts"):
        document = a_log.file(f"{word}/v1.json")
        assert document == actions.kept_to()[f"{word}/v1.json"]
        assert record[word] == "sha256:" + hashlib.sha256(document).hexdigest()
    assert json.loads(a_log.file("schema/v1.json")) == formats.LINE
