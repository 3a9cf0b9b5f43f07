"""When a tree may be signed: the one thing that a log must never get wrong.

A log that signs two trees of which neither begins the other has told two stories, and nobody can believe it again. So
before each signature the last one is read from a place that no backup of the database brings back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fund.kernel.reasons import Reason
from fund.kernel.words import _

#: An entry should be published within so long; staff are told when it is not.
ALARM_AFTER = timedelta(minutes=5)
#: A cosignature older than this is asked for again, so that its time shows that the log is not stale.
FRESH_FOR = timedelta(days=1)
#: Leaves under one checkpoint at most, so that a long log is published in pieces and memory stays small.
MOST_LEAVES = 16_384


@dataclass(frozen=True, slots=True)
class TreeFacts:
    """What is known when a tree is to be signed: what was signed last, and what the database holds."""

    signed_size: int
    signed_root: bytes
    size: int
    root: bytes
    root_then: bytes  # of the first `signed_size` leaves, out of the published tiles
    last_leaves_agree: bool  # the leaves of the last published tile are those of the database
    is_consistent: bool  # the proof that the signed tree begins this one holds


def reasons_not_to_sign(facts: TreeFacts) -> list[Reason]:
    """Give every reason why this tree may not be signed; none means that it may."""
    if facts.size < facts.signed_size:
        return [Reason("database_is_older", _(
            "A tree of %(signed)s lines was signed, and the database holds %(size)s: it is an older copy. Nothing is "
            "signed until the lines that are missing are back.", signed=facts.signed_size, size=facts.size))]
    reasons = []
    if facts.root_then != facts.signed_root:
        reasons.append(Reason("tiles_differ", _(
            "The published tiles do not make the tree of %(signed)s lines that was signed.", signed=facts.signed_size)))
    if not facts.last_leaves_agree:
        reasons.append(Reason("database_differs", _(
            "The lines just before line %(signed)s are not those that were published: this is another database, or "
            "somebody changed it.", signed=facts.signed_size)))
    if not reasons and not facts.is_consistent:
        reasons.append(Reason("not_consistent", _("What was signed is not the beginning of this tree.")))
    return reasons


def is_late(oldest_unpublished_at: datetime | None, now: datetime) -> bool:
    """Whether a line of the record waits too long to be published."""
    return oldest_unpublished_at is not None and now - oldest_unpublished_at > ALARM_AFTER
