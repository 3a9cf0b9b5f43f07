"""What changes the endowment: `money` in and what it earns, `investments`, the `reserve`, `spending`, and the end of
`proposals`."""

from fund.endowment.actions.investments import agree_trade, call_off_trade, record_valuation, settle_trade
from fund.endowment.actions.money import deficit_pence, receive_tranche, record_income, record_return
from fund.endowment.actions.proposals import end_proposal
from fund.endowment.actions.reserve import (
    approve_reserve_change,
    end_payment,
    pay_owner,
    propose_reserve_change,
    switch_reserve,
)
from fund.endowment.actions.spending import (
    budget_running_costs,
    choose_rule,
    confirm_recovery_plan,
    confirm_spending_limit,
    draw_down,
    propose_recovery_plan,
    propose_spending_limit,
    record_price,
)

__all__ = [
    "agree_trade", "approve_reserve_change", "budget_running_costs", "call_off_trade", "choose_rule",
    "confirm_recovery_plan", "confirm_spending_limit", "deficit_pence", "draw_down", "end_payment", "end_proposal",
    "pay_owner", "propose_recovery_plan", "propose_reserve_change", "propose_spending_limit", "receive_tranche",
    "record_income", "record_price", "record_return", "record_valuation", "settle_trade", "switch_reserve",
]
