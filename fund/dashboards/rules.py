"""What comes first on the page of what waits for somebody. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting
from fund.kernel.words import N_

#: A person takes in three things at a glance (LOOK.md).
FIRST = 3
_NO_DATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits for one person: the first few, the rest of it, what they wait for from others, and their pages."""

    first: list[Waiting]
    then: list[Waiting]
    from_others: list[Waiting]
    pages: list["Page"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that somebody comes back to: its endpoint, and its name in English."""

    endpoint: str
    name: str


_EVERY_GRANT = Page("grants.all_grants", N_("Grants and payments"))
_STATEMENTS = Page("bank.statements", N_("Bank statements"))

#: The lists behind what waits, by the capacity in which somebody works with them.
PAGES_OF: dict[Capacity, tuple[Page, ...]] = {
    Capacity.OFFICER: (Page("applications.queue", N_("Applications to check")),
                       Page("organisations.accounts_to_check", N_("Bank accounts to check")),
                       Page("grants.evidence_queue", N_("What groups have shown")), _EVERY_GRANT),
    Capacity.APPROVER: (Page("grants.release_queue", N_("Payments to approve")), _STATEMENTS, _EVERY_GRANT),
    Capacity.AUTHORISER: (Page("bank.batches", N_("Payments to authorise")), _STATEMENTS, _EVERY_GRANT),
    Capacity.TRUSTEE: (Page("endowment.overview", N_("The endowment")),
                       Page("endowment.spending_now", N_("What a year may spend")),
                       Page("endowment.reserve", N_("The reserve for owners")),
                       Page("ledger.overview", N_("Open books")), _EVERY_GRANT),
}
_OF_A_MEMBER = (Page("panels.mine", N_("My panel")),)
_OF_A_GROUP = (Page("applications.mine", N_("Your applications")), Page("grants.mine", N_("Your grants")),
               Page("organisations.mine", N_("Your groups")))


def pages_of(capacities: Iterable[Capacity], *, is_member: bool) -> list[Page]:
    """The pages that somebody comes back to, each once, in the order of their work."""
    held = [PAGES_OF[one] for one in Capacity if one in set(capacities) and one in PAGES_OF]
    if not held:
        held = [_OF_A_MEMBER, _OF_A_GROUP] if is_member else [_OF_A_GROUP]
    return list(dict.fromkeys(page for pages in held for page in pages))


def desk(waiting: Iterable[Waiting], pages: list[Page] | None = None) -> Desk:
    """Sort what waits by its date, what has none last; what has no button is for others to do."""
    ordered = sorted(waiting, key=lambda one: one.due_at or _NO_DATE)
    mine = [one for one in ordered if one.button]
    return Desk(mine[:FIRST], mine[FIRST:], [one for one in ordered if not one.button], pages or [])
