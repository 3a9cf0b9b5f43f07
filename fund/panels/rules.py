"""When a panel may decide, who reads what, and what an interest means. Pure. READ THIS FIRST.

Migrations 0008 and 0009 repeat these rules as triggers, so that no route around this code exists.
"""

import hashlib
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from fund.kernel.clock import LONDON
from fund.kernel.reasons import Reason
from fund.kernel.words import _

FEWEST_SEATS = 8
RESIDENT_PERCENT = 51
FEWEST_COUNTED = 2
#: How long before scoring closes each reminder goes out; a sitting can close over a late reader only after both.
REMINDERS = (timedelta(days=4), timedelta(days=1))
BETWEEN_REMINDERS = timedelta(hours=12)
LONGEST_REASON = 1_000


class Consequence(StrEnum):
    """What an interest does, from least to most. `ck_interest_consequence` repeats the list."""

    NONE = "none"
    NOTE_ONLY = "note_only"
    ASK = "ask"
    NO_SCORING = "no_scoring"
    OUT_OF_ROOM = "out_of_room"


#: Each everyday answer and what follows from it; `ck_interest_follows_answer` repeats this.
CONSEQUENCES: dict[str, Consequence] = {
    "nothing": Consequence.NONE,
    "know_someone": Consequence.NOTE_ONLY,
    "family_would_use_it": Consequence.NOTE_ONLY,
    "neighbour_runs_it": Consequence.NO_SCORING,
    "i_am_in_it": Consequence.OUT_OF_ROOM,
    "not_sure": Consequence.ASK,
}
MAY_SCORE = frozenset({Consequence.NONE, Consequence.NOTE_ONLY})
RECUSED = frozenset({Consequence.NO_SCORING, Consequence.OUT_OF_ROOM})
RULINGS = (Consequence.NONE, Consequence.NOTE_ONLY, Consequence.NO_SCORING, Consequence.OUT_OF_ROOM)


@dataclass(frozen=True, slots=True)
class SeatOffer:
    """A seat to be filled when a panel is constituted."""

    person_id: uuid.UUID
    is_resident: bool
    is_chair: bool = False
    term_from: date | None = None
    term_to: date | None = None


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """What the rules need to know of a seat."""

    id: uuid.UUID
    number: int
    is_resident: bool
    is_chair: bool
    term_from: date
    term_to: date
    trained: bool
    code_accepted: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class Strength:
    """How many seats of a panel serve today, and how many of them are residents'."""

    serving: int
    residents: int

    @property
    def may_decide(self) -> bool:
        """Whether the panel is strong enough to decide anything."""
        return not reasons_panel_may_not_decide(self)


def serves(seat: SeatFacts, today: date) -> bool:
    """Whether a seat counts today: in its term, not ended, trained, and its holder accepted the code of conduct."""
    return (not seat.ended and seat.trained and seat.code_accepted and seat.term_from <= today < seat.term_to)


def strength(seats: Iterable[SeatFacts], today: date) -> Strength:
    """How strong a panel of these seats is today."""
    serving = [seat for seat in seats if serves(seat, today)]
    return Strength(len(serving), sum(seat.is_resident for seat in serving))


def reasons_panel_may_not_decide(panel: Strength) -> list[Reason]:
    """Every reason why a panel is below strength; it may meet and score, but decides nothing (invariant 8)."""
    reasons = []
    if panel.serving < FEWEST_SEATS:
        reasons.append(Reason("too_few_seats", _(
            "The panel has %(serving)s members serving. It needs %(fewest)s to decide.",
            serving=panel.serving, fewest=FEWEST_SEATS)))
    if panel.residents * 100 < RESIDENT_PERCENT * panel.serving:
        reasons.append(Reason("too_few_residents", _(
            "%(residents)s of %(serving)s members live here. More than half must.",
            residents=panel.residents, serving=panel.serving)))
    return reasons


def reasons_not_to_constitute(offers: Sequence[SeatOffer]) -> list[Reason]:
    """Every reason why these seats make no panel."""
    reasons = reasons_panel_may_not_decide(Strength(len(offers), sum(offer.is_resident for offer in offers)))
    if len({offer.person_id for offer in offers}) < len(offers):
        reasons.append(Reason("twice", _("Nobody can hold two seats of one panel.")))
    if sum(offer.is_chair for offer in offers) != 1:
        reasons.append(Reason("one_chair", _("A panel has one chair.")))
    return reasons


def effective(declared: Consequence, ruling: Consequence | None) -> Consequence:
    """What an interest means once the chair's ruling, if there is one, is taken in."""
    return declared if ruling is None else ruling


