"""The bank's files: what we send fits the schema and adds up; what it answers is read, or refused in words."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from fund.bank import formats
from fund.kernel.errors import BadInput, Broken
from tests.make.bank import IBAN, make_order, running_bank

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).resolve().parents[2].parent / "shared"))
STANDARDS = SHARED / "standards" / "iso20022"


def read(body):
    return formats.read_message(body, our_iban=IBAN)


@pytest.fixture(scope="module")
def bank():
    with running_bank() as bank:
        yield bank


@pytest.fixture(scope="module")
def answered(bank):
    """One file of three payments: sent, booked, and its second payment back four days later. All of the messages."""
    order = make_order(payments=3)
    bank.behave("return-later", days=2, reason="AC04", end_to_end_id="TEST00001")
    assert bank.ask("POST", "/payments", formats.payment_file(order))["status"] == "ACCP"
    bank.advance(1)
    bank.advance(6)
    return [read(body) for body in bank.messages()]


def test_the_same_order_gives_the_same_bytes_in_any_order_of_its_payments():
    order = make_order(payments=5)
    made = formats.payment_file(order)
    assert made == formats.payment_file(replace(order, payments=tuple(reversed(order.payments))))
    assert formats.totals(made) == (5, sum(payment.amount_pence for payment in order.payments))


def test_a_changed_digit_gives_other_bytes():
    order = make_order()
    other = replace(order, payments=(replace(order.payments[0], account_number="66374959"), order.payments[1]))
    assert formats.payment_file(order) != formats.payment_file(other)


@pytest.mark.skipif(not STANDARDS.is_dir(), reason="needs ../shared/standards")
def test_the_file_fits_the_published_schema_too():
    xmlschema.XMLSchema(STANDARDS / "pain.001.001.09.xsd").validate(formats.payment_file(make_order()).decode())


@pytest.mark.parametrize("change", [{"sort_code": "08-99-99" * 6}, {"account_number": "6" * 40}, {"holder": "???"},
                                    {"amount_pence": 0}, {"end_to_end_id": "E" * 36}])
def test_an_order_that_does_not_fit_the_schema_makes_no_file(change):
    order = make_order()
    wrong = replace(order, payments=(replace(order.payments[0], **change),))
    if "holder" in change:
        wrong = replace(order, payments=(replace(order.payments[0], holder="日本"),))
    with pytest.raises(Broken):
        formats.payment_file(wrong)


@given(st.text(max_size=60))
def test_bank_text_holds_only_what_banks_carry(text):
    kept = formats.bank_text(text, 18)
    assert len(kept) <= 18
    assert kept.isascii()
    assert not set(kept) & set("<>\x00\"\n")


def test_accents_are_folded_and_not_lost():
    assert formats.bank_text("Clwb Ffynnon Fôr — Llŷn", 140) == "Clwb Ffynnon For Llyn"


def test_the_bank_takes_the_file_and_each_answer_is_read(answered):
    kinds = [message.kind for message in answered]
    assert {"pain.002", "camt.054", "camt.053", "pacs.004"} <= set(kinds)
    report = answered[kinds.index("pain.002")]
    assert (report.about, report.file_status) == ("LUCF-TEST-1", "ACCP")
    assert {(status.end_to_end_id, status.status) for status in report.statuses} == {
        (f"TEST0000{number}", "ACCP") for number in range(3)}


def test_statement_lines_carry_reference_date_amount_and_side(answered):
    lines = [line for message in answered if message.kind == "camt.053" for statement in message.statements
             for line in statement.lines]
    debits = [line for line in lines if line.is_debit]
    assert [(line.end_to_end_id, line.amount_pence, line.booked_on) for line in debits] == [
        (f"TEST0000{number}", 1_000_00 + number, date(2026, 11, 24)) for number in range(3)]
    [back] = [line for line in lines if not line.is_debit]
    assert (back.end_to_end_id, back.amount_pence, back.reason) == ("TEST00001", 1_000_01, "AC04")
    assert len({(line.statement_id, line.number) for line in lines}) == len(lines)
    assert len({line.bank_reference for line in lines}) == len(lines)


def test_every_statement_adds_up(answered):
    statements = [statement for message in answered for statement in message.statements]
    assert statements
    assert all(statement.gap_pence == 0 for statement in statements)


def test_the_statements_of_other_accounts_are_not_opened(bank):
    bank.advance(1)
    assert all(formats.read_message(body, our_iban="GB00OTHER").statements == ()
               for body in bank.messages("camt.053"))


def test_a_return_names_its_payment_and_reason(answered):
    [message] = [message for message in answered if message.kind == "pacs.004"]
    assert [(status.end_to_end_id, status.status, status.reason) for status in message.statuses] == [
        ("TEST00001", "RTRN", "AC04")]


def test_a_second_post_of_one_file_is_a_duplicate_and_says_nothing_of_the_money(bank):
    bank.open_account()
    made = formats.payment_file(make_order(reference="LUCF-TWICE"))
    bank.ask("POST", "/payments", made)
    bank.ask("POST", "/payments", made)
    reports = [read(body) for body in bank.messages("pain.002")]
    assert [(report.file_status, report.file_reason, len(report.statuses)) for report in reports] == [
        ("ACCP", "", 2), ("RJCT", "DUPL", 0)]


def test_a_statement_that_leaves_a_line_out_does_not_add_up(bank):
    bank.open_account()
    bank.behave("statement-gap")
    bank.ask("POST", "/payments", formats.payment_file(make_order(reference="LUCF-GAP")))
    bank.advance(3)
    gaps = [statement.gap_pence for body in bank.messages("camt.053")
            for statement in read(body).statements]
    assert any(gap != 0 for gap in gaps)


BATCHED = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M1</MsgId>
</GrpHdr><Stmt><Id>S1</Id><Acct><Id><IBAN>GB29NWBK60161331926819</IBAN></Id></Acct><Ntry><Amt Ccy="GBP">30.00</Amt>
<CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>2026-11-24T01:02:03</DtTm></BookgDt>
<AcctSvcrRef>R</AcctSvcrRef><NtryDtls>
<TxDtls><Refs><EndToEndId>ONE</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy="GBP">10.00</Amt></TxAmt></AmtDtls></TxDtls>
<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><Amt Ccy="GBP">20.00</Amt></TxDtls>
</NtryDtls></Ntry><Ntry><Amt Ccy="GBP">1.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts>
<BookgDt><Dt>2026-11-24</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>"""


def test_an_entry_that_sums_payments_up_is_opened_and_a_pending_one_left_out():
    [statement] = read(BATCHED.encode()).statements
    assert [(line.number, line.end_to_end_id, line.amount_pence) for line in statement.lines] == [
        (1, "ONE", 10_00), (2, None, 20_00)]


@pytest.mark.parametrize("received", [
    b"", b"\x00\xff", b"hello", b"<a>", b"<Document/>",
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"/>',
    b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    BATCHED.replace('Ccy="GBP">20.00', 'Ccy="EUR">20.00').encode(),
    BATCHED.replace(">20.00", ">NaN").encode(),
    BATCHED.replace(">20.00", ">1e400").encode(),
    BATCHED.replace(">20.00", ">20.001").encode(),
    BATCHED.replace(">20.00", ">-20.00").encode(),
    BATCHED.replace("2026-11-24T01:02:03", "2026-02-30T01:02:03").encode(),
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><a/></Document>',
    b"<?xml version='1.0' encoding='nonsense'?><a/>",
])
def test_what_is_no_answer_of_a_bank_is_refused_in_words(received):
    with pytest.raises(BadInput) as refused:
        read(received)
    assert refused.value.field == "file"
