"""Holdings, trades and valuations: why one may not be recorded. Pure."""

from dataclasses import dataclass
from datetime import date

from fund.kernel.money import pounds
from fund.kernel.reasons import Reason
from fund.kernel.words import _

MOST_PENCE = 10**15  # of one entry; the ledger's table repeats it as ck_transfer_amount


@dataclass(frozen=True, slots=True)
class HoldingFacts:
    """What is known of a holding: what it is carried at, what of that is sold already and not settled, the last day on
    which it was valued or a trade in it settled."""

    name: str
    carried_pence: int = 0
    being_sold_pence: int = 0
    last_on: date | None = None


def reasons_not_to_trade(holding: HoldingFacts, *, buy: bool, amount_pence: int) -> list[Reason]:
    """Give every reason why the trade may not be agreed. The table repeats the second as `holding_not_oversold`.

    A holding is sold at what it is carried at: where it fetches more or less, it is valued first, so that the gain or
    loss is seen as one.
    """
    reasons = []
    if type(amount_pence) is not int or not 0 < amount_pence <= MOST_PENCE:
        reasons.append(Reason("ck_transfer_amount", _("An amount is a whole number of pence, more than nothing.")))
    elif not buy and amount_pence > holding.carried_pence - holding.being_sold_pence:
        reasons.append(Reason("holding_not_oversold", _(
            "Only %(left)s of %(name)s can be sold. If it is worth more, record its value first.",
            left=pounds(holding.carried_pence - holding.being_sold_pence), name=holding.name)))
    return reasons


def reasons_not_to_end_trade(ended: bool, agreed_on: date, ended_on: date) -> list[Reason]:
    """Give every reason why a trade may not be settled or called off on a day."""
    reasons = []
    if ended:
        reasons.append(Reason("trade_ended", _("This trade was settled or called off already.")))
    if ended_on < agreed_on:
        reasons.append(Reason("before_agreed", _("That day is before the trade was agreed.")))
    return reasons


def reasons_not_to_value(holding: HoldingFacts, *, value_pence: int, valued_on: date,
                         is_valued: bool) -> list[Reason]:
    """Give every reason why the value may not be recorded. The table repeats the second as `valuation_in_order`:
    a late valuation is recorded on a later day, and never changes the past."""
    reasons = []
    if type(value_pence) is not int or not 0 <= value_pence <= MOST_PENCE:
        reasons.append(Reason("ck_holding_valuation_value", _("A value is a whole number of pence, nothing or more.")))
    if holding.last_on is not None and valued_on < holding.last_on:
        reasons.append(Reason("valuation_in_order", _("Something of %(name)s is on the record for a later day already.",
                                                      name=holding.name)))
    if is_valued:
        reasons.append(Reason("uq_holding_valuation_day", _("%(name)s has a value for that day already.",
                                                            name=holding.name)))
    return reasons
