"""Changing organisations: making one, who acts for it, its accounts, checks, hosts and interests."""

import uuid
from datetime import date, timedelta

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import STAFF, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, refuse_if
from fund.kernel.ids import new_id
from fund.kernel.reasons import Reason
from fund.kernel.text import CONTROL, tidy
from fund.kernel.words import _
from fund.organisations import formats, queries
from fund.organisations.models import (
    BankAccount,
    HostAgreement,
    Membership,
    Organisation,
    OrganisationCheck,
    StaffInterest,
)
from fund.organisations.rules import (
    CHECKS,
    Check,
    Kind,
    reasons_not_to_ask_host,
    reasons_not_to_record_check,
)
from fund.settings import settings
from fund.transparency.actions import record_act


def make_organisation(actor: Actor, *, name: str, kind: str, org_id: str | None = None) -> Organisation:
    """Make an organisation; whoever makes it acts and signs for it (a system makes one without people).

    Raises BadInput for a name or kind that makes no sense, Refused when its register number is with us already.
    """
    name = formats.name_from_typed(name)
    if kind not in list(Kind):
        raise BadInput(_("Choose what kind of group you are."), field="kind")
    if org_id is not None and session.scalar(sa.select(Organisation.id).where(Organisation.org_id == org_id)):
        raise Refused([Reason("org_id_taken", _("That number is with us already. Ask somebody who acts for the "
                                                "organisation to add you, or call us."))])
    made = Organisation(id=new_id(), name=name, kind=kind, org_id=org_id)
    session.add(made)
    session.flush()
    record_act(actor, "make_organisation", "organisation", made.id, kind=kind)
    if actor.person_id is not None:
        session.add(Membership(organisation_id=made.id, person_id=actor.person_id, may_sign=True))
        session.flush()
    return made


def _only_signers(actor: Actor, organisation_id: uuid.UUID) -> None:
    """Raise NotFound for people who do not act for the organisation, Forbidden for those who may not sign."""
    if actor.capacity is Capacity.SYSTEM:
        return
    may_sign = queries.member_may_sign(actor.person_id, organisation_id) if actor.person_id else None
    if may_sign is None:
        raise NotFound
    if not may_sign:
        raise Forbidden


def add_member(actor: Actor, organisation_id: uuid.UUID, *, person_id: uuid.UUID, may_sign: bool = True) -> None:
    """Let another person act for the organisation. A second time has no further effect."""
    _only_signers(actor, organisation_id)
    row = sa.dialects.postgresql.insert(Membership).values(
        id=new_id(), organisation_id=organisation_id, person_id=person_id, may_sign=may_sign)
    added = session.scalar(row.on_conflict_do_nothing(
        index_elements=["organisation_id", "person_id"], index_where=sa.text("ended_at IS NULL"),
    ).returning(Membership.id))
    if added is not None:
        record_act(actor, "add_member", "organisation", organisation_id, may_sign=may_sign)


def end_membership(actor: Actor, organisation_id: uuid.UUID, *, person_id: uuid.UUID) -> None:
    """End a person's acting for the organisation. Raises Refused for the last who may sign."""
    _only_signers(actor, organisation_id)
    members = session.scalars(
        sa.select(Membership).where(Membership.organisation_id == organisation_id, Membership.ended_at.is_(None))
        .order_by(Membership.id).with_for_update()).all()
    if not any(member.may_sign and member.person_id != person_id for member in members):
        raise Refused([Reason("last_signer", _("Somebody must be left who can sign. Add another person first."))])
    for member in members:
        if member.person_id == person_id:
            member.ended_at = clock.now()
            record_act(actor, "end_membership", "organisation", organisation_id)


