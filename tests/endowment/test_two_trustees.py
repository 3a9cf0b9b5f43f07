"""A year's limit takes two trustees: one proposes, another confirms the same figures; and the tables ask for both."""

import hashlib
import json
import uuid
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fund.db import refusal
from fund.endowment import actions, queries
from fund.endowment.models import LimitProposal, SpendingLimit
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.kernel.ids import new_id
from fund.people import actions as people
from fund.transparency import actions as record
from fund.transparency import queries as public_record
from tests.make.ledger import make_tranche, make_trustee

APRIL, YEAR = date(2026, 4, 1), "2026-27"


@pytest.fixture
def fund(session):
    """£1,000 given and £50 earned: the rule gives £42."""
    make_tranche(amount_pence=100_000, received_on=APRIL)
    actions.record_income(SYSTEM, amount_pence=5_000, earned_on=APRIL, source="S", reference="1")
    return session


def propose(by=None, **more):
    return actions.propose_spending_limit(by or make_trustee(), YEAR, **{"set_on": APRIL, **more})


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def test_two_trustees_set_a_limit_and_its_leaf_commits_to_both_and_names_neither(fund):
    one, other = make_trustee(), make_trustee()
    proposal = propose(one)
    assert queries.spending_limits() == []
    limit = actions.confirm_spending_limit(other, proposal.id)
    assert (limit.amount_pence, limit.proposal_id, limit.confirmed_by) == (4_200, proposal.id, other.person_id)
    encoded = public_record.leaf_by_id(limit.entry_id).encoded
    approved = json.loads(encoded)["approved_by"]
    opened = fund.execute(sa.text("SELECT field, salt, pointer FROM log.commitment WHERE leaf_id = :id ORDER BY field"),
                          {"id": limit.entry_id}).all()
    assert [row.pointer for row in opened] == [str(one.person_id), str(other.person_id)]
    assert [f"sha256:{hashlib.sha256(row.salt + row.pointer.encode()).hexdigest()}" for row in opened] == approved
    assert all(str(who.person_id).encode() not in encoded for who in (one, other))
    assert queries.check()[1] == []
    # Erased, it can no longer be opened, and the leaf is what it was.
    assert record.erase(str(one.person_id)) == 1
    assert public_record.leaf_by_id(limit.entry_id).encoded == encoded


def test_nobody_confirms_their_own_and_the_system_neither_proposes_nor_confirms(fund):
    one = make_trustee()
    proposal = propose(one)
    with pytest.raises(Refused) as refused:
        actions.confirm_spending_limit(one, proposal.id)
    assert codes(refused) == ["same_trustee"]
    for act in (lambda: propose(SYSTEM), lambda: actions.confirm_spending_limit(SYSTEM, proposal.id)):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(NotFound):
        actions.confirm_spending_limit(one, new_id())


def test_the_same_proposal_again_is_the_one_that_stands(fund):
    one = make_trustee()
    first = propose(one)
    assert propose(one).id == first.id
    assert propose(one, asked_pence=7).id != first.id
    assert propose(make_trustee()).id != first.id
    assert fund.scalar(sa.text("SELECT count(*) FROM limit_proposal")) == 3


def income() -> None:
    actions.record_income(SYSTEM, amount_pence=1, earned_on=APRIL, source="S", reference="2")


@pytest.mark.parametrize("change", [
    income, lambda: make_tranche(amount_pence=1, received_on=APRIL),
    lambda: actions.choose_rule(SYSTEM, YEAR, rule="rolling_average", parameters={"rate": 401}),
    lambda: actions.record_price(SYSTEM, month=date(2026, 6, 1), tenths=1_500, source="ONS") and make_tranche(
        amount_pence=100_000, received_on=date(2026, 2, 1))], ids=["income", "gift", "rule", "older gift"])
def test_a_proposal_lapses_when_anything_that_it_was_worked_out_from_changes(fund, change):
    proposal = propose()
    change()
    with pytest.raises(Refused) as refused:
        actions.confirm_spending_limit(make_trustee(), proposal.id)
    assert codes(refused) == ["lapsed"]
    assert queries.spending_limits() == []
    limit = actions.confirm_spending_limit(make_trustee(), propose().id)
    assert limit.proposal_id != proposal.id


def test_a_trustee_who_stepped_down_proposed_for_nothing(fund):
    one = make_trustee()
    proposal = propose(one)
    people.end_capacity(SYSTEM, one.person_id)
    with pytest.raises(Refused) as refused:
        actions.confirm_spending_limit(make_trustee(), proposal.id)
    assert codes(refused) == ["no_trustee"]


def test_a_year_that_has_its_limit_takes_no_other_proposal_and_no_other_word(fund):
    first, second = propose(), propose(asked_pence=9)
    with pytest.raises(Refused) as refused:
        actions.confirm_spending_limit(make_trustee(), first.id)
    assert codes(refused) == ["replaced"]
    actions.confirm_spending_limit(make_trustee(), second.id)
    for act in (propose, lambda: actions.confirm_spending_limit(make_trustee(), first.id)):
        with pytest.raises(Refused) as refused:
            act()
        assert codes(refused)[0] == "limit_set"


@pytest.mark.parametrize(("given", "error"), [({"asked_pence": 0}, Refused), ({"asked_pence": 4_201}, Refused),
                                               ({"set_on": date(2026, 3, 30)}, Refused)])
