"""What an entry of each kind is made of.

The posting matrix itself is rows (`ledger.posting_rule`, migration 0002): which kind may move money between which
classes of account. A function here builds the lines of one kind, so that nobody else writes account codes down. Its
source is the table of events in the design of the ledger.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_PENCE = 10**15  # of one line; the table repeats it as ck_transfer_amount

SNAPSHOT_EVERY = 10_000  # places of the log; how far a balance of long ago is ever counted up again

BALANCES_FROM = 256  # lines of the log; after so many, and at each doubling, what every account holds is published

BANK = "1000"
INVESTMENTS = "1100"
RECLAIM_RESERVE = "2000"
PERMANENT_CAPITAL = "3000"
DEFICIT = "3090"
UNAPPLIED_RETURN = "3100"
SPENDABLE = "3200"


class Phase(StrEnum):
    """How a line counts: at once, as a reservation, or as the end of one (the table repeats it)."""

    SINGLE = "single"
    PENDING = "pending"
    POST = "post"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Pending:
    """A reservation that is still open: the line `line` of the entry `entry_id`, and what it reserves."""

    entry_id: uuid.UUID
    line: int
    debit: str
    credit: str
    amount_pence: int


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer, to be posted: from which account's point of view it is a debit, and which a credit."""

    debit: str
    credit: str
    amount_pence: int
    phase: Phase = Phase.SINGLE
    pending: tuple[uuid.UUID, int] | None = None


#: The class of an account, by the first four digits of its code (`ledger.account_class` in the database).
CLASSES = {
    "1000": "bank", "1100": "investments", "2000": "reclaim_reserve", "3000": "permanent_capital", "3090": "deficit",
    "3100": "unapplied_return", "3150": "drawdown_limit", "3200": "spendable", "3250": "running_costs",
    "4000": "allocation", "5000": "grant",
}
#: On which side an account of each class may not go below nothing.
DEBIT_NORMAL = frozenset({"bank", "investments", "deficit"})


def guard_of(account_class: str) -> str:
    """The guard that the class gives (the table repeats it as `fk_account_class`)."""
    return "credits<=debits" if account_class in DEBIT_NORMAL else "debits<=credits"


def chart() -> dict[str, Any]:
    """The chart of accounts as it is published: each class by the first digits of its codes, and which of its two sides
    may not pass the other. The first line of a log names its hash, so it stays as it is; a new class is another chart.
    """
    return {"v": 1, "classes": {code: {"class": name, "guard": guard_of(name)} for code, name in CLASSES.items()}}


def drawdown_limit(financial_year: str) -> str:
    """The code of the year's limit: what may still be drawn down in it."""
    return f"3150/{financial_year}"


def running_costs(financial_year: str) -> str:
    """The code of the year's budget for running costs and panel pay."""
    return f"3250/{financial_year}"


def allocation(place_code: str) -> str:
    """The code of a neighbourhood's (or district's) allocation."""
    return f"4000/{place_code}"


def grant(reference: str) -> str:
    """The code of a grant's account."""
    return f"5000/{reference}"


# Money in, and what it earns.

def dormant_assets_receipt(amount_pence: int, reclaim_pence: int = 0) -> list[Line]:
    """A tranche of dormant assets came to the bank: capital for ever, less what is set by for reclaims."""
    return _positive(Line(BANK, PERMANENT_CAPITAL, amount_pence - reclaim_pence),
                     Line(BANK, RECLAIM_RESERVE, reclaim_pence))


def reclaim_paid(amount_pence: int) -> list[Line]:
    """An owner of dormant money came forward: reserve the payment from the reclaim reserve."""
    return [Line(RECLAIM_RESERVE, BANK, amount_pence, Phase.PENDING)]


def reclaim_reserve_top_up(amount_pence: int) -> list[Line]:
    """Set return by for reclaims."""
    return [Line(UNAPPLIED_RETURN, RECLAIM_RESERVE, amount_pence)]


def reclaim_reserve_release(amount_pence: int) -> list[Line]:
    """Make capital of a reserve that is larger than it need be."""
    return [Line(RECLAIM_RESERVE, PERMANENT_CAPITAL, amount_pence)]


def buy_investments(amount_pence: int) -> list[Line]:
    """A purchase agreed (kind `trade`): reserved on the day of the trade, posted when it settles."""
    return [Line(INVESTMENTS, BANK, amount_pence, Phase.PENDING)]


def sell_investments(amount_pence: int) -> list[Line]:
    """A sale agreed (kind `trade`): reserved on the day of the trade, posted when it settles."""
    return [Line(BANK, INVESTMENTS, amount_pence, Phase.PENDING)]


def investment_income(amount_pence: int) -> list[Line]:
    """Interest, dividends or rent came to the bank; also the lines of `bank_interest`."""
    return [Line(BANK, UNAPPLIED_RETURN, amount_pence)]


