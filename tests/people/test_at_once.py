"""The same thing at the same moment, on real connections in a database of its own: one wins, the others hear why."""

import os
import threading
import uuid
from datetime import timedelta

import psycopg
import pytest

from fund.app import create_app
from fund.db import db, transaction
from fund.db import session as fund_session
from fund.embedded import postgres
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Capacity
from fund.kernel.errors import Refused
from fund.people import actions, queries, rules
from fund.people.models import SignInRequest
from fund.settings import Settings
from tests.make.people import make_person


@pytest.fixture
def apart(server, template):
    """An application with a database of its own, in which things are really committed."""
    name = f"apart_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        app = create_app(Settings(_env_file=None, fund_env="test",
                                  database_url=postgres.role_url(server, name, "fund_app")),
                         SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 20, "max_overflow": 20})
        yield app
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def all_at_once(app, count, do):
    """Run `do(number)` in `count` threads that start together; gives what each gave or raised."""
    barrier, results = threading.Barrier(count), []

    def run(number):
        with app.app_context():
            try:
                barrier.wait()
                with transaction():
                    results.append(do(number))
            except Exception as error:
                results.append(error)
            finally:
                fund_session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def make_request(app) -> uuid.UUID:
    with app.app_context(), transaction():
        request = SignInRequest(
            id=uuid.uuid4(), email="ana@example.org", token_sha256=rules.sha256("token"), code_sha256=b"never",
            device_sha256=rules.sha256("device"), return_to="/", expires_at=clock.now() + timedelta(minutes=15))
        fund_session.add(request)
        return request.id


def test_a_link_pressed_twenty_times_at_once_signs_in_once(apart):
    make_request(apart)
    results = all_at_once(apart, 20, lambda _number: actions.claim_by_link("token"))
    assert len([one for one in results if isinstance(one, actions.SignIn)]) == 1
    assert len([one for one in results if isinstance(one, Refused)]) == 19
    with apart.app_context():
        assert fund_session.execute(db.text("SELECT count(*) FROM person_session")).scalar() == 1


def test_of_twenty_wrong_codes_at_once_five_are_looked_at(apart):
    request_id = make_request(apart)
    results = all_at_once(apart, 20, lambda number: actions.claim_by_code(request_id, device="device",
                                                                         code=f"{number:06d}"))
    assert results.count(None) == 5
    assert len([one for one in results if isinstance(one, Refused)]) == 15


def test_twenty_first_visits_at_once_make_one_person(apart):
    results = all_at_once(apart, 20, lambda _number: actions.find_or_make_person("ana@example.org").id)
    assert len(set(results)) == 1


def test_of_four_capacities_given_to_one_person_at_once_one_stands(apart):
    with apart.app_context(), transaction():
        person_id = make_person().id
    kinds = [Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE]
    results = all_at_once(apart, 4, lambda number: actions.grant_capacity(SYSTEM, person_id, kinds[number]))
    assert len([one for one in results if isinstance(one, Refused)]) == 3
    with apart.app_context():
        assert len(queries.capacities_of(person_id)) == 1


def test_a_seat_and_a_capacity_given_at_the_same_moment_cannot_both_stand(server, apart):
    """The second waits for the first at `lock_person`, and is refused when the first has committed."""
    name = apart.config["SQLALCHEMY_DATABASE_URI"].rsplit("/", 1)[1].split("?")[0]
    with apart.app_context(), transaction():
        person_id = make_person().id
    with (psycopg.connect(postgres.superuser_url(server, name)) as staff,
          psycopg.connect(postgres.superuser_url(server, name)) as panel):
        staff.execute("INSERT INTO capacity (id, person_id, capacity) VALUES (gen_random_uuid(), %s, 'officer')",
                      [person_id])
        panel.execute("SET LOCAL lock_timeout = '300ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            panel.execute("SELECT lock_person(%s)", [person_id])
        staff.commit()
        panel.rollback()
        with pytest.raises(psycopg.Error) as refused:
            panel.execute("INSERT INTO seat (id, panel_id, number, person_id, is_resident, term_from, term_to) "
                          "VALUES (gen_random_uuid(), gen_random_uuid(), 1, %s, true, '2026-01-01', '2029-01-01')",
                          [person_id])
        assert refused.value.diag.constraint_name == "ck_seat_no_staff"
