"""Driving grants through the fund's own actions, as the people whom the rules require. The demo and a rehearsal use it.

Everything here calls actions and nothing else: whoever may not do a thing on a page cannot do it here either. What a
member says is said in the role of the panel, which is left again before anything else is done.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from fund.applications import actions as applications
from fund.bank import actions as bank
from fund.db import act_from_a_seat, session
from fund.decisions import actions as decisions
from fund.grants import actions as grants
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.organisations import actions as organisations
from fund.panels import actions as panels
from fund.panels.rules import SeatOffer
from fund.people import actions as people
from fund.rounds import actions as rounds


@dataclass
class Driver:
    """Calls actions and counts the calls, by part and name."""

    calls: Counter[str] = field(default_factory=Counter)

    def do(self, action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call an action and count it."""
        self.calls[f"{action.__module__.split('.')[1]}.{action.__name__}"] += 1
        return action(*args, **kwargs)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a panel: the person, and the seat they act from."""

    person_id: uuid.UUID
    seat_id: uuid.UUID
    is_chair: bool

    @property
    def actor(self) -> Actor:
        """The member, acting from the seat."""
        return Actor(Capacity.CHAIR if self.is_chair else Capacity.READER, self.person_id, self.seat_id)


@dataclass(frozen=True, slots=True)
class Officers:
    """Who works on payments: one accepts evidence and checks, one approves, one authorises."""

    officer: Actor
    approver: Actor
    authoriser: Actor


_LEAVE_THE_SEAT = sa.text("SELECT set_config('role', 'none', true), set_config('fund.person', '', true)")


@contextmanager
def from_the_seat(member: Member) -> Iterator[Actor]:
    """Act as a member, in the panel's role; afterwards the transaction goes on in the role it had.

    After an error there is nothing to leave: the role ends with the transaction that is undone.
    """
    session.flush()
    act_from_a_seat(member.actor)
    yield member.actor
    session.flush()
    session.execute(_LEAVE_THE_SEAT)


def from_each_seat(members: Iterable[Member]) -> Iterator[Member]:
    """Act as one member after the other; after the last the transaction goes on in the role it had."""
    for member in members:
        session.flush()
        act_from_a_seat(member.actor)
        yield member
    session.flush()
    session.execute(_LEAVE_THE_SEAT)


def make_staff(driver: Driver, email: str, name: str, capacity: Capacity, *, is_demo: bool) -> Actor:
    """One of the fund's own people, in one capacity."""
    person = driver.do(people.find_or_make_person, email, name=name, is_demo=is_demo)
    driver.do(people.grant_capacity, SYSTEM, person.id, capacity)
    return Actor(capacity, person.id)


def constitute(driver: Driver, neighbourhood_id: uuid.UUID, person_ids: Sequence[uuid.UUID], *,
               residents: int = 7) -> list[Member]:
    """A panel of these people, the first in the chair, the last ones not residents; trained, the code accepted."""
    offers = [SeatOffer(person_id, is_resident=number < residents, is_chair=number == 0)
              for number, person_id in enumerate(person_ids)]
    panel = driver.do(panels.constitute, SYSTEM, neighbourhood_id, offers)
    rows = session.execute(sa.text("SELECT person_id, id, is_chair FROM seat WHERE panel_id = :id ORDER BY number"),
                           {"id": panel.id}).all()
    members = [Member(*row) for row in rows]
    driver.do(panels.record_training, SYSTEM, *(member.seat_id for member in members))
    for member in from_each_seat(members):
        driver.do(panels.accept_code, member.actor, member.seat_id)
    return members


def publish_round(driver: Driver, neighbourhood_id: uuid.UUID, title: str, form_id: uuid.UUID, **more: Any) -> Any:
    """A round that is always open, with the usual criteria."""
    return driver.do(rounds.publish_round, SYSTEM, neighbourhood_id=neighbourhood_id, title=title,
                     form_version_id=form_id, opens_at=datetime(2015, 1, 1, tzinfo=UTC), **more)


def apply(driver: Driver, applicant: Actor, round_id: uuid.UUID, organisation_id: uuid.UUID,
          answers: Mapping[str, Any]) -> uuid.UUID:
    """An application, filled in and sent; gives its id."""
    started = driver.do(applications.start, applicant, round_id)
    if started.organisation_id != organisation_id:  # the page fills in the one group of somebody who has one
        driver.do(applications.say_who, applicant, started.id, organisation_id=organisation_id)
    driver.do(applications.save, applicant, started.id, answers=answers)
    driver.do(applications.submit, applicant, started.id)
    return started.id


def find_eligible(driver: Driver, officer: Actor, application_id: uuid.UUID) -> None:
    """The officer finds it eligible, and it goes before the panel."""
    driver.do(applications.check_eligibility, officer, application_id, eligible=True)
    driver.do(panels.put_before_the_panel, application_id)


def sitting_of(application_id: uuid.UUID) -> uuid.UUID:
    """The sitting that an application was put into."""
    return session.execute(sa.text("SELECT sitting_id FROM sitting_application WHERE application_id = :id"),
                           {"id": application_id}).scalar_one()


def readings_of(application_id: uuid.UUID) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """The assignments of an application, each with its seat, in the order of seats."""
    return [(row.id, row.seat_id) for row in session.execute(sa.text(
        "SELECT a.id, a.seat_id FROM assignment a JOIN seat s ON s.id = a.seat_id WHERE a.application_id = :id "
        "ORDER BY s.number"), {"id": application_id})]


