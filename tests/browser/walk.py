"""Somebody who walks through the fund with a browser, page by page, and looks at every page they come to.

    anna = Walker(fund.url, new_page(scripts=False, width=320), axe)
    anna.open("/waiting").follow("Carry on").sees("Your application").write("Tell us more", "…").press("Save and go on")

Every page must answer below 400 unless the step says otherwise, have one h1, not scroll sideways at 320 px, and please
axe. A page made of the same kinds of pieces as one that was looked at before is not put to axe
again. axe needs scripts, so what a browser without scripts shows is put to it in a second browser, as it came.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, Self

from playwright.sync_api import Locator, Page, Response

from fund.demo import story
from fund.embedded import mailbox, process
from tests.browser.look import NARROW, faults_of, keep
from tests.make.whole import Run

#: For work that another process does meanwhile.
PATIENCE_SECONDS = 60


class Eyes:
    """Looks at pages with axe, in a browser of its own where the page's browser runs no scripts."""

    def __init__(self, second: Page) -> None:
        self.second, self.seen = second, set[str]()

    def look(self, page: Page, *, scripts: bool) -> None:
        """Assert what is true of every page."""
        at = f"{page.url}: "
        wide = page.viewport_size
        if wide["width"] > NARROW:
            page.set_viewport_size({"width": NARROW, "height": 800})
        h1, over = page.evaluate("[document.querySelectorAll('h1').length, "
                                 "document.documentElement.scrollWidth - document.documentElement.clientWidth]")
        if wide["width"] > NARROW:
            page.set_viewport_size(wide)
        assert h1 == 1, at + f"{h1} h1"
        assert over <= 0, at + f"{over} px too wide at {NARROW}"
        html = page.content()
        build = str(wide["width"]) + " ".join(sorted(set(re.findall(r"<[a-z0-9]+(?: [a-z]+)*|class=\"[^\"]*\"", html))))
        if build not in self.seen:
            self.seen.add(build)
            shown = page if scripts else self._again(page, html)
            faults = faults_of(shown)
            assert not faults, at + "\n".join(faults)

    def _again(self, page: Page, html: str) -> Page:
        self.second.set_viewport_size(page.viewport_size)
        self.second.route(page.url, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        self.second.goto(page.url)
        self.second.unroute(page.url)
        return self.second


class Walker:
    """One person's way. Each step gives the walker back, so that a way can be written in one breath."""

    def __init__(self, url: str, page: Page, eyes: Eyes, *, scripts: bool, name: str) -> None:
        self.url, self.page, self.eyes, self.scripts, self.name, self.count = url, page, eyes, scripts, name, 0

    @property
    def text(self) -> str:
        """What the page says, without its head and foot."""
        return self.page.locator("main").inner_text()

    def open(self, address: str, *, status: int = 200) -> Self:
        """Type an address."""
        return self._arrive(lambda: self.page.goto(address if "://" in address else self.url + address), status)

    def follow(self, words: str | re.Pattern[str]) -> Self:
        """Follow a link, or a button that is one."""
        return self._go(self.page.locator("a").filter(visible=True).filter(has_text=words), words)

    def press(self, words: str | re.Pattern[str], *, status: int = 200) -> Self:
        """Press a button; `status` is that of the page that comes."""
        buttons = self.page.locator("button:not([aria-hidden]), a.govuk-button")
        return self._go(buttons.filter(has_text=words), words, status)

    def _go(self, found: Locator, words: str | re.Pattern[str], status: int = 200) -> Self:
        assert found.count(), f"{self.name} finds no “{words}” on {self.page.url}:\n{self.text}"

        def act() -> Response:
            with self.page.expect_navigation() as navigation:
                found.first.click()
            return navigation.value

        return self._arrive(act, status)

    def _arrive(self, act: Callable[[], Response | None], status: int) -> Self:
        answer = act()
        assert answer is not None, self.page.url
        assert answer.status == status, f"{answer.status} {self.page.url}"
        self.count += 1
        keep(self.page, f"{self.name}-{self.count:02d}")
        self.eyes.look(self.page, scripts=self.scripts)
        return self

    def write(self, label: str, words: str) -> Self:
        """Fill in a field."""
        self.page.get_by_label(label).fill(words)
        return self

    def choose(self, label: str) -> Self:
        """Choose an answer, or tick a box."""
        self.page.get_by_label(label).first.check()
        return self

    def unfold(self, words: str) -> Self:
        """Open what is folded away."""
        self.page.locator("summary").filter(has_text=words).click()
        return self

    def sees(self, *words: str) -> Self:
        """The page says this."""
        for each in words:
            assert each in self.text, f"{self.name} does not read “{each}” on {self.page.url}:\n{self.text}"
        return self

    def does_not_see(self, *words: str) -> Self:
        """The page, its code included, says nothing of this."""
        html = self.page.content()
        for each in words:
            assert each not in html, f"{self.name} reads “{each}” on {self.page.url}"
        return self

    def until(self, words: str) -> Self:
        """Load the page again until it says this: somebody else is at work on it."""
        def there() -> bool:
            return words in self.text or (bool(self.page.reload()) and words in self.text)

        assert process.wait_until(there, seconds=PATIENCE_SECONDS), f"never “{words}” on {self.page.url}:\n{self.text}"
        return self


@dataclass
class Fund:
    """The running fund, and the walkers in it."""

    run: Run
    new_page: Callable[..., Page]
    eyes: Eyes
    walkers: dict[str, Walker] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.run.port}"

    def walker(self, name: str, *, phone: bool) -> Walker:
        """Somebody with a browser of their own."""
        page = self.new_page(scripts=False, width=NARROW, height=800) if phone else self.new_page()
        return Walker(self.url, page, self.eyes, scripts=not phone, name=name)

    def be(self, one: story.Somebody, *, phone: bool = False) -> Walker:
        """Somebody of the demo, opened cold: on the page of what waits for them."""
        if one.key not in self.walkers:
            found = self.walkers[one.key] = self.walker(one.key, phone=phone)
            found.open("/demo").press(re.compile(rf"^\s*Be {one.name}\s*$"))
        return self.walkers[one.key].open("/waiting")

    def letters(self, subject: str, *, to: str = "") -> list[EmailMessage]:
        """The letters so far that have these words in the subject, the newest first."""
        folder = self.run.var / "mail"
        found = [mailbox.read(folder, name) for name in mailbox.names(folder)]
        return [one for one in found if subject in one["subject"] and to in one["to"]]

    def letter(self, to: str, subject: str, *, but: str = "") -> str:
        """The newest letter to somebody with these words in the subject (but not the one with `but`), once it is there.
        """
        def words() -> str:
            found = (one for one in self.letters(subject, to=to) if not but or but not in one["subject"])
            return next((mailbox.words(one) for one in found), "")

        return self.wait_for(words, f"a letter “{subject}” to {to}")

    def readers(self, reference: str) -> set[story.Somebody]:
        """Who has been written to as a reader of an application so far."""
        asked = {one["to"] for one in self.letters(f"An application to read: {reference}")}
        return {one for one in story.MEMBERS if one.email in asked}

    def wait_for(self, found: Callable[[], Any], what: str) -> Any:
        """What `found` gives, once it gives something: the worker is at it."""
        assert process.wait_until(lambda: bool(found()), seconds=PATIENCE_SECONDS), \
            f"{what} never came; there are {[(one['to'], one['subject']) for one in self.letters('')]}"
        return found()
