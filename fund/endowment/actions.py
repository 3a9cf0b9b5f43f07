"""Money into the endowment, what it earns, and what of that is spent. Each writes its row, then its ledger entry."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.models import Drawdown, EndowmentReturn, RunningCostBudget, SpendingLimit, Tranche
from fund.kernel import ids
from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, Refused, refuse_if
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency import formats
from fund.transparency.actions import record_act


def receive_tranche(actor: Actor, *, sender: str, reference: str, amount_pence: int, received_on: date,
                    scheme: str, document_sha256: bytes, reclaim_pence: int = 0) -> Tranche:
    """Record a payment of dormant assets as permanent capital, less what is set by for owners who come forward.

    The same sender, reference and payment again gives the tranche that stands; another payment under the same
    reference is refused. `document_sha256` is the hash of the sender's advice of payment.
    """
    _allow(actor, rules.KEEPERS)
    sender, reference = _text(sender, "sender"), _text(reference, "reference")
    if scheme not in rules.SCHEMES:
        raise BadInput(_("Choose the scheme that the money comes from."), field="scheme")
    if not 0 <= reclaim_pence <= amount_pence:
        raise BadInput(_("The part for reclaims cannot be more than the payment."), field="reclaim_pence")
    given = {"amount_pence": amount_pence, "reclaim_pence": reclaim_pence, "received_on": received_on,
             "scheme": scheme, "document_sha256": document_sha256}
    found = session.scalars(sa.select(Tranche).where(Tranche.sender == sender,
                                                     Tranche.reference == reference)).one_or_none()
    if found is not None:
        return _same(found, given)
    ledger.open_standing_accounts()
    if reclaim_pence:
        ledger.open_account(accounts.RECLAIM_RESERVE, name="Set by for reclaims")
    tranche = Tranche(id=ids.new_id(), sender=sender, reference=reference, entry_id=ids.new_id(), **given)
    session.add(tranche)
    record_act(actor, "receive_tranche", "tranche", tranche.id, amount_pence=amount_pence)
    ledger.post("dormant_assets_receipt", accounts.dormant_assets_receipt(amount_pence, reclaim_pence),
                effective_on=received_on, idem_key=_key("tranche", sender, reference), entry_id=tranche.entry_id,
                params={"sender": sender, "reference": reference, "scheme": scheme,
                        "document_sha256": document_sha256.hex()})
    return tranche


def record_income(actor: Actor, *, amount_pence: int, earned_on: date, source: str, reference: str,
                  interest: bool = False) -> EndowmentReturn:
    """Record income of the investments, or interest on cash, with its source and the source's reference.

    Where the endowment stands below its capital, the income makes that good first.
    """
    deficit_pence = _deficit_pence()
    row, fresh = _record_return(actor, "bank_interest" if interest else "investment_income", amount_pence, earned_on,
                                source, reference, accounts.investment_income(amount_pence))
    if fresh and deficit_pence:
        ledger.post("deficit_made_good", accounts.deficit_made_good(min(deficit_pence, amount_pence)),
                    effective_on=earned_on, idem_key=_key("deficit_made_good", source, reference),
                    relates_to=[row.entry_id])
    return row


def record_gain(actor: Actor, *, amount_pence: int, valued_on: date, source: str, reference: str) -> EndowmentReturn:
    """Record that the investments are worth more: a deficit is made good first, the rest is return."""
    return _record_return(actor, "revaluation_gain", amount_pence, valued_on, source, reference,
                          accounts.revaluation_gain(amount_pence, _deficit_pence()))[0]


def record_loss(actor: Actor, *, amount_pence: int, valued_on: date, source: str, reference: str) -> EndowmentReturn:
    """Record that the investments are worth less: unapplied return bears it, then a deficit shows it. Capital stays."""
    unapplied_pence = balances.available_pence(accounts.UNAPPLIED_RETURN)
    return _record_return(actor, "revaluation_loss", amount_pence, valued_on, source, reference,
                          accounts.revaluation_loss(amount_pence, unapplied_pence))[0]


def _record_return(actor: Actor, kind: str, amount_pence: int, earned_on: date, source: str, reference: str,
                   lines: Sequence[accounts.Line]) -> tuple[EndowmentReturn, bool]:
    """The row, and whether it is new. The same source and reference again gives the one that stands."""
    _allow(actor, rules.KEEPERS)
    source, reference = _text(source, "source"), _text(reference, "reference")
    given = {"kind": kind, "amount_pence": amount_pence, "earned_on": earned_on}
    found = session.scalars(sa.select(EndowmentReturn).where(EndowmentReturn.source == source,
                                                             EndowmentReturn.reference == reference)).one_or_none()
    if found is not None:
        return _same(found, given), False
    refuse_if(accounts.reasons_not_to_post(lines))
    row = EndowmentReturn(id=ids.new_id(), source=source, reference=reference, entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, f"record_{kind}", "endowment_return", row.id, amount_pence=amount_pence)
    ledger.post(kind, lines, effective_on=earned_on, idem_key=_key("return", source, reference),
                entry_id=row.entry_id, params={"source": source, "reference": reference})
    return row, True


def trade(actor: Actor, *, buy: bool, amount_pence: int, agreed_on: date, settled_on: date, reference: str) -> None:
    """Buy investments with cash, or sell some for cash: reserved when agreed, posted when settled."""
    _allow(actor, rules.KEEPERS)
    lines = accounts.buy_investments(amount_pence) if buy else accounts.sell_investments(amount_pence)
    agreed = ledger.post("trade", lines, effective_on=agreed_on, idem_key=_key("trade", reference))
    record_act(actor, "buy_investments" if buy else "sell_investments", "entry", agreed.entry_id,
               amount_pence=amount_pence)
    pending = balances.pending_lines(agreed.entry_id)
    if pending:
        ledger.post("trade", accounts.post_pending(pending), effective_on=settled_on,
                    idem_key=_key("trade settled", reference))


def set_spending_limit(actor: Actor, financial_year: str, *, set_on: date,
                       rate_basis_points: int = rules.RATE_BASIS_POINTS,
                       cost_ceiling_basis_points: int = rules.COST_CEILING_BASIS_POINTS) -> SpendingLimit:
    """Set what a year may spend: what the published rule gives, or all unapplied return where that is less.

    One a year. The values that it was worked out from stand in the leaf, with their hash. Raises Refused.
    """
    _allow(actor, rules.SPENDERS)
    try:
        rules.first_day(financial_year)
    except ValueError:
        raise BadInput(_("Write the year like 2026-27."), field="financial_year") from None
    if not 1 <= rate_basis_points <= 1_000:
        raise BadInput(_("The rate is between 0.01% and 10%."), field="rate_basis_points")
    ledger.open_standing_accounts()
    facts = queries.limit_facts(financial_year, set_on, rate_basis_points)
    refuse_if(rules.reasons_not_to_set_limit(facts))
    ledger.open_account(accounts.drawdown_limit(financial_year), name=f"Limit for {financial_year}")
    inputs = {
        "rule": rules.RULE, "rule_version": rules.RULE_VERSION, "financial_year": financial_year,
        "rate_basis_points": rate_basis_points, "cost_ceiling_basis_points": cost_ceiling_basis_points,
        "values": [{"on": value.on.isoformat(), "value_pence": str(value.value_pence)} for value in facts.values],
        "unapplied_pence": str(facts.unapplied_pence), "rule_pence": str(facts.rule_pence)}
    limit = SpendingLimit(
        id=ids.new_id(), financial_year=financial_year, rule=rules.RULE, rule_version=rules.RULE_VERSION,
        rate_basis_points=rate_basis_points, cost_ceiling_basis_points=cost_ceiling_basis_points, inputs=inputs,
        rule_pence=facts.rule_pence, amount_pence=min(facts.rule_pence, facts.unapplied_pence), set_on=set_on,
        entry_id=ids.new_id())
    session.add(limit)
    record_act(actor, "set_spending_limit", "spending_limit", limit.id, amount_pence=limit.amount_pence)
    ledger.post("spending_rule_set", accounts.spending_rule_set(limit.amount_pence, financial_year),
                effective_on=set_on, idem_key=f"spending_limit/{financial_year}", entry_id=limit.entry_id,
                params={**inputs, "inputs_sha256": hashlib.sha256(formats.canonical(inputs)).hexdigest()})
    return limit


def draw_down(actor: Actor, *, amount_pence: int, financial_year: str, drawn_on: date, reference: str) -> Drawdown:
    """Make part of a year's limit spendable. The same reference and drawdown again gives the one that stands."""
    _allow(actor, rules.SPENDERS)
    given = {"amount_pence": amount_pence, "financial_year": financial_year, "drawn_on": drawn_on}
    found = session.scalars(sa.select(Drawdown).where(Drawdown.reference == reference)).one_or_none()
    if found is not None:
        return _same(found, given)
    refuse_if(rules.reasons_not_to_draw_down(amount_pence, queries.limit_left_pence(financial_year), financial_year,
                                             drawn_on))
    row = Drawdown(id=ids.new_id(), reference=_text(reference, "reference"), entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, "draw_down", "drawdown", row.id, amount_pence=amount_pence)
    ledger.post("drawdown", accounts.drawdown(amount_pence, financial_year), effective_on=drawn_on,
                idem_key=_key("drawdown", reference), entry_id=row.entry_id,
                relates_to=[queries.spending_limit(financial_year).entry_id])
    return row


