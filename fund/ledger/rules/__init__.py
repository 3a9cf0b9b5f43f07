"""What is allowed in the ledger and why not. Pure.

`lines` builds the lines of each kind of entry; `refusals` says in plain words why one was refused; `replay` recomputes
every balance from the leaves and checks every rule of the posting matrix again.
"""

from fund.ledger.rules.lines import (
    BALANCES_FROM,
    BANK,
    CLASSES,
    DEBIT_NORMAL,
    DEFICIT,
    INVESTMENTS,
    MOST_PENCE,
    PERMANENT_CAPITAL,
    RECLAIM_RESERVE,
    SNAPSHOT_EVERY,
    SPENDABLE,
    UNAPPLIED_RETURN,
    Line,
    Pending,
    Phase,
    allocation,
    area_allocation,
    buy_investments,
    chart,
    deficit_made_good,
    dormant_assets_receipt,
    drawdown,
    drawdown_limit,
    grant,
    grant_decommitted,
    grant_offer,
    grant_return,
    guard_of,
    investment_income,
    mirror,
    operating_budget,
    operating_cost,
    participation_payment,
    payment_returned,
    post_pending,
    reclaim_paid,
    reclaim_reserve_release,
    reclaim_reserve_top_up,
    revaluation_gain,
    revaluation_loss,
    running_costs,
    sell_investments,
    spending_rule_set,
    stage_release,
    void_pending,
)
from fund.ledger.rules.refusals import reasons_not_to_post, why_refused
from fund.ledger.rules.replay import balances_due, balances_file, balances_path

__all__ = [
    "BALANCES_FROM", "BANK", "CLASSES", "DEBIT_NORMAL", "DEFICIT", "INVESTMENTS", "MOST_PENCE", "PERMANENT_CAPITAL",
    "RECLAIM_RESERVE",
    "SNAPSHOT_EVERY", "SPENDABLE", "UNAPPLIED_RETURN", "Line", "Pending", "Phase", "allocation", "area_allocation",
    "balances_due", "balances_file", "balances_path", "buy_investments", "chart",
    "deficit_made_good", "dormant_assets_receipt", "drawdown", "drawdown_limit", "grant", "grant_decommitted",
    "grant_offer", "grant_return", "guard_of", "investment_income", "mirror", "operating_budget", "operating_cost",
    "participation_payment", "payment_returned", "post_pending", "reasons_not_to_post", "reclaim_paid",
    "reclaim_reserve_release", "reclaim_reserve_top_up", "revaluation_gain", "revaluation_loss", "running_costs",
    "sell_investments", "spending_rule_set", "stage_release", "void_pending", "why_refused",
]
