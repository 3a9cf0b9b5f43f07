"""Reading organisations, who acts for them, their accounts, checks and hosts."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.organisations.formats import AccountDetails, unseal
from fund.organisations.models import (
    BankAccount,
    HostAgreement,
    Membership,
    Organisation,
    OrganisationCheck,
    StaffInterest,
)
from fund.organisations.rules import Check, CheckFacts, Kind, reasons_not_to_pay_into
from fund.settings import settings


@dataclass(frozen=True, slots=True)
class Mine:
    """An organisation as one of its people sees it in a list."""

    id: uuid.UUID
    name: str
    kind: Kind
    may_sign: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account as it may be shown: never its number."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    holder: str
    last_four: str
    added_by: uuid.UUID
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Host:
    """An agreement between a group and its host, with both names; `agreed_at` is None while it waits."""

    id: uuid.UUID
    group_id: uuid.UUID
    group_name: str
    host_id: uuid.UUID
    host_name: str
    asked_at: datetime
    agreed_at: datetime | None


def organisation(organisation_id: uuid.UUID) -> Organisation:
    """The organisation. Raises NotFound."""
    found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound
    return found


def organisation_of(person_id: uuid.UUID, organisation_id: uuid.UUID) -> Organisation:
    """The organisation, if this person acts for it. Raises NotFound when they do not."""
    if not is_member(person_id, organisation_id):
        raise NotFound
    return organisation(organisation_id)


def organisations_of(person_id: uuid.UUID) -> list[Mine]:
    """The organisations that this person acts for now, by name."""
    rows = session.execute(
        sa.select(Organisation.id, Organisation.name, Organisation.kind, Membership.may_sign)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == person_id, Membership.ended_at.is_(None))
        .order_by(sa.func.lower(Organisation.name), Organisation.id))
    return [Mine(id_, name, Kind(kind), may) for id_, name, kind, may in rows]


def _membership(person_id: uuid.UUID, organisation_id: uuid.UUID) -> sa.Select[Any]:
    return sa.select(Membership.may_sign).where(
        Membership.person_id == person_id, Membership.organisation_id == organisation_id, Membership.ended_at.is_(None))


def is_member(person_id: uuid.UUID, organisation_id: uuid.UUID) -> bool:
    """Whether this person acts for the organisation now."""
    return session.execute(_membership(person_id, organisation_id)).first() is not None


def may_sign(person_id: uuid.UUID, organisation_id: uuid.UUID) -> bool:
    """Whether this person may submit, agree and accept for the organisation now."""
    return bool(session.scalar(_membership(person_id, organisation_id)))


def member_may_sign(person_id: uuid.UUID, organisation_id: uuid.UUID) -> bool | None:
    """Whether a person who acts for the organisation may sign for it; None for anybody who does not act for it."""
    return session.scalar(_membership(person_id, organisation_id))


def members_of(organisation_id: uuid.UUID) -> list[Membership]:
    """Who acts for the organisation now, the earliest first."""
    return list(session.scalars(
        sa.select(Membership).where(Membership.organisation_id == organisation_id, Membership.ended_at.is_(None))
        .order_by(Membership.joined_at, Membership.id)))


def signers_of(organisation_id: uuid.UUID) -> list[uuid.UUID]:
    """The people who may sign for the organisation, the earliest first: to them its letters go."""
    return [member.person_id for member in members_of(organisation_id) if member.may_sign]


def has_interest(person_id: uuid.UUID, organisation_id: uuid.UUID) -> bool:
    """Whether this person is tied to the organisation: they declared it, or they act for it."""
    return ties_of(person_id, organisation_id)[0]


def ties_of(person_id: uuid.UUID, organisation_id: uuid.UUID) -> tuple[bool, bool]:
    """Whether this person is tied to the organisation at all, and whether it is because they act for it."""
    declared = sa.exists().where(StaffInterest.person_id == person_id, StaffInterest.ended_at.is_(None),
                                 StaffInterest.organisation_id == organisation_id)
    acts = sa.exists().where(Membership.person_id == person_id, Membership.ended_at.is_(None),
                             Membership.organisation_id == organisation_id)
    row = session.execute(sa.select(sa.or_(declared, acts), acts)).one()
    return row[0], row[1]


_SHOWN = (BankAccount.id, BankAccount.organisation_id, BankAccount.holder, BankAccount.last_four,
          BankAccount.added_by, BankAccount.added_at)


def accounts_of(organisation_id: uuid.UUID) -> list[Account]:
    """The organisation's accounts, the newest first: that one counts."""
    rows = session.execute(sa.select(*_SHOWN).where(BankAccount.organisation_id == organisation_id)
                           .order_by(BankAccount.added_at.desc(), BankAccount.id))
    return [Account(*row) for row in rows]


