"""Batches, files and answers through the actions, with a bank that really runs; the books balance after each."""

import http.server
import json
import threading
import uuid
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from fund import queue
from fund.bank import actions, jobs, queries, rules, transport
from fund.bank.models import PaymentFile
from fund.bank.rules import BatchState
from fund.db import session as fund_session
from fund.grants import actions as grants
from fund.grants import queries as granted
from fund.grants.rules import StageState
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, Stale
from fund.ledger import queries as ledger
from fund.settings import settings, use
from tests.make.bank import (
    authorise,
    make_batch,
    make_report,
    make_statement,
    pay,
    running_bank,
    send_back,
)
from tests.make.grants import check, make_account, make_hands, make_offers, make_release
from tests.standing import savepoint, standing

#: Two grants whose first stage is approved, and the releases: made once, each test in a savepoint of its own.
ready = {}


@pytest.fixture(scope="module")
def world(app):
    with standing(app) as connection:
        grants_made = make_offers(2)
        for name, made in zip(("one", "other"), grants_made, strict=True):
            release_id = make_release(made)[1].id
            [row] = granted.releases([release_id])
            ready[name] = (made, row)
        fund_session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        fund_session.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
        yield connection


@pytest.fixture
def session(world):
    with savepoint(world):
        yield fund_session


def balances(reference):
    """What is on the grant and what is set aside to leave it; and the books balance."""
    every = ledger.all_balances()
    assert sum(one.debits_posted_pence for one in every) == sum(one.credits_posted_pence for one in every)
    assert sum(one.debits_pending_pence for one in every) == sum(one.credits_pending_pence for one in every)
    mine = ledger.balance_of(f"5000/{reference}")
    return mine.posted_pence, mine.reserved_pence


@pytest.fixture
def connected(session):
    """A bank that runs, to which the fund has a line; its clock stands at today's noon."""
    before = settings()
    with running_bank(clock=f"{rules.next_banking_day(clock.now())}T09:00") as bank:
        use(before.model_copy(update={"bank_url": bank.url}))
        try:
            yield bank
        finally:
            use(before)


def ring(session):
    """Do what is due at the bank, as a worker would; no letter leaves."""
    session.commit()
    while due := session.scalars(sa.select(queue.Outbox.id).where(
            queue.Outbox.job.like("bank.%"), queue.Outbox.id.in_(queue.due())).order_by(queue.Outbox.due_at)).all():
        session.commit()
        for outbox_id in due:
            queue.run(str(outbox_id))


def test_from_approval_to_the_statement_with_a_bank_that_runs(session, connected):
    made, release = ready["one"]
    assert balances(made.reference) == (480_00, 240_00)
    batch = make_batch(made.staff, [release], execute_on=rules.next_banking_day(clock.now()))
    authorise(made.staff, batch.id)
    ring(session)
    view = queries.batch(batch.id)
    assert view.state is BatchState.ANSWERED
    assert queries.outcomes(batch.id)[release.id].status in {"ACCP", "BOOK"}
    assert made.stage().state is StageState.SENT
    assert balances(made.reference) == (480_00, 240_00)
    connected.advance(3)
    jobs.fetch()
    ring(session)
    stage = made.stage()
    assert (stage.state, stage.booked_on) == (StageState.PAID, batch.execute_on)
    assert stage.bank_reference.startswith("MB-PMT-")
    assert balances(made.reference) == (240_00, 0)
    assert queries.batch(batch.id).state is BatchState.SETTLED
    assert queries.unmatched_count() == 0
    entry = session.execute(sa.text(
        "SELECT e.kind, e.effective_on FROM ledger.entry e JOIN log.leaf l ON l.seq = e.seq WHERE l.id = :id"),
        {"id": stage.end_entry_id}).one()
    assert entry == ("stage_paid", batch.execute_on)
    letters = session.execute(sa.text("SELECT values FROM message WHERE template = 'stage_paid'")).scalars().all()
    assert [letter["bank_reference"] for letter in letters] == [stage.bank_reference]
    assert connected.ask("GET", "/_mock/mailbox?leave") == []


