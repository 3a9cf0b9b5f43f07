"""Changing panels: `seats`, `sittings` and their readers, `interests`, `scores` and locks.

What a member says acts from their own seat: the transaction is in the role `fund_panel` as that person (the edge sees
to it), and the triggers of migration 0008 ask the same rules again. Nothing here changes a score once it is locked, and
nothing writes one for somebody else.
"""

from fund.panels.actions.interests import declare_interest, rule_on_interest
from fund.panels.actions.plainly import closed, said_plainly
from fund.panels.actions.scores import lock_scores, release_score, remind, save_scores
from fund.panels.actions.seats import accept_code, constitute, give_up_seat, record_training
from fund.panels.actions.sittings import find_another_reader, find_readers, open_sitting, put_before_the_panel, set_pot

__all__ = [
    "accept_code", "closed", "constitute", "declare_interest", "find_another_reader", "find_readers",
    "give_up_seat", "lock_scores", "open_sitting", "put_before_the_panel", "record_training", "release_score",
    "remind", "rule_on_interest", "said_plainly", "save_scores", "set_pot",
]
