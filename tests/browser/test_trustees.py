"""What trustees do, in a real browser, in every state that its pages have: two write a plan, set a limit, and move the
reserve; what is left out, what is refused, and what another did meanwhile."""

from datetime import date

import pytest

from fund.db import session
from fund.endowment import actions, queries, rules
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Capacity
from tests.browser.look import check
from tests.browser.test_panel import be
from tests.make.ledger import make_tranche
from tests.make.people import make_staff

pytestmark = pytest.mark.browser

YEAR = "2026-27"
SPENDING = f"/trustees/spending/{YEAR}"


@pytest.fixture
def trustees(live):
    """Two trustees of an endowment whose rule would leave it with less than was given."""
    with live.app.app_context():
        make_tranche(amount_pence=100_000, received_on=date(2025, 6, 2))
        actions.record_income(SYSTEM, amount_pence=2_000, earned_on=date(2026, 3, 1), source="S", reference="1")
        found = [make_staff(Capacity.TRUSTEE).id for _ in range(2)]
        session.commit()
    return found


@pytest.fixture
def walk(live, new_page, trustees):
    """`walk(0)`: the first trustee's browser, which looks at every page that it comes to."""
    return lambda number: Walker(live, new_page(), trustees[number])


class Walker:
    """A trustee at work. Each step ends on a page that is clean and fits a small phone."""

    def __init__(self, live, page, person_id) -> None:
        self.live, self.page = live, page
        be(live, page, person_id)

    def open(self, path: str, *, shot: str = "", sees: str = "") -> "Walker":
        self.page.goto(self.live.url + path)
        return self.look(shot, sees)

    def press(self, name: str, *, shot: str = "", sees: str = "") -> "Walker":
        self.page.get_by_role("button", name=name).click()
        return self.look(shot, sees)

    def tick(self) -> "Walker":
        self.page.get_by_role("checkbox").first.check()
        return self

    def fill(self, label: str, text: str) -> "Walker":
        self.page.get_by_label(label, exact=True).fill(text)
        return self

    def day(self, day: str, month: str, year: str) -> "Walker":
        for label, text in (("Day", day), ("Month", month), ("Year", year)):
            self.fill(label, text)
        return self

    def look(self, shot: str, sees: str) -> "Walker":
        assert sees in self.page.locator("main").inner_text(), f"{self.page.url}: {sees}"
        check(self.page, shot)
        return self


def test_a_rule_is_chosen_in_every_state_of_its_page(walk):
    one = walk(0).open(SPENDING, shot="trustee-spending", sees="Without a recovery plan")
    one.open(f"{SPENDING}/rule", shot="trustee-rule").press("Choose this rule", sees="Choose one of the rules")
    one.page.get_by_label("Mostly as last year (Yale)").check()
    share = "Share of the value, in per cent"
    one.fill(share, "11").press("Choose this rule", shot="trustee-rule-wrong", sees="between")
    one.fill(share, "4.5").press("Choose this rule", sees="Mostly as last year (Yale)")


def test_two_trustees_confirm_a_plan_and_set_the_limit_in_every_state(live, walk):
    one, other = walk(0), walk(1)
    one.open(f"{SPENDING}/limit", shot="trustee-limit", sees="Without a recovery plan")
    one.press("Give it to another trustee", shot="trustee-limit-refused",
              sees="Without a recovery plan of two trustees")
    one.open(f"{SPENDING}/plan", shot="trustee-plan").press("Give it to another trustee", sees="Say how")
    one.fill("How will the endowment get back above what was given?", "Spend less, " * 60).day("1", "4", "2999")
    one.press("Give it to another trustee", shot="trustee-plan-written", sees="You wrote it.")
    with live.app.app_context():
        plan = f"/trustees/plans/{queries.plans(YEAR)[0].id}"
    one.open(plan, shot="trustee-plan-own", sees="You wrote this plan")
    assert one.page.get_by_role("button", name="Confirm the plan").count() == 0
    other.open(SPENDING, shot="trustee-plan-waits", sees="Read it, and confirm it")
    other.open(plan, shot="trustee-plan-confirm").press("Confirm the plan", shot="trustee-plan-empty", sees="Tick")
    twice = walk(1).open(plan)
    other.tick().press("Confirm the plan", shot="trustee-plan-confirmed", sees="Two trustees recorded it")
    twice.tick().press("Confirm the plan", shot="trustee-plan-twice", sees="This plan is confirmed already")
    other.open(plan, shot="trustee-plan-done", sees="This plan is confirmed already")
    late = walk(0).open(f"{SPENDING}/limit", shot="trustee-limit-with-plan")
    one.open(f"{SPENDING}/limit").press("Give it to another trustee", shot="trustee-limit-given", sees="You proposed")
    with live.app.app_context():
        limit = f"/trustees/limits/{queries.proposed_limits()[YEAR].id}"
    one.open(limit, shot="trustee-limit-own", sees="You proposed this")
    assert one.page.get_by_role("button", name="Confirm the limit").count() == 0
    other.open(SPENDING, shot="trustee-limit-waits", sees="Read it, and confirm it")
    other.open(limit, shot="trustee-limit-confirm", sees="It rests on a recovery plan of two trustees")
    other.press("Confirm the limit", shot="trustee-limit-empty", sees="Tick the box")
    again = walk(1).open(limit)
    other.tick().press("Confirm the limit", shot="trustee-limit-set", sees="Spend less")
    again.tick().press("Confirm the limit", shot="trustee-limit-twice", sees="is set already")
    late.press("Give it to another trustee", shot="trustee-limit-late", sees="is set already")
    for page in ("", "/rule", "/plan", "/limit"):
        one.open(SPENDING + page, shot=f"trustee-set{page.replace('/', '-')}", sees="set")
    one.open(plan, shot="trustee-plan-old", sees="This plan is confirmed already")


