"""The pages of trustees: compare, choose, plan with another trustee, set the limit; and what they refuse."""

from datetime import date

import pytest
import sqlalchemy as sa

from fund.endowment import actions, queries, rules
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.transparency import queries as public_record
from tests.make.ledger import make_funded_endowment, make_tranche
from tests.make.people import make_staff

YEAR = "2026-27"
PAGE = f"/trustees/spending/{YEAR}"
SET_ON = {"set_on": ["1", "4", "2026"]}
PLAN = {"words": "Spend less next year.", "back_by": ["1", "4", "2999"]}


@pytest.fixture
def low(session, client):
    """£1,000 given in June 2025 and £20 earned, so that the rule's £20 would leave too little."""
    make_tranche(amount_pence=100_000, received_on=date(2025, 6, 2))
    actions.record_income(SYSTEM, amount_pence=2_000, earned_on=date(2026, 3, 1), source="S", reference="1")
    client.sign_in(make_staff(Capacity.TRUSTEE))
    return client


def other(client) -> None:
    client.sign_in(make_staff(Capacity.TRUSTEE))


def confirm(client):
    """Another trustee confirms the newest limit that was proposed."""
    other(client)
    return client.post_form(f"/trustees/limits/{queries.proposed_limits()[YEAR].id}", {"sure": "y"})