def add_bank_account(actor: Actor, organisation_id: uuid.UUID, *, holder: str, sort_code: str,
                     account_number: str) -> BankAccount:
    """Add an account, sealed. The account that is the organisation's newest already is given back as it is.

    Raises BadInput for details that make no sense. An account must be checked before money goes into it.
    """
    _only_signers(actor, organisation_id)
    if actor.person_id is None:
        raise Forbidden
    details = formats.AccountDetails(
        formats.holder_from_typed(holder), formats.sort_code_from_typed(sort_code),
        formats.account_number_from_typed(account_number))
    field_key = settings().field_key.get_secret_value()
    mark = formats.fingerprint(details.sort_code, details.account_number, field_key=field_key)
    newest = session.scalars(
        sa.select(BankAccount).where(BankAccount.organisation_id == organisation_id)
        .order_by(BankAccount.added_at.desc(), BankAccount.id).limit(1)).one_or_none()
    if newest is not None and newest.fingerprint == mark and newest.holder == details.holder:
        return newest
    row_id = new_id()
    added = BankAccount(
        id=row_id, organisation_id=organisation_id, holder=details.holder,
        sealed=formats.seal(details, row_id=row_id, field_key=field_key),
        last_four=formats.last_four(details.account_number), fingerprint=mark, added_by=actor.person_id)
    session.add(added)
    session.flush()
    record_act(actor, "add_bank_account", "organisation", organisation_id, bank_account_id=str(row_id))
    return added


def record_check(actor: Actor, organisation_id: uuid.UUID, *, kind: str, passed: bool, source: str,
                 expires_on: date | None = None, bank_account_id: uuid.UUID | None = None) -> OrganisationCheck:
    """Write down what an officer checked, from which source, and until when it stands.

    Raises Forbidden for anybody but an officer, Refused when the officer added the account or is tied to the
    organisation, BadInput without a source.
    """
    if actor.capacity is not Capacity.OFFICER or actor.person_id is None:
        raise Forbidden
    if kind not in list(Check) or (kind == Check.BANK_ACCOUNT) != (bank_account_id is not None):
        raise BadInput(_("Choose what you checked."), field="kind")
    source = tidy(source)
    if not 3 <= len(source) <= 500 or CONTROL.search(source):
        raise BadInput(_("Write where you looked, so that somebody else could look again."), field="source")
    account = None
    if bank_account_id is not None:
        account = queries.account(bank_account_id)
        if account.organisation_id != organisation_id:
            raise NotFound
    queries.organisation(organisation_id)
    today = clock.today()
    expires_on = expires_on or today + timedelta(days=CHECKS[Check(kind)][1])
    has_interest, is_member = queries.ties_of(actor.person_id, organisation_id)
    refuse_if(reasons_not_to_record_check(
        made_by=actor.person_id, added_by=account.added_by if account else None,
        has_interest=has_interest, is_member=is_member,
        expires_on=expires_on, today=today, passed=passed,
        account_paid_elsewhere=account is not None and _is_paid_elsewhere(account.id, today)))
    made = OrganisationCheck(organisation_id=organisation_id, bank_account_id=bank_account_id, kind=kind,
                             passed=passed, source=source, made_by=actor.person_id, expires_on=expires_on)
    session.add(made)
    session.flush()
    record_act(actor, "record_check", "organisation", organisation_id, kind=kind, passed=passed,
               expires_on=expires_on.isoformat())
    return made


def _is_paid_elsewhere(bank_account_id: uuid.UUID, today: date) -> bool:
    """Whether the same account stands as checked under another organisation. Two officers ask one after the other."""
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended(encode(fingerprint, 'hex'), 5)) "
                            "FROM bank_account WHERE id = :id"), {"id": bank_account_id})
    others = queries.others_with_account(bank_account_id)
    checks = queries.checks_of({other.id for other, _account in others})
    return any(check.bank_account_id == account.id and check.stands(today)
               for other, account in others
               for check in checks[other.id][:] if check.kind is Check.BANK_ACCOUNT)


