"""Holdings, trades and valuations: each posts exactly what it says, and the tables refuse what does not tie."""

import hashlib
import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fund.endowment import actions, queries
from fund.endowment.models import EndowmentReturn, HoldingTrade, HoldingValuation
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused
from fund.kernel.ids import new_id
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.transparency import queries as public_record
from tests.make.ledger import make_change_of_value, make_funded_endowment, make_holding, make_tranche

DAY = date(2026, 6, 1)
PAPER = b"The valuer's letter"


def codes(refused) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def value(pence: int, on: date = DAY, *, reference: str = "V", holding: str = "World shares", **more):
    return actions.record_valuation(SYSTEM, holding=holding, value_pence=pence, valued_on=on, source="Valuer",
                                    reference=reference, **{"document": PAPER, **more})


def posted(*accounts: str) -> list[int]:
    return [balances.balance_of(code).posted_pence for code in accounts]


@pytest.fixture
def held(session):
    """£10,000 came in, £8,000 of it is in one holding."""
    make_tranche(amount_pence=1_000_000, received_on=date(2026, 5, 1))
    make_holding(800_000, DAY)
    session.commit()
    return session


def test_a_valuation_posts_exactly_the_difference_and_says_by_which_document(held):
    valued = value(850_000)
    assert posted("1100", "3100", "3090", "3000") == [850_000, 50_000, 0, 1_000_000]
    made = held.get(EndowmentReturn, valued.return_id)
    params = json.loads(public_record.leaf_by_id(made.entry_id).encoded)["params"]
    assert params == {"source": "Valuer", "reference": "V", "holding": "World shares", "value_pence": "850000",
                      "carried_pence": "800000", "document_sha256": hashlib.sha256(PAPER).hexdigest()}
    # Unapplied return bears a loss, then the deficit; capital never.
    value(700_000, DAY + timedelta(days=1), reference="W")
    assert posted("1100", "3100", "3090", "3000") == [700_000, 0, 100_000, 1_000_000]
    # A gain makes that good first.
    value(830_000, DAY + timedelta(days=2), reference="X")
    assert posted("1100", "3100", "3090", "3000") == [830_000, 30_000, 0, 1_000_000]
    held.commit()


def test_the_same_value_posts_nothing_and_stands(held):
    size = public_record.size()
    assert value(800_000).return_id is None
    assert public_record.size() == size
    assert queries.holdings()[0].valued_on == DAY


def test_the_same_reference_again_gives_what_stands_and_another_value_is_refused(held):
    assert value(850_000).id == value(850_000).id
    with pytest.raises(Refused) as refused:
        value(850_001)
    assert codes(refused) == ["reference_used"]
    with pytest.raises(Refused) as refused:
        value(850_000, document=b"another letter")
    assert codes(refused) == ["reference_used"]
    assert posted("1100") == [850_000]


def test_the_holdings_together_are_the_account_whatever_happens(held):
    make_holding(100_000, DAY, holding="Bonds")
    make_change_of_value(-30_000, DAY, holding="Bonds")
    make_change_of_value(12_345, DAY)
    actions.agree_trade(SYSTEM, buy=False, holding="World shares", amount_pence=500, agreed_on=DAY, reference="s1")
    actions.agree_trade(SYSTEM, buy=False, holding="Bonds", amount_pence=70_000, agreed_on=DAY, reference="s2")
    actions.settle_trade(SYSTEM, "s2", settled_on=DAY + timedelta(days=2))
    found = {line.name: line for line in queries.holdings()}
    assert [line.carried_pence for line in found.values()] == [0, 812_345]
    assert found["World shares"].being_sold_pence == 500
    assert sum(line.carried_pence for line in found.values()) == posted("1100")[0]
    held.commit()


def test_a_trade_settles_once_or_is_called_off(held):
    actions.agree_trade(SYSTEM, buy=True, holding="Bonds", amount_pence=50_000, agreed_on=DAY, reference="b")
    assert balances.balance_of("1000").reserved_pence == 50_000
    with pytest.raises(Refused) as refused:
        actions.settle_trade(SYSTEM, "b", settled_on=DAY - timedelta(days=1))
    assert codes(refused) == ["before_agreed"]
    assert actions.settle_trade(SYSTEM, "b", settled_on=DAY).entry_id == actions.settle_trade(
        SYSTEM, "b", settled_on=DAY).entry_id
    for end in (lambda: actions.call_off_trade(SYSTEM, "b", ended_on=DAY),
                lambda: actions.settle_trade(SYSTEM, "b", settled_on=DAY + timedelta(days=1))):
        with pytest.raises(Refused) as refused:
            end()
        assert codes(refused) == ["trade_ended"]
    assert posted("1000", "1100") == [150_000, 850_000]
    with pytest.raises(NotFound):
        actions.settle_trade(SYSTEM, "nothing", settled_on=DAY)


@pytest.mark.parametrize(("more", "error", "code"), [
    *(({"pence": pence}, Refused, "ck_holding_valuation_value") for pence in (-1, 10**15 + 1, 10**19, 1.5)),
    ({"pence": 1, "on": DAY - timedelta(days=1)}, Refused, "valuation_in_order"),
    ({"pence": 1, "stated_sha256": "0" * 64}, Refused, "document_hash"),
    ({"pence": 1, "stated_sha256": "zz"}, BadInput, "sha256"), ({"pence": 1, "document": b""}, BadInput, "document"),
    ({"pence": 1, "reference": " "}, BadInput, "reference"),
    ({"pence": 1, "reference": "x" * 101}, BadInput, "reference"),
    ({"pence": 1, "holding": "Nothing"}, NotFound, None),
])
def test_a_valuation_that_makes_no_sense_is_named_and_nothing_is_written(held, more, error, code):
    size = public_record.size()
    with pytest.raises(error) as refused:
        value(**more)
    if error is Refused:
        assert codes(refused) == [code]
    elif error is BadInput:
        assert refused.value.field == code
    held.rollback()
    assert public_record.size() == size
    assert held.scalar(sa.text("SELECT count(*) FROM holding_valuation")) == 0