def test_one_trustee_proposes_a_limit_and_another_reads_every_figure_and_confirms_it(low):
    assert low.post_form(f"{PAGE}/limit", {**SET_ON, "asked": "11.36"}).status_code == 303
    proposal = queries.proposed_limits()[YEAR]
    address = f"/trustees/limits/{proposal.id}"
    assert "You proposed it. Another trustee has to confirm it" in low.get(PAGE).text
    assert "You proposed this" in low.get(address).text
    assert low.post_form(address, {"sure": "y"}).status_code == 409
    other(low)
    assert address in low.get(PAGE).text
    page = low.get(address).text
    for figure in ("£11.36 for 2026-27", "1 April 2026", "£40.80", "£20.00", "£1,020.00", "£1,008.64", "June 2025",
                   "138.9", "10% of it", proposal.inputs_sha256.hex()):
        assert figure in page, figure
    assert low.post_form(address, {}).status_code == 422
    assert queries.spending_limits() == []
    assert low.post_form(address, {"sure": "y"}).status_code == 303
    assert "is set already" in low.get(address).text
    assert low.post_form(address, {"sure": "y"}).status_code == 409
    assert low.get("/trustees/limits/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_proposal_whose_figures_changed_says_so_and_sets_nothing(low):
    low.post_form(f"{PAGE}/limit", {**SET_ON, "asked": "11.36"})
    actions.record_income(SYSTEM, amount_pence=100, earned_on=date(2026, 3, 2), source="S", reference="2")
    answer = confirm(low)
    assert answer.status_code == 409
    assert "The figures changed after this was proposed" in answer.text
    assert "The figures changed" in low.get(f"/trustees/limits/{queries.proposed_limits()[YEAR].id}").text
    assert queries.spending_limits() == []


def test_what_waits_for_each_trustee(session, client):
    """One is asked to propose the limit, the other to read it, and the one waits for the other."""
    today = clock.today()
    year = rules.financial_year(today)
    make_tranche(amount_pence=100_000, received_on=today)
    actions.record_income(SYSTEM, amount_pence=5_000, earned_on=today, source="S", reference="1")
    one, two = make_staff(Capacity.TRUSTEE), make_staff(Capacity.TRUSTEE)
    client.sign_in(one)
    assert f"Propose how much may be spent in {year}" in client.get("/waiting").text
    proposal = actions.propose_spending_limit(Actor(Capacity.TRUSTEE, one.id), year, set_on=today, asked_pence=1)
    page = client.get("/waiting").text
    assert "Propose how much" not in page
    assert "Another trustee reads the limit that you proposed" in page
    client.sign_in(two)
    page = client.get("/waiting").text
    assert "confirm it or not" in page
    assert f"/trustees/limits/{proposal.id}" in page
    actions.confirm_spending_limit(Actor(Capacity.TRUSTEE, two.id), proposal.id)
    assert "confirm it or not" not in client.get("/waiting").text


def test_a_trustee_compares_the_rules_and_chooses_one(low):
    page = low.get(f"{PAGE}/rule")
    assert page.text.count("%</td>") == 16
    assert "In force" in page.text
    answer = low.post_form(f"{PAGE}/rule", {"rule": "yale", "rate": "4.5"})
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Mostly as last year (Yale)" in low.get(PAGE).text
    chosen = queries.rule_for(YEAR)
    assert (chosen.rule.name, chosen.parameters["rate"], chosen.parameters["high"]) == ("yale", 450, 650)


@pytest.mark.parametrize(("sent", "sentence"), [
    ({}, "Choose one of the rules"), ({"rule": "lottery"}, "Choose one of the answers"),
    ({"rule": "yale", "rate": "four"}, "Write a number, like 6 or 2.25"),
    ({"rule": "yale", "rate": "-4"}, "between 0.01% and 10%"),
    ({"rule": "yale", "rate": "11"}, "between 0.01% and 10%"),
    ({"rule": "rolling_average", "weight": "80"}, "no such figure"),
    ({"rule": "yale", "low": "7", "high": "6"}, "cannot be more than the most"),
])
def test_a_choice_that_makes_no_sense_is_named_and_nothing_is_written(low, sent, sentence):
    size = public_record.size()
    answer = low.post_form(f"{PAGE}/rule", sent)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert public_record.size() == size


def test_two_trustees_record_a_plan_and_then_the_limit_is_set(low):
    assert "Without a recovery plan" in low.get(PAGE).text
    refused = low.post_form(f"{PAGE}/limit", SET_ON)
    assert refused.status_code == 409
    assert "£11.36 at most" in refused.text
    assert low.post_form(f"{PAGE}/plan", PLAN).status_code == 303
    assert "Another trustee has to confirm it" in low.get(PAGE).text
    plan = queries.plans(YEAR)[0]
    address = f"/trustees/plans/{plan.id}"
    assert "You wrote this plan" in low.get(address).text
    assert low.post_form(address, {"sure": "y"}).status_code == 409
    other(low)
    assert "Read it, and confirm it" in low.get(PAGE).text
    assert low.post_form(address, {}).status_code == 422
    assert low.post_form(address, {"sure": "y"}).status_code == 303
    answer = low.post_form(f"{PAGE}/limit", SET_ON)
    assert (answer.status_code, answer.location) == (303, PAGE)
    read = low.get(f"/trustees/limits/{queries.proposed_limits()[YEAR].id}").text
    assert "It rests on a recovery plan of two trustees" in read
    assert address in read
    answer = confirm(low)
    assert (answer.status_code, answer.location) == (303, f"/endowment/limits/{YEAR}")
    page = low.get(answer.location)
    assert "Spend less next year." in page.text
    assert "Two trustees decided it" in page.text
    assert "the same to the penny" in page.text
    assert "The limit for this year is set already" in low.get(f"{PAGE}/rule").text
    assert "See how it was worked out" in low.get(PAGE).text


def test_a_smaller_limit_needs_no_plan(low):
    answer = low.post_form(f"{PAGE}/limit", {**SET_ON, "asked": "11.36"})
    assert answer.status_code == 303
    assert confirm(low).status_code == 303
    assert queries.spending_limit(YEAR).amount_pence == 1_136


@pytest.mark.parametrize(("sent", "status", "sentence"), [
    ({"asked": "0"}, 409, "more than nothing"), ({"asked": "40.81"}, 409, "allow £20 this year"),
    ({"asked": "-1"}, 422, "Write the amount in pounds"), ({"asked": "1.005"}, 422, "Write the amount in pounds"),
    ({"asked": "99999999999999999999"}, 422, "Write the amount in pounds"),
    ({"set_on": ["31", "2", "2026"]}, 422, "There is no such day"), ({"set_on": ["", "", ""]}, 422, "Write the day"),
])
def test_a_limit_that_makes_no_sense_is_named_and_nothing_is_written(low, sent, status, sentence):
    size = public_record.size()
    answer = low.post_form(f"{PAGE}/limit", {**SET_ON, **sent})
    assert answer.status_code == status
    assert sentence in answer.text
    assert public_record.size() == size
    assert (queries.spending_limits(), queries.proposed_limits()) == ([], {})


@pytest.mark.parametrize(("sent", "sentence"), [
    ({"words": ""}, "Say how"), ({"back_by": ["1", "4", "2020"]}, "still to come"),
    ({"back_by": ["", "", ""]}, "still to come"),
    ({"words": "x" * 2_001}, "at most 2000 characters")])
def test_a_plan_that_makes_no_sense_is_named(low, sent, sentence):
    answer = low.post_form(f"{PAGE}/plan", {**PLAN, **sent})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert queries.plans(YEAR) == []


def test_the_reserve_is_moved_by_two_trustees(low, session):
    actions.switch_reserve(SYSTEM, is_on=True)
    assert "The reserve is" in low.get("/trustees/reserve").text
    assert low.post_form("/trustees/reserve", {"kind": "top_up", "amount": "15"}).status_code == 303
    change = queries.proposed_changes()[0]
    address = f"/trustees/reserve/{change.id}"
    assert "You proposed this" in low.get(address).text
    assert low.post_form(address, {"sure": "y"}).status_code == 409
    other(low)
    assert "Look at it, and approve it" in low.get("/trustees/reserve").text
    assert low.post_form(address, {"sure": "y"}).status_code == 303
    assert "£15.00" in low.get("/trustees/reserve").text
    assert "approved already" in low.get(address).text  # where two had it open, the second is told
    again = low.post_form(address, {"sure": "y"})
    assert (again.status_code, "approved already" in again.text) == (409, True)
    assert low.get("/trustees/reserve/00000000-0000-4000-8000-000000000000").status_code == 404
    assert low.post_form("/trustees/reserve", {"kind": "top_up", "amount": "5.01"}).status_code == 409
    assert low.post_form("/trustees/reserve", {"kind": "steal", "amount": "1"}).status_code == 422


def test_with_the_reserve_off_nothing_is_set_by(low):
    answer = low.post_form("/trustees/reserve", {"kind": "top_up", "amount": "1"})
    assert answer.status_code == 409
    assert "keeps no reserve" in answer.text


def test_a_trustee_comes_to_the_year_that_waits(low):
    year = low.get("/trustees/spending").location
    assert year.startswith("/trustees/spending/20")
    assert "spending" in low.get("/waiting").text
    assert low.get("/trustees/spending/next-year").status_code == 404
    assert low.get("/trustees/spending/2026-28/limit").status_code == 404


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER])
def test_nobody_else_opens_them(client, session, capacity):
    client.sign_in(make_staff(capacity))
    for address in ("/trustees/spending", PAGE, f"{PAGE}/rule", f"{PAGE}/plan", f"{PAGE}/limit", "/trustees/reserve"):
        assert client.get(address).status_code == 403
    assert client.post_form(f"{PAGE}/limit", SET_ON).status_code == 403
    assert client.get("/trustees/limits/00000000-0000-4000-8000-000000000000").status_code == 403


