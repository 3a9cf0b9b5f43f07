"""What the hash of a batch covers, where a batch stands, and who may authorise it."""

from dataclasses import replace

import pytest

from fund.bank import rules
from fund.bank.rules import BatchFacts, BatchLine, BatchState

LINES = [BatchLine("AAAA2222", 5_00, b"\x01" * 32), BatchLine("BBBB3333", 7_00, b"\x02" * 32)]


def test_the_hash_is_of_the_lines_and_not_of_their_order():
    assert rules.lines_sha256(LINES) == rules.lines_sha256(list(reversed(LINES)))
    assert rules.total_pence(LINES) == 12_00


@pytest.mark.parametrize("change", [{"end_to_end_id": "AAAA2223"}, {"amount_pence": 5_01},
                                    {"fingerprint": b"\x03" * 32}])
def test_the_hash_changes_with_any_reference_amount_or_account(change):
    assert rules.lines_sha256([replace(LINES[0], **change), LINES[1]]) != rules.lines_sha256(LINES)


FROZEN = BatchFacts(2, 12_00, rules.lines_sha256(LINES))


@pytest.mark.parametrize(("change", "state"), [
    ({}, BatchState.FROZEN),
    ({"is_set_aside": True}, BatchState.SET_ASIDE),
    ({"is_authorised": True}, BatchState.AUTHORISED),
    ({"is_authorised": True, "has_file": True}, BatchState.FILE_MADE),
    ({"is_authorised": True, "has_file": True, "sending_began": True}, BatchState.SENDING),
    ({"has_file": True, "sending_began": True, "sending_ended": "not_sent"}, BatchState.FILE_MADE),
    ({"has_file": True, "sending_began": True, "sending_ended": "accepted"}, BatchState.SENT),
    ({"has_file": True, "sending_began": True, "sending_ended": "by_hand"}, BatchState.SENT),
    ({"has_file": True, "sending_began": True, "answered_lines": 1}, BatchState.ANSWERED),
    ({"has_file": True, "ended_lines": 1}, BatchState.ANSWERED),
    ({"has_file": True, "ended_lines": 2}, BatchState.SETTLED),
])
def test_where_a_batch_stands(change, state):
    assert rules.batch_state(replace(FROZEN, **change)) is state


@pytest.mark.parametrize(("change", "expected"), [
    ({}, []),
    ({"is_set_aside": True}, ["set_aside"]),
    ({"is_authorised": True}, ["authorised"]),
    ({"touched_by_authoriser": True}, ["other_hand"]),
    ({"interest_of_authoriser": True}, ["interest"]),
    ({"stale_lines": 1}, ["stale"]),
])
def test_who_may_authorise_and_when(change, expected):
    assert [reason.code for reason in rules.reasons_not_to_authorise(replace(FROZEN, **change))] == expected


def test_what_was_seen_on_the_screen_is_what_is_authorised():
    seen = {"total_pence": FROZEN.total_pence, "lines_sha256": FROZEN.lines_sha256}
    assert rules.reasons_not_to_authorise(FROZEN, **seen) == []
    for wrong, code in [({"total_pence": 12_01}, "total"), ({"lines_sha256": b"\x00" * 32}, "hash")]:
        assert [reason.code for reason in rules.reasons_not_to_authorise(FROZEN, **{**seen, **wrong})] == [code]


@pytest.mark.parametrize(("change", "expected"), [
    ({}, []), ({"is_set_aside": True}, ["set_aside"]), ({"is_authorised": True}, ["authorised"])])
def test_a_batch_is_set_aside_only_before_it_is_authorised(change, expected):
    assert [reason.code for reason in rules.reasons_not_to_set_aside(replace(FROZEN, **change))] == expected
