"""Reading batches, what the bank said, and its statements."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fund.bank.models import (
    Batch,
    BatchRow,
    LineRow,
    Match,
    Message,
    PaymentFile,
    StatementRow,
    UnreadMessage,
    UnreadMessageEnd,
)
from fund.bank.rules import BatchFacts, BatchLine, BatchState, batch_state
from fund.bank.transport import is_connected
from fund.db import session
from fund.grants import queries as grants
from fund.grants.models import Release
from fund.grants.queries import ReleaseRow
from fund.grants.rules import HAND_DAYS
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.money import pounds
from fund.kernel.waiting import Waiting
from fund.kernel.words import _


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch in a list or on its page; `lines` only on its page."""

    id: uuid.UUID
    reference: str
    execute_on: date
    made_by: uuid.UUID
    made_at: datetime
    facts: BatchFacts
    authorised_by: uuid.UUID | None
    authorised_at: datetime | None
    set_aside_words: str | None
    file_sha256: bytes | None
    sending_attempt: int
    bank_words: str
    lines: Sequence[ReleaseRow] = field(default=())

    @property
    def state(self) -> BatchState:
        """Where it stands."""
        return batch_state(self.facts)


_BATCHES = """
SELECT b.id, b.reference, b.line_count, b.total_pence, b.lines_sha256, b.execute_on, b.made_by, b.made_at,
       z.authorised_by, z.authorised_at, x.words AS set_aside_words, f.sha256 AS file_sha256,
       coalesce(s.attempt, 0) AS sending_attempt, coalesce(e.outcome, '') AS outcome, coalesce(e.answer, '') AS answer,
       s.by_hand IS NOT NULL AS by_hand, c.answered, c.ended, c.stale, c.touched, c.tied
FROM batch b LEFT JOIN batch_authorisation z ON z.batch_id = b.id LEFT JOIN batch_set_aside x ON x.batch_id = b.id
LEFT JOIN payment_file f ON f.batch_id = b.id
LEFT JOIN LATERAL (SELECT * FROM sending s WHERE s.batch_id = b.id ORDER BY s.attempt DESC LIMIT 1) s ON true
LEFT JOIN sending_end e ON e.batch_id = s.batch_id AND e.attempt = s.attempt
LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE EXISTS (SELECT FROM payment_status t WHERE t.release_id = r.id)) AS answered,
         count(*) FILTER (WHERE EXISTS (SELECT FROM release_end t WHERE t.release_id = r.id)) AS ended,
         count(*) FILTER (WHERE z.batch_id IS NULL AND x.batch_id IS NULL
                          AND release_is_fresh(r.id) IS NOT TRUE) AS stale,
         bool_or(r.approved_by = :person OR EXISTS (
           SELECT FROM evidence v LEFT JOIN evidence_review w ON w.evidence_id = v.id
           WHERE v.stage_id = r.stage_id AND :person IN (v.sent_by, w.reviewed_by))) AS touched,
         bool_or(staff_is_tied(:person, a.organisation_id) OR staff_is_tied(:person, p.organisation_id)) AS tied
  FROM batch_line l JOIN release r ON r.id = l.release_id JOIN payee p ON p.id = r.payee_id
  JOIN award a ON a.id = p.award_id WHERE l.batch_id = b.id) c ON true
"""


def _batches(where: str, person_id: uuid.UUID | None, **values: Any) -> list[BatchView]:
    rows = session.execute(sa.text(f"{_BATCHES} WHERE {where} ORDER BY b.made_at DESC, b.id").bindparams(
        sa.bindparam("person", person_id, type_=sa.Uuid)), values)
    return [BatchView(
        row.id, row.reference, row.execute_on, row.made_by, row.made_at,
        BatchFacts(row.line_count, row.total_pence, row.lines_sha256, stale_lines=row.stale,
                   touched_by_authoriser=bool(row.touched), interest_of_authoriser=bool(row.tied),
                   is_authorised=row.authorised_by is not None, is_set_aside=row.set_aside_words is not None,
                   has_file=row.file_sha256 is not None, sending_began=row.sending_attempt > 0,
                   sending_ended="by_hand" if row.by_hand and row.outcome == "accepted" else row.outcome,
                   answered_lines=row.answered, ended_lines=row.ended),
        row.authorised_by, row.authorised_at, row.set_aside_words, row.file_sha256, row.sending_attempt, row.answer,
    ) for row in rows]


