"""When an offer stands, how an award is split into stages, and when a stage may be paid.

Every rule here about money or hands is repeated by the tables (migration 0010) under the name given in each docstring.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from fund.kernel.money import pounds, share_pence
from fund.kernel.reasons import Reason
from fund.kernel.words import _

#: The terms that a group signs. A change of the terms is a new version, and old agreements keep theirs.
TERMS_VERSION = "2026-1"
#: Offers lapse; before that the group is reminded this many days ahead.
REMIND_DAYS_BEFORE = (14, 3)
#: The first stage is due so many days after the offer, each later one so many after the one before.
FIRST_STAGE_DAYS, NEXT_STAGE_DAYS = 42, 182
#: Our promise to groups: each pair of hands takes at most so many days, and the bank so many after the file is sent.
HAND_DAYS, BANK_DAYS = 7, 4
MOST_STORY, MOST_PLAN, MOST_WORDS, MOST_FILES = 5_000, 3_000, 2_000, 6


#: Reasons of a bank that are about the payee's account: paying again needs another account, or a new look at it.
ACCOUNT_REASONS = frozenset({"AC01", "AC02", "AC03", "AC04", "AC06", "AC14", "BE01", "BE04", "MD07", "RC01", "RR01"})


class Basis(StrEnum):
    """Why a stage may be paid when it is. The table repeats the list as `ck_stage_basis`."""

    UP_FRONT = "up_front"  # before it is spent: the signed agreement and its spending plan are the evidence
    ON_EVIDENCE = "on_evidence"  # after the group shows what it did with the stage before
    ON_CLAIM = "on_claim"  # after the group shows what it paid for


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage of an award before it is offered."""

    number: int
    basis: Basis
    amount_pence: int
    due_on: date


def plan_stages(award_pence: int, *, shares: Sequence[int], up_front_below_pence: int,
                offered_on: date) -> list[PlannedStage]:
    """Split an award into stages by the round's shares, to the penny; a stage of nothing is left out.

    An award of at most `up_front_below_pence` gets its first stage up front; every other stage follows evidence.
    """
    parts = [pence for pence in share_pence(award_pence, shares) if pence > 0]
    return stages_of(parts, up_front=award_pence <= up_front_below_pence, offered_on=offered_on)


def stages_of(parts_pence: Sequence[int], *, up_front: bool, offered_on: date) -> list[PlannedStage]:
    """The stages of an award whose parts are known already (a rehearsal of a published grant knows what was paid)."""
    return [
        PlannedStage(number, Basis.UP_FRONT if up_front and number == 1 else Basis.ON_EVIDENCE, pence,
                     offered_on + timedelta(days=FIRST_STAGE_DAYS + (number - 1) * NEXT_STAGE_DAYS))
        for number, pence in enumerate(parts_pence, start=1)]


class StageState(StrEnum):
    """Where a stage stands. Read from rows, never stored."""

    WAITS = "waits"  # for the agreement, or for the stage before
    EVIDENCE_WANTED = "evidence_wanted"
    EVIDENCE_SENT = "evidence_sent"
    MORE_ASKED = "more_asked"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    SENT = "sent"
    PAID = "paid"
    REFUSED = "refused"  # the bank would not pay it
    RETURNED = "returned"  # it was paid and came back
    ENDED = "ended"  # the grant ended first


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What is known of a stage; each later field is empty until it happened."""

    number: int
    has_agreement: bool
    award_ended: bool = False
    stage_before_paid: bool = True
    evidence_count: int = 0
    evidence_reviewed: bool = False
    evidence_accepted: bool = False
    release_attempt: int = 0
    release_sent: bool = False
    release_end: str = ""  # 'settled', 'returned', 'refused', 'withdrawn' or nothing yet


def stage_state(stage: StageFacts) -> StageState:
    """Where the stage stands; the furthest that happened counts."""
    ended = {"settled": StageState.PAID, "returned": StageState.RETURNED, "refused": StageState.REFUSED}
    if stage.release_attempt and stage.release_end in ended:
        return ended[stage.release_end]
    if stage.award_ended:
        return StageState.ENDED
    if stage.release_attempt and stage.release_end != "withdrawn":
        return StageState.SENT if stage.release_sent else StageState.APPROVED
    if not stage.has_agreement:
        return StageState.WAITS
    if stage.evidence_accepted:
        return StageState.ACCEPTED
    if stage.evidence_count:
        return StageState.MORE_ASKED if stage.evidence_reviewed else StageState.EVIDENCE_SENT
    return StageState.EVIDENCE_WANTED if stage.stage_before_paid else StageState.WAITS


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What is known of an offer."""

    lapses_on: date
    signed: bool = False
    end: str = ""  # 'lapsed', 'declined_by_group', 'withdrawn' or nothing
    may_sign: bool = True


