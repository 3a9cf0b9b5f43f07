"""What may go to the bank, who may send it, and what its answers mean."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from fund.kernel.clock import LONDON
from fund.kernel.money import exact_pounds
from fund.kernel.reasons import Reason
from fund.kernel.words import _

#: The bank has had a file of this name before: an answer about the file, never about the money.
DUPLICATE = "DUPL"


@dataclass(frozen=True, slots=True)
class BatchLine:
    """What the hash of a batch covers: one payment, its amount, and the fingerprint of the account that it goes to."""

    end_to_end_id: str
    amount_pence: int
    fingerprint: bytes


def total_pence(lines: Iterable[BatchLine]) -> int:
    """What a batch pays in all."""
    return sum(line.amount_pence for line in lines)


def lines_sha256(lines: Iterable[BatchLine]) -> bytes:
    """The hash of a batch: SHA-256 over its lines in the order of their references, one a line.

    The table computes the same (`ck_batch_lines_agree`), so a batch whose lines are not these cannot be stored.
    """
    text = "\n".join(f"{line.end_to_end_id} {line.amount_pence} {line.fingerprint.hex()}"
                     for line in sorted(lines, key=lambda line: line.end_to_end_id))
    return hashlib.sha256(text.encode()).digest()


#: Banks take files until three in the afternoon for the same day.
CUT_OFF_HOUR = 15


def next_banking_day(now: datetime) -> date:
    """The first day on which the bank can pay a file sent now: not a weekend, and not today in the late afternoon.

    Bank holidays are the bank's to know: it pays on the next working day by itself.
    """
    here = now.astimezone(LONDON)
    day = here.date() if here.hour < CUT_OFF_HOUR else here.date() + timedelta(days=1)
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))


class BatchState(StrEnum):
    """Where a batch stands, from what has been written about it."""

    FROZEN = "frozen"
    SET_ASIDE = "set_aside"
    AUTHORISED = "authorised"
    FILE_MADE = "file_made"
    SENDING = "sending"  # we began to send and do not know whether the bank has it
    SENT = "sent"
    ANSWERED = "answered"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What is known of a batch."""

    line_count: int
    total_pence: int
    lines_sha256: bytes
    stale_lines: int = 0  # payee or check changed since approval
    touched_by_authoriser: bool = False  # this person approved or accepted one of the lines
    interest_of_authoriser: bool = False
    is_authorised: bool = False
    is_set_aside: bool = False
    has_file: bool = False
    sending_began: bool = False
    sending_ended: str = ""  # '', 'accepted', 'refused', 'not_sent', 'by_hand'
    answered_lines: int = 0
    ended_lines: int = 0


def batch_state(batch: BatchFacts) -> BatchState:
    """Where it stands; the furthest step counts."""
    if batch.is_set_aside:
        return BatchState.SET_ASIDE
    if batch.ended_lines >= batch.line_count:
        return BatchState.SETTLED
    if batch.answered_lines or batch.ended_lines:
        return BatchState.ANSWERED
    if batch.sending_ended in {"accepted", "by_hand"}:
        return BatchState.SENT
    if batch.sending_began and not batch.sending_ended:
        return BatchState.SENDING
    if batch.has_file:
        return BatchState.FILE_MADE
    return BatchState.AUTHORISED if batch.is_authorised else BatchState.FROZEN


def reasons_not_to_authorise(batch: BatchFacts, *, total_pence: int | None = None,
                             lines_sha256: bytes | None = None) -> list[Reason]:
    """Why this person may not authorise the batch. The page asks without a total; the press repeats what it showed.

    The table repeats each: `ck_batch_authorisation_other_hand`, `…_interest`, `…_not_stale`, `fk_…_what_was_seen`.
    """
    reasons = []
    if batch.is_set_aside:
        reasons.append(Reason("set_aside", _("This batch was set aside. Its payments went back to be approved again.")))
    if batch.is_authorised:
        reasons.append(Reason("authorised", _("This batch is authorised already.")))
    if batch.touched_by_authoriser:
        reasons.append(Reason("other_hand", _(
            "You accepted or approved a payment in this batch. Somebody else must authorise it.")))
    if batch.interest_of_authoriser:
        reasons.append(Reason("interest", _(
            "You have an interest in a group or payee in this batch. Somebody else must authorise it.")))
    if batch.stale_lines:
        reasons.append(Reason("stale", _(
            "The account or its checks changed after approval for %(count)s of these payments. Set the batch aside, "
            "so that they can be approved again.", count=batch.stale_lines)))
    if total_pence is not None and total_pence != batch.total_pence:
        reasons.append(Reason("total", _("The total you confirmed is not the total of this batch, %(total)s.",
                                         total=exact_pounds(batch.total_pence))))
    if lines_sha256 is not None and lines_sha256 != batch.lines_sha256:
        reasons.append(Reason("hash", _("The code you confirmed is not the code of this batch. Look at it again.")))
    return reasons


def reasons_not_to_close_books(through: date, today: date, unmatched: int) -> list[Reason]:
    """Why the books may not be closed through a day, with so many unmatched lines of the statement up to it.

    The table of closes repeats the second as `statement_lines_matched`.
    """
    reasons = []
    if through >= today:
        reasons.append(Reason("not_over", _("That day is not over yet.")))
    if unmatched:
        reasons.append(Reason("statement_lines_matched",
                              _("The bank’s statement has a line up to that day that is not matched yet.")))
    return reasons


def reasons_not_to_set_aside(batch: BatchFacts) -> list[Reason]:
    """Why the batch may not be set aside: once authorised it may be at the bank."""
    if batch.is_set_aside:
        return [Reason("set_aside", _("This batch was set aside already."))]
    if batch.is_authorised:
        return [Reason("authorised", _("This batch is authorised, so its payments may be on their way."))]
    return []
