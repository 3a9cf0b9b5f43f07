"""The offer: made, signed, declined, lapsed; and the account that it is paid into."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from fund.db import session
from fund.decisions import actions as decisions
from fund.decisions import queries as decided
from fund.decisions.models import Decision
from fund.grants import queries, rules
from fund.grants.actions.asked import own_grant, person_of, said_plainly, tell, words_of
from fund.grants.models import (
    Agreement,
    Award,
    AwardEnd,
    Evidence,
    OfferReminder,
    Payee,
    Stage,
)
from fund.grants.queries import GrantRow, lists
from fund.grants.rules import Basis, PlannedStage, StageState
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor
from fund.kernel.errors import Refused, Stale, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as ledger_queries
from fund.ledger import rules as entries
from fund.ledger.actions import ToPost
from fund.organisations import queries as organisations
from fund.rounds.rules import RoundRules
from fund.transparency.actions import record_act


def make_offers(sitting_id: uuid.UUID, *, split: Mapping[uuid.UUID, Sequence[int]] | None = None,
                effective_on: date | None = None) -> list[Award]:
    """Offer every award of a closed sitting that was not offered yet, reserving each stage from the allocation.

    `split` gives the stages of an application in pence where they are known already (a rehearsal); `effective_on` is
    the day in the books, today unless told. Again does nothing.
    """
    today = clock.today()
    on = effective_on or today
    made, posts = [], []
    for decision in decided.decisions_not_taken_up(sitting_id):
        about = _about(decision.application_id)
        award = Award(
            id=ids.new_id(), reference=ids.new_reference("GRT"), decision_id=decision.id,
            application_id=decision.application_id, organisation_id=about.organisation_id,
            amount_pence=decision.amount_pence, lapses_on=today + timedelta(days=about.rules.lapse_days),
            offer_entry_id=ids.new_id())
        stages = _planned(decision, about.rules, (split or {}).get(decision.application_id), on)
        _write_offer(award, stages)
        made.append(award)
        posts.append(ToPost(
            kind="grant_offer", lines=entries.grant_offer(about.place_code, award.reference,
                                                          [stage.amount_pence for stage in stages]),
            effective_on=on, idem_key=f"grant-offer/{decision.id}", entry_id=award.offer_entry_id,
            relates_to=[decision.leaf_id], area=about.place_code, grant=award.reference))
    for award in made:
        ledger.open_account(entries.grant(award.reference), name=f"Grant {award.reference}")
    if posts:
        ledger.post_many(posts)
    return made


class _About:
    """What an offer needs of the application: whose it is, which place pays, and the round's rules."""

    def __init__(self, row: sa.Row) -> None:
        self.organisation_id: uuid.UUID = row.organisation_id
        self.place_code: str = row.place_code
        self.rules = RoundRules.from_json(row.rules)


def _about(application_id: uuid.UUID) -> _About:
    return _About(session.execute(sa.text("""
      SELECT s.organisation_id, n.code AS place_code, r.rules FROM submission s
      JOIN application a ON a.id = s.application_id JOIN round r ON r.id = a.round_id
      JOIN neighbourhood n ON n.id = r.neighbourhood_id WHERE s.application_id = :id"""), {"id": application_id}).one())


def _planned(decision: Decision, of_round: RoundRules, split: Sequence[int] | None, on: date) -> list[PlannedStage]:
    if split is None:
        return rules.plan_stages(decision.amount_pence, shares=of_round.stage_shares,
                                 up_front_below_pence=of_round.up_front_below_pence, offered_on=on)
    return rules.stages_of([pence for pence in split if pence > 0], up_front=True, offered_on=on)


def _write_offer(award: Award, stages: Sequence[PlannedStage]) -> None:
    session.add(award)
    session.flush()
    session.execute(sa.insert(Stage).values([{
        "id": ids.new_id(), "award_id": award.id, "number": stage.number, "basis": stage.basis.value,
        "amount_pence": stage.amount_pence, "due_on": stage.due_on} for stage in stages]))
    decisions.mark_taken_up(award.decision_id)
    record_act(SYSTEM, "make_offer", "award", award.id, application_id=award.application_id,
               amount_pence=award.amount_pence)
    tell("offer", award.organisation_id, key=f"offer/{award.id}", reference=award.reference,
          amount_pence=award.amount_pence, lapses_on=award.lapses_on.isoformat())


