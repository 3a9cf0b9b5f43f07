"""Deciding: the rule, nothing but the rule, and only by those whose sitting it is."""

import hashlib
import json
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fund import queue
from fund.applications import actions as applications
from fund.decisions import actions, queries, rules
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.notifications.formats import letter
from fund.notifications.models import Message
from fund.panels import actions as panels_actions
from fund.panels import queries as panel_queries
from fund.panels import queries as panels
from fund.transparency.queries import leaves_after
from tests.make import decisions as make
from tests.make import panels as make_panels
from tests.make.panels import from_seat


def codes(refused):
    return [reason.code for reason in refused.value.reasons]


def test_an_application_travels_from_the_panel_to_its_decision(session, sql):
    made = make.make_decided_application()
    assert made.decision.outcome == "awarded"
    assert made.decision.amount_pence == 48_000
    assert made.decision.score_tenths == 800
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    assert [d.id for d in queries.decisions_not_taken_up(made.sitting_id)] == [made.decision.id]
    data = queries.open_data(made.sitting_id)
    assert rules.recompute(data) == data["decisions"]


def test_one_that_scores_below_the_threshold_is_declined(session):
    made = make.make_decided_application(outcome="declined")
    assert made.decision.amount_pence == 0
    assert queries.decisions_not_taken_up(made.sitting_id) == []