def account(bank_account_id: uuid.UUID) -> Account:
    """One account as it may be shown. Raises NotFound."""
    row = session.execute(sa.select(*_SHOWN).where(BankAccount.id == bank_account_id)).one_or_none()
    if row is None:
        raise NotFound
    return Account(*row)


def open_account(bank_account_id: uuid.UUID) -> AccountDetails:
    """The account in full: only for making a payment file, or for an officer who is checking it. Raises NotFound."""
    sealed = session.scalar(sa.select(BankAccount.sealed).where(BankAccount.id == bank_account_id))
    if sealed is None:
        raise NotFound
    return unseal(sealed, row_id=bank_account_id, field_key=settings().field_key.get_secret_value())


def checks_of(organisation_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[CheckFacts]]:
    """Every check of these organisations, the newest first."""
    found: dict[uuid.UUID, list[CheckFacts]] = defaultdict(list)
    rows = session.scalars(
        sa.select(OrganisationCheck).where(OrganisationCheck.organisation_id.in_(list(organisation_ids)))
        .order_by(OrganisationCheck.made_at.desc(), OrganisationCheck.id))
    for row in rows:
        found[row.organisation_id].append(CheckFacts(
            Check(row.kind), row.passed, row.made_at, row.expires_on, row.source, row.made_by, row.bank_account_id))
    return found


def reasons_not_to_pay(organisation_id: uuid.UUID, *, bank_account_id: uuid.UUID | None = None,
                       today: date | None = None) -> list:
    """Every reason why money may not go to the organisation, into this account or its newest one."""
    if bank_account_id is None:
        bank_account_id = next((account.id for account in accounts_of(organisation_id)), None)
    return reasons_not_to_pay_into(bank_account_id, checks_of([organisation_id])[organisation_id],
                                   today or clock.today())


def payable_account(organisation_id: uuid.UUID, *, today: date | None = None) -> Account | None:
    """The newest account of the organisation, if it and the organisation are checked, passed and in date."""
    accounts = accounts_of(organisation_id)
    if not accounts or reasons_not_to_pay(organisation_id, bank_account_id=accounts[0].id, today=today):
        return None
    return accounts[0]


_group, _host = sa.orm.aliased(Organisation), sa.orm.aliased(Organisation)
_HOSTS = (
    sa.select(HostAgreement.id, _group.id, _group.name, _host.id, _host.name, HostAgreement.asked_at,
              HostAgreement.agreed_at)
    .join(_group, _group.id == HostAgreement.group_id).join(_host, _host.id == HostAgreement.host_id)
    .where(HostAgreement.ended_at.is_(None)).order_by(HostAgreement.asked_at, HostAgreement.id))
_ASKED_OF = _HOSTS.where(HostAgreement.agreed_at.is_(None), HostAgreement.host_id.in_(
    sa.select(Membership.organisation_id).where(Membership.person_id == sa.bindparam("person_id"), Membership.may_sign,
                                                Membership.ended_at.is_(None))))


def _hosts(*where: sa.ColumnElement[bool]) -> list[Host]:
    return [Host(*row) for row in session.execute(_HOSTS.where(*where))]


def hosts_of(group_id: uuid.UUID) -> list[Host]:
    """The hosts that agreed to receive money for the group, the earliest first."""
    return _hosts(HostAgreement.group_id == group_id, HostAgreement.agreed_at.is_not(None))


