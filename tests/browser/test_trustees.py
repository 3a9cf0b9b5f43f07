"""A year's limit in a real browser: one trustee proposes it, another finds it waiting, reads it and confirms it."""

from datetime import date

import pytest

from fund.db import transaction
from fund.endowment import actions, rules
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Capacity
from tests.browser.look import check
from tests.browser.test_panel import be
from tests.make.ledger import make_tranche
from tests.make.people import make_staff

pytestmark = pytest.mark.browser


def test_two_trustees_set_what_a_year_may_spend(live, page):
    with live.app.app_context(), transaction():
        today = clock.today()
        year = rules.financial_year(today)
        make_tranche(amount_pence=10_000_000, received_on=date(2025, 6, 2))
        actions.record_income(SYSTEM, amount_pence=1_000_000, earned_on=today, source="Custodian", reference="1")
        one, other = (make_staff(Capacity.TRUSTEE).id for _ in range(2))

    be(live, page, one)
    page.goto(f"{live.url}/waiting")
    page.get_by_role("link", name="See what the rule gives").click()
    page.get_by_role("link", name="Propose the limit").click()
    check(page, "limit-propose")
    page.get_by_label("A smaller limit").fill("1,000")
    page.get_by_role("button", name="Give it to another trustee").click()
    check(page, "limit-proposed")
    page.goto(f"{live.url}/waiting")
    assert "Another trustee reads the limit that you proposed" in page.content()

    be(live, page, other)
    page.goto(f"{live.url}/waiting")
    check(page, "limit-waits")
    page.get_by_role("link", name="Read the limit").click()
    check(page, "limit-confirm")
    page.get_by_role("button", name="Confirm the limit").click()
    check(page, "limit-confirm-empty")
    page.get_by_label("I have read it, and I agree").check()
    page.get_by_role("button", name="Confirm the limit").click()
    check(page, "limit-set")
    assert f"£1,000 for {year}" in page.content()
    assert "Two trustees decided it" in page.content()