def test_python_and_sql_give_the_same_for_any_sum_and_any_seed(session):
    chance = random.Random(20261122)  # the scores are drawn, and the same each time
    world = make_panels.make_world(applications=0)
    for _ in range(7):
        asked = chance.choice([20_000, 30_000, 45_000])
        world.put(asked_pence=asked, least_pence=chance.choice([None, asked // 2, asked]))
    for application_id in world.applications:
        for assignment in world.readers(application_id):
            make_panels.score(world, assignment, chance.choices(range(1, 5), k=4) if chance.random() < .5 else 3)
    ready = queries.ready_sitting(world.sitting)
    references = {each.application_id: each.reference for each in ready.applications}
    for _ in range(60):
        available, seed = chance.choice([0, 19_999, 60_000, 101_234, 10**9]), chance.randbytes(32)
        by_sql = panels.rows("SELECT * FROM sitting_result(:id, :available, :seed) ORDER BY rank",
                             id=world.sitting.id, available=available, seed=seed)
        assert [(references[r.application_id], *r[1:]) for r in by_sql] == [
            (r.reference, r.score_tenths, r.rank, r.outcome.value, r.amount_pence)
            for r in ready.decide(available, seed)]


def test_only_the_chair_closes(session):
    world = make.make_ready_to_close()
    with pytest.raises(Forbidden), from_seat(world.seats[1]) as actor:
        actions.close_sitting(actor, world.sitting.id)
    with pytest.raises(NotFound), from_seat(world.seats[1]) as actor:
        actions.close_sitting(Actor(Capacity.CHAIR, actor.person_id, world.chair.id), world.sitting.id)
    stranger = make_panels.make_person()
    with pytest.raises(NotFound):
        actions.close_sitting(Actor(Capacity.OFFICER, stranger.id), world.sitting.id)


def test_a_sitting_closes_once(session):
    world = make.make_ready_to_close()
    sitting_id = world.sitting.id
    make.close(world)
    with pytest.raises(Refused) as refused, from_seat(world.chair) as actor:
        actions.close_sitting(actor, sitting_id)
    assert codes(refused) == ["closed"]


def test_every_reason_not_to_close_is_said_at_once(session):
    world = make_panels.make_world(applications=1)
    make_panels.declare(world, world.chair, world.applications[0])
    with pytest.raises(Refused) as refused, from_seat(world.chair) as actor:
        actions.close_sitting(actor, world.sitting.id)
    assert codes(refused) == ["unfinished_score", "no_agreed_reasons", "no_quorum"]


def test_a_round_with_an_end_is_not_decided_before_it(session):
    world = make.make_ready_to_close(closes_at=clock.now() + timedelta(days=1))
    with pytest.raises(Refused) as refused:
        make.close(world)
    assert codes(refused) == ["round_is_open"]


def test_an_interest_before_the_closing_keeps_a_member_out_of_the_quorum(session):
    world = make.make_ready_to_close()
    reading = {a.seat_id for a in world.readers(world.applications[0])}
    for seat in [seat for seat in world.seats[:6] if seat.id not in reading][:2]:
        make_panels.declare(world, seat, world.applications[0], "i_am_in_it")
    with pytest.raises(Refused) as refused:
        make.close(world)
    assert codes(refused) == ["no_quorum"]


def test_a_member_takes_part_only_after_speaking_of_every_application(session):
    world = make_panels.make_world(applications=2)
    make_panels.declare(world, world.seats[4], world.applications[0])
    with pytest.raises(Refused) as refused, from_seat(world.seats[4]) as actor:
        actions.join(actor, world.sitting.id)
    assert codes(refused) == ["say_first"]
    make_panels.declare(world, world.seats[4], world.applications[1])
    with from_seat(world.seats[4]) as actor:
        first = actions.join(actor, world.sitting.id)
        assert actions.join(actor, world.sitting.id) is first


def test_reasons_wait_for_the_readers_and_are_the_chairs_to_write(session):
    world = make_panels.make_world()
    make_panels.declare(world, world.chair, world.applications[0])
    make_panels.declare(world, world.seats[1], world.applications[0])
    words = {world.criteria[0].id: "We liked the benches."}
    with pytest.raises(Refused) as refused, from_seat(world.chair) as actor:
        actions.agree_reasons(actor, world.applications[0], words)
    assert codes(refused) == ["still_scoring"]
    make_panels.score_all(world)
    with pytest.raises(Forbidden), from_seat(world.seats[1]) as actor:
        actions.agree_reasons(actor, world.applications[0], words)
    for wrong in ("", "  ", "x" * 1001):
        with pytest.raises(BadInput), from_seat(world.chair) as actor:
            actions.agree_reasons(actor, world.applications[0], {world.criteria[0].id: wrong})
    with from_seat(world.chair) as actor:
        assert len(actions.agree_reasons(actor, world.applications[0], words)) == 1
        assert actions.agree_reasons(actor, world.applications[0], words) == []
        again = actions.agree_reasons(actor, world.applications[0], {world.criteria[0].id: "We loved the benches."})
    assert again[0].version == 2


def test_another_member_writes_the_reasons_where_the_chair_is_kept_out(session):
    world = make_panels.make_world()
    make_panels.declare(world, world.chair, world.applications[0], "i_am_in_it")
    make_panels.score_all(world)
    make.take_part(world, seats=world.seats[1:7])
    with pytest.raises(Forbidden), from_seat(world.chair) as actor:
        actions.agree_reasons(actor, world.applications[0], {world.criteria[0].id: "Mine"})
    make.agree(world, seat=world.seats[1])
    assert make.close(world)[0].outcome == "awarded"


def test_what_was_taken_back_is_not_decided(session):
    world = make.make_ready_to_close(applications=2)
    applicant = panels.rows("SELECT applicant_id FROM application WHERE id = :id", id=world.applications[0])[0][0]
    applications.withdraw(Actor(Capacity.APPLICANT, applicant), world.applications[0])
    decided = make.close(world)
    assert [d.application_id for d in decided] == [world.applications[1]]


def test_what_was_decided_cannot_be_taken_back(session):
    world = make.make_ready_to_close(applications=1)
    applicant = panels.rows("SELECT applicant_id FROM application WHERE id = :id", id=world.applications[0])[0][0]
    make.close(world)
    with pytest.raises(Refused) as refused:
        applications.withdraw(Actor(Capacity.APPLICANT, applicant), world.applications[0])
    assert codes(refused) == ["decided"]


def test_money_awarded_and_not_offered_yet_is_not_given_twice(session):
    world = make_panels.make_world(amount_pence=100_000, applications=1, asked_pence=60_000)
    sitting_id = world.sitting.id
    make_panels.score_all(world)
    make.take_part(world)
    make.agree(world)
    first = make.close(world)[0]
    assert (first.outcome, first.amount_pence) == ("awarded", 60_000)
    assert world.sitting.id != sitting_id, "the next sitting of an always-open round opens by itself"
    world.applications.clear()
    world.put(asked_pence=60_000)
    world.put(asked_pence=60_000, least_pence=40_000)
    make_panels.score_all(world, [5, 4])
    make.take_part(world)
    make.agree(world)
    assert queries.available_pence(world.sitting.id) == 40_000
    assert [(d.outcome, d.amount_pence) for d in make.close(world)] == [("reserve", 0), ("part_awarded", 40_000)]
    # Offered, so that the ledger would hold it: the decision frees it.
    actions.mark_taken_up(first.id)
    actions.mark_taken_up(first.id)
    assert queries.available_pence(world.sitting.id) == 60_000
    assert queries.decisions_not_taken_up(sitting_id) == []


def test_the_public_record_says_what_was_committed_sealed_and_decided(session):
    made = make.make_decided_application()
    leaves = [(leaf.kind, json.loads(leaf.encoded)["record"]) for leaf in leaves_after(-1)
              if leaf.kind in {"sitting_opened", "scores_sealed", "sitting_closed", "decision"}]
    assert [kind for kind, _record in leaves] == [
        "sitting_opened", "scores_sealed", "scores_sealed", "scores_sealed", "sitting_closed", "decision",
        "sitting_opened"]
    opened, closed, decided = leaves[0][1], leaves[4][1], leaves[5][1]
    assert opened["seed_commitment"] == "sha256:" + hashlib.sha256(bytes.fromhex(closed["seed"])).hexdigest()
    assert decided["outcome"] == "awarded"
    assert decided["amount"] == "48000"
    everything = json.dumps(leaves)
    people = [str(seat.person_id) for seat in made.world.seats] + [str(seat.id) for seat in made.world.seats]
    assert not any(person in everything for person in people)


def test_each_group_is_told_once_with_the_panels_reasons_and_no_members_words(session):
    made = make.make_decided_application(outcome="declined")
    actions.tell_applicants(made.sitting_id)
    actions.tell_applicants(made.sitting_id)
    letters = list(session.scalars(sa.select(Message).where(Message.person_id == made.applicant_id,
                                                            Message.template.startswith("decision_"))))
    assert [letter.template for letter in letters] == ["decision_declined"]
    said = json.dumps(letters[0].values)
    assert said.count("We agreed on") == 4
    assert "Because of" not in said
    assert "Member" not in said


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("outcome", ["awarded", "part_awarded", "reserve", "declined"])
def test_every_letter_can_be_written(outcome, language):
    subject, text = letter(f"decision_{outcome}", language, {
        "reference": "APP-7KQ2-MW4D", "place": "Alder Park", "asked_pence": 60_000, "amount_pence": 40_000,
        "path": "/applications/APP-7KQ2-MW4D/decision", "public_url": "https://fund.example",
        "reasons": [{"name": "It can be done", "reason": "The costs add up."}],
        "help_phone": "0161 496 0123"})
    assert "APP-7KQ2-MW4D" in subject
    assert "It can be done: The costs add up." in text
    assert "0161 496 0123" in text


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("template", ["panel_to_read", "panel_reminder", "panel_doubt"])
def test_every_letter_to_members_can_be_written(template, language):
    subject, text = letter(template, language, {
        "reference": "APP-7KQ2-MW4D", "due": "2026-12-06T12:00:00+00:00", "public_url": "https://fund.example",
        "path": "/panel/applications/APP-7KQ2-MW4D/interest"})
    assert "APP-7KQ2-MW4D" in subject
    assert "https://fund.example/panel/applications/APP-7KQ2-MW4D/interest" in text


def test_closing_asks_for_letters_and_for_offers(session):
    made = make.make_decided_application()
    asked = set(session.scalars(sa.select(queue.Outbox.job).where(queue.Outbox.key.endswith(str(made.sitting_id)))))
    assert asked == {"decisions.tell_applicants", "grants.make_offers"}


def test_a_chair_finds_another_reader_where_too_few_are_left(session):
    world = make_panels.make_world()
    with from_seat(world.chair) as actor:
        added = panels_actions.find_another_reader(actor, world.applications[0])
    assert added.seat_id not in {a.seat_id for a in world.readers(world.applications[0]) if a.id != added.id}
    with pytest.raises(Forbidden), from_seat(world.seats[1]) as actor:
        panels_actions.find_another_reader(actor, world.applications[0])


def test_what_waits_for_the_chair_and_the_members(session):
    def waiting(member):
        return queries.waiting_for(panel_queries.seats_of_person(member.person_id))

    world = make_panels.make_world()
    make_panels.score_all(world)
    waits = {w.endpoint for w in waiting(world.chair)}
    assert waits == {"decisions.join", "decisions.sitting"}
    make.take_part(world)
    make.agree(world)
    assert {w.endpoint for w in waiting(world.chair)} == {"decisions.close"}
    assert waiting(world.seats[1]) == []
    assert [w.endpoint for w in waiting(world.seats[8])] == ["decisions.join"]
    make.close(world)
    assert waiting(world.chair) == []
