"""Changing grants: offering, signing, choosing the account, showing evidence, accepting it, releasing a stage.

The bank's part tells what became of a release (`record_…`); everything else starts with a person. Posting to the ledger
comes last in each.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError, IntegrityError

from fund.db import refusal, session
from fund.decisions import actions as decisions
from fund.decisions import queries as decided
from fund.decisions.models import Decision
from fund.documents import queries as documents
from fund.grants import queries, rules
from fund.grants.models import (
    Agreement,
    Award,
    AwardEnd,
    Evidence,
    EvidenceFile,
    EvidenceReview,
    OfferReminder,
    Payee,
    Release,
    ReleaseEnd,
    ReleaseStep,
    Stage,
)
from fund.grants.queries import GrantRow, lists
from fund.grants.rules import Basis, PlannedStage, StageState
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Broken, Forbidden, NotFound, Refused, Stale, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as ledger_queries
from fund.ledger import rules as entries
from fund.ledger.actions import ToPost
from fund.notifications import actions as notifications
from fund.organisations import queries as organisations
from fund.people import queries as people
from fund.rounds.rules import RoundRules
from fund.transparency.actions import record_act

# The offer.

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
    _tell("offer", award.organisation_id, key=f"offer/{award.id}", reference=award.reference,
          amount_pence=award.amount_pence, lapses_on=award.lapses_on.isoformat())


def _tell(template: str, organisation_id: uuid.UUID, *, key: str, **values: Any) -> None:
    """Write to everyone who may sign for the group."""
    for person_id in organisations.signers_of(organisation_id):
        notifications.send(template, key=f"{key}/{person_id}", person_id=person_id, **values)


def accept_offer(actor: Actor, award_id: uuid.UUID, *, terms_version: str, spending_plan: str,
                 effective_on: date | None = None) -> Agreement:
    """Sign an offer for the group. A stage that is paid up front has its evidence by this: the plan itself.

    Raises NotFound for people of other groups, Refused for those who may not sign or come too late, Stale when the
    terms on their screen are no longer the fund's.
    """
    grant = _own_grant(actor, award_id)
    plan = _words(spending_plan, "spending_plan", rules.MOST_PLAN, _("Say in a few lines how you will spend it."))
    refuse_if(_reasons_not_to_answer(actor, grant))
    if terms_version != rules.TERMS_VERSION:
        raise Stale(_("The terms changed while you read them. Read them again, then sign."))
    agreement = Agreement(award_id=award_id, terms_version=terms_version, spending_plan=plan, signed_by=_person(actor),
                          entry_id=ids.new_id())
    with _said_plainly():
        session.add(agreement)
        session.flush()
        for stage in grant.stages:
            if stage.basis is Basis.UP_FRONT:
                session.add(Evidence(id=ids.new_id(), stage_id=stage.id, number=1, sent_by=_person(actor),
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
    grant = _own_grant(actor, award_id)
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
        _tell("offer_reminder", grant.organisation_id, key=f"offer-reminder/{grant.id}/{number}",
              reference=grant.reference, amount_pence=grant.amount_pence, lapses_on=grant.lapses_on.isoformat())
    session.flush()
    return len(due)


def _end_offer(actor: Actor, grant: GrantRow, kind: str) -> None:
    end = AwardEnd(award_id=grant.id, kind=kind, entry_id=ids.new_id(), ended_by=actor.person_id)
    with _said_plainly():
        session.add(end)
        session.flush()
    record_act(actor, "end_offer", "award", grant.id, application_id=grant.application_id, kind=kind)
    ledger.post("grant_offer_lapsed", entries.void_pending(ledger_queries.pending_lines(grant.offer_entry_id)),
                effective_on=clock.today(), idem_key=f"grant-offer-lapsed/{grant.id}", entry_id=end.entry_id,
                relates_to=[grant.offer_entry_id], grant=grant.reference, area=grant.place_code)


def _reasons_not_to_answer(actor: Actor, grant: GrantRow) -> list[Reason]:
    may = organisations.may_sign(_person(actor), grant.organisation_id)
    return rules.reasons_not_to_answer_offer(rules.OfferFacts(
        grant.lapses_on, signed=grant.signed_at is not None, end=grant.end_kind, may_sign=may), clock.today())


# Whose account.

def choose_payee(actor: Actor, award_id: uuid.UUID, *, organisation_id: uuid.UUID, bank_account_id: uuid.UUID) -> Payee:
    """Say into which account the money of a grant goes: the group's own, or one of a host that agreed.

    The account may still have to be checked; nothing is paid before. What was approved for another account becomes
    stale. Saying the same again changes nothing, except after a payment came back: then it is said anew.
    """
    grant = _own_grant(actor, award_id)
    if not organisations.may_sign(_person(actor), grant.organisation_id):
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
                  organisation_id=organisation_id, bank_account_id=bank_account_id, chosen_by=_person(actor))
    with _said_plainly():
        session.add(payee)
        session.flush()
    record_act(actor, "choose_payee", "award", award_id, application_id=grant.application_id,
               is_host=organisation_id != grant.organisation_id, version=payee.version)
    return payee


# Evidence.

def send_evidence(actor: Actor, stage_id: uuid.UUID, *, story: str,
                  file_ids: Collection[uuid.UUID] = ()) -> Evidence:
    """Show what was done for a stage: a story, and photos or papers that this person gave before."""
    grant = queries.grant_of_stage_for(actor.person_id, stage_id)
    told = _words(story, "story", rules.MOST_STORY, _("Tell us in about three sentences what happened."))
    if len(set(file_ids)) > rules.MOST_FILES:
        raise BadInput(_("Choose at most %(most)s files.", most=rules.MOST_FILES), field="files")
    stage = grant.stage(stage_id)
    refuse_if(rules.reasons_not_to_send_evidence(stage.state))
    files = [documents.file_of(_person(actor), file_id) for file_id in sorted(set(file_ids))]
    sent = Evidence(id=ids.new_id(), stage_id=stage_id, number=stage.evidence_count + 1, story=told,
                    sent_by=_person(actor))
    with _said_plainly():
        session.add(sent)
        session.flush()
    session.add_all(EvidenceFile(evidence_id=sent.id, file_id=file.id, sha256=file.sha256) for file in files)
    session.flush()
    record_act(actor, "send_evidence", "stage", stage_id, application_id=grant.application_id, files=len(files))
    return sent


def review_evidence(actor: Actor, evidence_id: uuid.UUID, *, accepted: bool, words: str = "") -> EvidenceReview:
    """Accept an evidence, or ask the group for more in kind words. Once; by an officer who is not of the group."""
    officer = _in_capacity(actor, Capacity.OFFICER)
    found = queries.evidence(evidence_id)
    grant = queries.grant_of_stage(found.stage_id)
    stage = grant.stage(found.stage_id)
    said = words.strip() if accepted else _words(words, "words", rules.MOST_WORDS, _("Say what is missing, and how "
                                                                                     "the group can show it."))
    refuse_if(rules.reasons_not_to_review(
        stage.state, queries.hand(officer, "officer", grant, step_before=(found.sent_by,)),
        newest=stage.evidence_id == evidence_id))
    review = EvidenceReview(evidence_id=evidence_id, accepted=accepted, words=said, reviewed_by=officer)
    with _said_plainly(_already_reviewed):
        session.add(review)
        session.flush()
    record_act(actor, "accept_evidence" if accepted else "ask_for_more", "stage", stage.id,
               application_id=grant.application_id)
    if not accepted:
        _tell("evidence_more_asked", grant.organisation_id, key=f"more-asked/{evidence_id}",
              reference=grant.reference, stage=stage.number)
    return review


def _already_reviewed() -> Stale:
    return Stale(_("Somebody else dealt with this evidence a moment ago. Nothing was changed by you."))


# Releasing a stage.

def approve_release(actor: Actor, stage_id: uuid.UUID, *, effective_on: date | None = None) -> Release:
    """Approve that a stage is paid: mint its reference to the bank and reserve its money, in one step.

    Raises Refused with every reason; Stale, naming who and when, when another approver was first.
    """
    approver = _in_capacity(actor, Capacity.APPROVER)
    grant = queries.grant_of_stage(stage_id)
    stage = grant.stage(stage_id)
    refuse_if(queries.reasons_not_to_release(approver, grant, stage))
    if grant.payee is None or stage.evidence_id is None:
        raise Broken("a stage without payee or evidence has no reason against it")
    release = Release(
        id=ids.new_id(), stage_id=stage_id, attempt=stage.attempt + 1, evidence_id=stage.evidence_id,
        end_to_end_id=ids.new_reference("LUCF", 12).replace("-", ""), amount_pence=stage.amount_pence,
        payee_id=grant.payee.id, bank_account_id=grant.payee.bank_account_id, approved_by=approver,
        entry_id=ids.new_id())
    with _said_plainly(lambda: _approved_first(stage_id)):
        session.add(release)
        session.flush()
    record_act(actor, "approve_release", "stage", stage_id, application_id=grant.application_id,
               amount_pence=stage.amount_pence, attempt=release.attempt)
    ledger.post("stage_release", entries.stage_release(grant.reference, [stage.amount_pence]),
                effective_on=effective_on or clock.today(), idem_key=f"stage-release/{release.id}",
                entry_id=release.entry_id, grant=grant.reference, area=grant.place_code)
    return release


def _approved_first(stage_id: uuid.UUID) -> Stale | None:
    """Who approved the stage while this person looked at it."""
    won = session.scalars(sa.select(Release).where(Release.stage_id == stage_id)
                          .order_by(Release.attempt.desc()).limit(1)).one_or_none()
    if won is None:
        return None
    name = people.names_of([won.approved_by]).get(won.approved_by, "")
    return Stale(_("%(name)s approved this payment at %(time)s. It is paid once, so nothing was added.", name=name,
                   time=won.approved_at.astimezone(clock.LONDON).strftime("%H:%M:%S")), theirs=won.id)


def withdraw_release(actor: Actor, release_id: uuid.UUID) -> ReleaseEnd:
    """Take back a payment that was approved and is in no authorised batch: the stage can be approved again."""
    if actor.capacity not in {Capacity.APPROVER, Capacity.AUTHORISER}:
        raise Forbidden
    return _end_release(actor, release_id, "withdrawn", "payment_failed", booked_on=clock.today())


def record_step(release_ids: Collection[uuid.UUID], step: str) -> None:
    """Note how far these payments have come, for their groups to follow: in_batch, authorised, sent, …"""
    if release_ids:
        session.execute(postgresql.insert(ReleaseStep).values(
            [{"release_id": release_id, "step": step} for release_id in release_ids]).on_conflict_do_nothing())


def record_settled(release_id: uuid.UUID, *, booked_on: date, bank_reference: str) -> ReleaseEnd:
    """The bank booked the payment: it is paid. Only after a statement line is matched to it. Again does nothing."""
    return _end_release(SYSTEM, release_id, "settled", "stage_paid", booked_on=booked_on,
                        bank_reference=bank_reference)


def record_refused(release_id: uuid.UUID, *, reason: str, booked_on: date) -> ReleaseEnd:
    """The bank would not make the payment: its money is on the grant again. Again does nothing."""
    return _end_release(SYSTEM, release_id, "refused", "payment_failed", booked_on=booked_on, bank_reason=reason)


def record_returned(release_id: uuid.UUID, *, booked_on: date, bank_reference: str, reason: str = "") -> ReleaseEnd:
    """A settled payment came back: its money is on the grant again, and the group gives another account."""
    return _end_release(SYSTEM, release_id, "returned", "payment_returned", booked_on=booked_on,
                        bank_reference=bank_reference, bank_reason=reason)


def _end_release(actor: Actor, release_id: uuid.UUID, kind: str, entry_kind: str, *, booked_on: date,
                 bank_reference: str = "", bank_reason: str = "") -> ReleaseEnd:
    release = session.get(Release, release_id)
    if release is None:
        raise NotFound("no such release")
    standing = {end.kind: end for end in session.scalars(
        sa.select(ReleaseEnd).where(ReleaseEnd.release_id == release_id).order_by(ReleaseEnd.recorded_at))}
    if kind in standing:
        return standing[kind]
    grant = queries.grant_of_stage(release.stage_id)
    end = ReleaseEnd(id=ids.new_id(), release_id=release_id, kind=kind, bank_reason=bank_reason,
                     bank_reference=bank_reference, booked_on=booked_on, entry_id=ids.new_id())
    with _said_plainly():
        session.add(end)
        session.flush()
    record_act(actor, f"payment_{kind}", "stage", release.stage_id, application_id=grant.application_id,
               amount_pence=release.amount_pence, attempt=release.attempt)
    if kind == "returned":
        lines = entries.payment_returned(grant.reference, release.amount_pence)
        relates_to = standing["settled"].entry_id
    else:
        pending = ledger_queries.pending_lines(release.entry_id)
        lines = entries.post_pending(pending) if kind == "settled" else entries.void_pending(pending)
        relates_to = release.entry_id
    posted = ledger.post(entry_kind, lines, effective_on=booked_on, idem_key=f"{entry_kind}/{release_id}",
                         entry_id=end.entry_id, relates_to=[relates_to], grant=grant.reference, area=grant.place_code)
    _tell_of_end(grant, release, end, posted.seq)
    return end


def _tell_of_end(grant: GrantRow, release: Release, end: ReleaseEnd, entry: int) -> None:
    if end.kind == "withdrawn":
        return
    number = grant.stage(release.stage_id).number
    about = {"reference": grant.reference, "stage": number, "amount_pence": release.amount_pence,
             "booked_on": end.booked_on.isoformat(), "bank_reference": end.bank_reference, "entry": entry}
    template = "stage_paid" if end.kind == "settled" else "payment_returned"
    if template == "payment_returned":
        about |= {"reason": end.bank_reason, "was_paid": end.kind == "returned"}
    _tell(template, grant.organisation_id, key=f"{end.kind}/{release.id}", **about)


# What every action asks.

def _person(actor: Actor) -> uuid.UUID:
    if actor.person_id is None:
        raise Forbidden
    return actor.person_id


def _in_capacity(actor: Actor, capacity: Capacity) -> uuid.UUID:
    if actor.capacity is not capacity:
        raise Forbidden
    return _person(actor)


def _own_grant(actor: Actor, award_id: uuid.UUID) -> GrantRow:
    grant = queries.grant_by_id(award_id)
    if not organisations.is_member(_person(actor), grant.organisation_id):
        raise NotFound("no such grant")
    return grant


def _words(typed: str, field: str, most: int, sentence: str) -> str:
    """What a person wrote, without blanks around it. Raises BadInput when it is empty, too long or no text."""
    said = "\n".join(typed.replace("\x00", "").split("\r\n")).strip()
    if not said:
        raise BadInput(sentence, field=field)
    if len(said) > most:
        raise BadInput(_("Use at most %(most)s letters.", most=most), field=field)
    return said


@contextmanager
def _said_plainly(first: Callable[[], Stale | None] | None = None) -> Iterator[None]:
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
