"""Sittings, their readers and their money."""

import secrets
import uuid
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor
from fund.kernel.errors import BadInput, Forbidden, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.notifications.actions import send
from fund.panels import queries, rules
from fund.panels.actions.plainly import not_serving, said_plainly
from fund.panels.models import (
    Assignment,
    Sitting,
    SittingApplication,
    SittingPot,
    SittingSeed,
)
from fund.panels.rules import Consequence
from fund.rounds import queries as rounds
from fund.transparency.actions import append_later, record_act


def open_sitting(actor: Actor, round_id: uuid.UUID, *, scoring_closes_at: datetime | None = None) -> Sitting:
    """Open the next sitting of a round: its deadline and the commitment to its lot are published now.

    `scoring_closes_at` is by default the round's scoring days after now, or after the round closes. The secret of the
    lot is written where only the panel's closing can read it. Raises Refused while a sitting of the round is open.
    """
    about = rounds.round(round_id)
    if queries.open_sitting_of(round_id) is not None:
        raise Refused([Reason("sitting_is_open", _("A sitting of this round is open."))])
    seed = secrets.token_bytes(32)
    number = 1 + (session.scalar(sa.select(sa.func.max(Sitting.number)).where(Sitting.round_id == round_id)) or 0)
    starts = max(clock.now(), about.closes_at or clock.now())
    sitting = Sitting(round_id=round_id, number=number, seed_commitment=rules.commitment(seed),
                      scoring_closes_at=scoring_closes_at or rules.scoring_deadline(starts, about.rules.scoring_days))
    session.add(sitting)
    session.flush()
    session.execute(sa.insert(SittingSeed).inline().values(sitting_id=sitting.id, seed=seed))
    record_act(actor, "open_sitting", "sitting", sitting.id)
    append_later("sitting_opened", {
        "sitting": str(sitting.id), "round": about.reference, "number": number, "area": about.neighbourhood_code,
        "seed_commitment": f"sha256:{sitting.seed_commitment.hex()}",
        "scoring_closes_at": sitting.scoring_closes_at.astimezone(clock.UTC).isoformat(),
    }, idem_key=f"sitting-opened/{sitting.id}")
    return sitting


def put_before_the_panel(application_id: uuid.UUID) -> None:
    """Put an eligible application into the open sitting of its round and give it its readers. Again does nothing.

    The job that an eligible check asks for. Opens the round's first sitting where none is open.
    """
    if session.get(SittingApplication, application_id) is not None:
        return
    round_id = queries.round_of_application(application_id)
    sitting = queries.open_sitting_of(round_id) or open_sitting(SYSTEM, round_id)
    session.add(SittingApplication(application_id=application_id, sitting_id=sitting.id,
                                   need_rank=queries.need_rank_of(application_id)))
    session.flush()
    record_act(SYSTEM, "put_before_panel", "sitting", sitting.id, application_id=application_id)
    find_readers(application_id)


def find_readers(application_id: uuid.UUID) -> list[Assignment]:
    """Give an application the readers that it lacks: those with least to read who have no known tie to it."""
    before = queries.before_a_panel(application_id)
    readings = queries.readings_of_application(application_id)
    about = queries.round_of(queries.sitting(before.sitting_id))
    wanted = rules.readers_wanted(
        scoring=sum(not r.is_settled for r in readings),
        finished=sum(r.is_locked and not r.is_recused for r in readings),
        released=sum(r.is_released for r in readings), readers=about.rules.readers)
    return _assign(application_id, before.sitting_id, wanted, already={reading.seat_id for reading in readings})


def find_another_reader(actor: Actor, application_id: uuid.UUID) -> Assignment:
    """Give an application one more reader, because it would else have too few scores. The chair's to ask for.

    Nobody chooses who: the rule does. Raises Refused when no member is left.
    """
    if not queries.standing(actor, application_id).seat.is_chair:
        raise Forbidden
    already = {reading.seat_id for reading in queries.readings_of_application(application_id)}
    found = _assign(application_id, queries.before_a_panel(application_id).sitting_id, 1, already=already)
    if not found:
        raise Refused([Reason("nobody_left", _("Every other member reads it already or is kept out."))])
    record_act(actor, "find_another_reader", "application", application_id, application_id=application_id)
    return found[0]


def _assign(application_id: uuid.UUID, sitting_id: uuid.UUID, how_many: int, *,
            already: Collection[uuid.UUID]) -> list[Assignment]:
    if not how_many:
        return []
    panel = queries.panel_of_sitting(sitting_id)
    said, loads, today = queries.consequences(sitting_id), queries.loads(sitting_id), clock.today()
    people = {seat.id: seat.person_id for seat in queries.seats_of(panel.id)
              if rules.serves(queries.facts_of(seat), today)
              and said.get((application_id, seat.id), Consequence.NONE) in rules.MAY_SCORE}
    tied = queries.with_a_stake(application_id, people.values())
    able = {seat_id: loads.get(seat_id, 0) for seat_id, person_id in people.items() if person_id not in tied}
    found = [Assignment(application_id=application_id, seat_id=seat_id)
             for seat_id in rules.readers_for(application_id, able, already=already, how_many=how_many)]
    session.add_all(found)
    with said_plainly():
        pass
    reference, due = queries.card_of(application_id).reference, queries.sitting(sitting_id).scoring_closes_at
    for assignment in found:
        record_act(SYSTEM, "assign_reader", "assignment", assignment.id, application_id=application_id)
        send("panel_to_read", key=f"to-read/{assignment.id}", person_id=people[assignment.seat_id],
             reference=reference, due=due.isoformat(), path=interest_page(reference))
    return found


def interest_page(reference: str) -> str:
    """Where a member says what ties them to an application: the address that letters give."""
    return f"/panel/applications/{reference}/interest"


def set_pot(actor: Actor, sitting_id: uuid.UUID, *, pot_pence: int) -> SittingPot:
    """Say how much of the panel's money goes into a sitting, before anybody scores; without it, all that is left does.

    The chair says it, once, and it is published. Saying the same again changes nothing. Raises Forbidden for anybody
    else, Refused when somebody has scored, BadInput for no money.
    """
    if pot_pence <= 0:
        raise BadInput(_("Write more than £0."), field="pot")
    seat = queries.own_seat(actor, queries.panel_of_sitting(sitting_id).id)
    refuse_if(not_serving(serves=rules.serves(queries.facts_of(seat), clock.today())))
    if not seat.is_chair:
        raise Forbidden
    stands = session.get(SittingPot, sitting_id)
    if stands is not None:
        if stands.pot_pence != pot_pence:
            raise Refused([Reason("pot_set", _("The money of this sitting was set already, and stays as it is."))])
        return stands
    pot = SittingPot(sitting_id=sitting_id, pot_pence=pot_pence, set_by=seat.id)
    with said_plainly():
        session.add(pot)
    record_act(actor, "set_pot", "sitting", sitting_id, pot_pence=pot_pence)
    append_later("sitting_pot", {"sitting": str(sitting_id), "pot": str(pot_pence)},
                 idem_key=f"sitting-pot/{sitting_id}")
    return pot
