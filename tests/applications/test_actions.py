"""Beginning, saving, sending, taking back and checking; and what the tables refuse whoever asks."""

import json
import uuid
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from fund.applications import actions, formats, queries
from fund.applications.models import Application
from fund.applications.queries import lists
from fund.applications.rules import INELIGIBLE_BECAUSE, State
from fund.db import refusal
from fund.kernel import clock
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, Stale
from fund.organisations.actions import add_member, end_membership
from fund.organisations.rules import Check, Kind
from fund.rounds.rules import RoundRules
from tests.make import applications, organisations, people, rounds


def applicant(person_id):
    return Actor(Capacity.APPLICANT, person_id)


def officer(person_id=None):
    return Actor(Capacity.OFFICER, person_id or people.make_person().id)


def codes(error):
    return [reason.code for reason in error.value.reasons]


def test_beginning_twice_gives_the_same_draft(session):
    person, round_ = people.make_person().id, rounds.published()
    first = actions.start(applicant(person), round_.id)
    assert actions.start(applicant(person), round_.id).id == first.id
    assert actions.start(applicant(people.make_person().id), round_.id).id != first.id


def test_nobody_begins_in_a_round_that_is_not_open(session):
    now = clock.now()
    for dates in ({"opens_at": now + timedelta(hours=1)}, {"opens_at": now - timedelta(days=2), "closes_at": now}):
        with pytest.raises(Refused):
            actions.start(applicant(people.make_person().id), rounds.published(**dates).id)


def test_an_officer_cannot_write_an_application(session):
    with pytest.raises(Forbidden):
        actions.start(officer(), rounds.published().id)
    draft = applications.draft()
    for action in (lambda: actions.save(officer(draft.applicant_id), draft.id, answers={"title": "Mine"}),
                   lambda: actions.submit(officer(draft.applicant_id), draft.id),
                   lambda: actions.withdraw(officer(draft.applicant_id), draft.id)):
        with pytest.raises(Forbidden):
            action()


def test_what_is_typed_is_kept_right_or_wrong_also_after_the_round_closed(session, sql):
    draft = applications.draft(answers={"title": "x" * 300, "asked": "1e5"})
    assert draft.values["asked"] == "1e5"
    closed = rounds.published(opens_at=clock.now() - timedelta(days=2), closes_at=clock.now() - timedelta(days=1))
    late = Application(id=uuid.uuid4(), reference="APP-LATE", round_id=closed.id,
                                    applicant_id=draft.applicant_id, answers={})
    session.add(late)
    session.flush()
    actions.save(applicant(draft.applicant_id), late.id, answers={"title": "Still here"})
    assert queries.application_for(draft.applicant_id, "APP-LATE").values == {"title": "Still here"}
    with pytest.raises(Refused) as error:
        actions.submit(applicant(draft.applicant_id), late.id)
    assert codes(error)[0] == "closed"


def test_two_tabs_on_two_pages_both_stand_and_on_one_answer_both_texts_are_shown(session):
    draft = applications.draft(answers={"title": "Benches", "where": "Alder Park"})
    person, opened = applicant(draft.applicant_id), draft.version
    actions.save(person, draft.id, answers={"title": "Two benches"}, version=opened)
    actions.save(person, draft.id, answers={"where": "Elm Street"}, version=opened)
    with pytest.raises(Stale) as error:
        actions.save(person, draft.id, answers={"title": "Three benches"}, version=opened)
    assert (error.value.theirs, error.value.yours) == ({"title": "Two benches"}, {"title": "Three benches"})
    saved = actions.save(person, draft.id, answers={"title": "Two benches"}, version=opened)
    assert saved.values == {"title": "Two benches", "where": "Elm Street"}


def test_somebody_elses_application_is_not_found(session):
    draft, sent, stranger = applications.draft(), applications.submitted(), people.make_person().id
    for action in (lambda: actions.save(applicant(stranger), draft.id, answers={"title": "Mine"}),
                   lambda: actions.submit(applicant(stranger), draft.id),
                   lambda: actions.submit(applicant(stranger), sent.application_id),
                   lambda: actions.withdraw(applicant(stranger), sent.application_id),
                   lambda: actions.start(applicant(stranger), rounds.published().id, like=draft.id),
                   lambda: actions.say_who(applicant(draft.applicant_id), draft.id,
                                           organisation_id=organisations.organisation().id),
                   lambda: queries.application_for(stranger, draft.reference),
                   lambda: queries.application_for_staff(draft.reference)):
        with pytest.raises(NotFound):
            action()