def reasons_not_to_answer_offer(offer: OfferFacts, today: date) -> list[Reason]:
    """Why this person may not sign or decline the offer today.

    Repeated as `ck_agreement_offer_open`, `ck_agreement_in_time`, `ck_agreement_signatory`, `ck_award_end_unsigned`.
    """
    reasons = []
    if offer.signed:
        reasons.append(Reason("signed", _("This offer is signed already.")))
    if offer.end == "declined_by_group":
        reasons.append(Reason("declined", _("Your group said no to this offer. The money is free for others.")))
    elif offer.end or today > offer.lapses_on:
        reasons.append(Reason("lapsed", _("This offer lapsed on %(day)s. Call us: the panel may be able to offer it "
                                          "again.", day=offer.lapses_on.isoformat())))
    if not offer.may_sign:
        reasons.append(Reason("may_not_sign", _("Somebody who may sign for your group must answer this offer.")))
    return reasons


def reasons_not_to_lapse(offer: OfferFacts, today: date) -> list[Reason]:
    """Why the offer may not lapse today."""
    if offer.signed or offer.end:
        return [Reason("answered", _("This offer was answered already."))]
    return [] if today > offer.lapses_on else [Reason("in_time", _("The group may still answer this offer."))]


@dataclass(frozen=True, slots=True)
class PayeeFacts:
    """What is known of the account to which money should go; organisations knows of its checks."""

    is_own: bool = True
    host_agreed: bool = False
    account_of_payee: bool = True


def reasons_not_to_choose_payee(payee: PayeeFacts) -> list[Reason]:
    """Why money may not go to this account, whether or not it is checked yet.

    Repeated as `ck_payee_grantee_or_host` and `ck_payee_account_of_payee`.
    """
    reasons = []
    if not payee.is_own and not payee.host_agreed:
        reasons.append(Reason("host", _("That organisation has not agreed to receive money for your group.")))
    if not payee.account_of_payee:
        reasons.append(Reason("account", _("That account does not belong to the organisation that you chose.")))
    return reasons


def reasons_not_to_send_evidence(state: StageState, *, is_member: bool = True) -> list[Reason]:
    """Why the group may not send evidence for a stage now. Repeated as `ck_evidence_one_at_a_time` and others."""
    reasons = []
    if not is_member:
        reasons.append(Reason("not_member", _("Somebody of the group sends this.")))
    if state in {StageState.EVIDENCE_WANTED, StageState.MORE_ASKED}:
        return reasons
    if state is StageState.EVIDENCE_SENT:
        return [*reasons, Reason("sent", _("We have it already. An officer is reading it."))]
    if state is StageState.WAITS:
        return [*reasons, Reason("early", _("This stage comes later: the stage before it is paid first."))]
    if state is StageState.ENDED:
        return [*reasons, Reason("ended", _("This grant has ended."))]
    return [*reasons, Reason("accepted", _("We have accepted what you sent for this stage. There is nothing to send."))]


@dataclass(frozen=True, slots=True)
class HandFacts:
    """What ties a member of staff to what passes their hands."""

    has_capacity: bool = True
    is_of_the_group: bool = False
    has_interest: bool = False
    did_the_step_before: bool = False


def _reasons_of_hands(hand: HandFacts, step_before: str) -> list[Reason]:
    reasons = []
    if not hand.has_capacity:
        reasons.append(Reason("capacity", _("You do not hold the part that does this.")))
    if hand.is_of_the_group:
        reasons.append(Reason("of_the_group", _("You belong to this group, so somebody else must do this.")))
    if hand.has_interest:
        reasons.append(Reason("interest", _(
            "You have an interest in this group or its payee, so somebody else must do this.")))
    if hand.did_the_step_before:
        reasons.append(Reason("other_hand", step_before))
    return reasons


