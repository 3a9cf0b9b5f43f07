"""What waits for a second trustee can be taken back or turned down; then nobody agrees to it, in the tables neither."""

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.endowment import actions, queries
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import Forbidden, NotFound, Refused
from fund.kernel.ids import new_id
from tests.make.ledger import make_tranche, make_trustee
from tests.make.people import make_staff

APRIL, YEAR = date(2026, 4, 1), "2026-27"


@pytest.fixture
def fund(session):
    """£1,000 given, £50 earned, and a reserve for owners that is on."""
    actions.switch_reserve(SYSTEM, is_on=True)
    make_tranche(amount_pence=100_000, received_on=APRIL)
    actions.record_income(SYSTEM, amount_pence=5_000, earned_on=APRIL, source="S", reference="1")
    return session


def limit(by):
    return actions.propose_spending_limit(by, YEAR, set_on=APRIL).id


def plan(by):
    return actions.propose_recovery_plan(by, YEAR, words="Spend less.", back_by=date(2030, 1, 1)).id


def change(by):
    return actions.propose_reserve_change(by, kind="top_up", amount_pence=9).id


EACH = pytest.mark.parametrize(("kind", "propose", "agree", "page"), [
    ("limit", limit, actions.confirm_spending_limit, "/trustees/limits/{}"),
    ("plan", plan, actions.confirm_recovery_plan, "/trustees/plans/{}"),
    ("reserve", change, actions.approve_reserve_change, "/trustees/reserve/{}")])


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def waiting(who) -> list[str]:
    return [one.endpoint for one in queries.waiting_for(who.person_id, {Capacity.TRUSTEE})]


@EACH
@pytest.mark.parametrize("own", [True, False])
def test_what_ended_is_agreed_to_by_nobody_and_can_be_proposed_again(fund, kind, propose, agree, page, own):
    one, other = make_trustee(), make_trustee()
    before = waiting(other)
    first = propose(one)
    assert waiting(other) != before
    for _twice in range(2):
        actions.end_proposal(one if own else other, kind, first)
    assert waiting(other) == before
    with pytest.raises(Refused) as refused:  # whoever comes second hears what became of it
        actions.end_proposal(other if own else one, kind, first)
    assert codes(refused) == ["ended"]
    with pytest.raises(Refused) as refused:
        agree(other, first)
    assert codes(refused) == ["ended"]
    again = propose(one)
    assert again != first
    agree(other, again)
    assert fund.scalar(sa.text("SELECT count(*) FROM proposal_end")) == 1
    assert fund.execute(sa.text("SELECT verb, subject_id FROM act WHERE verb = 'end_proposal'")).all() == [
        ("end_proposal", first)]


@EACH
def test_what_two_agreed_to_does_not_end(fund, kind, propose, agree, page):
    one, other = make_trustee(), make_trustee()
    proposal = propose(one)
    agree(other, proposal)
    for who in (one, other):
        with pytest.raises(Refused) as refused:
            actions.end_proposal(who, kind, proposal)
        assert codes(refused) == ["agreed"]


def test_who_is_no_trustee_ends_nothing_and_nothing_ends_nothing(fund):
    proposal = change(make_trustee())
    for actor in (SYSTEM, Actor(Capacity.OFFICER, make_staff(Capacity.OFFICER).id)):
        with pytest.raises(Forbidden):
            actions.end_proposal(actor, "reserve", proposal)
    with pytest.raises(NotFound):
        actions.end_proposal(make_trustee(), "reserve", new_id())


def test_an_older_limit_does_not_come_back_with_the_end_of_the_newest(fund):
    one, other = make_trustee(), make_trustee()
    older = limit(one)
    newest = actions.propose_spending_limit(one, YEAR, set_on=APRIL, asked_pence=7).id
    actions.end_proposal(one, "limit", newest)
    assert queries.proposed_limits() == {}
    with pytest.raises(Refused) as refused:
        actions.confirm_spending_limit(other, older)
    assert codes(refused) == ["replaced"]
    again = limit(one)  # the same figures as the first
    assert queries.proposed_limits()[YEAR].id == again != older
    actions.confirm_spending_limit(other, again)


def test_figures_that_were_replaced_by_another_trustees_can_be_proposed_again(fund):
    one, other = make_trustee(), make_trustee()
    first, second = limit(one), limit(other)
    assert limit(other) == second  # a button pressed twice
    third = limit(one)
    assert third not in {first, second}
    assert queries.proposed_limits()[YEAR].id == third


