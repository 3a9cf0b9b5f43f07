"""How an award is split, where a stage stands, and every reason that keeps a hand off it."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.grants import rules
from fund.grants.rules import (
    Basis,
    HandFacts,
    OfferFacts,
    PayeeFacts,
    ReleaseFacts,
    StageFacts,
    StageState,
)
from fund.kernel.reasons import Reason

TODAY = date(2026, 11, 22)


def codes(reasons):
    return {reason.code for reason in reasons}


@given(st.integers(1, 10**9), st.lists(st.integers(0, 100), min_size=1, max_size=6).filter(any))
def test_stages_sum_to_the_award_to_the_penny_and_none_is_of_nothing(award, shares):
    stages = rules.plan_stages(award, shares=shares, up_front_below_pence=10_000_00, offered_on=TODAY)
    assert sum(stage.amount_pence for stage in stages) == award
    assert all(stage.amount_pence > 0 for stage in stages)
    assert [stage.number for stage in stages] == list(range(1, len(stages) + 1))
    assert [stage.due_on for stage in stages] == sorted({stage.due_on for stage in stages})


@pytest.mark.parametrize(("award", "first"), [(10_000_00, Basis.UP_FRONT), (10_000_01, Basis.ON_EVIDENCE)])
def test_only_a_small_grant_has_its_first_stage_up_front(award, first):
    stages = rules.plan_stages(award, shares=(50, 50), up_front_below_pence=10_000_00, offered_on=TODAY)
    assert [stage.basis for stage in stages] == [first, Basis.ON_EVIDENCE]


SIGNED = StageFacts(1, has_agreement=True)


@pytest.mark.parametrize(("facts", "state"), [
    (StageFacts(1, has_agreement=False), StageState.WAITS),
    (SIGNED, StageState.EVIDENCE_WANTED),
    (replace(SIGNED, number=2, stage_before_paid=False), StageState.WAITS),
    (replace(SIGNED, award_ended=True), StageState.ENDED),
    (replace(SIGNED, evidence_count=1), StageState.EVIDENCE_SENT),
    (replace(SIGNED, evidence_count=1, evidence_reviewed=True), StageState.MORE_ASKED),
    (replace(SIGNED, evidence_count=1, evidence_reviewed=True, evidence_accepted=True), StageState.ACCEPTED),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1), StageState.APPROVED),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1, release_sent=True), StageState.SENT),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1, release_end="settled"), StageState.PAID),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1, release_end="returned"), StageState.RETURNED),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1, release_end="refused"), StageState.REFUSED),
    (replace(SIGNED, evidence_accepted=True, release_attempt=1, release_end="withdrawn", evidence_count=1),
     StageState.ACCEPTED),
    (replace(SIGNED, award_ended=True, release_attempt=1, release_end="settled"), StageState.PAID),
])
def test_where_a_stage_stands(facts, state):
    assert rules.stage_state(facts) is state


OPEN = OfferFacts(lapses_on=TODAY)


@pytest.mark.parametrize(("offer", "today", "expected"), [
    (OPEN, TODAY, set()),
    (OPEN, date(2026, 11, 23), {"lapsed"}),
    (replace(OPEN, signed=True), TODAY, {"signed"}),
    (replace(OPEN, end="declined_by_group"), TODAY, {"declined"}),
    (replace(OPEN, end="lapsed"), TODAY, {"lapsed"}),
    (replace(OPEN, may_sign=False), TODAY, {"may_not_sign"}),
])
def test_who_may_answer_an_offer_and_when(offer, today, expected):
    assert codes(rules.reasons_not_to_answer_offer(offer, today)) == expected


@pytest.mark.parametrize(("offer", "today", "expected"), [
    (OPEN, TODAY, {"in_time"}),
    (OPEN, date(2026, 11, 23), set()),
    (replace(OPEN, signed=True), date(2026, 11, 23), {"answered"}),
    (replace(OPEN, end="lapsed"), date(2026, 11, 23), {"answered"}),
])
def test_an_offer_lapses_once_and_not_before_its_day_is_over(offer, today, expected):
    assert codes(rules.reasons_not_to_lapse(offer, today)) == expected


@pytest.mark.parametrize(("payee", "expected"), [
    (PayeeFacts(), set()),
    (PayeeFacts(is_own=False), {"host"}),
    (PayeeFacts(is_own=False, host_agreed=True), set()),
    (PayeeFacts(account_of_payee=False), {"account"}),
])
def test_where_money_may_go(payee, expected):
    assert codes(rules.reasons_not_to_choose_payee(payee)) == expected
    assert codes(rules.reasons_not_to_release_stage(ReleaseFacts(StageState.ACCEPTED, payee=payee))) == expected


def test_every_reason_against_the_account_is_a_reason_against_the_payment():
    against = (Reason("bank_account_unchecked", "…"), Reason("sanctions_failed", "…"))
    facts = ReleaseFacts(StageState.ACCEPTED, payee=PayeeFacts(), account_reasons=against)
    assert codes(rules.reasons_not_to_release_stage(facts)) == {"bank_account_unchecked", "sanctions_failed"}


@pytest.mark.parametrize("state", StageState)
def test_evidence_is_sent_only_when_it_is_wanted(state):
    wanted = state in {StageState.EVIDENCE_WANTED, StageState.MORE_ASKED}
    assert (rules.reasons_not_to_send_evidence(state) == []) is wanted
    assert "not_member" in codes(rules.reasons_not_to_send_evidence(state, is_member=False))


@pytest.mark.parametrize("state", StageState)
def test_evidence_is_read_once(state):
    assert (rules.reasons_not_to_review(state, HandFacts()) == []) is (state is StageState.EVIDENCE_SENT)
    assert codes(rules.reasons_not_to_review(StageState.EVIDENCE_SENT, HandFacts(), newest=False)) == {"reviewed"}


HANDS = [
    (HandFacts(), set()),
    (HandFacts(has_capacity=False), {"capacity"}),
    (HandFacts(is_of_the_group=True), {"of_the_group"}),
    (HandFacts(has_interest=True), {"interest"}),
    (HandFacts(did_the_step_before=True), {"other_hand"}),
    (HandFacts(False, True, True, True), {"capacity", "of_the_group", "interest", "other_hand"}),
]


@pytest.mark.parametrize(("hand", "expected"), HANDS)
def test_four_pairs_of_hands(hand, expected):
    assert codes(rules.reasons_not_to_review(StageState.EVIDENCE_SENT, hand)) == expected
    assert codes(rules.reasons_not_to_release_stage(
        ReleaseFacts(StageState.ACCEPTED, hand, PayeeFacts()))) == expected


@pytest.mark.parametrize("state", StageState)
def test_a_stage_is_approved_after_its_evidence_and_once(state):
    reasons = codes(rules.reasons_not_to_release_stage(ReleaseFacts(state, payee=PayeeFacts())))
    if state in {StageState.ACCEPTED, StageState.RETURNED, StageState.REFUSED}:
        assert reasons == set()
    elif state in {StageState.APPROVED, StageState.SENT, StageState.PAID}:
        assert reasons == {"paid_once"}
    else:
        assert reasons == {"evidence"}


def test_after_a_return_the_account_is_chosen_and_checked_anew():
    facts = ReleaseFacts(StageState.RETURNED, payee=PayeeFacts(), payee_is_new=False, checked_since_return=False)
    assert codes(rules.reasons_not_to_release_stage(facts)) == {"new_payee", "new_check"}


@pytest.mark.parametrize(("state", "reason", "expected"), [
    (StageState.RETURNED, "", True), (StageState.REFUSED, "AC04", True), (StageState.REFUSED, "AM04", False),
    (StageState.ACCEPTED, "AC04", False)])
def test_an_account_is_chosen_anew_when_it_was_the_trouble(state, reason, expected):
    assert rules.is_about_the_account(state, reason) is expected


def test_without_an_account_nothing_is_released():
    assert codes(rules.reasons_not_to_release_stage(ReleaseFacts(StageState.ACCEPTED))) == {"payee"}


@pytest.mark.parametrize(("today", "sent", "expected"), [
    (date(2026, 11, 1), 0, None), (date(2026, 11, 8), 0, 1), (date(2026, 11, 8), 1, None),
    (date(2026, 11, 19), 1, 2), (date(2026, 11, 19), 0, 2), (date(2026, 11, 22), 2, None),
    (date(2026, 11, 23), 0, None),
])
def test_a_group_is_reminded_twice_before_an_offer_lapses(today, sent, expected):
    assert rules.reminder_due(TODAY, sent, today) == expected
