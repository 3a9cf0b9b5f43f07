"""SQL that goes round the code: every attack on what a panel says is refused by name, and succeeds without its guard.

Each attack says who acts, writes one row, and is refused with an SQLSTATE and a rule. The same attack then runs with
the guard taken away and goes through: so it was that guard, and nothing else, that refused.
"""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from fund.applications import actions as applications
from fund.db import refusal, session
from fund.kernel.actor import Actor, Capacity
from fund.panels import actions, queries, rules
from tests.make import applications as make_applications
from tests.make import panels as make
from tests.make import rounds
from tests.panels.stage import interest

ATTACKS = []


def attack(guard, rule, state="23514"):
    """Note an attack that `guard` (table.trigger or table/constraint) refuses by `rule`."""
    def note(function):
        ATTACKS.append(pytest.param(function, guard, rule, state, id=function.__name__))
        return function

    return note


@pytest.mark.parametrize(("attempt", "guard", "rule", "state"), ATTACKS)
def test_the_table_refuses(stage, attempt, guard, rule, state):
    with pytest.raises(sa.exc.DBAPIError) as refused:
        attempt(stage)
    assert refusal(refused.value) == (state, rule)


@pytest.mark.parametrize(("attempt", "guard", "rule", "state"), ATTACKS)
def test_without_its_guard_the_attack_goes_through(stage, attempt, guard, rule, state):
    stage.drop(guard)
    attempt(stage)


# Interests


@attack("interest.said_by_holder", "ck_seat_acts_for_itself", "42501")
def speaks_of_an_interest_for_another_member(stage):
    world = stage.fresh
    stage.act(world.seats[1])
    stage.insert("interest", **interest(world.seats[2], world.applications[0]))


@attack("interest.said_by_holder", "ck_seat_serving")
def speaks_from_a_seat_that_is_not_taken_up(stage):
    world = stage.fresh
    seat = make.invite(world, make.make_person().id)
    stage.act(seat)
    stage.insert("interest", **interest(seat, world.applications[0]))


@attack("interest.said_by_holder", "ck_seat_serving")
def speaks_after_the_term(stage):
    world = stage.fresh
    with stage.as_owner():
        stage.sql("UPDATE seat SET term_from = '2020-01-01', term_to = '2021-01-01' WHERE id = :id", id=world.chair.id)
    stage.act(world.chair)
    stage.insert("interest", **interest(world.chair, world.applications[0]))


@attack("interest.said_by_holder", "ck_seat_no_staff", "42501")
def speaks_as_a_member_who_is_staff(stage):
    world = stage.fresh
    with stage.as_owner():
        stage.sql("ALTER TABLE capacity DISABLE TRIGGER no_seat")
        stage.insert("capacity", id=uuid.uuid4(), person_id=world.chair.person_id, capacity="officer")
    stage.act(world.chair)
    stage.insert("interest", **interest(world.chair, world.applications[0]))


@attack("interest.said_by_holder", "ck_interest_own_panel")
def speaks_of_an_application_to_another_panel(stage):
    seat = stage.elsewhere.seats[1]
    stage.act(seat)
    stage.insert("interest", **interest(seat, stage.fresh.applications[0]))


@attack("interest.said_by_holder", "ck_interest_next_version")
def leaves_a_version_out(stage):
    world = stage.fresh
    stage.act(world.chair)
    stage.insert("interest", **interest(world.chair, world.applications[0], version=2))


@attack("interest.said_by_holder", "ck_interest_only_raised")
def takes_an_interest_back(stage):
    world = stage.fresh
    make.declare(world, world.chair, world.applications[0], "i_am_in_it")
    stage.act(world.chair)
    stage.insert("interest", **interest(world.chair, world.applications[0], version=2))


@attack("interest/ck_interest_follows_answer", "ck_interest_follows_answer")
def is_in_the_group_and_calls_it_nothing(stage):
    world = stage.fresh
    stage.act(world.chair)
    stage.insert("interest", **interest(world.chair, world.applications[0], answer="i_am_in_it"))


