"""SQL as the application against the bank's tables: each rule refuses by its own name, and only by it."""

import uuid
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from fund.bank import actions, queries, rules
from fund.db import session
from fund.embedded import postgres
from fund.grants import actions as giving
from fund.grants import queries as grants
from fund.kernel.actor import Capacity
from tests.make.bank import authorise, make_batch, make_report, make_statement, pay
from tests.make.grants import make_account, make_hands, make_offers, make_release
from tests.make.people import make_person, make_staff
from tests.standing import refused_by, savepoint, standing, without


def sql(text, **values):
    return session.execute(sa.text(text), values)


def insert(table, **values):
    sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})", **values)


@pytest.fixture(scope="module")
def world(app, server, database):
    """Releases at each point of their way to the bank, made once."""
    with standing(app, postgres.superuser_url(server, database)) as connection:
        staff = make_hands()
        made = make_offers(6, staff=staff)
        frozen, waiting, sent, paid, aside, unsent = [make_release(grant)[1].id for grant in made]
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        rows = {id_: SimpleNamespace(id=id_, end_to_end_id=row.end_to_end_id, amount_pence=row.amount_pence)
                for id_, row in zip((frozen, waiting, sent, paid, aside, unsent), [
                    sql("SELECT * FROM release WHERE id = :id", id=id_).one()
                    for id_ in (frozen, waiting, sent, paid, aside, unsent)], strict=True)}
        sql("SET CONSTRAINTS ALL DEFERRED")
        batch = make_batch(staff, [rows[frozen]])
        sent_batch = make_batch(staff, [rows[sent]])
        authorise(staff, sent_batch.id)
        actions.make_file(sent_batch.id)
        pay(staff, rows[paid])
        aside_batch = make_batch(staff, [rows[aside]])
        actions.set_aside_batch(staff.authoriser, aside_batch.id, words="One of them looked odd.")
        unsent_batch = make_batch(staff, [rows[unsent]])
        report = make_report("A file of nobody's")
        actions.keep_unread(report, why="It came too early.")
        actions.read_message(report)
        w = SimpleNamespace(
            connection=connection, staff=staff, grants=made, frozen=rows[frozen], waiting=rows[waiting],
            sent=rows[sent], paid=rows[paid], aside=rows[aside], unsent=rows[unsent], batch_id=batch.id,
            sent_batch_id=sent_batch.id, aside_batch_id=aside_batch.id, unsent_batch_id=unsent_batch.id,
            stranger=make_person().id, other=make_staff(Capacity.AUTHORISER).id)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("SET CONSTRAINTS ALL DEFERRED")
        session.commit()
        yield w


def many(*steps):
    for step in steps:
        step()


def new_batch(w, **changes):
    values = {"id": uuid.uuid4(), "reference": f"B-{uuid.uuid4().hex[:8]}", "line_count": 1, "total_pence": 240_00,
              "lines_sha256": b"\x00" * 32, "execute_on": "2026-11-24", "made_by": w.staff.authoriser.person_id,
              **changes}
    insert("batch", **values)


def authorisation(w, batch_id=None, **changes):
    row = sql("SELECT total_pence, lines_sha256 FROM batch WHERE id = :id", id=batch_id or w.batch_id).one()
    insert("batch_authorisation", **{"batch_id": batch_id or w.batch_id, "total_pence": row.total_pence,
                                     "lines_sha256": row.lines_sha256,
                                     "authorised_by": w.staff.authoriser.person_id, **changes})


def line(w, release, *, is_debit=True, reference=None, pence=None, booked_on="2026-11-22"):
    statement_id, line_id = f"S-{uuid.uuid4().hex[:8]}", uuid.uuid4()
    insert("statement", statement_id=statement_id, opening_pence=0, closing_pence=0, gap_pence=0,
           bank_message_id=sql("SELECT id FROM bank_message LIMIT 1").scalar())
    insert("statement_line", id=line_id, statement_id=statement_id, number=1, is_debit=is_debit,
           amount_pence=pence or release.amount_pence, booked_on=booked_on, bank_reference="B",
           end_to_end_id=reference or release.end_to_end_id)
    return line_id


def match(w, release, kind="settled", **about):
    insert("statement_match", statement_line_id=line(w, release, **about), release_id=release.id, kind=kind)


def end(release, kind, booked_on="2026-11-22"):
    insert("release_end", id=uuid.uuid4(), release_id=release.id, kind=kind, booked_on=booked_on,
           entry_id=uuid.uuid4())


def tied(person, organisation_id):
    insert("staff_interest", id=uuid.uuid4(), person_id=person, organisation_id=organisation_id)


