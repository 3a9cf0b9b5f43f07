"""Reading panels: seats, sittings, what a member may see, and what waits for them.

A member who is kept out of an application does not learn more of it than its title and who asks: every function that
gives its words or its scores asks `rules` first and raises NotFound or Forbidden.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from fund.db import remembered, session
from fund.kernel import clock
from fund.kernel.actor import Actor
from fund.kernel.errors import NotFound
from fund.panels import rules
from fund.panels.models import (
    Assignment,
    Interest,
    InterestRuling,
    Panel,
    Score,
    Seat,
    Sitting,
    SittingApplication,
    SittingClose,
)
from fund.panels.rules import Consequence, SeatFacts
from fund.rounds import queries as rounds
from fund.rounds.queries import RoundFacts


def rows(*parts: str, **values: Any) -> list[Any]:
    """The rows of a statement given in parts; the tables of lower parts are read by name."""
    return list(session.execute(sa.text(" ".join(parts)), values))


def _one(*parts: str, **values: Any) -> Any:
    row = session.execute(sa.text(" ".join(parts)), values).one_or_none()
    if row is None:
        raise NotFound("no such thing before this panel")
    return row


# Panels and seats


def panel_of(neighbourhood_id: uuid.UUID) -> Panel | None:
    """The panel of a neighbourhood, if it has one."""
    return session.scalar(sa.select(Panel).where(Panel.neighbourhood_id == neighbourhood_id))


def seats_of(panel_id: uuid.UUID) -> list[Seat]:
    """The seats of a panel that have not ended, by number."""
    return list(session.scalars(sa.select(Seat).where(Seat.panel_id == panel_id, Seat.ended_at.is_(None))
                                .order_by(Seat.number)))


def facts_of(seat: Seat) -> SeatFacts:
    """What the rules need to know of a seat."""
    return SeatFacts(seat.id, seat.number, seat.is_resident, seat.is_chair, seat.term_from, seat.term_to,
                     seat.trained_at is not None, seat.code_accepted_at is not None, seat.ended_at is not None)


def strength_of(panel_id: uuid.UUID, today: date | None = None) -> rules.Strength:
    """How strong a panel is today."""
    return rules.strength([facts_of(seat) for seat in seats_of(panel_id)], today or clock.today())


def seats_of_person(person_id: uuid.UUID) -> list[Seat]:
    """The seats that a person holds now, oldest panel first."""
    return list(session.scalars(sa.select(Seat).where(Seat.person_id == person_id, Seat.ended_at.is_(None))
                                .order_by(Seat.term_from, Seat.id)))


def seat_on(panel_id: uuid.UUID, person_id: uuid.UUID | None) -> Seat:
    """The seat that a person holds on a panel. Raises NotFound when they hold none."""
    seat = session.scalar(sa.select(Seat).where(Seat.panel_id == panel_id, Seat.person_id == person_id,
                                                Seat.ended_at.is_(None)))
    if seat is None:
        raise NotFound("not on this panel")
    return seat


def chair_of(panel_id: uuid.UUID) -> Seat | None:
    """The chair's seat of a panel, if it is taken."""
    return session.scalar(sa.select(Seat).where(Seat.panel_id == panel_id, Seat.is_chair, Seat.ended_at.is_(None)))


