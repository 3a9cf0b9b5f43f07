"""What a member's pages show, each page in as few queries as may be.

`member_view` is the door to an application: it gives no word of it to somebody who is not on its panel, and
`frozen_copy` none to a member whom an interest keeps out.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fund.applications import queries as applications
from fund.applications.queries import AttachedFile, SubmissionFacts
from fund.db import session
from fund.kernel import clock
from fund.kernel.errors import Forbidden, NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.panels import rules
from fund.panels.models import Panel, Seat
from fund.panels.queries import (
    Doubt,
    Reading,
    doubts,
    facts_of,
    readings_of_seat,
    rows,
    seats_of_person,
)
from fund.panels.rules import RECUSED, Consequence, Strength


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the panel's own pages show them."""

    seat_id: uuid.UUID
    number: int
    name: str
    is_resident: bool
    is_chair: bool
    serves: bool


@dataclass(frozen=True, slots=True)
class SittingLine:
    """An open sitting of a panel, in a few figures."""

    id: uuid.UUID
    number: int
    round_title: str
    scoring_closes_at: datetime
    applications: int
    attending: int
    i_attend: bool
    unfinished: int


@dataclass(frozen=True, slots=True)
class MyPanel:
    """One panel as one of its members sees it."""

    seat: Seat
    place: str
    slug: str
    members: list[Member]
    strength: Strength
    sittings: list[SittingLine]
    readings: list[Reading]
    doubts: list[Doubt]


def my_panels(person_id: uuid.UUID) -> list[MyPanel]:
    """The panels that a person sits on, each with all that its page shows. Raises NotFound for somebody on none."""
    seats = seats_of_person(person_id)
    if not seats:
        raise NotFound("not on a panel")
    return [_my_panel(seat) for seat in seats]


def _my_panel(seat: Seat) -> MyPanel:
    members = members_of(seat.panel_id)
    serving = [member for member in members if member.serves]
    place = rows("SELECT n.name, n.slug FROM panel p JOIN neighbourhood n ON n.id = p.neighbourhood_id "
                 "WHERE p.id = :panel", panel=seat.panel_id)[0]
    return MyPanel(seat, place.name, place.slug, members,
                   Strength(len(serving), sum(member.is_resident for member in serving)),
                   sitting_lines(seat), readings_of_seat(seat.id), doubts_for(seat))


def members_of(panel_id: uuid.UUID) -> list[Member]:
    """The members of a panel by name, for the panel alone: the chair first, then by number of seat."""
    return [Member(*row) for row in rows("""
        SELECT s.id, s.number, p.name, s.is_resident, s.is_chair, seat_serves(s)
        FROM seat s JOIN person p ON p.id = s.person_id
        WHERE s.panel_id = :panel AND s.ended_at IS NULL ORDER BY s.is_chair DESC, s.number""", panel=panel_id)]


def sitting_lines(seat: Seat) -> list[SittingLine]:
    """The open sittings of a seat's panel that have something before them, the first to end on top."""
    return [SittingLine(*row) for row in rows("""
        SELECT t.id, t.number, r.title, t.scoring_closes_at, count(x.application_id),
               (SELECT count(*) FROM attendance a WHERE a.sitting_id = t.id),
               EXISTS (SELECT FROM attendance a WHERE a.sitting_id = t.id AND a.seat_id = :seat),
               (SELECT count(*) FROM sitting_application y JOIN assignment g ON g.application_id = y.application_id
                WHERE y.sitting_id = t.id
                  AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = y.application_id)
                  AND NOT EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = g.id)
                  AND NOT EXISTS (SELECT FROM score_release l WHERE l.assignment_id = g.id)
                  AND coalesce(seat_consequence(g.application_id, g.seat_id) NOT IN ('no_scoring', 'out_of_room'),
                               true))
        FROM panel p JOIN round r ON r.neighbourhood_id = p.neighbourhood_id JOIN sitting t ON t.round_id = r.id
          JOIN sitting_application x ON x.sitting_id = t.id
        WHERE p.id = :panel AND NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = t.id)
          AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
        GROUP BY t.id, r.title ORDER BY t.scoring_closes_at, t.id""", panel=seat.panel_id, seat=seat.id)]


