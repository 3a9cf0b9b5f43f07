"""Decisions for tests, made by the parts' own actions: a panel meets, agrees and closes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fund.decisions import actions, queries
from fund.decisions.models import Decision
from fund.panels import actions as panels_actions
from fund.panels import queries as panels
from fund.panels.models import Seat
from tests.make.panels import PREBUILT, World, from_seat, make_world, score_all, world_of


def take_part(world: World, *, seats: Sequence[Seat] | None = None) -> None:
    """These members (the first six) say that nothing ties them to any application, and take part."""
    for seat in world.seats[:6] if seats is None else seats:
        with from_seat(seat) as actor:
            for application_id in world.applications:
                if panels.newest_interest(application_id, seat.id) is None:
                    panels_actions.declare_interest(actor, application_id, answer="nothing")
            actions.join(actor, world.sitting.id)


def agree(world: World, *, applications: Sequence[uuid.UUID] | None = None, seat: Seat | None = None) -> None:
    """The chair writes down a reason for each criterion of each application."""
    with from_seat(seat or world.chair) as actor:
        for application_id in world.applications if applications is None else applications:
            actions.agree_reasons(actor, application_id, {c.id: f"We agreed on {c.name.lower()}."
                                                          for c in world.criteria})


def close(world: World) -> list[Decision]:
    """The chair closes the open sitting."""
    with from_seat(world.chair) as actor:
        return actions.close_sitting(actor, world.sitting.id)


def make_ready_to_close(*, points: int | Sequence[int] = 4, **world: Any) -> World:
    """A sitting in which everything is done but the closing."""
    if points == 4 and not world and "ready" in PREBUILT:
        return world_of(PREBUILT.pop("ready"))
    made = make_world(**world)
    score_all(made, points)
    take_part(made)
    agree(made)
    return made


@dataclass(frozen=True)
class Decided:
    """One application and what was decided."""

    decision: Decision
    application_id: uuid.UUID
    applicant_id: uuid.UUID
    organisation_id: uuid.UUID
    sitting_id: uuid.UUID
    world: World


def make_decided_application(*, outcome: str = "awarded", asked_pence: int = 48_000, least_pence: int | None = None,
                             amount_pence: int = 5_000_000, applicant_id: uuid.UUID | None = None,
                             **world: Any) -> Decided:
    """An application that its panel decided: awarded what it asked for, or declined with `outcome="declined"`.

    `amount_pence` is what the place has. The jobs that tell the applicant and make the offer are asked for, not done.
    """
    usual = ("awarded", 48_000, None, 5_000_000, None, {})
    if (outcome, asked_pence, least_pence, amount_pence, applicant_id, world) == usual and "ready" in PREBUILT:
        return _decided(world_of(PREBUILT.pop("ready")), outcome)
    made = make_world(amount_pence=amount_pence, applications=0, **world)
    made.put(asked_pence=asked_pence, least_pence=least_pence, person_id=applicant_id)
    score_all(made, 1 if outcome == "declined" else 4)
    take_part(made)
    agree(made)
    return _decided(made, outcome)


def _decided(made: World, outcome: str) -> Decided:
    sitting_id, application_id = made.sitting.id, made.applications[0]
    close(made)
    decision = queries.decision_of(application_id)
    assert decision is not None
    assert decision.outcome == outcome
    row = panels.rows("SELECT submitted_by, organisation_id FROM submission WHERE application_id = :id",
                      id=application_id)[0]
    return Decided(decision, application_id, row.submitted_by, row.organisation_id, sitting_id, made)
