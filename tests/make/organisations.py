"""Organisations for tests, made by the part's own actions."""

import uuid

from fund.db import session
from fund.kernel.actor import Actor, Capacity
from fund.organisations import actions
from fund.organisations.models import BankAccount, Organisation
from fund.organisations.queries import signers_of
from tests.make import people


def organisation(*, person_id: uuid.UUID | None = None, name: str = "Alder Park Friends", kind: str = "informal",
                 org_id: str | None = None) -> Organisation:
    """A group; `person_id` (or somebody new) acts and signs for it."""
    actor = Actor(Capacity.APPLICANT, person_id or people.make_person().id)
    return actions.make_organisation(actor, name=name, kind=kind, org_id=org_id)


def account(organisation_id: uuid.UUID, *, person_id: uuid.UUID | None = None, holder: str = "Alder Park Friends",
            sort_code: str = "309089", account_number: str = "00012345") -> BankAccount:
    """An account of the organisation, not checked yet; a person who may sign for it adds it."""
    signer = person_id or signers_of(organisation_id)[0]
    return actions.add_bank_account(Actor(Capacity.APPLICANT, signer), organisation_id, holder=holder,
                                    sort_code=sort_code, account_number=account_number)


def checks(organisation_id: uuid.UUID, *, bank_account_id: uuid.UUID | None = None,
           officer_id: uuid.UUID | None = None) -> None:
    """Every check of the organisation (and of its account) passed, by an officer."""
    officer = Actor(Capacity.OFFICER, officer_id or people.make_person().id)
    for kind, of_account in (("identity", None), ("sanctions", None), ("bank_account", bank_account_id)):
        if kind != "bank_account" or of_account:
            actions.record_check(officer, organisation_id, kind=kind, passed=True, source="Looked at the papers",
                                 bank_account_id=of_account)


def payable(*, person_id: uuid.UUID | None = None, name: str = "Elm Street Hall", kind: str = "charity",
            account_number: str = "00054321") -> tuple[Organisation, BankAccount]:
    """An organisation with a checked account: money may go there, or to a group that it hosts."""
    made = organisation(person_id=person_id, name=name, kind=kind)
    its_account = account(made.id, holder=name, account_number=account_number)
    checks(made.id, bank_account_id=its_account.id)
    session.flush()
    return made, its_account


def hosted(group_id: uuid.UUID, host_id: uuid.UUID) -> uuid.UUID:
    """An agreement by which the host receives money for the group; gives its id."""
    asked = actions.ask_host(Actor(Capacity.APPLICANT, signers_of(group_id)[0]), group_id, host_id)
    return actions.agree_to_host(Actor(Capacity.APPLICANT, signers_of(host_id)[0]), asked.id).id
