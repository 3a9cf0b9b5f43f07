"""Nothing is offered, signed, approved or settled beside an entry of another sum, place, day or reservation.

Every attack posts an entry that the ledger itself would have, and puts a row beside it that says something else. Its
twin, with the trigger dropped, goes through.
"""

import re
import uuid
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from fund.allocations import models as allocations
from fund.db import session
from fund.embedded import postgres
from fund.endowment.queries.check import KINDS
from fund.grants import models as grants
from fund.grants.models import Release
from fund.kernel import clock
from fund.ledger import actions as ledger
from fund.ledger import queries as books
from fund.ledger import rules as entries
from fund.ledger.rules import Line
from tests.grants.test_constraints import insert, sql, unsettling
from tests.make.bank import pay
from tests.make.beside import decide
from tests.make.grants import make_accepted, make_hands, make_offers, make_release, make_signed
from tests.standing import refused_by, savepoint, standing, without


@pytest.fixture(scope="module")
def world(app, server, database):
    """Grants at each point of their way, made once; the day of an entry is today unless an attack says another."""
    with standing(app, postgres.superuser_url(server, database)) as connection:
        staff = make_hands()
        offered, signed, accepted, released, paid = make_offers(5, staff=staff)
        make_signed(signed)
        make_accepted(accepted)
        _made, release = make_release(released)
        _made, settled = make_release(paid)
        pay(staff, settled)
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"))
        session.commit()
        yield SimpleNamespace(connection=connection, staff=staff, offered=offered, signed=signed, accepted=accepted,
                              released=released, paid=paid, release=told(release), settled=told(settled))


def told(release: Release) -> SimpleNamespace:
    """What an attack needs of a release, when its session is gone."""
    return SimpleNamespace(id=release.id, entry_id=release.entry_id, amount_pence=release.amount_pence)


def post(kind: str, lines: list[Line], on: date | None = None, **more) -> uuid.UUID:
    return ledger.post(kind, lines, effective_on=on or clock.today(), idem_key=f"attack/{uuid.uuid4()}",
                       **more).entry_id


def ends(entry_id: uuid.UUID, *, post: bool = True) -> list[Line]:
    return (entries.post_pending if post else entries.void_pending)(books.pending_lines(entry_id))


def a_penny_less(lines: list[Line]) -> list[Line]:
    return [replace(lines[0], amount_pence=lines[0].amount_pence - 1), *lines[1:]]


def column(table: str, column: str, **where) -> uuid.UUID:
    (name, value), = where.items()
    return sql(f"SELECT {column} FROM {table} WHERE {name} = :value", value=value).scalar_one()


def offer_of(w) -> uuid.UUID:
    return column("award", "offer_entry_id", id=w.offered.id)


def sign(w, entry_id):
    insert("agreement", {"award_id": w.offered.id, "terms_version": "1", "spending_plan": "Benches.",
                         "signed_by": w.offered.group.person_id, "entry_id": entry_id})


def decline(w, entry_id):
    insert("award_end", {"award_id": w.offered.id, "kind": "declined_by_group", "entry_id": entry_id,
                         "ended_by": w.offered.group.person_id})


def approve(w, entry_id):
    stage, payee = w.accepted.stage(), w.accepted.grant.payee
    insert("release", {
        "id": uuid.uuid4(), "stage_id": stage.id, "attempt": 1, "evidence_id": stage.evidence_id,
        "end_to_end_id": uuid.uuid4().hex[:12].upper(), "amount_pence": stage.amount_pence, "payee_id": payee.id,
        "bank_account_id": payee.bank_account_id, "approved_by": w.staff.approver.person_id, "entry_id": entry_id})


def end(w, kind, entry_id, release=None, days=0):
    unsettling(w)
    insert("release_end", {"id": uuid.uuid4(), "release_id": (release or w.release).id, "kind": kind,
                           "booked_on": clock.today() + timedelta(days), "entry_id": entry_id})


def paid_on(w, days: int) -> uuid.UUID:
    """The entry of a payment, so many days after today."""
    return post("stage_paid", ends(w.release.entry_id), clock.today() + timedelta(days), **own(w.release.entry_id))


def back_on(w, days: int) -> uuid.UUID:
    """The entry of a payment that came back, so many days after today."""
    return post("payment_returned", entries.payment_returned(w.paid.reference, w.settled.amount_pence),
                clock.today() + timedelta(days), **own(column("release_end", "entry_id", release_id=w.settled.id)))


def books_closed(days: int = 1) -> None:
    """Through so many days before today."""
    ledger.close_period(clock.today() - timedelta(days), idem_key=f"attack/{uuid.uuid4()}")


def in_order(*acts):
    """What the last of these gives, once the others were done."""
    return [act() for act in acts][-1]


