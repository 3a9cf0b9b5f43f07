"""Groups, their accounts, checks and hosts: what goes through, what is refused, and what the tables refuse anyway."""

import uuid
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.db import refusal
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.organisations import actions, queries
from fund.organisations.queries import signers_of
from tests.make import organisations, people


def applicant(person_id):
    return Actor(Capacity.APPLICANT, person_id)


def officer(person_id=None):
    return Actor(Capacity.OFFICER, person_id or people.make_person().id)


def test_whoever_makes_a_group_acts_and_signs_for_it(session):
    person = people.make_person().id
    made = organisations.organisation(person_id=person)
    assert [(mine.id, mine.may_sign) for mine in queries.organisations_of(person)] == [(made.id, True)]
    assert queries.may_sign(person, made.id)
    assert queries.organisation_of(person, made.id).name == "Alder Park Friends"


def test_a_group_of_others_is_not_found(session):
    made = organisations.organisation()
    with pytest.raises(NotFound):
        queries.organisation_of(people.make_person().id, made.id)
    with pytest.raises(NotFound):
        organisations.account(made.id, person_id=people.make_person().id)


def test_a_register_number_that_is_with_us_is_refused_so_nobody_takes_over_a_charity(session):
    organisations.organisation(kind="charity", org_id="GB-CHC-1234567")
    with pytest.raises(Refused) as error:
        organisations.organisation(kind="charity", org_id="GB-CHC-1234567")
    assert error.value.reasons[0].code == "org_id_taken"


@pytest.mark.parametrize(("name", "kind", "field"), [(" ", "charity", "name"), ("A name", "gang", "kind")])
def test_a_group_without_a_name_or_of_no_kind_is_bad_input(session, name, kind, field):
    with pytest.raises(BadInput) as error:
        actions.make_organisation(SYSTEM, name=name, kind=kind)
    assert error.value.field == field


def test_the_last_who_may_sign_cannot_leave_and_who_left_sees_nothing(session):
    first, second = people.make_person().id, people.make_person().id
    made = organisations.organisation(person_id=first)
    actions.add_member(applicant(first), made.id, person_id=second, may_sign=False)
    actions.add_member(applicant(first), made.id, person_id=second)
    assert [member.person_id for member in queries.members_of(made.id)] == [first, second]
    with pytest.raises(Refused):
        actions.end_membership(applicant(first), made.id, person_id=first)
    with pytest.raises(Forbidden):
        organisations.account(made.id, person_id=second)
    actions.end_membership(applicant(first), made.id, person_id=second)
    assert not queries.is_member(second, made.id)


def test_an_account_is_kept_sealed_and_shown_by_its_last_four(session, sql):
    made = organisations.organisation()
    added = organisations.account(made.id, account_number="00012345")
    assert [(shown.last_four, shown.holder) for shown in queries.accounts_of(made.id)] == [
        ("2345", "Alder Park Friends")]
    row = sql("SELECT row_to_json(bank_account)::text FROM bank_account").scalar_one()
    assert "309089" not in row
    assert "00012345" not in row
    assert b"309089" not in added.sealed
    opened = queries.open_account(added.id)
    assert (opened.sort_code, opened.account_number) == ("309089", "00012345")


def test_the_same_account_again_is_the_same_row(session):
    made = organisations.organisation()
    assert organisations.account(made.id).id == organisations.account(made.id).id
    assert organisations.account(made.id, account_number="87654321").id != organisations.account(made.id).id
    assert len(queries.accounts_of(made.id)) == 3


def test_money_goes_only_to_an_organisation_whose_checks_passed(session):
    made, account = organisations.payable()
    assert queries.payable_account(made.id).id == account.id
    assert queries.payable_account(made.id, today=clock.today() + timedelta(days=400)) is None
    newer = organisations.account(made.id, account_number="99999999")
    assert queries.payable_account(made.id) is None, "a new account counts only when it is checked"
    organisations.checks(made.id, bank_account_id=newer.id)
    assert queries.payable_account(made.id).id == newer.id


def test_a_failed_check_after_a_good_one_stops_the_money(session):
    made, _account = organisations.payable()
    actions.record_check(officer(), made.id, kind="sanctions", passed=False, source="UK Sanctions List, 22 November")
    assert [reason.code for reason in queries.reasons_not_to_pay(made.id)] == ["sanctions_failed"]


@pytest.mark.parametrize("capacity", [Capacity.APPLICANT, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE])
def test_only_an_officer_checks(session, capacity):
    with pytest.raises(Forbidden):
        actions.record_check(Actor(capacity, people.make_person().id), organisations.organisation().id, kind="identity",
                             passed=True, source="papers")


def test_an_officer_who_added_the_account_or_is_tied_to_the_group_cannot_check_it(session):
    person = people.make_person().id
    made = organisations.organisation(person_id=person)
    account = organisations.account(made.id)
    with pytest.raises(Refused) as error:
        actions.record_check(officer(person), made.id, kind="bank_account", passed=True, source="papers",
                             bank_account_id=account.id)
    assert [reason.code for reason in error.value.reasons] == ["same_hand", "interest"]
    tied = officer()
    actions.declare_staff_interest(tied, made.id)
    actions.declare_staff_interest(tied, made.id)
    assert queries.has_interest(tied.person_id, made.id)
    with pytest.raises(Refused):
        actions.record_check(tied, made.id, kind="identity", passed=True, source="papers")


