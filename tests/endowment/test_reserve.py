"""Tranches and the reserve for owners: off unless switched on, two trustees to move it, and the right document."""

import hashlib
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fund.endowment import actions, queries
from fund.endowment.models import Tranche
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.kernel.ids import new_id
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.transparency import queries as public_record
from tests.make.ledger import make_tranche
from tests.make.people import make_staff

DAY = date(2026, 6, 1)
TOMORROW = date(2027, 4, 1)  # the day after these tests' today
PAPER = b"advice of payment"


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def trustee() -> Actor:
    return Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id)


def receive(**more):
    return actions.receive_tranche(SYSTEM, **{
        "sender": "Reclaim Fund Ltd", "reference": "RFL-1", "amount_pence": 1_000, "received_on": DAY,
        "scheme": "banks", "document": PAPER, **more})


@pytest.fixture
def reserve(session):
    """A reserve of £400, and £50 of return."""
    actions.switch_reserve(SYSTEM, is_on=True)
    make_tranche(amount_pence=100_000, reclaim_pence=40_000)
    actions.record_income(SYSTEM, amount_pence=5_000, earned_on=DAY, source="S", reference="1")
    session.commit()
    return session


def posted(*accounts: str) -> list[int]:
    return [balances.balance_of(code).posted_pence for code in accounts]


def test_without_a_reserve_no_part_is_set_by(session):
    size = public_record.size()
    with pytest.raises(Refused) as refused:
        receive(reclaim_pence=1)
    assert codes(refused) == ["reclaim_reserve_off"]
    session.rollback()
    assert public_record.size() == size
    assert not queries.reserve_is_on()
    actions.switch_reserve(SYSTEM, is_on=True)
    receive(reclaim_pence=1)
    actions.switch_reserve(SYSTEM, is_on=False)
    assert not queries.reserve_is_on()
    with pytest.raises(Refused):
        receive(reference="RFL-2", reclaim_pence=1)
    session.rollback()


def test_a_stated_hash_is_held_against_the_document(session):
    hashed = hashlib.sha256(PAPER).hexdigest()
    assert receive(stated_sha256=f" {hashed.upper()} ").document_sha256.hex() == hashed
    with pytest.raises(Refused) as refused:
        receive(reference="RFL-2", document=b"another", stated_sha256=hashed)
    assert codes(refused) == ["document_hash"]
    assert [tranche.reference for tranche in queries.tranches()] == ["RFL-1"]


@pytest.mark.parametrize(("more", "error", "code"), [
    *(({"amount_pence": pence}, Refused, "ck_transfer_amount") for pence in (0, -1, 10**15 + 1, 10**19, 1.5, True)),
    ({"reclaim_pence": 1_001}, Refused, "ck_tranche_reclaim"), ({"reclaim_pence": -1}, Refused, "ck_tranche_reclaim"),
    ({"scheme": "lottery"}, BadInput, "scheme"), ({"sender": ""}, BadInput, "sender"),
    ({"document": b""}, BadInput, "document"), ({"stated_sha256": "1"}, BadInput, "sha256"),
    ({"received_on": date(2025, 1, 31)}, Refused, "period_is_open"),
    ({"received_on": date(1980, 1, 1)}, Refused, "ck_entry_effective_on"),
])
def test_a_tranche_that_makes_no_sense_is_named_and_nothing_is_written(session, more, error, code):
    make_tranche(received_on=date(2025, 1, 1))
    ledger.close_period(date(2025, 1, 31), idem_key="close")
    session.commit()
    size, tranches = public_record.size(), len(queries.tranches())
    with pytest.raises(error) as refused:
        receive(**more)
    assert (codes(refused)[0] if error is Refused else refused.value.field) == code
    session.rollback()
    assert (public_record.size(), len(queries.tranches())) == (size, tranches)