def test_a_payment_comes_back_and_is_paid_to_a_new_account(session, connected):
    made, release = ready["one"]
    connected.behave("return-later", days=1, reason="AC04", end_to_end_id=release.end_to_end_id)
    authorise(made.staff, make_batch(made.staff, [release], execute_on=rules.next_banking_day(clock.now())).id)
    ring(session)
    connected.advance(7)
    jobs.fetch()
    ring(session)
    stage = made.stage()
    assert (stage.state, stage.bank_reason) == (StageState.RETURNED, "AC04")
    assert balances(made.reference) == (480_00, 0)
    assert made.grant.paid.paid_pence == 0
    account = make_account(made.organisation_id, by=made.group)
    grants.choose_payee(made.group, made.id, organisation_id=made.organisation_id, bank_account_id=account.id)
    with pytest.raises(Refused, match="checked again"):
        grants.approve_release(made.staff.approver, stage.id)
    check(made.staff.officer, made.organisation_id, account.id, kinds=["bank_account"])
    again = grants.approve_release(made.staff.approver, stage.id)
    assert (again.attempt, again.end_to_end_id != release.end_to_end_id) == (2, True)
    batch = make_batch(made.staff, [again], execute_on=rules.next_banking_day(clock.now()) + timedelta(days=10))
    authorise(made.staff, batch.id)
    ring(session)
    connected.advance(10)
    jobs.fetch()
    ring(session)
    assert made.stage().state is StageState.PAID
    assert made.grant.paid.paid_pence == 240_00
    assert balances(made.reference) == (240_00, 0)
    related = session.execute(sa.text(
        "SELECT e.relates_to FROM ledger.entry e JOIN log.leaf l ON l.seq = e.seq WHERE e.kind = 'payment_returned'")
    ).scalar()
    [settled] = session.execute(sa.text("SELECT entry_id FROM release_end WHERE release_id = :id AND kind = 'settled'"),
                                {"id": release.id}).scalars()
    assert related == [settled]


def test_a_bank_without_cover_refuses_and_the_money_is_on_the_grant_again(session, connected):
    connected.ask("PATCH", "/_mock/accounts/FUND", {"behaviour": "insufficient-funds", "balance": 1})
    made, release = ready["one"]
    authorise(made.staff, make_batch(made.staff, [release], execute_on=rules.next_banking_day(clock.now())).id)
    ring(session)
    assert (made.stage().state, made.stage().bank_reason) == (StageState.REFUSED, "AM04")
    assert balances(made.reference) == (480_00, 0)
    assert grants.approve_release(made.staff.approver, made.stage().id).attempt == 2


def test_the_file_is_the_same_however_often_it_is_made(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    with pytest.raises(Refused):
        actions.make_file(batch.id)
    authorise(made.staff, batch.id)
    first = actions.make_file(batch.id).encoded
    fund_session.expire_all()
    assert actions.make_file(batch.id).encoded == first == actions.file_bytes(batch.id)
    assert first.count(b"<CdtTrfTxInf>") == 1
    assert fund_session.scalar(sa.select(sa.func.count()).select_from(PaymentFile)) == 1
    assert release.end_to_end_id.encode() in first


def test_a_file_is_sent_once(session, connected):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release], execute_on=rules.next_banking_day(clock.now()))
    authorise(made.staff, batch.id)
    session.commit()
    jobs.make_file(str(batch.id))
    for _time in range(3):
        jobs.send(str(batch.id))
    assert [row["path"] for row in connected.ask("GET", "/_mock/requests?path=/payments")] == ["/payments"]


def test_a_bank_that_is_away_is_tried_again_and_the_claim_is_not_lost(session):
    before = settings()
    use(before.model_copy(update={"bank_url": "http://127.0.0.1:9"}))
    try:
        made, release = ready["one"]
        batch = make_batch(made.staff, [release])
        authorise(made.staff, batch.id)
        jobs.make_file(str(batch.id))
        session.commit()
        for attempt in (1, 2):
            with pytest.raises(transport.NotSent):
                jobs.send(str(batch.id))
            view = queries.batch(batch.id)
            assert (view.state, view.sending_attempt) == (BatchState.FILE_MADE, attempt)
    finally:
        use(before)


