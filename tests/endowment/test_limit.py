"""A year's limit: by the rule that was chosen, never in a deficit, never below the real value of what was given without
two trustees' plan; and the same refusals by the tables themselves."""

import hashlib
import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fund.db import session
from fund.endowment import actions, queries, rules
from fund.endowment.models import LimitProposal, SpendingLimit
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.kernel.ids import new_id
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency import formats
from fund.transparency import queries as public_record
from tests.make.ledger import make_change_of_value, make_holding, make_limit, make_tranche
from tests.make.people import make_staff

APRIL = date(2026, 4, 1)
YEAR = "2026-27"


@pytest.fixture
def low(session):
    """£1,000 given in June 2025 and £20 earned: the rule would give £20, and prices rose by 0.86 %."""
    make_tranche(amount_pence=100_000, received_on=date(2025, 6, 2))
    actions.record_income(SYSTEM, amount_pence=2_000, earned_on=date(2026, 3, 1), source="S", reference="1")
    return session


def trustee() -> Actor:
    return Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id)


def plan_for(year: str = YEAR, *, by: Actor | None = None):
    return actions.propose_recovery_plan(by or trustee(), year, words="Spend less next year.",
                                         back_by=clock.today() + timedelta(days=700))


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def refused_by_the_table(session) -> tuple[str, str]:
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    session.rollback()
    return refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name


def test_a_limit_that_leaves_less_than_what_was_given_in_todays_money_is_refused(low):
    size = public_record.size()
    with pytest.raises(Refused) as refused:
        make_limit(YEAR, set_on=APRIL)
    assert codes(refused) == ["floor"]
    # 1,000.00 · 140.1 / 138.9 = 1,008.64 (rounded up); 1,020.00 − 1,008.64 = 11.36.
    assert "£1,008.64" in str(refused.value)
    assert "£11.36 at most" in str(refused.value)
    assert queries.spending_limits() == []
    assert public_record.size() == size
    limit = make_limit(YEAR, set_on=APRIL, asked_pence=1_136)
    assert (limit.rule_pence, limit.amount_pence, limit.value_pence, limit.floor_pence) == (4_080, 1_136, 102_000,
                                                                                           100_864)


def test_with_two_trustees_plan_it_is_set_and_the_record_names_the_plan(low):
    one, other = trustee(), trustee()
    plan = plan_for(by=one)
    with pytest.raises(Refused) as refused:
        make_limit(YEAR, set_on=APRIL)
    assert codes(refused) == ["floor"]
    with pytest.raises(Refused) as refused:
        actions.confirm_recovery_plan(one, plan.id)
    assert codes(refused) == ["same_trustee"]
    confirmed = actions.confirm_recovery_plan(other, plan.id)
    with pytest.raises(Refused) as refused:
        actions.confirm_recovery_plan(trustee(), plan.id)
    assert codes(refused) == ["plan_confirmed"]
    limit = make_limit(YEAR, set_on=APRIL)
    assert (limit.amount_pence, limit.plan_id) == (2_000, plan.id)
    said = public_record.leaf_by_id(confirmed.leaf_id)
    assert said.kind == "recovery_plan_recorded"
    record = json.loads(said.encoded)["record"]
    assert record["words_sha256"] == hashlib.sha256(b"Spend less next year.").hexdigest()
    assert str(confirmed.leaf_id) in json.loads(public_record.leaf_by_id(limit.entry_id).encoded)["relates_to"]
    low.commit()


def test_a_plan_of_another_year_does_not_help(low):
    actions.confirm_recovery_plan(trustee(), plan_for("2027-28").id)
    with pytest.raises(Refused) as refused:
        make_limit(YEAR, set_on=APRIL)
    assert codes(refused) == ["floor"]


@pytest.mark.parametrize(("asked", "code"), [(0, "nothing"), (-1, "nothing"), (4_081, "over_rule"),
                                              (10**18, "over_rule")])
def test_trustees_may_ask_for_less_and_never_for_more(low, asked, code):
    with pytest.raises(Refused) as refused:
        make_limit(YEAR, set_on=APRIL, asked_pence=asked)
    assert codes(refused)[0] == code
    assert queries.spending_limits() == []