def _closed(stage):
    """A sitting that was closed by hand, with the guards of closing away for this test alone."""
    world = stage.ready
    with stage.as_owner():
        stage.sql("ALTER TABLE sitting_close DISABLE TRIGGER ALL")
        stage.insert("sitting_close", sitting_id=world.sitting.id, closed_by=world.chair.id, seed=bytes(32),
                     available_pence=0, rule_version="2026-1")
    return world


@attack("interest.said_by_holder", "ck_sitting_open")
def speaks_of_an_interest_after_the_closing(stage):
    world = _closed(stage)
    stage.act(world.seats[7])
    version = 2 if queries.newest_interest(world.applications[0], world.seats[7].id) else 1
    stage.insert("interest", **interest(world.seats[7], world.applications[0], version=version,
                                        answer="i_am_in_it", consequence="out_of_room"))


def _doubt(world, seat):
    return make.declare(world, seat, world.applications[0], "not_sure").id


@attack("interest_ruling.ruled_by_chair", "ck_interest_ruling_by_chair", "42501")
def rules_without_being_the_chair(stage):
    world = stage.fresh
    doubt = _doubt(world, world.seats[1])
    stage.act(world.seats[2])
    stage.insert("interest_ruling", interest_id=doubt, consequence="none", ruled_by=world.seats[2].id)


@attack("interest_ruling.ruled_by_chair", "ck_interest_ruling_by_chair", "42501")
def rules_on_the_chairs_own_doubt_as_the_chair(stage):
    world = stage.fresh
    doubt = _doubt(world, world.chair)
    stage.act(world.chair)
    stage.insert("interest_ruling", interest_id=doubt, consequence="none", ruled_by=world.chair.id)


@attack("interest_ruling.ruled_by_chair", "ck_seat_acts_for_itself", "42501")
def rules_in_the_chairs_name(stage):
    world = stage.fresh
    doubt = _doubt(world, world.seats[1])
    stage.act(world.seats[1])
    stage.insert("interest_ruling", interest_id=doubt, consequence="none", ruled_by=world.chair.id)


@attack("interest_ruling.ruled_by_chair", "ck_interest_ruling_asked")
def lets_somebody_in_who_is_in_the_group(stage):
    world = stage.fresh
    said = make.declare(world, world.seats[1], world.applications[0], "i_am_in_it").id
    stage.act(world.chair)
    stage.insert("interest_ruling", interest_id=said, consequence="none", ruled_by=world.chair.id)


@attack("interest_ruling.ruled_by_chair", "ck_interest_ruling_unconflicted")
def rules_while_kept_out_oneself(stage):
    world = stage.fresh
    doubt = _doubt(world, world.seats[1])
    make.declare(world, world.chair, world.applications[0], "i_am_in_it")
    stage.act(world.chair)
    stage.insert("interest_ruling", interest_id=doubt, consequence="none", ruled_by=world.chair.id)


# Scores


def _joins(stage, seat, application_id):
    """The holder of a seat becomes a member of the group that asks."""
    stage.sql("INSERT INTO membership (id, organisation_id, person_id) SELECT gen_random_uuid(), organisation_id, "
              ":person FROM submission WHERE application_id = :id", id=application_id, person=seat.person_id)


def _score(stage, assignment, *, criterion=None, **changes):
    row = {"id": uuid.uuid4(), "assignment_id": assignment.id,
           "criterion_id": (criterion or stage.fresh.criteria[0]).id, "version": 1, "points": 5, "reason": "Because"}
    stage.insert("score", **{**row, **changes})


def _reader(stage, answer="nothing"):
    """The first reader of the fresh application, who said this, acting."""
    world = stage.fresh
    assignment = world.readers(world.applications[0])[0]
    seat = world.seat(assignment.seat_id)
    if answer:
        make.declare(world, seat, world.applications[0], answer)
    stage.act(seat)
    return world, assignment


@attack("score.may_score", "ck_score_no_interest")
def scores_before_saying_what_ties_them(stage):
    _score(stage, _reader(stage, answer="")[1])


@attack("score.may_score", "ck_score_no_interest")
def scores_while_kept_out(stage):
    _score(stage, _reader(stage, answer="neighbour_runs_it")[1])


@attack("score.may_score", "ck_score_no_interest")
def scores_before_the_chair_answered(stage):
    _score(stage, _reader(stage, answer="not_sure")[1])


