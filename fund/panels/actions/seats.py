"""Who sits on a panel: seats, training, the code of conduct."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import Actor
from fund.kernel.errors import NotFound, refuse_if
from fund.panels import rules
from fund.panels.models import (
    Panel,
    Seat,
)
from fund.panels.rules import SeatOffer
from fund.transparency.actions import record_act


def constitute(actor: Actor, neighbourhood_id: uuid.UUID, seats: Sequence[SeatOffer]) -> Panel:
    """Make the panel of a neighbourhood and invite its members; each takes up the seat by accepting the code.

    Raises Refused for fewer than eight seats, residents in the minority, somebody twice, or not one chair.
    """
    refuse_if(rules.reasons_not_to_constitute(seats))
    panel = Panel(neighbourhood_id=neighbourhood_id)
    session.add(panel)
    session.flush()
    today = clock.today()
    for number, offer in enumerate(seats, 1):
        session.add(Seat(panel_id=panel.id, number=number, person_id=offer.person_id, is_resident=offer.is_resident,
                         is_chair=offer.is_chair, term_from=offer.term_from or today,
                         term_to=offer.term_to or today + timedelta(days=3 * 365)))
    session.flush()
    record_act(actor, "constitute_panel", "panel", panel.id, seats=len(seats))
    return panel


def record_training(actor: Actor, *seat_ids: uuid.UUID) -> None:
    """Write down that members were trained. Again does nothing."""
    if not session.scalar(sa.select(sa.func.count()).where(Seat.id.in_(seat_ids))) == len(seat_ids):
        raise NotFound("no such seat")
    trained = session.scalars(sa.update(Seat).where(Seat.id.in_(seat_ids), Seat.trained_at.is_(None))
                              .values(trained_at=clock.now()).returning(Seat.id)).all()
    for seat_id in sorted(trained):
        record_act(actor, "record_training", "seat", seat_id)


def accept_code(actor: Actor, seat_id: uuid.UUID) -> None:
    """Accept the code of conduct for one's own seat, and with it the seat. Again does nothing."""
    own = (Seat.id == seat_id, Seat.person_id == actor.person_id, Seat.ended_at.is_(None))
    if session.execute(sa.update(Seat).where(*own, Seat.code_accepted_at.is_(None))
                       .values(code_accepted_at=clock.now()).returning(Seat.id)).one_or_none():
        record_act(actor, "accept_code", "seat", seat_id)
    else:
        _own(actor, seat_id)


def give_up_seat(actor: Actor, seat_id: uuid.UUID) -> None:
    """Give up one's own seat; what was said from it stands."""
    seat = _own(actor, seat_id)
    seat.ended_at = clock.now()
    session.flush()
    record_act(actor, "give_up_seat", "seat", seat_id)


def _own(actor: Actor, seat_id: uuid.UUID) -> Seat:
    seat = session.get(Seat, seat_id)
    if seat is None or seat.person_id != actor.person_id or seat.ended_at is not None:
        raise NotFound("not your seat")
    return seat
