"""The open books: accounts, entries, one entry with its proof, and which way money may go. For anybody."""

import uuid
from functools import partial
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from fund.kernel.errors import NotFound
from fund.kernel.money import pounds
from fund.kernel.words import _
from fund.ledger import queries
from fund.ledger.rules import CLASSES, words
from fund.ledger.views import said
from fund.transparency import queries as public_record
from fund.web import access

blueprint = Blueprint("ledger", __name__)

PAGE = 50


@blueprint.app_template_global()
def what_it_means(kind: str, pence: int, phase: str | None) -> str:
    """A line of the record in one plain sentence."""
    return words.sentence(kind, pounds(pence), phase or "")


@blueprint.app_template_filter()
def account_name(balance: queries.Balance) -> str:
    """An account as people call it."""
    return words.account_name(balance.code, balance.name)


def _page_key(name: str) -> int | None:
    """The place to page from; anything that is not a place of the log is no place."""
    given = request.args.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise NotFound
    return int(given)


@blueprint.get("/ledger")
@access.public
def overview() -> str:
    """Every account by class, what is owned beside what it is for, and how a pound flows."""
    sums = queries.class_sums()
    sides = {side: [s for s in sums if s.side == side and s.accounts and (s.posted_pence or s.class_ != "deficit")]
             for side in ("asset", "liability", "fund")}
    totals = {side: sum(s.posted_pence * s.sign for s in found) for side, found in sides.items()}
    return render_template("ledger/overview.html", sides=sides, totals=totals, steps=queries.steps_of_a_pound(),
                           classes=words.ACCOUNT_CLASSES, codes=_single_codes(sums), latest=queries.latest(most=8))


def _single_codes(sums: list[queries.ClassSum]) -> dict[str, str]:
    """The account of each class that has only one: its page is shown in place of a list of one."""
    by_class = {found: code for code, found in CLASSES.items()}
    return {s.class_: by_class[s.class_] for s in sums if not s.many}


@blueprint.get("/ledger/find")
@access.public
def find() -> Any:
    """Go to the line or the account that somebody names; what is not there is said beside the box, and kept in it."""
    typed = request.args.get("q", "")[:200]
    found = queries.found_by(typed) if typed.strip() else None
    if isinstance(found, uuid.UUID):
        return redirect(url_for(".entry", entry_id=found))
    if found is not None:
        return redirect(url_for(".account", code=found))
    problem = _("Nothing in the record has this number, code or reference.") if typed.strip() else ""
    return render_template("ledger/find.html", typed=typed, problem=problem), 404 if problem else 200


@blueprint.get("/ledger/classes/<account_class>")
@access.public
def accounts(account_class: str) -> Any:
    """The accounts of one class, by code."""
    if account_class not in words.ACCOUNT_CLASSES:
        raise NotFound
    after = request.args.get("after", "")
    found = queries.accounts_of_class(account_class, after=after, most=PAGE + 1)
    here = partial(url_for, ".accounts", account_class=account_class)
    if after and not found:
        return redirect(here())
    are_before, start = queries.earlier_accounts(account_class, after, PAGE) if after else (False, None)
    return render_template(
        "ledger/accounts.html", found=found[:PAGE], about=words.ACCOUNT_CLASSES[account_class],
        back_to=here(after=start) if are_before else None,
        onward=here(after=found[PAGE - 1].code) if len(found) > PAGE else None)


@blueprint.get("/ledger/accounts/<path:code>")
@access.public
def account(code: str) -> Any:
    """One account: what stands on it, and each entry that touched it, the latest first."""
    before = _page_key("before")
    balance = queries.balance_of(code)
    found = queries.movements_of(code, before=before, most=PAGE + 1)
    older = url_for(".account", code=code, before=found[PAGE - 1].seq) if len(found) > PAGE else None
    newer = None
    if before is not None and not found:
        return redirect(url_for(".account", code=code))
    if before is not None:
        are_newer, place = queries.newer_movements(code, before, PAGE)
        newer = url_for(".account", code=code, before=place) if are_newer else None
    of = {"allocation": "area", "grant": "grant", "drawdown_limit": "financial_year"}.get(balance.class_)
    leads_to = said.pairs({"kind": "spending_rule_set", "record": {of: code[5:]}}, "record") if of else []
    return render_template("ledger/account.html", balance=balance, movements=found[:PAGE], older=older, newer=newer,
                           leads_to=leads_to, about=words.ACCOUNT_CLASSES[balance.class_])


@blueprint.get("/ledger/entries")
@access.public
def entries() -> Any:
    """The whole record, the latest first."""
    before = _page_key("before")
    found = queries.latest(before=before, most=PAGE + 1)
    if before is not None and not found:
        return redirect(url_for(".entries"))
    older = url_for(".entries", before=found[PAGE - 1].seq) if len(found) > PAGE else None
    size = public_record.size() if before is not None else 0
    newer = None
    if before is not None and before < size:  # the numbers have no gap, so the page before this one is counted
        newer = url_for(".entries", before=before + PAGE if before + PAGE < size else None)
    return render_template("ledger/entries.html", found=found[:PAGE], older=older, newer=newer)


@blueprint.get("/ledger/entries/<uuid:entry_id>")
@access.public
def entry(entry_id: uuid.UUID) -> str:
    """One line of the record: what it means, its lines, its bytes and hash, and how to check them."""
    found = queries.shown(entry_id)
    published = public_record.published_size()
    return render_template("ledger/entry.html", found=found, phases=words.PHASES, changes=words.changes,
                           names={code: words.account_name(code, name) for code, name in found.names.items()},
                           checkpoint=published if found.leaf.seq < published else None,
                           text=found.leaf.encoded.decode(), record=said.pairs(found.said, "area", "grant", "record"),
                           params=said.pairs(found.said, "params"))


@blueprint.get("/ledger/entries/<uuid:entry_id>/leaf")
@access.public
def leaf(entry_id: uuid.UUID) -> Response:
    """The exact bytes of one line of the record."""
    found = queries.shown(entry_id)
    return Response(found.leaf.encoded, mimetype="application/json", headers={
        "Content-Disposition": f'attachment; filename="leaf-{found.leaf.seq}.json"'})


@blueprint.get("/ledger/rules")
@access.public
def rules() -> str:
    """Which way money may go: the posting matrix, row by row."""
    rows = [{"name": words.name(row.kind), "phase": row.phase, **_less_and_more(row.debit_class, row.credit_class)}
            for row in queries.posting_rules()]
    return render_template("ledger/rules.html", rows=rows, phases=words.PHASES)


def _less_and_more(debit_class: str, credit_class: str) -> dict[str, str]:
    """The names of the classes that shrink and that grow."""
    found: dict[str, list[str]] = {"less": [], "more": []}
    for name, debited in ((debit_class, True), (credit_class, False)):
        found["more" if words.goes_up(name, debited=debited) else "less"].append(_(words.ACCOUNT_CLASSES[name][0]))
    return {key: ", ".join(names) for key, names in found.items()}
