"""Every page that anybody of the demo can reach by links is clean, fits a small phone, and leads on."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException

import fund.demo.load
from fund.demo import story
from fund.web.access import mark_of
from tests.browser.conftest import Live
from tests.browser.look import check

pytestmark = pytest.mark.browser

NOBODY = "a stranger"
PEOPLE = {NOBODY: None, "volunteer": story.APPLICANTS[0], "another": story.APPLICANTS[1], "chair": story.MEMBERS[0],
          "reader": story.MEMBERS[1], "officer": story.OFFICERS[0], "approver": story.APPROVERS[0],
          "authoriser": story.AUTHORISERS[0], "trustee": story.TRUSTEES[0]}


#: What is no page; the published files of the log are in a store that these tests do not start.
FILES = {"static", "transparency.file", "transparency.receipt"}


@pytest.fixture(scope="module")
def demo(module_live: Live) -> Live:
    """The fund with its demo loaded, once for all people."""
    with module_live.app.app_context():
        fund.demo.load.load()
    return module_live


def endpoint(live: Live, address: str) -> str | None:
    """Which page an address is, or none when it is no page of ours."""
    try:
        return str(live.app.url_map.bind("127.0.0.1").match(urlsplit(address).path, method="GET")[0])
    except HTTPException:
        return None


def is_left_to_the_stranger(live: Live, name: str, which: str) -> bool:
    """Whether a page is the same for everybody: the stranger's crawl looks at it, whatever leads there."""
    return name != NOBODY and which != "portal.home" and mark_of(live.app, which).kind == "public"


def links(page: Page, live: Live) -> list[str]:
    """The addresses on this page that lead to pages of ours."""
    found = page.eval_on_selector_all("main a[href], nav a[href]", "all => all.map(one => one.href.split('#')[0])")
    return [address for address in found if address.startswith(live.url + "/")]


def is_a_page(page: Page, address: str) -> bool:
    """Whether it answers with HTML: a file or data is for another test."""
    answer = page.request.get(address)
    assert answer.status == 200, f"{answer.status} {address}"
    return answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_that_somebody_can_reach_is_clean_and_fits(demo, new_page, name):
    page, person = new_page(), PEOPLE[name]
    if person is not None:
        page.goto(demo.url + "/demo")
        page.get_by_role("button", name=person.name).first.click()
    faults, seen, waiting = [], set(), [demo.url + "/", *([demo.url + "/waiting"] if person else [demo.url + "/demo"])]
    while waiting:
        address = waiting.pop(0)
        which = endpoint(demo, address)
        if which is None or which in {*seen, *FILES} or is_left_to_the_stranger(demo, name, which):
            continue
        if not is_a_page(page, address):
            continue
        seen.add(which)
        page.goto(address)
        try:
            check(page, shot=f"{name.replace(' ', '-')}-{which}")
        except AssertionError as fault:  # every page is looked at before any of them fails the test
            faults.append(str(fault))
        waiting += links(page, demo)
    assert not faults, "\n".join(faults)
    assert len(seen) > 3, seen