def reasons_not_to_declare(current: Consequence | None, new: Consequence) -> list[Reason]:
    """Why an interest may not be declared: it may be raised at any time before closing, never lowered."""
    order = list(Consequence)
    if current is None or order.index(new) > order.index(current):
        return []
    return [Reason("not_lowered", _(
        "You said something stronger before, and that stands. Another time say “Not sure”: the chair then rules."))]


def readers_for(application_id: uuid.UUID, able: Mapping[uuid.UUID, int], *, already: Collection[uuid.UUID] = (),
                how_many: int = 3) -> list[uuid.UUID]:
    """Choose the seats that read an application: those with the fewest to read first, then by a fixed shuffle.

    `able` maps each serving seat with no known tie to the applicant to how many applications of the sitting it reads
    already; `already` are seats assigned to this application before (they are not chosen again). The order among equals
    is SHA-256 of application and seat, so anybody with the sitting's data gets the same readers, and nobody can pick.
    """
    def place(seat_id: uuid.UUID) -> tuple[int, bytes]:
        return able[seat_id], hashlib.sha256(application_id.bytes + seat_id.bytes).digest()

    return sorted((seat_id for seat_id in able if seat_id not in already), key=place)[:how_many]


def readers_wanted(*, scoring: int, finished: int, released: int, readers: int = 3) -> int:
    """How many more readers an application needs: a recused one is replaced, a released one only below two.

    `scoring` readers still score and may, `finished` have locked a score that counts, `released` gave theirs up.
    """
    still = scoring + finished
    return max(0, readers - released - still, FEWEST_COUNTED - still)


def scoring_deadline(starts: datetime, days: int) -> datetime:
    """When scoring closes: at noon in London, `days` days after the day on which it starts."""
    return datetime.combine(starts.astimezone(LONDON).date() + timedelta(days=days), time(12), LONDON)


def reminder_due(now: datetime, scoring_closes_at: datetime, *, sent: Sequence[datetime]) -> int | None:
    """The number of the reminder that a reader should get now, or None. The two are at least twelve hours apart."""
    number = len(sent) + 1
    if number > len(REMINDERS) or now < scoring_closes_at - REMINDERS[number - 1]:
        return None
    if sent and now < max(sent) + BETWEEN_REMINDERS:
        return None
    return number


def reasons_not_to_score(*, serving: bool, consequence: Consequence | None, is_locked: bool, is_released: bool,
                         is_closed: bool) -> list[Reason]:
    """Every reason why a reader may not save or lock scores for an application."""
    reasons = []
    if not serving:
        reasons.append(Reason("not_serving", _("Your seat is not serving now, so it cannot score.")))
    if consequence is None:
        reasons.append(Reason("say_first", _("First say if you know anyone behind this application.")))
    elif consequence == Consequence.ASK:
        reasons.append(Reason("ruling_awaited", _("You asked if you may score this. Wait for the answer.")))
    elif consequence in RECUSED:
        reasons.append(Reason("recused", _("You have an interest in this application, so you do not score it.")))
    if is_locked:
        reasons.append(Reason("locked", _("You locked your scores. They stand.")))
    if is_released:
        reasons.append(Reason("released", _("You let the panel go on without your score.")))
    if is_closed:
        reasons.append(Reason("closed", _("The sitting is closed. Its decisions stand.")))
    return reasons


def reasons_not_to_lock(criteria: Collection[uuid.UUID], scored: Collection[uuid.UUID]) -> list[Reason]:
    """Why scores cannot be locked yet: one is missing."""
    missing = len(set(criteria) - set(scored))
    if not missing:
        return []
    return [Reason("unfinished", _("Score every question before you lock. %(missing)s left.", missing=missing))]


def sealed_text(assignment_id: uuid.UUID, lines: Sequence[tuple[int, int, str]]) -> str:
    """The text that a lock commits to: the assignment, then `position:points:sha256 of the reason` a criterion.

    `score_lock_in` of migration 0008 builds the same text from the rows.
    """
    written = [f"{position}:{points}:{hashlib.sha256(reason.encode()).hexdigest()}"
               for position, points, reason in sorted(lines)]
    return "\n".join([str(assignment_id), *written])


def commitment(seed: bytes) -> bytes:
    """SHA-256 of the secret number of a sitting's lot: what is published when the sitting opens."""
    return hashlib.sha256(seed).digest()


def seal(salt: bytes, text: str) -> bytes:
    """SHA-256 of a 32-byte salt and the sealed text: what is published at lock, and opens later with the salt."""
    return hashlib.sha256(salt + text.encode()).digest()
