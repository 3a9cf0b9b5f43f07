"""What the pages of grants show: what comes next, whose it is and by when; and what waits for whom."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund.applications.queries.pages import Step, tells_of_applications
from fund.db import session
from fund.grants import queries, rules
from fund.grants.queries import GrantRow, StageRow, lists
from fund.grants.rules import StageState
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting
from fund.kernel.words import _


@dataclass(frozen=True, slots=True)
class Next:
    """What happens next with a grant: in a sentence, who does it, by which day, and the page where it is done.

    `endpoint` is empty when it is not the group's to do.
    """

    what: str
    who: str = ""
    by: date | None = None
    kind: str = "next"
    endpoint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    button: str = ""


def next_for(grant: GrantRow, today: date) -> Next:
    """What happens next with a grant, from its group's side."""
    if grant.end_kind:
        return Next(_ENDED[grant.end_kind](), kind="wait")
    if grant.signed_at is None:
        return Next(_("Read the offer, then say yes or no."), by=grant.lapses_on, endpoint="grants.offer",
                    values={"reference": grant.reference}, button=_("Read the offer"))
    stage = next((one for one in grant.stages if one.state is not StageState.PAID), None)
    if stage is None:
        return Next(_("Every stage is paid. Thank you for what you do."))
    if _wants_account(grant, stage):
        return Next(_account_sentence(stage), by=stage.due_on, kind="late" if today > stage.due_on else "next",
                    endpoint="grants.payee", values={"reference": grant.reference},
                    button=_("Say where the money goes"))
    return _next_of_stage(grant, stage, today)


_ENDED = {
    "lapsed": lambda: _("This offer lapsed. Its money went back to your neighbourhood."),
    "declined_by_group": lambda: _("Your group said no to this offer. Its money went back to your neighbourhood."),
    "withdrawn": lambda: _("This grant has ended."),
}


def _wants_account(grant: GrantRow, stage: StageRow) -> bool:
    if grant.payee is None:
        return True
    return (stage.ended_at is not None and rules.is_about_the_account(stage.state, stage.bank_reason)
            and grant.payee.chosen_at < stage.ended_at)


def _account_sentence(stage: StageRow) -> str:
    if stage.state is StageState.RETURNED:
        return _("The bank sent the payment back: %(reason)s. Give us another account.",
                 reason=rules.bank_reason_words(stage.bank_reason))
    if stage.state is StageState.REFUSED:
        return _("The bank did not make the payment: %(reason)s. Give us another account.",
                 reason=rules.bank_reason_words(stage.bank_reason))
    return _("Say which account the money should go to.")


def _next_of_stage(grant: GrantRow, stage: StageRow, today: date) -> Next:
    show: dict[str, Any] = {"endpoint": "grants.send_evidence",
                            "values": {"reference": grant.reference, "number": stage.number}}
    late = "late" if today > stage.due_on else "next"
    if stage.state is StageState.EVIDENCE_WANTED:
        return Next(_("Show us what you did, for stage %(number)s.", number=stage.number), by=stage.due_on, kind=late,
                    button=_("Show it"), **show)
    if stage.state is StageState.MORE_ASKED:
        return Next(_("Our officer asks for a little more, for stage %(number)s.", number=stage.number),
                    by=stage.due_on, kind=late, button=_("Read it and answer"), **show)
    if stage.state is StageState.EVIDENCE_SENT:
        what = _("We read your agreement and plan.") if stage.basis is rules.Basis.UP_FRONT else _(
            "We read what you sent.")
        return _ours(what, _("An officer of the fund does this."), stage.sent_at, today)
    if stage.state is StageState.APPROVED:
        return _ours(_("The payment is approved. It goes to the bank with the next payments."),
                     _("A third person authorises it."), stage.approved_at, today)
    if stage.state is StageState.SENT:
        return _ours(_("The payment is on its way."), _("We tell you when the bank has paid it."), stage.approved_at,
                     today, days=rules.HAND_DAYS + rules.BANK_DAYS)
    since = stage.ended_at or stage.reviewed_at
    return _ours(_("We check the account and approve the payment."), _("A second person at the fund does this."),
                 since, today)


def _ours(what: str, who: str, since: datetime | None, today: date, *, days: int = rules.HAND_DAYS) -> Next:
    by = (since.astimezone(clock.LONDON).date() if since else today) + timedelta(days=days)
    return Next(what, who, by, "late" if today > by else "wait")


