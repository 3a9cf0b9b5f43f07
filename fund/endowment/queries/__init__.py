"""Reading the endowment: `records` of what came in, what it earned and whose money a pound is; `limits` of what a year
may spend, and from what that is worked out; `outlook` of whether it will last;
`holdings` of what it is invested in; `reserve` for owners; `proposals` that wait for a second trustee;
`check` of it all against the ledger."""

from fund.endowment.queries.check import check
from fund.endowment.queries.holdings import HoldingLine, holding_facts, holdings
from fund.endowment.queries.limits import (
    Plan,
    choice_for,
    choices,
    confirmed_plan,
    last_year_with_a_limit,
    limit_facts,
    limit_is_set,
    limit_proposal,
    plan,
    plans,
    prices,
    proposed_limits,
    rule_for,
    waiting_for,
)
from fund.endowment.queries.outlook import rules_to_compare, start
from fund.endowment.queries.proposals import Kind, Proposal, has_ended, proposal
from fund.endowment.queries.records import (
    TrancheShare,
    Worth,
    budgeted_pence,
    drawdowns,
    limit_left_pence,
    limits_with_what_is_left,
    return_total_pence,
    returns,
    shares_of_tranches,
    spending_limit,
    spending_limits,
    total_return,
    tranches,
    value_on,
    values_on,
    worth,
)
from fund.endowment.queries.reserve import (
    ProposedChange,
    proposed_change,
    proposed_changes,
    reserve_is_on,
    reserve_pence,
)
from fund.endowment.queries.turns import wait_for_holding, wait_for_proposal, wait_for_year

__all__ = [
    "HoldingLine", "Kind", "Plan", "Proposal", "ProposedChange", "TrancheShare", "Worth", "budgeted_pence", "check",
    "choice_for", "choices", "confirmed_plan", "drawdowns", "has_ended", "holding_facts", "holdings",
    "last_year_with_a_limit", "limit_facts", "limit_is_set", "limit_left_pence", "limit_proposal",
    "limits_with_what_is_left", "plan", "plans", "prices", "proposal", "proposed_change", "proposed_changes",
    "proposed_limits", "reserve_is_on", "reserve_pence", "return_total_pence", "returns", "rule_for",
    "rules_to_compare", "shares_of_tranches", "spending_limit", "spending_limits", "start", "total_return",
    "tranches", "value_on", "values_on", "wait_for_holding", "wait_for_proposal", "wait_for_year", "waiting_for",
    "worth",
]
