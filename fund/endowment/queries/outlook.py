"""Whether it will last: where the endowment stands today, the rules beside each other, and the futures worked out."""

from collections.abc import Sequence
from datetime import date

from fund.endowment import rules
from fund.endowment.queries.limits import previous_limit_pence, rule_for
from fund.endowment.queries.records import values_on, worth
from fund.endowment.rules import Assumptions, Choice, Projection, RuleKey, Start
from fund.ledger import queries as ledger


def start(today: date) -> Start:
    """Where the endowment stands: its value and capital, what all gifts are worth today, and the limit before."""
    now, gifts = worth(), rules.floor_of(ledger.capital_by_day(today), rules.latest_known(today))
    year = rules.financial_year(today)
    ends = [value.value_pence for value in values_on(rules.year_ends_before(year)[:2]) if value.value_pence > 0]
    previous = previous_limit_pence(rules.year_after(year))  # this year's, when it is set: the next limit follows it
    if previous is None:
        previous = previous_limit_pence(year)
    return Start(now.whole_pence, now.capital_pence, sum(gift.floor_pence for gift in gifts), previous, tuple(ends))


def rules_to_compare(today: date) -> list[Choice]:
    """The rule in force first, with its figures, then the others with their usual ones."""
    in_force = rule_for(rules.financial_year(today))
    return [in_force, *(rules.choice_of(rule.name, {}) for rule in rules.IN_USE if rule.name != in_force.rule.name)]


def projection(start: Start, assumed: Assumptions, choices: Sequence[Choice]) -> Projection:
    """The futures of the endowment from where it stands, under each of these rules."""
    return rules.project(start, assumed, tuple(map(RuleKey.of, choices)))
