"""Two people at the same moment: a limit is set once, a trade ends once, a holding is not sold twice."""

import threading
import time
from datetime import date

import pytest
import sqlalchemy as sa

from fund.db import db, transaction
from fund.db import session as fund_session
from fund.endowment import actions, queries
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import FundError
from tests.make.ledger import make_change_of_value, make_holding, make_tranche, make_trustee

DAY = date(2026, 6, 1)


@pytest.fixture
def shared(own_app):
    """A committed fund with a holding of £8,000 and return, in a database of its own."""
    with transaction():
        make_tranche(amount_pence=1_000_000, received_on=date(2026, 3, 1))
        make_holding(800_000, DAY)
        make_change_of_value(100_000, DAY)
    return own_app


def at_once(app, *works):
    """Do all of it at the same moment, each in a thread and a transaction of its own; what each ended in."""
    ready, ended = threading.Barrier(len(works)), [None] * len(works)

    def run(number, work):
        with app.app_context():
            try:
                ready.wait(10)
                with transaction():
                    work()
                ended[number] = "done"
            except (FundError, sa.exc.IntegrityError) as error:
                ended[number] = type(error).__name__
            finally:
                fund_session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ended


def ask(app, statement):
    with app.app_context():
        found = fund_session.execute(sa.text(statement)).scalar_one()
        fund_session.remove()
        return found


def proposed(trustees):
    """A limit that one trustee proposed, and so many others: its id, and they."""
    with transaction():
        proposal = actions.propose_spending_limit(make_trustee(), "2026-27", set_on=DAY, asked_pence=100)
        return proposal.id, [make_trustee() for _ in range(trustees)]


def test_a_limit_is_set_once(shared):
    proposal_id, others = proposed(6)
    ended = at_once(shared, *[lambda one=one: actions.confirm_spending_limit(one, proposal_id) for one in others])
    assert ended.count("done") == 1
    assert ask(shared, "SELECT count(*) FROM spending_limit") == 1
    assert ask(shared, "SELECT count(*) FROM ledger.entry WHERE kind = 'spending_rule_set'") == 1


def one_waits_for_the_other(app, first, second):
    """Do the first and hold its transaction open until the second waits for it; what each ended in."""
    done, go, ended = threading.Event(), threading.Event(), {}

    def run(name, work, *, holds):
        with app.app_context():
            try:
                with transaction():
                    work()
                    if holds:
                        done.set()
                        go.wait(20)
                ended[name] = "done"
            except (FundError, sa.exc.DBAPIError) as error:
                ended[name] = type(error).__name__
            finally:
                fund_session.remove()

    threads = [threading.Thread(target=run, args=("first", first), kwargs={"holds": True}),
               threading.Thread(target=run, args=("second", second), kwargs={"holds": False})]
    threads[0].start()
    assert done.wait(20)
    threads[1].start()
    for _often in range(400):
        if ask(app, "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = "
                    "(SELECT oid FROM pg_database WHERE datname = current_database())"):
            break
        time.sleep(0.05)
    go.set()
    for thread in threads:
        thread.join(30)
    return ended


def a_plan(by):
    return actions.propose_recovery_plan(by, "2027-28", words="Spend less.", back_by=date(2030, 1, 1)).id


def a_limit(by):
    return actions.propose_spending_limit(by, "2026-27", set_on=DAY, asked_pence=100).id


def a_change(by):
    return actions.propose_reserve_change(by, kind="top_up", amount_pence=3).id


PROPOSALS = pytest.mark.parametrize(("kind", "propose", "agree", "agreed"), [
    ("limit", a_limit, actions.confirm_spending_limit, "spending_limit WHERE proposal_id"),
    ("plan", a_plan, actions.confirm_recovery_plan, "recovery_plan_confirmation WHERE plan_id"),
    ("reserve", a_change, actions.approve_reserve_change, "reserve_change_approval WHERE change_id")])


@pytest.fixture
def two(shared):
    """Two trustees of a fund whose reserve for owners is on."""
    with transaction():
        actions.switch_reserve(SYSTEM, is_on=True)
        return make_trustee(), make_trustee()


@PROPOSALS
@pytest.mark.parametrize("agrees_first", [True, False])
def test_a_proposal_is_agreed_to_or_ends_and_the_second_hears_of_it(shared, two, kind, propose, agree, agreed,
                                                                    agrees_first):
    one, other = two
    with transaction():
        proposal = propose(one)
    works = [lambda: agree(other, proposal), lambda: actions.end_proposal(one, kind, proposal)]
    ended = one_waits_for_the_other(shared, *(works if agrees_first else works[::-1]))
    assert ended == {"first": "done", "second": "Refused"}
    assert ask(shared, f"SELECT count(*) FROM {agreed} = '{proposal}'") == int(agrees_first)
    assert ask(shared, "SELECT count(*) FROM proposal_end") == int(not agrees_first)


@pytest.mark.parametrize("isolation", ["REPEATABLE READ", "SERIALIZABLE"])
def test_a_transaction_that_sees_an_older_state_settles_nothing_twice(shared, two, isolation):
    """Whoever has the application's password may ask for another isolation; the key of what is settled sees them."""
    one, other = two
    with transaction():
        proposal = a_plan(one)
    with db.engine.connect().execution_options(isolation_level=isolation) as older:
        assert older.execute(sa.text("SELECT count(*) FROM proposal_end")).scalar_one() == 0
        with transaction():
            actions.end_proposal(one, "plan", proposal)
        with pytest.raises(sa.exc.IntegrityError) as refused:
            older.execute(sa.text("INSERT INTO recovery_plan_confirmation (plan_id, confirmed_by, leaf_id) "
                                  "VALUES (:plan, :who, gen_random_uuid())"),
                          {"plan": proposal, "who": other.person_id})
        assert refused.value.orig.diag.constraint_name == "pk_proposal_settled"


def test_a_rule_is_chosen_before_the_limit_or_not_at_all(shared):
    proposal_id, others = proposed(1)
    works = [lambda: actions.confirm_spending_limit(others[0], proposal_id)] + [
        lambda: actions.choose_rule(SYSTEM, "2026-27", rule="yale", parameters={"rate": 300})] * 4
    at_once(shared, *works)
    # Whatever came first: the limit follows the choice that stood when it was set.
    assert ask(shared, """SELECT count(*) FROM spending_limit l WHERE l.rule IS DISTINCT FROM coalesce((
        SELECT c.rule FROM spending_rule_choice c WHERE c.chosen_at < l.recorded_at
        ORDER BY c.chosen_at DESC LIMIT 1), 'rolling_average')""") == 0


def test_a_holding_is_not_sold_twice(shared):
    ended = at_once(shared, *[lambda n=n: actions.agree_trade(
        SYSTEM, buy=False, holding="World shares", amount_pence=500_000, agreed_on=DAY, reference=f"s{n}")
        for n in range(5)])
    assert ended.count("done") == 1
    assert ask(shared, "SELECT sum(amount_pence) FROM holding_trade WHERE NOT is_buy") == 500_000


def test_a_valuation_of_the_same_day_counts_once(shared):
    ended = at_once(shared, *[lambda n=n: actions.record_valuation(
        SYSTEM, holding="World shares", value_pence=1_000_000 + n, valued_on=date(2026, 6, 2), source="V",
        reference=f"v{n}", document=b"x") for n in range(5)])
    assert ended.count("done") == 1
    with shared.app_context():
        carried, problems = queries.holdings()[0].carried_pence, queries.check()[1]
        fund_session.remove()
    assert problems == []
    assert carried >= 1_000_000
