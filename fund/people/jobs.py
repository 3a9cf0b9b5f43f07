"""Work for later: forgetting what is no longer needed."""

from fund.people import actions
from fund.queue import job

A_DAY = 24 * 3600


@job("people.tidy", every_seconds=A_DAY)
def tidy() -> None:
    """Forget requests to sign in that are older than two days, with the words that were kept in them."""
    actions.forget_old_sign_ins()
