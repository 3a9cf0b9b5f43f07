"""Panels for tests: a place with money, nine residents who serve, a round, and applications before the panel.

`from_seat(seat)` is how a test acts as a member: in the role `fund_panel`, as that person, until the block ends.
"""

import hashlib
import itertools
import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fund.db import act_from_a_seat, session
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.panels import actions, queries
from fund.panels.models import Assignment, Panel, Seat, Sitting
from fund.panels.rules import SeatOffer
from tests.make.ledger import make_allocation, make_funded_endowment

_numbers = itertools.count(1)
WEIGHTS = (40, 25, 20, 15)
NAMES = ("Good for people here", "Led by residents", "It can be done", "Open to everyone")


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


def _insert(table: str, **values: Any) -> uuid.UUID:
    made = values.setdefault("id", uuid.uuid4())
    columns = ", ".join(values)
    session.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + name for name in values)})"),
                    values)
    return made


def make_person(name: str = "Sam Okoro") -> uuid.UUID:
    """A new person; gives the id."""
    made = uuid.uuid4()
    return _insert("person", id=made, email=f"{made.hex}@example.org", name=name)


def make_neighbourhood(name: str = "Alder Park") -> uuid.UUID:
    """A place without small areas; gives its id."""
    number, dataset = next(_numbers), uuid.uuid4()
    code, district = f"E059{number:05d}", f"E089{number:05d}"
    taken = queries.rows("SELECT coalesce(max(number), 0) AS most FROM dataset")[0].most
    _insert("dataset", id=dataset, number=taken + 1, kind="areas", version="test", as_of="2024-05-02",
            source="invented", licence="none", sha256=hashlib.sha256(dataset.bytes).digest(), row_count=1)
    for area, kind in ((district, "district"), (code, "ward")):
        session.execute(sa.text("INSERT INTO area (code, kind, name, district_code, dataset_id) "
                                "VALUES (:code, :kind, :name, :district, :dataset)"),
                        {"code": area, "kind": kind, "name": name, "district": district, "dataset": dataset})
    return _insert("neighbourhood", code=code, slug=f"place-{number}", name=name, kind="ward", district_code=district,
                   district_name="Aldershire", residents=14_000, bounds_rule="test")


def place_code(neighbourhood_id: uuid.UUID) -> str:
    """The code of a place."""
    return queries.rows("SELECT code FROM neighbourhood WHERE id = :id", id=neighbourhood_id)[0].code


def give_money(neighbourhood_id: uuid.UUID, amount_pence: int) -> None:
    """Set this much aside for the place, in the ledger."""
    make_funded_endowment(spendable_pence=amount_pence)
    make_allocation(place_code(neighbourhood_id), amount_pence=amount_pence)


def make_panel(*, neighbourhood_id: uuid.UUID | None = None, seats: int = 9, residents: int = 7,
               people: Sequence[uuid.UUID] = ()) -> Panel:
    """A panel whose members all serve. The first seat is the chair's; the last ones are not residents'."""
    people = [*people, *(make_person(f"Member {n}") for n in range(len(people) + 1, seats + 1))]
    offers = [SeatOffer(person, is_resident=n < residents, is_chair=n == 0) for n, person in enumerate(people)]
    panel = actions.constitute(SYSTEM, neighbourhood_id or make_neighbourhood(), offers)
    for seat in queries.seats_of(panel.id):
        actions.record_training(SYSTEM, seat.id)
        with from_seat(seat) as actor:
            actions.accept_code(actor, seat.id)
    return panel


def make_round(*, neighbourhood_id: uuid.UUID | None = None, closes_at: datetime | None = None,
               weights: Sequence[int] = WEIGHTS, **rules: Any) -> uuid.UUID:
    """A round that is open since yesterday; gives its id."""
    round_id, number = uuid.uuid4(), next(_numbers)
    form = _insert("form_version", name=f"test {number}", version=1, definition=json.dumps({"questions": []}))
    for position, weight in enumerate(weights, 1):
        _insert("criterion", round_id=round_id, position=position, name=NAMES[position - 1], question="How much?",
                weight=weight)
    return _insert("round", id=round_id, reference=ids.new_reference("RND"), form_version_id=form,
                   neighbourhood_id=neighbourhood_id or make_neighbourhood(), title="Small grants",
                   opens_at=clock.now() - timedelta(days=1), closes_at=closes_at, rules=json.dumps(rules))


def make_eligible(round_id: uuid.UUID, *, asked_pence: int = 48_000, least_pence: int | None = None,
                  title: str = "Benches for Alder Park", person_id: uuid.UUID | None = None,
                  content: dict[str, Any] | None = None) -> uuid.UUID:
    """An application of a new group that may go to the panel; gives its id."""
    person_id = person_id or make_person("Applicant")
    group = _insert("organisation", name="Alder Park Friends", kind="informal")
    _insert("membership", organisation_id=group, person_id=person_id)
    application = _insert("application", reference=ids.new_reference("APP"), round_id=round_id, applicant_id=person_id,
                          organisation_id=group)
    text = json.dumps(content or {"title": title})
    _insert("submission", application_id=application, organisation_id=group, content=text, title=title,
            sha256=hashlib.sha256(text.encode()).digest(), asked_pence=asked_pence, least_pence=least_pence,
            submitted_by=person_id)
    session.execute(sa.text("INSERT INTO eligibility (application_id, eligible, checked_by) VALUES (:id, true, :by)"),
                    {"id": application, "by": make_person("Officer")})
    return application


@dataclass
class World:
    """A panel with a round, its open sitting, and what is before it."""

    neighbourhood_id: uuid.UUID
    panel: Panel
    seats: list[Seat]
    round_id: uuid.UUID
    applications: list[uuid.UUID] = field(default_factory=list)

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
    def criteria(self) -> list[queries.Criterion]:
        """The round's criteria."""
        return queries.criteria_of(self.round_id)


def make_world(*, amount_pence: int = 5_000_000, applications: int = 1, asked_pence: int = 48_000,
               people: Sequence[uuid.UUID] = (), closes_at: datetime | None = None, weights: Sequence[int] = WEIGHTS,
               **rules: Any) -> World:
    """A place with money, its panel, a round, and applications before the panel."""
    place = make_neighbourhood()
    if amount_pence:
        give_money(place, amount_pence)
    panel = make_panel(neighbourhood_id=place, people=people)
    world = World(place, panel, queries.seats_of(panel.id),
                  make_round(neighbourhood_id=place, closes_at=closes_at, weights=weights, **rules))
    for _ in range(applications):
        world.put(asked_pence=asked_pence)
    return world


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
    """Every reader of every application scores and locks. A list gives one figure for each application."""
    for n, application_id in enumerate(world.applications):
        for assignment in world.readers(application_id):
            score(world, assignment, points if isinstance(points, int) else points[n])
