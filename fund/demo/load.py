"""Loading the demo: the story, driven through the fund's own actions."""

import uuid
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta

import sqlalchemy as sa
from flask.testing import FlaskClient

from fund.allocations import actions as allocations
from fund.applications import actions as applications
from fund.db import session, transaction
from fund.demo import story
from fund.demo.story import ASKS, Ask, Somebody
from fund.endowment import actions as endowment
from fund.endowment import rules as endowment_rules
from fund.grants.rules import TERMS_VERSION
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.words import _
from fund.neighbourhoods import actions as neighbourhoods
from fund.organisations import actions as organisations
from fund.people import actions as people
from fund.replay import bank, drive
from fund.replay.drive import Driver, Member, Officers
from fund.rounds import actions as rounds
from fund.rounds.formats import SMALL_GRANT
from fund.settings import settings

Say = Callable[[str], None]


def load(say: Say = lambda _line: None) -> None:
    """Load the whole demo, one transaction a chapter. `say` is told what has been loaded.

    It is for an empty database; a load that was cut off is begun again with a new one (the supervisor sees to it).
    """
    cast = begin(say)
    for ask in ASKS:
        with transaction():
            cast.send(ask)
    with transaction():
        cast.decide()
        say("applications, scores and decisions")
    with transaction():
        cast.give()
    bank.pay(cast.driver, cast.officers,
             [(release_id, ask.state == "returned") for ask, release_id in cast.to_pay])
    with transaction():
        cast.wait_for_readers()
    if settings().bank_url:
        bank.move_to(clock.today())
    say("agreements, stages and payments")


def begin(say: Say = lambda _line: None) -> "Cast":
    """Load the demo up to the morning of its first application: places, money, people, a host, a panel, its round."""
    driver = Driver()
    with transaction():
        places = _places_and_money(driver)
        say("places, tranches, return and allocations")
    with transaction():
        officers = _staff(driver)
        cast = Cast(driver, officers, places[story.PLACE_CODE])
        say("people, groups, a panel and its round")
    return cast


def guide() -> list[str]:
    """Who is in the demo, and what each may do: a line each."""
    return [f"{one.name:<8} {one.may}" for one in everybody()]


