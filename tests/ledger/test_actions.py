"""Posting: one way in, the same request once, and a sentence for what is refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from fund.kernel.errors import BadInput, Refused, Stale
from fund.ledger import actions, queries, rules
from tests.make.beside import explained
from tests.make.ledger import make_decision

DAY = date(2026, 4, 1)


@pytest.fixture
def ledger(session):
    actions.open_standing_accounts()
    actions.open_account("4000/E05000650", name="Ardwick")
    session.commit()


def receive(pence=100_000, key="t1"):
    return actions.post("dormant_assets_receipt", rules.dormant_assets_receipt(pence), effective_on=DAY, idem_key=key)


def test_an_entry_moves_the_balances(ledger):
    posted = receive()
    assert queries.balance_of("3000").posted_pence == 100_000
    assert queries.balance_of("1000").available_pence == 100_000
    assert posted.seq > 0


def test_the_same_request_twice_is_one_entry(ledger):
    assert receive() == receive()
    assert queries.balance_of("3000").posted_pence == 100_000


def test_the_same_key_for_another_request_is_stale(ledger):
    receive()
    with pytest.raises(Stale):
        receive(pence=2)


def test_an_account_cannot_be_overdrawn(ledger, session):
    with pytest.raises(Refused) as refused:
        actions.post("area_allocation", rules.area_allocation([("E05000650", 1)]), effective_on=DAY, idem_key="x")
    assert [reason.code for reason in refused.value.reasons] == ["ck_balance_overdraft"]
    session.rollback()
    assert queries.balance_of("3200").posted_pence == 0


def test_an_account_that_is_not_open_is_named(ledger):
    with pytest.raises(BadInput, match="4000/nowhere"):
        actions.post("area_allocation", rules.area_allocation([("nowhere", 1)]), effective_on=DAY, idem_key="x")


def test_a_reservation_is_posted_and_voided(ledger, session):
    receive()
    actions.post("investment_income", rules.investment_income(50_000), effective_on=DAY, idem_key="i")
    actions.open_account("3150/2026-27", name="Limit 2026-27")
    actions.open_account("5000/GRT-1", name="Grant GRT-1")
    actions.post("spending_rule_set", rules.spending_rule_set(40_000, "2026-27"), effective_on=DAY, idem_key="s")
    actions.post("drawdown", rules.drawdown(40_000, "2026-27"), effective_on=DAY, idem_key="d")
    actions.post("area_allocation", rules.area_allocation([("E05000650", 40_000)]), effective_on=DAY, idem_key="a")
    offer = actions.post("grant_offer", rules.grant_offer("E05000650", "GRT-1", [10_000, 20_000]), effective_on=DAY,
                         idem_key="o", relates_to=[make_decision("E05000650", 30_000)])
    assert queries.balance_of("4000/E05000650").available_pence == 10_000
    first, second = queries.pending_lines(offer.entry_id)
    actions.post("grant_agreement", rules.post_pending([first]), effective_on=DAY, idem_key="g")
    actions.post("grant_offer_lapsed", rules.void_pending([second]), effective_on=DAY, idem_key="l")
    assert queries.pending_lines(offer.entry_id) == []
    assert queries.balance_of("4000/E05000650").available_pence == 30_000
    assert queries.balance_of("5000/GRT-1").posted_pence == 10_000
    assert queries.balance_as_recorded("4000/E05000650", offer.seq).available_pence == 10_000
    assert queries.balance_as_effective("4000/E05000650", DAY) == queries.balance_of("4000/E05000650")
    session.commit()


def test_a_reversal_mirrors_its_entry_once(ledger, session):
    posted = receive()
    actions.reverse(posted.entry_id, effective_on=DAY, idem_key="r")
    assert queries.balance_of("3000").posted_pence == 0
    with pytest.raises(Refused) as refused:
        actions.reverse(posted.entry_id, effective_on=DAY, idem_key="r2")
    assert refused.value.reasons[0].code in {"uq_entry_reverses", "ck_balance_overdraft"}


def nothing_is_written(session, before):
    assert session.scalar(sa.text("SELECT size FROM log.log_head")) == before
    assert queries.balance_of("1000").posted_pence == 0


BAD = [
    ("an amount of nothing", 0, "ck_transfer_amount"), ("a negative amount", -5, "ck_transfer_amount"),
    ("half a penny", 0.5, "ck_transfer_amount"), ("a decimal", Decimal("1.00"), "ck_transfer_amount"),
    ("true", True, "ck_transfer_amount"), ("text", "5", "ck_transfer_amount"),
    ("more than a line may move", 10**15 + 1, "ck_transfer_amount"),
    ("more than a bigint", 2**63, "ck_transfer_amount"),
]


@pytest.mark.parametrize(("name", "amount", "code"), BAD, ids=[name for name, _, _ in BAD])
@pytest.mark.parametrize("batch", [False, True])
def test_what_is_no_amount_is_refused_by_name_and_nothing_is_written(ledger, session, name, amount, code, batch):
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    entries = [actions.ToPost(kind="investment_income", lines=rules.investment_income(pence), effective_on=DAY,
                              idem_key=f"i{number}") for number, pence in enumerate([5, amount] if batch else [amount])]
    with pytest.raises(Refused) as refused:
        actions.post_many(entries)
    assert [reason.code for reason in refused.value.reasons] == [code]
    assert refused.value.reasons[0].sentence
    nothing_is_written(session, before)


def test_an_entry_without_lines_is_refused(ledger, session):
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    with pytest.raises(Refused) as refused:
        actions.post("investment_income", [], effective_on=DAY, idem_key="i")
    assert [reason.code for reason in refused.value.reasons] == ["no_lines"]
    nothing_is_written(session, before)


def test_no_entries_at_all_are_posted_as_nothing(ledger):
    assert actions.post_many([]) == []


@pytest.mark.parametrize("kind", ["present", "stage_paid", "account_opened"])
def test_a_kind_that_goes_another_way_is_refused(ledger, session, kind):
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    with pytest.raises(Refused) as refused, session.begin_nested():
        actions.post(kind, rules.investment_income(5), effective_on=DAY, idem_key="i")
    assert [reason.code for reason in refused.value.reasons] == ["fk_transfer_rule"]
    nothing_is_written(session, before)


def test_a_day_in_a_closed_period_is_refused_and_the_next_is_not(ledger, session):
    actions.close_period(DAY, idem_key="close")
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    with pytest.raises(Refused) as refused, session.begin_nested():
        actions.post("investment_income", rules.investment_income(5), effective_on=DAY, idem_key="i")
    assert [reason.code for reason in refused.value.reasons] == ["period_is_open"]
    nothing_is_written(session, before)
    actions.post("investment_income", rules.investment_income(5), effective_on=DAY + timedelta(days=1), idem_key="i")


def test_one_wrong_entry_of_a_batch_takes_all_with_it(ledger, session):
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    with pytest.raises(BadInput, match="4000/nowhere"), session.begin_nested():
        actions.post_many([
            actions.ToPost(kind="investment_income", lines=rules.investment_income(5), effective_on=DAY, idem_key="a"),
            actions.ToPost(kind="area_allocation", lines=rules.area_allocation([("nowhere", 1)]), effective_on=DAY,
                           idem_key="b")])
    nothing_is_written(session, before)


def test_a_batch_with_one_key_that_stands_posts_the_others_and_gives_all(ledger):
    first = receive()
    again, other = actions.post_many([
        actions.ToPost(kind="dormant_assets_receipt", lines=rules.dormant_assets_receipt(100_000), effective_on=DAY,
                       idem_key="t1"),
        actions.ToPost(kind="investment_income", lines=rules.investment_income(5), effective_on=DAY, idem_key="i")])
    assert (again, other.seq) == (first, first.seq + 1)


def incomes(numbers):
    return [actions.ToPost(kind="investment_income", lines=rules.investment_income(1), effective_on=DAY,
                           idem_key=f"many/{number}") for number in numbers]


MANY = 2 * actions.CHUNK + 3


def test_many_entries_stand_in_their_order(ledger, session):
    posted = actions.post_many(incomes(range(MANY)))
    assert [one.seq for one in posted] == list(range(posted[0].seq, posted[0].seq + MANY))
    assert queries.balance_of("3100").posted_pence == MANY
    assert actions.post_many(incomes(range(MANY))) == posted
    assert actions.post_many(one for one in incomes(range(MANY))) == posted  # as they are made


@pytest.mark.parametrize("stands", [0, actions.CHUNK + 1, MANY - 1])
def test_many_entries_of_which_one_stands_are_all_there_once(ledger, stands):
    (first,) = actions.post_many(incomes([stands]))
    posted = actions.post_many(incomes(range(MANY)))
    assert posted[stands] == first
    assert len({one.seq for one in posted}) == MANY
    assert queries.balance_of("3100").posted_pence == MANY


@pytest.mark.parametrize("wrong", [0, actions.CHUNK + 1, MANY - 1])
def test_many_entries_of_which_one_is_refused_leave_nothing(ledger, session, wrong):
    before = session.scalar(sa.text("SELECT size FROM log.log_head"))
    entries = incomes(range(MANY))
    entries[wrong] = actions.ToPost(kind="drawdown", lines=[rules.Line("3100", "3200", 1)], effective_on=DAY,
                                    idem_key="wrong")
    with pytest.raises(Refused) as refused, session.begin_nested():
        actions.post_many(entries)
    assert [reason.code for reason in refused.value.reasons] == ["fk_transfer_rule"]
    nothing_is_written(session, before)


@pytest.mark.parametrize("commitments", [{"name": "x"}, {"subject": ["a", "b"]}, {"approved_by": "a"}])
def test_an_entry_commits_only_to_what_a_line_may_say(ledger, commitments):
    with pytest.raises(BadInput):
        actions.post("investment_income", rules.investment_income(5), effective_on=DAY, idem_key="x",
                     commitments=commitments)


def test_a_private_value_asked_for_twice_is_committed_to_once(ledger, session):
    ask = {"kind": "investment_income", "lines": rules.investment_income(5), "effective_on": DAY, "idem_key": "private",
           "commitments": {"subject": "somebody"}}
    assert explained(actions.post(**ask)) == actions.post(**ask)
    session.flush()
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert session.scalar(sa.text("SELECT count(*) FROM log.commitment")) == 1