def test_a_member_of_the_group_writes_too_and_who_left_sees_it_no_more(session):
    draft = applications.draft()
    first, second = draft.applicant_id, people.make_person().id
    add_member(applicant(first), draft.organisation_id, person_id=second, may_sign=False)
    actions.save(applicant(second), draft.id, answers={"title": "Ours"})
    with pytest.raises(Refused) as error:
        actions.submit(applicant(second), draft.id)
    assert codes(error) == ["may_sign"]
    end_membership(applicant(first), draft.organisation_id, person_id=second)
    with pytest.raises(NotFound):
        queries.application_for(second, draft.reference)


def test_a_few_people_without_constitution_or_account_send_their_application(session, sql):
    sent = applications.submitted()
    assert sent.title == "Benches and a tree in Alder Park"
    assert (sent.asked_pence, sent.least_pence) == (48_000, 40_000)
    assert sent.content["group"] == {"name": "Alder Park Friends", "kind": "informal"}
    assert formats.content_sha256(sent.content) == sent.sha256
    assert sql("SELECT count(*) FROM bank_account").scalar_one() == 0


def test_the_receipts_hash_is_in_the_public_log_and_nothing_personal_is(session, sql):
    sent = applications.submitted()
    leaf = bytes(sql("SELECT bytes FROM log.leaf WHERE kind = 'application_received'").scalar_one()).decode()
    assert json.loads(leaf)["record"] == {"application": str(sent.application_id), "round": str(sent.round_id),
                                          "sha256": sent.sha256.hex()}
    acts = sql("SELECT verb, detail FROM act WHERE application_id = :id ORDER BY id", id=sent.application_id).all()
    assert acts == [("start_application", {}), ("submit_application", {"asked_pence": 48_000})]


def test_sending_twice_is_one_submission_and_a_frozen_draft(session):
    draft = applications.draft()
    person = applicant(draft.applicant_id)
    first = actions.submit(person, draft.id, version=draft.version)
    assert actions.submit(person, draft.id, version=1).id == first.id
    with pytest.raises(Refused) as error:
        actions.save(person, draft.id, answers={"title": "Other"})
    assert codes(error) == ["sent"]


def test_sending_another_version_than_the_one_read_is_stale(session):
    draft = applications.draft()
    read = draft.version
    actions.save(applicant(draft.applicant_id), draft.id, answers={"title": "Changed in another tab"})
    with pytest.raises(Stale):
        actions.submit(applicant(draft.applicant_id), draft.id, version=read)


def test_an_unfinished_draft_is_refused_with_every_reason(session):
    person = people.make_person().id
    draft = actions.start(applicant(person), rounds.published().id)
    actions.save(applicant(person), draft.id, answers={"title": "Benches", "asked": "5", "what": "word " * 300})
    with pytest.raises(Refused) as error:
        actions.submit(applicant(person), draft.id)
    assert codes(error) == ["who", "what_long", "for_whom_missing", "where_missing", "costs_missing",
                            "statutory_duty_missing"]


def test_the_least_that_helps_is_not_kept_where_the_round_gives_all_or_nothing(session):
    round_ = rounds.published(rules=RoundRules(part_funding=False))
    assert applications.submitted(round_id=round_.id).least_pence is None


def test_a_new_application_takes_over_the_words_of_an_earlier_one(session):
    sent = applications.submitted()
    again = actions.start(applicant(sent.applicant_id), sent.round_id, like=sent.application_id)
    assert again.id != sent.application_id
    assert again.values == applications.ANSWERS
    assert again.organisation_id == sent.organisation_id


def test_only_ones_own_file_is_attached_at_most_five_and_frozen_with_its_hash(session, sql):
    draft = applications.draft()
    person = applicant(draft.applicant_id)

    def stored(by):
        return sql("INSERT INTO stored_file (id, uploaded_by, name, content_type, size_bytes, sha256) VALUES "
                   "(gen_random_uuid(), :by, 'plan.pdf', 'application/pdf', 5, sha256('x')) RETURNING id",
                   by=by).scalar_one()

    with pytest.raises(NotFound):
        actions.attach(person, draft.id, file_id=stored(people.make_person().id))
    files = [stored(draft.applicant_id) for _number in range(6)]
    for file_id in [*files[:5], files[0]]:
        actions.attach(person, draft.id, file_id=file_id)
    with pytest.raises(Refused):
        actions.attach(person, draft.id, file_id=files[5])
    actions.detach(person, draft.id, file_id=files[0])
    sent = actions.submit(person, draft.id)
    assert {file["id"] for file in sent.content["files"]} == {str(file_id) for file_id in files[1:5]}
    with pytest.raises(DBAPIError) as error, session.begin_nested():
        sql("INSERT INTO application_file VALUES (:application, :file)", application=draft.id, file=files[5])
    assert refusal(error.value) == ("23514", "ck_application_is_draft")


