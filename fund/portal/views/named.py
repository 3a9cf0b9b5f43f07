"""What the words of the record stand for, each with the public page that shows it."""

import re
from collections import defaultdict
from collections.abc import Collection

from flask import url_for

from fund.kernel.words import _
from fund.ledger import queries as ledger
from fund.portal import queries

_YEAR = re.compile("[0-9]{4}-[0-9]{2}")
_PAGES_OF_A_YEAR = {"spending_rule_set": "endowment.limit", "allocation_rule_published": "allocations.shared"}
_OF_A_CLOSED_SITTING = {"decision", "sitting_closed"}


@ledger.names_what_is_said
def named(kind: str, said: Collection[ledger.Said]) -> ledger.Named:
    """Places, rounds, decisions, sittings, grants and years that a line names, in one question; what the fund does not
    have is left as it stands."""
    under: dict[str, set[str]] = defaultdict(set)
    for word, value in said:
        under["area" if word == "neighbourhood" else word].add(value)
    if kind not in _OF_A_CLOSED_SITTING:
        under["sitting"].clear()
    known = queries.known_by(under)
    found = {}
    for word, value in said:
        thing = known.get(("area" if word == "neighbourhood" else word, value))
        if thing is not None:
            found[word, value] = _SHOWN[word](value, thing)
        elif word == "financial_year" and kind in _PAGES_OF_A_YEAR and _YEAR.fullmatch(value):
            found[word, value] = value, url_for(_PAGES_OF_A_YEAR[kind], financial_year=value)
        elif word == "financial_year" and kind == "recovery_plan_recorded":
            found[word, value] = value, url_for("endowment.overview", _anchor="plans")
    return found


def _place(code: str, place: queries.Known) -> tuple[str, str]:
    return f"{place.name} ({code})", url_for("portal.neighbourhood", slug=place.page)


_SHOWN = {
    "area": _place, "neighbourhood": _place,
    "round": lambda _value, round_: (round_.name, url_for("applications.round_page", reference=round_.page)),
    "grant": lambda reference, _grant: (reference, url_for("portal.trail", reference=reference)),
    "decision": lambda id_, _decision: (_("How it was decided"), url_for("decisions.decision", decision_id=id_)),
    "sitting": lambda id_, _sitting: (_("All of it, for computers (JSON)"),
                                      url_for("decisions.open_data", sitting_id=id_)),
}
