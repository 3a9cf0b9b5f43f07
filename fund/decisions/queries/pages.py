"""What the pages about decisions show, and what waits for members who decide."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from fund.applications.models import Application
from fund.applications.queries.pages import Step, tells_of_applications
from fund.db import session
from fund.decisions.models import Decision
from fund.decisions.queries import ReadySitting, decisions_of, ready_sitting
from fund.decisions.rules import DecidedBy, Outcome
from fund.kernel.errors import NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.panels import queries as panels
from fund.panels import rules as panels_rules
from fund.panels.models import Seat
from fund.panels.queries import pages as panels_pages
from fund.rounds import queries as rounds

#: How an outcome is said, in one word or two.
OUTCOMES = {
    Outcome.AWARDED: lambda: _("Funded"), Outcome.PART_AWARDED: lambda: _("Funded in part"),
    Outcome.RESERVE: lambda: _("On the reserve list"), Outcome.DECLINED: lambda: _("Not funded"),
}


def outcome_words(outcome: str) -> str:
    """An outcome in the reader's language."""
    return OUTCOMES[Outcome(outcome)]()


@tells_of_applications
def decided_steps(application_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    """The panel's decision as a step on the path of each of these applications that has one."""
    found = session.execute(
        sa.select(Decision.application_id, Decision.outcome, Decision.decided_at, Application.reference)
        .join(Application, Application.id == Decision.application_id)
        .where(Decision.application_id.in_(application_ids)))
    return {row.application_id: [Step(
        _("The panel decided: %(outcome)s", outcome=outcome_words(row.outcome)), "done", _STANDS[row.outcome](),
        row.decided_at, "decisions.own", {"reference": row.reference}, _("Read the panel’s reasons"))] for row in found}


_STANDS = {
    Outcome.AWARDED: lambda: _("You get all that you asked for."),
    Outcome.PART_AWARDED: lambda: _("You are offered a part of what you asked for."),
    Outcome.RESERVE: lambda: _("It is good enough, but the money did not reach."),
    Outcome.DECLINED: lambda: _("The panel’s reasons and what you can do next are there for you."),
}


@dataclass(frozen=True, slots=True)
class ApplicationLine:
    """One application of a sitting: how far it is from being decided."""

    reference: str
    counted: int
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
    panel_id: uuid.UUID
    attending: set[uuid.UUID]
    available_pence: int
    pot_pence: int | None
    is_scored: bool

    @property
    def may_set_pot(self) -> bool:
        """Whether this member can still say how much goes into this sitting: the chair, once, before any score."""
        return self.is_chair and not self.is_closed and not self.is_scored and self.pot_pence is None

    @property
    def i_attend(self) -> bool:
        """Whether this member takes part already."""
        return self.seat_id in self.attending


_PAGE = """
SELECT t.id, t.number, r.title, n.name, t.scoring_closes_at,
       EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = t.id) AS closed, m.id AS seat_id, m.is_chair,
       m.panel_id, t.round_id, ARRAY(SELECT a.seat_id FROM attendance a WHERE a.sitting_id = t.id) AS attending,
       panel_available_pence(t.id) AS available_pence, pot.pot_pence,
       EXISTS (SELECT FROM score s JOIN assignment g ON g.id = s.assignment_id
               JOIN sitting_application x ON x.application_id = g.application_id WHERE x.sitting_id = t.id) AS scored
FROM sitting t LEFT JOIN sitting_pot pot ON pot.sitting_id = t.id
  JOIN round r ON r.id = t.round_id JOIN neighbourhood n ON n.id = r.neighbourhood_id
  JOIN panel p ON p.neighbourhood_id = n.id
  JOIN seat m ON m.panel_id = p.id AND m.person_id = :person AND m.ended_at IS NULL
WHERE t.id = :id
"""


def sitting_page(person_id: uuid.UUID, sitting_id: uuid.UUID) -> SittingPage:
    """A sitting of a person's own panel. Raises NotFound for every other."""
    found = panels.rows(_PAGE, id=sitting_id, person=person_id)
    if not found:
        raise NotFound("no sitting of this person's panel")
    row = found[0]
    return SittingPage(row.id, row.number, row.title, row.name, rounds.round(row.round_id).rules.quorum,
                       row.scoring_closes_at, row.closed, row.seat_id, row.is_chair, row.panel_id, set(row.attending),
                       row.available_pence, row.pot_pence, row.scored)


_LINES = """
SELECT a.reference, coalesce(c.counted, 0), d.present, d.residents,
  (SELECT count(DISTINCT i.seat_id) FROM interest i WHERE i.application_id = d.application_id
     AND seat_consequence(i.application_id, i.seat_id) IN ('no_scoring', 'out_of_room')),
  (SELECT count(*) FROM criterion k WHERE k.round_id = a.round_id AND NOT EXISTS (
     SELECT FROM agreed_reason g WHERE g.application_id = a.id AND g.criterion_id = k.id))
FROM deciding(:id) d JOIN application a ON a.id = d.application_id
  LEFT JOIN sitting_scores(:id) c ON c.application_id = d.application_id ORDER BY a.reference
"""


def application_lines(sitting_id: uuid.UUID) -> dict[str, ApplicationLine]:
    """How far each application of a sitting is from being decided, by reference."""
    return {row[0]: ApplicationLine(row[0], row[1], DecidedBy(*row[2:5]), row[5])
            for row in panels.rows(_LINES, id=sitting_id)}


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


@dataclass(frozen=True, slots=True)
class Preview:
    """What the rule gives if the sitting closed now, as one member may see it.

    `hidden` are the titles of what an interest keeps them out of; its place would show in a gap between the others', so
    then no place is shown.
    """

    lines: list[ResultLine]
    hidden: list[str]


def preview_for(seat_id: uuid.UUID, ready: ReadySitting) -> Preview:
    """What the rule gives, in order, to a member of the panel. The lot is not known yet and is said to be open."""
    said = panels.consequences(ready.sitting.id)
    by_reference = {each.reference: each for each in ready.applications}
    kept_out = {each.reference for each in ready.applications
                if said.get((each.application_id, seat_id)) in panels_rules.RECUSED}
    lines = [ResultLine(r.reference, by_reference[r.reference].title, by_reference[r.reference].group,
                        by_reference[r.reference].asked_pence, score_words(r.score_tenths), 0 if kept_out else r.rank,
                        outcome_words(r.outcome), r.amount_pence, r.tie_break == "lot")
             for r in ready.preview() if r.reference not in kept_out]
    return Preview(lines, [by_reference[reference].title for reference in sorted(kept_out)])


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


def waiting_for(seats: Collection[Seat]) -> list[Waiting]:
    """What the holder of these seats has to do for a decision: take part; the chair also agree reasons and close."""
    found = []
    for seat in seats:
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
    if ready_sitting(panels.sitting(line.id)).reasons_not_to_close():
        return Waiting(_("Write down what the panel agreed on “%(round)s”.", round=line.round_title),
                       "decisions.sitting", {"sitting_id": line.id}, _("See what is left"), line.scoring_closes_at)
    return Waiting(_("Close the sitting of “%(round)s”.", round=line.round_title), "decisions.close",
                   {"sitting_id": line.id}, _("Close it"), line.scoring_closes_at)


