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
