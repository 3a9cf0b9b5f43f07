"""SQL as the application against the tables of grants: each rule refuses by its own name, and only by it.

Every attack has a twin: with that one rule dropped by the owner, the same SQL passes.
"""

import uuid
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from fund.db import session
from fund.grants import actions
from fund.kernel.actor import Capacity
from tests.make.bank import pay, send_back
from tests.make.grants import (
    make_accepted,
    make_account,
    make_hands,
    make_offers,
    make_payable,
    make_release,
    make_signed,
)
from tests.make.people import make_person, make_staff
from tests.standing import refused_by, savepoint, standing, without


def sql(text, **values):
    return session.execute(sa.text(text), values)


@pytest.fixture(scope="module")
def world(app, server, database):
    """Grants at each point of their way, made once."""
    from fund.embedded import postgres

    with standing(app, postgres.superuser_url(server, database)) as connection:
        staff = make_hands()
        offered, signed, sent, accepted, released, paid, returned, large = make_offers(
            8, amount_pence=[480_00] * 7 + [900_00], staff=staff, up_front_below_pence=480_00)
        make_signed(large)
        make_signed(signed)
        make_payable(sent)
        make_accepted(accepted)
        _made, release = make_release(released)
        _made, settled = make_release(paid)
        _made, came_back = make_release(returned)
        pay(staff, settled, came_back)
        send_back(came_back)
        w = SimpleNamespace(
            connection=connection, staff=staff, offered=offered, signed=signed, sent=sent, accepted=accepted,
            released=released, paid=paid, returned=returned, large=large, release_id=release.id,
            settled_id=settled.id, returned_id=came_back.id, stranger=make_person().id,
            other_account=make_account(signed.organisation_id, by=signed.group).id)
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        sql("SET CONSTRAINTS ALL DEFERRED")
        session.commit()
        yield w


def award(w, **changes):
    row = sql("SELECT * FROM award WHERE id = :id", id=w.offered.id).mappings().one()
    values = {**row, "id": uuid.uuid4(), "reference": "GRT-FALSE", "offer_entry_id": uuid.uuid4(), **changes}
    without("DROP TRIGGER append_only ON award", "ALTER TABLE award DROP CONSTRAINT uq_award_decision",
            "ALTER TABLE award DROP CONSTRAINT uq_award_application")
    insert("award", values)


def insert(table, values):
    columns = list(values)
    sql(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(':' + name for name in columns)})", **values)


def agreement(w, award_id=None, **changes):
    insert("agreement", {"award_id": award_id or w.offered.id, "terms_version": "1", "spending_plan": "Benches.",
                         "signed_by": w.offered.group.person_id, "entry_id": uuid.uuid4(), **changes})


def payee(w, **changes):
    insert("payee", {"id": uuid.uuid4(), "award_id": w.signed.id, "version": 9, "bank_account_id": w.other_account,
                     "organisation_id": w.signed.organisation_id, "chosen_by": w.signed.group.person_id, **changes})


def evidence(w, **changes):
    insert("evidence", {"id": uuid.uuid4(), "stage_id": w.large.stage().id, "number": 1, "story": "We did.",
                        "sent_by": w.large.group.person_id, **changes})


def review(w, **changes):
    insert("evidence_review", {"evidence_id": w.sent.stage().evidence_id, "accepted": True,
                               "reviewed_by": w.staff.officer.person_id, **changes})


def release(w, made=None, **changes):
    made = made or w.accepted
    stage, grant = made.stage(), made.grant
    insert("release", {
        "id": uuid.uuid4(), "stage_id": stage.id, "attempt": stage.attempt + 1, "evidence_id": stage.evidence_id,
        "end_to_end_id": uuid.uuid4().hex[:12].upper(), "amount_pence": stage.amount_pence,
        "payee_id": grant.payee.id, "bank_account_id": grant.payee.bank_account_id,
        "approved_by": w.staff.approver.person_id, "entry_id": uuid.uuid4(), **changes})