def doubts_for(seat: Seat) -> list[Doubt]:
    """The doubts that this seat may answer: the chair's to answer, and the chair's own for everybody else."""
    return [doubt for doubt in doubts(seat.panel_id)
            if doubt.seat_id != seat.id and (seat.is_chair or doubt.of_chair)]


@dataclass(frozen=True, slots=True)
class MemberView:
    """An application as a member of its panel stands to it: what they may do with it, and nothing of what it says."""

    application_id: uuid.UUID
    reference: str
    title: str
    group: str
    asked_pence: int
    sitting_id: uuid.UUID
    round_id: uuid.UUID
    scoring_closes_at: datetime
    seat_id: uuid.UUID
    is_chair: bool
    serves: bool
    assignment_id: uuid.UUID | None
    consequence: Consequence | None
    answer: str | None
    is_locked: bool
    is_released: bool
    is_closed: bool
    is_withdrawn: bool
    readers_left: int
    chair_is_out: bool

    @property
    def may_open(self) -> bool:
        """Whether this member may read it: they said what ties them to it, and that keeps nobody out."""
        return self.consequence in rules.MAY_SCORE

    @property
    def is_out(self) -> bool:
        """Whether an interest keeps this member out."""
        return self.consequence in RECUSED

    @property
    def is_reader(self) -> bool:
        """Whether this member is to score it."""
        return self.assignment_id is not None and not self.is_released

    @property
    def is_revealed(self) -> bool:
        """Whether its scores are open to the panel: no reader is still scoring, or scoring is over."""
        return self.readers_left == 0 or clock.now() >= self.scoring_closes_at

    @property
    def may_see_scores(self) -> bool:
        """Whether this member may see others' locked scores: a reader who locked theirs, anybody once all are done."""
        return self.may_open and (self.is_locked or self.is_revealed)

    @property
    def writes_reasons(self) -> bool:
        """Whether this member writes down what the panel agreed: the chair, or anybody when the chair is kept out."""
        return self.may_open and not self.is_closed and (self.is_chair or self.chair_is_out)


_VIEW = """
SELECT a.id, a.reference, s.title, o.name, s.asked_pence, x.sitting_id, t.round_id, t.scoring_closes_at, m.id,
  m.is_chair, seat_serves(m), g.id, seat_consequence(a.id, m.id),
  (SELECT i.answer FROM interest i WHERE i.application_id = a.id AND i.seat_id = m.id ORDER BY i.version DESC LIMIT 1),
  EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = g.id),
  EXISTS (SELECT FROM score_release l WHERE l.assignment_id = g.id),
  EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = x.sitting_id),
  EXISTS (SELECT FROM withdrawal w WHERE w.application_id = a.id),
  (SELECT count(*) FROM assignment z WHERE z.application_id = a.id
     AND NOT EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = z.id)
     AND NOT EXISTS (SELECT FROM score_release l WHERE l.assignment_id = z.id)
     AND coalesce(seat_consequence(a.id, z.seat_id) NOT IN ('no_scoring', 'out_of_room'), true)),
  EXISTS (SELECT FROM seat c WHERE c.panel_id = m.panel_id AND c.is_chair AND c.ended_at IS NULL
          AND seat_consequence(a.id, c.id) IN ('no_scoring', 'out_of_room'))
FROM application a
  JOIN sitting_application x ON x.application_id = a.id
  JOIN sitting t ON t.id = x.sitting_id
  JOIN round r ON r.id = t.round_id
  JOIN panel p ON p.neighbourhood_id = r.neighbourhood_id
  JOIN seat m ON m.panel_id = p.id AND m.person_id = :person AND m.ended_at IS NULL
  JOIN submission s ON s.application_id = a.id
  JOIN organisation o ON o.id = s.organisation_id
  LEFT JOIN assignment g ON g.application_id = a.id AND g.seat_id = m.id
"""


