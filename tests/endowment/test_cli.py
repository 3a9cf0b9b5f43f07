"""The commands: a year from a tranche to spendable money, and refusals in their own sentences."""

import hashlib
from datetime import date

import pytest
from click.testing import CliRunner

from fund.db import session as db_session
from fund.endowment.cli import commands
from fund.ledger import actions as ledger
from fund.ledger import queries
from fund.transparency import queries as public_record
from tests.make.ledger import make_limit


@pytest.fixture
def fund(session, tmp_path):
    document = tmp_path / "advice.pdf"
    document.write_bytes(b"advice of payment")

    def run(*words: str, fails: bool = False) -> str:
        result = CliRunner().invoke(commands, [str(word) for word in words], catch_exceptions=False)
        assert (result.exit_code != 0) == fails, result.output
        return result.output

    run("receive-tranche", "--sender", "Reclaim Fund Ltd", "--reference", "RFL-1", "--amount", "300,000,000",
        "--on", "2025-06-02", "--document", document)
    run.document = document
    return run


def test_a_year_from_a_tranche_to_spendable_money(fund):
    fund("buy", "--reference", "B1", "--amount", "200,000,000", "--on", "2025-07-01")
    fund("record-income", "--source", "Custodian", "--reference", "I1", "--amount", "20,000,000", "--on", "2026-03-01")
    fund("value", "Investments", "--value", "200,001,000.50", "--source", "Valuer", "--reference", "V1",
         "--document", fund.document, "--on", "2026-03-31")
    assert make_limit("2026-27", set_on=date(2026, 4, 1)).amount_pence == 1_280_004_002
    fund("draw-down", "2026-27", "--reference", "D1", "--amount", "1,000,000", "--on", "2026-04-02")
    fund("budget-costs", "2026-27", "--reference", "C1", "--amount", "100,000", "--on", "2026-04-02")
    assert queries.balance_of("3200").posted_pence == 90_000_000


@pytest.mark.parametrize(("words", "sentence"), [
    (("draw-down", "2026-27", "--reference", "D1", "--amount", "1", "--on", "2026-04-02"), "Only £0 of the limit"),
    (("sell", "--reference", "S1", "--amount", "1"), "Only £0 of Investments can be sold"),
    (("buy", "--reference", "B1", "--amount", "300,000,001", "--on", "2026-04-02"), "There is not enough money"),
    (("buy", "--reference", "B1", "--amount", "0", "--on", "2026-04-02"), "more than nothing"),
    (("settle-trade", "nothing"), "There is no trade nothing"),
    (("record-income", "--source", "V", "--reference", "1", "--amount", "1e9"), "Write the amount in pounds"),
])
def test_a_refusal_is_a_sentence(fund, words, sentence):
    assert sentence in fund(*words, fails=True)


def test_trustees_choose_a_rule_and_anybody_works_the_limit_out_again(fund):
    assert "yale, version 1, rate 5%, weight 80%, low 4%, high 6.5%" in fund("choose-rule", "2026-27", "yale",
                                                                               "--rate", "5")
    fund("record-income", "--source", "C", "--reference", "I1", "--amount", "20,000,000", "--on", "2026-03-01")
    assert "No limit is set" in fund("check-limit", "2026-27", fails=True)
    make_limit("2026-27", set_on=date(2026, 4, 1))
    assert "yale version 1 gives £16,000,000" in fund("check-limit", "2026-27")
    assert "set already" in fund("choose-rule", "2026-27", "rolling_average", fails=True)


@pytest.mark.parametrize(("words", "sentence"), [
    (("choose-rule", "2026-27", "yale", "--rate", "11"), "between 0.01% and 10%"),
    (("choose-rule", "2026-27", "rolling_average", "--weight", "80"), "no such figure"),
    (("choose-rule", "2026-27", "rolling_average", "--rate", "4.567"), "Write it like 4 or 5.25"),
    (("choose-rule", "2026-27", "rolling_average", "--rate", "-4"), "Write it like 4 or 5.25"),
    (("choose-rule", "2026-28", "rolling_average"), "Write the year like 2026-27"),
    (("choose-rule", "2026-27", "lottery"), "'lottery' is not one of"),
])
def test_a_rule_or_limit_that_makes_no_sense_is_a_sentence(fund, words, sentence):
    assert sentence in fund(*words, fails=True)