@attack("score.may_score", "ck_seat_acts_for_itself", "42501")
def scores_for_another_reader(stage):
    world, _assignment = _reader(stage)
    _score(stage, world.readers(world.applications[0])[1])


@attack("score.may_score", "ck_score_not_locked")
def scores_again_after_the_lock(stage):
    world = stage.fresh
    assignment = world.readers(world.applications[0])[0]
    make.score(world, assignment)
    stage.act(world.seat(assignment.seat_id))
    _score(stage, assignment, version=2)


@attack("score.may_score", "ck_score_not_released")
def scores_after_letting_go(stage):
    _world, assignment = _reader(stage)
    stage.insert("score_release", assignment_id=assignment.id)
    _score(stage, assignment)


@attack("score.may_score", "ck_sitting_open")
def scores_after_the_closing(stage):
    world = _closed(stage)
    assignment = world.readers(world.applications[0])[0]
    stage.act(world.seat(assignment.seat_id))
    _score(stage, assignment, criterion=world.criteria[0], version=2)


@attack("score.may_score", "ck_score_next_version")
def writes_over_an_earlier_score(stage):
    _score(stage, _reader(stage)[1], version=3)


@attack("score.may_score", "ck_score_own_criterion")
def scores_by_another_rounds_question(stage):
    _score(stage, _reader(stage)[1], criterion=stage.elsewhere.criteria[0])


@attack("score.may_score", "ck_score_no_stake")
def scores_an_application_of_a_group_that_they_joined(stage):
    world, assignment = _reader(stage)
    _joins(stage, world.seat(assignment.seat_id), world.applications[0])
    _score(stage, assignment)


@attack("score/ck_score_points", "ck_score_points")
def gives_six_points(stage):
    _score(stage, _reader(stage)[1], points=6)


def _seal(stage, world, assignment, *, salt=bytes(32)):
    saved = queries.saved_scores(assignment.id)
    text = rules.sealed_text(assignment.id, [(c.position, saved[c.id].points, saved[c.id].reason)
                                             for c in world.criteria if c.id in saved])
    return {"assignment_id": assignment.id, "salt": salt, "commitment": rules.seal(salt, text)}


@attack("score_lock.may_lock", "ck_score_lock_complete")
def locks_with_a_question_left(stage):
    world, assignment = _reader(stage)
    _score(stage, assignment)
    stage.insert("score_lock", **_seal(stage, world, assignment))


@attack("score_lock.may_lock", "ck_score_lock_seals")
def seals_something_else(stage):
    world = stage.fresh
    assignment = world.readers(world.applications[0])[0]
    make.score(world, assignment, lock=False)
    stage.act(world.seat(assignment.seat_id))
    stage.insert("score_lock", **{**_seal(stage, world, assignment), "commitment": hashlib.sha256(b"x").digest()})


@attack("score_lock.may_lock", "ck_score_no_interest")
def locks_after_an_interest_came_up(stage):
    world = stage.fresh
    assignment = world.readers(world.applications[0])[0]
    make.score(world, assignment, lock=False)
    make.declare(world, world.seat(assignment.seat_id), world.applications[0], "neighbour_runs_it")
    stage.act(world.seat(assignment.seat_id))
    stage.insert("score_lock", **_seal(stage, world, assignment))


@attack("score_release.may_release", "ck_seat_acts_for_itself", "42501")
def lets_another_reader_go(stage):
    world, _assignment = _reader(stage)
    stage.insert("score_release", assignment_id=world.readers(world.applications[0])[1].id)


@attack("score_release.may_release", "ck_score_not_locked")
def lets_go_of_a_locked_score(stage):
    world = stage.fresh
    assignment = world.readers(world.applications[0])[0]
    make.score(world, assignment)
    stage.act(world.seat(assignment.seat_id))
    stage.insert("score_release", assignment_id=assignment.id)


@attack("score_reminder.apart", "ck_score_reminder_apart")
def reminds_twice_in_one_breath(stage):
    assignment = stage.fresh.readers(stage.fresh.applications[0])[0]
    stage.insert("score_reminder", assignment_id=assignment.id, number=1)
    stage.insert("score_reminder", assignment_id=assignment.id, number=2)