@EACH
def test_the_pages_offer_it_to_both_and_say_what_became_of_it(fund, client, kind, propose, agree, page):
    one, other = make_staff(Capacity.TRUSTEE), make_staff(Capacity.TRUSTEE)
    for who, button, said in ((one, "Take it back", "Whoever proposed this took it back."),
                              (other, "Turn it down", "Another trustee turned this down.")):
        proposal = propose(Actor(Capacity.TRUSTEE, one.id))
        client.sign_in(one)
        lists = client.get("/trustees/reserve").text + client.get(f"/trustees/spending/{YEAR}").text
        assert f'href="{page.format(proposal)}">Read it, or take it back</a>' in lists
        client.sign_in(who)
        assert button in client.get(page.format(proposal)).text
        answer = client.post_form(f"/trustees/proposals/{kind}/{proposal}/end", {})
        assert (answer.status_code, answer.location) == (303, page.format(proposal))
        after = client.get(answer.location).text
        assert ("You took this back." if who is one else "You turned this down.") in after
        assert "sure" not in after
        assert button not in after
        assert client.post_form(page.format(proposal), {"sure": "y"}).status_code == 409
        lists = client.get("/trustees/reserve").text + client.get(f"/trustees/spending/{YEAR}").text
        assert page.format(proposal) not in lists
        # A button pressed twice.
        assert client.post_form(f"/trustees/proposals/{kind}/{proposal}/end", {}).status_code == 303
        client.sign_in(other if who is one else one)
        assert said in client.get(page.format(proposal)).text
        assert client.post_form(f"/trustees/proposals/{kind}/{proposal}/end", {}).status_code == 409
    client.sign_in(make_staff(Capacity.OFFICER))
    assert client.post_form(f"/trustees/proposals/{kind}/{proposal}/end", {}).status_code == 403
    client.sign_in(one)
    assert client.post_form(f"/trustees/proposals/whim/{proposal}/end", {}).status_code == 404
    assert client.post_form(f"/trustees/proposals/{kind}/{new_id()}/end", {}).status_code == 404


# Round the actions, with SQL: the tables themselves refuse.


def refused_by_the_table(fund, statement, **values):
    fund.commit()
    with pytest.raises(DBAPIError) as refused:
        fund.execute(sa.text(statement), values)
    fund.rollback()
    return refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name


END = "INSERT INTO proposal_end (kind, proposal_id, ended_by) VALUES (:kind, :proposal, :who)"
AGREE = {
    limit: """INSERT INTO spending_limit (id, financial_year, rule, rule_version, rate_basis_points, parameters,
      cost_ceiling_basis_points, inputs, inputs_sha256, rule_pence, amount_pence, value_pence, floor_pence, set_on,
      proposal_id, confirmed_by, entry_id)
      SELECT gen_random_uuid(), p.financial_year, 'rolling_average', 1, 400, p.inputs -> 'parameters',
        p.cost_ceiling_basis_points, p.inputs, p.inputs_sha256, p.amount_pence, p.amount_pence, 105000,
        (p.inputs ->> 'floor_pence')::bigint, p.set_on, p.id, :who, gen_random_uuid()
      FROM limit_proposal p WHERE p.id = :proposal""",
    plan: "INSERT INTO recovery_plan_confirmation (plan_id, confirmed_by, leaf_id) "
          "VALUES (:proposal, :who, gen_random_uuid())",
    change: "INSERT INTO reserve_change_approval (change_id, approved_by, entry_id) "
            "VALUES (:proposal, :who, gen_random_uuid())"}


SETTLED = ("23505", "pk_proposal_settled")


@EACH
def test_the_tables_refuse_to_agree_to_what_ended_and_to_end_what_was_agreed_to(fund, kind, propose, agree, page):
    one, other = make_trustee(), make_trustee()
    ended = propose(one)
    actions.end_proposal(one, kind, ended)
    assert refused_by_the_table(fund, AGREE[propose], proposal=ended, who=other.person_id) == SETTLED
    agreed = propose(one)
    agree(other, agreed)
    assert refused_by_the_table(fund, END, kind=kind, proposal=agreed, who=one.person_id) == SETTLED


def test_the_table_refuses_an_end_of_nothing_by_nobody_twice_or_undone(fund):
    one, officer = make_trustee(), make_staff(Capacity.OFFICER).id
    proposal = change(one)
    for kind, id_ in (("reserve", new_id()), ("limit", proposal), ("plan", proposal)):
        assert refused_by_the_table(fund, END, kind=kind, proposal=id_, who=one.person_id) == (
            "23503", "fk_proposal_end_proposal")
    assert refused_by_the_table(fund, END, kind="whim", proposal=proposal, who=one.person_id) == (
        "23514", "ck_proposal_end_kind")
    assert refused_by_the_table(fund, END, kind="reserve", proposal=proposal, who=officer) == (
        "23514", "ck_proposal_end_by_trustee")
    actions.end_proposal(one, "reserve", proposal)
    assert refused_by_the_table(fund, END, kind="reserve", proposal=proposal, who=one.person_id) == (
        "23505", "pk_proposal_end")
    for undo in ("INSERT INTO proposal_settled VALUES ('reserve', gen_random_uuid())", "DELETE FROM proposal_settled",
                 "DELETE FROM proposal_end", "UPDATE proposal_end SET ended_at = now()", "TRUNCATE proposal_end"):
        assert refused_by_the_table(fund, undo)[0] == "42501"
