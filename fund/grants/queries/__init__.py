"""Reading grants: offers, stages and where each stands, what waits for whom.

A stage is read with its newest evidence and its newest release; the rules say from these where it stands.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund.db import session
from fund.grants import rules
from fund.grants.models import Release, ReleaseEnd
from fund.grants.rules import Basis, HandFacts, OfferFacts, Paid, PayeeFacts, ReleaseFacts, StageFacts, StageState
from fund.kernel import clock
from fund.kernel.errors import NotFound
from fund.kernel.reasons import Reason
from fund.ledger.queries import finds_entries
from fund.organisations import queries as organisations

_IDS = postgresql.ARRAY(postgresql.UUID(as_uuid=True))


@dataclass(frozen=True, slots=True)
class PayeeRow:
    """Where the money of a grant goes, as it may be shown: never the number of the account."""

    id: uuid.UUID
    organisation_id: uuid.UUID
    organisation_name: str
    bank_account_id: uuid.UUID
    holder: str
    last_four: str
    chosen_at: datetime


@dataclass(frozen=True, slots=True)
class StageRow:
    """One stage with its newest evidence, its newest release and how that ended."""

    id: uuid.UUID
    award_id: uuid.UUID
    number: int
    basis: Basis
    amount_pence: int
    due_on: date
    evidence_id: uuid.UUID | None
    evidence_count: int
    story: str | None
    sent_at: datetime | None
    sent_by: uuid.UUID | None
    accepted: bool | None
    words: str | None
    reviewed_at: datetime | None
    reviewed_by: uuid.UUID | None
    release_id: uuid.UUID | None
    attempt: int
    end_to_end_id: str | None
    payee_id: uuid.UUID | None
    approved_at: datetime | None
    approved_by: uuid.UUID | None
    release_entry_id: uuid.UUID | None
    steps: Sequence[str]
    end_kind: str
    bank_reason: str
    bank_reference: str
    booked_on: date | None
    end_entry_id: uuid.UUID | None
    ended_at: datetime | None
    settled_on: date | None
    settled_pence: int
    returned_pence: int
    state: StageState = StageState.WAITS


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant with all that its pages need."""

    id: uuid.UUID
    reference: str
    decision_id: uuid.UUID
    application_id: uuid.UUID
    application_reference: str
    title: str
    organisation_id: uuid.UUID
    organisation_name: str
    organisation_kind: str
    place_code: str
    place_name: str
    amount_pence: int
    asked_pence: int
    offered_at: datetime
    lapses_on: date
    offer_entry_id: uuid.UUID
    decision_leaf_id: uuid.UUID
    terms_version: str | None
    spending_plan: str | None
    signed_at: datetime | None
    agreement_entry_id: uuid.UUID | None
    end_kind: str
    ended_at: datetime | None
    payee: PayeeRow | None
    stages: Sequence[StageRow] = field(default=())

    @property
    def offer(self) -> OfferFacts:
        """The offer as the rules see it; who may sign is asked where it is answered."""
        return OfferFacts(self.lapses_on, signed=self.signed_at is not None, end=self.end_kind)

    @property
    def paid(self) -> Paid:
        """What the group has had and what is to come."""
        return Paid(self.amount_pence, sum(stage.settled_pence for stage in self.stages),
                    sum(stage.returned_pence for stage in self.stages))

    def stage(self, stage_id: uuid.UUID) -> StageRow:
        """One of its stages."""
        return next(stage for stage in self.stages if stage.id == stage_id)


_GRANTS = """
SELECT a.id, a.reference, a.decision_id, a.application_id, ap.reference AS application_reference, s.title,
       a.organisation_id, o.name AS organisation_name, o.kind AS organisation_kind,
       n.code AS place_code, n.name AS place_name, a.amount_pence, s.asked_pence, a.offered_at, a.lapses_on,
       a.offer_entry_id, d.leaf_id AS decision_leaf_id, g.terms_version, g.spending_plan, g.signed_at,
       g.entry_id AS agreement_entry_id, coalesce(e.kind, '') AS end_kind, e.ended_at,
       p.id AS payee_id, p.organisation_id AS payee_organisation_id, po.name AS payee_name, p.bank_account_id,
       b.holder, b.last_four, p.chosen_at
FROM award a JOIN organisation o ON o.id = a.organisation_id JOIN submission s ON s.application_id = a.application_id
JOIN decision d ON d.id = a.decision_id
JOIN application ap ON ap.id = a.application_id JOIN round r ON r.id = ap.round_id
JOIN neighbourhood n ON n.id = r.neighbourhood_id
LEFT JOIN agreement g ON g.award_id = a.id LEFT JOIN award_end e ON e.award_id = a.id
LEFT JOIN LATERAL (SELECT * FROM payee p WHERE p.award_id = a.id ORDER BY p.version DESC LIMIT 1) p ON true
LEFT JOIN organisation po ON po.id = p.organisation_id LEFT JOIN bank_account b ON b.id = p.bank_account_id
"""

