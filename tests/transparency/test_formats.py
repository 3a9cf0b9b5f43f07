"""The bytes of a leaf: the same as a library for all of JCS makes, and nothing that two readers could read two ways."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from fund.kernel.errors import BadInput
from fund.transparency import formats

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(formats.nfc)
keys = st.text(st.characters(max_codepoint=127, exclude_characters="\0"), max_size=10)
values = st.recursive(text | st.integers(-formats.LARGEST_INTEGER, formats.LARGEST_INTEGER),
                      lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
                      max_leaves=12)


@given(st.dictionaries(keys, values, max_size=5))
def test_the_bytes_are_those_of_rfc_8785(value):
    encoded = formats.canonical(value)
    assert encoded == rfc8785.dumps(value)
    assert formats.read(encoded) == value


@pytest.mark.parametrize("value", [
    1.5, 1.0, None, True, 2**53, -(2**53), b"bytes", "e\u0301", "\ud800", "\0", {"é": 1}, {"\0": 1}, {1: "a"},
    {"inner": [{"deep": 0.1}]}, datetime(2027, 1, 1, tzinfo=UTC), float("nan"), {"a"}])
def test_what_no_leaf_may_hold_is_refused(value):
    with pytest.raises(BadInput):
        formats.canonical({"value": value})


def test_a_leaf_has_a_greatest_size():
    room = formats.MOST_BYTES - len(formats.canonical({"a": ""}))
    assert len(formats.canonical({"a": "x" * room})) == formats.MOST_BYTES
    with pytest.raises(BadInput, match="65535"):
        formats.canonical({"a": "x" * (room + 1)})


@pytest.mark.parametrize("encoded", [
    b'{"a": 1}', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b'{"a":1.0}', b'{"a":1}\n', b"[]", b"1", b"", b'{"a":"\\u0041"}',
    b'{"a":1e2}', b'\xff', b'{"a":"\\/"}'])
def test_bytes_that_are_not_the_one_canonical_form_are_not_read(encoded):
    with pytest.raises(BadInput):
        formats.read(encoded)


def test_a_moment_is_written_in_one_way():
    paris = timezone(timedelta(hours=1))
    assert formats.moment(datetime(2027, 4, 1, 10, 30, tzinfo=paris)) == "2027-04-01T09:30:00.000000Z"
    assert formats.moment(datetime(2027, 10, 31, 1, 30, 0, 7, tzinfo=UTC)) == "2027-10-31T01:30:00.000007Z"


def test_words_that_look_the_same_are_the_same_bytes():
    assert formats.nfc({"a": ["Caf\u0065\u0301"]}) == {"a": ["Caf\u00e9"]}


@pytest.mark.parametrize("depth", [990, 3_000, 32_000])
def test_lists_in_lists_without_end_are_not_read(depth):
    with pytest.raises(BadInput):
        formats.read(b'{"a":' + b"[" * depth + b"]" * depth + b"}")


HASH = "sha256:" + "a" * 64
RECORD = {"v": 1, "id": "00000000-0000-4000-8000-000000000000", "kind": "rehearsal_rule",
          "recorded_at": "2027-04-01T09:00:00.000000Z", "record": {"n": "x"}}
MOVE = {"debit": "1000", "credit": "3100", "amount": "5", "phase": "single"}
ENTRY = {key: one for key, one in RECORD.items() if key != "record"} | {
    "effective_on": "2027-04-01", "transfers": [MOVE], "kind": "investment_income"}


@pytest.mark.parametrize("said", [
    RECORD, ENTRY, ENTRY | {"subject": HASH, "evidence": HASH, "approved_by": [HASH, HASH]},
    ENTRY | {"relates_to": [RECORD["id"]], "area": "E05000650", "grant": "G", "params": {"rate": "0.04"}},
    ENTRY | {"transfers": [MOVE, MOVE | {"phase": "post", "pending": [RECORD["id"], 1]}]}])
def test_a_line_that_says_what_lines_say_may_be_signed(said):
    assert formats.reason_not_to_sign(formats.canonical(said)) is None


@pytest.mark.parametrize(("said", "reason"), [
    (RECORD | {"name": "Jane Doe"}, "the words of a line"), (ENTRY | {"name": "Jane Doe"}, "the words of a line"),
    (ENTRY | {"record": {}}, "the words of a line"), (RECORD | {"v": 2}, "the words of a line"),
    ({key: one for key, one in RECORD.items() if key != "record"}, "the words of a line"),
    ({key: one for key, one in ENTRY.items() if key != "effective_on"}, "the words of a line"),
    (RECORD | {"record": "text"}, "is no object"), (RECORD | {"record": []}, "is no object"),
    (ENTRY | {"transfers": []}, "its movements"), (ENTRY | {"transfers": "x"}, "its movements"),
    (ENTRY | {"transfers": [MOVE | {"payee": "Jane Doe"}]}, "its movements"),
    (ENTRY | {"transfers": ["x"]}, "its movements"),
    (ENTRY | {"transfers": [{"debit": "1000"}]}, "its movements"),
    (ENTRY | {"subject": "Jane Doe"}, "it says subject openly"), (ENTRY | {"evidence": 7}, "it says evidence openly"),
    (ENTRY | {"subject": HASH + "\n"}, "it says subject openly"),
    (ENTRY | {"approved_by": [HASH, "Jane Doe"]}, "it says approved_by openly"),
    (ENTRY | {"approved_by": HASH}, "it says approved_by openly")])
def test_a_line_that_says_what_no_line_says_is_not_signed(said, reason):
    assert reason in formats.reason_not_to_sign(formats.canonical(said))


@pytest.mark.parametrize("encoded", [b"", b"[]", b"{}", b"\xff", b'{"v": 1}', b"[" * 30_000])
def test_bytes_that_are_no_line_are_not_signed(encoded):
    assert formats.reason_not_to_sign(encoded)