def people_without_seats(person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these people who hold no seat of any panel."""
    seated = set(session.scalars(sa.select(Seat.person_id).where(Seat.person_id.in_(person_ids),
                                                                 Seat.ended_at.is_(None))))
    return set(person_ids) - seated


# Rounds and sittings


def round_of_application(application_id: uuid.UUID) -> uuid.UUID:
    """The round that an application is for. Raises NotFound."""
    return _one("SELECT round_id FROM application WHERE id = :id", id=application_id).round_id


def round_of(sitting: Sitting) -> RoundFacts:
    """The round of a sitting, with its place, rules and criteria; every process keeps it in memory."""
    return rounds.round(sitting.round_id)


def sitting(sitting_id: uuid.UUID) -> Sitting:
    """A sitting. Raises NotFound."""
    found = remembered((Sitting, sitting_id), lambda: session.get(Sitting, sitting_id))
    if found is None:
        raise NotFound("no such sitting")
    return found


def open_sitting_of(round_id: uuid.UUID) -> Sitting | None:
    """The sitting of a round that is open now, if any."""
    return session.scalar(sa.select(Sitting).where(Sitting.round_id == round_id, ~sa.exists().where(
        SittingClose.sitting_id == Sitting.id)))


def is_closed(sitting_id: uuid.UUID) -> bool:
    """Whether a sitting was closed."""
    return session.get(SittingClose, sitting_id) is not None


def panel_of_sitting(sitting_id: uuid.UUID) -> Panel:
    """The panel that a sitting is of. Raises NotFound while its neighbourhood has none."""
    neighbourhood_id = round_of(sitting(sitting_id)).neighbourhood_id
    panel = remembered((Panel, neighbourhood_id), lambda: panel_of(neighbourhood_id))
    if panel is None:
        raise NotFound("this neighbourhood has no panel yet")
    return panel


def sittings_of(panel_id: uuid.UUID) -> list[Sitting]:
    """The open sittings of a panel that have applications, the one that scores first on top."""
    found = rows("""
        SELECT s.id FROM sitting s JOIN round r ON r.id = s.round_id
          JOIN panel p ON p.neighbourhood_id = r.neighbourhood_id
        WHERE p.id = :panel AND NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = s.id)
          AND EXISTS (SELECT FROM sitting_application x WHERE x.sitting_id = s.id)
        ORDER BY s.scoring_closes_at, s.id""", panel=panel_id)
    return [sitting(row.id) for row in found]


@dataclass(frozen=True, slots=True)
class Card:
    """An application before anybody opens it: enough to say whether one knows who is behind it."""

    application_id: uuid.UUID
    reference: str
    title: str
    group: str
    asked_pence: int
    least_pence: int | None
    withdrawn: bool


_CARD = """
SELECT x.application_id, a.reference, s.title, o.name AS "group", s.asked_pence, s.least_pence,
       w.application_id IS NOT NULL AS withdrawn
FROM sitting_application x
  JOIN application a ON a.id = x.application_id
  JOIN submission s ON s.application_id = x.application_id
  JOIN organisation o ON o.id = s.organisation_id
  LEFT JOIN withdrawal w ON w.application_id = x.application_id
"""


def cards_of(sitting_id: uuid.UUID) -> list[Card]:
    """The applications of a sitting that were not withdrawn, in the order in which they came."""
    return [Card(*row) for row in rows(
        _CARD, " WHERE x.sitting_id = :id AND w.application_id IS NULL ORDER BY x.put_at, a.reference", id=sitting_id)]


def card_of(application_id: uuid.UUID) -> Card:
    """One application before a panel. Raises NotFound."""
    return Card(*_one(_CARD, " WHERE x.application_id = :id", id=application_id))


def application_named(reference: str) -> SittingApplication:
    """The application with a reference, where it stands before a panel. Raises NotFound."""
    row = _one("SELECT x.application_id FROM sitting_application x JOIN application a ON a.id = x.application_id "
               "WHERE a.reference = :reference", reference=reference)
    return before_a_panel(row.application_id)


def before_a_panel(application_id: uuid.UUID) -> SittingApplication:
    """An application's place before a panel. Raises NotFound."""
    found = remembered((SittingApplication, application_id), lambda: session.get(SittingApplication, application_id))
    if found is None:
        raise NotFound("not before a panel")
    return found


def own_seat(actor: Actor, panel_id: uuid.UUID) -> Seat:
    """The seat of a panel from which this actor acts. Raises NotFound when it is not theirs."""
    return _only_from(actor, seat_on(panel_id, actor.person_id))