def revaluation_gain(amount_pence: int, deficit_pence: int) -> list[Line]:
    """Investments are worth more: first make good what stands below capital, the rest is return."""
    made_good = min(amount_pence, deficit_pence)
    return _positive(Line(INVESTMENTS, DEFICIT, made_good),
                     Line(INVESTMENTS, UNAPPLIED_RETURN, amount_pence - made_good))


def revaluation_loss(amount_pence: int, unapplied_pence: int) -> list[Line]:
    """Investments are worth less: return bears it as far as it goes, then the deficit shows it; capital never does."""
    borne = min(amount_pence, unapplied_pence)
    return _positive(Line(UNAPPLIED_RETURN, INVESTMENTS, borne), Line(DEFICIT, INVESTMENTS, amount_pence - borne))


def deficit_made_good(amount_pence: int) -> list[Line]:
    """Income that came while the endowment stood below its capital makes that good."""
    return [Line(UNAPPLIED_RETURN, DEFICIT, amount_pence)]


# What may be spent.

def spending_rule_set(amount_pence: int, financial_year: str) -> list[Line]:
    """The year's limit: so much return, and no more, may be drawn down in the year."""
    return [Line(UNAPPLIED_RETURN, drawdown_limit(financial_year), amount_pence)]


def drawdown(amount_pence: int, financial_year: str) -> list[Line]:
    """Make part of the year's limit spendable."""
    return [Line(drawdown_limit(financial_year), SPENDABLE, amount_pence)]


def operating_budget(amount_pence: int, financial_year: str) -> list[Line]:
    """Set spendable money by for the year's running costs and panel pay."""
    return [Line(SPENDABLE, running_costs(financial_year), amount_pence)]


def area_allocation(shares: Sequence[tuple[str, int]]) -> list[Line]:
    """Set money aside for neighbourhoods: (place code, pence) for each."""
    return _positive(*(Line(SPENDABLE, allocation(place), pence) for place, pence in shares))


# Grants and what they pay.

def grant_offer(place_code: str, reference: str, stages_pence: Sequence[int]) -> list[Line]:
    """Reserve a grant from its place's allocation: one line a stage, because each is resolved by itself."""
    return [Line(allocation(place_code), grant(reference), pence, Phase.PENDING) for pence in stages_pence]


def stage_release(reference: str, amounts_pence: Sequence[int]) -> list[Line]:
    """Reserve the payment of a stage from the grant: a line for each payee (a host's share is a line of its own)."""
    return [Line(grant(reference), BANK, pence, Phase.PENDING) for pence in amounts_pence]


def payment_returned(reference: str, amount_pence: int) -> list[Line]:
    """A payment came back after it had settled: the money is on the grant again."""
    return [Line(BANK, grant(reference), amount_pence)]


def grant_return(amount_pence: int, place_code: str | None) -> list[Line]:
    """A group paid money back: to its place's allocation, or, without a place, to what is spendable."""
    return [Line(BANK, SPENDABLE if place_code is None else allocation(place_code), amount_pence)]


def grant_decommitted(reference: str, place_code: str, amount_pence: int) -> list[Line]:
    """What a grant will not pay any more goes back to its place's allocation."""
    return [Line(grant(reference), allocation(place_code), amount_pence)]


def operating_cost(amount_pence: int, financial_year: str, phase: Phase = Phase.SINGLE) -> list[Line]:
    """A running cost: single when the bank has taken it already, else reserved until the payment settles."""
    return [Line(running_costs(financial_year), BANK, amount_pence, phase)]


def participation_payment(amount_pence: int, financial_year: str) -> list[Line]:
    """Reserve a panel member's pay or expenses."""
    return [Line(running_costs(financial_year), BANK, amount_pence, Phase.PENDING)]


# The end of a reservation, and of a mistake.

def post_pending(pending: Sequence[Pending], amounts_pence: Sequence[int] | None = None) -> list[Line]:
    """Post reservations (an agreement signed, a payment settled); with less than was reserved the rest returns by
    itself."""
    amounts = [p.amount_pence for p in pending] if amounts_pence is None else amounts_pence
    return [Line(p.debit, p.credit, amount, Phase.POST, (p.entry_id, p.line))
            for p, amount in zip(pending, amounts, strict=True)]


def void_pending(pending: Sequence[Pending]) -> list[Line]:
    """Void reservations (an offer lapsed, a payment failed): what was reserved is free again."""
    return [Line(p.debit, p.credit, p.amount_pence, Phase.VOID, (p.entry_id, p.line)) for p in pending]


def mirror(lines: Sequence[Line]) -> list[Line]:
    """The reversal of an entry's lines: each the other way round."""
    return [Line(line.credit, line.debit, line.amount_pence) for line in lines]


def _positive(*lines: Line) -> list[Line]:
    """Without the lines that would move nothing."""
    return [line for line in lines if line.amount_pence != 0]