@pytest.mark.parametrize(("set_on", "code"), [(date(2026, 3, 30), "too_early"), (date(2027, 4, 1), "other_year")])
def test_a_limit_is_set_when_the_year_before_has_ended_and_before_its_own_has(low, set_on, code):
    with pytest.raises(Refused) as refused:
        make_limit(YEAR, set_on=set_on, asked_pence=1)
    assert code in codes(refused)
    for day in (date(2026, 3, 31), date(2027, 3, 31)):
        facts = queries.limit_facts(YEAR, day, 1)
        assert {reason.code for reason in rules.reasons_not_to_set_limit(facts)} <= {"floor"}


def test_what_a_limit_was_worked_out_from_stands_in_its_leaf_and_gives_it_again(low):
    actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={"rate": 100})
    limit = make_limit(YEAR, set_on=APRIL)
    params = json.loads(public_record.leaf_by_id(limit.entry_id).encoded)["params"]
    hashed = params.pop("inputs_sha256")
    assert hashlib.sha256(formats.canonical(params)).hexdigest() == hashed == limit.inputs_sha256.hex()
    again = rules.recomputed(params)
    assert (again.rule_pence, again.floor_pence, again.amount_pence) == (
        limit.rule_pence, limit.floor_pence, limit.amount_pence) == (1_020, 100_864, 1_020)
    assert params["gifts"] == [["2025-06", "100000", 1389]]
    assert params["index"] == {"series": rules.SERIES, "month": "2026-02", "tenths": 1401}


def test_the_year_before_and_prices_count_in_the_next_limit(low):
    actions.choose_rule(SYSTEM, YEAR, rule="weighted_hybrid", parameters={"rate": 100})
    first = make_limit(YEAR, set_on=APRIL)
    actions.record_income(SYSTEM, amount_pence=9_000, earned_on=date(2027, 3, 1), source="S", reference="2")
    facts = queries.limit_facts("2027-28", date(2027, 4, 1))
    assert facts.inputs.previous_pence == first.amount_pence == 1_020
    assert (facts.inputs.now_tenths, facts.inputs.then_tenths) == (1424, 1384)
    # 0.7 · 1,020 · 142.4/138.4 + 0.3 · 1 % · 109,980 = 1,064.57…
    assert facts.rule_pence == 1_064


def test_a_rule_is_chosen_in_public_and_counts_until_another_is(session):
    assert queries.rule_for(YEAR) == rules.DEFAULT_CHOICE
    row = actions.choose_rule(trustee(), "2026-27", rule="yale", parameters={"rate": 450})
    actions.choose_rule(trustee(), "2027-28", rule="banded_inflation", parameters={})
    actions.choose_rule(trustee(), "2027-28", rule="weighted_hybrid", parameters={})
    assert [queries.rule_for(year).rule.name for year in ("2025-26", "2026-27", "2027-28", "2040-41")] == [
        "rolling_average", "yale", "weighted_hybrid", "weighted_hybrid"]
    record = json.loads(public_record.leaf_by_id(row.leaf_id).encoded)["record"]
    assert record == {"financial_year": "2026-27", "rule": "yale", "rule_version": 1, "capacity": "trustee",
                      "parameters": {"rate": 450, "weight": 8_000, "low": 400, "high": 650}}
    session.commit()


def test_a_rule_that_is_chosen_twice_is_one_record(session):
    first = actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={"rate": 450})
    size = public_record.size()
    assert actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={"rate": 450}).id == first.id
    assert public_record.size() == size
    assert actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={"rate": 440}).id != first.id
    assert actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={"rate": 450}).id != first.id


def test_no_rule_is_chosen_for_a_year_whose_limit_is_set(low):
    make_limit(YEAR, set_on=APRIL, asked_pence=1)
    with pytest.raises(Refused) as refused:
        actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={})
    assert codes(refused) == ["limit_set"]
    with pytest.raises(Refused) as refused:
        plan_for()
    assert codes(refused) == ["limit_set"]


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.CHAIR])
def test_only_trustees_choose_and_plan(session, capacity):
    actor = Actor(capacity, new_id())
    with pytest.raises(Forbidden):
        actions.choose_rule(actor, YEAR, rule="yale", parameters={})
    with pytest.raises(Forbidden):
        actions.propose_recovery_plan(actor, YEAR, words="x", back_by=date(2030, 1, 1))
    with pytest.raises(Forbidden):
        actions.confirm_recovery_plan(actor, new_id())


