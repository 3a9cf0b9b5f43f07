"""Many at once, on a database of their own, with transactions that really commit."""

import threading
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa

from fund.app import create_app
from fund.applications import actions
from fund.db import db, session, transaction
from fund.embedded import postgres
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import FundError
from fund.settings import Settings
from tests.make import applications, people, rounds


@pytest.fixture
def own_app(server, template):
    """The application on a fresh copy of the migrated database, with room for many connections."""
    name = "at_once"
    with psycopg.connect(postgres.superuser_url(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER fund_owner")
        app = create_app(Settings(_env_file=None, fund_env="test",
                                  database_url=postgres.role_url(server, name, "fund_app")),
                         SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 20, "max_overflow": 0, "pool_timeout": 30})
        yield app
        with app.app_context():
            for engine in db.engines.values():
                engine.dispose()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def all_at_once(app, doings):
    """Do all of them at the same moment, each in its own transaction; what each gave or raised."""
    barrier, given = threading.Barrier(len(doings)), [None] * len(doings)

    def run(number, doing):
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    given[number] = doing()
            except (FundError, sa.exc.DBAPIError) as error:
                given[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(doings)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


def made(app, make):
    with app.app_context(), transaction():
        return make()


def one(app, text, **values):
    with app.app_context():
        return session.execute(sa.text(text), values).scalar_one()


def test_fifty_posts_at_once_are_one_submission_with_one_reference_one_leaf_and_one_letter(own_app):
    person_id, application_id = made(own_app, lambda: (lambda draft: (draft.applicant_id, draft.id))(
        applications.draft()))
    actor = Actor(Capacity.APPLICANT, person_id)
    given = all_at_once(own_app, [lambda: actions.submit(actor, application_id).id] * 16)
    given += all_at_once(own_app, [lambda: actions.submit(actor, application_id).id] * 16)
    given += all_at_once(own_app, [lambda: actions.submit(actor, application_id).id] * 18)
    assert len(set(given)) == 1, given
    for text in ("SELECT count(*) FROM submission", "SELECT count(*) FROM log.leaf WHERE kind = 'application_received'",
                 "SELECT count(*) FROM message", "SELECT count(*) FROM act WHERE verb = 'submit_application'"):
        assert one(own_app, text) == 1


def test_a_double_click_on_begin_is_one_draft(own_app):
    person_id, round_id = made(own_app, lambda: (people.make_person().id, rounds.published().id))
    given = all_at_once(own_app, [lambda: actions.start(Actor(Capacity.APPLICANT, person_id), round_id).id] * 8)
    assert len(set(given)) == 1, given


def test_saving_and_sending_at_once_never_lets_the_frozen_copy_and_the_draft_disagree(own_app):
    for _number in range(5):
        person_id, application_id = made(own_app, lambda: (lambda draft: (draft.applicant_id, draft.id))(
            applications.draft()))
        actor = Actor(Capacity.APPLICANT, person_id)
        all_at_once(own_app, [
            lambda a=actor, b=application_id: actions.submit(a, b).id,
            lambda a=actor, b=application_id: actions.save(a, b, answers={"title": "Changed at the last moment"}).id])
        assert one(own_app, "SELECT s.title = a.answers -> 'title' ->> 'value' FROM submission s "
                            "JOIN application a ON a.id = s.application_id WHERE a.id = :id", id=application_id)


def test_taking_back_and_checking_at_once_never_puts_what_was_taken_back_before_the_panel(own_app):
    for _number in range(5):
        sent, officer_id = made(own_app, lambda: (applications.submitted(), people.make_staff(Capacity.OFFICER).id))
        all_at_once(own_app, [
            lambda s=sent: actions.withdraw(Actor(Capacity.APPLICANT, s.applicant_id), s.application_id),
            lambda s=sent, o=officer_id: actions.check_eligibility(Actor(Capacity.OFFICER, o), s.application_id,
                                                                   eligible=True) and None])
        assert one(own_app, "SELECT count(*) FROM withdrawal WHERE application_id = :id", id=sent.application_id) == 1
        order = one(own_app, "SELECT coalesce(bool_and(e.checked_at < w.withdrawn_at), true) FROM withdrawal w "
                             "LEFT JOIN eligibility e USING (application_id) WHERE application_id = :id",
                    id=sent.application_id)
        assert order, "checked after it was taken back"


def test_a_post_that_began_before_the_end_and_arrives_after_it_is_late_for_everybody(own_app):
    closes_at = clock.now() + timedelta(milliseconds=700)
    person_id, application_id = made(own_app, lambda: (lambda draft: (draft.applicant_id, draft.id))(
        applications.draft(round_id=rounds.published(closes_at=closes_at).id)))
    actor = Actor(Capacity.APPLICANT, person_id)
    with own_app.app_context():
        session.execute(sa.text("SELECT pg_sleep(greatest(0, extract(epoch FROM CAST(:closes_at AS timestamptz) "
                                "- clock_timestamp())))"), {"closes_at": closes_at})
        with pytest.raises(FundError) as error:
            actions.submit(actor, application_id)
        session.rollback()
        assert [reason.code for reason in error.value.reasons] == ["closed"]
    kept = made(own_app, lambda: actions.save(actor, application_id, answers={"title": "Still mine"}).values["title"])
    assert kept == "Still mine"