def test_an_owner_is_paid_or_the_payment_is_called_off(reserve):
    actions.pay_owner(SYSTEM, amount_pence=1_000, agreed_on=DAY, reference="R1")
    actions.pay_owner(SYSTEM, amount_pence=2_000, agreed_on=DAY, reference="R2")
    assert actions.pay_owner(SYSTEM, amount_pence=2_000, agreed_on=DAY, reference="R2").amount_pence == 2_000
    assert balances.balance_of("2000").reserved_pence == 3_000
    for too_early in (lambda: actions.pay_owner(SYSTEM, amount_pence=1, agreed_on=TOMORROW, reference="R3"),
                      lambda: actions.end_payment(SYSTEM, "R1", is_paid=True, ended_on=TOMORROW)):
        with pytest.raises(Refused) as refused:
            too_early()
        assert codes(refused) == ["not_yet"]
    actions.end_payment(SYSTEM, "R1", is_paid=True, ended_on=DAY)
    actions.end_payment(SYSTEM, "R2", is_paid=False, ended_on=DAY)
    assert posted("2000", "1000", "3000") == [39_000, 104_000, 60_000]
    with pytest.raises(Refused) as refused:
        actions.end_payment(SYSTEM, "R2", is_paid=True, ended_on=DAY)
    assert codes(refused) == ["payment_ended"]
    with pytest.raises(NotFound):
        actions.end_payment(SYSTEM, "R3", is_paid=True, ended_on=DAY)
    with pytest.raises(Refused) as refused:
        actions.pay_owner(SYSTEM, amount_pence=1, agreed_on=DAY, reference="R1")
    assert codes(refused) == ["reference_used"]
    reserve.commit()


@pytest.mark.parametrize(("pence", "code"), [(0, "ck_transfer_amount"), (-1, "ck_transfer_amount"),
                                             (10**19, "ck_transfer_amount"), (40_001, "over_reserve")])
def test_no_owner_is_paid_what_is_not_there(reserve, pence, code):
    with pytest.raises(Refused) as refused:
        actions.pay_owner(SYSTEM, amount_pence=pence, agreed_on=DAY, reference="R1")
    assert codes(refused) == [code]


def test_the_reserve_moves_when_two_trustees_say_so(reserve):
    one, other = trustee(), trustee()
    change = actions.propose_reserve_change(one, kind="top_up", amount_pence=3_000)
    assert posted("2000", "3100") == [40_000, 5_000]
    with pytest.raises(Refused) as refused:
        actions.approve_reserve_change(one, change.id)
    assert codes(refused) == ["same_trustee"]
    assert [waiting.id for waiting in queries.proposed_changes()] == [change.id]
    actions.approve_reserve_change(other, change.id)
    assert posted("2000", "3100") == [43_000, 2_000]
    with pytest.raises(Refused) as refused:
        actions.approve_reserve_change(trustee(), change.id)
    assert codes(refused) == ["change_approved"]
    released = actions.propose_reserve_change(other, kind="release", amount_pence=43_000)
    actions.approve_reserve_change(one, released.id)
    assert posted("2000", "3000") == [0, 103_000]
    assert queries.proposed_changes() == []
    assert queries.total_return().set_by_pence == 3_000
    assert queries.total_return().unapplied_pence == posted("3100")[0]
    reserve.commit()


@pytest.mark.parametrize(("kind", "pence", "code"), [
    ("top_up", 5_001, "not_there"), ("release", 40_001, "not_there"), ("top_up", 0, "ck_transfer_amount"),
    ("release", -1, "ck_transfer_amount"), ("release", 10**19, "ck_transfer_amount")])
def test_no_more_is_moved_than_is_there(reserve, kind, pence, code):
    with pytest.raises(Refused) as refused:
        actions.propose_reserve_change(trustee(), kind=kind, amount_pence=pence)
    assert codes(refused) == [code]