def test_the_system_writes_no_plan(session):
    with pytest.raises(Forbidden):
        plan_for(by=SYSTEM)


@pytest.mark.parametrize(("year", "words", "back_by", "field"), [
    ("next", "x", date(2090, 1, 1), "financial_year"), (YEAR, " ", date(2090, 1, 1), "words"),
    (YEAR, "x" * 2_001, date(2090, 1, 1), "words"), (YEAR, "x", date(2020, 1, 1), "back_by")])
def test_a_plan_that_makes_no_sense_names_its_field(session, year, words, back_by, field):
    with pytest.raises(BadInput) as refused:
        actions.propose_recovery_plan(trustee(), year, words=words, back_by=back_by)
    assert refused.value.field == field


def test_a_plan_that_is_not_there_is_not_confirmed(session):
    with pytest.raises(NotFound):
        actions.confirm_recovery_plan(trustee(), new_id())


# Round the actions, with SQL: the tables themselves refuse.


def row(**other) -> SpendingLimit:
    """A limit as the action would write it for `low`, but for what is given."""
    values = {"id": new_id(), "financial_year": YEAR, "rule": "rolling_average", "rule_version": 1,
              "rate_basis_points": 400, "parameters": {"rate": 400}, "cost_ceiling_basis_points": 1_000, "inputs": {},
              "inputs_sha256": b"x" * 32, "rule_pence": 4_080, "amount_pence": 1_136, "value_pence": 102_000,
              "floor_pence": 100_864, "plan_id": None, "set_on": APRIL, "entry_id": new_id()}
    proposal = LimitProposal(id=new_id(), financial_year=YEAR, set_on=APRIL, amount_pence=1_136, inputs={},
                             inputs_sha256=b"x" * 32, cost_ceiling_basis_points=1_000, proposed_by=trustee().person_id)
    session.add(proposal)
    session.flush()
    return SpendingLimit(**{**values, "proposal_id": proposal.id, "confirmed_by": trustee().person_id, **other})


@pytest.mark.parametrize(("other", "constraint"), [
    ({"amount_pence": 1_137}, "limit_keeps_real_value"),
    ({"value_pence": 200_000}, "limit_says_its_value"),
    ({"value_pence": None}, "limit_says_its_value"),
    ({"floor_pence": None}, "ck_spending_limit_shows_its_floor"),
    ({"floor_pence": -1}, "ck_spending_limit_floor"),
    ({"inputs_sha256": None}, "ck_spending_limit_shows_its_floor"),
    ({"inputs_sha256": b"short"}, "ck_spending_limit_hash"),
    ({"amount_pence": 0}, "ck_spending_limit_amount"),
    ({"set_on": date(2026, 3, 30)}, "ck_spending_limit_in_its_year"),
    ({"set_on": date(2027, 4, 1)}, "ck_spending_limit_in_its_year"),
])
def test_the_table_refuses_a_limit_that_does_not_keep_its_floor(low, other, constraint):
    low.add(row(**other))
    assert refused_by_the_table(low) == ("23514", constraint)


def test_the_table_takes_a_limit_that_keeps_it(behind_their_backs, low):
    low.add(row())
    low.flush()


@pytest.mark.parametrize("year", ["1950-51", "2025-26", "2028-29", "9999-00"])
def test_a_rule_or_a_plan_is_for_this_year_or_the_next(low, year):
    for act in (lambda: actions.choose_rule(SYSTEM, year, rule="yale", parameters={}), lambda: plan_for(year)):
        with pytest.raises(Refused) as refused:
            act()
        assert [reason.code for reason in refused.value.reasons] == ["far_year"]


def test_no_limit_is_worked_out_for_a_day_that_has_not_come(low):
    with pytest.raises(Refused) as refused:
        actions.propose_spending_limit(trustee(), "2027-28", set_on=date(2027, 4, 1))
    assert "not_yet" in {reason.code for reason in refused.value.reasons}


def test_the_table_refuses_another_rule_than_the_one_chosen(low):
    actions.choose_rule(SYSTEM, YEAR, rule="yale", parameters={})
    low.add(row())
    assert refused_by_the_table(low) == ("23514", "limit_follows_choice")


