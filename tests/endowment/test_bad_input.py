"""What makes no sense is refused by name wherever money is entered, and nothing of it is written."""

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fund.endowment import actions
from fund.endowment.models import Tranche
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, NotFound, Refused
from fund.kernel.ids import new_id
from fund.ledger import actions as ledger
from fund.transparency import formats
from fund.transparency import queries as public_record
from tests.make.ledger import make_funded_endowment, make_tranche

DAY = date(2026, 6, 1)
CLOSED = date(2026, 4, 30)
TOMORROW = date(2027, 4, 1)  # the day after these tests' today


def income(**more):
    return actions.record_income(SYSTEM, **{"amount_pence": 5, "earned_on": DAY, "source": "S", "reference": "1",
                                            **more})


def drawdown(**more):
    return actions.draw_down(SYSTEM, **{"amount_pence": 5, "financial_year": "2026-27", "drawn_on": DAY,
                                        "reference": "1", **more})


def budget(**more):
    return actions.budget_running_costs(SYSTEM, **{"amount_pence": 5, "financial_year": "2026-27", "set_on": DAY,
                                                   "reference": "1", **more})


def tranche():
    return make_tranche(received_on=TOMORROW)


def trade(agreed_on=TOMORROW):
    return actions.agree_trade(SYSTEM, buy=True, holding="A fund", amount_pence=5, agreed_on=agreed_on, reference="1")


def settled():
    trade(DAY)
    return actions.settle_trade(SYSTEM, "1", settled_on=TOMORROW)


@pytest.fixture
def funded(session):
    make_funded_endowment(spendable_pence=50_000_000, on=DAY, financial_year="2026-27")
    ledger.close_period(CLOSED, idem_key="close")
    session.commit()
    return session


def written(session) -> tuple:
    rows = session.execute(sa.text("SELECT (SELECT count(*) FROM endowment_return), (SELECT count(*) FROM drawdown), "
                                   "(SELECT count(*) FROM running_cost_budget)")).one()
    return (public_record.size(), *rows)


@pytest.mark.parametrize(("entry", "more", "code"), [
    *((income, {"amount_pence": pence}, "ck_transfer_amount") for pence in (0, -1, 1.5, 10**15 + 1, 10**19)),
    (income, {"earned_on": CLOSED}, "period_is_open"),
    (income, {"earned_on": date(1989, 12, 31)}, "ck_entry_effective_on"),
    (income, {"earned_on": TOMORROW}, "not_yet"), (drawdown, {"drawn_on": TOMORROW}, "not_yet"),
    (budget, {"set_on": TOMORROW}, "not_yet"), (tranche, {}, "not_yet"), (trade, {}, "not_yet"),
    (settled, {}, "not_yet"),
    *((drawdown, {"amount_pence": pence}, code) for pence, code in ((0, "nothing"), (-1, "nothing"),
                                                                   (10**19, "over_limit"))),
    (drawdown, {"drawn_on": CLOSED}, "period_is_open"), (drawdown, {"financial_year": "2031-32"}, "over_limit"),
    *((budget, {"amount_pence": pence}, code) for pence, code in ((0, "nothing"), (-1, "nothing"),
                                                                 (10**19, "over_ceiling"))),
    (budget, {"set_on": CLOSED}, "period_is_open"),
])
def test_it_is_refused_by_name_and_nothing_is_written(funded, entry, more, code):
    before = written(funded)
    with pytest.raises(Refused) as refused:
        entry(**more)
    assert code in [reason.code for reason in refused.value.reasons]
    funded.rollback()
    assert written(funded) == before


@pytest.mark.parametrize("entry", [income, drawdown, budget])
def test_the_same_again_gives_what_stands_and_another_sum_under_the_same_reference_is_refused(funded, entry):
    assert entry().id == entry().id
    before = written(funded)
    with pytest.raises(Refused) as refused:
        entry(amount_pence=6)
    assert [reason.code for reason in refused.value.reasons] == ["reference_used"]
    assert written(funded) == before


@pytest.mark.parametrize("entry", [income, drawdown, budget])
@pytest.mark.parametrize("reference", ["", "   ", "x" * 101])
def test_a_reference_is_a_few_words(funded, entry, reference):
    with pytest.raises(BadInput) as refused:
        entry(reference=reference)
    assert refused.value.field == "reference"


def test_no_costs_are_budgeted_in_a_year_without_a_limit(funded):
    with pytest.raises(NotFound):
        budget(financial_year="2031-32")


# Round the actions, with SQL.


def test_the_table_takes_a_senders_reference_once(session):
    make_tranche(reference="A")
    session.commit()
    session.add(Tranche(id=new_id(), sender="Reclaim Fund Ltd", reference="A", scheme="banks", amount_pence=2,
                        reclaim_pence=0, received_on=DAY, document_sha256=b"x" * 32, entry_id=new_id()))
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23505", "uq_tranche_reference")


@pytest.mark.parametrize("kind", ["drawdown", "spending_rule_set", "trade", "operating_cost", "reclaim_reserve_release",
                                  "revaluation_loss", "deficit_made_good"])
@pytest.mark.parametrize("credit", ["1000", "3100", "3200"])
def test_no_hand_made_line_takes_capital_out(funded, kind, credit):
    """A leaf written by hand, given to the ledger's one way in with the application's own rights."""
    leaf = formats.canonical({
        "v": 1, "id": str(new_id()), "kind": kind, "recorded_at": "2026-06-01T09:00:00.000000Z",
        "effective_on": "2026-06-01",
        "transfers": [{"phase": "single", "debit": "3000", "credit": credit, "amount": "1"}]})
    before = public_record.size()
    with pytest.raises(sa.exc.DBAPIError) as refused:
        funded.execute(sa.text("SELECT * FROM ledger.post(ARRAY['by hand'], ARRAY[CAST(:hash AS bytea)], "
                               "ARRAY[CAST(:leaf AS bytea)])"), {"hash": b"h" * 32, "leaf": leaf})
    assert refused.value.orig.diag.constraint_name in {"fk_transfer_rule", "ck_transfer_capital"}
    funded.rollback()
    assert public_record.size() == before