def test_an_officer_passes_it_on_and_the_panel_is_asked_for_once(session, sql):
    sent, who = applications.submitted(), officer()
    first = actions.check_eligibility(who, sent.application_id, eligible=True)
    assert actions.check_eligibility(who, sent.application_id, eligible=True) is first
    with pytest.raises(Stale):
        actions.check_eligibility(who, sent.application_id, eligible=False, reason="twice")
    asked = sql("SELECT args FROM outbox WHERE job = 'panels.put_before_the_panel'").scalars().all()
    assert asked == [{"application_id": str(sent.application_id)}]
    assert queries.application(sent.application_id).state is State.ELIGIBLE


@pytest.mark.parametrize(("eligible", "reason"), [(True, "twice"), (False, None), (False, "we_do_not_like_it")])
def test_only_a_listed_reason_turns_an_application_away(session, eligible, reason):
    with pytest.raises(BadInput):
        actions.check_eligibility(officer(), applications.submitted().application_id, eligible=eligible, reason=reason)


@pytest.mark.parametrize("capacity", [Capacity.APPLICANT, Capacity.READER, Capacity.CHAIR, Capacity.APPROVER,
                                      Capacity.AUTHORISER, Capacity.TRUSTEE, Capacity.SYSTEM])
def test_nobody_but_an_officer_checks(session, capacity):
    with pytest.raises(Forbidden):
        actions.check_eligibility(Actor(capacity, uuid.uuid4()), applications.submitted().application_id,
                                  eligible=True)


def test_an_officer_who_is_tied_to_the_group_does_not_check_it(session):
    sent = applications.submitted()
    with pytest.raises(Refused) as error:
        actions.check_eligibility(officer(sent.applicant_id), sent.application_id, eligible=True)
    assert codes(error) == ["interest"]


def test_what_was_taken_back_is_not_checked_and_leaves_the_queue(session):
    sent, waiting = applications.submitted(), applications.submitted()
    actions.withdraw(applicant(sent.applicant_id), sent.application_id)
    actions.withdraw(applicant(sent.applicant_id), sent.application_id)
    with pytest.raises(Refused) as error:
        actions.check_eligibility(officer(), sent.application_id, eligible=True)
    assert codes(error) == ["withdrawn"]
    assert [row.application_id for row in lists.submissions_awaiting_eligibility()] == [waiting.application_id]
    with pytest.raises(Refused):
        actions.withdraw(applicant(waiting.applicant_id), applications.draft(person_id=waiting.applicant_id).id)


def test_lists_are_paged_by_key_without_gap_or_repeat(session):
    round_ = rounds.published()
    sent = [applications.submitted(round_id=round_.id).application_id for _number in range(5)]
    for read in (lists.submissions_awaiting_eligibility, lists.list_of_all,
                 lambda **kwargs: lists.list_of_round(round_.id, **kwargs)):
        found, after = [], None
        while page := read(after=after, most=2):
            found += [row.application_id for row in page]
            after = (page[-1].submitted_at, page[-1].application_id)
        assert sorted(found) == sorted(sent)
        assert len(found) == 5
    assert lists.count_in_round(round_.id) == 5


SUBMISSION = ("INSERT INTO submission (id, application_id, organisation_id, content, sha256, title, asked_pence, "
              "submitted_by) SELECT gen_random_uuid(), a.id, a.organisation_id, '{}', sha256('x'), 'x', 1, "
              "a.applicant_id FROM application a WHERE a.id = :id")


def late_draft(session):
    closed = rounds.published(opens_at=clock.now() - timedelta(days=2), closes_at=clock.now() - timedelta(seconds=1))
    draft = applications.draft()
    late = Application(id=uuid.uuid4(), reference="APP-LATE", round_id=closed.id, answers={},
                                    applicant_id=draft.applicant_id, organisation_id=draft.organisation_id)
    session.add(late)
    session.flush()
    return late


def test_the_table_refuses_a_late_submission_by_its_own_clock(session, sql):
    with pytest.raises(DBAPIError) as error:
        sql(SUBMISSION, id=late_draft(session).id)
    assert refusal(error.value) == ("23514", "ck_submission_in_time")


def test_the_table_takes_no_second_submission(session, sql):
    sent = applications.submitted()
    with pytest.raises(DBAPIError) as error:
        sql(SUBMISSION, id=sent.application_id)
    assert refusal(error.value) == ("23505", "uq_submission_application")


