"""What a round may say, and everything that it may not."""

from datetime import UTC, datetime, timedelta

import pytest

from fund.rounds.rules import USUAL_CRITERIA, CriterionText, RoundRules, reasons_not_to_publish

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def codes(rules=None, criteria=USUAL_CRITERIA, title="Small grants", opens_at=NOW, closes_at=None):
    return [reason.code for reason in reasons_not_to_publish(rules or RoundRules(), criteria, title=title,
                                                             opens_at=opens_at, closes_at=closes_at)]


def test_the_usual_rules_and_criteria_can_be_published():
    assert codes() == []
    assert codes(closes_at=NOW + timedelta(days=30)) == []


@pytest.mark.parametrize(("rules", "code"), [
    ({"readers": 2}, "readers"), ({"quorum": 4}, "quorum"), ({"readers": 7, "quorum": 6}, "quorum"),
    ({"threshold": 101}, "threshold"), ({"threshold": -1}, "threshold"), ({"scoring_days": 0}, "days"),
    ({"lapse_days": 6}, "days"), ({"check_days": 31}, "days"), ({"most_pence": 0}, "amounts"),
    ({"up_front_below_pence": -1}, "amounts"), ({"stage_shares": ()}, "stages"),
    ({"stage_shares": (60, 50)}, "stages"), ({"stage_shares": (101, -1)}, "stages"),
])
def test_rules_outside_their_bounds_are_refused_with_their_reason(rules, code):
    assert codes(RoundRules(**rules)) == [code]


@pytest.mark.parametrize(("criteria", "code"), [
    ([], "weights"),
    ([CriterionText("a", "a?", 60), CriterionText("b", "b?", 39)], "weights"),
    ([CriterionText("a", "a?", 101), CriterionText("b", "b?", -1)], "weights"),
    ([CriterionText("a", "a?", 50), CriterionText(" A", "b?", 50)], "names"),
    ([CriterionText("a", " ", 100)], "names"),
])
def test_criteria_that_do_not_add_up_are_refused(criteria, code):
    assert codes(criteria=criteria) == [code]


def test_a_round_that_closes_before_it_opens_and_has_no_title_is_refused_with_both_reasons():
    assert codes(title=" x ", closes_at=NOW) == ["title", "dates"]


def test_rules_come_back_from_json_as_they_were():
    rules = RoundRules(readers=4, stage_shares=(75, 25))
    assert RoundRules.from_json(rules.as_json()) == rules