@attack("score_reminder.apart", "ck_score_reminder_apart")
def pretends_to_have_reminded_before_it_was_theirs(stage):
    assignment = stage.fresh.readers(stage.fresh.applications[0])[0]
    stage.insert("score_reminder", assignment_id=assignment.id, number=1, sent_at="2026-01-01T00:00:00Z")


# Seats, sittings, readers


def _seat(stage, **changes):
    world = stage.fresh
    row = {"id": uuid.uuid4(), "panel_id": world.panel.id, "number": 11, "person_id": make.make_person().id,
           "is_resident": True, "term_from": "2026-01-01", "term_to": "2029-01-01"}
    stage.insert("seat", **{**row, **changes})


@attack("seat.may_sit", "ck_seat_no_staff", "42501")
def seats_one_of_the_staff(stage):
    person = make.make_person()
    stage.insert("capacity", id=uuid.uuid4(), person_id=person.id, capacity="officer")
    _seat(stage, person_id=person.id)


@attack("seat.may_sit", "ck_seat_code_by_holder", "42501")
def accepts_the_code_for_a_new_member(stage):
    _seat(stage, code_accepted_at="2026-01-01T00:00:00Z")


@attack("seat.one_way", "ck_seat_acts_for_itself", "42501")
def ends_a_members_seat(stage):
    stage.sql("UPDATE seat SET ended_at = now() WHERE id = :id", id=stage.fresh.chair.id)


@attack("seat.one_way", "ck_seat_acts_for_itself", "42501")
def accepts_the_code_for_an_invited_member(stage):
    seat = make.invite(stage.fresh, make.make_person().id)
    stage.sql("UPDATE seat SET code_accepted_at = now() WHERE id = :id", id=seat.id)


@attack("seat.one_way", "ck_seat_one_way")
def takes_a_members_training_away(stage):
    stage.sql("UPDATE seat SET trained_at = NULL WHERE id = :id", id=stage.fresh.chair.id)


def _sitting(stage, **changes):
    row = {"id": uuid.uuid4(), "round_id": stage.fresh.round_id, "number": 2, "seed_commitment": bytes(32),
           "scoring_closes_at": "2099-01-01T00:00:00Z"}
    stage.insert("sitting", **{**row, **changes})


@attack("sitting.one_at_a_time", "ck_sitting_one_at_a_time")
def opens_a_second_sitting_with_a_lot_of_its_own(stage):
    _sitting(stage)


@attack("sitting.one_at_a_time", "ck_sitting_after_round")
def has_scoring_end_before_the_round(stage):
    made = rounds.published(closes_at=datetime.now(UTC) + timedelta(days=9))
    _sitting(stage, round_id=made.id, number=1, scoring_closes_at=datetime.now(UTC) + timedelta(days=1))


@attack("sitting_seed.committed", "ck_sitting_seed_committed")
def keeps_a_seed_that_was_not_committed_to(stage):
    sitting = uuid.uuid4()
    _sitting(stage, id=sitting, round_id=rounds.published().id, number=1)
    stage.insert("sitting_seed", sitting_id=sitting, seed=b"x" * 32)


@attack("sitting_application.eligible", "ck_sitting_application_eligible")
def puts_an_ineligible_application_before_the_panel(stage):
    sent = make_applications.submitted(round_id=stage.fresh.round_id)
    applications.check_eligibility(Actor(Capacity.OFFICER, make.make_person().id), sent.application_id, eligible=False,
                                   reason="outside_the_objects")
    stage.insert("sitting_application", application_id=sent.application_id, sitting_id=stage.fresh.sitting.id)


@attack("sitting_application.eligible", "ck_sitting_application_round")
def puts_an_application_before_another_rounds_panel(stage):
    stage.insert("sitting_application", application_id=make.make_eligible(stage.elsewhere.round_id),
                 sitting_id=stage.fresh.sitting.id)


@attack("assignment.own_panel", "ck_assignment_own_panel")
def gives_an_application_to_another_panels_member(stage):
    stage.insert("assignment", id=uuid.uuid4(), application_id=stage.fresh.applications[0],
                 seat_id=stage.elsewhere.seats[1].id)


