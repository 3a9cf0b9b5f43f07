"""The rehearsal itself: found a fund, then drive every grant of the file, in the order of dates.

Every grant is one transaction, and so is every day's batch; each leaves a row in `rehearsal_step`. Killed anywhere and
run again, it begins after the last step that stands.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from fund import queue
from fund.allocations import actions as allocations
from fund.allocations.rules import PlaceNeed
from fund.db import keep_prepared, session, transaction
from fund.endowment import actions as endowment
from fund.endowment import rules as endowment_rules
from fund.grants.rules import TERMS_VERSION
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, NotFound
from fund.kernel.money import LARGEST_PENCE, exact_pounds
from fund.neighbourhoods import actions as neighbourhoods
from fund.organisations import actions as organisations
from fund.people import actions as people
from fund.replay import bank, drive
from fund.replay.drive import Driver, Member, Officers
from fund.replay.formats import read_grants
from fund.replay.models import RehearsalStep
from fund.replay.rules import Drive, Place, Plan, drawn_points, plan
from fund.rounds import actions as rounds
from fund.rounds.formats import SMALL_GRANT
from fund.rounds.rules import RoundRules
from fund.transparency import actions as transparency

#: Told after each step: what was done, how many grants are driven, of how many.
Progress = Callable[[str, int, int], None]

REASON = "Rehearsal: this score and this reason are invented."
REGISTERED = {"GB-CHC-": "charity", "GB-SC-": "charity", "GB-NIC-": "charity", "GB-COH-": "company",
              "GB-MPR-": "society", "GB-LAE-": "public_body", "GB-NHS-": "public_body", "GB-EDU-": "public_body"}


@dataclass(frozen=True, slots=True)
class Done:
    """A finished rehearsal: its plan, and how often each action was called, all runs of it together."""

    plan: Plan
    calls: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Recipient:
    """A group of the file in the rehearsal: the organisation, whoever acts for it, and its account."""

    organisation_id: uuid.UUID
    applicant: Actor
    bank_account_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Panel:
    """A place's panel in the rehearsal, and its one round."""

    members: list[Member]
    round_id: uuid.UUID
    criteria: list[uuid.UUID]


def rehearse(data: bytes, place_files: Sequence[Path], *, progress: Progress = lambda _what, _done, _all: None,
             driver: Driver | None = None) -> Done:
    """Drive every grant of a 360Giving file, or go on where an earlier run of the same file was cut off.

    `place_files` are official look-ups (fund.neighbourhoods), of which those that are known are loaded; without any,
    the facts that are shipped with the fund. Raises BadInput when the file cannot be read.
    """
    grants = read_grants(data)
    run = _Rehearsal(hashlib.sha256(data).digest(), progress, driver or Driver())
    run.found_places(place_files)
    with transaction():
        settled = plan(grants, _place_finder())
    run.found(settled)
    run.drive(settled)
    return Done(settled, run.calls_of_all_runs())


def _place_finder() -> Callable[[str], Place | None]:
    known: dict[str, Place | None] = {}

    def place_of(area_code: str) -> Place | None:
        if area_code not in known:
            try:
                found = neighbourhoods.open_neighbourhood_of_area(SYSTEM, area_code)
                known[area_code] = Place(found.code, found.name, found.split)
            except NotFound:
                known[area_code] = None
        return known[area_code]

    return place_of


