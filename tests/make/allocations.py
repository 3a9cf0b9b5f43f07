"""A sharing-out of a pot among the shipped neighbourhoods, by the real actions."""

from datetime import date

from fund.allocations import actions
from fund.allocations.models import AllocationRun
from fund.endowment.rules import financial_year
from fund.kernel import clock
from fund.kernel.actor import SYSTEM
from tests.make.ledger import make_funded_endowment
from tests.make.neighbourhoods import load_facts


def make_allocation_run(*, pot_pence: int = 50_000_000, floor_pence: int = 2_000_000, on: date | None = None,
                        funded: bool = True) -> AllocationRun:
    """£500,000 shared among the ten places of the shipped facts, at least £20,000 each; the endowment is made too."""
    on = on or clock.today()
    if funded:
        make_funded_endowment(spendable_pence=pot_pence, on=on)
    load_facts()
    return actions.run_allocation(SYSTEM, pot_pence=pot_pence, floor_pence=floor_pence, on=on,
                                  financial_year=financial_year(on))
