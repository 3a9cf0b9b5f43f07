"""The endowment for anybody to read: what came in, what it earned, and what the rule lets a year spend."""

from typing import Any

from flask import Blueprint, render_template

from fund.endowment import queries, rules
from fund.kernel.words import _
from fund.web import access

blueprint = Blueprint("endowment", __name__)


def rule_words(limit: Any) -> str:
    """The rule by which a limit was set, with its share of the value."""
    rule = rules.RULES[limit.rule, limit.rule_version]
    return _("%(rule)s, %(rate)s%%", rule=_(rule.title), rate=rules.percent(limit.rate_basis_points))


@blueprint.get("/endowment")
@access.public
def overview() -> str:
    """What the endowment is worth, its tranches with their shares, its return, and each year's limit."""
    return render_template(
        "endowment/overview.html", worth=queries.worth(), shares=queries.shares_of_tranches(),
        returns=queries.returns(most=50), limits=queries.limits_with_what_is_left(), rule_words=rule_words)