def _view(row: Any) -> MemberView:
    return MemberView(*[*row[:12], None if row[12] is None else Consequence(row[12]), *row[13:]])


def member_view(person_id: uuid.UUID, reference: str) -> MemberView:
    """An application of a person's own panel. Raises NotFound for every other."""
    found = rows(_VIEW, "WHERE a.reference = :reference", person=person_id, reference=reference)
    if not found:
        raise NotFound("not before a panel of this person's")
    return _view(found[0])


def member_views(person_id: uuid.UUID, sitting_id: uuid.UUID) -> list[MemberView]:
    """Every application of a sitting as a member of its panel stands to it, in the order in which they came."""
    found = rows(_VIEW, "WHERE x.sitting_id = :sitting ORDER BY x.put_at, a.reference", person=person_id,
                 sitting=sitting_id)
    return [view for row in found if not (view := _view(row)).is_withdrawn]


def frozen_copy(view: MemberView) -> tuple[SubmissionFacts, list[AttachedFile]]:
    """What was submitted, and its files. Raises Forbidden for a member who is kept out or has not said so yet."""
    if not view.may_open:
        raise Forbidden("kept out by an interest, or nothing said yet")
    return applications.submission_of(view.application_id), applications.files_of(view.application_id)


@dataclass(frozen=True, slots=True)
class ScoresShown:
    """One reader's locked scores, for the panel: points and reason for each criterion, in order."""

    seat_id: uuid.UUID
    name: str
    counts: bool
    scores: list[tuple[int, str]]


def locked_scores(view: MemberView) -> list[ScoresShown]:
    """Every reader's locked scores, for members who may see them. Raises Forbidden for all others."""
    if not view.may_see_scores:
        raise Forbidden("scores are closed until one has locked one's own")
    shown: dict[uuid.UUID, ScoresShown] = {}
    for row in rows("""
        SELECT DISTINCT ON (g.assigned_at, g.id, c.position) g.seat_id, p.name, s.points, s.reason,
               seat_consequence(g.application_id, g.seat_id) IN ('none', 'note_only') AS counts
        FROM assignment g JOIN score_lock l ON l.assignment_id = g.id JOIN score s ON s.assignment_id = g.id
          JOIN criterion c ON c.id = s.criterion_id JOIN seat m ON m.id = g.seat_id JOIN person p ON p.id = m.person_id
        WHERE g.application_id = :id ORDER BY g.assigned_at, g.id, c.position, s.version DESC""",
                    id=view.application_id):
        entry = shown.setdefault(row.seat_id, ScoresShown(row.seat_id, row.name, row.counts, []))
        entry.scores.append((row.points, row.reason))
    return list(shown.values())


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one reader stands with one application, for the panel's own page of a sitting."""

    application_id: uuid.UUID
    name: str
    state: str


def standings(sitting_id: uuid.UUID) -> list[Standing]:
    """How far every reader of a sitting is, with names. For the panel alone."""
    return [Standing(*row) for row in rows("""
        SELECT g.application_id, p.name,
          CASE WHEN seat_consequence(g.application_id, g.seat_id) IN ('no_scoring', 'out_of_room') THEN 'out'
               WHEN EXISTS (SELECT FROM score_release l WHERE l.assignment_id = g.id) THEN 'released'
               WHEN EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = g.id) THEN 'locked'
               WHEN seat_consequence(g.application_id, g.seat_id) = 'ask' THEN 'asked'
               WHEN EXISTS (SELECT FROM score c WHERE c.assignment_id = g.id) THEN 'scoring'
               WHEN seat_consequence(g.application_id, g.seat_id) IS NULL THEN 'nothing_said'
               ELSE 'said' END
        FROM sitting_application x JOIN assignment g ON g.application_id = x.application_id
          JOIN seat m ON m.id = g.seat_id JOIN person p ON p.id = m.person_id
        WHERE x.sitting_id = :id ORDER BY x.put_at, g.assigned_at, g.id""", id=sitting_id)]


