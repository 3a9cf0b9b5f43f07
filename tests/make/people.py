"""People for tests, made by the part's own actions."""

import itertools
import uuid
from typing import Any

from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.people import actions, queries
from fund.people.models import Person

_numbers = itertools.count(1)


def make_person(*, name: str | None = None, email: str | None = None, **more: Any) -> Person:
    """A person with a name and an address of their own. `language="cy"` and `is_demo=True` are passed on."""
    number = next(_numbers)
    return actions.find_or_make_person(
        email or f"person{number}@example.org", name=f"Person {number}" if name is None else name, **more)


def make_staff(capacity: Capacity, **more: Any) -> Person:
    """A person who holds this capacity."""
    person = make_person(**more)
    actions.grant_capacity(SYSTEM, person.id, capacity)
    return person


def actor_for(person: Person, capacity: Capacity = Capacity.APPLICANT, seat_id: uuid.UUID | None = None) -> Actor:
    """That person, acting in `capacity`."""
    return Actor(capacity, person.id, seat_id)


def signed_in(person: Person) -> queries.SignedIn:
    """The person as a page knows them, with a session that stands."""
    found = queries.signed_in(str(actions.start_session(person.id)))
    assert found is not None
    return found
