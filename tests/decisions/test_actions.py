"""Closing a sitting: the rule, nothing but the rule, and only by those whose sitting it is."""

from fund.decisions import queries, rules
from tests.make import decisions as make


def test_an_application_travels_from_the_panel_to_its_decision(session, sql):
    made = make.make_decided_application()
    assert made.decision.outcome == "awarded"
    assert made.decision.amount_pence == 48_000
    assert made.decision.score_tenths == 800
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert [d.id for d in queries.decisions_not_taken_up(made.sitting_id)] == [made.decision.id]
    data = queries.open_data(made.sitting_id)
    assert rules.recompute(data) == data["decisions"]


def test_one_that_scores_below_the_threshold_is_declined(session, sql):
    made = make.make_decided_application(outcome="declined")
    assert made.decision.amount_pence == 0
    assert queries.decisions_not_taken_up(made.sitting_id) == []