def test_with_the_reserve_off_it_can_only_be_released(reserve):
    actions.switch_reserve(SYSTEM, is_on=False)
    for attempt in (lambda: actions.propose_reserve_change(trustee(), kind="top_up", amount_pence=1),
                    lambda: actions.pay_owner(SYSTEM, amount_pence=1, agreed_on=DAY, reference="R1")):
        with pytest.raises(Refused) as refused:
            attempt()
        assert codes(refused) == ["reclaim_reserve_off"]
    change = actions.propose_reserve_change(trustee(), kind="release", amount_pence=40_000)
    actions.approve_reserve_change(trustee(), change.id)
    assert posted("2000") == [0]


@pytest.mark.parametrize("actor", [SYSTEM, Actor(Capacity.APPROVER, new_id()), Actor(Capacity.OFFICER, new_id())],
                         ids=["system", "approver", "officer"])
def test_only_trustees_move_the_reserve(session, actor):
    with pytest.raises(Forbidden):
        actions.propose_reserve_change(actor, kind="top_up", amount_pence=1)
    with pytest.raises(Forbidden):
        actions.approve_reserve_change(actor, new_id())


def test_a_change_that_is_none_is_named(session):
    with pytest.raises(BadInput):
        actions.propose_reserve_change(trustee(), kind="steal", amount_pence=1)
    with pytest.raises(NotFound):
        actions.approve_reserve_change(trustee(), new_id())


# Round the actions, with SQL: the tables themselves refuse.


def refused_by_the_table(session, statement, **values) -> tuple[str, str]:
    with pytest.raises(IntegrityError) as refused:
        session.execute(sa.text(statement), values)
    session.rollback()
    return refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name


def test_the_tables_refuse_a_reserve_that_is_off(session):
    session.add(Tranche(id=new_id(), sender="x", reference="x", scheme="banks", amount_pence=2, reclaim_pence=1,
                        received_on=DAY, document_sha256=b"x" * 32, entry_id=new_id()))
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    assert refused.value.orig.diag.constraint_name == "reclaim_reserve_off"
    session.rollback()
    who = trustee().person_id
    session.commit()
    for statement in (
            "INSERT INTO reclaim_payment (id, reference, amount_pence, agreed_on, entry_id) "
            "VALUES (gen_random_uuid(), 'x', 1, '2026-06-01', gen_random_uuid())",
            "INSERT INTO reserve_change (id, kind, amount_pence, proposed_by) "
            "VALUES (gen_random_uuid(), 'top_up', 1, :who)"):
        assert refused_by_the_table(session, statement, who=who) == ("23514", "reclaim_reserve_off")


def test_the_tables_refuse_one_trustee_alone_and_anybody_else(reserve):
    one, officer = trustee(), make_staff(Capacity.OFFICER).id
    change = actions.propose_reserve_change(one, kind="top_up", amount_pence=1)
    reserve.commit()
    approve = ("INSERT INTO reserve_change_approval (change_id, approved_by, entry_id) "
               "VALUES (:c, :w, gen_random_uuid())")
    assert refused_by_the_table(reserve, approve, c=change.id, w=one.person_id) == ("23514", "ck_reserve_two_trustees")
    assert refused_by_the_table(reserve, approve, c=change.id, w=officer) == ("23514", "ck_reserve_by_trustee")
    assert refused_by_the_table(reserve, "INSERT INTO reserve_change (id, kind, amount_pence, proposed_by) VALUES "
                                "(gen_random_uuid(), 'top_up', 1, :w)", w=officer) == ("23514", "ck_reserve_by_trustee")


@pytest.mark.parametrize("table", ["reclaim_reserve_policy", "reclaim_payment", "reclaim_payment_end", "reserve_change",
                                   "reserve_change_approval", "tranche"])
def test_nothing_of_it_is_ever_emptied(session, table):
    with pytest.raises(sa.exc.DBAPIError):
        session.execute(sa.text(f"TRUNCATE {table} CASCADE"))