def show_account(actor: Actor, organisation_id: uuid.UUID) -> formats.AccountDetails:
    """Give an officer the newest account in full, to check it with the bank, and write down that they saw it."""
    if actor.capacity is not Capacity.OFFICER:
        raise Forbidden
    accounts = queries.accounts_of(organisation_id)
    if not accounts:
        raise NotFound
    record_act(actor, "show_account", "organisation", organisation_id, bank_account_id=str(accounts[0].id))
    return queries.open_account(accounts[0].id)


def ask_host(actor: Actor, group_id: uuid.UUID, host_id: uuid.UUID) -> HostAgreement:
    """Ask another organisation to receive money for the group. Asking again gives the standing request back."""
    _only_signers(actor, group_id)
    if actor.person_id is None:
        raise Forbidden
    host = queries.organisation(host_id)
    refuse_if(reasons_not_to_ask_host(host_kind=Kind(host.kind), is_itself=host_id == group_id,
                                      host_has_account=bool(queries.accounts_of(host_id))))
    row = sa.dialects.postgresql.insert(HostAgreement).values(
        id=new_id(), group_id=group_id, host_id=host_id, asked_by=actor.person_id)
    asked = session.scalar(row.on_conflict_do_nothing(
        index_elements=["group_id", "host_id"], index_where=sa.text("ended_at IS NULL")).returning(HostAgreement.id))
    if asked is not None:
        record_act(actor, "ask_host", "host_agreement", asked, group_id=str(group_id), host_id=str(host_id))
    return session.scalars(sa.select(HostAgreement).where(
        HostAgreement.group_id == group_id, HostAgreement.host_id == host_id,
        HostAgreement.ended_at.is_(None))).one()


def _standing(agreement_id: uuid.UUID) -> HostAgreement:
    found = session.scalars(sa.select(HostAgreement).where(
        HostAgreement.id == agreement_id, HostAgreement.ended_at.is_(None)).with_for_update()).one_or_none()
    if found is None:
        raise NotFound
    return found


def agree_to_host(actor: Actor, agreement_id: uuid.UUID) -> HostAgreement:
    """Agree, for the host, to receive money for the group. Raises NotFound for people of any other organisation."""
    agreement = _standing(agreement_id)
    _only_signers(actor, agreement.host_id)
    if agreement.agreed_at is not None:
        return agreement
    if actor.person_id is None or actor.person_id == agreement.asked_by:
        raise Refused([Reason("same_hand", _("You asked for this, so somebody else of the host must agree to it."))])
    agreement.agreed_by, agreement.agreed_at = actor.person_id, clock.now()
    session.flush()
    record_act(actor, "agree_to_host", "host_agreement", agreement.id, group_id=str(agreement.group_id),
               host_id=str(agreement.host_id))
    return agreement


def end_host(actor: Actor, agreement_id: uuid.UUID) -> None:
    """End an agreement, or say no to one that was asked for: somebody who may sign on either side."""
    agreement = _standing(agreement_id)
    for side in (agreement.group_id, agreement.host_id):
        if actor.person_id is not None and queries.may_sign(actor.person_id, side):
            agreement.ended_at = clock.now()
            record_act(actor, "end_host", "host_agreement", agreement.id)
            return
    raise NotFound


def declare_staff_interest(actor: Actor, organisation_id: uuid.UUID) -> None:
    """Declare that this member of staff is tied to the organisation: no check, release or batch passes their hands."""
    if actor.capacity not in STAFF or actor.person_id is None:
        raise Forbidden
    queries.organisation(organisation_id)
    row = sa.dialects.postgresql.insert(StaffInterest).values(
        id=new_id(), person_id=actor.person_id, organisation_id=organisation_id)
    declared = session.scalar(row.on_conflict_do_nothing(
        index_elements=["person_id", "organisation_id"], index_where=sa.text("ended_at IS NULL"),
    ).returning(StaffInterest.id))
    if declared is not None:
        record_act(actor, "declare_staff_interest", "organisation", organisation_id)