def test_a_proposal_that_could_not_be_a_limit_is_none(fund, given, error):
    with pytest.raises(error):
        propose(**given)
    with pytest.raises(BadInput):
        actions.propose_spending_limit(make_trustee(), "2026-28", set_on=APRIL)
    assert queries.proposed_limits() == {}


# Round the actions, with SQL: the tables themselves refuse.


def row_of(proposal, **other) -> SpendingLimit:
    """The limit as the action would write it, but for what is given."""
    said = proposal.inputs
    return SpendingLimit(**{
        "id": new_id(), "financial_year": YEAR, "rule": said["rule"], "rule_version": 1, "rate_basis_points": 400,
        "parameters": said["parameters"], "cost_ceiling_basis_points": 1_000, "inputs": said,
        "inputs_sha256": proposal.inputs_sha256, "rule_pence": 4_200, "amount_pence": proposal.amount_pence,
        "value_pence": 105_000, "floor_pence": int(said["floor_pence"]), "plan_id": None, "set_on": APRIL,
        "entry_id": new_id(), "proposal_id": proposal.id, "confirmed_by": make_trustee().person_id, **other})


@pytest.mark.parametrize(("other", "constraint"), [
    ({"amount_pence": 4_199}, "limit_as_proposed"), ({"inputs_sha256": b"y" * 32}, "limit_as_proposed"),
    ({"inputs": {}}, "limit_as_proposed"), ({"cost_ceiling_basis_points": 3_000}, "limit_as_proposed"),
    ({"set_on": date(2026, 4, 2)}, "limit_as_proposed"), ({"proposal_id": None}, "ck_spending_limit_proposed"),
    ({"confirmed_by": None}, "ck_spending_limit_proposed"), ({"confirmed_by": uuid.UUID(int=1)}, "ck_limit_by_trustee"),
    ({"proposal_id": None, "confirmed_by": None}, "ck_spending_limit_proposed")])
def test_the_table_refuses_a_limit_that_is_not_as_two_trustees_said(fund, other, constraint):
    fund.add(row_of(propose(), **other))
    with pytest.raises(IntegrityError) as refused:
        fund.flush()
    assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", constraint)


def test_the_table_refuses_a_limit_of_one_trustee_and_of_one_who_stepped_down(fund):
    for change, constraint in ((lambda p: {"confirmed_by": p.proposed_by}, "ck_limit_two_trustees"),
                               (lambda p: people.end_capacity(SYSTEM, p.proposed_by) or {}, "ck_limit_by_trustee")):
        proposal = propose()
        fund.commit()
        fund.add(row_of(proposal, **change(proposal)))
        with pytest.raises(IntegrityError) as refused:
            fund.flush()
        assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", constraint)
        fund.rollback()


def test_a_proposal_is_used_once_is_a_trustees_and_stays(fund):
    proposal = propose()
    fund.commit()
    fund.add(LimitProposal(id=new_id(), financial_year=YEAR, set_on=APRIL, amount_pence=1, inputs={},
                           cost_ceiling_basis_points=1, inputs_sha256=b"x" * 32, proposed_by=uuid.UUID(int=1)))
    with pytest.raises(IntegrityError) as refused:
        fund.flush()
    assert refused.value.orig.diag.constraint_name == "ck_limit_by_trustee"
    fund.rollback()
    for statement in ("UPDATE limit_proposal SET amount_pence = 1", "DELETE FROM limit_proposal",
                      "TRUNCATE limit_proposal"):
        with pytest.raises(sa.exc.DBAPIError):
            fund.execute(sa.text(statement))
        fund.rollback()
    actions.confirm_spending_limit(make_trustee(), proposal.id)
    fund.commit()
    with pytest.raises(IntegrityError) as refused:
        fund.execute(sa.text(
            "INSERT INTO limit_proposal SELECT gen_random_uuid(), financial_year, set_on, asked_pence, amount_pence, "
            "cost_ceiling_basis_points, inputs, inputs_sha256, proposed_by, proposed_at FROM limit_proposal"))
    assert refused.value.orig.diag.constraint_name == "rule_before_limit"


def test_the_ceiling_of_running_costs_is_the_table_s_too(fund):
    """£42 may be spent, and a tenth of it on running costs: of £4, ten pence more is refused however it is asked."""
    limit = actions.confirm_spending_limit(make_trustee(), propose().id)
    actions.draw_down(SYSTEM, amount_pence=4_200, financial_year=YEAR, drawn_on=APRIL, reference="d")
    actions.budget_running_costs(SYSTEM, amount_pence=400, financial_year=YEAR, set_on=APRIL, reference="r")
    with pytest.raises(Refused) as refused:
        actions.budget_running_costs(SYSTEM, amount_pence=30, financial_year=YEAR, set_on=APRIL, reference="s")
    assert codes(refused) == ["over_ceiling"]
    row = {"id": new_id(), "year": YEAR, "pence": 30, "day": APRIL, "entry": limit.entry_id}
    add = sa.text("INSERT INTO running_cost_budget (id, financial_year, amount_pence, set_on, reference, entry_id) "
                  "VALUES (:id, :year, :pence, :day, 'by hand', :entry)")
    with pytest.raises(IntegrityError) as by_hand, fund.begin_nested():
        fund.execute(add, row)
    assert refusal(by_hand.value) == ("23514", "within_the_ceiling")
    inner = fund.begin_nested()
    fund.execute(add, {**row, "pence": 20})
    inner.rollback()
