"""What every action of a grant asks: who acts, on which grant, in which words."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError

from fund.db import refusal, session
from fund.grants import queries
from fund.grants.queries import GrantRow
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, Stale
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications import actions as notifications
from fund.organisations import queries as organisations


def tell(template: str, organisation_id: uuid.UUID, *, key: str, **values: Any) -> None:
    """Write to everyone who may sign for the group."""
    for person_id in organisations.signers_of(organisation_id):
        notifications.send(template, key=f"{key}/{person_id}", person_id=person_id, **values)


def person_of(actor: Actor) -> uuid.UUID:
    """Who acts. Raises Forbidden where it is nobody."""
    if actor.person_id is None:
        raise Forbidden
    return actor.person_id


def in_capacity(actor: Actor, capacity: Capacity) -> uuid.UUID:
    """Who acts, in this capacity and no other. Raises Forbidden."""
    if actor.capacity is not capacity:
        raise Forbidden
    return person_of(actor)


def own_grant(actor: Actor, award_id: uuid.UUID) -> GrantRow:
    """A grant of a group that the actor belongs to. Raises NotFound, for a stranger too."""
    grant = queries.grant_by_id(award_id)
    if not organisations.is_member(person_of(actor), grant.organisation_id):
        raise NotFound("no such grant")
    return grant


def words_of(typed: str, field: str, most: int, sentence: str) -> str:
    """What a person wrote, without blanks around it. Raises BadInput when it is empty, too long or no text."""
    said = "\n".join(typed.replace("\x00", "").split("\r\n")).strip()
    if not said:
        raise BadInput(sentence, field=field)
    if len(said) > most:
        raise BadInput(_("Use at most %(most)s letters.", most=most), field=field)
    return said


@contextmanager
def said_plainly(first: Callable[[], Stale | None] | None = None) -> Iterator[None]:
    """Say what a table refused in the words of the rule; `first` says who was first, where two acted at once.

    The write stands in a savepoint, so that after a refusal it can be asked what stands now.
    """
    try:
        with session.begin_nested():
            yield
    except DBAPIError as error:
        state, constraint = refusal(error)
        if state not in {"23514", "23505"} or constraint is None:
            raise
        stale = first() if first and constraint in _RACES else None
        if stale is not None:
            raise stale from error
        raise Refused([Reason(constraint, _sentence(error))]) from error


_RACES = frozenset({"uq_release_attempt", "ck_release_after_end", "pk_evidence_review"})


def _sentence(error: DBAPIError) -> str:
    """The rule's own sentence when a trigger refused; a plain one when somebody else was first."""
    if isinstance(error, IntegrityError) and refusal(error)[0] == "23505":
        return _("Somebody else did this a moment ago. Nothing was changed by you.")
    diagnosis = getattr(error.orig, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or _("The rules of the fund do not allow this.")
    return said[:1].upper() + said[1:] + "."
