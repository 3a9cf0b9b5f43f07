"""What an application still needs, at which question, in a sentence; and where it stands."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fund.applications.rules import (
    Problem,
    State,
    SubmitFacts,
    asked_of,
    problems,
    reasons_not_to_check,
    reasons_not_to_submit,
    state_of,
)
from fund.kernel.reasons import Reason
from fund.rounds.formats import SMALL_GRANT, form_from_definition
from fund.rounds.rules import RoundRules
from tests.make.applications import ANSWERS

FORM = form_from_definition("small_grant", 1, SMALL_GRANT)
RULES = RoundRules(most_pence=1_000_000)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def codes(**changed):
    return [problem.reason.code for problem in problems(FORM, {**ANSWERS, **changed}, RULES)]


def test_good_answers_need_nothing():
    assert codes() == []


def test_an_empty_draft_lists_every_question_that_must_be_answered_in_the_forms_order():
    found = problems(FORM, {}, RULES)
    assert [problem.question_id for problem in found] == [
        "title", "what", "for_whom", "where", "costs", "asked", "statutory_duty"]
    assert all(problem.reason.code.endswith("_missing") for problem in found)


def test_one_page_is_asked_for_its_own_questions_only():
    page = FORM.page("costs")
    assert {problem.question_id for problem in problems(FORM, {}, RULES, page=page)} == {"costs", "asked"}


@pytest.mark.parametrize(("changed", "code"), [
    ({"title": "x" * 101}, "title_long"),
    ({"title": "two\nlines"}, "title_lines"),
    ({"title": "  \n "}, "title_missing"),
    ({"what": "word " * 251}, "what_long"),
    ({"what": "w" * 2501}, "what_long"),
    ({"statutory_duty": "maybe"}, "statutory_duty_unknown"),
    ({"costs": []}, "costs_missing"),
    ({"costs": [{"what": "", "amount": "  "}]}, "costs_missing"),
    ({"costs": [{"what": "", "amount": "480"}]}, "costs_what"),
    ({"costs": [{"what": "x" * 101, "amount": "480"}]}, "costs_long"),
    ({"costs": [{"what": "Benches", "amount": "lots"}]}, "costs_amount"),
    ({"costs": [{"what": "Benches", "amount": "480"}, {"what": "Air", "amount": "0"}]}, "costs_nothing"),
    ({"costs": [{"what": "Screw", "amount": "1"}] * 41, "asked": "41", "least": ""}, "costs_many"),
    ({"asked": "481"}, "asked_sum"),
    ({"asked": "0", "least": ""}, "asked_nothing"),
    ({"least": "480.01"}, "least_least"),
    ({"least": "0"}, "least_nothing"),
    ({"asked": "10,000.01", "costs": [{"what": "All", "amount": "10000.01"}]}, "asked_over"),
])
def test_what_an_answer_needs_is_said_at_its_question(changed, code):
    assert codes(**changed) == [code]


@pytest.mark.parametrize("typed", ["NaN", "1e5", "1_000", "４８０", "480.000", "-480", "4" * 5000, "4,80", "£", "inf",
                                   "0x10", "٤٨٠", "480 pounds", "12,34,567", "99999999999"])
def test_money_that_is_no_amount_gets_a_sentence_and_never_an_error(typed):
    found = [problem.reason for problem in problems(FORM, {**ANSWERS, "asked": typed}, RULES)]
    assert [reason.code for reason in found] in (["asked_amount"], ["asked_over"])
    assert found[0].sentence.endswith(".")


def test_a_cost_lines_sentence_names_the_line_and_the_row_of_the_page():
    found = problems(FORM, {**ANSWERS, "costs": [{"what": "", "amount": ""}, {"what": "Tree", "amount": "x"}]}, RULES)
    assert found[0].row == 1
    assert "2" in found[0].reason.sentence


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=12)), max_size=6), st.text(max_size=20))
def test_nothing_that_is_typed_breaks_the_rules(rows, asked):
    values = {**ANSWERS, "costs": [{"what": what, "amount": amount} for what, amount in rows], "asked": asked}
    for problem in problems(FORM, values, RULES):
        assert problem.reason.sentence
    assert asked_of(values).sum_pence >= 0


@given(st.lists(st.integers(min_value=1, max_value=20_000), min_size=1, max_size=40))
def test_lines_that_add_up_to_the_ask_never_need_mending(pence):
    rows = [{"what": "A thing", "amount": f"{each // 100}.{each % 100:02d}"} for each in pence]
    asked = sum(pence)
    typed = f"£{asked // 100:,}.{asked % 100:02d}"
    found = problems(FORM, {**ANSWERS, "costs": rows, "asked": typed, "least": ""}, RULES)
    assert [problem.reason.code for problem in found] == ([] if asked <= RULES.most_pence else ["asked_over"])


FACTS = SubmitFacts(has_organisation=True, may_sign=True, opens_at=NOW - timedelta(days=1), closes_at=None, now=NOW)


@pytest.mark.parametrize(("changed", "expected"), [
    ({}, []),
    ({"has_organisation": False, "may_sign": False}, ["who"]),
    ({"may_sign": False}, ["may_sign"]),
    ({"opens_at": NOW + timedelta(seconds=1)}, ["not_open_yet"]),
    ({"closes_at": NOW}, ["closed"]),
    ({"closes_at": NOW + timedelta(microseconds=1)}, []),
    ({"withdrawn": True}, ["withdrawn"]),
])
def test_every_reason_not_to_send_it_is_given(changed, expected):
    assert [reason.code for reason in reasons_not_to_submit(replace(FACTS, **changed), [])] == expected


def test_what_the_answers_need_comes_with_the_other_reasons():
    needed = [Problem("title", Reason("title_missing", "x"))]
    found = reasons_not_to_submit(replace(FACTS, has_organisation=False), needed)
    assert [reason.code for reason in found] == ["who", "title_missing"]


@pytest.mark.parametrize(("facts", "state"), [
    ((False, False, None, True), State.DRAFT), ((False, False, None, False), State.MISSED),
    ((True, False, None, False), State.SUBMITTED), ((True, False, True, True), State.ELIGIBLE),
    ((True, False, False, True), State.INELIGIBLE), ((True, True, None, True), State.WITHDRAWN),
    ((True, True, True, False), State.WITHDRAWN)])
def test_where_it_stands_is_read_from_its_rows(facts, state):
    submitted, withdrawn, eligible, is_open = facts
    assert state_of(submitted=submitted, withdrawn=withdrawn, eligible=eligible, round_is_open=is_open) is state


@pytest.mark.parametrize(("withdrawn", "interest", "applicant", "expected"), [
    (False, False, False, []), (True, False, False, ["withdrawn"]), (False, True, False, ["interest"]),
    (False, False, True, ["interest"])])
def test_an_officer_with_a_tie_does_not_check_it(withdrawn, interest, applicant, expected):
    found = reasons_not_to_check(withdrawn=withdrawn, has_interest=interest, is_applicant=applicant)
    assert [reason.code for reason in found] == expected
