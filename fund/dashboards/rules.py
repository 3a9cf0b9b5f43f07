"""What comes first on the page of what waits for somebody. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fund.kernel.waiting import Waiting

#: A person takes in three things at a glance (LOOK.md).
FIRST = 3
_NO_DATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What waits for one person: the first few, the rest of it, and what they wait for from others."""

    first: list[Waiting]
    then: list[Waiting]
    from_others: list[Waiting]


def desk(waiting: Iterable[Waiting]) -> Desk:
    """Sort what waits by its date, what has none last; what has no button is for others to do."""
    ordered = sorted(waiting, key=lambda one: one.due_at or _NO_DATE)
    mine = [one for one in ordered if one.button]
    return Desk(mine[:FIRST], mine[FIRST:], [one for one in ordered if not one.button])