@dataclass
class _Rehearsal:
    """One run over one file."""

    sha256: bytes
    progress: Progress
    driver: Driver = field(default_factory=Driver)
    recipients: dict[str, Recipient] = field(default_factory=dict)
    panels: dict[str, Panel] = field(default_factory=dict)
    staff: Officers | None = None
    done: int = 0
    of: int = 0

    # Steps

    @contextmanager
    def step(self, row: int, name: str, made: dict[str, Any]) -> Iterator[None]:
        """One transaction and its row. What the block puts into `made` is kept with it."""
        before = Counter(self.driver.calls)
        with transaction():
            yield
            session.add(RehearsalStep(file_sha256=self.sha256, row=row, step=name, made=made,
                                      calls=dict(self.driver.calls - before)))
        self.progress(name, self.done, self.of)

    def stands(self, row: int, name: str) -> dict[str, Any] | None:
        """What a step made, if it stands."""
        # A commit: after a rollback the driver forgets every statement that it had prepared.
        with transaction():
            found = session.get(RehearsalStep, (self.sha256, row, name))
            return found.made if found is not None else None

    def calls_of_all_runs(self) -> Counter[str]:
        """How often each action was called, as the steps that stand say."""
        calls: Counter[str] = Counter()
        with transaction():
            for step in session.scalars(sa.select(RehearsalStep).where(RehearsalStep.file_sha256 == self.sha256)
                                        .order_by(RehearsalStep.row, RehearsalStep.step)):
                calls.update(step.calls)
        return calls

    # Before the first grant

    def found_places(self, files: Sequence[Path]) -> None:
        """Load the look-ups; loading a file again does nothing."""
        with transaction():
            if files:
                for path in neighbourhoods.in_loading_order(files):
                    self.progress(path.stem[:24], 0, 0)
                    neighbourhoods.load_file(SYSTEM, path)
            else:
                neighbourhoods.load_demo_facts(SYSTEM)
        self.progress("places", 0, 0)

    def found(self, settled: Plan) -> None:
        """Post enough money before the first date, and make the people and panels."""
        keep_prepared(300)
        self.of = len(settled.drives)
        if not settled.drives:
            raise BadInput("No grant of this file can be driven.")
        if self.stands(0, "money") is None:
            with self.step(0, "money", {}):
                self._money(settled)
        made = self.stands(0, "staff")
        if made is None:
            made = {}
            with self.step(0, "staff", made):
                self._people(made)
        self.staff = Officers(*(Actor(capacity, uuid.UUID(made[capacity.value])) for capacity in
                                (Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER)))
        people_ids = [uuid.UUID(id_) for id_ in made["members"]]
        for code in settled.by_place():
            self._panel(code, people_ids, uuid.UUID(made["form"]))

    def _money(self, settled: Plan) -> None:
        first, total = settled.drives[0].awarded_on, settled.awarded_pence
        year = endowment_rules.financial_year(first)
        starts = endowment_rules.first_day(year)
        for number in (1, 2):
            self.driver.do(endowment.receive_tranche, SYSTEM, sender="Rehearsal", reference=f"Tranche {number}",
                           amount_pence=total * 15, received_on=starts - timedelta(days=300), scheme="banks",
                           document=b"tranche %d" % number + self.sha256)
        self.driver.do(endowment.record_income, SYSTEM, amount_pence=total * 2, earned_on=starts - timedelta(days=1),
                       source="Rehearsal", reference="Return")
        one, other = (drive.make_staff(self.driver, f"trustee-{n}@rehearsal.example.org", f"Rehearsal trustee {n}",
                                       Capacity.TRUSTEE, is_demo=True) for n in (1, 2))
        proposal = self.driver.do(endowment.propose_spending_limit, one, year, set_on=starts)
        self.driver.do(endowment.confirm_spending_limit, other, proposal.id)
        self.driver.do(endowment.draw_down, SYSTEM, amount_pence=total, financial_year=year, drawn_on=starts,
                       reference="Rehearsal")
        ids = {code: neighbourhoods.open_neighbourhood(SYSTEM, code, bounds=None) for code in settled.by_place()}
        needs = [PlaceNeed(ids[code], code, 0, pence) for code, pence in settled.by_place().items()]
        self.driver.do(allocations.allocate_for_rehearsal, SYSTEM, needs=needs, financial_year=year, on=starts)
        transparency.append("rehearsal_rule", {
            "text": "Rehearsal: real grants, invented scores and payments. A grant goes to the panel of the ward of "
                    "2024 that holds its area, or to its district's; no bounds, no test of need.",
            "file": f"sha256:{self.sha256.hex()}"}, idem_key=f"rehearsal/{self.sha256.hex()}")

    def _people(self, made: dict[str, Any]) -> None:
        for capacity in (Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER):
            actor = drive.make_staff(self.driver, f"{capacity.value}@rehearsal.example.org",
                                     f"Rehearsal {capacity.value}", capacity, is_demo=True)
            made[capacity.value] = str(actor.person_id)
        made["members"] = [str(self.driver.do(
            people.find_or_make_person, f"member-{n}@rehearsal.example.org", name=f"Rehearsal member {n}",
            is_demo=True).id) for n in range(1, 10)]
        made["form"] = str(self.driver.do(rounds.publish_form, SYSTEM, "small_grant", SMALL_GRANT))

    def _panel(self, code: str, people_ids: Sequence[uuid.UUID], form_id: uuid.UUID) -> None:
        name = f"panel {code}"
        made = self.stands(0, name)
        if made is None:
            made = {}
            with self.step(0, name, made):
                place = neighbourhoods.open_neighbourhood(SYSTEM, code, bounds=None)
                members = drive.constitute(self.driver, place, people_ids)
                round_ = drive.publish_round(
                    self.driver, place, "Rehearsal of real grants", form_id,
                    rules=RoundRules(most_pence=LARGEST_PENCE, up_front_below_pence=LARGEST_PENCE,
                                     part_funding=True))
                made["members"] = [[str(m.person_id), str(m.seat_id), m.is_chair] for m in members]
                made["round"] = str(round_.id)
                made["criteria"] = [str(criterion.id) for criterion in round_.criteria]
        self.panels[code] = Panel(
            [Member(uuid.UUID(person), uuid.UUID(seat), chair) for person, seat, chair in made["members"]],
            uuid.UUID(made["round"]), [uuid.UUID(id_) for id_ in made["criteria"]])

    # The grants

    def drive(self, settled: Plan) -> None:
        """Every grant, day by day; a day's releases go to the bank in one batch."""
        bank.open_the_fund_account()
        for day, of_day in groupby(settled.drives, key=lambda one: one.awarded_on):
            releases: list[uuid.UUID] = []
            first_row = 0
            for one in of_day:
                first_row = first_row or one.grant.row
                releases += self._grant(one)
                self.done += 1
            if releases:
                self._pay(first_row, releases, day)
        bank.let_days_pass(7)

    def _grant(self, one: Drive) -> list[uuid.UUID]:
        made = self.stands(one.grant.row, "grant")
        if made is None:
            made = {}
            recipient = self._recipient(one)
            with self.step(one.grant.row, "grant", made):
                made["releases"] = [str(id_) for id_ in self._from_application_to_release(one, recipient)]
        return [uuid.UUID(id_) for id_ in made["releases"]]

    def _from_application_to_release(self, one: Drive, recipient: Recipient) -> list[uuid.UUID]:
        panel, driver, staff = self.panels[one.place.code], self.driver, self._staff()
        application_id = drive.apply(driver, recipient.applicant, panel.round_id, recipient.organisation_id,
                                     answers(one))
        drive.find_eligible(driver, staff.officer, application_id)
        sitting_id = drive.sitting_of(application_id)
        if one.asked_pence > one.awarded_pence:
            # The panel put only this much into the sitting, and the group had said that it would help.
            drive.set_pot(driver, panel.members, sitting_id, one.awarded_pence)
        drive.score(driver, panel.members, application_id, panel.criteria, lambda reader, criterion: (
            drawn_points(self.sha256, one.grant.id, reader, criterion), REASON))
        drive.decide(driver, panel.members, sitting_id,
                     {application_id: dict.fromkeys(panel.criteria, REASON)})
        (award,) = drive.offer(driver, sitting_id, split={application_id: one.stages}, effective_on=one.awarded_on)
        drive.accept(driver, recipient.applicant, award.id, plan="Rehearsal: as the published grant says.",
                     terms_version=TERMS_VERSION, organisation_id=recipient.organisation_id,
                     bank_account_id=recipient.bank_account_id, effective_on=one.awarded_on)
        if not one.paid_pence:
            return []
        released = drive.release(driver, staff, drive.stages_of(award.id)[0], effective_on=one.awarded_on)
        return [released.id]

    def _pay(self, row: int, releases: Sequence[uuid.UUID], day: date) -> None:
        if self.stands(row, "batch") is None:
            bank.move_to(day)
            with self.step(row, "batch", {}):
                drive.batch(self.driver, self._staff(), releases, execute_on=day)
        queue.run_all_due(only="bank.")

    def _staff(self) -> Officers:
        if self.staff is None:
            raise BadInput("The rehearsal's people are not made yet.")
        return self.staff

    def _recipient(self, one: Drive) -> Recipient:
        """The group of a grant: the same id is the same group; a group without an id is known by its name."""
        key = one.grant.recipient_id or one.grant.recipient_name
        if key in self.recipients:
            return self.recipients[key]
        number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big")
        name = f"group {number}"
        made = self.stands(0, name)
        if made is None:
            made = {}
            with self.step(0, name, made):
                self._make_recipient(one, number, made)
        self.recipients[key] = Recipient(uuid.UUID(made["organisation"]),
                                         Actor(Capacity.APPLICANT, uuid.UUID(made["person"])),
                                         uuid.UUID(made["account"]))
        return self.recipients[key]

    def _make_recipient(self, one: Drive, number: int, made: dict[str, Any]) -> None:
        grant = one.grant
        person = self.driver.do(people.find_or_make_person, f"group-{number}@rehearsal.example.org", is_demo=True)
        applicant = Actor(Capacity.APPLICANT, person.id)
        kind = next((kind for register, kind in REGISTERED.items() if grant.recipient_id.startswith(register)), "other")
        organisation = self.driver.do(organisations.make_organisation, applicant, name=grant.recipient_name[:200],
                                      kind=kind, org_id=grant.recipient_id or None)
        account = drive.bank_account(
            self.driver, applicant, self._staff().officer, organisation.id, holder=grant.recipient_name[:100],
            sort_code=f"{number % 900_000 + 100_000}", account_number=f"{number // 7 % 90_000_000 + 10_000_000}",
            expires_on=date.today() + timedelta(days=365))  # noqa: DTZ011  a check of today, of whatever day that is
        made.update(organisation=str(organisation.id), person=str(person.id), account=str(account))


def answers(one: Drive) -> dict[str, Any]:
    """The form, filled in from what the file says, cut to the form's lengths."""
    grant, asked = one.grant, exact_pounds(one.asked_pence).lstrip("£")
    least = exact_pounds(one.awarded_pence).lstrip("£") if one.asked_pence > one.awarded_pence else ""
    return {"title": (grant.title or grant.id)[:100], "what": " ".join((grant.description or "-").split()[:250])[:2500],
            "for_whom": "As the published grant says.", "where": one.place.name[:200],
            "costs": [{"what": "As the published grant says", "amount": asked}], "asked": asked, "least": least,
            "statutory_duty": "no"}