_STAGES = """
SELECT s.id, s.award_id, s.number, s.basis, s.amount_pence, s.due_on, e.id AS evidence_id,
       coalesce(e.number, 0) AS evidence_count, e.story, e.sent_at, e.sent_by, v.accepted, v.words, v.reviewed_at,
       v.reviewed_by, r.id AS release_id, coalesce(r.attempt, 0) AS attempt, r.end_to_end_id, r.payee_id,
       r.approved_at, r.approved_by, r.entry_id AS release_entry_id,
       ARRAY(SELECT step FROM release_step t WHERE t.release_id = r.id ORDER BY reached_at, step) AS steps,
       coalesce(x.kind, '') AS end_kind, coalesce(x.bank_reason, '') AS bank_reason,
       coalesce(x.bank_reference, '') AS bank_reference, x.booked_on, x.entry_id AS end_entry_id,
       x.recorded_at AS ended_at, m.settled_on, coalesce(m.settled_pence, 0) AS settled_pence,
       coalesce(m.returned_pence, 0) AS returned_pence
FROM stage s
LEFT JOIN LATERAL (SELECT * FROM evidence e WHERE e.stage_id = s.id ORDER BY e.number DESC LIMIT 1) e ON true
LEFT JOIN evidence_review v ON v.evidence_id = e.id
LEFT JOIN LATERAL (SELECT * FROM release r WHERE r.stage_id = s.id ORDER BY r.attempt DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (SELECT * FROM release_end x WHERE x.release_id = r.id
                   ORDER BY (x.kind = 'returned') DESC LIMIT 1) x ON true
LEFT JOIN LATERAL (
  SELECT max(y.booked_on) FILTER (WHERE y.kind = 'settled') AS settled_on,
         sum(q.amount_pence) FILTER (WHERE y.kind = 'settled') AS settled_pence,
         sum(q.amount_pence) FILTER (WHERE y.kind = 'returned') AS returned_pence
  FROM release q JOIN release_end y ON y.release_id = q.id WHERE q.stage_id = s.id) m ON true
WHERE s.award_id = ANY(:awards) ORDER BY s.award_id, s.number
"""


# Named in their order, which saves reading the names from the answer each time: with so many, a third of the cost.
_STAGE_COLUMNS: list[sa.ColumnClause[Any]] = [sa.column(each.name) for each in fields(StageRow) if each.name != "state"]
_PAYEE_NAMES = ("payee_id", "payee_organisation_id", "payee_name", "bank_account_id", "holder", "last_four",
                "chosen_at")
_GRANT_COLUMNS: list[sa.ColumnClause[Any]] = [sa.column(name) for name in (
    *(each.name for each in fields(GrantRow) if each.name not in {"payee", "stages"}), *_PAYEE_NAMES)]
_STAGES_OF = sa.text(_STAGES).bindparams(sa.bindparam("awards", type_=_IDS)).columns(*_STAGE_COLUMNS)

_MINE = """a.organisation_id IN (
  SELECT m.organisation_id FROM membership m WHERE m.person_id = :of_person AND m.ended_at IS NULL)"""
_NOBODY = uuid.UUID(int=0)


@cache
def _grants_statement(where: str, order: str) -> sa.TextualSelect:
    return sa.text(f"{_GRANTS} WHERE {where} ORDER BY {order}").columns(*_GRANT_COLUMNS)


def grants_where(where: str, *, order: str = "a.offered_at DESC, a.id", **values: Any) -> list[GrantRow]:
    """The grants that `where` finds, with their stages: two statements, however many there are.

    With `of_person` only those of the groups that this person acts for.
    """
    if "of_person" in values:
        where = f"{where} AND {_MINE}"
    found = _rows(session.execute(_grants_statement(where, order), values))
    stages = _stages_of([award["id"] for award in found])
    grants = []
    for award in found:
        payee = _payee(award)
        grants.append(GrantRow(**award, payee=payee, stages=_with_states(stages.get(award["id"], []), award)))
    return grants


