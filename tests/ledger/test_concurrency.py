"""Many at once: one account is never spent twice, the log has no gap, and a retried request is one entry."""

import threading
from collections.abc import Callable

import sqlalchemy as sa

from fund.db import session, transaction
from fund.kernel import clock
from fund.kernel.errors import Refused
from fund.ledger import actions, queries, rules
from fund.ledger.queries.fsck import check_everything
from tests.make.beside import alone, decided, explained
from tests.make.ledger import make_allocation, make_funded_endowment

THREADS, EACH = 6, 12


def all_at_once(app, work: Callable[[int], None]) -> None:
    """Run `work` in threads that start together, each in its own application context; raise what any raised."""
    failures: list[BaseException] = []
    together = threading.Barrier(THREADS)

    def run(number: int) -> None:
        with app.app_context():
            together.wait()
            try:
                work(number)
            except BaseException as error:
                failures.append(error)
            finally:
                session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_one_allocation_is_never_spent_below_nothing(own_app, server):
    with transaction():
        make_funded_endowment(spendable_pence=100_000)
        make_allocation(amount_pence=1_000)
        for number in range(THREADS):
            actions.open_account(rules.grant(f"G{number}"), name=f"Grant {number}")
    decisions = decided(server, "E05000650", *[30] * (THREADS * EACH))
    offered: list[int] = []
    refused: list[str] = []

    def offer(number: int) -> None:
        for turn in range(EACH):
            try:
                with transaction():
                    actions.post("grant_offer", rules.grant_offer("E05000650", f"G{number}", [30]),
                                 effective_on=clock.today(), idem_key=f"{number}/{turn}",
                                 relates_to=[decisions[number * EACH + turn]])
                offered.append(number)
            except Refused as error:
                refused.append(error.reasons[0].code)

    with alone(server):
        all_at_once(own_app, offer)
    assert len(offered) == 33
    assert refused == ["ck_balance_overdraft"] * (THREADS * EACH - 33)
    assert queries.balance_of("4000/E05000650").available_pence == 10
    assert session.execute(sa.text("SELECT count(*) = max(seq) + 1 FROM log.leaf")).scalar_one()
    assert check_everything().problems == []


def test_a_request_sent_many_times_at_once_is_one_entry(own_app):
    with transaction():
        actions.open_standing_accounts()
    posted = []

    def receive(_number: int) -> None:
        with transaction():
            posted.append(explained(actions.post("dormant_assets_receipt", rules.dormant_assets_receipt(500),
                                                 effective_on=clock.today(), idem_key="the same")))

    all_at_once(own_app, receive)
    assert len(posted) == THREADS
    assert len(set(posted)) == 1
    assert queries.balance_of("3000").posted_pence == 500


def test_first_writers_of_an_empty_log_begin_it_once(own_app):
    all_at_once(own_app, lambda number: _open(f"4000/P{number}"))
    kinds = session.execute(sa.text("SELECT kind FROM log.leaf ORDER BY seq")).scalars().all()
    assert kinds == ["genesis"] + ["account_opened"] * THREADS


def _open(code: str) -> None:
    with transaction():
        actions.open_account(code, name=code)
