"""Asking every part what waits for a person."""

import uuid
from collections.abc import Callable

import fund.applications.queries.pages
import fund.bank.queries
import fund.decisions.queries
import fund.endowment.queries
import fund.grants.queries.pages
import fund.organisations.queries
import fund.panels.queries
import fund.people.queries
import fund.transparency.queries
from fund.dashboards.rules import Desk, desk, pages_of
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting

Ask = Callable[[uuid.UUID, frozenset[Capacity]], list[Waiting]]

#: Who is asked for staff. Somebody of the fund never has a seat, and hardly a group, so each list stays short.
FOR_STAFF: tuple[Ask, ...] = (
    fund.applications.queries.pages.waiting_for, fund.organisations.queries.waiting_for,
    fund.grants.queries.pages.waiting_for, fund.bank.queries.waiting_for, fund.endowment.queries.waiting_for,
    fund.transparency.queries.waiting_for)
FOR_EVERYBODY_ELSE: tuple[Ask, ...] = (
    fund.organisations.queries.waiting_for, fund.applications.queries.pages.waiting_for,
    fund.grants.queries.pages.waiting_for)


def desk_of(person_id: uuid.UUID, capacities: frozenset[Capacity], *, has_name: bool = True) -> Desk:
    """Everything that waits for this person, and what they wait for."""
    waiting = [one for ask in (FOR_STAFF if capacities else FOR_EVERYBODY_ELSE) for one in ask(person_id, capacities)]
    if not has_name:
        waiting += fund.people.queries.waiting_for(person_id, capacities)
    seats = [] if capacities else fund.panels.queries.seats_of_person(person_id)
    if seats:
        waiting += fund.panels.queries.waiting_for(seats) + fund.decisions.queries.waiting_for(seats)
    return desk(waiting, pages_of(capacities, is_member=bool(seats)))