def test_a_trade_settles_or_is_called_off_and_a_holding_is_valued(fund):
    assert "kept aside" in fund("buy", "--holding", "World shares", "--reference", "B1", "--amount", "1,000",
                                "--on", "2025-07-01", "--unsettled")
    assert queries.balance_of("1100").incoming_pence == 100_000
    assert "settled" in fund("settle-trade", "B1", "--on", "2025-07-03")
    fund("sell", "--holding", "World shares", "--reference", "S1", "--amount", "400", "--on", "2025-08-01",
         "--unsettled")
    assert "Only £600" in fund("sell", "--holding", "World shares", "--reference", "S2", "--amount", "601",
                               "--on", "2025-08-01", fails=True)
    assert "called off" in fund("call-off-trade", "S1", "--on", "2025-08-02")
    assert "settled or called off already" in fund("settle-trade", "S1", "--on", "2025-08-03", fails=True)
    told = fund("value", "World shares", "--value", "1,100.01", "--source", "V", "--reference", "1", "--on",
                "2025-09-01", "--document", fund.document, "--sha256", hashlib.sha256(b"advice of payment").hexdigest())
    assert "carried at £1,100.01, £100.01 more" in told
    assert "World shares: £1,100.01, valued on 2025-09-01 by V" in fund("holdings")


@pytest.mark.parametrize(("words", "sentence"), [
    (("--sha256", "0" * 64), "not the one that was stated"), (("--sha256", "abc"), "64 of the signs"),
    (("--amount", "1e3"), "Write the amount in pounds"), (("--amount", "0"), "more than nothing"),
    (("--amount", "-5"), "Write the amount in pounds"), (("--amount", "1.005"), "Write the amount in pounds"),
    (("--amount", "99999999999999"), "Write the amount in pounds"), (("--on", "2025-02-30"), "does not match"),
    (("--document", "nowhere.pdf"), "does not exist"), (("--scheme", "lottery"), "is not one of"),
])
def test_a_tranche_that_makes_no_sense_is_a_sentence_and_nothing_is_written(fund, words, sentence):
    size = public_record.size()
    command = {"--sender": "Reclaim Fund Ltd", "--reference": "RFL-2", "--amount": "10", "--on": "2025-06-03",
               "--document": fund.document, **dict([words])}
    assert sentence in fund("receive-tranche", *(word for pair in command.items() for word in pair), fails=True)
    assert public_record.size() == size


def test_a_day_in_a_closed_period_is_a_sentence(fund):
    ledger.close_period(date(2025, 12, 31), idem_key="close")
    db_session.commit()
    for words in (("record-income", "--source", "C", "--reference", "I"), ("buy", "--reference", "B")):
        assert "The books are closed for that day" in fund(*words, "--amount", "1", "--on", "2025-12-31", fails=True)


def test_the_reserve_for_owners_is_switched_on_paid_from_and_off(fund):
    assert "keeps no reserve" in fund("pay-owner", "--reference", "R1", "--amount", "1", fails=True)
    assert "is on" in fund("reserve", "on")
    fund("receive-tranche", "--sender", "Reclaim Fund Ltd", "--reference", "RFL-2", "--amount", "100",
         "--reclaim", "40", "--on", "2025-07-01", "--document", fund.document)
    assert "£10 is kept aside for R1" in fund("pay-owner", "--reference", "R1", "--amount", "10", "--on", "2025-07-02")
    assert "R1 is paid" in fund("end-payment", "R1", "paid", "--on", "2025-07-03")
    assert "Only £30 is set by" in fund("pay-owner", "--reference", "R2", "--amount", "31", fails=True)
    assert "There is no payment R3" in fund("end-payment", "R3", "called-off", fails=True)
    assert queries.balance_of("2000").posted_pence == 3_000
    assert "is off" in fund("reserve", "off")
    assert "keeps no reserve" in fund("receive-tranche", "--sender", "Reclaim Fund Ltd", "--reference", "RFL-3",
                                      "--amount", "100", "--reclaim", "1", "--document", fund.document, fails=True)


@pytest.mark.parametrize(("words", "sentence", "fails"), [
    (("2026-06", "142.6"), "Prices of 2026-06 stand at 142.6", False),
    (("2026-06", "142"), "with one decimal", True), (("2026-06", "1e2.4"), "with one decimal", True),
    (("2026-07", "142.6"), "The next month to record is 2026-06", True), (("June", "142.6"), "does not match", True)])
def test_what_prices_did_is_recorded_month_by_month(fund, words, sentence, fails):
    assert sentence in fund("record-price", *words, "--source", "ONS D7BT", fails=fails)
