"""The Merkle tree of the public log (RFC 6962 section 2.1, the same in RFC 9162): proofs, and their checking.

The checks follow the algorithms of RFC 9162 (2.1.3.2 and 2.1.4.2) and share no code with the making of proofs, so a
mistake in one is found by the other. Hashes are 32 bytes; a leaf is the stored bytes of one line of the log.
"""

import hashlib
from collections.abc import Callable, Sequence

#: Gives the root of the leaves from one index up to (not with) another, wherever their hashes are kept.
Subtree = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one line."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """What proves that leaf `index` is in the tree of the first `size` leaves (RFC 6962 2.1.1), from the leaf up."""
    if not 0 <= index < size:
        raise ValueError("no leaf has that index")
    path, lo, hi = [], 0, size
    while hi - lo > 1:
        middle = lo + _split(hi - lo)
        if index < middle:
            path.append(subtree(middle, hi))
            hi = middle
        else:
            path.append(subtree(lo, middle))
            lo = middle
    return path[::-1]


def consistency_proof(first: int, size: int, subtree: Subtree) -> list[bytes]:
    """What proves that the tree of the `first` leaves is the start of the tree of `size` (RFC 6962 2.1.2)."""
    if not 0 < first <= size:
        raise ValueError("the first tree has at least one leaf and no more than the second")
    path, lo, hi = [], 0, size
    while first != hi:
        middle = lo + _split(hi - lo)
        if first <= middle:
            path.append(subtree(middle, hi))
            hi = middle
        else:
            path.append(subtree(lo, middle))
            lo = middle
    if lo > 0:  # else it is the first tree itself, whose root is known
        path.append(subtree(lo, hi))
    return path[::-1]


def inclusion_holds(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Does the proof show that the leaf with this hash has this index in the tree of this size and root?"""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(part, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, part)
        at, last = at >> 1, last >> 1
    return last == 0 and found == tree_root


def consistency_holds(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Does the proof show that the tree of size `first` is the start of the tree of size `second`?"""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and first_root == second_root
    parts = list(proof)
    if first & (first - 1) == 0:  # a perfect tree is its own first part
        parts.insert(0, first_root)
    if not parts:
        return False
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = parts[0]
    for part in parts[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(part, old), node_hash(part, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, part)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root