def batches(person_id: uuid.UUID | None = None, *, most: int = 50) -> list[BatchView]:
    """The newest batches, without their lines; `person_id` is who would authorise them."""
    return _batches("b.id IN (SELECT id FROM batch ORDER BY made_at DESC LIMIT :most)", person_id, most=most)


def batch(batch_id: uuid.UUID, person_id: uuid.UUID | None = None) -> BatchView:
    """A batch with its lines, by their references to the bank. Raises NotFound."""
    found = _batches("b.id = :id", person_id, id=batch_id)
    if not found:
        raise NotFound("no such batch")
    release_ids = session.scalars(sa.select(BatchRow.release_id).where(BatchRow.batch_id == batch_id)
                                  .order_by(BatchRow.number)).all()
    view = found[0]
    return BatchView(**{name: getattr(view, name) for name in BatchView.__slots__ if name != "lines"},
                     lines=grants.releases(release_ids))


def batch_with_reference(reference: str) -> uuid.UUID | None:
    """The batch whose payment file bears this name."""
    return session.scalar(sa.select(Batch.id).where(Batch.reference == reference))


def lines_for(releases: Sequence[ReleaseRow]) -> list[BatchLine]:
    """What the hash covers of these releases."""
    return [BatchLine(one.end_to_end_id, one.amount_pence, one.fingerprint) for one in releases]


def releases_to_batch() -> list[ReleaseRow]:
    """Releases that stand and are in no batch yet, by reference; those whose account changed have `is_fresh` off."""
    batched = set(session.scalars(sa.text("""
      SELECT l.release_id FROM batch_line l JOIN release r ON r.id = l.release_id
      WHERE NOT EXISTS (SELECT FROM release_end e WHERE e.release_id = r.id)""")))
    return [one for one in grants.releases_that_stand() if one.id not in batched]


def payment_file(batch_id: uuid.UUID) -> PaymentFile:
    """The file of a batch. Raises NotFound while there is none."""
    found = session.get(PaymentFile, batch_id)
    if found is None:
        raise NotFound("no payment file yet")
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one payment of a batch, as the bank said it."""

    status: str
    reason: str
    end: str
    booked_on: date | None
    bank_reference: str


def outcomes(batch_id: uuid.UUID) -> dict[uuid.UUID, Outcome]:
    """What the bank said last of each payment of a batch, and how each ended."""
    rows = session.execute(sa.text("""
      SELECT l.release_id, coalesce(t.status, '') AS status, coalesce(t.reason, e.bank_reason, '') AS reason,
             coalesce(e.kind, '') AS kind, e.booked_on, coalesce(e.bank_reference, '') AS bank_reference
      FROM batch_line l
      LEFT JOIN LATERAL (SELECT s.status, nullif(s.reason, '') AS reason FROM payment_status s
        JOIN bank_message m ON m.id = s.bank_message_id WHERE s.release_id = l.release_id
        ORDER BY m.received_at DESC, m.id LIMIT 1) t ON true
      LEFT JOIN LATERAL (SELECT * FROM release_end e WHERE e.release_id = l.release_id
        ORDER BY (e.kind = 'returned') DESC LIMIT 1) e ON true
      WHERE l.batch_id = :id ORDER BY l.number"""), {"id": batch_id})
    return {row.release_id: Outcome(row.status, row.reason, row.kind, row.booked_on, row.bank_reference)
            for row in rows}


def messages_about(reference: str) -> list[Message]:
    """The bank's reports on a file, in the order in which they came."""
    return list(session.scalars(sa.select(Message).where(Message.about == reference)
                                .order_by(Message.received_at, Message.id)))


@dataclass(frozen=True, slots=True)
class LineView:
    """A statement line and what it was matched to: a release's reference, or nothing."""

    line: LineRow
    matched_to: str | None
    batch_id: uuid.UUID | None


def statement_lines(*, unmatched_only: bool = False, most: int = 100) -> list[LineView]:
    """The newest lines of the statements with what each was matched to."""
    query = (sa.select(LineRow, Release.end_to_end_id, BatchRow.batch_id)
             .outerjoin(Match, Match.statement_line_id == LineRow.id)
             .outerjoin(Release, Release.id == Match.release_id)
             .outerjoin(BatchRow, BatchRow.release_id == Match.release_id)
             .order_by(LineRow.booked_on.desc(), LineRow.id).limit(most))
    if unmatched_only:
        query = query.where(Match.release_id.is_(None))
    return [LineView(line, reference, batch_id) for line, reference, batch_id in session.execute(query)]


def unmatched_count(through: date | None = None) -> int:
    """How many statement lines nobody has explained; only of those booked up to and on a day, if told which."""
    counted = _unmatched()
    return session.scalar(counted if through is None else counted.where(LineRow.booked_on <= through)) or 0