def budget_running_costs(actor: Actor, *, amount_pence: int, financial_year: str, set_on: date,
                         reference: str) -> RunningCostBudget:
    """Set spendable money by for a year's running costs and panel pay, within the published ceiling."""
    _allow(actor, rules.SPENDERS)
    given = {"amount_pence": amount_pence, "financial_year": financial_year, "set_on": set_on}
    found = session.scalars(sa.select(RunningCostBudget)
                            .where(RunningCostBudget.reference == reference)).one_or_none()
    if found is not None:
        return _same(found, given)
    limit = queries.spending_limit(financial_year)
    refuse_if(rules.reasons_not_to_budget_costs(amount_pence, queries.budgeted_pence(financial_year),
                                                limit.amount_pence, limit.cost_ceiling_basis_points))
    ledger.open_account(accounts.running_costs(financial_year), name=f"Running costs {financial_year}")
    row = RunningCostBudget(id=ids.new_id(), reference=_text(reference, "reference"), entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, "budget_running_costs", "running_cost_budget", row.id, amount_pence=amount_pence)
    ledger.post("operating_budget", accounts.operating_budget(amount_pence, financial_year), effective_on=set_on,
                idem_key=_key("running_costs", reference), entry_id=row.entry_id, relates_to=[limit.entry_id])
    return row


def _allow(actor: Actor, capacities: Collection[Capacity]) -> None:
    if actor.capacity not in capacities:
        raise Forbidden


def _deficit_pence() -> int:
    ledger.open_standing_accounts()
    return balances.balance_of(accounts.DEFICIT).posted_pence


def _text(value: str, field: str) -> str:
    """What was given, without space around it and in Unicode's form NFC. Raises BadInput when nothing is left."""
    text = formats.nfc(value.strip())
    if not 1 <= len(text) <= 100:
        raise BadInput(_("Give it in 1 to 100 characters."), field=field)
    return text


def _key(*parts: str) -> str:
    """An idempotency key of any words, of one length."""
    return parts[0] + "/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _same(found: Any, given: dict[str, Any]) -> Any:
    """What stands already, when it is what was given. Raises Refused when its reference was used for another thing."""
    if any(getattr(found, name) != value for name, value in given.items()):
        sentence = _("This reference is on the record already, and says something else.")
        raise Refused([Reason("reference_used", sentence)])
    return found