def another_payee(w, grant):
    account = make_account(grant.organisation_id, by=grant.group)
    insert("payee", id=uuid.uuid4(), award_id=grant.id, version=2, organisation_id=grant.organisation_id,
           bank_account_id=account.id, chosen_by=grant.group.person_id)


def failed_check(w, grant):
    insert("organisation_check", id=uuid.uuid4(), organisation_id=grant.organisation_id, kind="sanctions",
           passed=False, source="the list", made_by=make_staff(Capacity.OFFICER).id, expires_on="2030-01-01")


ATTACKS = {
    "ck_batch_capacity": lambda w: new_batch(w, made_by=w.staff.approver.person_id),
    "ck_batch_line_live": lambda w: many(
        lambda: giving.withdraw_release(w.staff.approver, w.waiting.id),
        lambda: insert("batch_line", batch_id=w.batch_id, number=2, release_id=w.waiting.id)),
    "ck_batch_line_not_stale": lambda w: many(
        lambda: another_payee(w, w.grants[1]),
        lambda: insert("batch_line", batch_id=w.batch_id, number=2, release_id=w.waiting.id)),
    "ck_batch_set_aside_unauthorised": lambda w: insert(
        "batch_set_aside", batch_id=w.sent_batch_id, words="Stop.", set_aside_by=w.stranger),
    "ck_batch_authorisation_not_set_aside": lambda w: many(
        lambda: without("DROP TRIGGER ck_batch_authorisation_not_stale ON batch_authorisation"),
        lambda: authorisation(w, w.aside_batch_id)),
    "ck_batch_authorisation_capacity nobody": lambda w: authorisation(w, authorised_by=w.stranger),
    "ck_batch_authorisation_capacity the approver": lambda w: many(
        lambda: without("DROP TRIGGER ck_batch_authorisation_other_hand ON batch_authorisation"),
        lambda: authorisation(w, authorised_by=w.staff.approver.person_id)),
    "ck_batch_authorisation_other_hand approved it": lambda w: many(
        lambda: without("DROP TRIGGER ck_batch_authorisation_capacity ON batch_authorisation"),
        lambda: authorisation(w, authorised_by=w.staff.approver.person_id)),
    "ck_batch_authorisation_other_hand accepted it": lambda w: many(
        lambda: without("DROP TRIGGER ck_batch_authorisation_capacity ON batch_authorisation"),
        lambda: authorisation(w, authorised_by=w.staff.officer.person_id)),
    "ck_batch_authorisation_interest": lambda w: many(
        lambda: tied(w.other, w.grants[0].organisation_id), lambda: authorisation(w, authorised_by=w.other)),
    "ck_batch_authorisation_not_stale account": lambda w: many(
        lambda: another_payee(w, w.grants[0]), lambda: authorisation(w)),
    "ck_batch_authorisation_not_stale check": lambda w: many(
        lambda: failed_check(w, w.grants[0]), lambda: authorisation(w)),
    "ck_sending_once": lambda w: many(
        lambda: insert("sending", batch_id=w.sent_batch_id, attempt=1),
        lambda: insert("sending", batch_id=w.sent_batch_id, attempt=2)),
    "ck_sending_once accepted": lambda w: many(
        lambda: insert("sending", batch_id=w.sent_batch_id, attempt=1),
        lambda: insert("sending_end", batch_id=w.sent_batch_id, attempt=1, outcome="accepted"),
        lambda: insert("sending", batch_id=w.sent_batch_id, attempt=2)),
    "ck_statement_match_line another amount": lambda w: match(w, w.sent, pence=240_01),
    "ck_statement_match_line another reference": lambda w: match(w, w.sent, reference="SOMETHINGELSE"),
    "ck_statement_match_line the other side": lambda w: match(w, w.sent, is_debit=False),
    "ck_statement_match_sent": lambda w: match(w, w.frozen),
    "ck_release_end_settled_by_statement": lambda w: end(w.sent, "settled"),
    "ck_release_end_settled_by_statement another day": lambda w: many(
        lambda: match(w, w.sent), lambda: end(w.sent, "settled", "2026-11-21")),
    "ck_release_end_settled_by_statement return": lambda w: end(w.paid, "returned"),
    "ck_release_end_refused_by_bank": lambda w: end(w.sent, "refused"),
    "ck_release_end_withdrawn_unsent": lambda w: end(w.sent, "withdrawn"),
}
TABLES = {"ck_batch_capacity": "batch", "ck_batch_line": "batch_line", "ck_batch_set_aside": "batch_set_aside",
          "ck_batch_authorisation": "batch_authorisation", "ck_sending": "sending",
          "ck_statement_match": "statement_match", "ck_release_end": "release_end"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_by_its_rule(world, attack):
    with savepoint(world.connection):
        assert refused_by(lambda: ATTACKS[attack](world)) == ("23514", attack.split()[0])


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_that_rule_the_attack_passes(world, attack):
    rule = attack.split()[0]
    with savepoint(world.connection):
        without(f"DROP TRIGGER {rule} ON {next(t for start, t in TABLES.items() if rule.startswith(start))}")
        ATTACKS[attack](world)


def of_waiting(w, *, number=1, **changes):
    """A batch of the release that waits; honest unless changed."""
    batch_id = uuid.uuid4()
    lines = queries.lines_for(grants.releases([w.waiting.id]))
    new_batch(w, **{"id": batch_id, "lines_sha256": rules.lines_sha256(lines), **changes})
    insert("batch_line", batch_id=batch_id, number=number, release_id=w.waiting.id)


@pytest.mark.parametrize("changes", [{"line_count": 2}, {"total_pence": 1}, {"lines_sha256": b"\x01" * 32},
                                     {"number": 2}])
def test_a_batch_is_its_lines(world, changes):
    with savepoint(world.connection):
        of_waiting(world)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
    with savepoint(world.connection):
        assert refused_by(lambda: of_waiting(world, **changes)) == ("23514", "ck_batch_lines_agree")
    with savepoint(world.connection):
        without("DROP TRIGGER ck_batch_lines_agree ON batch", "DROP TRIGGER ck_batch_lines_agree ON batch_line")
        of_waiting(world, **changes)
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_line_cannot_be_slipped_into_a_frozen_batch(world):
    def attack():
        insert("batch_line", batch_id=world.batch_id, number=2, release_id=world.waiting.id)

    with savepoint(world.connection):
        assert refused_by(attack) == ("23514", "ck_batch_lines_agree")


def test_a_release_is_in_one_batch(world):
    def attack():
        insert("batch_line", batch_id=world.sent_batch_id, number=2, release_id=world.frozen.id)

    with savepoint(world.connection):
        assert refused_by(attack) == ("23505", "uq_batch_line_release")


@pytest.mark.parametrize("changes", [{"total_pence": 1}, {"lines_sha256": b"\x01" * 32}])
def test_only_what_was_seen_is_authorised(world, changes):
    def attack():
        authorisation(world, **changes)

    with savepoint(world.connection):
        assert refused_by(attack) == ("23503", "fk_batch_authorisation_what_was_seen")
    with savepoint(world.connection):
        without("ALTER TABLE batch_authorisation DROP CONSTRAINT fk_batch_authorisation_what_was_seen")
        attack()


def test_a_file_needs_an_authorisation(world):
    with savepoint(world.connection):
        assert refused_by(lambda: insert("payment_file", batch_id=world.batch_id, bytes=b"<a/>")) == (
            "23503", "fk_payment_file_authorisation")


def test_a_statement_line_settles_one_release_and_a_release_is_settled_once(world):
    with savepoint(world.connection):
        assert refused_by(lambda: match(world, world.paid)) == ("23505", "uq_statement_match_release")


@pytest.mark.parametrize("table", ["batch", "batch_line", "batch_set_aside", "batch_authorisation", "payment_file",
                                   "bank_message", "statement", "statement_line", "statement_match",
                                   "unread_message", "unread_message_end"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}"])
def test_nothing_of_the_banks_side_can_be_changed_or_removed(world, table, change):
    column = sql("SELECT column_name FROM information_schema.columns WHERE table_name = :t AND is_generated = 'NEVER' "
                 "LIMIT 1", t=table).scalar()
    with savepoint(world.connection):
        assert refused_by(lambda: sql(change.format(table, column, column)))[0] == "42501"

    def as_owner():
        sql("RESET ROLE")
        sql(change.format(table, column, column))

    with savepoint(world.connection):
        assert refused_by(as_owner) == ("23001", "append_only")


def test_the_files_hash_cannot_be_given(world):
    with savepoint(world.connection):
        assert refused_by(lambda: insert("payment_file", batch_id=world.unsent_batch_id, bytes=b"<a/>",
                                         sha256=b"\x00" * 32))[0] == "428C9"


def test_a_statement_read_twice_is_kept_once(world):
    with savepoint(world.connection):
        received = make_statement([(True, world.sent.amount_pence, world.sent.end_to_end_id)])
        first = actions.read_message(received).id
        before = sql("SELECT count(*) FROM statement_line").scalar()
        assert actions.read_message(received).id == first
        assert sql("SELECT count(*) FROM statement_line").scalar() == before
