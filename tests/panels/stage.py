"""A stage for attacks: three panels made once, every attack in a savepoint of its own, a superuser's hand behind it.

The session acts as `fund_app`, as it does in a server; `stage.drop(…)` takes a trigger or a constraint away, so that a
test can show that it, and nothing else, refused.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fund.db import act_from_a_seat, session
from fund.kernel.actor import Actor, Capacity
from fund.panels import actions
from fund.panels.models import Seat
from tests.make import decisions as make_decisions
from tests.make import panels as make
from tests.make.panels import World


@dataclass
class Stage:
    """What stands before an attack: `ready` may close, in `fresh` nobody said anything yet, `elsewhere` is another."""

    ready_ids: tuple[Any, ...]
    fresh_ids: tuple[Any, ...]
    elsewhere_ids: tuple[Any, ...]

    @property
    def ready(self) -> World:
        """Two applications, scored and agreed, six members taking part: the chair may close."""
        return make.world_of(self.ready_ids)

    @property
    def fresh(self) -> World:
        """One application with its three readers."""
        return make.world_of(self.fresh_ids)

    @property
    def elsewhere(self) -> World:
        """Another place's panel, with one application that it decided."""
        return make.world_of(self.elsewhere_ids)

    def act(self, seat: Seat | None) -> None:
        """Be the holder of a seat from now on; nobody's with None."""
        if seat is None:
            make.leave_seat()
        else:
            act_from_a_seat(Actor(Capacity.READER, seat.person_id, seat.id))

    def sql(self, text: str, **values: Any) -> Any:
        """Run one statement as whoever acts now."""
        return session.execute(sa.text(text), values)

    def insert(self, table: str, **values: Any) -> None:
        """Insert one row as whoever acts now."""
        columns = ", ".join(values)
        self.sql(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + name for name in values)})", **values)

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """Do something that no role of the application may do, to set an attack up."""
        session.flush()
        self.sql("RESET SESSION AUTHORIZATION")
        yield
        session.flush()
        self.sql("SET SESSION AUTHORIZATION fund_app; SELECT set_config('fund.person', '', true)")

    def drop(self, what: str) -> None:
        """Take guards away, with a space between: each `table.trigger`, or the constraint `table/constraint`."""
        with self.as_owner():
            for guard in what.split():
                if "/" in guard:
                    table, name = guard.split("/")
                    self.sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
                else:
                    table, name = guard.rsplit(".", 1)
                    self.sql(f"ALTER TABLE {table} DISABLE TRIGGER {name}")


def build() -> Stage:
    """Make the three panels."""
    elsewhere = make.make_world(applications=1)
    _decide(elsewhere)
    fresh = make.make_world(applications=1)
    ready = make_decisions.make_ready_to_close(applications=2, asked_pence=48_000)
    return Stage(ready.ids, fresh.ids, elsewhere.ids)


def _decide(world: World) -> None:
    """Everything that a panel can say, said: a pot, a doubt and its answer, a reader who lets go, a decision."""
    application_id = world.applications[0]
    with make.from_seat(world.chair) as actor:
        actions.set_pot(actor, world.sitting.id, pot_pence=100_000)
    let_go, *others = world.readers(application_id)
    with make.from_seat(world.seat(let_go.seat_id)) as actor:
        actions.release_score(actor, let_go.id)
    for assignment in others:
        make.score(world, assignment)
    outsider = next(seat for seat in world.seats if seat.id not in {a.seat_id for a in world.readers(application_id)})
    doubt = make.declare(world, outsider, application_id, "not_sure")
    ruling = world.chair if outsider.id != world.chair.id else world.seats[1]
    make.declare(world, ruling, application_id)
    with make.from_seat(ruling) as actor:
        actions.rule_on_interest(actor, doubt.id, consequence="none")
    make_decisions.take_part(world)
    make_decisions.agree(world)
    make_decisions.close(world)
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"))


def interest(seat: Seat, application_id: uuid.UUID, **changes: Any) -> dict[str, Any]:
    """A good row of `interest`, changed."""
    return {"id": uuid.uuid4(), "application_id": application_id, "seat_id": seat.id, "version": 1,
            "answer": "nothing", "consequence": "none", **changes}
