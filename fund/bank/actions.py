"""Changing the bank's side: putting a batch together, authorising it, its file, sending it, and reading the answers.

A settled stage is the end of a chain: a statement line with the payment's own reference is stored, matched, and only
then told to grants, all in one transaction.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from fund import queue
from fund.bank import formats, queries, rules
from fund.bank.formats import BankMessage, Payment, PaymentOrder, Statement, StatementLine
from fund.bank.models import (
    Batch,
    BatchAuthorisation,
    BatchRow,
    BatchSetAside,
    LineRow,
    Match,
    Message,
    PaymentFile,
    Sending,
    SendingEnd,
    StatementRow,
    StatusRow,
    UnreadMessage,
    UnreadMessageEnd,
)
from fund.db import refusal, session
from fund.grants import actions as grants
from fund.grants import queries as granted
from fund.kernel import clock, ids
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Broken, Forbidden, Refused, Stale, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.organisations import queries as organisations
from fund.settings import settings
from fund.transparency.actions import record_act

MOST_WORDS = 2_000
#: The bank took the payment in, or checked it, or settled it.
ACCEPTED = frozenset({"ACCP", "ACSP", "ACSC", "ACTC", "ACWC"})


# The batch.

def build_batch(actor: Actor, release_ids: Collection[uuid.UUID] | None = None, *, execute_on: date) -> Batch:
    """Freeze a batch of releases (all that wait and are not stale, unless told which), to be paid on a day.

    Raises Refused when there is nothing to pay, NotFound for a release that does not wait.
    """
    authoriser = _authoriser(actor)
    waiting = {one.id: one for one in queries.releases_to_batch()}
    chosen = [one for one in waiting.values() if one.is_fresh] if release_ids is None else [
        waiting[id_] for id_ in release_ids if id_ in waiting]
    if release_ids is not None and len(chosen) != len(set(release_ids)):
        raise Stale(_("Somebody put one of these payments into another batch. Look again."))
    if not chosen:
        raise Refused([Reason("nothing", _("No payment waits to be sent."))])
    chosen.sort(key=lambda one: one.end_to_end_id)
    lines = queries.lines_for(chosen)
    batch = Batch(id=ids.new_id(), reference=ids.new_reference("LUCF"), line_count=len(lines),
                  total_pence=rules.total_pence(lines), lines_sha256=rules.lines_sha256(lines), execute_on=execute_on,
                  made_by=authoriser)
    with _said_plainly():
        session.add(batch)
        session.flush()
        session.execute(sa.insert(BatchRow).values([
            {"batch_id": batch.id, "number": number, "release_id": one.id} for number, one in enumerate(chosen, 1)]))
    grants.record_step([one.id for one in chosen], "in_batch")
    record_act(actor, "build_batch", "batch", batch.id, lines=batch.line_count, total_pence=batch.total_pence)
    return batch


def set_aside_batch(actor: Actor, batch_id: uuid.UUID, *, words: str) -> None:
    """Not send a batch: each of its payments goes back to be approved again. Only before it is authorised."""
    authoriser = _authoriser(actor)
    said = words.strip()
    if not said or len(said) > MOST_WORDS:
        raise BadInput(_("Say why in a sentence, for whoever approves them again."), field="words")
    view = queries.batch(batch_id)
    refuse_if(rules.reasons_not_to_set_aside(view.facts))
    with _said_plainly():
        session.add(BatchSetAside(batch_id=batch_id, words=said, set_aside_by=authoriser))
        session.flush()
    record_act(actor, "set_aside_batch", "batch", batch_id)
    grants.wait_for_releases([line.id for line in view.lines])
    for line in view.lines:
        grants.withdraw_release(actor, line.id)


def authorise_batch(actor: Actor, batch_id: uuid.UUID, *, total_pence: int, lines_sha256: bytes) -> BatchAuthorisation:
    """Authorise a batch as it was seen: the total and the hash are those that the authoriser's screen showed.

    Asks for the file to be made, and sent where there is a line to the bank. Raises Refused with every reason.
    """
    authoriser = _authoriser(actor)
    view = queries.batch(batch_id, authoriser)
    refuse_if(rules.reasons_not_to_authorise(view.facts, total_pence=total_pence, lines_sha256=lines_sha256))
    authorisation = BatchAuthorisation(batch_id=batch_id, total_pence=total_pence, lines_sha256=lines_sha256,
                                       authorised_by=authoriser)
    with _said_plainly():
        session.add(authorisation)
        session.flush()
    grants.record_step([line.id for line in view.lines], "authorised")
    record_act(actor, "authorise_batch", "batch", batch_id, total_pence=total_pence, lines_sha256=lines_sha256.hex())
    for line in view.lines:
        record_act(actor, "authorise_payment", "stage", line.stage_id, application_id=line.application_id,
                   amount_pence=line.amount_pence)
    queue.ask("bank.make_file", key=f"bank.make_file {batch_id}", batch_id=str(batch_id))
    return authorisation


# The file, and sending it.

def make_file(batch_id: uuid.UUID) -> PaymentFile:
    """Make the payment file of an authorised batch; the same bytes however often. Raises Refused before that."""
    standing = session.get(PaymentFile, batch_id)
    if standing is not None:
        return standing
    view = queries.batch(batch_id)
    if not view.facts.is_authorised:
        raise Refused([Reason("not_authorised", _("This batch is not authorised, so it has no file."))])
    made = PaymentFile(batch_id=batch_id, encoded=file_bytes(batch_id))
    session.add(made)
    session.flush()
    record_act(SYSTEM, "make_payment_file", "batch", batch_id, lines=view.facts.line_count)
    return made


def file_bytes(batch_id: uuid.UUID) -> bytes:
    """The bytes of a batch's payment file: a pure function of the batch and of the accounts that it names."""
    view = queries.batch(batch_id)
    payments = []
    for line in view.lines:
        account = organisations.open_account(line.bank_account_id)
        payments.append(Payment(line.end_to_end_id, line.amount_pence, account.holder, account.sort_code,
                                account.account_number, f"{line.reference} stage {line.stage_number}"))
    given = settings()
    made = formats.payment_file(PaymentOrder(view.reference, view.made_at, view.execute_on, given.payer_name,
                                             given.bank_account_iban, tuple(payments)))
    if formats.totals(made) != (view.facts.line_count, view.facts.total_pence):
        raise Broken(f"the payment file of {view.reference} does not come to the total that was authorised")
    return made


