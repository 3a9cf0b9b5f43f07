"""Changing the public record: `record` writes acts and leaves, `publish` signs the log and puts it into the open."""

from fund.transparency.actions.record import (
    CALL,
    GENESIS,
    Leaf,
    append,
    append_later,
    begin,
    commit_to,
    erase,
    keeps_to,
    kept_to,
    name_new_key,
    original,
    record_act,
    take_back,
    tell_the_publisher,
)

__all__ = ["CALL", "GENESIS", "Leaf", "append", "append_later", "begin", "commit_to", "erase", "keeps_to", "kept_to",
           "name_new_key", "original", "record_act", "take_back", "tell_the_publisher"]
