"""Changing grants: `offers`, `evidence`, `releases` of a stage; `asked` is what each of them asks first.

The bank's part tells what became of a release (`record_…`); everything else starts with a person. Posting to the ledger
comes last in each.
"""

from fund.grants.actions.evidence import review_evidence, send_evidence
from fund.grants.actions.offers import (
    accept_offer,
    choose_payee,
    decline_offer,
    lapse_offers,
    make_offers,
    remind_of_offers,
)
from fund.grants.actions.releases import (
    approve_release,
    record_refused,
    record_returned,
    record_settled,
    record_step,
    wait_for_releases,
    withdraw_release,
)

__all__ = [
    "accept_offer", "approve_release", "choose_payee", "decline_offer", "lapse_offers", "make_offers",
    "record_refused", "record_returned", "record_settled", "record_step", "remind_of_offers", "review_evidence",
    "send_evidence", "wait_for_releases", "withdraw_release",
]
