"""What members of a panel see and send, page by page."""

import pytest

from fund.db import session as fund_session
from fund.panels import queries
from fund.people.models import Person
from tests.counting import at_most
from tests.make import panels as make


@pytest.fixture
def world(session):
    return make.make_world()


@pytest.fixture
def member(client):
    """`member(seat)` signs the holder of a seat in, and gives the client."""
    def sign_in(seat):
        client.sign_in(fund_session.get_one(Person, seat.person_id))
        return client

    return sign_in


def reference_of(application_id):
    return queries.card_of(application_id).reference


def test_a_reader_says_reads_scores_and_locks(world, member):
    assignment = world.readers(world.applications[0])[0]
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    reader = member(world.seat(assignment.seat_id))
    assert "Say if you know anyone" in reader.get("/panel").text
    assert reader.get(address).location.endswith("/interest")
    before = reader.get(f"{address}/interest").text
    assert "My neighbour or a friend runs it" in before
    assert "Somebody else does." in before
    assert "plant one tree" not in before
    assert reader.post_form(f"{address}/interest").status_code == 422
    assert reader.post_form(f"{address}/interest", {"answer": "know_someone"}).location == address
    assert "plant one tree" in reader.get(address).text
    for position in range(1, 5):
        assert reader.get(f"{address}/score/{position}").status_code == 200
        short = reader.post_form(f"{address}/score/{position}", {"points": "4"})
        assert short.status_code == 422
        onward = reader.post_form(f"{address}/score/{position}", {"points": "4", "reason": "It adds up."}).location
    assert onward == f"{address}/lock"
    assert "It adds up." in reader.get(onward).text
    assert reader.post_form(onward).location == f"{address}/scores"
    shown = reader.get(f"{address}/scores").text
    assert "2 readers have not locked yet" in shown
    assert reader.post_form(f"{address}/score/1", {"points": "0", "reason": "I changed my mind."}).status_code == 409
    assert "Your scores are locked" in reader.get("/panel").text


def test_a_member_with_an_interest_cannot_open_it_and_another_reader_comes(world, member):
    assignment = world.readers(world.applications[0])[0]
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    reader = member(world.seat(assignment.seat_id))
    reader.post_form(f"{address}/interest", {"answer": "neighbour_runs_it"})
    assert "You are out of this one" in reader.get(f"{address}/interest").text
    for page in ("", "/scores", "/lock", "/score/1"):
        assert reader.get(address + page).location.endswith("/interest")
    assert reader.post_form(f"{address}/score/1", {"points": "5", "reason": "Mine"}).location.endswith("/interest")
    assert len(world.readers(world.applications[0])) == 4


def test_who_is_not_sure_asks_and_the_chair_answers(world, member):
    assignment = next(a for a in world.readers(world.applications[0]) if a.seat_id != world.chair.id)
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    reader = member(world.seat(assignment.seat_id))
    reader.post_form(f"{address}/interest", {"answer": "not_sure"})
    assert reader.get(address).status_code == 302
    assert "The chair answers next" in reader.get("/panel").text
    chair = member(world.chair)
    doubt = queries.doubts(world.panel.id)[0]
    page = f"/panel/interests/{doubt.interest_id}/ruling"
    assert page in chair.get("/panel").text
    assert chair.get(page).status_code == 200
    assert chair.post_form(page, {"consequence": "note_only"}).location == "/panel"
    assert chair.get(page).status_code == 404
    reader = member(world.seat(assignment.seat_id))
    assert "plant one tree" in reader.get(address).text
    assert "the chair answered: yes" in reader.get(f"{address}/interest").text


def test_a_reader_lets_the_panel_go_on(world, member):
    assignment = world.readers(world.applications[0])[0]
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    reader = member(world.seat(assignment.seat_id))
    reader.post_form(f"{address}/interest", {"answer": "nothing"})
    assert reader.get(f"{address}/release").status_code == 200
    assert reader.post_form(f"{address}/release").location == "/panel"
    assert "without your score" in reader.get("/panel").text


def test_scores_are_closed_to_other_members_until_they_locked_theirs(world, member):
    first, second, _third = world.readers(world.applications[0])
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    make.score(world, first)
    other = member(world.seat(second.seat_id))
    other.post_form(f"{address}/interest", {"answer": "nothing"})
    assert other.get(f"{address}/scores").status_code == 403
    bystander = next(s for s in world.seats if s.id not in {a.seat_id for a in world.readers(world.applications[0])})
    nobody = member(bystander)
    nobody.post_form(f"{address}/interest", {"answer": "nothing"})
    assert nobody.get(f"{address}/scores").status_code == 403
    assert nobody.get(f"{address}/score/1").status_code == 404
    make.score(world, second)
    assert "Because of" in member(world.seat(second.seat_id)).get(f"{address}/scores").text


def test_pages_of_a_panel_are_nobody_elses(world, client, member):
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    pages = ["/panel", address, f"{address}/interest", f"{address}/scores", f"{address}/score/1",
             f"/panel/sittings/{world.sitting.id}", f"/panel/sittings/{world.sitting.id}/join",
             f"/panel/sittings/{world.sitting.id}/close", f"{address}/reasons"]
    client.check = False  # the page it leads to is people's
    for page in pages:
        assert client.get(page).location.startswith("/sign-in")
    client.check = True
    stranger = make.make_person(name="Stranger")
    client.sign_in(stranger)
    for page in pages:
        assert client.get(page).status_code == 404
    another = make.make_world(applications=0)
    elsewhere = member(another.seats[1])
    for page in pages[1:]:
        assert elsewhere.get(page).status_code == 404


def test_a_seat_is_taken_up_by_accepting_the_code(session, member):
    world = make.make_world(applications=0)
    person = make.make_person(name="New member")
    seat = make.invite(world, person.id)
    invited = member(seat)
    page = f"/panel/seats/{seat.id}/code"
    assert page in invited.get("/panel").text
    assert invited.post_form(page).status_code == 422
    assert invited.post_form(page, {"agreed": "y"}).location == "/panel"
    assert "You accepted this" in invited.get(page).text
    assert member(world.chair).get(page).status_code == 404


def test_pages_of_a_member_cost_at_most_eight_queries(world, member):
    assignment = world.readers(world.applications[0])[0]
    reader = member(world.seat(assignment.seat_id))
    address = f"/panel/applications/{reference_of(world.applications[0])}"
    reader.post_form(f"{address}/interest", {"answer": "nothing"})
    reader.post_form(f"{address}/score/1", {"points": "4", "reason": "It adds up."})
    for page in ("/panel", address, f"{address}/interest", f"{address}/score/1", f"{address}/lock",
                 f"/panel/sittings/{world.sitting.id}", f"/panel/sittings/{world.sitting.id}/join"):
        with at_most(page=page):
            assert reader.get(page).status_code == 200