def begin_sending(batch_id: uuid.UUID, *, by_hand: Actor | None = None) -> int | None:
    """Claim the one sending of a file, before anything leaves the house. None when it was claimed already.

    The caller commits before it sends. A claim without an end: nobody knows, so it is never sent again by itself.
    """
    queries.payment_file(batch_id)
    attempt = queries.batch(batch_id).sending_attempt + 1
    try:
        with session.begin_nested():
            session.add(Sending(batch_id=batch_id, attempt=attempt, by_hand=by_hand.person_id if by_hand else None))
            session.flush()
    except DBAPIError as error:
        if refusal(error)[1] in {"ck_sending_once", "pk_sending"}:
            return None
        raise
    return attempt


def end_sending(batch_id: uuid.UUID, attempt: int, *, outcome: str, words: str = "",
                said_by: uuid.UUID | None = None) -> None:
    """Write down what came of a sending: 'accepted', 'refused' or 'not_sent'. Once each."""
    written = session.execute(postgresql.insert(SendingEnd).values(
        batch_id=batch_id, attempt=attempt, outcome=outcome, answer=words, said_by=said_by,
    ).on_conflict_do_nothing().returning(SendingEnd.attempt)).scalar()
    if written is None:
        return
    record_act(SYSTEM, "send_payment_file", "batch", batch_id, outcome=outcome)
    if outcome != "not_sent":
        grants.record_step([line.id for line in queries.batch(batch_id).lines], "sent")


def take_file_by_hand(actor: Actor, batch_id: uuid.UUID) -> bytes:
    """Give the authoriser the file, where there is no line to the bank: from now on it counts as sent, by them."""
    authoriser = _authoriser(actor)
    file = make_file(batch_id)
    attempt = begin_sending(batch_id, by_hand=actor)
    if attempt is not None:
        record_act(actor, "take_payment_file", "batch", batch_id)
        end_sending(batch_id, attempt, outcome="accepted", words="", said_by=authoriser)
    return file.encoded


