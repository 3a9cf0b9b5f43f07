"""What the panel, the group and anybody see of a decision."""

import pytest

from fund.db import session as fund_session
from fund.decisions import queries, rules
from fund.panels import queries as panels
from fund.people.models import Person
from tests.counting import at_most
from tests.make import decisions as make
from tests.make import panels as make_panels


@pytest.fixture
def be(client):
    """`be(person_id)` signs somebody in, and gives the client."""
    def sign_in(person_id):
        client.sign_in(fund_session.get_one(Person, person_id))
        return client

    return sign_in


def reference_of(application_id):
    return panels.card_of(application_id).reference


def test_a_panel_takes_part_agrees_and_its_chair_closes(session, be):
    world = make_panels.make_world()
    make_panels.score_all(world)
    sitting, reference = f"/panel/sittings/{world.sitting.id}", reference_of(world.applications[0])
    field = reference.lower().replace("-", "_")
    reasons = {f"reason_{n}": f"The panel liked it, {n}." for n in range(1, 5)}
    for seat in world.seats[:6]:
        member = be(seat.person_id)
        assert member.get(f"{sitting}/join").status_code == 200
        if panels.newest_interest(world.applications[0], seat.id) is None:
            assert member.post_form(f"{sitting}/join").status_code == 422
        assert member.post_form(f"{sitting}/join", {field: "nothing"}).location == sitting
        assert "You take part in the decision." in member.get(sitting).text
        if not seat.is_chair:
            assert member.get(f"{sitting}/close").status_code == 403
            assert member.get(f"/panel/applications/{reference}/reasons").status_code == 403
    chair = be(world.chair.person_id)
    assert "reasons are not agreed yet" in chair.get(f"{sitting}/close").text
    assert chair.get(f"/panel/applications/{reference}/reasons").status_code == 200
    assert chair.post_form(f"/panel/applications/{reference}/reasons", {"reason_1": "x"}).status_code == 422
    assert chair.post_form(f"/panel/applications/{reference}/reasons", reasons).location == sitting
    preview = chair.get(f"{sitting}/close").text
    assert "What the rule gives" in preview
    assert "£480" in preview
    assert chair.post_form(f"{sitting}/close").status_code == 422
    assert chair.post_form(f"{sitting}/close", {"sure": "y"}).location == sitting
    assert "Decided, and nobody can change it." in chair.get(sitting).text
    assert chair.get(f"{sitting}/close").location == sitting


def test_nobody_sees_what_the_rule_gives_while_a_reader_still_scores(session, be):
    world = make_panels.make_world()
    first, *others = world.readers(world.applications[0])
    for assignment in others:
        make_panels.score(world, assignment, 4)
    close = f"/panel/sittings/{world.sitting.id}/close"
    page = be(world.chair.person_id).get(close).text
    assert "Readers who have not locked their scores yet: 1." in page
    assert "What the rule gives" not in page
    make_panels.score(world, first, 4)
    assert "What the rule gives" in be(world.chair.person_id).get(close).text


def test_anybody_sees_how_it_was_decided_and_works_it_out_again(session, client):
    made = make.make_decided_application()
    page = client.get(f"/decisions/{made.decision.id}").text
    assert "Score 80 of 100, place 1 of 1" in page
    assert "6 members, 6 of them live there. 5 were needed." in page
    for secret in ("Member 1", "Because of"):
        assert secret not in page
    data = client.get(f"/decisions/sittings/{made.sitting_id}.json").json
    assert rules.recompute(data) == data["decisions"]
    assert client.get("/decisions/rule").status_code == 200
    assert client.get(f"/decisions/{made.sitting_id}").status_code == 404


def test_an_open_sitting_has_no_open_data(session, client):
    world = make.make_ready_to_close()
    assert client.get(f"/decisions/sittings/{world.sitting.id}.json").status_code == 404


@pytest.mark.parametrize(("about", "words"), [
    ({}, "Yes: the panel funds your idea"),
    ({"outcome": "declined"}, "Not this time"),
    ({"outcome": "reserve", "asked_pence": 60_000, "amount_pence": 50_000}, "the money did not reach"),
    ({"outcome": "part_awarded", "asked_pence": 60_000, "least_pence": 40_000, "amount_pence": 50_000},
     "funds a part of your idea"),
])
def test_the_group_reads_the_panels_reasons_and_what_to_do_next(session, be, about, words):
    made = make.make_decided_application(**about)
    reference = reference_of(made.application_id)
    group = be(made.applicant_id)
    page = group.get(f"/applications/{reference}/decision").text
    assert words in page
    assert "We agreed on led by residents." in page
    assert "A person answers" in page
    assert "Because of" not in page
    where = group.get(f"/applications/{reference}").text
    assert "The panel decided: " in where
    assert f'href="/applications/{reference}/decision"' in where
    assert "It is with the panel" not in where
    assert "Take it back" not in where
    stranger = make_panels.make_person(name="Stranger")
    assert be(stranger.id).get(f"/applications/{reference}/decision").status_code == 404


