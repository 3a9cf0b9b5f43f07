"""What the pages about decisions show, and what waits for members who decide."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from fund.decisions.queries import (
    attending,
    close_facts,
    decisions_of,
    preview,
    reasons_not_to_close,
)
from fund.decisions.rules import DecidedBy, Outcome
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.panels import queries as panels
from fund.panels.queries import pages as panels_pages
from fund.panels.queries.pages import Member

#: How an outcome is said, in one word or two.
OUTCOMES = {
    Outcome.AWARDED: lambda: _("Funded"), Outcome.PART_AWARDED: lambda: _("Funded in part"),
    Outcome.RESERVE: lambda: _("On the reserve list"), Outcome.DECLINED: lambda: _("Not funded"),
}


def outcome_words(outcome: str) -> str:
    """An outcome in the reader's language."""
    return OUTCOMES[Outcome(outcome)]()


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """One application of a sitting: how far it is from being decided."""

    reference: str
    counted: int
    late: int
    deciding: DecidedBy
    reasons_missing: int


@dataclass(frozen=True, slots=True)
class SittingPage:
    """A sitting as a member of its panel sees it."""

    id: uuid.UUID
    number: int
    round_title: str
    place: str
    quorum: int
    scoring_closes_at: datetime
    is_closed: bool
    seat_id: uuid.UUID
    is_chair: bool
    members: list[Member]
    attending: set[uuid.UUID]
    lines: dict[str, ApplicationLine]

    @property
    def i_attend(self) -> bool:
        """Whether this member takes part already."""
        return self.seat_id in self.attending


def sitting_page(person_id: uuid.UUID, sitting_id: uuid.UUID) -> SittingPage:
    """A sitting of a person's own panel. Raises NotFound for every other."""
    sitting = panels.sitting(sitting_id)
    about = panels.round_of(sitting)
    panel = panels.panel_of_sitting(sitting_id)
    seat = panels.seat_on(panel.id, person_id)
    closed = panels.is_closed(sitting_id)
    facts = [] if closed else close_facts(sitting_id)
    lines = {each.reference: ApplicationLine(
        each.reference, each.counted, sum(not r.is_settled(scoring_is_over=False) for r in each.readers),
        each.deciding, each.reasons_missing) for each in facts}
    return SittingPage(sitting_id, sitting.number, about.title, about.neighbourhood_name, about.rules.quorum,
                       sitting.scoring_closes_at, closed, seat.id, seat.is_chair, panels_pages.members_of(panel.id),
                       attending(sitting_id), lines)


@dataclass(frozen=True, slots=True)
class ResultLine:
    """What the rule gives for one application, for people to read."""

    reference: str
    title: str
    group: str
    asked_pence: int
    score: str
    rank: int
    outcome: str
    amount_pence: int
    by_lot: bool
    decision_id: uuid.UUID | None = None


def preview_lines(sitting_id: uuid.UUID) -> list[ResultLine]:
    """What the rule gives if the sitting closed now, in order. The lot is not known yet and is said to be open."""
    cards = {card.reference: card for card in panels.cards_of(sitting_id)}
    return [ResultLine(r.reference, cards[r.reference].title, cards[r.reference].group, cards[r.reference].asked_pence,
                       score_words(r.score_tenths), r.rank, outcome_words(r.outcome), r.amount_pence,
                       r.tie_break == "lot") for r in preview(sitting_id)]


def decided_lines(sitting_id: uuid.UUID) -> list[ResultLine]:
    """What was decided, in order of rank, for the panel that decided it."""
    cards = {card.application_id: card for card in panels.cards_of(sitting_id)}
    return [ResultLine(card.reference, card.title, card.group, card.asked_pence, score_words(d.score_tenths), d.rank,
                       outcome_words(d.outcome), d.amount_pence, False, d.id)
            for d in decisions_of(sitting_id) if (card := cards.get(d.application_id))]


def score_words(tenths: int) -> str:
    """A score out of 100, with its one decimal where there is one."""
    return f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"


def median_words(halves: int) -> str:
    """A median of points, with its half where there is one."""
    return f"{halves // 2}" if halves % 2 == 0 else f"{halves // 2}.5"


def interests_words(counted: dict[str, int], words: dict[str, str]) -> str:
    """How many members said what, in one line."""
    return "; ".join(f"{how_many}: {words[consequence]}" for consequence, how_many in counted.items())


def waiting_for(person_id: uuid.UUID, _capacities: Collection[Capacity]) -> list[Waiting]:
    """What a member has to do for a decision: take part; for the chair also agree the reasons and close."""
    found = []
    for seat in panels.seats_of_person(person_id):
        if not panels_pages.serves_now(seat):
            continue
        for line in panels_pages.sitting_lines(seat):
            if not line.i_attend:
                found.append(Waiting(_("Take part in the decision of “%(round)s”.", round=line.round_title),
                                     "decisions.join", {"sitting_id": line.id}, _("Take part"),
                                     line.scoring_closes_at))
            if seat.is_chair and line.unfinished == 0:
                found.append(_for_the_chair(line))
    return found


def _for_the_chair(line: panels_pages.SittingLine) -> Waiting:
    if reasons_not_to_close(line.id):
        return Waiting(_("Write down what the panel agreed on “%(round)s”.", round=line.round_title),
                       "decisions.sitting", {"sitting_id": line.id}, _("See what is left"), line.scoring_closes_at)
    return Waiting(_("Close the sitting of “%(round)s”.", round=line.round_title), "decisions.close",
                   {"sitting_id": line.id}, _("Close it"), line.scoring_closes_at)