def test_a_valuation_in_a_closed_period_is_refused_and_nothing_is_written(held):
    ledger.close_period(DAY, idem_key="close")
    held.commit()
    with pytest.raises(Refused) as refused:
        value(900_000)
    assert codes(refused) == ["period_is_open"]
    held.rollback()
    assert held.scalar(sa.text("SELECT count(*) FROM holding_valuation")) == 0


@pytest.mark.parametrize(("buy", "pence", "code"), [
    (True, 0, "ck_transfer_amount"), (True, -5, "ck_transfer_amount"), (True, 10**19, "ck_transfer_amount"),
    (True, 1.5, "ck_transfer_amount"), (True, 200_001, "ck_balance_overdraft"),
    (False, 800_001, "holding_not_oversold")])
def test_a_trade_that_cannot_be_is_refused_and_nothing_is_written(held, buy, pence, code):
    with pytest.raises(Refused) as refused:
        actions.agree_trade(SYSTEM, buy=buy, holding="World shares", amount_pence=pence, agreed_on=DAY, reference="t")
    assert codes(refused) == [code]
    held.rollback()
    assert held.scalar(sa.text("SELECT count(*) FROM holding_trade WHERE reference = 't'")) == 0


@pytest.mark.parametrize("capacity", [Capacity.OFFICER, Capacity.CHAIR, Capacity.APPLICANT])
def test_only_keepers_trade_and_value(session, capacity):
    actor = Actor(capacity, new_id())
    with pytest.raises(Forbidden):
        actions.agree_trade(actor, buy=True, holding="x", amount_pence=1, agreed_on=DAY, reference="t")
    with pytest.raises(Forbidden):
        actions.settle_trade(actor, "t", settled_on=DAY)
    with pytest.raises(Forbidden):
        actions.record_valuation(actor, holding="x", value_pence=1, valued_on=DAY, source="s", reference="r",
                                 document=PAPER)


# Round the actions, with SQL: the tables themselves refuse.


@pytest.mark.parametrize(("other", "constraint"), [
    ({"carried_pence": 799_999}, "valuation_carries"),
    ({"valued_on": DAY - timedelta(days=1)}, "valuation_in_order"),
    ({"value_pence": 800_001}, "ck_holding_valuation_return"),
    ({"value_pence": -1, "return_id": new_id()}, "valuation_posts_its_difference"),
    ({"document_sha256": b"x"}, "ck_holding_valuation_document"),
    ({"source": ""}, "ck_holding_valuation_source"),
])
def test_the_table_refuses_a_valuation_that_does_not_tie(held, other, constraint):
    holding_id = held.scalar(sa.text("SELECT id FROM holding"))
    held.add(HoldingValuation(**{
        "id": new_id(), "holding_id": holding_id, "valued_on": DAY, "value_pence": 800_000, "carried_pence": 800_000,
        "source": "V", "reference": "R", "document_sha256": b"x" * 32, "return_id": None, **other}))
    with pytest.raises(IntegrityError) as refused:
        held.flush()
    assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", constraint)


def test_the_table_refuses_a_gain_that_is_not_the_valuations_own(held):
    valued = value(850_000)
    held.commit()
    held.add(HoldingValuation(id=new_id(), holding_id=valued.holding_id, valued_on=DAY + timedelta(days=1),
                              value_pence=860_000, carried_pence=850_000, source="V", reference="R",
                              document_sha256=b"x" * 32, return_id=valued.return_id))
    with pytest.raises(IntegrityError) as refused:
        held.flush()
    assert refused.value.orig.diag.constraint_name == "valuation_posts_its_difference"


def test_the_table_refuses_a_sale_of_more_than_there_is(held):
    held.add(HoldingTrade(id=new_id(), holding_id=held.scalar(sa.text("SELECT id FROM holding")), is_buy=False,
                          amount_pence=800_001, agreed_on=DAY, reference="t", entry_id=new_id()))
    with pytest.raises(IntegrityError) as refused:
        held.flush()
    assert (refused.value.orig.sqlstate, refused.value.orig.diag.constraint_name) == ("23514", "holding_not_oversold")


@pytest.mark.parametrize("table", ["holding", "holding_trade", "holding_trade_end", "holding_valuation"])
def test_nothing_of_it_is_ever_changed(held, table):
    value(850_000)
    held.commit()
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET ctid = ctid"):
        with pytest.raises(sa.exc.DBAPIError):
            held.execute(sa.text(statement))
        held.rollback()


def test_total_return_is_split_as_the_law_has_it_and_ties_to_the_accounts(session):
    make_funded_endowment(spendable_pence=50_000_000, on=DAY)
    make_holding(1_000_000, DAY)
    make_change_of_value(-250_000, DAY)
    found = queries.total_return()
    assert (found.gift_pence, found.income_pence, found.gains_pence) == (1_500_000_000, 100_000_000, -250_000)
    assert (found.applied_pence, found.set_by_pence) == (64_000_000, 0)
    assert found.unapplied_pence == posted("3100")[0] - posted("3090")[0] == 35_750_000
