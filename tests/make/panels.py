"""Panels for tests: a place with money, nine residents who serve, a round, and applications before the panel.

`from_seat(seat)` is how a test acts as a member: in the role `fund_panel`, as that person, until the block ends.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fund.db import act_from_a_seat, session
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.ledger.queries import available_pence
from fund.panels import actions, queries
from fund.panels.models import Assignment, Panel, Seat, Sitting
from fund.panels.rules import RECUSED, SeatOffer
from fund.rounds import queries as published
from fund.rounds.queries import CriterionFacts
from fund.rounds.rules import RoundRules
from tests.make import applications, rounds
from tests.make.ledger import make_allocation, make_funded_endowment
from tests.make.people import make_person


@contextmanager
def from_seat(seat: Seat) -> Iterator[Actor]:
    """Act from a seat, as the edge would let its holder; gives the actor. What is refused leaves nothing behind."""
    actor = Actor(Capacity.CHAIR if seat.is_chair else Capacity.READER, seat.person_id, seat.id)
    with session.begin_nested():
        act_from_a_seat(actor)
        yield actor
        session.flush()
        leave_seat()


def leave_seat() -> None:
    """Act as the application again."""
    session.execute(sa.text("SELECT set_config('role', 'fund_app', true), set_config('fund.person', '', true)"))


def place_code(neighbourhood_id: uuid.UUID) -> str:
    """The code of a place."""
    return queries.rows("SELECT code FROM neighbourhood WHERE id = :id", id=neighbourhood_id)[0].code


def give_money(neighbourhood_id: uuid.UUID, amount_pence: int) -> None:
    """Set this much aside for the place, in the ledger."""
    if available_pence("3200") < amount_pence:
        make_funded_endowment(spendable_pence=max(amount_pence, 100_000_000))
    make_allocation(place_code(neighbourhood_id), amount_pence=amount_pence)


def make_panel(*, neighbourhood_id: uuid.UUID | None = None, seats: int = 9, residents: int = 7,
               people: Sequence[uuid.UUID] = ()) -> Panel:
    """A panel whose members all serve. The first seat is the chair's; the last ones are not residents'."""
    people = [*people, *(make_person(name=f"Member {n}").id for n in range(len(people) + 1, seats + 1))]
    offers = [SeatOffer(person, is_resident=n < residents, is_chair=n == 0) for n, person in enumerate(people)]
    panel = actions.constitute(SYSTEM, neighbourhood_id or rounds.neighbourhood(), offers)
    seats = queries.seats_of(panel.id)
    actions.record_training(SYSTEM, *(seat.id for seat in seats))
    for seat in seats:
        with from_seat(seat) as actor:
            actions.accept_code(actor, seat.id)
    return panel


def make_eligible(round_id: uuid.UUID, *, asked_pence: int = 48_000, least_pence: int | None = None,
                  title: str = "Benches for Alder Park", person_id: uuid.UUID | None = None) -> uuid.UUID:
    """An application of a new group that an officer passed on to the panel; gives its id."""
    return applications.eligible(round_id=round_id, person_id=person_id, answers=applications.answers(
        asked_pence=asked_pence, least_pence=least_pence, title=title)).application_id


@dataclass
class World:
    """A panel with a round, its open sitting, and what is before it."""

    neighbourhood_id: uuid.UUID
    panel: Panel
    seats: list[Seat]
    round_id: uuid.UUID
    applications: list[uuid.UUID] = field(default_factory=list)

    @property
    def ids(self) -> tuple[Any, ...]:
        """What names it: enough for `world_of` to give it again in another session."""
        return self.neighbourhood_id, self.panel.id, self.round_id, tuple(self.applications)

    @property
    def chair(self) -> Seat:
        """The chair's seat."""
        return self.seats[0]

    @property
    def sitting(self) -> Sitting:
        """The sitting that is open."""
        found = queries.open_sitting_of(self.round_id)
        assert found is not None
        return found

    def put(self, **about: Any) -> uuid.UUID:
        """Put one more application before the panel."""
        application = make_eligible(self.round_id, **about)
        actions.put_before_the_panel(application)
        self.applications.append(application)
        return application

    def readers(self, application_id: uuid.UUID) -> list[Assignment]:
        """The readers of an application, first assigned first."""
        return list(session.scalars(sa.select(Assignment).where(Assignment.application_id == application_id)
                                    .order_by(Assignment.assigned_at, Assignment.id)))

    def seat(self, seat_id: uuid.UUID) -> Seat:
        """The seat with an id."""
        return next(seat for seat in self.seats if seat.id == seat_id)

    @property
    def criteria(self) -> Sequence[CriterionFacts]:
        """The round's criteria."""
        return published.round(self.round_id).criteria


