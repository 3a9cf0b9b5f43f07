"""Money into the endowment, and what it earns. Each writes its row, then its ledger entry."""

from collections.abc import Mapping, Sequence
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries, rules
from fund.endowment.models import EndowmentReturn, Tranche
from fund.endowment.rules.given import allow, document_sha256, key, same, text
from fund.kernel import clock, ids
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, refuse_if
from fund.kernel.words import _
from fund.ledger import actions as ledger
from fund.ledger import queries as balances
from fund.ledger import rules as accounts
from fund.transparency.actions import record_act


def receive_tranche(actor: Actor, *, sender: str, reference: str, amount_pence: int, received_on: date,
                    scheme: str, document: bytes, stated_sha256: str | None = None,
                    reclaim_pence: int = 0) -> Tranche:
    """Record a payment of dormant assets as permanent capital, less what is set by for owners who come forward.

    The same sender, reference and payment again gives the tranche that stands; another payment under the same
    reference is refused, and so is a part for reclaims unless trustees switched the reserve on. `document` is the
    sender's advice of payment; its hash is kept, and where the sender stated a hash beside it (`stated_sha256`),
    another document is refused.
    """
    allow(actor, rules.KEEPERS)
    sender, reference = text(sender, "sender"), text(reference, "reference")
    if scheme not in rules.SCHEMES:
        raise BadInput(_("Choose the scheme that the money comes from."), field="scheme")
    hashed = document_sha256(document, stated_sha256)
    given = {"amount_pence": amount_pence, "reclaim_pence": reclaim_pence, "received_on": received_on,
             "scheme": scheme, "document_sha256": hashed}
    found = session.scalars(sa.select(Tranche).where(Tranche.sender == sender,
                                                     Tranche.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given)
    refuse_if(rules.reasons_not_yet(received_on, clock.today())
              + rules.reasons_not_to_receive(amount_pence, reclaim_pence, queries.reserve_is_on()))
    ledger.open_standing_accounts()
    if reclaim_pence:
        ledger.open_account(accounts.RECLAIM_RESERVE, name="Set by for reclaims")
    tranche = Tranche(id=ids.new_id(), sender=sender, reference=reference, entry_id=ids.new_id(), **given)
    session.add(tranche)
    record_act(actor, "receive_tranche", "tranche", tranche.id, amount_pence=amount_pence)
    ledger.post("dormant_assets_receipt", accounts.dormant_assets_receipt(amount_pence, reclaim_pence),
                effective_on=received_on, idem_key=key("tranche", sender, reference), entry_id=tranche.entry_id,
                params={"sender": sender, "reference": reference, "scheme": scheme,
                        "document_sha256": hashed.hex()})
    return tranche


def record_income(actor: Actor, *, amount_pence: int, earned_on: date, source: str, reference: str,
                  interest: bool = False) -> EndowmentReturn:
    """Record income of the investments, or interest on cash, with its source and the source's reference.

    Where the endowment stands below its capital, the income makes that good first.
    """
    missing_pence = deficit_pence()
    row, fresh = record_return(actor, "bank_interest" if interest else "investment_income", amount_pence, earned_on,
                                source, reference, accounts.investment_income(amount_pence))
    if fresh and missing_pence:
        ledger.post("deficit_made_good", accounts.deficit_made_good(min(missing_pence, amount_pence)),
                    effective_on=earned_on, idem_key=key("deficit_made_good", source, reference),
                    relates_to=[row.entry_id])
    return row


def record_return(actor: Actor, kind: str, amount_pence: int, earned_on: date, source: str, reference: str,
                  lines: Sequence[accounts.Line],
                  params: Mapping[str, str] | None = None) -> tuple[EndowmentReturn, bool]:
    """Record income, a gain or a loss. Gives the row, and whether it is new: the same source and reference again gives
    the one that stands. `params` stand in the leaf beside them."""
    allow(actor, rules.KEEPERS)
    source, reference = text(source, "source"), text(reference, "reference")
    given = {"kind": kind, "amount_pence": amount_pence, "earned_on": earned_on}
    found = session.scalars(sa.select(EndowmentReturn).where(EndowmentReturn.source == source,
                                                             EndowmentReturn.reference == reference)).one_or_none()
    if found is not None:
        return same(found, given), False
    refuse_if(rules.reasons_not_yet(earned_on, clock.today()) + accounts.reasons_not_to_post(lines))
    row = EndowmentReturn(id=ids.new_id(), source=source, reference=reference, entry_id=ids.new_id(), **given)
    session.add(row)
    record_act(actor, f"record_{kind}", "endowment_return", row.id, amount_pence=amount_pence)
    ledger.post(kind, lines, effective_on=earned_on, idem_key=key("return", source, reference),
                entry_id=row.entry_id, params={"source": source, "reference": reference, **(params or {})})
    return row, True


def deficit_pence() -> int:
    """By how much the endowment stands below its capital."""
    ledger.open_standing_accounts()
    return balances.balance_of(accounts.DEFICIT).posted_pence
