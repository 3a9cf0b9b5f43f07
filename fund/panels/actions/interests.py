"""What ties a member to an application, and what the chair makes of it."""

import uuid

from fund.db import session
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.panels import queries, rules
from fund.panels.actions.plainly import closed, not_serving, said_plainly
from fund.panels.actions.sittings import find_readers
from fund.panels.models import (
    Interest,
    InterestRuling,
    Seat,
)
from fund.panels.rules import Consequence
from fund.transparency.actions import record_act


def declare_interest(actor: Actor, application_id: uuid.UUID, *, answer: str) -> Interest:
    """Say what ties one to an application, before or after reading it; the same answer again changes nothing.

    An interest that keeps the reader out excludes what they scored, and another reader is found. Raises Refused when it
    would lower an earlier one or the sitting is closed, BadInput for an answer that is none.
    """
    if answer not in rules.CONSEQUENCES:
        raise BadInput(_("Choose the sentence that fits best."), field="answer")
    stands = queries.standing(actor, application_id)
    seat, consequence = stands.seat, rules.CONSEQUENCES[answer]
    refuse_if(not_serving(serves=stands.serves))
    if stands.said_last is not None and stands.said_last.answer == answer:
        return stands.said_last
    if stands.is_closed:
        raise Refused(closed())
    refuse_if(rules.reasons_not_to_declare(stands.consequence, consequence))
    interest = Interest(application_id=application_id, seat_id=seat.id, answer=answer, consequence=consequence.value,
                        version=1 + (stands.said_last.version if stands.said_last else 0))
    with said_plainly():
        session.add(interest)
    record_act(actor, "declare_interest", "interest", interest.id, application_id=application_id,
               consequence=consequence.value)
    if consequence in rules.RECUSED:
        find_readers(application_id)
    if consequence is Consequence.ASK:
        _ask_the_chair(seat, interest)
    return interest


def _ask_the_chair(seat: Seat, interest: Interest) -> None:
    """Write to whoever answers a doubt: the chair; on the chair's own, every other member."""
    reference = queries.card_of(interest.application_id).reference
    for other in queries.seats_of(seat.panel_id):
        if other.id != seat.id and (other.is_chair or seat.is_chair):
            send("panel_doubt", key=f"doubt/{interest.id}/{other.id}", person_id=other.person_id, reference=reference,
                 path=f"/panel/interests/{interest.id}/ruling")


def rule_on_interest(actor: Actor, interest_id: uuid.UUID, *, consequence: str) -> InterestRuling:
    """Answer a member's doubt. The chair does; on the chair's own doubt any other member. The same again is nothing.

    Raises Forbidden for anybody else, Refused when there is no doubt (any more), BadInput for a ruling that is none.
    """
    if consequence not in {ruling.value for ruling in rules.RULINGS}:
        raise BadInput(_("Choose what this means for them."), field="consequence")
    interest = session.get(Interest, interest_id)
    if interest is None:
        raise NotFound("no such interest")
    ruler = queries.standing(actor, interest.application_id)
    refuse_if(not_serving(serves=ruler.serves))
    stands = session.get(InterestRuling, interest_id)
    if stands is not None and stands.consequence == consequence and stands.ruled_by == ruler.seat.id:
        return stands
    _may_rule(ruler, interest, already=stands is not None)
    ruling = InterestRuling(interest_id=interest_id, consequence=consequence, ruled_by=ruler.seat.id)
    with said_plainly():
        session.add(ruling)
    record_act(actor, "rule_on_interest", "interest", interest_id, application_id=interest.application_id,
               consequence=consequence)
    if Consequence(consequence) in rules.RECUSED:
        find_readers(interest.application_id)
    return ruling


def _may_rule(ruler: queries.Standing, interest: Interest, *, already: bool) -> None:
    of_seat = session.get(Seat, interest.seat_id)
    if of_seat is None or ruler.seat.id == of_seat.id or not (ruler.seat.is_chair or of_seat.is_chair):
        raise Forbidden
    newest = queries.newest_interest(interest.application_id, interest.seat_id)
    if already or interest.consequence != Consequence.ASK or newest is None or newest.id != interest.id:
        raise Refused([Reason("no_doubt", _("This was answered already, or they said something clearer since."))])
    if ruler.consequence in rules.RECUSED:
        raise Refused([Reason("recused", _("You have an interest in this application yourself."))])
    if ruler.is_closed:
        raise Refused(closed())
