"""What a line of the record says beside its movements, word by word, as people read it in their language.

The words of a line are for ever and for programs; here they get a name and their values a form. A word that is not
known here, because another part wrote it later, is shown as it stands.
"""

import json
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from flask import url_for
from markupsafe import Markup

from fund.kernel.money import exact_pounds
from fund.kernel.words import N_, _
from fund.ledger import queries
from fund.ledger.rules import words
from fund.web import filters

_NAMES = {
    "accounts": N_("Kinds of account (fingerprint)"), "amount": N_("Amount"), "application": N_("Application"),
    "area": N_("Place"), "asked_pence": N_("Asked for by trustees"), "available": N_("What the panel could give"),
    "back_by": N_("To be back by"), "capacity": N_("Who chose"), "carried_pence": N_("Worth before"),
    "class": N_("Kind of account"), "closed_through": N_("Closed up to and with"), "closes_at": N_("Closes"),
    "code": N_("Code"), "cost_ceiling": N_("Most for running costs"), "criteria": N_("Criteria"),
    "decision": N_("Decision"), "decisions": N_("Decisions"), "document_sha256": N_("Document (fingerprint)"),
    "erased": N_("What was forgotten"), "field": N_("What"), "file": N_("File (fingerprint)"),
    "financial_year": N_("Year"), "floor_pence": N_("No less than"), "form": N_("Form"),
    "gifts": N_("What was given, by month"), "grant": N_("Grant"), "holding": N_("Investment"),
    "index": N_("Prices now"), "index_year_ago": N_("Prices a year before"),
    "inputs_sha256": N_("All that it was worked out from (fingerprint)"),
    "key": N_("New key"), "leaf": N_("Line"), "month": N_("Month"), "most_points": N_("Most points"),
    "name": N_("Name"), "need_versions": N_("Measures of need"), "neighbourhood": N_("Place"), "number": N_("Number"),
    "on": N_("On"), "opens_at": N_("Opens"), "origin": N_("Name of the log"), "outcome": N_("Outcome"),
    "parameters": N_("Figures of the rule"), "places": N_("Places"), "position": N_("Number"),
    "pot": N_("What the panel may give"), "pot_pence": N_("Shared out"),
    "previous_pence": N_("The year before might spend"), "question": N_("Question"), "rank": N_("Rank"),
    "reference": N_("Reference"), "reserve": N_("Set by for owners"), "residents": N_("Residents"),
    "round": N_("Round"), "rule": N_("Rule"), "rule_pence": N_("What the rule gives"),
    "rule_version": N_("Version of the rule"), "rules": N_("Rules"), "schema": N_("What a line may say (fingerprint)"),
    "scheme": N_("Scheme"), "score_tenths": N_("Score out of 100"), "scoring_closes_at": N_("Scores are due"),
    "seal": N_("Seal of the scores"), "seed": N_("Seed for ties"), "seed_commitment": N_("Seal of the seed for ties"),
    "sender": N_("Sender"), "series": N_("Measure of prices"), "sha256": N_("Application (fingerprint)"),
    "signed_with": N_("Signed with"), "sitting": N_("Panel’s sitting"), "source": N_("Source"), "tenths": N_("Index"),
    "term_from": N_("From"), "term_to": N_("To"), "text": N_("In words"), "tie_break": N_("Ties"),
    "tie_order": N_("Ties"), "trustees": N_("Trustees"), "unapplied_pence": N_("Return not yet used"),
    "value_pence": N_("Worth"), "values": N_("What it was worth"), "weight": N_("Weight"),
    "words_sha256": N_("Their words (fingerprint)"),
    # of a rule for a year's limit
    "rate": N_("Share of the value"), "low": N_("No less than"), "high": N_("No more than"),
    # of a round's rules
    "version": N_("Version"), "readers": N_("Members who read each application"),
    "quorum": N_("Members who must score"), "threshold": N_("Score that is good enough"),
    "scoring_days": N_("Days to score"),
    "most_pence": N_("Most for one group"), "up_front_below_pence": N_("Paid at once below"),
    "stage_shares": N_("Stages, in %"), "part_funding": N_("May fund a part"),
    "lapse_days": N_("Days to answer an offer"), "check_days": N_("Days to check"),
}
_NAMES_OF_A_KIND = {("spending_rule_set", "floor_pence"): N_("All that was given, in today's money")}
_VALUES: dict[str, dict[Any, str]] = {
    "outcome": {"awarded": N_("Funded"), "part_awarded": N_("Funded in part"), "reserve": N_("On the reserve list"),
                "declined": N_("Not funded")},
    "capacity": {"trustee": N_("A trustee"), "system": N_("The fund’s program, by its rules")},
    "reserve": {"on": N_("Switched on"), "off": N_("Switched off")},
    "part_funding": {0: N_("No"), 1: N_("Yes")},
    "tie_break": {"need": N_("greater need first"), "smaller_ask": N_("then who asked for less"),
                  "lot": N_("then a lot")},
    "rule": {"rolling_average": N_("A share of the average value"), "yale": N_("Mostly as last year (Yale)"),
             "weighted_hybrid": N_("A mix of last year and the value"),
             "banded_inflation": N_("As last year, raised as prices rise")},
    "scheme": {"banks": N_("Banks and building societies"), "insurance_and_pensions": N_("Insurance and pensions"),
               "investments_and_wealth": N_("Investments and wealth"), "securities": N_("Securities")},
    "class": {kind: name for kind, (name, _about) in words.ACCOUNT_CLASSES.items()},
}
_MONEY = {"amount", "available", "pot"}  # besides each that says in its name that it is in pence
_TIMES = {"on", "back_by", "closed_through", "closes_at", "opens_at", "scoring_closes_at", "term_from", "term_to"}
_SHARE = "_basis_points"
_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def pairs(said: Mapping[str, Any], *under: str) -> list[tuple[str, str]]:
    """What a line says under these words (`record`, `params`), as rows of a name and a value that leads on to what it
    names; what is no object is one row."""
    inner = {key: value for word in under for key, value in _inside(said, word).items() if value != ""}
    named = queries.named(said.get("kind", ""), _that_has_a_page(inner))
    return [(_name(key, said.get("kind", "")), _whole(key, value, named)) for key, value in inner.items()]


