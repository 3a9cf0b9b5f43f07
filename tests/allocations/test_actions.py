"""Sharing out, delegating and never taking back, in a real database."""

import uuid

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from fund.allocations import queries, rules
from fund.allocations.actions import allocate_for_rehearsal, run_allocation
from fund.db import refusal
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import Forbidden, Refused
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.neighbourhoods import queries as places
from fund.neighbourhoods.actions import open_neighbourhood
from tests.make.allocations import make_allocation_run
from tests.make.ledger import make_funded_endowment
from tests.make.neighbourhoods import load_facts


def test_a_run_sets_the_pot_aside_to_the_penny_in_the_ledger(session):
    run = make_allocation_run()
    shares = queries.shares_of_run(run.id)
    assert len(shares) == 10
    assert sum(share.amount_pence for share in shares) == 50_000_000
    assert all(share.amount_pence > 2_000_000 for share in shares)
    for share in shares:
        assert balances.available_pence(f"4000/{share.code}") == share.amount_pence
        assert queries.set_aside(share.neighbourhood_id) == queries.SetAside(
            share.amount_pence, share.amount_pence, share.residents, run.term_to)
    assert balances.available_pence("3200") == 0


def test_the_rule_is_published_with_all_that_the_run_worked_from(session, sql):
    run = make_allocation_run()
    (record,) = sql("SELECT convert_from(bytes, 'UTF8')::jsonb -> 'record' FROM log.leaf WHERE id = :id",
                    id=run.leaf_id).scalars()
    assert (record["pot_pence"], record["floor_pence"], record["places"]) == ("50000000", "2000000", 10)
    assert record["rule"] == "need-2026"
    assert record["text"] == rules.RULE_TEXT
    assert record["inputs_sha256"] == run.inputs_sha256.hex()
    assert record["need_versions"] == {"imd": "2025", "residents": "2021", "bounds": "places-2025"}


def test_the_published_inputs_give_the_same_shares_again(session):
    run = make_allocation_run()
    shares = queries.shares_of_run(run.id)
    needs = [rules.PlaceNeed(share.neighbourhood_id, share.code, share.residents, share.weight) for share in shares]
    assert rules.inputs_sha256(run.pot_pence, needs, run.floor_pence) == run.inputs_sha256
    again = {share.place.code: share.amount_pence
             for share in rules.allocate(run.pot_pence, needs, run.floor_pence)}
    assert again == {share.code: share.amount_pence for share in shares}


def test_the_same_run_again_is_the_run_that_stands_and_another_is_refused(session):
    run = make_allocation_run()
    assert make_allocation_run(funded=False).id == run.id
    with pytest.raises(Refused) as refused:
        make_allocation_run(funded=False, pot_pence=40_000_000)
    assert [reason.code for reason in refused.value.reasons] == ["run_before"]


def test_more_than_can_be_spent_is_refused_and_nothing_is_written(session, sql):
    make_funded_endowment(spendable_pence=1_000_000)
    load_facts()
    with pytest.raises(Refused, match="The pot is £20,000, and £10,000 can be spent"):
        run_allocation(SYSTEM, pot_pence=2_000_000, financial_year="2026-27", on=clock.today())
    assert sql("SELECT count(*) FROM allocation_run").scalar() == 0


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.APPROVER, Capacity.CHAIR, Capacity.APPLICANT])
def test_only_trustees_may_have_a_pot_shared_out(session, capacity):
    with pytest.raises(Forbidden):
        run_allocation(Actor(capacity, uuid.uuid4()), pot_pence=1, financial_year="2026-27", on=clock.today())


def test_a_rehearsal_gives_each_place_exactly_what_follows(session):
    make_funded_endowment(spendable_pence=1_000_000)
    load_facts()
    wanted = {"E05014834": 123_457, "E05014152": 1}
    run = allocate_for_rehearsal(SYSTEM, financial_year="2026-27", on=clock.today(), needs=[
        rules.PlaceNeed(places.neighbourhood_by_code(code).id, code, 1, pence) for code, pence in wanted.items()])
    assert {share.code: share.amount_pence for share in queries.shares_of_run(run.id)} == wanted


