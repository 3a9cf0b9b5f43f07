"""How the money flows: from the tranches that came in to the places that it is set aside for, as a picture."""

from flask import render_template

from fund.endowment import queries as endowment
from fund.ledger import queries as ledger
from fund.portal.rules import flow
from fund.portal.views.blueprint import blueprint
from fund.web import access


@blueprint.get("/ledger/flow")
@access.public
def money_flow() -> str:
    """Tranches, capital, what it earned, what was let out, and the places that it went to, each on its scale."""
    steps = dict(ledger.steps_of_a_pound())
    tranches = [(f"{one.sender}, {one.reference}", one.capital_pence) for one in endowment.shares_of_tranches()]
    found = ledger.largest_allocations(most=flow.MOST_BARS - 1)
    places = [(one.name, one.credits_posted_pence) for one in found]
    rest = ledger.allocated_pence() - sum(pence for _, pence in places)
    earned, let_out = (flow.part_of(steps[name], steps["capital"]) for name in ("earned", "let_out"))
    return render_template(
        "portal/flow.html", steps=steps, tranches=flow.row(tranches), earned=earned, let_out=let_out,
        places=flow.row([*places, (flow.REST, rest)]), codes={one.name: one.code for one in found})