def test_the_pages_of_trustees_cost_few_queries(low):
    actions.propose_recovery_plan(Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id), YEAR, words="x",
                                  back_by=date(2999, 1, 1))
    proposal = actions.propose_spending_limit(Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id), YEAR,
                                              set_on=date(2026, 4, 1), asked_pence=1)
    for address in (PAGE, f"{PAGE}/rule", f"{PAGE}/plan", f"{PAGE}/limit", "/trustees/reserve",
                    f"/trustees/limits/{proposal.id}"):
        low.get(address)
        counted = []

        def count(_c, _cursor, statement, *_rest, counted=counted):
            counted.append(statement)

        sa.event.listen(sa.Engine, "before_cursor_execute", count)
        try:
            assert low.get(address).status_code == 200
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", count)
        asked = [one for one in counted if one.startswith(("SELECT", "\nSELECT", "WITH"))]
        assert len(asked) <= 8, (address, len(asked))


def test_what_is_refused_keeps_what_was_typed_and_says_why_on_the_same_page(low):
    answer = low.post_form(f"{PAGE}/limit", {**SET_ON, "asked": "12,345.67"})
    assert answer.status_code == 409
    assert "The rule and the return allow £20 this year, and no more." in answer.text
    assert 'value="12,345.67"' in answer.text
    assert queries.proposed_limits() == {}
    answer = low.post_form("/trustees/reserve", {"kind": "top_up", "amount": "7.50"})
    assert (answer.status_code, 'value="7.50"' in answer.text) == (409, True)
    assert "Trustees would have to switch it on first" in answer.text


def test_a_change_of_the_reserve_waits_for_another_trustee_also_when_the_limit_is_set(low):
    actions.switch_reserve(SYSTEM, is_on=True)
    actions.receive_tranche(SYSTEM, sender="S", reference="2", amount_pence=500, received_on=date(2025, 6, 3),
                            scheme="banks", reclaim_pence=500, document=b"two")
    one, two = (Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id) for _ in range(2))
    change = actions.propose_reserve_change(one, kind="release", amount_pence=5)
    found = {who.person_id: [one.endpoint for one in queries.waiting_for(who.person_id, {Capacity.TRUSTEE})]
             for who in (one, two)}
    assert found == {one.person_id: ["endowment.spending"],
                     two.person_id: ["endowment.spending", "endowment.approve_change"]}
    actions.approve_reserve_change(two, change.id)
    assert [one.endpoint for one in queries.waiting_for(two.person_id, {Capacity.TRUSTEE})] == ["endowment.spending"]


def test_a_limit_and_a_plan_for_the_next_year_wait_for_another_trustee_too(session):
    make_funded_endowment(on=date(2026, 6, 1))  # with this year's limit
    one, two = (Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id) for _ in range(2))

    def waiting() -> list[list[tuple[str, str]]]:
        return [[(each.endpoint, each.whose) for each in queries.waiting_for(who.person_id, {Capacity.TRUSTEE})]
                for who in (one, two)]

    plan = actions.propose_recovery_plan(one, "2027-28", words="By and by.", back_by=date(2030, 1, 1))
    assert waiting() == [[], [("endowment.confirm_plan", "")]]
    actions.confirm_recovery_plan(two, plan.id)
    proposal = actions.propose_spending_limit(one, "2027-28", set_on=date(2027, 3, 31), asked_pence=1)
    assert waiting() == [[("endowment.confirm_limit", "another trustee")], [("endowment.confirm_limit", "")]]
    actions.confirm_spending_limit(two, proposal.id)
    assert waiting() == [[], []]