def test_a_delegated_share_cannot_be_taken_back_by_mirroring_its_entry(session):
    run = make_allocation_run()
    share = queries.shares_of_run(run.id)[0]
    with pytest.raises(Refused) as refused:
        ledger.reverse(share.entry_id, effective_on=clock.today(), idem_key="take it back")
    assert [reason.code for reason in refused.value.reasons] == ["allocation_stands_for_its_term"]
    assert state_of(refused.value) == "23001"


def test_not_by_a_reversal_dated_after_the_term_either(session):
    run = make_allocation_run()
    share = queries.shares_of_run(run.id)[0]
    with pytest.raises(Refused) as refused:
        ledger.reverse(share.entry_id, effective_on=run.term_to, idem_key="take it back later")
    assert state_of(refused.value) == "23001"


def state_of(refused):
    """The SQLSTATE with which the database itself refused."""
    return refused.__cause__.sqlstate


@pytest.mark.parametrize("statement", [
    "UPDATE allocation SET amount_pence = 1", "DELETE FROM allocation", "UPDATE allocation SET term_to = current_date",
    "UPDATE allocation_run SET pot_pence = 1", "DELETE FROM allocation_run", "TRUNCATE allocation"])
def test_the_application_cannot_lower_or_remove_a_share(session, sql, statement):
    make_allocation_run()
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        sql(statement)
    assert refusal(refused.value)[0] == "42501"


@pytest.mark.parametrize("statement", [
    "TRUNCATE allocation", "TRUNCATE allocation_run CASCADE"])
def test_nor_can_the_owner(owner, statement):
    with pytest.raises(psycopg.Error) as refused:
        owner.execute(statement)
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("23001", "append_only")


def copy_of_run(sql, run, **changed):
    values = {"pot": run.pot_pence, "term_to": run.term_to, "id": uuid.uuid4(), "of": run.id, "floor": run.floor_pence}
    sql("INSERT INTO allocation_run (id, financial_year, rule_version, pot_pence, floor_pence, tie_order, "
        "need_versions, inputs_sha256, term_from, term_to, leaf_id) SELECT :id, '2030-31', rule_version, :pot, :floor, "
        "tie_order, need_versions, inputs_sha256, term_from, :term_to, leaf_id FROM allocation_run WHERE id = :of",
        **(values | changed))
    return values["id"]


def test_a_run_whose_shares_are_not_its_pot_is_refused(session, sql):
    run = make_allocation_run()
    copy_of_run(sql, run)
    with pytest.raises(DBAPIError) as refused:
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal(refused.value) == ("23514", "allocations_sum_to_pot")


def test_a_term_shorter_than_ten_years_is_refused(session, sql):
    run = make_allocation_run()
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        copy_of_run(sql, run, term_to=run.term_to.replace(year=run.term_to.year - 1))
    assert refusal(refused.value) == ("23514", "ck_allocation_run_term")


@pytest.mark.parametrize(("change", "constraint"), [
    ({"amount": 1}, "ck_allocation_floor"), ({"term": "2027-01-01"}, "fk_allocation_run"),
    ({"floor": 0}, "fk_allocation_run"), ({"code": "E05014834"}, "uq_allocation_place")])
def test_a_share_beside_the_rule_is_refused_by_its_table(session, sql, change, constraint):
    run = make_allocation_run()
    open_neighbourhood(SYSTEM, "E08000001", bounds=None)
    values = {"amount": 5_000_000, "term": run.term_to.isoformat(), "floor": run.floor_pence,
              "code": "E08000001"} | change
    with pytest.raises(DBAPIError) as refused, session.begin_nested():
        sql("INSERT INTO allocation (id, run_id, neighbourhood_id, residents, weight, floor_pence, amount_pence, "
            "term_to, entry_id) SELECT gen_random_uuid(), :run, n.id, 1, 1, :floor, :amount, CAST(:term AS date), "
            "gen_random_uuid() FROM neighbourhood n WHERE n.code = :code", run=run.id, **values)
    assert refusal(refused.value)[1] == constraint