@attack("assignment.own_panel", "ck_assignment_no_stake")
def gives_a_member_their_own_groups_application(stage):
    world = stage.fresh
    reading = {a.seat_id for a in world.readers(world.applications[0])}
    seat = next(seat for seat in world.seats if seat.id not in reading)
    _joins(stage, seat, world.applications[0])
    stage.insert("assignment", id=uuid.uuid4(), application_id=world.applications[0], seat_id=seat.id)


def _pot(stage, world, seat):
    stage.act(seat)
    stage.insert("sitting_pot", sitting_id=world.sitting.id, pot_pence=1, set_by=seat.id)


@attack("sitting_pot.set_by_chair", "ck_sitting_pot_by_chair", "42501")
def sets_the_pot_without_being_the_chair(stage):
    _pot(stage, stage.fresh, stage.fresh.seats[1])


@attack("sitting_pot.set_by_chair", "ck_sitting_pot_before_scores")
def trims_the_pot_to_what_was_scored(stage):
    _pot(stage, stage.ready, stage.ready.chair)


# What only the panel's role may write, and nobody may change


SAID = ["interest", "interest_ruling", "score", "score_lock", "score_release", "attendance", "agreed_reason",
        "sitting_close", "decision", "sitting_pot"]


@pytest.mark.parametrize("table", SAID)
def test_the_application_itself_can_write_nothing_that_a_panel_says(stage, table):
    with pytest.raises(sa.exc.ProgrammingError) as refused:
        stage.sql(f"INSERT INTO {table} DEFAULT VALUES")
    assert refusal(refused.value)[0] == "42501"


@pytest.mark.parametrize("table", [*SAID, "sitting", "sitting_seed", "sitting_application", "assignment", "panel"])
@pytest.mark.parametrize("role", ["fund_app", "fund_panel", "owner"])
@pytest.mark.parametrize("how", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}"])
def test_nobody_changes_or_removes_it_the_owner_included(stage, table, role, how):
    column = session.execute(sa.text(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum = 1"),
        {"table": table}).scalar_one()
    if role == "fund_panel":
        stage.act(stage.ready.chair)
    elif role == "owner":
        stage.sql("RESET SESSION AUTHORIZATION; SET LOCAL ROLE fund_owner")
    with pytest.raises(sa.exc.DBAPIError) as refused:
        stage.sql(how.format(table, column, column))
    assert refusal(refused.value)[0] == ("23001" if role == "owner" else "42501")


def test_the_lots_secret_is_closed_to_the_application(stage):
    with pytest.raises(sa.exc.ProgrammingError) as refused:
        stage.sql("SELECT seed FROM sitting_seed")
    assert refusal(refused.value)[0] == "42501"


def test_raising_an_interest_after_the_lock_excludes_the_score_and_keeps_it(stage):
    world = stage.fresh
    first, second, third = world.readers(world.applications[0])
    for assignment, points in ((first, 5), (second, 1), (third, 1)):
        make.score(world, assignment, points)
    make.declare(world, world.seat(first.seat_id), world.applications[0], "neighbour_runs_it")
    counted = stage.sql("SELECT count(*), min(points) FROM counted_score(:id)", id=world.sitting.id).one()
    assert counted == (8, 1)
    assert stage.sql("SELECT count(*) FROM score WHERE assignment_id = :id", id=first.id).scalar() == 4
    assert len(world.readers(world.applications[0])) == 4


def test_reminders_go_out_twice_and_not_more(stage):
    world = stage.fresh
    closes = world.sitting.scoring_closes_at
    assert actions.remind(closes - timedelta(days=3)) >= 3
    assert actions.remind(closes - timedelta(days=3)) == 0
    written = stage.sql("SELECT template, count(*) FROM message GROUP BY template ORDER BY template").all()
    assert ("panel_reminder", stage.sql("SELECT count(*) FROM score_reminder").scalar()) in written


def test_an_application_before_the_panel_is_put_there_once(stage):
    world = stage.fresh
    actions.put_before_the_panel(world.applications[0])
    assert len(world.readers(world.applications[0])) == 3


