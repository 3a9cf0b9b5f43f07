"""Many at once: two closings, a score against a closing, two sittings and one pot. Real threads, real commits."""

import os
import threading
import uuid
from contextlib import contextmanager

import psycopg
import pytest

from fund.app import create_app
from fund.db import act_from_a_seat, db
from fund.db import session as fund_session
from fund.decisions import actions, queries
from fund.embedded import postgres
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import Refused
from fund.panels import actions as panels_actions
from fund.settings import Settings
from tests.make import decisions as make
from tests.make import panels as make_panels


@pytest.fixture(scope="module")
def town(server, template):
    """An application on a database of its own, whose transactions are really committed."""
    name = f"town_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        app = create_app(Settings(_env_file=None, fund_env="test",
                                  database_url=postgres.role_url(server, name, "fund_app")), TESTING=True)
        yield app
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def seated(app, person_id, seat_id):
    """One request of a member: a transaction in the panel's role, committed at its end."""
    with app.app_context():
        actor = Actor(Capacity.CHAIR, person_id, seat_id)
        try:
            act_from_a_seat(actor)
            yield actor
            fund_session.commit()
        except BaseException:
            fund_session.rollback()
            raise
        finally:
            fund_session.remove()


def together(*jobs):
    """Run all of them at the same moment; gives what each raised, or None."""
    barrier, outcomes = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(n, job):
        barrier.wait()
        try:
            job()
        except Exception as error:  # the test looks at each
            outcomes[n] = error

    threads = [threading.Thread(target=run, args=(n, job)) for n, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def committed(app, make_it):
    """Make a world and commit it; gives it with its seats loaded, for use in other threads."""
    with app.app_context():
        made = make_it()
        seats = [(seat.person_id, seat.id) for seat in made.seats]
        sitting_id = made.sitting.id
        fund_session.commit()
        fund_session.remove()
    return made, seats, sitting_id


def test_of_two_closings_at_once_one_stands_and_the_other_is_told(town):
    made, seats, sitting_id = committed(town, lambda: make.make_ready_to_close(applications=2))

    def close():
        with seated(town, *seats[0]) as actor:
            actions.close_sitting(actor, sitting_id)

    outcomes = together(close, close)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Refused"]
    assert [r.code for o in outcomes if isinstance(o, Refused) for r in o.reasons] == ["closed"]
    with town.app_context():
        assert len(queries.decisions_of(sitting_id)) == len(made.applications)


def test_an_interest_against_the_closing_counts_or_is_refused(town):
    made, seats, sitting_id = committed(town, make.make_ready_to_close)
    application_id = made.applications[0]
    with town.app_context():
        reading = {a.seat_id for a in made.readers(application_id)}
    person_id, seat_id = next(seat for seat in seats[1:] if seat[1] in reading)

    def close():
        with seated(town, *seats[0]) as actor:
            actions.close_sitting(actor, sitting_id)

    def raise_interest():
        with seated(town, person_id, seat_id) as actor:
            panels_actions.declare_interest(actor, application_id, answer="i_am_in_it")

    closing, raising = together(close, raise_interest)
    with town.app_context():
        counted = len(queries.counted_points(sitting_id)[application_id][made.criteria[0].id])
        closed = queries.decision_of(application_id) is not None
    if raising is None:  # it came first: its score is out, and the closing saw that a new reader has not finished
        assert (counted, closed) == (2, False)
        assert isinstance(closing, Refused)
    else:
        assert (counted, closed) == (3, True)
        assert [r.code for r in raising.reasons] == ["closed"]


def test_two_sittings_closed_at_once_never_award_more_than_the_place_has(town):
    def two_rounds():
        first = make.make_ready_to_close(amount_pence=100_000, asked_pence=60_000)
        second = make_panels.another_round(first)
        second.put(asked_pence=60_000)
        make_panels.score_all(second)
        make.take_part(second)
        make.agree(second)
        two_rounds.second = second.sitting.id
        return first

    _made, seats, first_id = committed(town, two_rounds)

    def close(sitting_id):
        with seated(town, *seats[0]) as actor:
            actions.close_sitting(actor, sitting_id)

    assert together(lambda: close(first_id), lambda: close(two_rounds.second)) == [None, None]
    with town.app_context():
        decided = [*queries.decisions_of(first_id), *queries.decisions_of(two_rounds.second)]
        assert sorted(d.outcome for d in decided) == ["awarded", "reserve"]
        assert sum(d.amount_pence for d in decided) <= 100_000


def test_one_press_twice_locks_once(town):
    def scored():
        made = make_panels.make_world()
        scored.assignment = made.readers(made.applications[0])[0]
        make_panels.score(made, scored.assignment, lock=False)
        scored.ids = (scored.assignment.id, scored.assignment.seat_id)
        return made

    _made, seats, _sitting = committed(town, scored)
    person_id, seat_id = next(seat for seat in seats if seat[1] == scored.ids[1])

    def lock():
        with seated(town, person_id, seat_id) as actor:
            panels_actions.lock_scores(actor, scored.ids[0])

    outcomes = together(lock, lock, lock)
    assert outcomes.count(None) >= 1
    assert all(o is None or isinstance(o, Refused) for o in outcomes)
