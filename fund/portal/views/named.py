"""What the words of the record stand for, each with the public page that shows it."""

import uuid
from collections.abc import Collection

from flask import url_for

from fund.kernel.words import _
from fund.ledger import queries as ledger
from fund.portal import queries


@ledger.names_what_is_said
def named(kind: str, said: Collection[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """Places, rounds, decisions, grants and years that a line names; what is not known here is left as it stands."""
    found = {}
    under = {word: {value for one, value in said if one == word} for word, _value in said}
    places = queries.places_called(under.get("area", set()) | under.get("neighbourhood", set()))
    named_rounds = under.get("round", set())
    rounds = queries.rounds_called(named_rounds, [uuid.UUID(one) for one in named_rounds if _is_id(one)])
    for word, value in said:
        if word in ("area", "neighbourhood") and value in places:
            name, slug = places[value]
            found[word, value] = f"{name} ({value})", url_for("portal.neighbourhood", slug=slug)
        elif word == "round" and value in rounds:
            title, reference = rounds[value]
            found[word, value] = title, url_for("applications.round_page", reference=reference)
        elif word == "decision" and _is_id(value):
            found[word, value] = _("How it was decided"), url_for("decisions.decision", decision_id=value)
        elif word == "sitting" and kind in ("decision", "sitting_closed") and _is_id(value):
            found[word, value] = _("All of it, for computers (JSON)"), url_for("decisions.open_data", sitting_id=value)
        elif word == "grant":
            found[word, value] = value, url_for("portal.trail", reference=value)
        elif word == "financial_year" and kind in _PAGES_OF_A_YEAR:
            found[word, value] = value, url_for(_PAGES_OF_A_YEAR[kind], financial_year=value)
    return found


_PAGES_OF_A_YEAR = {"spending_rule_set": "endowment.limit", "allocation_rule_published": "allocations.shared"}


def _is_id(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False