def accept_offer(actor: Actor, award_id: uuid.UUID, *, terms_version: str, spending_plan: str,
                 effective_on: date | None = None) -> Agreement:
    """Sign an offer for the group. A stage that is paid up front has its evidence by this: the plan itself.

    Raises NotFound for people of other groups, Refused for those who may not sign or come too late, Stale when the
    terms on their screen are no longer the fund's.
    """
    grant = own_grant(actor, award_id)
    plan = words_of(spending_plan, "spending_plan", rules.MOST_PLAN, _("Say in a few lines how you will spend it."))
    refuse_if(_reasons_not_to_answer(actor, grant))
    if terms_version != rules.TERMS_VERSION:
        raise Stale(_("The terms changed while you read them. Read them again, then sign."))
    agreement = Agreement(award_id=award_id, terms_version=terms_version, spending_plan=plan,
                          signed_by=person_of(actor), entry_id=ids.new_id())
    with said_plainly():
        session.add(agreement)
        session.flush()
        for stage in grant.stages:
            if stage.basis is Basis.UP_FRONT:
                session.add(Evidence(id=ids.new_id(), stage_id=stage.id, number=1, sent_by=person_of(actor),
                                     story=rules.evidence_made_of(plan, stage.amount_pence)))
        session.flush()
    record_act(actor, "accept_offer", "award", award_id, application_id=grant.application_id,
               terms_version=terms_version)
    ledger.post("grant_agreement", entries.post_pending(ledger_queries.pending_lines(grant.offer_entry_id)),
                effective_on=effective_on or clock.today(), idem_key=f"grant-agreement/{award_id}",
                entry_id=agreement.entry_id, relates_to=[grant.offer_entry_id], grant=grant.reference,
                area=grant.place_code)
    return agreement


def decline_offer(actor: Actor, award_id: uuid.UUID) -> None:
    """Say no to an offer for the group: its money is free for others at once."""
    grant = own_grant(actor, award_id)
    refuse_if(_reasons_not_to_answer(actor, grant))
    _end_offer(actor, grant, "declined_by_group")


def lapse_offers(today: date) -> list[str]:
    """End every offer whose last day is over, freeing what it reserved. Gives their references."""
    lapsed = []
    for grant in lists.offers_past(today):
        refuse_if(rules.reasons_not_to_lapse(grant.offer, today))
        _end_offer(SYSTEM, grant, "lapsed")
        lapsed.append(grant.reference)
    return lapsed


def remind_of_offers(today: date) -> int:
    """Write to groups whose offer lapses soon, twice at most. Gives how many offers."""
    due = lists.offers_to_remind(today)
    for grant, number in due:
        session.add(OfferReminder(award_id=grant.id, number=number))
        tell("offer_reminder", grant.organisation_id, key=f"offer-reminder/{grant.id}/{number}",
              reference=grant.reference, amount_pence=grant.amount_pence, lapses_on=grant.lapses_on.isoformat())
    session.flush()
    return len(due)


def _end_offer(actor: Actor, grant: GrantRow, kind: str) -> None:
    end = AwardEnd(award_id=grant.id, kind=kind, entry_id=ids.new_id(), ended_by=actor.person_id)
    with said_plainly():
        session.add(end)
        session.flush()
    record_act(actor, "end_offer", "award", grant.id, application_id=grant.application_id, kind=kind)
    ledger.post("grant_offer_lapsed", entries.void_pending(ledger_queries.pending_lines(grant.offer_entry_id)),
                effective_on=clock.today(), idem_key=f"grant-offer-lapsed/{grant.id}", entry_id=end.entry_id,
                relates_to=[grant.offer_entry_id], grant=grant.reference, area=grant.place_code)


def _reasons_not_to_answer(actor: Actor, grant: GrantRow) -> list[Reason]:
    may = organisations.may_sign(person_of(actor), grant.organisation_id)
    return rules.reasons_not_to_answer_offer(rules.OfferFacts(
        grant.lapses_on, signed=grant.signed_at is not None, end=grant.end_kind, may_sign=may), clock.today())


def choose_payee(actor: Actor, award_id: uuid.UUID, *, organisation_id: uuid.UUID, bank_account_id: uuid.UUID) -> Payee:
    """Say into which account the money of a grant goes: the group's own, or one of a host that agreed.

    The account may still have to be checked; nothing is paid before. What was approved for another account becomes
    stale. Saying the same again changes nothing, except after a payment came back: then it is said anew.
    """
    grant = own_grant(actor, award_id)
    if not organisations.may_sign(person_of(actor), grant.organisation_id):
        raise Refused([Reason("may_not_sign", _("Somebody who may sign for your group says where its money goes."))])
    refuse_if(rules.reasons_not_to_choose_payee(queries.payee_facts(grant, organisation_id, bank_account_id)))
    newest = session.scalars(sa.select(Payee).where(Payee.award_id == award_id)
                             .order_by(Payee.version.desc()).limit(1)).one_or_none()
    came_back = max((stage.ended_at for _grant, stage in queries.stages_in(
        [grant], StageState.RETURNED, StageState.REFUSED) if stage.ended_at), default=None)
    if newest is not None and (newest.organisation_id, newest.bank_account_id) == (organisation_id, bank_account_id) \
            and (came_back is None or newest.chosen_at > came_back):
        return newest
    payee = Payee(id=ids.new_id(), award_id=award_id, version=1 + (newest.version if newest else 0),
                  organisation_id=organisation_id, bank_account_id=bank_account_id, chosen_by=person_of(actor))
    with said_plainly():
        session.add(payee)
        session.flush()
    record_act(actor, "choose_payee", "award", award_id, application_id=grant.application_id,
               is_host=organisation_id != grant.organisation_id, version=payee.version)
    return payee
