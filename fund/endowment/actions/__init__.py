"""What changes the endowment: `money` in and what it earns, `spending` of what of that is spent."""

from fund.endowment.actions.money import receive_tranche, record_gain, record_income, record_loss, trade
from fund.endowment.actions.spending import (
    budget_running_costs,
    choose_rule,
    confirm_recovery_plan,
    draw_down,
    propose_recovery_plan,
    set_spending_limit,
)

__all__ = ["budget_running_costs", "choose_rule", "confirm_recovery_plan", "draw_down", "propose_recovery_plan",
           "receive_tranche", "record_gain", "record_income", "record_loss", "set_spending_limit", "trade"]
