"""People as rows: made once, one capacity each, never staff and panel at once, signed out at once."""

import psycopg
import pytest
import sqlalchemy as sa

from fund import queue
from fund.db import refusal
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, Refused
from fund.people import actions, queries
from tests.make.people import make_person, make_staff, signed_in

GRANT_OFFICER = "INSERT INTO capacity (id, person_id, capacity) VALUES (gen_random_uuid(), %s, 'officer')"


def test_one_address_is_one_person_whatever_its_case(session):
    first = actions.find_or_make_person("Ana.Jones@Example.org", name="Ana Jones")
    assert actions.find_or_make_person(" ana.jones@EXAMPLE.org ", name="Somebody else").id == first.id
    assert (first.email, first.name) == ("ana.jones@example.org", "Ana Jones")


def test_what_is_no_address_makes_nobody(session):
    with pytest.raises(BadInput):
        actions.find_or_make_person("ana@")


def test_a_capacity_can_be_given_only_by_command_and_is_written_down(session, sql):
    person, trustee = make_person(), make_staff(Capacity.TRUSTEE)
    with pytest.raises(Refused) as refused:
        actions.grant_capacity(Actor(Capacity.TRUSTEE, trustee.id), person.id, Capacity.OFFICER)
    assert [reason.code for reason in refused.value.reasons] == ["only_by_command"]
    actions.grant_capacity(SYSTEM, person.id, Capacity.OFFICER)
    actions.grant_capacity(SYSTEM, person.id, Capacity.OFFICER)
    assert queries.capacities_of(person.id) == {Capacity.OFFICER}
    session.flush()
    acts = sql("SELECT capacity, verb FROM act WHERE subject_id = :id", id=person.id).all()
    assert acts == [("system", "grant_capacity")]


@pytest.mark.parametrize("second", [Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE])
def test_nobody_holds_two_capacities(session, sql, second):
    person = make_staff(Capacity.OFFICER)
    with pytest.raises(Refused) as refused:
        actions.grant_capacity(SYSTEM, person.id, second)
    assert [reason.code for reason in refused.value.reasons] == ["one_capacity"]
    with pytest.raises(sa.exc.IntegrityError) as by_table, session.begin_nested():
        sql("INSERT INTO capacity (id, person_id, capacity) VALUES (gen_random_uuid(), :id, :second)",
            id=person.id, second=second.value)
    assert refusal(by_table.value) == ("23505", "uq_capacity_one_for_each_person")


def test_capacities_of_panels_and_applicants_cannot_be_given(session):
    person = make_person()
    for capacity in (Capacity.READER, Capacity.CHAIR, Capacity.APPLICANT, Capacity.SYSTEM):
        with pytest.raises(Refused):
            actions.grant_capacity(SYSTEM, person.id, capacity)


def test_whoever_sits_on_a_panel_cannot_be_staff(owner):
    person = _seated(owner)
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        owner.execute(GRANT_OFFICER, [person])
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("23514", "ck_capacity_no_seat")


def test_without_its_trigger_the_table_would_let_a_panel_member_be_staff(owner):
    person = _seated(owner)
    owner.execute("ALTER TABLE capacity DISABLE TRIGGER no_seat")
    owner.execute(GRANT_OFFICER, [person])


def _seated(owner) -> str:
    """A person with a live seat, put there past every check but the one under test."""
    owner.execute("SET LOCAL session_replication_role = replica")
    (person,) = owner.execute("INSERT INTO person (id, email) VALUES (gen_random_uuid(), 'seated@example.org') "
                              "RETURNING id").fetchone()
    owner.execute("INSERT INTO seat (id, panel_id, number, person_id, is_resident, term_from, term_to) VALUES "
                  "(gen_random_uuid(), gen_random_uuid(), 1, %s, true, '2026-01-01', '2029-01-01')", [person])
    owner.execute("SET LOCAL session_replication_role = origin")
    return person


def test_the_application_cannot_change_an_address_or_make_somebody_a_demo_person(session, sql):
    person = make_person()
    for change in ("email = 'other@example.org'", "is_demo = true"):
        with pytest.raises(sa.exc.ProgrammingError) as refused, session.begin_nested():
            sql(f"UPDATE person SET {change} WHERE id = :id", id=person.id)
        assert refusal(refused.value)[0] == "42501"


def test_a_capacity_taken_away_works_at_once_and_signs_its_holder_out(session):
    person = make_staff(Capacity.APPROVER)
    key = signed_in(person).get_id()
    assert queries.signed_in(key).capacities == {Capacity.APPROVER}
    with pytest.raises(Forbidden):
        actions.end_capacity(Actor(Capacity.TRUSTEE, person.id), person.id)
    actions.end_capacity(SYSTEM, person.id)
    assert queries.signed_in(key) is None
    assert queries.capacities_of(person.id) == frozenset()
    assert queries.people_with(Capacity.APPROVER) == []


def test_a_capacity_given_to_somebody_signed_in_works_at_once(session):
    person = make_person()
    key = signed_in(person).get_id()
    assert queries.signed_in(key).capacities == frozenset()
    actions.grant_capacity(SYSTEM, person.id, Capacity.OFFICER)
    assert queries.signed_in(key).capacities == {Capacity.OFFICER}


def test_a_session_that_ended_or_ran_out_or_never_was_is_nobody(session, sql):
    person = make_person()
    ended, over = signed_in(person).session_id, signed_in(person).session_id
    actions.end_session(ended)
    sql("SELECT 1")
    for key in (str(ended), "", "nonsense", "00000000-0000-0000-0000-000000000000", "x" * 5000):
        assert queries.signed_in(key) is None
    assert queries.signed_in(str(over)) is not None


def test_requests_to_sign_in_are_forgotten_after_two_days_with_the_words_in_them(session, sql):
    for days in (0, 1, 3):
        request_id = actions.begin_sign_in("ana@example.org", device="x", return_to="/", words={})
        session.flush()
        if days:
            sql("DELETE FROM sign_in_request WHERE id = :id", id=request_id)
            sql("""INSERT INTO sign_in_request
                (id, email, token_sha256, code_sha256, device_sha256, return_to, created_at, expires_at) VALUES
                (:id, 'ana@example.org', sha256(:days), '', '', '/', now() - make_interval(days => :number), now())""",
                id=request_id, days=str(days).encode(), number=days)
    queue.JOBS["people.tidy"]()
    assert sql("SELECT count(*) FROM sign_in_request").scalar() == 2
