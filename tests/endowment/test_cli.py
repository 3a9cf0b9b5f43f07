"""The commands: a year from a tranche to spendable money, and refusals in their own sentences."""

import pytest
from click.testing import CliRunner

from fund.endowment.cli import commands
from fund.ledger import queries


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
    return run


def test_a_year_from_a_tranche_to_spendable_money(fund):
    fund("buy", "--reference", "B1", "--amount", "200,000,000", "--on", "2025-07-01")
    fund("record-income", "--source", "Custodian", "--reference", "I1", "--amount", "20,000,000", "--on", "2026-03-01")
    fund("record-gain", "--source", "Valuer", "--reference", "V1", "--amount", "1000.50", "--on", "2026-03-31")
    assert "2026-27 may spend £12,800,040.02" in fund("set-limit", "2026-27", "--on", "2026-04-01")
    fund("draw-down", "2026-27", "--reference", "D1", "--amount", "1,000,000", "--on", "2026-04-02")
    fund("budget-costs", "2026-27", "--reference", "C1", "--amount", "100,000", "--on", "2026-04-02")
    assert queries.balance_of("3200").posted_pence == 90_000_000


@pytest.mark.parametrize(("words", "sentence"), [
    (("draw-down", "2026-27", "--reference", "D1", "--amount", "1", "--on", "2026-04-02"), "Only £0 of the limit"),
    (("set-limit", "2026-27", "--on", "2026-04-01"), "There is no return to spend"),
    (("set-limit", "next year"), "Write the year like 2026-27"),
    (("record-loss", "--source", "V", "--reference", "1", "--amount", "1"), "There is not enough money"),
    (("record-income", "--source", "V", "--reference", "1", "--amount", "1e9"), "Write the amount in pounds"),
])
def test_a_refusal_is_a_sentence(fund, words, sentence):
    assert sentence in fund(*words, fails=True)


def test_trustees_choose_a_rule_and_anybody_works_the_limit_out_again(fund):
    assert "yale, version 1, rate 5%, weight 80%, low 4%, high 6.5%" in fund("choose-rule", "2026-27", "yale",
                                                                               "--rate", "5")
    fund("record-income", "--source", "C", "--reference", "I1", "--amount", "20,000,000", "--on", "2026-03-01")
    assert "No limit is set" in fund("check-limit", "2026-27", fails=True)
    assert "2026-27 may spend £16,000,000" in fund("set-limit", "2026-27", "--on", "2026-04-01")
    assert "yale version 1 gives £16,000,000" in fund("check-limit", "2026-27")
    assert "set already" in fund("choose-rule", "2026-27", "rolling_average", fails=True)


@pytest.mark.parametrize(("words", "sentence"), [
    (("choose-rule", "2026-27", "yale", "--rate", "11"), "between 0.01% and 10%"),
    (("choose-rule", "2026-27", "rolling_average", "--weight", "80"), "no such figure"),
    (("choose-rule", "2026-27", "rolling_average", "--rate", "4.567"), "Write it like 4 or 5.25"),
    (("choose-rule", "2026-27", "rolling_average", "--rate", "-4"), "Write it like 4 or 5.25"),
    (("choose-rule", "2026-28", "rolling_average"), "Write the year like 2026-27"),
    (("choose-rule", "2026-27", "lottery"), "'lottery' is not one of"),
    (("set-limit", "2026-27", "--amount", "0"), "more than nothing"),
])
def test_a_rule_or_limit_that_makes_no_sense_is_a_sentence(fund, words, sentence):
    assert sentence in fund(*words, fails=True)
