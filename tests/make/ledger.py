"""A funded endowment for anybody's test: a tranche, its return, a year's limit and a drawdown, by the real actions."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from fund.endowment import actions, queries, rules
from fund.endowment.models import Drawdown, EndowmentReturn, SpendingLimit, Tranche
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.ids import new_id
from fund.ledger import actions as ledger
from fund.ledger import rules as accounts
from fund.transparency import actions as record
from tests.make.people import make_staff


@dataclass(frozen=True)
class FundedEndowment:
    tranches: list[Tranche]
    earned: EndowmentReturn
    limit: SpendingLimit
    drawdown: Drawdown
    financial_year: str


def make_tranche(*, amount_pence: int = 1_000_000_000, received_on: date = date(2025, 6, 2), reclaim_pence: int = 0,
                 sender: str = "Reclaim Fund Ltd", reference: str | None = None, scheme: str = "banks") -> Tranche:
    reference = reference or f"RFL-{new_id().hex[:8]}"
    return actions.receive_tranche(
        SYSTEM, sender=sender, reference=reference, amount_pence=amount_pence, received_on=received_on, scheme=scheme,
        reclaim_pence=reclaim_pence, document=reference.encode())


def make_funded_endowment(*, spendable_pence: int = 50_000_000, tranches: int = 2, on: date | None = None,
                          financial_year: str | None = None) -> FundedEndowment:
    """£500,000 spendable by default, from capital large enough for a limit of 4 % a year. `on` is today."""
    on = on or clock.today()
    year = financial_year or rules.financial_year(on)
    before = date(rules.first_day(year).year - 1, 6, 2)
    made = [make_tranche(amount_pence=spendable_pence * 30 // tranches, received_on=before) for _ in range(tranches)]
    earned = actions.record_income(SYSTEM, amount_pence=spendable_pence * 2, earned_on=date(before.year + 1, 3, 1),
                                   source="Custodian", reference=f"INC-{new_id().hex[:8]}")
    limit = make_limit(year, set_on=rules.first_day(year))
    drawdown = actions.draw_down(SYSTEM, amount_pence=spendable_pence, financial_year=year, drawn_on=on,
                                 reference=f"DD-{new_id().hex[:8]}")
    return FundedEndowment(made, earned, limit, drawdown, year)


def make_trustee() -> Actor:
    """Somebody who is a trustee, acting as one."""
    return Actor(Capacity.TRUSTEE, make_staff(Capacity.TRUSTEE).id)


def make_limit(financial_year: str, *, set_on: date, asked_pence: int | None = None, **more: Any) -> SpendingLimit:
    """A year's limit of two trustees."""
    one, other = make_trustee(), make_trustee()
    proposal = actions.propose_spending_limit(one, financial_year, set_on=set_on, asked_pence=asked_pence, **more)
    return actions.confirm_spending_limit(other, proposal.id)


def make_holding(amount_pence: int, on: date, *, holding: str = "World shares") -> None:
    """Invest cash, settled on the same day."""
    trade = actions.agree_trade(SYSTEM, buy=True, holding=holding, amount_pence=amount_pence, agreed_on=on,
                                reference=f"BUY-{new_id().hex[:8]}")
    actions.settle_trade(SYSTEM, trade.reference, settled_on=on)


def make_change_of_value(pence: int, on: date, *, holding: str = "World shares") -> None:
    """A valuation by so much more (or less) than the holding is carried at."""
    carried = queries.holding_facts(holding).carried_pence
    actions.record_valuation(SYSTEM, holding=holding, value_pence=carried + pence, valued_on=on, source="Valuer",
                             reference=f"VAL-{new_id().hex[:8]}", document=b"valuation")


def make_decision(place_code: str, amount_pence: int) -> UUID:
    """The public record of a decision that no panel took: its id. It stands until somebody asks what a commit would."""
    return record.append("decision", {"area": place_code, "amount": str(amount_pence), "outcome": "awarded"},
                         idem_key=f"test/{new_id()}").id


def make_allocation(place_code: str = "E05000650", *, amount_pence: int = 10_000_000, name: str = "Ardwick",
                    on: date | None = None) -> str:
    """An allocation with money on it, posted straight to the ledger: for tests below the part allocations."""
    code = ledger.open_account(accounts.allocation(place_code), name=name)
    ledger.post("area_allocation", accounts.area_allocation([(place_code, amount_pence)]),
                effective_on=on or clock.today(), idem_key=f"test/{new_id()}")
    return code