def say_bank_has_no_file(actor: Actor, batch_id: uuid.UUID) -> None:
    """Say, after looking in the bank's own pages, that a file whose sending broke off never arrived.

    Somebody other than who authorised the batch says it; then the authoriser may have it sent again.
    """
    if actor.capacity not in {Capacity.APPROVER, Capacity.AUTHORISER} or actor.person_id is None:
        raise Forbidden
    view = queries.batch(batch_id)
    if view.state is not rules.BatchState.SENDING:
        raise Refused([Reason("known", _("We know what became of this file."))])
    if view.authorised_by == actor.person_id:
        raise Refused([Reason("other_hand", _("You authorised this batch, so somebody else must look."))])
    record_act(actor, "say_bank_has_no_file", "batch", batch_id)
    end_sending(batch_id, view.sending_attempt, outcome="not_sent", said_by=actor.person_id)


def send_again(actor: Actor, batch_id: uuid.UUID) -> None:
    """Have a file sent again that certainly never reached the bank."""
    _authoriser(actor)
    view = queries.batch(batch_id)
    if view.state is not rules.BatchState.FILE_MADE:
        raise Refused([Reason("sent", _("This file was sent, or nobody knows yet."))])
    record_act(actor, "send_again", "batch", batch_id)
    queue.ask("bank.send", key=f"bank.send {batch_id} {view.sending_attempt + 1}", batch_id=str(batch_id))


# What the bank answers.

def read_message(received: bytes, *, actor: Actor = SYSTEM) -> Message | None:
    """Keep one answer of the bank and do what it says, once however often it comes; None when it says nothing to us.

    Raises BadInput when it is no answer that we can read. Payments that the bank turned down are freed, lines of a
    statement are matched by their reference alone, and what is matched is settled or comes back.
    """
    message = formats.read_message(received, our_iban=settings().bank_account_iban)
    session.execute(postgresql.insert(UnreadMessageEnd).from_select(["sha256"], sa.select(UnreadMessage.sha256).where(
        UnreadMessage.sha256 == sha256(received).digest())).on_conflict_do_nothing())
    if message.kind == "camt.053" and not message.statements:
        return None
    kept_id = ids.new_id()
    kept = session.execute(postgresql.insert(Message).values(
        id=kept_id, kind=message.kind, message_id=message.message_id, about=message.about,
        file_status=message.file_status, file_reason=message.file_reason, bytes=received,
        received_by=actor.person_id).on_conflict_do_nothing().returning(Message.id)).scalar()
    if kept is None:
        return session.scalars(sa.select(Message).where(
            Message.kind == message.kind, Message.message_id == message.message_id)).one()
    record_act(actor, "read_bank_message", "bank_message", kept_id, kind=_kind_code(message.kind))
    _note_statuses(message, kept_id)
    _match([line for statement in message.statements for line in _keep_statement(statement, kept_id)])
    return session.get(Message, kept_id)


def keep_unread(received: bytes, *, why: str) -> bool:
    """Keep an answer of the bank that could not be read, as it came, for people to see; whether it is new to us.

    It has its end once `read_message` reads the same bytes, whoever brings them.
    """
    return session.scalar(postgresql.insert(UnreadMessage).values(encoded=received, why=why[:MOST_WORDS])
                          .on_conflict_do_nothing().returning(UnreadMessage.sha256)) is not None


def read_upload(actor: Actor, received: bytes) -> Message | None:
    """The same, for an answer that the authoriser brought by hand."""
    _authoriser(actor)
    return read_message(received, actor=actor)


def _kind_code(kind: str) -> str:
    return kind.replace(".", "_")


def _note_statuses(message: BankMessage, kept_id: uuid.UUID) -> None:
    """Keep the bank's word on each payment, and free what it will not pay."""
    statuses = {status.end_to_end_id: status for status in message.statuses}
    if message.file_status == "RJCT" and not statuses and message.file_reason != rules.DUPLICATE:
        statuses = _of_the_whole_file(message)
    known = granted.releases_by_reference(list(statuses))
    said = {release_id: statuses[reference] for reference, (release_id, _amount) in known.items()}
    if not said:
        return
    grants.wait_for_releases(said)
    session.execute(sa.insert(StatusRow).values([
        {"release_id": release_id, "bank_message_id": kept_id, "status": status.status, "reason": status.reason}
        for release_id, status in said.items()]))
    grants.record_step([id_ for id_, status in said.items() if status.status in ACCEPTED], "accepted_by_bank")
    ends = granted.ends_of(list(said))
    for release_id, status in said.items():
        if status.status == "RJCT" and release_id not in ends:
            grants.record_refused(release_id, reason=status.reason, booked_on=clock.today())