def test_there_is_no_decision_to_read_before_there_is_one(session, be):
    world = make.make_ready_to_close()
    person = panels.rows("SELECT applicant_id FROM application WHERE id = :id", id=world.applications[0])[0][0]
    assert be(person).get(f"/applications/{reference_of(world.applications[0])}/decision").status_code == 404


def test_pages_about_decisions_cost_at_most_eight_queries(session, be, client):
    world = make.make_ready_to_close(applications=3)
    chair = be(world.chair.person_id)
    reference, sitting = reference_of(world.applications[0]), f"/panel/sittings/{world.sitting.id}"
    for page in (sitting, f"{sitting}/close", f"{sitting}/join", f"/panel/applications/{reference}/reasons"):
        with at_most(page=page):
            assert chair.get(page).status_code == 200
    sitting_id = world.sitting.id
    make.close(world)
    decision = queries.decisions_of(sitting_id)[0]
    applicant = panels.rows("SELECT a.reference, a.applicant_id FROM application a WHERE a.id = :id",
                            id=decision.application_id)[0]
    with at_most(page="result"):
        assert chair.get(sitting).status_code == 200
    group = be(applicant.applicant_id)
    for page in (f"/decisions/{decision.id}", f"/decisions/sittings/{sitting_id}.json",
                 f"/applications/{applicant.reference}/decision"):
        with at_most(page=page):
            assert group.get(page).status_code == 200


@pytest.mark.parametrize(("about", "words"), [
    ({}, "The panel decided: Funded"), ({"outcome": "declined"}, "The panel decided: Not funded"),
])
def test_the_groups_own_page_and_list_say_what_was_decided(session, be, about, words):
    made = make.make_decided_application(**about)
    reference = reference_of(made.application_id)
    group = be(made.applicant_id)
    for address in (f"/applications/{reference}", "/applications"):
        with at_most(page=address):
            page = group.get(address).text
        assert words in page
        assert "It is with the panel" not in page
    page = group.get(f"/applications/{reference}").text
    assert f"/applications/{reference}/decision" in page
    assert "Take my application back" not in page


def test_the_chair_puts_a_part_of_the_money_into_a_sitting_once_and_before_any_score(session, be):
    world = make_panels.make_world(amount_pence=100_000)
    sitting, reader = f"/panel/sittings/{world.sitting.id}", world.readers(world.applications[0])[0]
    other = next(seat for seat in world.seats if seat.id != world.chair.id)
    assert be(other.person_id).get(f"{sitting}/pot").status_code == 403
    assert be(other.person_id).post_form(f"{sitting}/pot", {"pot": "400"}).status_code == 403
    chair = be(world.chair.person_id)
    assert "£1,000 to award: all that your panel has left" in chair.get(sitting).text
    for typed in ("", "0", "-5", "lots", "1.005"):
        answer = chair.post_form(f"{sitting}/pot", {"pot": typed})
        assert answer.status_code == 422
        assert f'value="{typed}"' in answer.text or not typed
    assert chair.post_form(f"{sitting}/pot", {"pot": "400"}).location == sitting
    assert "£400 to award: the chair put £400" in chair.get(sitting).text
    assert chair.post_form(f"{sitting}/pot", {"pot": "400"}).location == sitting
    assert chair.post_form(f"{sitting}/pot", {"pot": "500"}).status_code == 409
    make_panels.score(world, reader)
    assert "Keep a part of it for later" not in chair.get(sitting).text


def test_the_money_of_a_sitting_stays_once_somebody_has_scored(session, be):
    world = make_panels.make_world(amount_pence=100_000)
    make_panels.score(world, world.readers(world.applications[0])[0])
    chair = be(world.chair.person_id)
    answer = chair.post_form(f"/panel/sittings/{world.sitting.id}/pot", {"pot": "400"})
    assert answer.status_code == 409
    assert "Somebody has scored already" in answer.text


def test_a_chair_who_is_kept_out_of_an_application_sees_nothing_of_what_the_rule_gives_it(session, be):
    world = make_panels.make_world(applications=2)
    hers, other = (panels.card_of(application_id) for application_id in world.applications)
    make_panels.declare(world, world.chair, hers.application_id, "neighbour_runs_it")
    make_panels.score_all(world, [4, 3])
    make.take_part(world, seats=world.seats[1:8])
    close = be(world.chair.person_id).get(f"/panel/sittings/{world.sitting.id}/close").text
    table = close[close.index("What the rule gives"):close.index("Nobody chooses this")]
    assert other.title in table
    assert ">60<" in table
    assert ">80<" not in close
    assert hers.reference not in table
    assert f"What the rule gives them shows once the sitting is closed: {hers.title}" in close
    assert ">2<" not in table
