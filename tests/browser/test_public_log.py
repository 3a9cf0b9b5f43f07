"""The pages of the public log in a real browser, in every state: nothing yet, some, many, late; and in Welsh."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from fund.db import session, transaction
from fund.kernel import clock
from fund.transparency import actions
from tests.browser.look import check

pytestmark = pytest.mark.browser

SEAL = sa.text("INSERT INTO published_checkpoint (size, root, cosigned_by) "
               "SELECT n, sha256('x'), :witnesses FROM generate_series(CAST(:first AS int), :last) AS n")


@pytest.fixture
def grow(live):
    """`grow(3, sealed=2)`: a record of so many lines, of which so many are under a seal."""
    def more(lines, *, sealed=0, minutes_ago=0, witnesses=()):
        with live.app.app_context(), transaction():
            for number in range(lines):
                actions.append("rehearsal_rule", {"n": number}, idem_key=f"{lines}/{number}",
                               recorded_at=clock.now() - timedelta(minutes=minutes_ago))
            if sealed:
                session.execute(SEAL, {"first": max(1, sealed - 119), "last": sealed, "witnesses": list(witnesses)})
    return more


def look(live, page, path, shot, *sees):
    page.goto(live.url + path)
    text = page.locator("main").inner_text()
    assert [words for words in sees if words not in text] == [], page.url
    check(page, shot)


def test_a_log_without_a_line(live, page):
    look(live, page, "/log/", "log-empty", "Not yet")
    look(live, page, "/log/history/", "log-history-empty", "Nothing yet.")
    look(live, page, "/log/verify/", "log-verify", "What stands beside the log")
    assert "balances/" not in page.locator("main").inner_text()  # there are none yet


def test_a_log_with_many_seals_that_is_up_to_date(live, page, grow):
    grow(130, sealed=131, witnesses=["witness.example/a-rather-long-name", "audit.example/w"])
    look(live, page, "/log/", "log", "audit.example/w", "Waiting for the next seal")
    assert "five minutes" not in page.locator("main").inner_text()
    look(live, page, "/log/history/", "log-history", "The first 131")
    page.get_by_role("link", name="Older").click()
    check(page, "log-history-older")
    page.get_by_role("link", name="Newer").click()
    check(page, "log-history-back")


def test_the_page_about_checking_names_the_balances_once_there_are_some(live, page, grow):
    grow(256, sealed=256)
    look(live, page, "/log/verify/", "log-verify-balances", "/log/balances/256.json")


def test_a_log_that_is_late_says_so(live, page, grow):
    grow(3, sealed=2, minutes_ago=9)
    look(live, page, "/log/", "log-late", "Lines have waited more than five minutes")


def test_a_line_under_a_seal_and_one_that_waits_for_it(live, page, grow):
    grow(2, sealed=2)
    for place, words in ((1, "Sealed with the first 2 lines."), (2, "The next seal will cover it.")):
        with live.app.app_context():
            name = session.scalar(sa.text("SELECT id FROM log.leaf WHERE seq = :at"), {"at": place})
        look(live, page, f"/ledger/entries/{name}", f"log-line-{place}", words)


@pytest.mark.parametrize("path", ["/log/nothing", "/log/history/?before=x", "/log/tile/0/1", "/log/proof/x.tlog-proof"])
def test_what_is_not_there_is_said_on_a_page_that_is_sound(live, page, path):
    assert page.goto(live.url + path).status == 404
    check(page, "log-not-there")


def test_the_pages_in_welsh(live, page, grow):
    grow(3, sealed=2, minutes_ago=9)
    page.context.add_cookies([{"name": "language", "value": "cy", "url": live.url}])
    for path, words in (("/log/", "Y log cyhoeddus"), ("/log/history/", "sêl"),
                        ("/log/verify/", "Beth sydd wrth ymyl y log")):
        look(live, page, path, f"log-cy{path.replace('/', '-')}", words)
        assert page.locator("html").get_attribute("lang") == "cy"
