"""A real mock-bank on loopback, and batches made through the part's own actions."""

import itertools
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from fund.bank import actions, queries
from fund.bank.formats import Payment, PaymentOrder
from fund.kernel import clock
from fund.settings import DEMO_IBAN as IBAN


class Bank:
    """The bank's control desk: its address, its clock and its accounts."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the bank's own interface; gives what it answers, as JSON."""
        data = body if isinstance(body, bytes) else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def open_account(self, **fields: Any) -> None:
        """The fund's account at this bank."""
        self.ask("POST", "/_mock/reset")
        self.ask("POST", "/_mock/accounts", {"id": "FUND", "name": "The fund", "iban": IBAN, "currency": "GBP",
                                             "balance": 100_000_000, **fields})

    def behave(self, behaviour: str, **parameters: Any) -> None:
        """What the bank does with the fund's payments from now on, as `return-later` or `insufficient-funds`."""
        self.ask("PATCH", "/_mock/accounts/FUND", {"behaviour": behaviour, "parameters": parameters})

    def advance(self, days: int) -> None:
        """Move the bank's clock on."""
        self.ask("POST", f"/_mock/advance?days={days}")

    def messages(self, kind: str = "") -> list[bytes]:
        """Every message that the bank has sent, oldest first."""
        return [row["body"].encode() for row in self.ask("GET", f"/_mock/mailbox?leave&type={kind}")]


@contextmanager
def running_bank(*, clock: str = "2026-11-23T09:00") -> Iterator[Bank]:
    """A bank of its own, with the fund's account open, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "mockbank", "--port", str(port), "--timezone", "Europe/London",
                                "--clock", clock, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bank = Bank(port)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                bank.ask("GET", "/_mock/health")
                break
            except urllib.error.URLError:
                assert time.monotonic() < until, "the mock bank did not start"
        bank.open_account()
        yield bank
    finally:
        process.kill()
        process.wait()


def make_order(*, reference: str = "LUCF-TEST-1", payments: int = 2, amount_pence: int = 1_000_00,
               execute_on: date = date(2026, 11, 24), holder: str = "Café & Hall") -> PaymentOrder:
    """An order of `payments` payments."""
    return PaymentOrder(reference, datetime(2026, 11, 23, 9, tzinfo=UTC), execute_on, "The fund", IBAN, tuple(
        Payment(f"TEST{number:05}", amount_pence + number, holder, "089999", "66374958", "Grant GRT-TEST stage 1")
        for number in range(payments)))


def make_batch(staff: Any, releases: Sequence[Any] | None = None, *, execute_on: date | None = None) -> Any:
    """A frozen batch of these releases, or of all that wait."""
    return actions.build_batch(staff.authoriser, None if releases is None else [release.id for release in releases],
                               execute_on=execute_on or clock.today())


def authorise(staff: Any, batch_id: uuid.UUID) -> None:
    """The authoriser says yes to what their screen shows."""
    facts = queries.batch(batch_id).facts
    actions.authorise_batch(staff.authoriser, batch_id, total_pence=facts.total_pence,
                            lines_sha256=facts.lines_sha256)


_statements = itertools.count(1)


def make_statement(lines: Sequence[tuple[bool, int, str | None]], *, booked_on: date | None = None,
                   statement_id: str | None = None, reason: str = "AC04", gap_pence: int = 0) -> bytes:
    """A camt.053 of the fund's account, as a bank writes it: (is it a debit, pence, reference) for each line."""
    number = next(_statements)
    statement_id = statement_id or f"ST-{number}-{uuid.uuid4().hex[:8]}"
    on = (booked_on or clock.today()).isoformat()
    moved = sum(-pence if is_debit else pence for is_debit, pence, _ in lines) + gap_pence
    entries = "".join(f"""<Ntry><Amt Ccy="GBP">{_pounds(pence)}</Amt>
<CdtDbtInd>{"DBIT" if is_debit else "CRDT"}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>{on}</Dt></BookgDt><AcctSvcrRef>BR-{number}-{n}</AcctSvcrRef>
<NtryDtls><TxDtls><Refs><EndToEndId>{reference or "NOTPROVIDED"}</EndToEndId></Refs>
<Amt Ccy="GBP">{_pounds(pence)}</Amt>
{"" if is_debit else f"<RtrInf><Rsn><Cd>{reason}</Cd></Rsn></RtrInf>"}</TxDtls></NtryDtls></Ntry>"""
                      for n, (is_debit, pence, reference) in enumerate(lines, 1))
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr>
<MsgId>{statement_id}</MsgId></GrpHdr><Stmt><Id>{statement_id}</Id><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>
{_balance("OPBD", 1_000_000_00, on)}{_balance("CLBD", 1_000_000_00 + moved, on)}{entries}</Stmt></BkToCstmrStmt>
</Document>""".encode()


def _pounds(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"


def _balance(code: str, pence: int, on: str) -> str:
    return (f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="GBP">{_pounds(pence)}</Amt>'
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{on}</Dt></Dt></Bal>")


def make_report(about: str, statuses: Sequence[tuple[str, str, str]] = (), *, file_status: str = "PART",
                file_reason: str = "", message_id: str | None = None) -> bytes:
    """A pain.002 on a file: (reference, status, reason) for each payment."""
    reason = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf>"
    payments = "".join(f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>"
                       f"{reason.format(why) if why else ''}</TxInfAndSts>" for reference, status, why in statuses)
    return f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr>
<MsgId>{message_id or f"R-{uuid.uuid4().hex[:12]}"}</MsgId></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{about}</OrgnlMsgId>
<GrpSts>{file_status}</GrpSts>{reason.format(file_reason) if file_reason else ""}</OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>{about}</OrgnlPmtInfId>{payments}</OrgnlPmtInfAndSts></CstmrPmtStsRpt>
</Document>""".encode()


def pay(staff: Any, *releases: Any) -> Any:
    """These releases in a batch of their own, authorised, with its file, and settled by a statement of today."""
    batch = make_batch(staff, releases)
    authorise(staff, batch.id)
    actions.make_file(batch.id)
    actions.read_message(make_statement([(True, release.amount_pence, release.end_to_end_id) for release in releases]))
    return batch


def send_back(release: Any, *, reason: str = "AC04") -> None:
    """A settled payment comes back on a statement of today."""
    actions.read_message(make_statement([(False, release.amount_pence, release.end_to_end_id)], reason=reason))
