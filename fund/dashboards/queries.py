"""Asking every part what waits for a person."""

import uuid
from collections.abc import Callable

import fund.applications.queries
import fund.bank.queries
import fund.decisions.queries
import fund.grants.queries
import fund.organisations.queries
import fund.panels.queries
import fund.people.queries
from fund.dashboards.rules import Desk, desk
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting

Ask = Callable[[uuid.UUID, frozenset[Capacity]], list[Waiting]]

#: Who is asked for whom: somebody of the fund never has a seat, and hardly a group, so the two lists stay short.
STAFF_PARTS = (fund.applications.queries, fund.organisations.queries, fund.grants.queries, fund.bank.queries)
OTHER_PARTS = (fund.people.queries, fund.organisations.queries, fund.applications.queries, fund.panels.queries,
               fund.decisions.queries, fund.grants.queries)
FOR_STAFF: tuple[Ask, ...] = tuple(part.waiting_for for part in STAFF_PARTS if hasattr(part, "waiting_for"))
FOR_EVERYBODY_ELSE: tuple[Ask, ...] = tuple(part.waiting_for for part in OTHER_PARTS if hasattr(part, "waiting_for"))


def desk_of(person_id: uuid.UUID, capacities: frozenset[Capacity]) -> Desk:
    """Everything that waits for this person, and what they wait for."""
    asked = FOR_STAFF if capacities else FOR_EVERYBODY_ELSE
    return desk(one for ask in asked for one in ask(person_id, capacities))