def reasons_not_to_review(state: StageState, hand: HandFacts, *, newest: bool = True) -> list[Reason]:
    """Why this officer may not accept or send back this evidence.

    Repeated as `ck_evidence_review_other_hand`, `…_capacity`, `…_interest`; once only by its primary key.
    """
    reasons = _reasons_of_hands(hand, _("You sent this evidence, so somebody else must read it."))
    if state is not StageState.EVIDENCE_SENT or not newest:
        reasons.append(Reason("reviewed", _("Somebody has dealt with this evidence already.")))
    return reasons


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What is known of a stage on the day when somebody would approve its payment."""

    state: StageState
    hand: HandFacts = HandFacts()
    payee: PayeeFacts | None = None  # None: the group has not said where the money goes
    account_reasons: tuple[Reason, ...] = ()  # what organisations' rules say against the account today
    payee_is_new: bool = True  # chosen after the payment that came back
    checked_since_return: bool = True


def reasons_not_to_release_stage(stage: ReleaseFacts) -> list[Reason]:
    """Give every reason why this stage may not be approved for payment; none means that it may.

    The approver's page prints these and `actions.approve_release` refuses on them. The table repeats the evidence rule
    as `ck_stage_evidence_before_release`, the hands as `ck_release_other_hand`, `…_capacity`, `…_interest`, the checks
    as `ck_release_checks_in_date`, and that a stage is paid once as `ck_release_after_end` and `uq_release_attempt`.
    """
    reasons = _reasons_of_hands(stage.hand, _("You accepted the evidence, so somebody else must approve the payment."))
    again = stage.state in {StageState.RETURNED, StageState.REFUSED}
    if stage.state in {StageState.APPROVED, StageState.SENT, StageState.PAID}:
        reasons.append(Reason("paid_once", _("This stage is approved already. A stage is paid once.")))
    elif stage.state is not StageState.ACCEPTED and not again:
        reasons.append(Reason("evidence", _("The evidence for this stage is not accepted yet.")))
    if stage.payee is None:
        reasons.append(Reason("payee", _("The group has not said where the money should go.")))
    else:
        reasons += [*reasons_not_to_choose_payee(stage.payee), *stage.account_reasons]
    if not stage.payee_is_new:
        reasons.append(Reason("new_payee", _(
            "The last payment came back. The group must say again where the money should go.")))
    if not stage.checked_since_return:
        reasons.append(Reason("new_check", _("The account must be checked again, after the payment came back.")))
    return reasons


def is_about_the_account(state: StageState, bank_reason: str) -> bool:
    """Whether the payment before came to nothing because of the account: then the account is chosen anew."""
    return state is StageState.RETURNED or (state is StageState.REFUSED and bank_reason in ACCOUNT_REASONS)


def reminder_due(lapses_on: date, sent: int, today: date) -> int | None:
    """Which reminder (1, 2 …) is due today, when `sent` have gone; None when none is, or the offer has lapsed."""
    if today > lapses_on:
        return None
    due = sum(1 for days in REMIND_DAYS_BEFORE if today >= lapses_on - timedelta(days=days))
    return due if due > sent else None


@dataclass(frozen=True, slots=True)
class Paid:
    """What a grant has had, and what is still to come, in pence."""

    award_pence: int
    settled_pence: int
    returned_pence: int

    @property
    def paid_pence(self) -> int:
        """What the group has and has not sent back."""
        return self.settled_pence - self.returned_pence

    @property
    def unpaid_pence(self) -> int:
        """What is still to be paid. Never below nothing (`ck_award_not_overpaid`)."""
        return self.award_pence - self.paid_pence


def bank_reason_words(code: str) -> str:
    """Why a bank turned a payment down or sent it back, for the people whom it concerns. ISO 20022's codes."""
    words = {
        "AC04": _("the account is closed"), "AC06": _("the account is blocked"),
        "AC01": _("there is no account with this number"), "AC02": _("there is no account with this number"),
        "AC03": _("there is no account with this number"), "RC01": _("there is no bank with this sort code"),
        "BE01": _("the name is not the account holder’s"), "BE04": _("the payee’s details are not complete"),
        "MD07": _("the account holder has died"), "AM04": _("there was not enough money on our account"),
        "MS03": _("the bank did not say why"),
    }
    return words.get(code) or (_("the bank gave the reason %(code)s", code=code) if code
                               else _("the bank did not say why"))


def evidence_made_of(plan: str, amount_pence: int) -> str:
    """What stands as the evidence of a stage that is paid up front: the signed plan itself."""
    return _("The signed agreement, and how the first %(amount)s will be spent:", amount=pounds(amount_pence)) + (
        "\n\n" + plan)