def host_agreements_of(organisation_id: uuid.UUID) -> list[Host]:
    """Every standing agreement, agreed or only asked for, in which this organisation is the group or the host."""
    return _hosts(sa.or_(HostAgreement.group_id == organisation_id, HostAgreement.host_id == organisation_id))


def host_agreement(agreement_id: uuid.UUID) -> Host:
    """One standing agreement. Raises NotFound."""
    found = _hosts(HostAgreement.id == agreement_id)
    if not found:
        raise NotFound
    return found[0]


def is_host_of(host_id: uuid.UUID, group_id: uuid.UUID) -> bool:
    """Whether the host agreed to receive money for the group."""
    return any(host.host_id == host_id for host in hosts_of(group_id))


def others_with_account(bank_account_id: uuid.UUID) -> list[tuple[Organisation, BankAccount]]:
    """Other organisations that gave the same account, by name: a sign to look twice."""
    mine = sa.select(BankAccount.fingerprint, BankAccount.organisation_id).where(
        BankAccount.id == bank_account_id).subquery()
    rows = session.execute(
        sa.select(Organisation, BankAccount)
        .join(BankAccount, BankAccount.organisation_id == Organisation.id)
        .join(mine, sa.and_(mine.c.fingerprint == BankAccount.fingerprint,
                            mine.c.organisation_id != BankAccount.organisation_id))
        .order_by(Organisation.name, BankAccount.added_at))
    return [(found, account) for found, account in rows]


def possible_hosts(group_id: uuid.UUID, name: str = "", most: int = 20) -> list[Organisation]:
    """Organisations with an account that could receive money for the group, by name; `name` is a part of theirs."""
    has_account = sa.exists().where(BankAccount.organisation_id == Organisation.id)
    return list(session.scalars(
        sa.select(Organisation).where(Organisation.id != group_id, Organisation.kind != Kind.INFORMAL, has_account,
                                      sa.func.lower(Organisation.name).contains(name.lower(), autoescape=True))
        .order_by(sa.func.lower(Organisation.name), Organisation.id).limit(most)))


_newer = sa.orm.aliased(BankAccount)
_AWAITING_CHECK = (
    sa.select(Organisation, *_SHOWN).join(BankAccount, BankAccount.organisation_id == Organisation.id)
    .where(~sa.exists().where(OrganisationCheck.bank_account_id == BankAccount.id),
           ~sa.exists().where(_newer.organisation_id == BankAccount.organisation_id,
                              _newer.added_at > BankAccount.added_at))
    .order_by(BankAccount.added_at, BankAccount.id).limit(sa.bindparam("most")))


def accounts_awaiting_check(most: int = 50) -> list[tuple[Organisation, Account]]:
    """Organisations whose newest account nobody has checked, the oldest account first."""
    rows = session.execute(_AWAITING_CHECK, {"most": most})
    return [(row[0], Account(*row[1:])) for row in rows]


#: Within how many days an officer checks an account.
CHECK_ACCOUNT_DAYS = 5


def waiting_for(person_id: uuid.UUID, capacities: frozenset[Capacity]) -> list[Waiting]:
    """What waits for this person here: groups that ask to be hosted; for officers, accounts to check."""
    waiting = [Waiting(_("Say whether %(host)s receives money for %(group)s.", host=asked.host_name,
                         group=asked.group_name), "organisations.hosting", {"agreement_id": asked.id}, _("Answer"))
               for asked in (Host(*row) for row in session.execute(_ASKED_OF, {"person_id": person_id}))]
    if Capacity.OFFICER in capacities:
        rows = accounts_awaiting_check(most=4)
        waiting += [Waiting(_("Check the bank account of %(group)s.", group=found.name), "organisations.staff_page",
                            {"organisation_id": found.id}, _("Check it"),
                            due_at=account.added_at + timedelta(days=CHECK_ACCOUNT_DAYS))
                    for found, account in rows[:3]]
        if len(rows) > 3:
            waiting.append(Waiting(_("Check the other bank accounts, the oldest first."),
                                   "organisations.accounts_to_check", {}, _("See them all")))
    return waiting
