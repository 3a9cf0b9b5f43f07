"""What the tables refused, in words: for everybody who writes into a sitting."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from fund.db import refusal, session
from fund.kernel.errors import Refused
from fund.kernel.reasons import Reason
from fund.kernel.words import _


@contextmanager
def said_plainly() -> Iterator[None]:
    """Flush what the block wrote; what lost a race against a closing or a double press is refused in words."""
    try:
        yield
        session.flush()
    except DBAPIError as error:
        _state, constraint = refusal(error)
        if constraint == "ck_sitting_open":
            raise Refused(closed()) from error
        if constraint == "ck_sitting_pot_before_scores":
            raise Refused([Reason("scored", _("Somebody has scored already, so the money of this sitting stays as it "
                                              "is."))]) from error
        if constraint in _SAID_TWICE:
            sentence = _("This was saved a moment ago. Open the page again to see it.")
            raise Refused([Reason("twice", sentence)]) from error
        raise


_SAID_TWICE = frozenset({
    "uq_interest_version", "ck_interest_next_version", "pk_interest_ruling", "uq_score_version",
    "ck_score_next_version", "pk_score_lock", "pk_score_release", "pk_attendance", "uq_agreed_reason_version",
    "ck_agreed_reason_next_version", "pk_sitting_close", "pk_sitting_pot", "uq_assignment",
    "ck_score_not_locked", "ck_score_not_released", "ck_interest_only_raised"})


def closed() -> list[Reason]:
    """Why nothing more can be said in a sitting that is over."""
    return [Reason("closed", _("The sitting is closed. Its decisions stand."))]


def not_serving(*, serves: bool) -> list[Reason]:
    """Why a seat may not say anything yet; nothing where it serves."""
    if serves:
        return []
    return [Reason("not_serving", _(
        "Your seat is not serving now: accept the code of conduct and finish the training first."))]
