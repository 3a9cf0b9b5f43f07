"""The endowment for anybody to read: what came in, what it earned, what the rule lets a year spend, will it last."""

from typing import Any

from flask import Blueprint, render_template, request

from fund.endowment import formats, queries, rules
from fund.endowment.forms import AssumptionsForm
from fund.kernel import clock
from fund.kernel.words import _
from fund.web import access, limits

blueprint = Blueprint("endowment", __name__)
blueprint.add_app_template_filter(formats.short_pounds, "short_pounds")


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


@blueprint.get("/endowment/will-it-last")
@limits.at_most("60 per minute")
@access.public
def will_it_last() -> Any:
    """Thousands of possible futures under each rule: how often the real value lasts, and what each year would spend."""
    form, today = AssumptionsForm.of(request.args), clock.today()
    assumed = form.assumptions() if form.validate() else None
    for wrong in rules.reasons_outside(assumed) if assumed is not None else ():
        form.blame(wrong)
    choices = queries.rules_to_compare(today)
    start = queries.start(today)
    found = queries.projection(start, assumed, choices) if assumed and not form.errors and start.value_pence else None
    shown = next((n for n, choice in enumerate(choices) if choice.rule.name == form.rule.data), 0)
    drawing = formats.fan(rules.SHOWN_YEARS, found.outcomes[shown].fan) if found else None
    return form.page("endowment/will_it_last.html", found=found, start=start, choices=choices, shown=shown, rules=rules,
                     fan=drawing, percent=rules.percent)