def _inside(said: Mapping[str, Any], word: str) -> dict[str, Any]:
    inner = said.get(word, {})
    return inner if isinstance(inner, dict) else {word: inner}


def _that_has_a_page(said: Mapping[str, Any]) -> set[queries.Said]:
    """The words of a line, however deep they stand in it, under which it may name something that has a page."""
    found: set[queries.Said] = set()
    rest = list(said.items())
    while rest:
        key, value = rest.pop()
        if isinstance(value, dict):
            rest += value.items()
        elif isinstance(value, list):
            rest += [(key, one) for one in value]
        elif key in queries.WORDS and isinstance(value, str):
            found.add((key, value))
    return found


def _whole(key: str, value: Any, named: queries.Named) -> str:
    """A value in words; one with too much inside it, as no part of ours writes it, as its bytes have it."""
    try:
        return _value(key, value, named)
    except RecursionError:
        return json.dumps(value, ensure_ascii=False)


@queries.names_what_is_said
def _accounts_and_lines(kind: str, said: Collection[queries.Said]) -> queries.Named:
    """The account that a line opens, and the line that it names."""
    codes = [value for word, value in said if word == "code" and kind == "account_opened"]
    lines = [uuid.UUID(value) for word, value in said if word == "leaf" and _ID.fullmatch(value)]
    known = [("code", code, url_for("ledger.account", code=code))
             for code in (queries.balances(codes) if codes else ())]
    known += [("leaf", str(line.entry_id), url_for("ledger.entry", entry_id=line.entry_id))
              for line in (queries.briefs(lines) if lines else ())]
    return {(word, value): (value, address) for word, value, address in known}


def _name(key: str, kind: str = "") -> str:
    plain = key.removesuffix(_SHARE)
    if (kind, key) in _NAMES_OF_A_KIND:
        return _(_NAMES_OF_A_KIND[kind, key])
    return _(_NAMES[plain]) if plain in _NAMES else words.as_words(plain)


def _value(key: str, value: Any, named: queries.Named) -> str:
    """A value as people read it; whatever has not the form that its word asks for stays what it is."""
    if key == "parameters" and isinstance(value, dict):
        value = {f"{inner}_basis_points": one for inner, one in value.items()}
    if isinstance(value, dict):
        return Markup("; ").join(Markup("{}: {}").format(_name(inner), _value(inner, one, named))
                                 for inner, one in value.items() if key != "criteria" or inner != "id")
    if key == "gifts" and isinstance(value, list) and all(isinstance(one, list) and len(one) == 3 for one in value):
        value = [{"month": month, "amount": pence} | ({"tenths": tenths} if tenths else {})
                 for month, pence, tenths in value]
    if isinstance(value, list):
        between = Markup("\n") if any(isinstance(one, list | dict) for one in value) else Markup(", ")
        return between.join(_value(key, one, named) for one in value)
    if isinstance(value, str) and (key, value) in named:
        text, address = named[key, value]
        return Markup('<a class="govuk-link" href="{}">{}</a>').format(address, text)
    if key == "month":  # of another word it would be a year: 2011-12
        return _said(filters.month, str(value)) or str(value)
    known = _VALUES.get(key, {}).get(value)
    if known is not None:
        return _(known)
    if (key.endswith("_pence") or key in _MONEY) and re.fullmatch("0|[1-9][0-9]{0,18}", str(value)):
        return exact_pounds(int(value))
    if key.endswith(_SHARE) and isinstance(value, int):
        return f"{value / 100:g}%"
    if isinstance(value, int):
        return f"{value / 10:.1f}" if key.endswith("tenths") else f"{value:,}"
    written = str(value)
    if key not in _TIMES:
        return written
    return next((said for form, say in _FORMS if form.fullmatch(written) and (said := _said(say, written))), written)


def _said(say: Callable[[str], str], value: str) -> str:
    """A day or a moment in words; nothing where the calendar has none such."""
    try:
        return say(value)
    except (ValueError, OverflowError):
        return ""


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\d"), filters.day_said),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)"),
     lambda value: filters.moment(datetime.fromisoformat(value))),
)
