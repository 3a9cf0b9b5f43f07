"""Money into the endowment, and what it earns. Each writes its row, then its ledger entry."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import rules
from fund.endowment.models import EndowmentReturn, Tranche
from fund.endowment.rules.given import allow, key, same, text
from fund.kernel import ids
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, refuse_if
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency.actions import record_act


def receive_tranche(actor: Actor, *, sender: str, reference: str, amount_pence: int, received_on: date,
                    scheme: str, document_sha256: bytes, reclaim_pence: int = 0) -> Tranche:
    """Record a payment of dormant assets as permanent capital, less what is set by for owners who come forward.

    The same sender, reference and payment again gives the tranche that stands; another payment under the same
    reference is refused. `document_sha256` is the hash of the sender's advice of payment.
    """
    allow(actor, rules.KEEPERS)
    sender, reference = text(sender, "sender"), text(reference, "reference")
    if scheme not in rules.SCHEMES:
        raise BadInput(_("Choose the scheme that the money comes from."), field="scheme")
    if not 0 <= reclaim_pence <= amount_pence:
        raise BadInput(_("The part for reclaims cannot be more than the payment."), field="reclaim_pence")
    given = {"amount_pence": amount_pence, "reclaim_pence": reclaim_pence, "received_on": received_on,
             "scheme": scheme, "document_sha256": document_sha256}
    found = session.scalars(sa.select(Tranche).where(Tranche.sender == sender,
                                                     Tranche.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given)
    ledger.open_standing_accounts()
    if reclaim_pence:
        ledger.open_account(accounts.RECLAIM_RESERVE, name="Set by for reclaims")
    tranche = Tranche(id=ids.new_id(), sender=sender, reference=reference, entry_id=ids.new_id(), **given)
    session.add(tranche)
    record_act(actor, "receive_tranche", "tranche", tranche.id, amount_pence=amount_pence)
    ledger.post("dormant_assets_receipt", accounts.dormant_assets_receipt(amount_pence, reclaim_pence),
                effective_on=received_on, idem_key=key("tranche", sender, reference), entry_id=tranche.entry_id,
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
                    effective_on=earned_on, idem_key=key("deficit_made_good", source, reference),
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
    allow(actor, rules.KEEPERS)
    source, reference = text(source, "source"), text(reference, "reference")
    given = {"kind": kind, "amount_pence": amount_pence, "earned_on": earned_on}
    found = session.scalars(sa.select(EndowmentReturn).where(EndowmentReturn.source == source,
                                                             EndowmentReturn.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given), False
    refuse_if(accounts.reasons_not_to_post(lines))
    row = EndowmentReturn(id=ids.new_id(), source=source, reference=reference, entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, f"record_{kind}", "endowment_return", row.id, amount_pence=amount_pence)
    ledger.post(kind, lines, effective_on=earned_on, idem_key=key("return", source, reference),
                entry_id=row.entry_id, params={"source": source, "reference": reference})
    return row, True


def trade(actor: Actor, *, buy: bool, amount_pence: int, agreed_on: date, settled_on: date, reference: str) -> None:
    """Buy investments with cash, or sell some for cash: reserved when agreed, posted when settled."""
    allow(actor, rules.KEEPERS)
    lines = accounts.buy_investments(amount_pence) if buy else accounts.sell_investments(amount_pence)
    agreed = ledger.post("trade", lines, effective_on=agreed_on, idem_key=key("trade", reference))
    record_act(actor, "buy_investments" if buy else "sell_investments", "entry", agreed.entry_id,
               amount_pence=amount_pence)
    pending = balances.pending_lines(agreed.entry_id)
    if pending:
        ledger.post("trade", accounts.post_pending(pending), effective_on=settled_on,
                    idem_key=key("trade settled", reference))


def _deficit_pence() -> int:
    ledger.open_standing_accounts()
    return balances.balance_of(accounts.DEFICIT).posted_pence