def test_an_account_that_is_checked_for_one_organisation_cannot_be_for_another(session):
    first, _account = organisations.payable(account_number="11112222")
    second = organisations.organisation(name="A shell")
    copied = organisations.account(second.id, account_number="11112222")
    assert [found.id for found, _account in queries.others_with_account(copied.id)] == [first.id]
    with pytest.raises(Refused) as error:
        organisations.checks(second.id, bank_account_id=copied.id)
    assert [reason.code for reason in error.value.reasons] == ["account_of_another"]


def test_an_account_of_another_organisation_is_not_found(session):
    first, second = organisations.organisation(), organisations.organisation()
    account = organisations.account(second.id)
    with pytest.raises(NotFound):
        actions.record_check(officer(), first.id, kind="bank_account", passed=True, source="papers",
                             bank_account_id=account.id)


@pytest.mark.parametrize(("values", "field"), [
    ({"kind": "mood"}, "kind"), ({"kind": "bank_account"}, "kind"), ({"source": " "}, "source"),
    ({"source": "x" * 501}, "source")])
def test_a_check_says_what_and_where(session, values, field):
    usual = {"kind": "identity", "passed": True, "source": "papers"}
    with pytest.raises(BadInput) as error:
        actions.record_check(officer(), organisations.organisation().id, **{**usual, **values})
    assert error.value.field == field


def test_a_host_agrees_by_somebody_who_may_sign_for_it(session):
    group, (host, _account) = organisations.organisation(), organisations.payable()
    asker = signers_of(group.id)[0]
    asked = actions.ask_host(applicant(asker), group.id, host.id)
    assert actions.ask_host(applicant(asker), group.id, host.id).id == asked.id
    assert queries.hosts_of(group.id) == []
    with pytest.raises(NotFound):
        actions.agree_to_host(applicant(asker), asked.id)
    signer = applicant(signers_of(host.id)[0])
    actions.agree_to_host(signer, asked.id)
    assert actions.agree_to_host(signer, asked.id).agreed_by == signer.person_id
    assert queries.is_host_of(host.id, group.id)
    actions.end_host(signer, asked.id)
    assert not queries.is_host_of(host.id, group.id)


def test_one_person_on_both_sides_cannot_ask_and_agree(session):
    person = people.make_person().id
    group, (host, _account) = organisations.organisation(person_id=person), organisations.payable(person_id=person)
    asked = actions.ask_host(applicant(person), group.id, host.id)
    with pytest.raises(Refused):
        actions.agree_to_host(applicant(person), asked.id)


def test_a_host_needs_an_account_and_is_somebody_else(session):
    group, bare = organisations.organisation(), organisations.organisation(kind="charity", name="No account yet")
    asker = applicant(signers_of(group.id)[0])
    for host_id, codes in ((bare.id, ["host_without_account"]), (group.id, ["itself", "informal_host"])):
        with pytest.raises(Refused) as error:
            actions.ask_host(asker, group.id, host_id)
        assert [reason.code for reason in error.value.reasons] == codes


CHECK = ("INSERT INTO organisation_check (id, organisation_id, bank_account_id, kind, passed, source, made_by, "
         "expires_on) VALUES (gen_random_uuid(), %(organisation)s, %(account)s, 'bank_account', true, 'x', %(by)s, "
         "'2027-01-01')")


def test_the_table_refuses_a_check_by_the_hand_that_added_the_account(session):
    made = organisations.organisation()
    account = organisations.account(made.id)
    other = organisations.organisation(name="Another")
    for organisation_id, by in ((made.id, account.added_by), (other.id, people.make_person().id)):
        with pytest.raises(DBAPIError) as error, session.begin_nested():
            session.connection().exec_driver_sql(CHECK, {"organisation": organisation_id, "account": account.id,
                                                         "by": by})
        assert refusal(error.value) == ("23514", "ck_organisation_check_other_hand")


def test_without_that_trigger_the_same_hand_would_check_its_own_account(owner):
    with psycopg.connect(owner.info.dsn) as other:
        person, made, account = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
        other.execute("INSERT INTO organisation (id, name, kind) VALUES (%s, 'Shell', 'charity')", [made])
        other.execute("INSERT INTO bank_account (id, organisation_id, holder, sealed, last_four, fingerprint, "
                      "added_by) VALUES (%s, %s, 'Shell', ''::bytea, '1234', sha256('x'), %s)", [account, made, person])
        values = {"organisation": made, "account": account, "by": person}
        with pytest.raises(psycopg.errors.CheckViolation) as error, other.transaction():
            other.execute(CHECK, values)
        assert error.value.diag.constraint_name == "ck_organisation_check_other_hand"
        other.execute("DROP TRIGGER other_hand ON organisation_check")
        other.execute(CHECK, values)
        other.rollback()


def test_the_table_refuses_that_who_asks_a_host_also_agrees(session):
    group, (host, _account) = organisations.organisation(), organisations.payable()
    asked = actions.ask_host(applicant(signers_of(group.id)[0]), group.id, host.id)
    with pytest.raises(DBAPIError) as error:
        session.execute(sa.text("UPDATE host_agreement SET agreed_by = asked_by, agreed_at = now() WHERE id = :id"),
                        {"id": asked.id})
    assert refusal(error.value) == ("23514", "ck_host_agreement_other_hand")


@pytest.mark.parametrize("statement", ["UPDATE bank_account SET last_four = '0000'", "DELETE FROM bank_account",
                                       "UPDATE organisation_check SET passed = true", "DELETE FROM organisation"])
def test_accounts_and_checks_stand_as_they_were_written(session, sql, statement):
    organisations.payable()
    with pytest.raises(DBAPIError) as error:
        sql(statement)
    assert refusal(error.value)[0] in {"42501", "23001"}
