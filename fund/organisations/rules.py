"""What is allowed for organisations, their accounts, checks and hosts. Pure."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from fund.kernel.reasons import Reason
from fund.kernel.words import N_, _


class Kind(StrEnum):
    """What an organisation is in law. The table repeats the list as `ck_organisation_kind`."""

    INFORMAL = "informal"
    CONSTITUTED = "constituted"
    CHARITY = "charity"
    COMPANY = "company"
    CIC = "cic"
    SOCIETY = "society"
    PUBLIC_BODY = "public_body"
    OTHER = "other"


#: How each kind is called on a page, and what it means in everyday words.
KINDS = {
    Kind.INFORMAL: (N_("A few people"), N_("No constitution and no bank account needed.")),
    Kind.CONSTITUTED: (N_("A group with a constitution"), N_("You have written rules and a committee.")),
    Kind.CHARITY: (N_("A registered charity"), N_("You have a charity number.")),
    Kind.COMPANY: (N_("A company"), N_("You are registered at Companies House.")),
    Kind.CIC: (N_("A community interest company"), N_("A company whose profits go to the community.")),
    Kind.SOCIETY: (N_("A co-operative or community benefit society"), N_("You are on the Mutuals Register.")),
    Kind.PUBLIC_BODY: (N_("A school, council or other public body"), N_("We add to what the law asks of you.")),
    Kind.OTHER: (N_("Something else"), N_("Tell us in your name what you are.")),
}


class Check(StrEnum):
    """What an officer checks. The table repeats the list as `ck_organisation_check_kind`."""

    IDENTITY = "identity"
    BANK_ACCOUNT = "bank_account"
    SANCTIONS = "sanctions"


#: What each check is called, and for how many days one that passed stands.
CHECKS = {
    Check.IDENTITY: (N_("Who they are"), 365),
    Check.BANK_ACCOUNT: (N_("Bank account"), 365),
    Check.SANCTIONS: (N_("UK Sanctions List"), 90),
}


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """One check as the rules see it."""

    kind: Check
    passed: bool
    made_at: datetime
    expires_on: date
    source: str
    made_by: uuid.UUID
    bank_account_id: uuid.UUID | None = None

    def stands(self, today: date) -> bool:
        """Whether it passed and has not run out."""
        return self.passed and self.expires_on >= today


def newest(checks: Iterable[CheckFacts], kind: Check, bank_account_id: uuid.UUID | None = None) -> CheckFacts | None:
    """The newest check of a kind (of one account): an older one that passed counts no more."""
    of_it = [check for check in checks if check.kind is kind and check.bank_account_id == bank_account_id]
    return max(of_it, key=lambda check: check.made_at, default=None)


def reasons_not_to_pay_into(bank_account_id: uuid.UUID | None, checks: Iterable[CheckFacts],
                            today: date) -> list[Reason]:
    """Give every reason why money may not go into this account of an organisation on `today`.

    Who they are, the sanctions list and the account itself must each have been checked, passed and be in date.
    `grants.approve_release` refuses on these; the officer's page prints them.
    """
    checks = list(checks)
    if bank_account_id is None:
        return [Reason("no_account", _("There is no bank account yet."))]
    reasons = []
    for kind in Check:
        found = newest(checks, kind, bank_account_id if kind is Check.BANK_ACCOUNT else None)
        name = _(CHECKS[kind][0])
        if found is None:
            reasons.append(Reason(f"{kind}_unchecked", _("%(check)s: not checked yet.", check=name)))
        elif not found.passed:
            reasons.append(Reason(f"{kind}_failed", _("%(check)s: the check did not pass.", check=name)))
        elif found.expires_on < today:
            reasons.append(Reason(f"{kind}_out_of_date", _("%(check)s: the check has run out.", check=name)))
    return reasons


def reasons_not_to_record_check(*, made_by: uuid.UUID | None, added_by: uuid.UUID | None, has_interest: bool,
                                is_member: bool, expires_on: date, today: date, passed: bool,
                                account_paid_elsewhere: bool) -> list[Reason]:
    """Give every reason why this officer may not record this check. The table repeats the other hand as
    `ck_organisation_check_other_hand`.
    """
    reasons = []
    if added_by is not None and added_by == made_by:
        reasons.append(Reason("same_hand", _("You added this account, so somebody else must check it.")))
    if has_interest or is_member:
        reasons.append(Reason("interest", _("You are tied to this organisation, so somebody else must check it.")))
    if passed and not today <= expires_on <= today + timedelta(days=366):
        reasons.append(Reason("expires_on", _("A check runs for a year at most, and does not end before today.")))
    if passed and account_paid_elsewhere:
        reasons.append(Reason("account_of_another", _(
            "This account is already checked for another organisation. A group that uses somebody else’s account asks "
            "them to be its host.")))
    return reasons


def reasons_not_to_ask_host(*, host_kind: Kind, is_itself: bool, host_has_account: bool) -> list[Reason]:
    """Give every reason why this organisation cannot receive money for the group."""
    reasons = []
    if is_itself:
        reasons.append(Reason("itself", _("A group cannot be its own host. Choose another organisation.")))
    if host_kind is Kind.INFORMAL:
        reasons.append(Reason("informal_host", _("A host needs a bank account of its own.")))
    elif not host_has_account:
        reasons.append(Reason("host_without_account", _("They must give us a bank account first.")))
    return reasons