def _unmatched() -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(LineRow).where(
        ~sa.exists().where(Match.statement_line_id == LineRow.id))


def statements_with_a_gap() -> list[StatementRow]:
    """Statements whose lines do not explain their balances."""
    return list(session.scalars(sa.select(StatementRow).where(StatementRow.gap_pence != 0)
                                .order_by(StatementRow.statement_id)))


def known_messages(kinds_and_ids: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these messages of the bank are kept already."""
    rows = session.execute(sa.select(Message.kind, Message.message_id).where(
        sa.tuple_(Message.kind, Message.message_id).in_(kinds_and_ids)))
    return {(row.kind, row.message_id) for row in rows}


_IS_UNREAD = ~sa.exists().where(UnreadMessageEnd.sha256 == UnreadMessage.sha256)


def unread_messages() -> list[UnreadMessage]:
    """What the bank sent and we could not read so far, the oldest first."""
    return list(session.scalars(sa.select(UnreadMessage).where(_IS_UNREAD)
                                .order_by(UnreadMessage.received_at, UnreadMessage.sha256)))


@dataclass(frozen=True, slots=True)
class Compared:
    """What is different from the batch before: how many payments and how much, and what goes where nothing went."""

    lines_before: int
    total_before_pence: int
    new_accounts: Sequence[ReleaseRow]


def compared_with_last(view: BatchView) -> Compared:
    """This batch beside the one authorised before it."""
    before = session.execute(sa.text("""
      SELECT b.line_count, b.total_pence FROM batch b JOIN batch_authorisation z ON z.batch_id = b.id
      WHERE b.made_at < :at ORDER BY b.made_at DESC, b.id LIMIT 1"""), {"at": view.made_at}).one_or_none()
    count, total = (before.line_count, before.total_pence) if before else (0, 0)
    return Compared(count, total, [line for line in view.lines if line.is_first_to_account])


def waiting_for(person_id: uuid.UUID, capacities: Collection[Capacity]) -> list[Waiting]:
    """What an authoriser has to put together, to authorise or to look into; in one page's worth of statements."""
    if Capacity.AUTHORISER not in capacities:
        return []
    found = []
    waiting = [one for one in releases_to_batch() if one.is_fresh]
    if waiting:
        oldest = min(one.approved_at for one in waiting)
        found.append(Waiting(_("Put %(count)s approved payments together for the bank.", count=len(waiting))
                             if len(waiting) > 1 else _("Put one approved payment together for the bank."),
                             "bank.batches", {}, _("Look at them"), oldest + timedelta(days=HAND_DAYS)))
    for view in batches(person_id):
        found += _of_batch(view)
    unread, unmatched = session.execute(sa.select(
        sa.select(sa.func.count()).select_from(UnreadMessage).where(_IS_UNREAD).scalar_subquery(),
        _unmatched().scalar_subquery())).one()
    if unread:
        found.append(Waiting(_("Look at %(count)s answers of the bank that we could not read.", count=unread)
                             if unread > 1 else _("Look at an answer of the bank that we could not read."),
                             "bank.statements", {}, _("See why")))
    if unmatched:
        found.append(Waiting(_("Explain lines of the bank statement that match no payment: %(count)s.",
                               count=unmatched), "bank.statements", {}, _("See them")))
    return found


def _of_batch(view: BatchView) -> list[Waiting]:
    page = ("bank.batch", {"batch_id": view.id})
    names = {"reference": view.reference, "total": pounds(view.facts.total_pence)}
    if view.state is BatchState.FROZEN:
        theirs = not (view.facts.touched_by_authoriser or view.facts.interest_of_authoriser)
        return [Waiting(_("Authorise the batch %(reference)s of %(total)s.", **names), *page,
                        _("Look at it") if theirs else "", whose="" if theirs else _("Another authoriser"))]
    if view.state is BatchState.SENDING:
        return [Waiting(_("Find out whether the bank has the file %(reference)s of %(total)s.", **names), *page,
                        _("See what to do"))]
    if view.state is BatchState.FILE_MADE and not is_connected():
        return [Waiting(_("Take the file %(reference)s of %(total)s to the bank.", **names), *page, _("Get the file"))]
    if view.state in {BatchState.FILE_MADE, BatchState.AUTHORISED, BatchState.SENT}:
        return [Waiting(_("The bank is about to pay the batch %(reference)s of %(total)s.", **names), *page,
                        whose=_("The bank"))]
    return []
