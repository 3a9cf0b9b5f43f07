"""The endowment for anybody to read: what came in, what it earned, what the rule lets a year spend, will it last."""

import io
from typing import Any

from flask import render_template, request, send_file

from fund.endowment import formats, queries, rules
from fund.endowment.forms import AssumptionsForm, PeriodForm
from fund.endowment.views import blueprint
from fund.kernel import clock
from fund.kernel.errors import BadInput
from fund.kernel.words import _
from fund.ledger import queries as ledger
from fund.ledger.rules.words import ACCOUNT_CLASSES
from fund.web import access, limits
from fund.web.filters import date as day_words
from fund.web.words import language_now

blueprint.add_app_template_filter(formats.short_pounds, "short_pounds")


def rule_words(limit: Any) -> str:
    """The rule by which a limit was set, with its share of the value."""
    return rule_words_of(limit.rule, limit.rule_version, limit.rate_basis_points)


def rule_words_of(name: str, version: int, rate: int) -> str:
    """A rule with its share of the value, in hundredths of a per cent."""
    return _("%(rule)s, %(rate)s%%", rule=_(rules.RULES[name, version].title), rate=rules.percent(rate))


@blueprint.get("/endowment")
@access.public
def overview() -> str:
    """What the endowment is worth and how the law splits it, its holdings, tranches and return, each year's limit."""
    split = queries.total_return()
    return render_template(
        "endowment/overview.html", worth=queries.worth(split), split=split, shares=queries.shares_of_tranches(),
        returns=queries.returns(most=50), limits=queries.limits_with_what_is_left(), rule_words=rule_words,
        holdings=queries.holdings(), choices=queries.choices(), plans=[
            plan for plan in queries.plans() if plan.leaf_id is not None], titles=rules.RULES, percent=rules.percent)


@blueprint.get("/endowment/limits/<financial_year>")
@access.public
def limit(financial_year: str) -> str:
    """How a year's limit was worked out, from what stands in its public record, and worked out again from that."""
    found = queries.spending_limit(financial_year)
    plan = queries.plan(found.plan_id) if found.plan_id else None
    again = rules.recomputed(found.inputs) if found.inputs_sha256 else None
    return render_template("endowment/limit.html", limit=found, plan=plan, again=again, rule_words=rule_words,
                           percent=rules.percent, series=rules.SERIES)


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
    found = rules.compare(start, assumed, choices) if assumed and not form.errors and start.value_pence else None
    shown = next((n for n, choice in enumerate(choices) if choice.rule.name == form.rule.data), 0)
    drawing = formats.fan(rules.SHOWN_YEARS, found.outcomes[shown].fan) if found else None
    return form.page("endowment/will_it_last.html", found=found, start=start, choices=choices, shown=shown, rules=rules,
                     fan=drawing, percent=rules.percent)


#: A statement, and that of the period before.
Statements = tuple[rules.Statement, rules.Statement]


def _statements() -> tuple[PeriodForm, Statements | None]:
    """The period that the address names, this financial year without one; its statement and the one before it."""
    today = clock.today()
    form = PeriodForm.of(request.args, rules.first_day(rules.financial_year(today)), today)
    days = form.days()
    if days is None:
        return form, None
    moved = ledger.moved_by_day()
    return form, (rules.statement(moved.items(), *days),
                  rules.statement(moved.items(), *rules.period_before(*days)))


def _columns() -> list[str]:
    return [_("Fund"), _("Opening"), _("Income"), _("Spending"), _("Transfers"), _("Gains and losses"), _("Closing")]


def _rows(found: rules.Statement) -> list[tuple[str, tuple[int, ...]]]:
    """The rows of a statement: each fund, the sum of each kind of fund, and the sum of all."""
    names = {fund: _(ACCOUNT_CLASSES[fund][0]) for fund in rules.FUNDS}
    lines = {line.fund: line for line in found.lines}
    return [*((names[fund], lines[fund].amounts) for fund in rules.ENDOWMENT_FUNDS),
            (_("The endowment"), found.together(rules.ENDOWMENT_FUNDS).amounts),
            *((names[fund], lines[fund].amounts) for fund in rules.INCOME_FUNDS),
            (_("Income, to be spent"), found.together(rules.INCOME_FUNDS).amounts),
            (_("All funds"), found.together().amounts)]


#: Which of the rows are sums.
SUMS = (len(rules.ENDOWMENT_FUNDS), len(rules.FUNDS) + 1, len(rules.FUNDS) + 2)


def _days(found: rules.Statement) -> str:
    return _("From %(first)s to %(last)s", first=day_words(found.first), last=day_words(found.last))


def _days_before(before: rules.Statement) -> str:
    return _("To compare: from %(first)s to %(last)s", first=day_words(before.first), last=day_words(before.last))


@blueprint.get("/endowment/statement")
@access.public
def statement() -> Any:
    """How each fund moved in a period, in the columns of the charities' accounting rules, and in the one before."""
    form, found = _statements()
    tables = [(caption, name, _rows(one)) for caption, name, one in (
        (_days(found[0]), "statement", found[0]), (_days_before(found[1]), "before", found[1]))] if found else []
    return form.page("endowment/statement.html", found=found[0] if found else None, columns=_columns(), tables=tables,
                     sums=SUMS)


@blueprint.get("/endowment/statement.csv")
@access.public
def statement_csv() -> Any:
    """The statement as a table for a spreadsheet: the columns of the period, then those of the period before."""
    found, before = _statements_or_refuse()
    header = _columns()
    header += [_("%(column)s, %(first)s to %(last)s", column=column, first=before.first.isoformat(),
                 last=before.last.isoformat()) for column in header[1:]]
    rows = [(name, (*now, *then)) for (name, now), (_name, then) in zip(_rows(found), _rows(before), strict=True)]
    return send_file(io.BytesIO(formats.csv_of(header, rows)), mimetype="text/csv", as_attachment=True,
                     download_name=f"funds-{found.first}-{found.last}.csv")


@blueprint.get("/endowment/statement.pdf")
@access.public
def statement_pdf() -> Any:
    """The statement as a page to print, with the period before below it."""
    found, before = _statements_or_refuse()
    paper = formats.pdf_of(
        _("Statement of the funds"), [_("Every figure is a sum of entries of the public ledger. What leaves a fund has "
                                        "a minus.")],
        _columns(), [(_days(found), _rows(found)), (_days_before(before), _rows(before))], SUMS, language_now())
    return send_file(io.BytesIO(paper), mimetype="application/pdf", as_attachment=True,
                     download_name=f"funds-{found.first}-{found.last}.pdf")


def _statements_or_refuse() -> Statements:
    form, found = _statements()
    if found is None:
        raise BadInput(next(str(error) for errors in form.errors.values() for error in errors))
    return found