#: Worlds that were made before the tests of a file (tests/panels/conftest.py), by name; each is given once a test.
PREBUILT: dict[str, tuple[Any, ...]] = {}


def world_of(ids: tuple[Any, ...]) -> World:
    """A world again, from its ids."""
    place, panel, round_id, applications_ = ids
    return World(place, session.get_one(Panel, panel), queries.seats_of(panel), round_id, list(applications_))


def make_world(**about: Any) -> World:
    """A place with money, its panel, a round, and applications before the panel (`_make_world` says what it takes)."""
    if not about and "fresh" in PREBUILT:
        return world_of(PREBUILT.pop("fresh"))
    return _make_world(**about)


def _make_world(*, amount_pence: int = 5_000_000, applications: int = 1, asked_pence: int = 48_000,
               people: Sequence[uuid.UUID] = (), closes_at: datetime | None = None, **rules: Any) -> World:
    place = rounds.neighbourhood()
    if amount_pence:
        give_money(place, amount_pence)
    panel = make_panel(neighbourhood_id=place, people=people)
    made = rounds.published(neighbourhood_id=place, closes_at=closes_at, rules=RoundRules(**rules))
    world = World(place, panel, queries.seats_of(panel.id), made.id)
    for _ in range(applications):
        world.put(asked_pence=asked_pence)
    return world


def another_round(world: World) -> World:
    """A second round of the same place and panel, with nothing before it yet."""
    return World(world.neighbourhood_id, world.panel, world.seats,
                 rounds.published(neighbourhood_id=world.neighbourhood_id, title="Second round").id)


def invite(world: World, person_id: uuid.UUID) -> Seat:
    """One more seat of a panel, not taken up yet."""
    seat = Seat(panel_id=world.panel.id, number=10, person_id=person_id, is_resident=True,
                term_from=clock.today(), term_to=clock.today() + timedelta(days=365))
    session.add(seat)
    session.flush()
    return seat


def declare(world: World, seat: Seat, application_id: uuid.UUID, answer: str = "nothing") -> Any:
    """A member says what ties them to an application."""
    with from_seat(seat) as actor:
        return actions.declare_interest(actor, application_id, answer=answer)


def score(world: World, assignment: Assignment, points: int | Sequence[int] = 4, *, lock: bool = True) -> None:
    """A reader declares nothing, scores every criterion and locks."""
    criteria = world.criteria
    given = [points] * len(criteria) if isinstance(points, int) else points
    with from_seat(world.seat(assignment.seat_id)) as actor:
        if queries.newest_interest(assignment.application_id, assignment.seat_id) is None:
            actions.declare_interest(actor, assignment.application_id, answer="nothing")
        actions.save_scores(actor, assignment.id, scores={
            c.id: (p, f"Because of {c.name.lower()}.") for c, p in zip(criteria, given, strict=True)})
        if lock:
            actions.lock_scores(actor, assignment.id)


def score_all(world: World, points: int | Sequence[int] = 4) -> None:
    """Every reader who may scores and locks each application. A list gives one figure for each application."""
    for n, application_id in enumerate(world.applications):
        for assignment in world.readers(application_id):
            if queries.consequence_of(application_id, assignment.seat_id) not in RECUSED:
                score(world, assignment, points if isinstance(points, int) else points[n])