def offer(w, lines: list[Line]):
    """A second offer of a decision that was offered, with its one stage; what forbids that is out of the way."""
    row = sql("SELECT * FROM award WHERE id = :id", id=w.offered.id).mappings().one()
    decision = column("decision", "leaf_id", id=row["decision_id"])
    without("ALTER TABLE award DROP CONSTRAINT uq_award_decision",
            "ALTER TABLE award DROP CONSTRAINT uq_award_application", "DROP INDEX ledger.uq_entry_offer")
    ledger.open_account("5000/GRT-FALSE", name="False")
    false = {**row, "id": uuid.uuid4(), "reference": "GRT-FALSE",
             "offer_entry_id": post("grant_offer", lines, relates_to=[decision])}
    insert("award", false)
    insert("stage", {"id": uuid.uuid4(), "award_id": false["id"], "number": 1, "basis": "up_front",
                     "amount_pence": row["amount_pence"], "due_on": "2027-01-01"})


def reference(w) -> str:
    return w.accepted.reference


def own(entry_id: uuid.UUID) -> dict:
    return {"relates_to": [entry_id]}


#: The table whose trigger refuses, and the attack.
ATTACKS = {
    "award in other stages": lambda w: offer(w, entries.grant_offer(w.offered.place_code, "GRT-FALSE", [479_99, 1])),
    "award on another grant": lambda w: offer(w, entries.grant_offer(
        w.offered.place_code, w.signed.reference, [480_00])),
    "agreement to a penny less": lambda w: sign(w, post(
        "grant_agreement", a_penny_less(ends(offer_of(w))), **own(offer_of(w)))),
    "agreement that relates to nothing": lambda w: sign(w, post("grant_agreement", ends(offer_of(w)))),
    "agreement that frees the money": lambda w: sign(w, post(
        "grant_offer_lapsed", ends(offer_of(w), post=False), **own(offer_of(w)))),
    "agreement beside a record": lambda w: sign(w, column("decision", "leaf_id", id=column(
        "award", "decision_id", id=w.offered.id))),
    "agreement beside nothing": lambda w: sign(w, uuid.uuid4()),
    "award_end that keeps the money": lambda w: decline(w, post(
        "grant_agreement", ends(offer_of(w)), **own(offer_of(w)))),
    "release of a penny less": lambda w: approve(w, post("stage_release", entries.stage_release(
        reference(w), [w.accepted.stage().amount_pence - 1]))),
    "release from another grant": lambda w: approve(w, post("stage_release", entries.stage_release(
        w.signed.reference, [w.accepted.stage().amount_pence]))),
    "release in two lines": lambda w: approve(w, post("stage_release", entries.stage_release(
        reference(w), [w.accepted.stage().amount_pence - 1, 1]))),
    "release_end on another day": lambda w: end(w, "settled", paid_on(w, 1)),
    "release_end on another day, and the books closed before it": lambda w: end(w, "settled", in_order(
        books_closed, lambda: paid_on(w, 1))),
    "release_end long after its closed day": lambda w: end(w, "settled", in_order(
        books_closed, lambda: paid_on(w, 1)), days=-1),
    "release_end on a day that was closed afterwards": lambda w: in_order(
        lambda: end(w, "settled", paid_on(w, 0), days=-1), books_closed),
    "release_end back long after its closed day": lambda w: end(w, "returned", in_order(
        books_closed, lambda: back_on(w, 1)), w.settled, days=-1),
    "release_end that paid a penny less": lambda w: end(w, "settled", post(
        "stage_paid", a_penny_less(ends(w.release.entry_id)), **own(w.release.entry_id))),
    "release_end refused, and paid in the books": lambda w: end(w, "refused", post(
        "stage_paid", ends(w.release.entry_id), **own(w.release.entry_id))),
    "release_end paid, and refused in the books": lambda w: end(w, "settled", post(
        "payment_failed", ends(w.release.entry_id, post=False), **own(w.release.entry_id))),
    "release_end back with a penny less": lambda w: end(w, "returned", post(
        "payment_returned", entries.payment_returned(w.paid.reference, w.settled.amount_pence - 1),
        **own(column("release_end", "entry_id", release_id=w.settled.id))), w.settled),
    "release_end back to another grant": lambda w: end(w, "returned", post(
        "payment_returned", entries.payment_returned(w.signed.reference, w.settled.amount_pence),
        **own(column("release_end", "entry_id", release_id=w.settled.id))), w.settled),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_row_says_what_its_entry_says(world, attack):
    with savepoint(world.connection):
        without("DROP TRIGGER grant_entry_explained ON ledger.entry")  # which asks the other way round
        assert refused_by(lambda: ATTACKS[attack](world)) == ("23514", "row_says_its_entry")


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_that_trigger_it_goes_through(world, attack):
    with savepoint(world.connection):
        without(f"DROP TRIGGER row_says_its_entry ON {attack.split()[0]}",
                "DROP TRIGGER grant_entry_explained ON ledger.entry")
        ATTACKS[attack](world)
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def alone(kind: str, lines, **more):
    """An entry with no row at all."""
    post(kind, lines, **more)


#: What somebody with the application's password could hand the ledger, and no row stands for.
ENTRIES = {
    "an offer to a grant that there is not": lambda w: alone(
        "grant_offer", entries.grant_offer(w.offered.place_code, w.signed.reference, [5]), **own(decide(
            w.connection.connection.driver_connection, w.offered.place_code, 5))),
    "an offer that nobody signed": lambda w: alone("grant_agreement", ends(offer_of(w)), **own(offer_of(w))),
    "an offer that nobody declined": lambda w: alone(
        "grant_offer_lapsed", ends(offer_of(w), post=False), **own(offer_of(w))),
    "a payment that nobody approved": lambda w: alone("stage_release", entries.stage_release(reference(w), [5])),
    "a payment that the bank never booked": lambda w: alone(
        "stage_paid", ends(w.release.entry_id), **own(w.release.entry_id)),
    "a payment that the bank never refused": lambda w: alone(
        "payment_failed", ends(w.release.entry_id, post=False), **own(w.release.entry_id)),
    "money that never came back": lambda w: alone(
        "payment_returned", entries.payment_returned(w.paid.reference, 5), **own(w.settled.entry_id)),
    "a return out of nothing": lambda w: alone("grant_return", entries.grant_return(10**8, None)),
    "a grant made smaller": lambda w: alone(
        "grant_decommitted", entries.grant_decommitted(w.accepted.reference, w.accepted.place_code, 5)),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_no_entry_of_a_grant_stands_alone(world, entry):
    with savepoint(world.connection):
        assert refused_by(lambda: ENTRIES[entry](world)) == ("23514", "grant_entry_explained")
    with savepoint(world.connection):
        without("DROP TRIGGER grant_entry_explained ON ledger.entry")
        ENTRIES[entry](world)
        session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_every_kind_of_entry_is_asked_for_its_row_or_named_here(world):
    """A new kind has to be put on one side or the other; the rest are the endowment's (its own test lists them)."""
    text = sql("SELECT prosrc FROM pg_proc WHERE proname = 'grant_entry_explained'").scalar_one()
    left_out = set(re.findall(r"'(\w+)'", text[text.index("IN ("):text.index(") THEN RETURN NULL")]))
    kinds = set(sql("SELECT kind FROM ledger.posting_rule ORDER BY 1").scalars())
    asked = set(re.findall(r"WHEN '(\w+)' THEN EXISTS", text))
    without_rows = {"grant_return", "grant_decommitted", "host_contribution", "operating_cost", "participation_payment"}
    assert left_out == KINDS | {"deficit_made_good", "area_allocation", "reversal"}
    assert kinds == left_out | asked | without_rows
    assert asked.isdisjoint(without_rows)


def test_every_table_that_names_an_entry_of_a_grant_is_looked_at(world):
    found = sql("""SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'row_says_its_entry'
                   AND tgfoid = 'grant_row_said'::regproc AND tgenabled = 'O' AND tgdeferrable""").scalars().all()
    tables = [one.__table__ for part in (grants, allocations) for one in vars(part).values()
              if hasattr(one, "__table__")]
    assert set(found) == {table.name for table in tables if {"entry_id", "offer_entry_id"} & {*table.columns.keys()}}
    assert len(found) == 6


def test_true_rows_are_let_through(world):
    """What the attacks change is all that is wrong with them."""
    for act in (lambda w: sign(w, post("grant_agreement", ends(offer_of(w)), **own(offer_of(w)))),
                lambda w: decline(w, post("grant_offer_lapsed", ends(offer_of(w), post=False), **own(offer_of(w)))),
                lambda w: offer(w, entries.grant_offer(w.offered.place_code, "GRT-FALSE", [480_00])),
                lambda w: approve(w, post("stage_release", entries.stage_release(
                    reference(w), [w.accepted.stage().amount_pence]))),
                lambda w: end(w, "settled", paid_on(w, 0)),
                # Of a day in the closed books: on the first that was open when it was posted.
                lambda w: end(w, "settled", in_order(books_closed, lambda: paid_on(w, 0)), days=-1),
                lambda w: end(w, "settled", in_order(lambda: books_closed(4), lambda: paid_on(w, -3)), days=-9),
                lambda w: end(w, "returned", in_order(books_closed, lambda: back_on(w, 0)), w.settled, days=-1),
                lambda w: in_order(lambda: end(w, "settled", paid_on(w, -1), days=-1), books_closed)):
        with savepoint(world.connection):
            act(world)
            session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
