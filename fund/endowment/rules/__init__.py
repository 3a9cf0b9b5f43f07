"""What is allowed with the endowment, and how much. Pure.

`years` are the fund's own years; `prices` what prices did and what past gifts are worth today; `spending` the rules
that trustees choose among; `limits` why a limit, a drawdown or a budget may not be set; `two_trustees` what takes two;
`projection` whether it will last; `statement` how each fund moved; `investments`,
`total_return` and the `reserve` for owners; `given` how words are read.
"""

from fund.endowment.rules.investments import (
    HoldingFacts,
    reasons_not_to_end_trade,
    reasons_not_to_trade,
    reasons_not_to_value,
)
from fund.endowment.rules.limits import (
    COST_CEILING_BASIS_POINTS,
    KEEPERS,
    SCHEMES,
    SPENDERS,
    LimitFacts,
    Recomputed,
    reasons_not_to_budget_costs,
    reasons_not_to_choose_rule,
    reasons_not_to_confirm_limit,
    reasons_not_to_confirm_plan,
    reasons_not_to_draw_down,
    reasons_not_to_set_limit,
    recomputed,
    same_figures,
)
from fund.endowment.rules.prices import (
    INDEX,
    LAST_MONTH,
    SERIES,
    Gifts,
    Index,
    Level,
    floor_of,
    latest_known,
    month_of,
    months_before,
    reasons_not_to_record_price,
    year_ago,
)
from fund.endowment.rules.projection import (
    ASSUMED_BOUNDS,
    HORIZONS,
    PERCENTILES,
    SHOWN_YEARS,
    Assumptions,
    Outcome,
    Projection,
    RuleKey,
    Start,
    beside,
    compare,
    project,
    reasons_outside,
    start_of,
)
from fund.endowment.rules.reserve import (
    reasons_not_to_approve_change,
    reasons_not_to_change_reserve,
    reasons_not_to_end_payment,
    reasons_not_to_pay_owner,
    reasons_not_to_receive,
)
from fund.endowment.rules.spending import (
    BOUNDS,
    DEFAULT_CHOICE,
    IN_USE,
    RULES,
    Choice,
    Inputs,
    SpendingRule,
    choice_of,
    percent,
)
from fund.endowment.rules.statement import (
    ENDOWMENT_FUNDS,
    FUNDS,
    INCOME_FUNDS,
    FundLine,
    Statement,
    period_before,
    statement,
)
from fund.endowment.rules.total_return import TotalReturn, total_return, values_on
from fund.endowment.rules.years import (
    MOST_VALUES,
    Value,
    financial_year,
    first_day,
    year_after,
    year_before,
    year_ends_before,
)

__all__ = [
    "ASSUMED_BOUNDS", "BOUNDS", "COST_CEILING_BASIS_POINTS", "DEFAULT_CHOICE", "ENDOWMENT_FUNDS", "FUNDS",
    "HORIZONS", "INCOME_FUNDS", "INDEX", "IN_USE", "KEEPERS", "LAST_MONTH", "MOST_VALUES", "PERCENTILES", "RULES",
    "SCHEMES", "SERIES", "SHOWN_YEARS", "SPENDERS", "Assumptions", "Choice", "FundLine", "Gifts", "HoldingFacts",
    "Index", "Inputs", "Level", "LimitFacts", "Outcome", "Projection", "Recomputed", "RuleKey", "SpendingRule",
    "Start", "Statement", "TotalReturn", "Value", "beside", "choice_of", "compare", "financial_year", "first_day",
    "floor_of", "latest_known", "month_of", "months_before", "percent", "period_before", "project",
    "reasons_not_to_approve_change", "reasons_not_to_budget_costs", "reasons_not_to_change_reserve",
    "reasons_not_to_choose_rule", "reasons_not_to_confirm_limit", "reasons_not_to_confirm_plan",
    "reasons_not_to_draw_down", "reasons_not_to_end_payment", "reasons_not_to_end_trade",
    "reasons_not_to_pay_owner", "reasons_not_to_receive", "reasons_not_to_record_price", "reasons_not_to_set_limit",
    "reasons_not_to_trade", "reasons_not_to_value", "reasons_outside", "recomputed", "same_figures", "start_of",
    "statement", "total_return", "values_on", "year_after", "year_ago", "year_before", "year_ends_before",
]