def test_a_limit_that_lapsed_is_proposed_again(live, walk):
    """What waits leads each trustee to their page; meanwhile something came in, and the figures are others."""
    with live.app.app_context():
        year = rules.financial_year(clock.today())
        actions.record_income(SYSTEM, amount_pence=5_000, earned_on=clock.today(), source="S", reference="2")
        session.commit()
    one, other = walk(0), walk(1)
    one.open("/waiting", sees=f"Propose how much may be spent in {year}")
    one.page.get_by_role("link", name="See what the rule gives").click()
    one.page.get_by_role("link", name="Propose the limit").click()
    one.fill("A smaller limit, if you want one", "1").press("Give it to another trustee", sees="You proposed it")
    one.open("/waiting", shot="trustee-waits-for-another", sees="Another trustee reads the limit that you proposed")
    other.open("/waiting", shot="trustee-limit-to-read", sees="confirm it or not")
    other.page.get_by_role("link", name="Read the limit").click()
    other.look("trustee-limit-smaller", "£1.00")
    with live.app.app_context():
        actions.record_income(SYSTEM, amount_pence=1, earned_on=clock.today(), source="S", reference="3")
        session.commit()
    address = other.page.url
    other.tick().press("Confirm the limit", shot="trustee-limit-lapsed", sees="The figures changed after this")
    other.page.goto(address)
    other.look("trustee-limit-lapsed-read", "The figures changed after this")
    other.page.get_by_role("link", name="Propose the limit").click()
    other.fill("A smaller limit, if you want one", "1").press("Give it to another trustee", sees="You proposed it")


def switch(live, *, is_on: bool) -> None:
    with live.app.app_context():
        actions.switch_reserve(SYSTEM, is_on=is_on)
        session.commit()


def test_the_reserve_is_moved_by_two_in_every_state(live, walk):
    one, other = walk(0), walk(1)
    one.open("/trustees/reserve", shot="trustee-reserve-off", sees="there is nothing to change")
    switch(live, is_on=True)
    one.open("/trustees/reserve").page.get_by_role("radio").first.check()
    switch(live, is_on=False)  # while the page is open
    one.fill("How much?", "1").press("Give it to another trustee", shot="trustee-reserve-refused", sees="no reserve")
    switch(live, is_on=True)
    for kind, much in ((0, "15"), (1, "5")):
        one.open("/trustees/reserve", shot="trustee-reserve").press("Give it to another trustee", sees="Choose")
        one.page.get_by_role("radio").nth(kind).check()
        one.fill("How much?", "some").press("Give it to another trustee", shot="trustee-reserve-wrong", sees="pounds")
        one.fill("How much?", much).press("Give it to another trustee", shot="trustee-reserve-own", sees="You propos")
        with live.app.app_context():
            change = f"/trustees/reserve/{queries.proposed_changes()[0].id}"
        one.open(change, shot=f"trustee-change-own-{kind}", sees="You proposed this")
        other.open("/trustees/reserve", shot="trustee-reserve-waits", sees="Look at it, and approve it")
        other.open(change, shot=f"trustee-change-{kind}").press("Approve it", shot="trustee-change-empty", sees="Tick")
        twice = walk(1).open(change)
        other.tick().press("Approve it", shot="trustee-reserve-moved", sees="£15.00" if kind == 0 else "£10.00")
        twice.tick().press("Approve it", shot="trustee-change-twice")
        other.open(change, shot="trustee-change-gone")


def test_somebody_else_is_told_that_these_pages_are_not_theirs(live, new_page):
    with live.app.app_context():
        officer = make_staff(Capacity.OFFICER).id
        session.commit()
    page = new_page()
    be(live, page, officer)
    for path in (SPENDING, "/trustees/reserve"):
        assert page.goto(live.url + path).status == 403
        check(page, "trustee-forbidden")


def test_a_proposal_is_taken_back_and_another_set_aside(live, walk):
    """By the one who made it and by the other; what either left open meanwhile says what became of it."""
    one, other = walk(0), walk(1)
    for who, button, said in ((one, "Take it back", "Whoever proposed this took it back"),
                              (other, "Turn it down", "Another trustee turned this down")):
        one.open(f"{SPENDING}/plan")
        one.fill("How will the endowment get back above what was given?", "Spend less next year.")
        one.day("1", "4", "2999").press("Give it to another trustee", sees="take it back")
        with live.app.app_context():
            plan = f"/trustees/plans/{queries.plans(YEAR)[0].id}"
        late = walk(1).open(plan)
        who.open(plan, shot=f"trustee-plan-{button.split()[0].lower()}")
        who.press(button, shot="trustee-plan-gone", sees=said.replace("Whoever proposed this", "You").replace(
            "took it back", "took this back").replace("Another trustee", "You"))
        assert "Spend less next year" not in who.open(SPENDING).page.locator("main").inner_text()
        late.tick().press("Confirm the plan", shot="trustee-plan-ended-late", sees="this")
        (other if who is one else one).open(plan, shot="trustee-plan-ended", sees=said)
        assert one.page.get_by_role("button", name=button).count() == 0