def _only_from(actor: Actor, seat: Seat) -> Seat:
    if actor.seat_id is not None and actor.seat_id != seat.id:
        raise NotFound("not your seat")
    return seat


@dataclass(frozen=True, slots=True)
class Standing:
    """How a member stands to an application of their panel: their seat, what they said last, what that means now."""

    seat: Seat
    said_last: Interest | None
    consequence: Consequence | None
    has_stake: bool
    is_closed: bool

    @property
    def serves(self) -> bool:
        """Whether the seat is serving today."""
        return rules.serves(facts_of(self.seat), clock.today())


_APPLICATION, _PERSON = sa.bindparam("application", type_=sa.Uuid), sa.bindparam("person", type_=sa.Uuid)
_SAID_LAST = aliased(Interest, sa.select(Interest).where(
    Interest.application_id == _APPLICATION, Interest.seat_id == Seat.id,
).order_by(Interest.version.desc()).limit(1).lateral())
_STANDING = (
    sa.select(Seat, _SAID_LAST, sa.func.seat_consequence(_APPLICATION, Seat.id),
              sa.func.has_stake(_APPLICATION, Seat.person_id),
              sa.exists().where(SittingClose.sitting_id == sa.bindparam("sitting", type_=sa.Uuid)))
    .outerjoin(_SAID_LAST, sa.true())
    .where(Seat.panel_id == sa.bindparam("panel", type_=sa.Uuid), Seat.person_id == _PERSON, Seat.ended_at.is_(None)))


def standing(actor: Actor, application_id: uuid.UUID) -> Standing:
    """How the actor, acting from their own seat, stands to an application. Raises NotFound for anybody else."""
    sitting_id = before_a_panel(application_id).sitting_id
    row = session.execute(_STANDING, {"application": application_id, "person": actor.person_id, "sitting": sitting_id,
                                      "panel": panel_of_sitting(sitting_id).id}).one_or_none()
    if row is None:
        raise NotFound("not on this panel")
    seat, said_last, means, *flags = row
    return Standing(_only_from(actor, seat), said_last, None if means is None else Consequence(means), *flags)


# Interests


def newest_interest(application_id: uuid.UUID, seat_id: uuid.UUID) -> Interest | None:
    """What a member said last of an application."""
    return session.scalar(sa.select(Interest).where(Interest.application_id == application_id,
                                                    Interest.seat_id == seat_id)
                          .order_by(Interest.version.desc()).limit(1))


def consequence_of(application_id: uuid.UUID, seat_id: uuid.UUID) -> Consequence | None:
    """What a member's interest means now, the ruling taken in; None while they said nothing."""
    interest = newest_interest(application_id, seat_id)
    if interest is None:
        return None
    ruling = session.get(InterestRuling, interest.id)
    return rules.effective(Consequence(interest.consequence), Consequence(ruling.consequence) if ruling else None)


def consequences(sitting_id: uuid.UUID) -> dict[tuple[uuid.UUID, uuid.UUID], Consequence]:
    """What every member's interest in every application of a sitting means now, by (application, seat)."""
    found = rows("""
        SELECT DISTINCT ON (i.application_id, i.seat_id) i.application_id, i.seat_id,
               coalesce(r.consequence, i.consequence) AS consequence
        FROM sitting_application x JOIN interest i ON i.application_id = x.application_id
          LEFT JOIN interest_ruling r ON r.interest_id = i.id
        WHERE x.sitting_id = :id ORDER BY i.application_id, i.seat_id, i.version DESC""", id=sitting_id)
    return {(row.application_id, row.seat_id): Consequence(row.consequence) for row in found}


