"""The words of the public trail: what each act was, and who may have done it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fund.kernel.actor import STAFF, Capacity
from fund.kernel.words import N_

#: Acts on one application, in a sentence each. What is not here is shown by its code: nothing is left out.
VERBS = {
    "start_application": N_("began the application"), "submit_application": N_("sent the application"),
    "withdraw_application": N_("took the application back"),
    "check_eligibility": N_("said that it may go to the panel, or why not"),
    "put_before_panel": N_("put it before the panel"), "assign_reader": N_("gave it a reader, by the rule"),
    "remind_reader": N_("reminded a reader"), "tell_applicant": N_("told the group what was decided"),
    "make_offer": N_("made the offer that follows from the decision"), "accept_offer": N_("signed the agreement"),
    "end_offer": N_("ended the offer"), "choose_payee": N_("said where the money goes"),
    "send_evidence": N_("showed what was done"), "accept_evidence": N_("accepted what the group showed"),
    "ask_for_more_evidence": N_("asked to be shown more"), "approve_release": N_("approved the payment of a stage"),
    "authorise_payment": N_("authorised the payment"), "payment_settled": N_("booked that the bank paid it"),
    "payment_refused": N_("booked that the bank would not pay it"),
    "payment_returned": N_("booked that the payment came back"),
    "payment_withdrawn": N_("took the payment out of its batch"),
}

WHO = {
    Capacity.APPLICANT: N_("The group"), Capacity.OFFICER: N_("An officer"), Capacity.APPROVER: N_("An approver"),
    Capacity.AUTHORISER: N_("An authoriser"), Capacity.TRUSTEE: N_("A trustee"),
    Capacity.SYSTEM: N_("The fund’s program, by its rules"),
}

PANEL = frozenset({Capacity.READER, Capacity.CHAIR})


@dataclass(frozen=True, slots=True)
class Touch:
    """One act on an application: when, by whom, and what, the last two as sentences of VERBS and WHO."""

    at: datetime
    capacity: Capacity
    verb: str

    @property
    def who(self) -> str:
        """Who it was, as the public sees it: in what capacity, never a name."""
        return WHO[self.capacity]

    @property
    def what(self) -> str:
        """What it was; an act that has no sentence yet is shown by its code."""
        return VERBS.get(self.verb, self.verb.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Touched:
    """Who else touched a decision: everybody's acts who is not of the panel, and how many were staff's before it."""

    by_staff: list[Touch]
    by_others: list[Touch]
    by_the_panel: int


def touched(acts: Iterable[Touch]) -> Touched:
    """Sort the acts on one application by who did them; the panel's own are counted, not listed."""
    found = Touched([], [], 0)
    panel = 0
    for act in acts:
        if act.capacity in PANEL:
            panel += 1
        elif act.capacity in STAFF:
            found.by_staff.append(act)
        else:
            found.by_others.append(act)
    return Touched(found.by_staff, found.by_others, panel)