def test_the_table_refuses_to_change_a_draft_that_was_sent(session, sql):
    sent = applications.submitted()
    with pytest.raises(DBAPIError) as error:
        sql("UPDATE application SET answers = '{}' WHERE id = :id", id=sent.application_id)
    assert refusal(error.value) == ("23514", "ck_application_is_draft")


def test_the_table_refuses_a_reason_that_is_not_listed(session, sql):
    sent = applications.submitted()
    for reason, name in (("we_do_not_like_it", "ck_eligibility_listed"), (None, "ck_eligibility_reason")):
        with pytest.raises(DBAPIError) as error, session.begin_nested():
            sql("INSERT INTO eligibility (application_id, eligible, reason, checked_by) VALUES (:id, false, :reason, "
                ":id)", id=sent.application_id, reason=reason)
        assert refusal(error.value) == ("23514", name)


@pytest.mark.parametrize("statement", [
    "UPDATE submission SET asked_pence = 1", "DELETE FROM submission", "UPDATE eligibility SET eligible = true",
    "DELETE FROM withdrawal", "DELETE FROM application", "UPDATE application SET applicant_id = id",
    "UPDATE application SET round_id = round_id", "TRUNCATE submission CASCADE"])
def test_what_was_sent_and_said_stands(session, sql, statement):
    sent = applications.submitted()
    actions.check_eligibility(officer(), sent.application_id, eligible=False, reason="twice")
    actions.withdraw(applicant(sent.applicant_id), sent.application_id)
    with pytest.raises(DBAPIError) as error:
        sql(statement)
    assert refusal(error.value)[0] in {"42501", "23001"}


GUARDS = {
    "in_time": ("DROP TRIGGER in_time ON submission", "ck_submission_in_time",
                "INSERT INTO submission (id, application_id, organisation_id, content, sha256, title, asked_pence, "
                "submitted_by) VALUES (gen_random_uuid(), %(late)s, %(group)s, '{}', sha256('x'), 'x', 1, %(group)s)"),
    "is_draft": ("DROP TRIGGER is_draft ON application", "ck_application_is_draft",
                 "UPDATE application SET answers = '{}' WHERE id = %(sent)s"),
    "once": ("ALTER TABLE submission DROP CONSTRAINT uq_submission_application CASCADE", "uq_submission_application",
             "INSERT INTO submission (id, application_id, organisation_id, content, sha256, title, asked_pence, "
             "submitted_by) VALUES (gen_random_uuid(), %(sent)s, %(group)s, '{}', sha256('y'), 'y', 1, %(group)s)"),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_its_guard_the_attack_would_pass(owner, guard):
    drop, name, attack = GUARDS[guard]
    with psycopg.connect(owner.info.dsn) as other:
        ids = {key: uuid.uuid4() for key in ("group", "open", "closed", "sent", "late", "form")}
        other.execute("SET session_replication_role = replica")
        other.execute("INSERT INTO organisation (id, name, kind) VALUES (%(group)s, 'Group', 'informal')", ids)
        other.execute("INSERT INTO person (id, email) VALUES (%(form)s, 'twin@example.org')", ids)
        other.execute("INSERT INTO round (id, reference, neighbourhood_id, form_version_id, title, opens_at, "
                      "closes_at, rules) VALUES "
                      "(%(open)s, 'RND-1', %(form)s, %(form)s, 'x', now() - interval '2 days', NULL, '{}'), "
                      "(%(closed)s, 'RND-2', %(form)s, %(form)s, 'x', now() - interval '2 days', now(), '{}')", ids)
        other.execute("INSERT INTO application (id, reference, round_id, applicant_id) VALUES "
                      "(%(sent)s, 'APP-1', %(open)s, %(form)s), (%(late)s, 'APP-2', %(closed)s, %(form)s)", ids)
        other.execute("INSERT INTO submission (id, application_id, organisation_id, content, sha256, title, "
                      "asked_pence, submitted_by) VALUES (gen_random_uuid(), %(sent)s, %(group)s, '{}', sha256('x'), "
                      "'x', 1, %(group)s)", ids)
        other.execute("SET session_replication_role = origin")
        with pytest.raises(psycopg.errors.IntegrityError) as error, other.transaction():
            other.execute(attack, ids)
        assert error.value.diag.constraint_name == name
        other.execute(drop)
        assert other.execute(attack, ids).rowcount == 1
        other.rollback()


def test_the_lists_of_the_code_and_of_the_tables_are_the_same(session, sql):
    for name, listed in (("ck_eligibility_listed", INELIGIBLE_BECAUSE), ("ck_organisation_kind", Kind),
                         ("ck_organisation_check_kind", Check)):
        written = sql("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name",
                      name=name).scalar_one()
        assert set(written.split("'")[1::2]) == {str(each) for each in listed}
