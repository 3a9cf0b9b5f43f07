"""Grants for tests, made by the part's own actions, as far along as a test needs them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.grants import actions, queries, rules
from fund.grants.models import Release
from fund.grants.queries import GrantRow, StageRow
from fund.kernel.actor import Actor, Capacity
from fund.organisations import actions as organisations
from fund.organisations.models import BankAccount
from fund.rounds.rules import RoundRules
from tests.make.decisions import agree, close, take_part
from tests.make.panels import make_world, score_all
from tests.make.people import make_person, make_staff

PLAN = "Two benches for £400 from the joiner, and a tree with its stake for £80."
_account_numbers = iter(range(10_000_000, 99_999_999))


@dataclass
class Staff:
    """The three pairs of hands, and a deputy for each."""

    officer: Actor
    approver: Actor
    authoriser: Actor
    deputies: dict[Capacity, Actor] = field(default_factory=dict)


def make_hands() -> Staff:
    """An officer, an approver and an authoriser, and a deputy for each."""
    def one(capacity: Capacity) -> Actor:
        return Actor(capacity, make_staff(capacity).id)

    three = (Capacity.OFFICER, Capacity.APPROVER, Capacity.AUTHORISER)
    return Staff(*(one(capacity) for capacity in three), {capacity: one(capacity) for capacity in three})


@dataclass
class Made:
    """A grant and everyone around it. `grant` is read anew each time."""

    reference: str
    group: Actor
    staff: Staff
    organisation_id: uuid.UUID
    place_code: str

    @property
    def grant(self) -> GrantRow:
        return queries.grant(self.reference)

    @property
    def id(self) -> uuid.UUID:
        return self.grant.id

    def stage(self, number: int = 1) -> StageRow:
        """One of its stages, as it stands."""
        return self.grant.stages[number - 1]


def make_offer(*, staff: Staff | None = None, split: Sequence[int] | None = None, **about: Any) -> Made:
    """A grant that is offered and not answered. The group is informal; its applicant signs for it."""
    return make_offers(1, staff=staff, split=split, **about)[0]


def make_offers(count: int, *, amount_pence: int | Sequence[int] = 480_00, staff: Staff | None = None,
                split: Sequence[int] | None = None, shares: Sequence[int] = (50, 50),
                up_front_below_pence: int = 10_000_00, lapse_days: int = 28, place_pence: int = 5_000_000,
                **world: Any) -> list[Made]:
    """So many grants of one sitting, offered to groups of their own and not answered. One place's money a test."""
    amounts = [amount_pence] * count if isinstance(amount_pence, int) else list(amount_pence)
    of_round = RoundRules(stage_shares=tuple(shares), up_front_below_pence=up_front_below_pence,
                          lapse_days=lapse_days, most_pence=max(*amounts, 10_000_00)).as_json()
    made = make_world(applications=0, amount_pence=place_pence, **{**of_round, **world})
    for amount in amounts:
        made.put(asked_pence=amount)
    score_all(made)
    take_part(made)
    agree(made)
    sitting_id = made.sitting.id
    close(made)
    actions.make_offers(sitting_id, split=dict.fromkeys(made.applications, split) if split else None)
    hands = staff or make_hands()
    return [_made(application_id, hands) for application_id in made.applications]


def _made(application_id: uuid.UUID, staff: Staff) -> Made:
    grant = queries.grant_of_application(application_id)
    assert grant is not None
    applicant = session.scalar(sa.text("SELECT submitted_by FROM submission WHERE application_id = :id"),
                               {"id": application_id})
    return Made(grant.reference, Actor(Capacity.APPLICANT, applicant), staff, grant.organisation_id, grant.place_code)


def make_account(organisation_id: uuid.UUID, *, by: Actor | None = None, holder: str = "Alder Park Friends",
                 sort_code: str = "089999", account_number: str | None = None) -> BankAccount:
    """An account of an organisation, which a person who may sign for it adds."""
    signer = by or Actor(Capacity.APPLICANT, session.scalar(sa.text(
        "SELECT person_id FROM membership WHERE organisation_id = :id AND may_sign AND ended_at IS NULL LIMIT 1"),
        {"id": organisation_id}))
    return organisations.add_bank_account(signer, organisation_id, holder=holder, sort_code=sort_code,
                                          account_number=account_number or str(next(_account_numbers)))


def check(officer: Actor, organisation_id: uuid.UUID, bank_account_id: uuid.UUID | None, *,
          kinds: Sequence[str] = ("identity", "sanctions", "bank_account"), passed: bool = True) -> None:
    """An officer checks an organisation and its account."""
    for kind in kinds:
        organisations.record_check(officer, organisation_id, kind=kind, passed=passed, source="The papers they showed",
                                   bank_account_id=bank_account_id if kind == "bank_account" else None)


def make_host(made: Made, *, name: str = "Elm Street Hall") -> tuple[uuid.UUID, BankAccount]:
    """A charity with a checked account that agreed to receive money for the group."""
    manager = Actor(Capacity.APPLICANT, make_person().id)
    host = organisations.make_organisation(manager, name=name, kind="charity")
    account = make_account(host.id, by=manager, holder=name)
    check(made.staff.officer, host.id, account.id)
    asked = organisations.ask_host(made.group, made.organisation_id, host.id)
    organisations.agree_to_host(manager, asked.id)
    return host.id, account


def make_signed(made: Made | None = None, **offer: Any) -> Made:
    """A grant whose agreement is signed; a small one has its first evidence by it. `made` is one that was offered."""
    made = made or make_offer(**offer)
    actions.accept_offer(made.group, made.id, terms_version=rules.TERMS_VERSION, spending_plan=PLAN)
    return made


def make_payable(made: Made | None = None, *, through_host: bool = False, **offer: Any) -> Made:
    """A signed grant that says where its money goes, into a checked account."""
    made = make_signed(made, **offer)
    if through_host:
        organisation_id, account = make_host(made)
    else:
        organisation_id, account = made.organisation_id, make_account(made.organisation_id, by=made.group)
        check(made.staff.officer, organisation_id, account.id)
    actions.choose_payee(made.group, made.id, organisation_id=organisation_id, bank_account_id=account.id)
    return made


def make_accepted(made: Made | None = None, **payable: Any) -> Made:
    """A grant of which the first stage's evidence is accepted."""
    made = make_payable(made, **payable)
    evidence_id = made.stage().evidence_id
    if evidence_id is None:
        evidence_id = actions.send_evidence(made.group, made.stage().id, story="We did it. It went well. Come.").id
    actions.review_evidence(made.staff.officer, evidence_id, accepted=True)
    return made


def make_release(made: Made | None = None, **accepted: Any) -> tuple[Made, Release]:
    """A grant whose first stage is approved for payment."""
    made = make_accepted(made, **accepted)
    return made, actions.approve_release(made.staff.approver, made.stage().id)