def with_a_stake(application_id: uuid.UUID, person_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of these people who wrote or sent an application, or are of its group."""
    return {row.person for row in rows(
        "SELECT person FROM unnest(CAST(:people AS uuid[])) AS p (person) WHERE has_stake(:application, person)",
        people=list(person_ids), application=application_id)}


@dataclass(frozen=True, slots=True)
class Doubt:
    """An interest on which somebody asked for a ruling."""

    interest_id: uuid.UUID
    application_id: uuid.UUID
    reference: str
    title: str
    group: str
    seat_id: uuid.UUID
    of_chair: bool
    asked_at: datetime


def doubts(panel_id: uuid.UUID) -> list[Doubt]:
    """The doubts of a panel's open sittings that nobody ruled on yet, oldest first."""
    return [Doubt(*row) for row in rows("""
        SELECT i.id, i.application_id, a.reference, s.title, o.name, i.seat_id, t.is_chair, i.declared_at
        FROM seat t JOIN interest i ON i.seat_id = t.id
          JOIN sitting_application x ON x.application_id = i.application_id
          JOIN application a ON a.id = i.application_id JOIN submission s ON s.application_id = a.id
          JOIN organisation o ON o.id = s.organisation_id
        WHERE t.panel_id = :panel AND i.consequence = 'ask'
          AND NOT EXISTS (SELECT FROM interest_ruling r WHERE r.interest_id = i.id)
          AND NOT EXISTS (SELECT FROM interest n WHERE n.application_id = i.application_id AND n.seat_id = i.seat_id
                          AND n.version > i.version)
          AND NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = x.sitting_id)
          AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = i.application_id)
        ORDER BY i.declared_at, i.id""", panel=panel_id)]


# Assignments and scores


@dataclass(frozen=True, slots=True)
class Reading:
    """One assigned application, and how far its reader is."""

    assignment_id: uuid.UUID
    application_id: uuid.UUID
    sitting_id: uuid.UUID
    seat_id: uuid.UUID
    reference: str
    title: str
    group: str
    due_at: datetime
    scored: int
    is_locked: bool
    is_released: bool
    consequence: Consequence | None
    reminders: int

    @property
    def is_recused(self) -> bool:
        """Whether an interest keeps the reader out."""
        return self.consequence in rules.RECUSED

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it is left to do for the reader."""
        return self.is_locked or self.is_released or self.is_recused


_READING = """
SELECT a.id, a.application_id, x.sitting_id, a.seat_id, p.reference, s.title, o.name, t.scoring_closes_at,
       (SELECT count(DISTINCT c.criterion_id) FROM score c WHERE c.assignment_id = a.id),
       EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = a.id),
       EXISTS (SELECT FROM score_release l WHERE l.assignment_id = a.id),
       seat_consequence(a.application_id, a.seat_id),
       (SELECT count(*) FROM score_reminder m WHERE m.assignment_id = a.id)
FROM assignment a JOIN sitting_application x ON x.application_id = a.application_id
  JOIN sitting t ON t.id = x.sitting_id
  JOIN application p ON p.id = a.application_id
  JOIN submission s ON s.application_id = a.application_id
  JOIN organisation o ON o.id = s.organisation_id
"""


def _reading(row: Any) -> Reading:
    consequence = None if row[11] is None else Consequence(row[11])
    return Reading(*[*row[:11], consequence, row[12]])


def readings_of_sitting(sitting_id: uuid.UUID) -> list[Reading]:
    """Every assignment of a sitting's applications that were not withdrawn."""
    return [_reading(row) for row in rows(
        _READING, " WHERE x.sitting_id = :id AND NOT EXISTS (SELECT FROM withdrawal w "
                   "WHERE w.application_id = x.application_id) ORDER BY x.put_at, p.reference, a.assigned_at, a.id",
        id=sitting_id)]


def readings_of_application(application_id: uuid.UUID) -> list[Reading]:
    """Every assignment of one application, first assigned first."""
    return [_reading(row) for row in rows(
        _READING, " WHERE a.application_id = :id ORDER BY a.assigned_at, a.id", id=application_id)]