def doubt_for(person_id: uuid.UUID, interest_id: uuid.UUID) -> tuple[Doubt, str]:
    """A doubt that this person may answer, and who asked. Raises NotFound for any other."""
    for seat in seats_of_person(person_id):
        for doubt in doubts_for(seat):
            if doubt.interest_id == interest_id:
                names = {member.seat_id: member.name for member in members_of(seat.panel_id)}
                return doubt, names[doubt.seat_id]
    raise NotFound("no doubt of theirs to answer")


def waiting_for(seats: Collection[Seat]) -> list[Waiting]:
    """What the holder of these seats has to do: take them up, say what ties them, read and score, answer a doubt."""
    found = []
    for seat in seats:
        readings = readings_of_seat(seat.id)
        if seat.code_accepted_at is None:
            found.append(Waiting(_("Accept the code of conduct, and take up your seat on the panel."), "panels.code",
                                 {"seat_id": seat.id}, _("Read the code")))
        found += [_to_read(reading) for reading in readings
                  if not reading.is_settled and reading.consequence != Consequence.ASK]
        found += [Waiting(_("Rule on a question: may a member score “%(title)s”?", title=doubt.title), "panels.ruling",
                          {"interest_id": doubt.interest_id}, _("Answer it")) for doubt in doubts_for(seat)]
        found += [Waiting(_("You asked if you may score “%(title)s”.", title=reading.title), "panels.interest",
                          {"reference": reading.reference}, whose=_("The chair"), due_at=reading.due_at)
                  for reading in readings if reading.consequence == Consequence.ASK]
    return found


def _to_read(reading: Reading) -> Waiting:
    if reading.consequence is None:
        return Waiting(_("Say if you know anyone behind “%(title)s”.", title=reading.title), "panels.interest",
                       {"reference": reading.reference}, _("Say so"), reading.due_at)
    if not reading.scored:
        return Waiting(_("Read and score “%(title)s”.", title=reading.title), "panels.application",
                       {"reference": reading.reference}, _("Read it"), reading.due_at)
    return Waiting(_("Finish and lock your scores for “%(title)s”.", title=reading.title), "panels.lock",
                   {"reference": reading.reference}, _("Go on"), reading.due_at)


def describe(people: Collection[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """For each of these people a sentence about their seat, for the cards of the demo."""
    found: dict[uuid.UUID, list[str]] = {}
    for row in rows("""
        SELECT s.person_id, n.name, s.is_chair FROM seat s JOIN panel p ON p.id = s.panel_id
          JOIN neighbourhood n ON n.id = p.neighbourhood_id
        WHERE s.ended_at IS NULL AND s.person_id = ANY(:people) ORDER BY s.person_id, s.number""", people=list(people)):
        sentence = _("Chairs the panel of %(place)s: reads, scores, closes the sitting.", place=row.name) \
            if row.is_chair else _("Sits on the panel of %(place)s: reads, scores, takes part in decisions.",
                                   place=row.name)
        found.setdefault(row.person_id, []).append(sentence)
    return found


def seat_of(person_id: uuid.UUID, seat_id: uuid.UUID) -> tuple[Seat, str]:
    """A person's own seat, and the place of its panel. Raises NotFound."""
    row = session.get(Seat, seat_id)
    if row is None or row.person_id != person_id or row.ended_at is not None:
        raise NotFound("not your seat")
    panel = session.get(Panel, row.panel_id)
    name = rows("SELECT name FROM neighbourhood WHERE id = :id", id=panel.neighbourhood_id if panel else None)[0].name
    return row, name


def serves_now(seat: Seat) -> bool:
    """Whether a seat counts today."""
    return rules.serves(facts_of(seat), clock.today())