def test_the_table_refuses_a_plan_that_one_trustee_confirmed_alone(low):
    one = trustee()
    plan = plan_for(by=one)
    low.flush()
    with pytest.raises(IntegrityError) as refused:
        low.execute(sa.text("INSERT INTO recovery_plan_confirmation (plan_id, confirmed_by, leaf_id) "
                            "VALUES (:plan, :who, gen_random_uuid())"), {"plan": plan.id, "who": one.person_id})
    assert refused.value.orig.diag.constraint_name == "ck_plan_two_trustees"


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.APPROVER])
def test_the_table_refuses_a_plan_by_somebody_who_is_no_trustee(low, capacity):
    who = make_staff(capacity).id
    plan = plan_for()
    low.commit()
    for statement in ("INSERT INTO recovery_plan (id, financial_year, words, back_by, proposed_by) "
                      "VALUES (gen_random_uuid(), '2026-27', 'x', '2030-01-01', :who)",
                      "INSERT INTO recovery_plan_confirmation (plan_id, confirmed_by, leaf_id) "
                      "VALUES (:plan, :who, gen_random_uuid())"):
        with pytest.raises(IntegrityError) as refused:
            low.execute(sa.text(statement), {"who": who, "plan": plan.id})
        assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", "ck_plan_by_trustee")
        low.rollback()


def test_the_table_refuses_a_choice_after_the_limit_and_any_change(low):
    make_limit(YEAR, set_on=APRIL, asked_pence=1)
    chosen = actions.choose_rule(SYSTEM, "2027-28", rule="yale", parameters={})
    low.commit()
    for statement, constraint in (
            ("INSERT INTO spending_rule_choice (id, financial_year, rule, rule_version, parameters, leaf_id) VALUES "
             "(gen_random_uuid(), '2026-27', 'yale', 1, '{}', gen_random_uuid())", "rule_before_limit"),
            ("UPDATE spending_rule_choice SET rule = 'x'", None), ("DELETE FROM spending_rule_choice", None)):
        with pytest.raises(sa.exc.DBAPIError) as refused:
            low.execute(sa.text(statement))
        assert refused.value.orig.diag.constraint_name == constraint
        assert refused.value.orig.sqlstate in {"23514", "42501"}
        low.rollback()
    assert chosen.rule == "yale"


def test_no_limit_is_posted_while_a_deficit_stands(session):
    make_tranche(amount_pence=1_000, received_on=date(2026, 3, 1))
    make_holding(1_000, APRIL)
    make_change_of_value(-1, APRIL)
    ledger.open_account(accounts.drawdown_limit(YEAR), name="x")
    with pytest.raises(Refused) as refused:
        ledger.post("spending_rule_set", accounts.spending_rule_set(1, YEAR), effective_on=APRIL, idem_key="x")
    assert codes(refused) == ["no_limit_in_deficit"]


def test_capital_has_no_way_out_but_the_mirror_of_its_entry(session):
    tranche = make_tranche(amount_pence=1_000, received_on=APRIL)
    ledger.open_account(accounts.drawdown_limit(YEAR), name="x")
    session.commit()
    for kind in ("spending_rule_set", "drawdown", "trade", "operating_cost", "revaluation_loss", "reclaim_paid"):
        for credit in ("1000", "3100", "3150/2026-27", "3200", "1100"):
            with pytest.raises(Refused) as refused:
                ledger.post(kind, [accounts.Line("3000", credit, 1)], effective_on=APRIL, idem_key=f"{kind}{credit}")
            assert codes(refused)[0] in {"fk_transfer_rule", "ck_transfer_capital"}
            session.rollback()
    ledger.reverse(tranche.entry_id, effective_on=APRIL, idem_key="mistake")
    assert balances.balance_of("3000").posted_pence == 0
    assert balances.capital_by_day(APRIL) == [(APRIL, 0)]
    assert queries.limit_facts(YEAR, APRIL).gifts == []
    session.commit()


def test_no_limit_is_set_for_a_year_before_one_that_has_one(low):
    actions.choose_rule(SYSTEM, YEAR, rule="weighted_hybrid", parameters={"rate": 100})
    make_limit(YEAR, set_on=APRIL)
    with pytest.raises(Refused) as refused:
        actions.propose_spending_limit(trustee(), "2025-26", set_on=date(2026, 3, 31))
    assert "in_turn" in {reason.code for reason in refused.value.reasons}