@tells_of_applications
def granted_steps(application_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    """Where the grant stands that each of these applications led to, as a step on its path."""
    return {grant.application_id: [_step(grant)] for grant in queries.grants_of_applications(application_ids)}


def _step(grant: GrantRow) -> Step:
    coming, page = next_for(grant, clock.today()), ("grants.grant", {"reference": grant.reference}, _("See your grant"))
    if grant.end_kind:
        return Step(_("It ended"), "back", coming.what, grant.ended_at, *page)
    if all(stage.state is StageState.PAID for stage in grant.stages):
        return Step(_("All of it is paid"), "done", coming.what, None, *page)
    if coming.endpoint:
        page = (coming.endpoint, coming.values, coming.button)
    name = _("Your offer") if grant.signed_at is None else _("Your grant")
    return Step(name, "now", coming.what, at_end_of(coming.by), *page)


def entry_numbers(entry_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID, int]:
    """The places in the public log of these entries of the ledger."""
    rows = session.execute(sa.text("SELECT id, seq FROM log.leaf WHERE id = ANY(:ids) ORDER BY seq").bindparams(
        sa.bindparam("ids", [id_ for id_ in entry_ids if id_], type_=postgresql.ARRAY(sa.Uuid))))
    return {row.id: row.seq for row in rows}


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """An account that a grant's money could go to."""

    organisation_id: uuid.UUID
    organisation_name: str
    bank_account_id: uuid.UUID
    holder: str
    last_four: str
    is_own: bool

    @property
    def value(self) -> str:
        """How a form names it."""
        return f"{self.organisation_id}/{self.bank_account_id}"


def accounts_for(grant: GrantRow) -> list[AccountChoice]:
    """The newest account of the group and of each host that agreed to receive its money; the group's own first."""
    rows = session.execute(sa.text("""
      SELECT o.id, o.name, b.id AS account_id, b.holder, b.last_four, o.id = :grantee AS is_own FROM organisation o
      JOIN LATERAL (SELECT * FROM bank_account b WHERE b.organisation_id = o.id
                    ORDER BY b.added_at DESC, b.id LIMIT 1) b ON true
      WHERE o.id = :grantee OR o.id IN (SELECT h.host_id FROM host_agreement h WHERE h.group_id = :grantee
        AND h.agreed_at IS NOT NULL AND h.ended_at IS NULL)
      ORDER BY is_own DESC, o.name, o.id"""), {"grantee": grant.organisation_id})
    return [AccountChoice(*row) for row in rows]


def at_end_of(day: date | None) -> datetime | None:
    """The last moment of a day in London, for lists that sort by moments."""
    return None if day is None else datetime.combine(day, time(23, 59), tzinfo=clock.LONDON)


def waiting_for(person_id: uuid.UUID, capacities: Collection[Capacity]) -> list[Waiting]:
    """What a group has to do for its grants or waits for; what an officer has to read, an approver to approve."""
    today = clock.today()
    found = [_waiting(grant, next_for(grant, today)) for grant in queries.grants_of(person_id)
             if not grant.end_kind and any(stage.state is not StageState.PAID for stage in grant.stages)]
    if Capacity.OFFICER in capacities:
        found += [Waiting(_("Read what %(group)s sent for stage %(number)s.", group=grant.organisation_name,
                            number=stage.number), "grants.evidence", {"evidence_id": stage.evidence_id}, _("Read it"),
                          _due(stage.sent_at))
                  for grant, stage in queries.stages_in(lists.grants_with_evidence_to_read(),
                                                        StageState.EVIDENCE_SENT)]
    if Capacity.APPROVER in capacities:
        found += [_to_approve(grant, stage) for grant, stage in queries.stages_in(
            lists.grants_with_a_stage_to_release(), *RELEASABLE)]
    return found


RELEASABLE = (StageState.ACCEPTED, StageState.RETURNED, StageState.REFUSED)


def _waiting(grant: GrantRow, coming: Next) -> Waiting:
    if coming.endpoint:
        return Waiting(coming.what, coming.endpoint, coming.values, coming.button, at_end_of(coming.by),
                       about=grant.title)
    return Waiting(coming.what, "grants.grant", {"reference": grant.reference}, due_at=at_end_of(coming.by),
                   whose=_("The fund"), about=grant.title)


def _due(since: datetime | None) -> datetime | None:
    return None if since is None else since + timedelta(days=rules.HAND_DAYS)


def _to_approve(grant: GrantRow, stage: StageRow) -> Waiting:
    page = ("grants.release", {"stage_id": stage.id})
    if _wants_account(grant, stage):
        return Waiting(_("%(group)s must say where the money of stage %(number)s goes.", group=grant.organisation_name,
                         number=stage.number), *page, whose=grant.organisation_name)
    return Waiting(_("Approve the payment of stage %(number)s to %(group)s.", number=stage.number,
                     group=grant.organisation_name), *page, _("Look at it"),
                   _due(stage.ended_at or stage.reviewed_at))