def test_a_sending_that_broke_off_is_never_repeated_by_itself(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    assert actions.begin_sending(batch.id) == 1  # and the worker dies here
    assert actions.begin_sending(batch.id) is None
    assert queries.batch(batch.id).state is BatchState.SENDING
    with pytest.raises(Refused):
        actions.send_again(made.staff.authoriser, batch.id)
    with pytest.raises(Refused, match="somebody else"):
        actions.say_bank_has_no_file(made.staff.authoriser, batch.id)
    actions.say_bank_has_no_file(made.staff.approver, batch.id)
    actions.send_again(made.staff.authoriser, batch.id)
    assert actions.begin_sending(batch.id) == 2
    # The bank had it all the same: its statement says so, and that settles it.
    actions.read_message(make_statement([(True, release.amount_pence, release.end_to_end_id)]))
    assert queries.batch(batch.id).state is BatchState.SETTLED


def test_a_duplicate_is_no_refusal_of_the_money(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    actions.read_message(make_report(batch.reference, file_status="RJCT", file_reason="DUPL"))
    assert made.stage().end_kind == ""
    actions.read_message(make_statement([(True, release.amount_pence, release.end_to_end_id)]))
    assert made.stage().state is StageState.PAID


def test_a_file_turned_down_whole_frees_every_payment(session):
    made, releases = zip(*ready.values(), strict=True)
    batch = make_batch(made[0].staff, releases)
    authorise(made[0].staff, batch.id)
    actions.make_file(batch.id)
    actions.read_message(make_report(batch.reference, file_status="RJCT", file_reason="FF01"))
    assert [one.stage().state for one in made] == [StageState.REFUSED] * 2
    assert [balances(one.reference) for one in made] == [(480_00, 0)] * 2
    assert queries.batch(batch.id).state is BatchState.SETTLED


def test_of_a_file_taken_in_part_only_the_refused_are_freed(session):
    made, (good, bad) = zip(*ready.values(), strict=True)
    batch = make_batch(made[0].staff, [good, bad])
    authorise(made[0].staff, batch.id)
    actions.make_file(batch.id)
    report = make_report(batch.reference, [(good.end_to_end_id, "ACCP", ""), (bad.end_to_end_id, "RJCT", "AC04")],
                         message_id="R1")
    for _time in range(2):
        actions.read_message(report)
    assert (made[0].stage().state, made[1].stage().state) == (StageState.APPROVED, StageState.REFUSED)
    assert balances(made[1].reference) == (480_00, 0)
    statement = make_statement([(True, good.amount_pence, good.end_to_end_id)])
    actions.read_message(statement)
    assert made[0].stage().state is StageState.PAID
    # A refusal after the money went changes nothing.
    actions.read_message(make_report(batch.reference, [(good.end_to_end_id, "RJCT", "AC04")]))
    assert made[0].stage().state is StageState.PAID


@pytest.mark.parametrize("line", ["another amount", "another reference", "no reference", "the other side", "again"])
def test_a_line_that_does_not_fit_in_every_way_stays_for_a_person(session, line):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    right = (True, release.amount_pence, release.end_to_end_id)
    lines = {"another amount": [(True, 240_01, release.end_to_end_id)],
             "another reference": [(True, 240_00, "LUCF000000000000")], "no reference": [(True, 240_00, None)],
             "the other side": [(False, 240_00, release.end_to_end_id)], "again": [right, right]}[line]
    actions.read_message(make_statement(lines))
    assert made.stage().state is (StageState.PAID if line == "again" else StageState.APPROVED)
    assert [view.line.amount_pence for view in queries.statement_lines(unmatched_only=True)] == [lines[-1][1]]
    balances(made.reference)


def test_a_statement_counts_once_even_under_another_message(session):
    made, release = ready["one"]
    pay(made.staff, release)
    before = balances(made.reference)
    again = make_statement([(True, release.amount_pence, release.end_to_end_id)], statement_id="SAME")
    actions.read_message(again)
    actions.read_message(again.replace(b"<MsgId>SAME", b"<MsgId>OTHER"))
    assert balances(made.reference) == before
    assert queries.unmatched_count() == 1


def entry_of(session, kind):
    """The kind of an end, the day that the bank said, and the day for which its entry counts."""
    return session.execute(sa.text(
        "SELECT x.kind, x.booked_on, e.effective_on FROM release_end x JOIN log.leaf l ON l.id = x.entry_id "
        "JOIN ledger.entry e ON e.seq = l.seq WHERE x.kind = :kind"), {"kind": kind}).one()


def test_a_statement_of_a_day_in_the_closed_books_counts_for_the_first_open_day(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    today = clock.today()
    for closed_through in (today - timedelta(days=9), today - timedelta(days=1)):
        actions.close_books(made.staff.authoriser, closed_through, today=today)
    booked_on = today - timedelta(days=20)
    actions.read_message(make_statement([(True, release.amount_pence, release.end_to_end_id)], booked_on=booked_on))
    assert (made.stage().state, made.stage().booked_on) == (StageState.PAID, booked_on)
    actions.read_message(make_statement([(False, release.amount_pence, release.end_to_end_id)],
                                        booked_on=today - timedelta(days=1)))
    assert made.stage().state is StageState.RETURNED
    session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
    assert entry_of(session, "settled") == ("settled", booked_on, today)
    assert entry_of(session, "returned") == ("returned", today - timedelta(days=1), today)
    assert balances(made.reference) == (480_00, 0)
    assert queries.unmatched_count() == 0


@pytest.fixture
def mailbox(session):
    """A bank that says whatever a test puts into its mailbox."""
    messages = []

    class Mailbox(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            said = json.dumps([{"body": one.decode()} for one in messages]).encode()
            if not self.path.endswith("?leave"):
                messages.clear()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            """Say nothing."""

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mailbox)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    before = settings()
    use(before.model_copy(update={"bank_url": f"http://127.0.0.1:{served.server_port}"}))
    try:
        yield messages
    finally:
        use(before)
        served.shutdown()
        served.server_close()


def test_a_message_that_cannot_be_read_keeps_none_of_the_others_and_is_seen(session, mailbox):
    made, release = ready["one"]
    authorise(made.staff, make_batch(made.staff, [release]).id)
    queue.run_all_due(only="bank.make_file")
    too_much = make_statement([(False, 10**20, None)])
    mailbox += [b"<a/>", too_much, make_statement([(True, release.amount_pence, release.end_to_end_id)])]
    for _time in range(2):
        jobs.fetch()
        ring(session)
        assert made.stage().state is StageState.PAID
        assert mailbox == []  # what could not be read is kept by us
        assert [one.encoded for one in queries.unread_messages()] == [b"<a/>", too_much]
    assert ["pain.002" in one.why for one in queries.unread_messages()] == [True, False]
    said = [one.sentence for one in queries.waiting_for(made.staff.authoriser.person_id,
                                                        frozenset({Capacity.AUTHORISER}))]
    assert "Look at 2 answers of the bank that we could not read." in said


def test_a_message_that_could_not_be_read_is_tried_again(session, mailbox):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    session.commit()
    paid = make_statement([(True, release.amount_pence, release.end_to_end_id)])
    mailbox.append(paid)  # before the batch is authorised: only a payment of an authorised batch is matched
    jobs.fetch()
    session.commit()
    [unread] = queries.unread_messages()
    assert (unread.encoded, unread.why) == (paid, "Only a payment of an authorised batch is matched.")
    assert made.stage().state is not StageState.PAID
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    jobs.fetch()
    assert queries.unread_messages() == []
    assert made.stage().state is StageState.PAID


def test_a_gap_in_a_statement_is_shown(session):
    actions.read_message(make_statement([], gap_pence=-5_00, statement_id="GAP"))
    assert [(gap.statement_id, gap.gap_pence) for gap in queries.statements_with_a_gap()] == [("GAP", -5_00)]


def test_a_return_before_the_payment_settled_is_not_believed(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    send_back(release)
    assert made.stage().state is StageState.APPROVED
    assert queries.unmatched_count() == 1


def test_a_stale_payment_goes_into_no_batch_and_is_approved_again(session):
    made, release = ready["one"]
    account = make_account(made.organisation_id, by=made.group)
    grants.choose_payee(made.group, made.id, organisation_id=made.organisation_id, bank_account_id=account.id)
    assert release.id not in {one.id for one in queries.releases_to_batch() if one.is_fresh}
    with pytest.raises(Refused, match="changed after approval"):
        make_batch(made.staff, [release])
    grants.withdraw_release(made.staff.approver, release.id)
    assert balances(made.reference) == (480_00, 0)
    check(made.staff.officer, made.organisation_id, account.id, kinds=["bank_account"])
    again = grants.approve_release(made.staff.approver, made.stage().id)
    assert (again.attempt, again.bank_account_id) == (2, account.id)


def test_a_batch_whose_account_changed_is_not_authorised(session):
    made, release = ready["one"]
    batch = make_batch(made.staff, [release])
    facts = queries.batch(batch.id).facts
    account = make_account(made.organisation_id, by=made.group)
    grants.choose_payee(made.group, made.id, organisation_id=made.organisation_id, bank_account_id=account.id)
    with pytest.raises(Refused) as refused:
        actions.authorise_batch(made.staff.authoriser, batch.id, total_pence=facts.total_pence,
                                lines_sha256=facts.lines_sha256)
    assert [reason.code for reason in refused.value.reasons] == ["stale"]
    actions.set_aside_batch(made.staff.authoriser, batch.id, words="The account changed.")
    assert granted.ends_of([release.id]) == {release.id: {"withdrawn"}}
    assert balances(made.reference) == (480_00, 0)


def test_only_an_authoriser_touches_batches_and_only_one_without_part_in_it(session):
    made, release = ready["one"]
    for actor in (made.staff.officer, made.staff.approver, made.group):
        with pytest.raises(Forbidden):
            actions.build_batch(actor, execute_on=date(2026, 11, 24))
    batch = make_batch(made.staff, [release])
    authorise(make_hands(), batch.id)
    with pytest.raises(Stale):
        make_batch(made.staff, [release])
    with pytest.raises(NotFound):
        queries.batch(uuid.uuid4())
    with pytest.raises(Forbidden):
        actions.read_upload(made.staff.approver, b"<a/>")
    with pytest.raises(BadInput):
        actions.read_upload(made.staff.authoriser, b"<a/>")


def test_what_waits_for_an_authoriser(session):
    made, release = ready["one"]

    def sentences():
        return [one.sentence for one in queries.waiting_for(made.staff.authoriser.person_id,
                                                            frozenset({Capacity.AUTHORISER}))]

    other = ready["other"][1]
    assert sentences() == ["Put 2 approved payments together for the bank."]
    grants.withdraw_release(made.staff.approver, other.id)
    assert sentences() == ["Put one approved payment together for the bank."]
    batch = make_batch(made.staff)
    assert sentences() == [f"Authorise the batch {batch.reference} of £240."]
    authorise(made.staff, batch.id)
    actions.make_file(batch.id)
    assert sentences() == [f"Take the file {batch.reference} of £240 to the bank."]
    actions.take_file_by_hand(made.staff.authoriser, batch.id)
    assert sentences() == [f"The bank is about to pay the batch {batch.reference} of £240."]
    actions.read_message(make_statement([(True, release.amount_pence, release.end_to_end_id), (True, 5_00, None)]))
    assert sentences() == ["Explain lines of the bank statement that match no payment: 1."]
    assert queries.waiting_for(made.staff.officer.person_id, frozenset({Capacity.OFFICER})) == []