def set_pot(driver: Driver, members: Sequence[Member], sitting_id: uuid.UUID, pot_pence: int) -> None:
    """The chair says how much of the panel's money goes into this sitting."""
    chair = next(member for member in members if member.is_chair)
    with from_the_seat(chair) as actor:
        driver.do(panels.set_pot, actor, sitting_id, pot_pence=pot_pence)


def score(driver: Driver, members: Sequence[Member], application_id: uuid.UUID, criteria: Sequence[uuid.UUID],
          points_of: Callable[[int, int], tuple[int, str]]) -> None:
    """Its readers say that nothing ties them to it, score every criterion alone, and lock.

    `points_of(reader, criterion)`, both from 1, gives the points and the reason.
    """
    assignments = {seat_id: id_ for id_, seat_id in readings_of(application_id)}
    readers = [member for member in members if member.seat_id in assignments]
    for reader, member in enumerate(from_each_seat(readers), 1):
        driver.do(panels.declare_interest, member.actor, application_id, answer="nothing")
        driver.do(panels.save_scores, member.actor, assignments[member.seat_id], scores={
            criterion_id: points_of(reader, number) for number, criterion_id in enumerate(criteria, 1)})
        driver.do(panels.lock_scores, member.actor, assignments[member.seat_id])


def decide(driver: Driver, members: Sequence[Member], sitting_id: uuid.UUID,
           reasons: Mapping[uuid.UUID, Mapping[uuid.UUID, str]], *, taking_part: int = 5) -> list[Any]:
    """Members take part, the chair writes the panel's reasons of each application and closes the sitting."""
    chair = next(member for member in members if member.is_chair)
    readers = {seat_id for application_id in reasons for _assignment, seat_id in readings_of(application_id)}
    by_need = sorted(members, key=lambda member: (not member.is_chair, member.seat_id not in readers))
    for member in from_each_seat(by_need[:taking_part]):
        for application_id in reasons:
            driver.do(panels.declare_interest, member.actor, application_id, answer="nothing")
        driver.do(decisions.join, member.actor, sitting_id)
    with from_the_seat(chair) as actor:
        for application_id, words in reasons.items():
            driver.do(decisions.agree_reasons, actor, application_id, words)
        return driver.do(decisions.close_sitting, actor, sitting_id)


def bank_account(driver: Driver, actor: Actor, officer: Actor, organisation_id: uuid.UUID, *, holder: str,
                 sort_code: str, account_number: str, expires_on: date) -> uuid.UUID:
    """A bank account that a group added and the officer checked, with the group's identity and the sanctions list."""
    account = driver.do(organisations.add_bank_account, actor, organisation_id, holder=holder, sort_code=sort_code,
                        account_number=account_number)
    for kind, which in (("identity", None), ("sanctions", None), ("bank_account", account.id)):
        driver.do(organisations.record_check, officer, organisation_id, kind=kind, passed=True,
                  source="Made up, for the demo or a rehearsal", expires_on=expires_on, bank_account_id=which)
    return account.id


def offer(driver: Driver, sitting_id: uuid.UUID, *, split: Mapping[uuid.UUID, Sequence[int]] | None = None,
          effective_on: date | None = None) -> list[Any]:
    """The offers that follow from a sitting's decisions."""
    return driver.do(grants.make_offers, sitting_id, split=split, effective_on=effective_on)


def accept(driver: Driver, applicant: Actor, award_id: uuid.UUID, *, plan: str, terms_version: str,
           organisation_id: uuid.UUID, bank_account_id: uuid.UUID, effective_on: date | None = None) -> None:
    """The group signs the agreement and says where the money goes."""
    driver.do(grants.accept_offer, applicant, award_id, terms_version=terms_version, spending_plan=plan,
              effective_on=effective_on)
    driver.do(grants.choose_payee, applicant, award_id, organisation_id=organisation_id,
              bank_account_id=bank_account_id)


def stages_of(award_id: uuid.UUID) -> list[uuid.UUID]:
    """The stages of a grant in their order."""
    return list(session.execute(sa.text("SELECT id FROM stage WHERE award_id = :id ORDER BY number"),
                                {"id": award_id}).scalars())


def newest_evidence(stage_id: uuid.UUID) -> uuid.UUID:
    """What was last shown for a stage."""
    return session.execute(sa.text("SELECT id FROM evidence WHERE stage_id = :id ORDER BY number DESC LIMIT 1"),
                           {"id": stage_id}).scalar_one()


def release(driver: Driver, officers: Officers, stage_id: uuid.UUID, *, effective_on: date | None = None) -> Any:
    """One officer accepts what was shown for a stage, another approves its release."""
    accept_newest_evidence(driver, officers, stage_id)
    return driver.do(grants.approve_release, officers.approver, stage_id, effective_on=effective_on)


def batch(driver: Driver, officers: Officers, release_ids: Sequence[uuid.UUID], *, execute_on: date) -> uuid.UUID:
    """A third officer makes a batch of releases and authorises it after reading its total and its hash."""
    made = driver.do(bank.build_batch, officers.authoriser, release_ids, execute_on=execute_on)
    driver.do(bank.authorise_batch, officers.authoriser, made.id, total_pence=made.total_pence,
              lines_sha256=made.lines_sha256)
    return made.id


def accept_newest_evidence(driver: Driver, officers: Officers, stage_id: uuid.UUID) -> None:
    """One officer accepts what was last shown for a stage."""
    driver.do(grants.review_evidence, officers.officer, newest_evidence(stage_id), accepted=True)