def end(w, release_id, kind, **changes):
    insert("release_end", {"id": uuid.uuid4(), "release_id": release_id, "kind": kind, "booked_on": "2026-11-22",
                           "entry_id": uuid.uuid4(), **changes})


def unsettling(w):
    """As the owner, without the bank's rules, so that what grants alone refuse can be seen."""
    without("DROP TRIGGER ck_release_end_settled_by_statement ON release_end",
            "DROP TRIGGER ck_release_end_withdrawn_unsent ON release_end",
            "DROP TRIGGER ck_release_end_refused_by_bank ON release_end")


def tied(w, person, organisation_id):
    sql("INSERT INTO staff_interest (id, person_id, organisation_id) VALUES (:id, :person, :organisation)",
        id=uuid.uuid4(), person=person, organisation=organisation_id)


def failed_check(w, kind, account=None):
    sql("INSERT INTO organisation_check (id, organisation_id, bank_account_id, kind, passed, source, made_by, "
        "expires_on) VALUES (:id, :organisation, :account, :kind, false, 'a look', :by, '2030-01-01')",
        id=uuid.uuid4(), organisation=w.accepted.organisation_id, account=account, kind=kind,
        by=make_staff(Capacity.OFFICER).id)


def many(*steps):
    for step in steps:
        step()