def _rows(result: sa.Result[Any]) -> list[dict[str, Any]]:
    names = tuple(result.keys())
    return [dict(zip(names, row, strict=True)) for row in result]


def _payee(found: dict[str, Any]) -> PayeeRow | None:
    of_payee = [found.pop(name) for name in _PAYEE_NAMES]
    return None if of_payee[0] is None else PayeeRow(*of_payee)


def _stages_of(award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    found: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for stage in _rows(session.execute(_STAGES_OF, {"awards": list(award_ids)})) if award_ids else ():
        found.setdefault(stage["award_id"], []).append(stage)
    return found


def _with_states(stages: Iterable[dict[str, Any]], award: dict[str, Any]) -> list[StageRow]:
    """Each stage with where it stands, which depends on the stage before it."""
    done, before_paid = [], True
    for stage in stages:
        state = rules.stage_state(StageFacts(
            stage["number"], has_agreement=award["signed_at"] is not None, award_ended=bool(award["end_kind"]),
            stage_before_paid=before_paid, evidence_count=stage["evidence_count"],
            evidence_reviewed=stage["accepted"] is not None, evidence_accepted=bool(stage["accepted"]),
            release_attempt=stage["attempt"], release_sent="sent" in stage["steps"], release_end=stage["end_kind"]))
        before_paid = state is StageState.PAID
        done.append(StageRow(**{**stage, "basis": Basis(stage["basis"]), "settled_pence": int(stage["settled_pence"]),
                                "returned_pence": int(stage["returned_pence"])}, state=state))
    return done


def _one(grants: list[GrantRow]) -> GrantRow:
    if not grants:
        raise NotFound("no such grant")
    return grants[0]


def grant(reference: str) -> GrantRow:
    """A grant by its reference, for staff. Raises NotFound."""
    return _one(grants_where("a.reference = :reference", reference=reference))


def grant_by_id(award_id: uuid.UUID) -> GrantRow:
    """A grant by its id. Raises NotFound."""
    return _one(grants_where("a.id = :id", id=award_id))


def grant_of_stage(stage_id: uuid.UUID) -> GrantRow:
    """The grant that a stage belongs to. Raises NotFound."""
    return _one(grants_where("a.id = (SELECT award_id FROM stage WHERE id = :id)", id=stage_id))


def grant_of_application(application_id: uuid.UUID) -> GrantRow | None:
    """The grant that an application led to, if it did."""
    return next(iter(grants_where("a.application_id = :id", id=application_id)), None)


def grants_of_applications(application_ids: Sequence[uuid.UUID]) -> list[GrantRow]:
    """The grants that these applications led to."""
    return grants_where("a.application_id = ANY(:ids)", ids=list(application_ids))


def grant_for(person_id: uuid.UUID | None, reference: str) -> GrantRow:
    """A grant of a group that this person acts for. Raises NotFound for anybody else's."""
    return _one(grants_where("a.reference = :reference", reference=reference, of_person=person_id or _NOBODY))


def grant_of_stage_for(person_id: uuid.UUID | None, stage_id: uuid.UUID) -> GrantRow:
    """The grant of a stage, of a group that this person acts for. Raises NotFound for anybody else's."""
    return _one(grants_where("a.id = (SELECT award_id FROM stage WHERE id = :id)", id=stage_id,
                        of_person=person_id or _NOBODY))


def grants_of(person_id: uuid.UUID) -> list[GrantRow]:
    """Every grant of the groups that this person acts for, the newest first."""
    return grants_where("true", of_person=person_id)


def stages_in(grants: Iterable[GrantRow], *states: StageState) -> list[tuple[GrantRow, StageRow]]:
    """The stages of these grants that stand so."""
    return [(one, stage) for one in grants for stage in one.stages if stage.state in states]


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """One evidence as it was sent, with its files and what was said to it."""

    id: uuid.UUID
    stage_id: uuid.UUID
    number: int
    story: str
    sent_by: uuid.UUID
    sent_at: datetime
    accepted: bool | None
    words: str | None
    reviewed_at: datetime | None
    sent_by_name: str
    reviewed_by_name: str
    files: Sequence[dict[str, Any]]  # id, name, content_type, reused (shown for another grant too)


_EVIDENCE = """
SELECT e.id, e.stage_id, e.number, e.story, e.sent_by, e.sent_at, v.accepted, v.words, v.reviewed_at,
       coalesce(p.name, '') AS sent_by_name, coalesce(o.name, '') AS reviewed_by_name,
       coalesce((SELECT json_agg(json_build_object('id', f.file_id, 'name', t.name, 'content_type', t.content_type,
         'reused', EXISTS (SELECT FROM evidence_file u JOIN evidence q ON q.id = u.evidence_id
                           JOIN stage w ON w.id = q.stage_id
                           WHERE u.sha256 = f.sha256 AND w.award_id <> s.award_id)) ORDER BY t.name, f.file_id)
         FROM evidence_file f JOIN stored_file t ON t.id = f.file_id WHERE f.evidence_id = e.id), '[]') AS files
FROM evidence e JOIN stage s ON s.id = e.stage_id LEFT JOIN evidence_review v ON v.evidence_id = e.id
LEFT JOIN person p ON p.id = e.sent_by LEFT JOIN person o ON o.id = v.reviewed_by
"""


def evidence(evidence_id: uuid.UUID) -> EvidenceRow:
    """One evidence, with its files and who sent and read it. Raises NotFound."""
    row = session.execute(sa.text(_EVIDENCE + " WHERE e.id = :id"), {"id": evidence_id}).mappings().one_or_none()
    if row is None:
        raise NotFound("no such evidence")
    return EvidenceRow(**row)


def evidence_of_grant(award_id: uuid.UUID) -> list[EvidenceRow]:
    """All evidence of a grant, by stage and number."""
    rows = session.execute(sa.text(_EVIDENCE + " WHERE s.award_id = :id ORDER BY s.number, e.number"), {"id": award_id})
    return [EvidenceRow(**row) for row in rows.mappings()]


def grant_with_file(file_id: uuid.UUID) -> GrantRow:
    """The grant whose evidence holds this file: whoever may see its evidence may see the file. Raises NotFound."""
    return _one(grants_where("""a.id = (SELECT s.award_id FROM evidence_file f JOIN evidence v ON v.id = f.evidence_id
      JOIN stage s ON s.id = v.stage_id WHERE f.file_id = :id LIMIT 1)""", id=file_id))


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    """One release with what the bank's part and the public trail need of it."""

    id: uuid.UUID
    stage_id: uuid.UUID
    stage_number: int
    attempt: int
    end_to_end_id: str
    amount_pence: int
    bank_account_id: uuid.UUID
    fingerprint: bytes
    holder: str
    last_four: str
    payee_name: str
    organisation_name: str
    organisation_id: uuid.UUID
    reference: str
    application_id: uuid.UUID
    approved_by: uuid.UUID
    approved_at: datetime
    reviewed_by: uuid.UUID
    is_first_to_account: bool
    is_fresh: bool


_RELEASES = """
SELECT r.id, r.stage_id, s.number AS stage_number, r.attempt, r.end_to_end_id, r.amount_pence, r.bank_account_id,
       b.fingerprint, b.holder, b.last_four, po.name AS payee_name, o.name AS organisation_name, a.organisation_id,
       a.reference, a.application_id, r.approved_by, r.approved_at, v.reviewed_by,
       NOT EXISTS (SELECT FROM release q JOIN release_end x ON x.release_id = q.id
                   WHERE q.bank_account_id = r.bank_account_id AND x.kind = 'settled') AS is_first_to_account,
       release_is_fresh(r.id) AS is_fresh
FROM release r JOIN stage s ON s.id = r.stage_id JOIN award a ON a.id = s.award_id
JOIN organisation o ON o.id = a.organisation_id JOIN payee p ON p.id = r.payee_id
JOIN organisation po ON po.id = p.organisation_id JOIN bank_account b ON b.id = r.bank_account_id
JOIN evidence_review v ON v.evidence_id = r.evidence_id
"""


def releases(release_ids: Collection[uuid.UUID]) -> list[ReleaseRow]:
    """These releases, by their reference to the bank."""
    rows = session.execute(sa.text(_RELEASES + " WHERE r.id = ANY(:ids) ORDER BY r.end_to_end_id").bindparams(
        sa.bindparam("ids", list(release_ids), type_=_IDS)))
    return [ReleaseRow(**row) for row in rows.mappings()]


def releases_that_stand() -> list[ReleaseRow]:
    """Every release that has not ended, by its reference to the bank."""
    rows = session.execute(sa.text(_RELEASES + """ WHERE NOT EXISTS (
      SELECT FROM release_end x WHERE x.release_id = r.id) ORDER BY r.end_to_end_id"""))
    return [ReleaseRow(**row) for row in rows.mappings()]


def releases_by_reference(end_to_end_ids: Collection[str]) -> dict[str, tuple[uuid.UUID, int]]:
    """The id and the amount of the releases with these references to the bank."""
    rows = session.execute(sa.select(Release.end_to_end_id, Release.id, Release.amount_pence)
                           .where(Release.end_to_end_id.in_(end_to_end_ids)).order_by(Release.end_to_end_id))
    return {reference: (id_, amount) for reference, id_, amount in rows}


@finds_entries
def entry_of_release(end_to_end_id: str) -> uuid.UUID | None:
    """The entry with which a payment went on its way, by its reference to the bank, which people write in groups."""
    return session.scalar(sa.select(Release.entry_id).where(Release.end_to_end_id == "".join(end_to_end_id.split())))


def ends_of(release_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """How these releases ended: 'settled', and 'returned' beside it."""
    ends: dict[uuid.UUID, set[str]] = {}
    for release_id, kind in session.execute(sa.select(ReleaseEnd.release_id, ReleaseEnd.kind).where(
            ReleaseEnd.release_id.in_(release_ids)).order_by(ReleaseEnd.recorded_at, ReleaseEnd.id)):
        ends.setdefault(release_id, set()).add(kind)
    return ends


def hand(person_id: uuid.UUID, capacity: str, grant: GrantRow, *, step_before: Collection[uuid.UUID | None] = (),
         ) -> HandFacts:
    """What ties a member of staff to a grant and its payee. `step_before`: who did the steps before theirs."""
    payee = grant.payee.organisation_id if grant.payee else grant.organisation_id
    row = session.execute(sa.text("""
      SELECT staff_holds(:person, :capacity) AS has_capacity,
        EXISTS (SELECT FROM membership m WHERE m.person_id = :person AND m.ended_at IS NULL
                AND m.organisation_id IN (:grantee, :payee)) AS is_of_the_group,
        staff_is_tied(:person, :grantee) OR staff_is_tied(:person, :payee) AS is_tied"""),
        {"person": person_id, "capacity": capacity, "grantee": grant.organisation_id, "payee": payee}).one()
    return HandFacts(row.has_capacity, row.is_of_the_group, row.is_tied and not row.is_of_the_group,
                     person_id in step_before)


def payee_facts(grant: GrantRow, organisation_id: uuid.UUID, bank_account_id: uuid.UUID) -> PayeeFacts:
    """What the rules ask about an account for a grant's money."""
    row = session.execute(sa.text("""
      SELECT may_receive_for(:payee, :grantee) AS may_receive, EXISTS (
        SELECT FROM bank_account b WHERE b.id = :account AND b.organisation_id = :payee) AS account_of"""),
        {"payee": organisation_id, "grantee": grant.organisation_id, "account": bank_account_id}).one()
    return PayeeFacts(is_own=organisation_id == grant.organisation_id, host_agreed=row.may_receive,
                      account_of_payee=row.account_of)


def reasons_not_to_release(person_id: uuid.UUID, grant: GrantRow, stage: StageRow) -> list[Reason]:
    """Every reason why this person may not approve the payment of a stage today: for the page and the action."""
    payee = grant.payee
    account_reasons: list[Reason] = []
    facts = None
    if payee is not None:
        facts = payee_facts(grant, payee.organisation_id, payee.bank_account_id)
        account_reasons = organisations.reasons_not_to_pay(payee.organisation_id, today=clock.today(),
                                                           bank_account_id=payee.bank_account_id)
    chosen_anew = checked_anew = True
    if payee and stage.ended_at and rules.is_about_the_account(stage.state, stage.bank_reason):
        chosen_anew = payee.chosen_at >= stage.ended_at
        checked_anew = _checked_since(payee.bank_account_id, stage.ended_at)
    return rules.reasons_not_to_release_stage(ReleaseFacts(
        stage.state, hand(person_id, "approver", grant, step_before=(stage.reviewed_by, stage.sent_by)), facts,
        tuple(account_reasons), payee_is_new=chosen_anew, checked_since_return=checked_anew))


def _checked_since(bank_account_id: uuid.UUID, since: datetime) -> bool:
    return bool(session.scalar(sa.text(
        "SELECT EXISTS (SELECT FROM organisation_check c WHERE c.kind = 'bank_account' AND c.passed "
        "AND c.bank_account_id = :account AND c.made_at > :since)"), {"account": bank_account_id, "since": since}))
