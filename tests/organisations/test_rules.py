"""What may be checked, paid into and hosted."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from fund.organisations.rules import (
    Check,
    CheckFacts,
    Kind,
    reasons_not_to_ask_host,
    reasons_not_to_pay_into,
    reasons_not_to_record_check,
)

TODAY = date(2026, 11, 22)
ACCOUNT, OFFICER, SIGNER = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


def check(kind, *, passed=True, days_ago=1, runs_for=30, account=None):
    made = datetime(2026, 11, 22, tzinfo=UTC) - timedelta(days=days_ago)
    return CheckFacts(kind, passed, made, TODAY + timedelta(days=runs_for), "papers", OFFICER, account)


GOOD = [check(Check.IDENTITY), check(Check.SANCTIONS), check(Check.BANK_ACCOUNT, account=ACCOUNT)]


@pytest.mark.parametrize(("checks", "account", "codes"), [
    (GOOD, ACCOUNT, []),
    (GOOD, None, ["no_account"]),
    ([], ACCOUNT, ["identity_unchecked", "bank_account_unchecked", "sanctions_unchecked"]),
    (GOOD, uuid.uuid4(), ["bank_account_unchecked"]),
    ([*GOOD, check(Check.SANCTIONS, passed=False, days_ago=0)], ACCOUNT, ["sanctions_failed"]),
    ([*GOOD, check(Check.SANCTIONS, passed=False, days_ago=5)], ACCOUNT, []),
    ([*GOOD[1:], check(Check.IDENTITY, runs_for=-1)], ACCOUNT, ["identity_out_of_date"]),
    ([*GOOD[1:], check(Check.IDENTITY, runs_for=0)], ACCOUNT, []),
])
def test_money_goes_only_into_an_account_whose_newest_checks_passed_and_stand(checks, account, codes):
    assert [reason.code for reason in reasons_not_to_pay_into(account, checks, TODAY)] == codes


@pytest.mark.parametrize(("facts", "codes"), [
    ({}, []),
    ({"added_by": OFFICER}, ["same_hand"]),
    ({"has_interest": True}, ["interest"]),
    ({"is_member": True}, ["interest"]),
    ({"expires_on": TODAY - timedelta(days=1)}, ["expires_on"]),
    ({"expires_on": TODAY + timedelta(days=367)}, ["expires_on"]),
    ({"expires_on": TODAY - timedelta(days=1), "passed": False}, []),
    ({"account_paid_elsewhere": True}, ["account_of_another"]),
    ({"account_paid_elsewhere": True, "passed": False}, []),
])
def test_an_officer_records_a_check_only_with_another_hand_and_no_tie(facts, codes):
    usual = {"made_by": OFFICER, "added_by": SIGNER, "has_interest": False, "is_member": False, "passed": True,
             "expires_on": TODAY + timedelta(days=90), "today": TODAY, "account_paid_elsewhere": False}
    assert [reason.code for reason in reasons_not_to_record_check(**{**usual, **facts})] == codes


@pytest.mark.parametrize(("kind", "itself", "account", "codes"), [
    (Kind.CHARITY, False, True, []), (Kind.CHARITY, True, True, ["itself"]),
    (Kind.INFORMAL, False, True, ["informal_host"]), (Kind.CHARITY, False, False, ["host_without_account"])])
def test_a_host_is_another_organisation_with_an_account(kind, itself, account, codes):
    reasons = reasons_not_to_ask_host(host_kind=kind, is_itself=itself, host_has_account=account)
    assert [reason.code for reason in reasons] == codes
