"""What every account holds at some sizes of the log, out of the leaves alone: the files `/log/balances/<size>.json`.

They save a reader the work of adding up; nothing trusts them, and the verifier compares them with its own sums.
"""

import json
from collections.abc import Iterable, Iterator

from fund.ledger import rules
from fund.ledger.queries.entries import posting_rules
from fund.ledger.queries.fsck import transfers_said
from fund.ledger.rules.replay import Books
from fund.transparency import queries as public_record

PAGE = 4_096


def balances_at(sizes: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """(size, file) for each of these sizes, which rise. The leaves are replayed from the first; it ends early at one
    that is missing or breaks a rule, because then no sum means anything (fsck names what is wrong)."""
    books, at = Books(posting_rules(), transfers_said), 0
    for size in sizes:
        while at < size:
            leaves = public_record.leaf_bytes(at, min(at + PAGE, size))
            if not leaves or any(books.apply(json.loads(encoded), "") for encoded, _hash in leaves):
                return
            at += len(leaves)
        yield size, rules.balances_file(size, books.accounts)
