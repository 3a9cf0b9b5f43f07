"""Publishing: once, for ever, and on the public record; and what the tables refuse whoever asks."""

import json
import uuid
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from fund.db import refusal
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.rounds import actions, queries
from fund.rounds.formats import SMALL_GRANT
from fund.rounds.rules import TIE_BREAK, RoundRules
from tests.make import rounds


def test_a_round_is_published_with_its_criteria_and_kept_in_memory(session, sql):
    made = rounds.published(title="Small grants")
    assert [criterion.weight for criterion in made.criteria] == [40, 25, 20, 15]
    assert queries.round(made.reference) is queries.round(made.id) is made
    assert made.neighbourhood_name == "Alder Park"
    sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_is_published_stands_in_the_public_log_with_weights_and_tie_break(session, sql):
    made = rounds.published(rules=RoundRules(most_pence=500_000))
    said = json.loads(bytes(sql("SELECT bytes FROM log.leaf WHERE kind = 'round_published'").scalar_one()))["record"]
    assert said["round"] == str(made.id)
    assert [each["weight"] for each in said["criteria"]] == [40, 25, 20, 15]
    assert said["tie_break"] == list(TIE_BREAK)
    assert said["rules"]["most_pence"] == "500000"


def test_only_open_rounds_of_the_place_are_shown_those_that_close_first_on_top(session):
    place, now = rounds.neighbourhood(), clock.now()
    always = rounds.published(neighbourhood_id=place)
    soon = rounds.published(neighbourhood_id=place, closes_at=now + timedelta(days=3))
    rounds.published(neighbourhood_id=place, opens_at=now + timedelta(days=1))
    rounds.published(neighbourhood_id=place, opens_at=now - timedelta(days=9), closes_at=now - timedelta(days=1))
    rounds.published()
    assert [found.id for found in queries.open_rounds(place)] == [soon.id, always.id]


def test_a_round_with_wrong_weights_is_refused_and_nothing_stands(session, sql):
    with pytest.raises(Refused):
        rounds.published(criteria=[("Good", "Is it?", 99)])
    assert sql("SELECT count(*) FROM criterion").scalar_one() == 0


@pytest.mark.parametrize("capacity", [Capacity.APPLICANT, Capacity.READER, Capacity.APPROVER])
def test_only_officers_publish(session, capacity):
    with pytest.raises(Forbidden):
        actions.publish_form(Actor(capacity, uuid.uuid4()), "small_grant", SMALL_GRANT)


def test_an_unknown_place_or_form_is_not_found(session):
    with pytest.raises(NotFound):
        rounds.published(neighbourhood_id=uuid.uuid4())
    with pytest.raises(NotFound):
        queries.round("RND-0000-0000")
    with pytest.raises(NotFound):
        queries.form(uuid.uuid4())


def test_the_same_form_is_published_once_and_a_changed_one_is_a_new_version(session):
    first = rounds.form()
    assert rounds.form() == first == queries.newest_form("small_grant")
    changed = json.loads(json.dumps(SMALL_GRANT))
    changed["pages"][0]["questions"][0]["label"] = "What is it?"
    second = actions.publish_form(SYSTEM, "small_grant", changed)
    assert second != first
    assert queries.form(second).version == 2
    assert queries.newest_form("small_grant") == second


@pytest.mark.parametrize("definition", [
    {}, {"pages": [{"id": "a", "title": "A", "questions": [{"id": "a", "kind": "essay", "label": "A"}]}]},
    {"pages": [SMALL_GRANT["pages"][0]]}, {"pages": SMALL_GRANT["pages"] + SMALL_GRANT["pages"][:1]},
])
def test_a_form_that_is_none_is_refused(session, definition):
    with pytest.raises(BadInput):
        actions.publish_form(SYSTEM, "other", definition)


ROUND = ("INSERT INTO round (id, reference, neighbourhood_id, form_version_id, title, opens_at, rules) "
         "SELECT :id, :reference, neighbourhood_id, form_version_id, title, opens_at, rules FROM round LIMIT 1")
CRITERION = ("INSERT INTO criterion (id, round_id, position, name, question, weight) "
             "VALUES (gen_random_uuid(), :round, :position, 'Good', 'Is it?', :weight)")


def test_the_table_refuses_weights_that_do_not_sum_to_100(session, sql):
    rounds.published()
    made = uuid.uuid4()
    sql(CRITERION, round=made, position=1, weight=99)
    with pytest.raises(DBAPIError) as error:
        sql(ROUND, id=made, reference="RND-BAD")
    assert refusal(error.value) == ("23514", "ck_criteria_sum_to_100")


def test_the_table_takes_no_criterion_for_a_round_that_is_published(session, sql):
    made = rounds.published()
    with pytest.raises(DBAPIError) as error:
        sql(CRITERION, round=made.id, position=9, weight=1)
    assert refusal(error.value) == ("23514", "ck_criterion_with_its_round")


@pytest.mark.parametrize("statement", [
    "UPDATE criterion SET weight = weight", "DELETE FROM criterion", "UPDATE round SET title = 'Other'",
    "DELETE FROM round", "UPDATE form_version SET name = 'other'", "TRUNCATE criterion"])
def test_nothing_published_is_changed_or_removed(session, sql, statement):
    rounds.published()
    with pytest.raises(DBAPIError) as error:
        sql(statement)
    assert refusal(error.value)[0] in {"42501", "23001"}


def test_without_the_trigger_a_criterion_could_be_slipped_in_and_the_sum_still_stops_it(app, session, owner):
    """The owner drops each guard in turn, in a transaction of its own, and sees what that guard alone held off."""
    with psycopg.connect(owner.info.dsn) as other:
        place, form, made = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        other.execute("SET session_replication_role = replica")
        other.execute("INSERT INTO form_version (id, name, version, definition) VALUES (%s, 'x', 1, '{}')", [form])
        other.execute("INSERT INTO round (id, reference, neighbourhood_id, form_version_id, title, opens_at, rules) "
                      "VALUES (%s, 'RND-X', %s, %s, 'x', now(), '{}')", [made, place, form])
        other.execute("INSERT INTO criterion (id, round_id, position, name, question, weight) "
                      "VALUES (gen_random_uuid(), %s, 1, 'a', 'a?', 100)", [made])
        other.execute("SET session_replication_role = origin")
        other.execute("DROP TRIGGER with_its_round ON criterion")
        other.execute("SAVEPOINT before")
        other.execute("INSERT INTO criterion (id, round_id, position, name, question, weight) "
                      "VALUES (gen_random_uuid(), %s, 2, 'b', 'b?', 5)", [made])
        with pytest.raises(psycopg.errors.CheckViolation) as error:
            other.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other.execute("ROLLBACK TO before")
        assert error.value.diag.constraint_name == "ck_criteria_sum_to_100"
        other.execute("DROP TRIGGER weights ON criterion")
        other.execute("INSERT INTO criterion (id, round_id, position, name, question, weight) "
                      "VALUES (gen_random_uuid(), %s, 2, 'b', 'b?', 5)", [made])
        other.rollback()