#: The rule, the SQL that it refuses. What else must be out of the way is dropped inside the attack.
ATTACKS = {
    "ck_award_as_decided more": lambda w: award(w, amount_pence=480_01),
    "ck_award_as_decided another group": lambda w: award(w, organisation_id=w.signed.organisation_id),
    "ck_agreement_offer_open": lambda w: many(
        lambda: actions.decline_offer(w.offered.group, w.offered.id), lambda: agreement(w)),
    "ck_agreement_in_time": lambda w: many(
        lambda: without("DROP TRIGGER append_only ON award",
                        f"UPDATE award SET lapses_on = '2020-01-01' WHERE id = '{w.offered.id}'"),
        lambda: agreement(w)),
    "ck_agreement_signatory": lambda w: agreement(w, signed_by=w.stranger),
    "ck_award_end_unsigned lapsed after signing": lambda w: insert(
        "award_end", {"award_id": w.signed.id, "kind": "lapsed", "entry_id": uuid.uuid4()}),
    "ck_award_end_unsigned withdrawn before": lambda w: insert(
        "award_end", {"award_id": w.offered.id, "kind": "withdrawn", "entry_id": uuid.uuid4(),
                      "ended_by": w.stranger}),
    "ck_award_end_no_live_release": lambda w: insert(
        "award_end", {"award_id": w.released.id, "kind": "withdrawn", "entry_id": uuid.uuid4(),
                      "ended_by": w.stranger}),
    "ck_payee_grantee_or_host": lambda w: payee(
        w, organisation_id=w.accepted.organisation_id, bank_account_id=w.accepted.grant.payee.bank_account_id),
    "ck_payee_account_of_payee": lambda w: payee(w, bank_account_id=w.accepted.grant.payee.bank_account_id),
    "ck_payee_signatory": lambda w: payee(w, chosen_by=w.stranger),
    "ck_evidence_after_agreement": lambda w: evidence(
        w, stage_id=w.offered.stage().id, sent_by=w.offered.group.person_id),
    "ck_evidence_of_the_group": lambda w: evidence(w, sent_by=w.stranger),
    "ck_evidence_one_at_a_time while one is read": lambda w: evidence(
        w, stage_id=w.sent.stage().id, sent_by=w.sent.group.person_id, number=2),
    "ck_evidence_one_at_a_time after one is accepted": lambda w: evidence(
        w, stage_id=w.accepted.stage().id, sent_by=w.accepted.group.person_id, number=2),
    "ck_evidence_review_other_hand": lambda w: many(
        lambda: without("DROP TRIGGER ck_evidence_review_interest ON evidence_review",
                        "DROP TRIGGER ck_evidence_review_capacity ON evidence_review"),
        lambda: review(w, reviewed_by=w.sent.group.person_id)),
    "ck_evidence_review_capacity nobody": lambda w: review(w, reviewed_by=w.stranger),
    "ck_evidence_review_capacity another capacity": lambda w: review(w, reviewed_by=w.staff.approver.person_id),
    "ck_evidence_review_capacity a past one": lambda w: many(
        lambda: sql("UPDATE capacity SET ended_at = now() WHERE person_id = :id", id=w.staff.officer.person_id),
        lambda: review(w)),
    "ck_evidence_review_interest": lambda w: many(
        lambda: tied(w, w.staff.officer.person_id, w.sent.organisation_id), lambda: review(w)),
    "ck_stage_evidence_before_release not read": lambda w: many(
        lambda: without("ALTER TABLE release DROP CONSTRAINT fk_release_evidence_review"),
        lambda: release(w, w.sent)),
    "ck_stage_evidence_before_release of another stage": lambda w: release(
        w, w.sent, evidence_id=w.accepted.stage().evidence_id),
    "ck_stage_evidence_before_release more was asked": lambda w: many(
        lambda: actions.review_evidence(w.staff.officer, w.sent.stage().evidence_id, accepted=False, words="A photo?"),
        lambda: release(w, w.sent)),
    "ck_release_grant_stands": lambda w: many(
        lambda: insert("award_end", {"award_id": w.accepted.id, "kind": "withdrawn", "entry_id": uuid.uuid4(),
                                     "ended_by": w.stranger}), lambda: release(w)),
    "ck_release_amount_of_stage": lambda w: release(w, amount_pence=240_01),
    "ck_release_newest_payee another account": lambda w: release(w, bank_account_id=w.other_account),
    "ck_release_newest_payee an old one": lambda w: many(
        lambda: insert("payee", {"id": uuid.uuid4(), "award_id": w.accepted.id, "version": 2,
                                 "organisation_id": w.accepted.organisation_id, "chosen_by": w.accepted.group.person_id,
                                 "bank_account_id": make_account(w.accepted.organisation_id, by=w.accepted.group).id}),
        lambda: release(w, payee_id=sql("SELECT id FROM payee WHERE award_id = :id AND version = 1",
                                        id=w.accepted.id).scalar(),
                        bank_account_id=sql("SELECT bank_account_id FROM payee WHERE award_id = :id AND version = 1",
                                            id=w.accepted.id).scalar())),
    "ck_release_checks_in_date account": lambda w: many(
        lambda: failed_check(w, "bank_account", w.accepted.grant.payee.bank_account_id), lambda: release(w)),
    "ck_release_checks_in_date identity": lambda w: many(lambda: failed_check(w, "identity"), lambda: release(w)),
    "ck_release_checks_in_date sanctions": lambda w: many(lambda: failed_check(w, "sanctions"), lambda: release(w)),
    "ck_release_checks_in_date run out": lambda w: many(
        lambda: without("DROP TRIGGER append_only ON organisation_check",
                        "UPDATE organisation_check SET expires_on = '2026-01-01'"), lambda: release(w)),
    "ck_release_other_hand": lambda w: many(
        lambda: without("DROP TRIGGER ck_release_capacity ON release"),
        lambda: release(w, approved_by=w.staff.officer.person_id)),
    "ck_release_capacity nobody": lambda w: release(w, approved_by=w.stranger),
    "ck_release_capacity the authoriser": lambda w: release(w, approved_by=w.staff.authoriser.person_id),
    "ck_release_interest": lambda w: many(
        lambda: tied(w, w.staff.approver.person_id, w.accepted.organisation_id), lambda: release(w)),
    "ck_release_after_end on its way": lambda w: release(w, w.released),
    "ck_release_after_end paid": lambda w: release(w, w.paid),
    "ck_release_after_end a gap": lambda w: release(w, attempt=2),
    "ck_release_new_check_after_return": lambda w: release(w, w.returned),
    "ck_release_end_returned_after_settled": lambda w: many(
        lambda: unsettling(w), lambda: end(w, w.release_id, "returned")),
    "ck_release_end_once": lambda w: many(lambda: unsettling(w), lambda: end(w, w.settled_id, "withdrawn")),
    "ck_award_not_overpaid": lambda w: many(
        lambda: unsettling(w),
        lambda: without("DROP TRIGGER append_only ON release",
                        f"UPDATE release SET amount_pence = 900000 WHERE id = '{w.release_id}'"),
        lambda: end(w, w.release_id, "settled")),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_by_its_rule(world, attack):
    rule = attack.split()[0]
    with savepoint(world.connection):
        assert refused_by(lambda: ATTACKS[attack](world)) == ("23514", rule)


TABLES = {
    "ck_award_as": "award", "ck_agreement": "agreement", "ck_award_end": "award_end", "ck_payee": "payee",
    "ck_evidence_review": "evidence_review", "ck_evidence": "evidence", "ck_stage_evidence": "release",
    "ck_release_end": "release_end", "ck_award_not_overpaid": "release_end", "ck_release": "release",
}


def table_of(rule):
    return next(table for prefix, table in sorted(TABLES.items(), key=lambda pair: -len(pair[0]))
                if rule.startswith(prefix))


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_that_rule_the_attack_passes(world, attack):
    rule = attack.split()[0]
    with savepoint(world.connection):
        without(f"DROP TRIGGER {rule} ON {table_of(rule)}")
        ATTACKS[attack](world)


def test_stages_sum_to_the_award_when_the_transaction_ends(world):
    def attack():
        insert("stage", {"id": uuid.uuid4(), "award_id": world.offered.id, "number": 3, "basis": "up_front",
                         "amount_pence": 1, "due_on": "2027-01-01"})

    with savepoint(world.connection):
        assert refused_by(attack) == ("23514", "ck_award_stages_sum")
    with savepoint(world.connection):
        without("DROP TRIGGER ck_award_stages_sum ON stage")
        attack()
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_an_end_to_end_id_is_never_used_again(world):
    used = world.paid.stage().end_to_end_id
    with savepoint(world.connection):
        assert refused_by(lambda: release(world, end_to_end_id=used)) == ("23505", "uq_release_end_to_end_id")


@pytest.mark.parametrize("wrong", ["", "short", "lower-case", "A" * 19, "LUCF 1234", "LUCF-12345"])
def test_a_reference_to_the_bank_is_one_that_every_bank_carries(world, wrong):
    with savepoint(world.connection):
        assert refused_by(lambda: release(world, end_to_end_id=wrong)) == ("23514", "ck_release_end_to_end_id")


@pytest.mark.parametrize("table", ["award", "award_end", "agreement", "payee", "stage", "evidence", "evidence_review",
                                   "release", "release_end", "release_step"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}"])
def test_nothing_of_a_grant_can_be_changed_or_removed(world, table, change):
    column = sql("SELECT column_name FROM information_schema.columns WHERE table_name = :t LIMIT 1", t=table).scalar()
    with savepoint(world.connection):
        assert refused_by(lambda: sql(change.format(table, column, column)))[0] == "42501"
    with savepoint(world.connection):
        with_rows = sql(f"SELECT count(*) FROM {table}").scalar() > 0

        def as_owner():
            sql("RESET ROLE")
            sql(change.format(table, column, column))

        if with_rows or "TRUNCATE" in change:
            assert refused_by(as_owner) == ("23001", "append_only")


def test_the_rules_read_our_tables_and_none_of_a_session_s_own(world):
    """Temporary tables called `capacity` and `evidence_review` would let the officer who accepted also approve."""
    def attack():
        sql("CREATE TEMP TABLE capacity AS SELECT * FROM public.capacity")
        sql("CREATE TEMP TABLE evidence_review AS SELECT * FROM public.evidence_review WHERE false")
        sql("UPDATE pg_temp.capacity SET capacity = 'approver' WHERE person_id = :id", id=world.staff.officer.person_id)
        sql("GRANT SELECT ON pg_temp.capacity, pg_temp.evidence_review TO PUBLIC")
        release(world, approved_by=world.staff.officer.person_id)

    with savepoint(world.connection):
        assert refused_by(attack)[1] in {"ck_release_capacity", "ck_release_other_hand"}
