"""Reading about people: who somebody is, what they may do, who is signed in."""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from fund.db import session
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.people.models import HeldCapacity, Person, PersonSession, SignInRequest
from fund.people.rules import SignInFacts

_CLOCK = sa.func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person on a device that is signed in, as every page knows them (`current_user`)."""

    session_id: uuid.UUID
    id: uuid.UUID
    name: str
    email: str
    language: str
    is_demo: bool
    capacities: frozenset[Capacity]
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the device's cookie holds: the session's id, so that ending the row signs the device out."""
        return str(self.session_id)


# Asked on every page of everybody who is signed in, so it is built once.
_SIGNED_IN = (
    sa.select(Person.id, Person.name, Person.email, Person.language, Person.is_demo,
              sa.select(sa.func.array_agg(HeldCapacity.capacity)).where(
                  HeldCapacity.person_id == Person.id, HeldCapacity.ended_at.is_(None)).scalar_subquery().label("held"))
    .join(PersonSession, PersonSession.person_id == Person.id)
    .where(PersonSession.id == sa.bindparam("session_id"), PersonSession.ended_at.is_(None),
           PersonSession.expires_at > _CLOCK))


def signed_in(key: str) -> SignedIn | None:
    """The person whose live session has this id, with the capacities of this moment; None when it is over."""
    try:
        session_id = uuid.UUID(key)
    except ValueError:
        return None
    row = session.execute(_SIGNED_IN, {"session_id": session_id}).one_or_none()
    if row is None:
        return None
    return SignedIn(session_id, row.id, row.name, row.email, row.language, row.is_demo,
                    frozenset(Capacity(one) for one in row.held or ()))


def person(person_id: uuid.UUID) -> Person:
    """The person with this id. Raises NotFound."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound
    return found


def person_with_email(email: str) -> Person | None:
    """The person with this address (in the form that `rules.email_address` gives), if there is one."""
    return session.scalars(sa.select(Person).where(Person.email == email)).one_or_none()


def names_of(person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of several people at once, for lists."""
    rows = session.execute(sa.select(Person.id, Person.name).where(Person.id.in_(person_ids)).order_by(Person.id))
    return {row.id: row.name for row in rows}


def capacities_of(person_id: uuid.UUID) -> frozenset[Capacity]:
    """The capacities that somebody holds now: one or none."""
    rows = session.scalars(sa.select(HeldCapacity.capacity).where(
        HeldCapacity.person_id == person_id, HeldCapacity.ended_at.is_(None)).order_by(HeldCapacity.capacity))
    return frozenset(Capacity(row) for row in rows)


def people_with(capacity: Capacity) -> list[Person]:
    """Everyone who holds `capacity` now, by name."""
    return list(session.scalars(
        sa.select(Person).join(HeldCapacity, HeldCapacity.person_id == Person.id)
        .where(HeldCapacity.capacity == capacity.value, HeldCapacity.ended_at.is_(None))
        .order_by(Person.name, Person.email)))


def capacities_held() -> list[tuple[Person, Capacity]]:
    """Everyone who holds any capacity now, by capacity and address."""
    rows = session.execute(
        sa.select(Person, HeldCapacity.capacity).join(HeldCapacity, HeldCapacity.person_id == Person.id)
        .where(HeldCapacity.ended_at.is_(None)).order_by(HeldCapacity.capacity, Person.email))
    return [(row[0], Capacity(row[1])) for row in rows]


def demo_people() -> list[Person]:
    """The people of the demo, in the order in which they were made."""
    return list(session.scalars(sa.select(Person).where(Person.is_demo).order_by(Person.created_at, Person.id)))


def any_demo_person() -> bool:
    """Whether this database holds a person of the demo. Production refuses to start when it does."""
    return bool(session.scalar(sa.select(sa.exists().where(Person.is_demo))))


#: What parts above this one say about people in the demo: "Sits on the panel of …". See `describes_people`.
Describer = Callable[[Collection[uuid.UUID]], dict[uuid.UUID, list[str]]]
_describers: list[Describer] = []

CAPACITY_IN_WORDS: dict[Capacity, Callable[[], str]] = {
    Capacity.OFFICER: lambda: _("Officer: checks groups, eligibility and evidence. Can never touch a score."),
    Capacity.APPROVER: lambda: _("Approver: approves that a stage is paid, after an officer took its evidence."),
    Capacity.AUTHORISER: lambda: _("Authoriser: sends approved payments to the bank."),
    Capacity.TRUSTEE: lambda: _("Trustee: looks after the endowment, and adopts what may be spent each year."),
}


def describes_people(describer: Describer) -> Describer:
    """Let a part above this one add its sentences to the cards of the demo's people. Used as a decorator."""
    _describers.append(describer)
    return describer


def what_people_may_do(people: list[Person]) -> dict[uuid.UUID, list[str]]:
    """For each person the sentences about what they may do: those of the parts above, else that of their capacity."""
    ids = [one.id for one in people]
    said: dict[uuid.UUID, list[str]] = {id_: [] for id_ in ids}
    for describer in _describers:
        for id_, sentences in describer(ids).items():
            said[id_] += [sentence for sentence in sentences if sentence not in said[id_]]
    rows = session.execute(sa.select(HeldCapacity.person_id, HeldCapacity.capacity).where(
        HeldCapacity.person_id.in_(ids), HeldCapacity.ended_at.is_(None)).order_by(HeldCapacity.id))
    for row in rows:
        if not said[row.person_id]:
            said[row.person_id].append(CAPACITY_IN_WORDS[Capacity(row.capacity)]())
    return said


def sign_in_request(request_id: uuid.UUID, device_sha256: bytes) -> SignInRequest | None:
    """The request that this device began; None for any other device."""
    return session.scalars(sa.select(SignInRequest).where(
        SignInRequest.id == request_id, SignInRequest.device_sha256 == device_sha256)).one_or_none()


def sign_in_request_of_link(token_sha256: bytes) -> SignInRequest | None:
    """The request whose letter held this link."""
    return session.scalars(sa.select(SignInRequest).where(SignInRequest.token_sha256 == token_sha256)).one_or_none()


def kept_fields(request_id: str) -> list[list[str]]:
    """The fields that somebody was sending when they had to sign in: pairs of name and text."""
    found = session.scalar(sa.select(SignInRequest.words).where(
        SignInRequest.id == uuid.UUID(request_id), SignInRequest.used_at.is_not(None)))
    return list((found or {}).get("fields", []))


def facts_of_request(request_id: uuid.UUID) -> SignInFacts:
    """What the rules ask about a request. Raises NotFound."""
    request = session.get(SignInRequest, request_id)
    if request is None:
        raise NotFound
    return sign_in_facts(request)


def sign_in_facts(request: SignInRequest) -> SignInFacts:
    """What the rules ask about a request."""
    tries_today = session.scalar(sa.select(sa.func.coalesce(sa.func.sum(SignInRequest.code_tries), 0)).where(
        SignInRequest.email == request.email, SignInRequest.created_at > _CLOCK - timedelta(days=1)))
    return SignInFacts(request.expires_at, request.used_at, request.code_tries, int(tries_today or 0))


def waiting_for(person_id: uuid.UUID, _capacities: Collection[Capacity]) -> list[Waiting]:
    """What a person has to do about themselves: give their name, so that others know who acts."""
    if person(person_id).name:
        return []
    return [Waiting(_("Tell us your name, so that your group and the panel know who is writing."), "people.profile",
                    button=_("Give your name"))]