def describe(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """What the people of the demo among `ids` may do, for the page on which a visitor becomes one of them."""
    may = {one.email: one.may for one in everybody()}
    rows = session.execute(sa.text("SELECT id, email FROM person WHERE id = ANY(:ids)"), {"ids": list(ids)})
    return {id_: [_(may[email])] for id_, email in rows if email in may}


def everybody() -> Iterable[Somebody]:
    """Everybody of the demo, in the order of the story."""
    return (*story.APPLICANTS, *story.MEMBERS, *story.OFFICERS, *story.APPROVERS, *story.AUTHORISERS, *story.TRUSTEES)


def _places_and_money(driver: Driver) -> dict[str, uuid.UUID]:
    ids = driver.do(neighbourhoods.load_demo_facts, SYSTEM)
    codes: dict[str, uuid.UUID] = dict(session.execute(
        sa.text("SELECT code, id FROM neighbourhood WHERE id = ANY(:ids)"), {"ids": ids}).all())
    today = clock.today()
    year = endowment_rules.financial_year(today)
    starts = endowment_rules.first_day(year)
    for days, (sender, reference, pence, scheme) in enumerate(story.TRANCHES):
        driver.do(endowment.receive_tranche, SYSTEM, sender=sender, reference=reference, amount_pence=pence,
                  received_on=starts - timedelta(days=140 - 60 * days), scheme=scheme,
                  document=reference.encode())
    driver.do(endowment.record_income, SYSTEM, amount_pence=story.RETURN_PENCE, earned_on=starts - timedelta(days=1),
              source="Custodian's statement", reference="CUS-2026-Q1")
    _invest(driver, starts)
    wendy, xan = (drive.make_staff(driver, one.email, one.name, Capacity.TRUSTEE, is_demo=True)
                  for one in story.TRUSTEES)
    proposal = driver.do(endowment.propose_spending_limit, wendy, year, set_on=starts)
    driver.do(endowment.confirm_spending_limit, xan, proposal.id)
    for name, _price, _at_year_end, now in story.HOLDINGS:
        _value(driver, name, now, today)
    driver.do(endowment.draw_down, SYSTEM, amount_pence=story.DRAWDOWN_PENCE, financial_year=year,
              drawn_on=min(today, starts + timedelta(days=20)), reference=f"DD-{year}")
    driver.do(allocations.run_allocation, SYSTEM, pot_pence=story.DRAWDOWN_PENCE, floor_pence=story.FLOOR_PENCE,
              financial_year=year, on=min(today, starts + timedelta(days=30)))
    return codes


def _invest(driver: Driver, starts: date) -> None:
    """Buy the holdings, and value them at the end of the year before."""
    for number, (name, price, at_year_end, _now) in enumerate(story.HOLDINGS, 1):
        driver.do(endowment.agree_trade, SYSTEM, buy=True, holding=name, amount_pence=price,
                  agreed_on=starts - timedelta(days=62), reference=f"BUY-{number}")
        driver.do(endowment.settle_trade, SYSTEM, f"BUY-{number}", settled_on=starts - timedelta(days=60))
        _value(driver, name, at_year_end, starts - timedelta(days=1))


def _value(driver: Driver, holding: str, value_pence: int, on: date) -> None:
    driver.do(endowment.record_valuation, SYSTEM, holding=holding, value_pence=value_pence, valued_on=on,
              source="Custodian's valuation", reference=f"{holding[:6].strip()} {on}",
              document=f"{holding}: {value_pence} pence on {on}".encode())


def _staff(driver: Driver) -> Officers:
    made = {capacity: [drive.make_staff(driver, one.email, one.name, capacity, is_demo=True) for one in group]
            for capacity, group in ((Capacity.OFFICER, story.OFFICERS), (Capacity.APPROVER, story.APPROVERS),
                                    (Capacity.AUTHORISER, story.AUTHORISERS))}
    return Officers(made[Capacity.OFFICER][0], made[Capacity.APPROVER][0], made[Capacity.AUTHORISER][0])


class Cast:
    """Everybody, and what they do one after the other."""

    def __init__(self, driver: Driver, officers: Officers, neighbourhood_id: uuid.UUID) -> None:
        self.driver, self.officers = driver, officers
        self.to_pay: list[tuple[Ask, uuid.UUID]] = []
        self.applicants = {one.key: Actor(Capacity.APPLICANT, self._person(one)) for one in story.APPLICANTS}
        self.groups = {group.key: self._group(group) for group in story.GROUPS}
        self.accounts: dict[str, uuid.UUID] = {}
        self._accounts_and_host()
        self.members: list[Member] = drive.constitute(driver, neighbourhood_id,
                                                      [self._person(one) for one in story.MEMBERS])
        form_id = driver.do(rounds.publish_form, SYSTEM, "small_grant", SMALL_GRANT)
        self.round = drive.publish_round(driver, neighbourhood_id, "Small grants", form_id)
        self.criteria = [criterion.id for criterion in self.round.criteria]
        self.sent: dict[uuid.UUID, Ask] = {}

    def _person(self, one: Somebody) -> uuid.UUID:
        return self.driver.do(people.find_or_make_person, one.email, name=one.name, language=one.language,
                              is_demo=True).id

    def _group(self, group: story.Group) -> uuid.UUID:
        return self.driver.do(organisations.make_organisation, self.applicants[group.signer.key], name=group.name,
                              kind=group.kind).id

    def _accounts_and_host(self) -> None:
        for group in story.GROUPS:
            if group.account is not None:
                self.accounts[group.key] = drive.bank_account(
                    self.driver, self.applicants[group.signer.key], self.officers.officer, self.groups[group.key],
                    holder=group.name, sort_code=group.account[0], account_number=group.account[1],
                    expires_on=clock.today() + timedelta(days=365))
        asked = self.driver.do(organisations.ask_host, self.applicants["amina"], self.groups["lunch"],
                               self.groups["trust"])
        self.driver.do(organisations.agree_to_host, self.applicants["cerys"], asked.id)
        for kind in ("identity", "sanctions"):
            self.driver.do(organisations.record_check, self.officers.officer, self.groups["lunch"], kind=kind,
                           passed=True, source="A visit, and two neighbours who know them",
                           expires_on=clock.today() + timedelta(days=365))

    def send(self, ask: Ask) -> None:
        """The group writes its application, and sends it unless it is still a draft; an officer checks it."""
        applicant = self.applicants[ask.group.signer.key]
        if ask.state == "draft":
            started = self.driver.do(applications.start, applicant, self.round.id)
            self.driver.do(applications.save, applicant, started.id, answers=ask.answers())
            return
        application_id = drive.apply(self.driver, applicant, self.round.id, self.groups[ask.group.key], ask.answers())
        if ask.decided:
            self._read(application_id, ask)
        self.sent[application_id] = ask

    def _read(self, application_id: uuid.UUID, ask: Ask) -> None:
        drive.find_eligible(self.driver, self.officers.officer, application_id)
        drive.score(self.driver, self.members, application_id, self.criteria,
                    lambda reader, criterion: self._points(ask, reader, criterion))

    @staticmethod
    def _points(ask: Ask, reader: int, criterion: int) -> tuple[int, str]:
        middle = ask.points[criterion - 1]
        points = min(5, max(0, middle + (reader - 2)))
        return points, story.WORDS[points]

    def decide(self) -> None:
        """The panel takes part, agrees its reasons and closes its first sitting."""
        decided = {application_id: ask for application_id, ask in self.sent.items() if ask.decided}
        reasons = {application_id: {criterion: story.WORDS[points]
                                    for criterion, points in zip(self.criteria, ask.points, strict=True)}
                   for application_id, ask in decided.items()}
        self.sitting_id = drive.sitting_of(next(iter(decided)))
        drive.decide(self.driver, self.members, self.sitting_id, reasons)

    def give(self) -> None:
        """Offers are made; groups sign; stages go as far through the officers as the story says."""
        for award in drive.offer(self.driver, self.sitting_id):
            ask = self.sent[award.application_id]
            if ask.state == "offered":
                continue
            applicant = self.applicants[ask.group.signer.key]
            payee = "trust" if ask.group.kind == "informal" else ask.group.key
            drive.accept(self.driver, applicant, award.id, terms_version=TERMS_VERSION,
                         plan=f"We spend it on {', '.join(what.lower() for what, _pounds in ask.costs)}.",
                         organisation_id=self.groups[payee], bank_account_id=self.accounts[payee])
            first = drive.stages_of(award.id)[0]
            if ask.state == "evidence_accepted":
                drive.accept_newest_evidence(self.driver, self.officers, first)
            elif ask.state in {"approved", "returned", "paid"}:
                release = drive.release(self.driver, self.officers, first)
                if ask.state != "approved":
                    self.to_pay.append((ask, release.id))

    def wait_for_readers(self) -> None:
        """The second sitting has begun: one application is with its readers."""
        for application_id, ask in self.sent.items():
            if ask.state == "reading":
                drive.find_eligible(self.driver, self.officers.officer, application_id)


def pages_of_the_line() -> list[tuple[str, str, str | None, float | None]]:
    """The pages that are measured: name, address, whose (an e-mail, or nobody's), and SPEED.md's ms if it has one."""
    facts = session.execute(sa.text("""
        SELECT (SELECT reference FROM round ORDER BY published_at LIMIT 1) AS round,
               (SELECT a.reference FROM application a LEFT JOIN submission s ON s.application_id = a.id
                WHERE s.id IS NULL LIMIT 1) AS draft,
               (SELECT a.reference FROM application a JOIN submission s ON s.application_id = a.id
                LEFT JOIN eligibility e ON e.application_id = a.id WHERE e.application_id IS NULL
                ORDER BY s.submitted_at LIMIT 1) AS unchecked,
               (SELECT g.reference FROM award g JOIN submission s ON s.application_id = g.application_id
                WHERE s.title = :paid) AS award,
               (SELECT id FROM decision WHERE outcome = 'declined') AS decision,
               (SELECT id FROM log.leaf ORDER BY seq DESC LIMIT 1) AS leaf"""),
        {"paid": ASKS[0].title}).one()
    session.rollback()
    amina, officer = story.AMINA.email, story.OFFICERS[0].email
    return [
        ("home", "/", None, 1.5), ("endowment", "/endowment", None, 8),
        ("will it last", "/endowment/will-it-last", None, 100), ("statement", "/endowment/statement", None, 8),
        ("postcode answer", f"/places?postcode={story.POSTCODE.replace(' ', '+')}", None, 1.5),
        ("round", f"/rounds/{facts.round}", None, 1.5), ("follow a pound", f"/follow/{facts.award}", None, 8),
        ("who else touched this", f"/decisions/{facts.decision}/touched", None, 8),
        ("how it was decided", f"/decisions/{facts.decision}", None, 8), ("ledger", "/ledger", None, 8),
        ("what waits: volunteer", "/waiting", amina, 8), ("what waits: chair", "/waiting", story.MEMBERS[0].email, 8),
        ("what waits: officer", "/waiting", officer, 8), ("what waits: approver", "/waiting",
                                                          story.APPROVERS[0].email, 8),
        ("what waits: authoriser", "/waiting", story.AUTHORISERS[0].email, 8),
        ("applicant: task list", f"/applications/{facts.draft}", amina, 6),
        ("applicant: grant", f"/grants/{facts.award}", amina, 8),
        ("staff: list of grants", "/staff/grants", officer, 3),
        ("staff: list of applications", "/staff/applications", officer, 8),
        ("staff: one application", f"/staff/applications/{facts.unchecked}", officer, 8),
    ]


def sign_in(client: FlaskClient, person_id: uuid.UUID) -> None:
    """Let a test's or a benchmark's browser be a person of the demo, with a session of their own."""
    session_id = people.start_session(person_id)
    session.commit()
    with client.session_transaction(base_url="http://localhost") as cookie:
        cookie["_user_id"], cookie["_fresh"] = str(session_id), True