def _of_the_whole_file(message: BankMessage) -> dict[str, formats.PaymentStatus]:
    """A file that was turned down whole says so once: it holds for each of its payments."""
    batch_id = queries.batch_with_reference(message.about)
    if batch_id is None:
        return {}
    return {line.end_to_end_id: formats.PaymentStatus(line.end_to_end_id, "RJCT", message.file_reason)
            for line in queries.batch(batch_id).lines}


def _keep_statement(statement: Statement, kept_id: uuid.UUID) -> list[tuple[uuid.UUID, StatementLine]]:
    """Keep a statement and its lines, each once; gives the lines that are new, with their ids."""
    session.execute(postgresql.insert(StatementRow).values(
        statement_id=statement.statement_id, bank_message_id=kept_id, opening_pence=statement.opening_pence,
        closing_pence=statement.closing_pence, gap_pence=statement.gap_pence).on_conflict_do_nothing())
    if not statement.lines:
        return []
    line_ids = [ids.new_id() for _line in statement.lines]
    kept = set(session.scalars(postgresql.insert(LineRow).values([{
        "id": id_, "statement_id": line.statement_id, "number": line.number, "is_debit": line.is_debit,
        "amount_pence": line.amount_pence, "booked_on": line.booked_on, "end_to_end_id": line.end_to_end_id,
        "bank_reference": line.bank_reference, "reason": line.reason}
        for id_, line in zip(line_ids, statement.lines, strict=True)]).on_conflict_do_nothing().returning(LineRow.id)))
    return [(id_, line) for id_, line in zip(line_ids, statement.lines, strict=True) if id_ in kept]


def _match(lines: Sequence[tuple[uuid.UUID, StatementLine]]) -> None:
    """Match lines by reference, never by amount alone; what does not fit in every way stays for a person."""
    known = granted.releases_by_reference([line.end_to_end_id for _id, line in lines if line.end_to_end_id])
    grants.wait_for_releases([release_id for release_id, _amount in known.values()])
    ends = granted.ends_of([release_id for release_id, _amount in known.values()])
    for line_id, line in lines:
        release_id, amount = known.get(line.end_to_end_id or "", (None, 0))
        had = ends.setdefault(release_id, set()) if release_id else set()
        if release_id is None or amount != line.amount_pence or had not in ([set()] if line.is_debit
                                                                             else [{"settled"}]):
            continue
        kind = "settled" if line.is_debit else "returned"
        with _said_plainly():
            session.execute(sa.insert(Match).values(statement_line_id=line_id, release_id=release_id, kind=kind))
        had.add(kind)
        if line.is_debit:
            grants.record_settled(release_id, booked_on=line.booked_on, bank_reference=line.bank_reference)
        else:
            grants.record_returned(release_id, booked_on=line.booked_on, bank_reference=line.bank_reference,
                                   reason=line.reason)


def close_books(actor: Actor, through: date, *, today: date) -> None:
    """Close the books through a day, once every line of the bank's statement up to it is matched. Raises Refused."""
    refuse_if(rules.reasons_not_to_close_books(through, today, queries.unmatched_count(through)))
    leaf = ledger.close_period(through, idem_key=f"books closed through {through}")
    record_act(actor, "closed_books", "leaf", leaf.id, through=through.isoformat())


def _authoriser(actor: Actor) -> uuid.UUID:
    if actor.capacity is not Capacity.AUTHORISER or actor.person_id is None:
        raise Forbidden
    return actor.person_id


@contextmanager
def _said_plainly() -> Iterator[None]:
    """Say what a table refused in the words of its rule. The write stands in a savepoint."""
    try:
        with session.begin_nested():
            yield
    except DBAPIError as error:
        state, constraint = refusal(error)
        if state == "23505":
            raise Stale(_("Somebody else did this a moment ago. Look again.")) from error
        if state not in {"23514", "23503"} or constraint is None:
            raise
        said = getattr(getattr(error.orig, "diag", None), "message_primary", None) or ""
        raise Refused([Reason(constraint, said[:1].upper() + said[1:] + ".")]) from error
