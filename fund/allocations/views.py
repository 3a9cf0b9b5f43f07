"""How a year's money was shared among the neighbourhoods, for anybody to work through again."""

from flask import Blueprint, render_template

from fund.allocations import queries
from fund.web import access

blueprint = Blueprint("allocations", __name__)


@blueprint.get("/allocations/<financial_year>")
@access.public
def shared(financial_year: str) -> str:
    """The rule, the pot, the floor and each place's share, by the places' names."""
    run = queries.run_of_year(financial_year)
    return render_template("allocations/run.html", run=run, shares=queries.shares_of_run(run.id),
                           text=queries.rule_text(run))
