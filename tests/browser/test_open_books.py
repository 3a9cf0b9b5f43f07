"""The open books in a real browser: axe, 320 px, and a stranger who follows a payment and checks its line by hand."""

import hashlib
import re
from datetime import date

import pytest

from fund.db import transaction
from fund.ledger import actions, queries, rules
from tests.browser.look import check
from tests.make.beside import alone, decided
from tests.make.ledger import make_allocation, make_funded_endowment

pytestmark = pytest.mark.browser

DAY = date(2026, 6, 1)


@pytest.fixture
def books(live, server):
    with live.app.app_context(), transaction():
        make_funded_endowment(spendable_pence=500_000_000, on=DAY)
        for code, name in (("E05000650", "Ardwick"), ("E05000651", "Ancoats and Beswick")):
            make_allocation(code, amount_pence=12_345_678, name=name, on=DAY)
    with live.app.app_context(), alone(server):
        (decision,) = decided(server, "E05000650", 400_000)
        with transaction():
            actions.open_account("5000/GRT-7KQ2-MW4D", name="Grant GRT-7KQ2-MW4D")
            offer = actions.post("grant_offer", rules.grant_offer("E05000650", "GRT-7KQ2-MW4D", [150_000, 250_000]),
                                 effective_on=DAY, idem_key="o", relates_to=[decision])
            actions.post("grant_agreement", rules.post_pending(queries.pending_lines(offer.entry_id)), effective_on=DAY,
                         idem_key="g")
            release = actions.post("stage_release", rules.stage_release("GRT-7KQ2-MW4D", [150_000]), effective_on=DAY,
                                   idem_key="r")
            actions.post("stage_paid", rules.post_pending(queries.pending_lines(release.entry_id)), effective_on=DAY,
                         idem_key="p")
    return live


def test_every_page_of_the_books_is_sound_at_every_width(books, page):
    for path, shot in (("/ledger", "ledger"), ("/ledger/accounts/4000/E05000650", "ledger-account"),
                       ("/ledger/classes/allocation", "ledger-accounts"), ("/ledger/entries", "ledger-entries"),
                       ("/ledger/rules", "ledger-rules"), ("/endowment", "endowment"),
                       ("/endowment/will-it-last", "endowment-will-it-last"),
                       ("/endowment/statement", "endowment-statement"),
                       ("/endowment/limits/2026-27", "endowment-limit")):
        page.goto(books.url + path)
        check(page, shot)


def test_a_stranger_follows_a_payment_and_checks_its_line_without_scripts(books, new_page):
    page = new_page(scripts=False)
    page.goto(books.url + "/ledger")
    page.get_by_role("link", name="£1,500 reached a group").first.click()
    page.wait_for_url("**/ledger/entries/*")
    shown = re.search(r"[0-9a-f]{64}", page.content())
    assert shown is not None
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save leaf-").click()
    assert hashlib.sha256(b"\0" + saved.value.path().read_bytes()).hexdigest() == shown[0]
    page.get_by_role("link", name="£1,500 is on its way to a group").first.click()
    page.get_by_role("heading", name="£1,500 is on its way to a group").wait_for()
    assert "And then" in page.content()


def test_one_line_is_sound_at_every_width(books, page):
    page.goto(books.url + "/ledger")
    page.get_by_role("link", name="£1,500 reached a group").first.click()
    check(page, "ledger-entry")
