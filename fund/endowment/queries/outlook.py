"""Whether it will last: where the endowment stands today, and the rules beside each other."""

from datetime import date

from fund.endowment import rules
from fund.endowment.queries.limits import limits_of, prices, rule_for
from fund.endowment.queries.records import worth
from fund.endowment.rules import Choice, Start
from fund.ledger import queries as ledger


def start(today: date) -> Start:
    """Where the endowment stands: its value and capital, what all gifts are worth today, and the limit before."""
    moved, year = ledger.moved_by_day(), rules.financial_year(today)
    now, index = worth(rules.total_return(moved.items())), prices()
    gifts = rules.floor_of(ledger.capital_by_day(today), rules.latest_known(today, index), index)
    ends = [value.value_pence for value in rules.values_on(moved.items(), rules.year_ends_before(year)[:2])
            if value.value_pence > 0]
    limits = limits_of([rules.year_before(year), year])  # this year's, when it is set: the next limit follows it
    return Start(now.whole_pence, now.capital_pence, sum(gift.floor_pence for gift in gifts),
                 limits.get(year, limits.get(rules.year_before(year))), tuple(ends))


def rules_to_compare(today: date) -> list[Choice]:
    """The rule in force first, with its figures, then the others with their usual ones."""
    return rules.beside(rule_for(rules.financial_year(today)))