def readings_of_seat(seat_id: uuid.UUID) -> list[Reading]:
    """What a seat was given to read in sittings that are open."""
    return [_reading(row) for row in rows(
        _READING, """ WHERE a.seat_id = :id
          AND NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = x.sitting_id)
          AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
        ORDER BY t.scoring_closes_at, x.put_at, p.reference""", id=seat_id)]


def reading(assignment_id: uuid.UUID) -> Reading:
    """One assignment. Raises NotFound."""
    return _reading(_one(_READING, " WHERE a.id = :id", id=assignment_id))


def unfinished_readings() -> list[tuple[Reading, list[datetime]]]:
    """Every assignment of an open sitting that its reader has still to finish, with when reminders were sent."""
    found = [_reading(row) for row in rows(
        _READING, """ WHERE NOT EXISTS (SELECT FROM sitting_close c WHERE c.sitting_id = x.sitting_id)
          AND NOT EXISTS (SELECT FROM withdrawal w WHERE w.application_id = x.application_id)
          AND NOT EXISTS (SELECT FROM score_lock l WHERE l.assignment_id = a.id)
          AND NOT EXISTS (SELECT FROM score_release l WHERE l.assignment_id = a.id)
        ORDER BY t.scoring_closes_at, a.id""")]
    sent = rows("SELECT assignment_id, sent_at FROM score_reminder WHERE assignment_id = ANY(:ids) ORDER BY sent_at",
                ids=[each.assignment_id for each in found])
    return [(each, [row.sent_at for row in sent if row.assignment_id == each.assignment_id])
            for each in found if not each.is_recused]


def own_reading(actor: Actor, assignment_id: uuid.UUID) -> tuple[Reading, Standing]:
    """An assignment of the actor's own, and how they stand to it. Raises NotFound when it is somebody else's."""
    found = reading(assignment_id)
    stands = standing(actor, found.application_id)
    if stands.seat.id != found.seat_id:
        raise NotFound("not yours to read")
    return found, stands


def saved_scores(assignment_id: uuid.UUID) -> dict[uuid.UUID, Score]:
    """A reader's newest saved score for each criterion, by criterion."""
    found = session.scalars(sa.select(Score).where(Score.assignment_id == assignment_id)
                            .order_by(Score.criterion_id, Score.version))
    return {score.criterion_id: score for score in found}


def loads(sitting_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many applications of a sitting each seat was given to read."""
    found = session.execute(
        sa.select(Assignment.seat_id, sa.func.count()).join(
            SittingApplication, SittingApplication.application_id == Assignment.application_id)
        .where(SittingApplication.sitting_id == sitting_id).group_by(Assignment.seat_id).order_by(Assignment.seat_id))
    return {row[0]: row[1] for row in found}


def need_rank_of(application_id: uuid.UUID) -> int:
    """The need of the small area that an application names, as a rank (1 is the greatest); 0 where none is named.

    Where it names none it counts with the middle of its neighbourhood's areas, so that naming one is no advantage.
    """
    row = _one("""
        SELECT coalesce(
          (SELECT f.rank FROM need_figure f WHERE f.kind = 'imd' AND f.lsoa_code = s.content ->> 'lsoa_code'
           ORDER BY f.version DESC LIMIT 1),
          (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY g.rank) FROM (
             SELECT DISTINCT ON (m.lsoa_code) f.rank FROM neighbourhood_area m
               JOIN need_figure f ON f.lsoa_code = m.lsoa_code AND f.kind = 'imd'
             WHERE m.neighbourhood_id = r.neighbourhood_id ORDER BY m.lsoa_code, f.version DESC) g),
          0) AS rank
        FROM submission s JOIN application a ON a.id = s.application_id JOIN round r ON r.id = a.round_id
        WHERE a.id = :id""", id=application_id)
    return int(row.rank)


# At the end, because the pages are made of what stands above.
from fund.panels.queries.pages import waiting_for as waiting_for  # noqa: E402


