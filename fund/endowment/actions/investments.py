"""What the endowment is invested in: bought, sold, and valued with a date, a source and a document."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.actions import money
from fund.endowment.models import EndowmentReturn, Holding, HoldingTrade, HoldingTradeEnd, HoldingValuation
from fund.endowment.rules.given import allow, document_sha256, key, same, text
from fund.kernel import clock, ids
from fund.kernel.actor import Actor
from fund.kernel.errors import NotFound, refuse_if
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency.actions import record_act


def agree_trade(actor: Actor, *, buy: bool, holding: str, amount_pence: int, agreed_on: date,
                reference: str) -> HoldingTrade:
    """Agree to buy with cash, or to sell for cash: the money is kept aside until the trade settles or is called off.

    The same reference and trade again gives the one that stands. Raises Refused for more than is carried.
    """
    allow(actor, rules.KEEPERS)
    reference, holding = text(reference, "reference"), text(holding, "holding")
    given = {"is_buy": buy, "amount_pence": amount_pence, "agreed_on": agreed_on}
    found = session.scalars(sa.select(HoldingTrade).where(HoldingTrade.reference == reference)).one_or_none()
    if found is not None:
        return same(found, {**given, "holding_id": getattr(_find(holding), "id", None)})
    holding_id = _open(holding)
    queries.wait_for_holding(holding_id)
    refuse_if(rules.reasons_not_yet(agreed_on, clock.today()) + rules.reasons_not_to_trade(
        queries.holding_facts(holding), buy=buy, amount_pence=amount_pence))
    ledger.open_standing_accounts()
    trade = HoldingTrade(id=ids.new_id(), holding_id=holding_id, reference=reference, entry_id=ids.new_id(),
                         **given)
    session.add(trade)
    record_act(actor, "buy_investments" if buy else "sell_investments", "holding_trade", trade.id,
               amount_pence=amount_pence)
    lines = accounts.buy_investments(amount_pence) if buy else accounts.sell_investments(amount_pence)
    ledger.post("trade", lines, effective_on=agreed_on, idem_key=key("trade", reference), entry_id=trade.entry_id,
                params={"holding": holding, "reference": reference})
    return trade


def settle_trade(actor: Actor, reference: str, *, settled_on: date) -> HoldingTradeEnd:
    """The trade settled: what was kept aside has moved. Raises NotFound, and Refused once it has ended."""
    return _end(actor, reference, settled_on, is_settled=True)


def call_off_trade(actor: Actor, reference: str, *, ended_on: date) -> HoldingTradeEnd:
    """The trade will not settle: what was kept aside is free again. Raises NotFound, and Refused once it has ended."""
    return _end(actor, reference, ended_on, is_settled=False)


def _end(actor: Actor, reference: str, ended_on: date, *, is_settled: bool) -> HoldingTradeEnd:
    allow(actor, rules.KEEPERS)
    trade = session.scalars(sa.select(HoldingTrade).where(HoldingTrade.reference == reference.strip())).one_or_none()
    if trade is None:
        raise NotFound(f"no trade {reference}")
    queries.wait_for_holding(trade.holding_id)
    found = session.get(HoldingTradeEnd, trade.id)
    if found is not None and (found.is_settled, found.ended_on) == (is_settled, ended_on):
        return found
    refuse_if(rules.reasons_not_yet(ended_on, clock.today())
              + rules.reasons_not_to_end_trade(found is not None, trade.agreed_on, ended_on))
    end = HoldingTradeEnd(trade_id=trade.id, is_settled=is_settled, ended_on=ended_on, entry_id=ids.new_id())
    session.add(end)
    record_act(actor, "settle_trade" if is_settled else "call_off_trade", "holding_trade", trade.id)
    resolve: Callable[[Sequence[accounts.Pending]], list[accounts.Line]] = (
        accounts.post_pending if is_settled else accounts.void_pending)
    ledger.post("trade", resolve(balances.pending_lines(trade.entry_id)), effective_on=ended_on,
                idem_key=key("trade ended", trade.reference), entry_id=end.entry_id, relates_to=[trade.entry_id])
    return end


def record_valuation(actor: Actor, *, holding: str, value_pence: int, valued_on: date, source: str, reference: str,
                     document: bytes, stated_sha256: str | None = None) -> HoldingValuation:
    """Record what a holding is worth on a day; exactly the difference to what it is carried at is posted.

    A gain makes a deficit good first and the rest is return; a loss is borne by unapplied return, then a deficit shows
    it, and capital stays (LEDGER.md 1.3). The same source and reference again gives the valuation that stands. Raises
    Refused for a document that does not match its hash, and NotFound for a holding that was never bought.
    """
    allow(actor, rules.KEEPERS)
    source, reference, holding = text(source, "source"), text(reference, "reference"), text(holding, "holding")
    hashed = document_sha256(document, stated_sha256)
    given = {"value_pence": value_pence, "valued_on": valued_on, "document_sha256": hashed}
    held = _find(holding)
    if held is None:
        raise NotFound(f"no holding {holding}")
    found = session.scalars(sa.select(HoldingValuation).where(
        HoldingValuation.source == source, HoldingValuation.reference == reference)).one_or_none()
    if found is not None:
        return same(found, {**given, "holding_id": held.id})
    queries.wait_for_holding(held.id)
    facts = queries.holding_facts(holding)
    valued = session.scalar(sa.select(sa.exists().where(HoldingValuation.holding_id == held.id,
                                                        HoldingValuation.valued_on == valued_on)))
    refuse_if(rules.reasons_not_yet(valued_on, clock.today()) + rules.reasons_not_to_value(
        facts, value_pence=value_pence, valued_on=valued_on, is_valued=bool(valued)))
    made = _post_difference(actor, value_pence - facts.carried_pence, valued_on, source, reference, {
        "holding": holding, "value_pence": str(value_pence), "carried_pence": str(facts.carried_pence),
        "document_sha256": hashed.hex()})
    valuation = HoldingValuation(id=ids.new_id(), holding_id=held.id, carried_pence=facts.carried_pence, source=source,
                                 reference=reference, return_id=made.id if made else None, **given)
    session.add(valuation)
    record_act(actor, "record_valuation", "holding_valuation", valuation.id, value_pence=value_pence)
    session.flush()
    return valuation


def _post_difference(actor: Actor, pence: int, valued_on: date, source: str, reference: str,
                     params: dict[str, str]) -> EndowmentReturn | None:
    if pence > 0:
        return money.record_return(actor, "revaluation_gain", pence, valued_on, source, reference,
                                   accounts.revaluation_gain(pence, money.deficit_pence()), params)[0]
    if pence < 0:
        unapplied_pence = balances.available_pence(accounts.UNAPPLIED_RETURN)
        return money.record_return(actor, "revaluation_loss", -pence, valued_on, source, reference,
                                   accounts.revaluation_loss(-pence, unapplied_pence), params)[0]
    return None


def _find(name: str) -> Holding | None:
    return session.scalars(sa.select(Holding).where(Holding.name == name)).one_or_none()


def _open(name: str) -> uuid.UUID:
    found = _find(name)
    if found is None:
        found = Holding(id=ids.new_id(), name=name)
        session.add(found)
        session.flush()
    return found.id
