"""The tree cut into tiles of 256 hashes: what a longer log adds to them, and roots and proofs read out of them.

A tile of level 0 holds the hashes of leaves; a hash of level l is the root of a full tile of level l - 1, so it stands
for 256^l leaves. The last tile of each level may be partial; a partial tile is never hashed upward.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from fund.transparency.rules.tree import EMPTY_ROOT, Subtree, node_hash

WIDTH = 256
HASH = 32


class Tile(NamedTuple):
    """Some hashes of a level, side by side, from the tile's first on."""

    level: int
    number: int  # of the tiles of its level, from the left
    hashes: Sequence[bytes]

    @property
    def encoded(self) -> bytes:
        """The tile's bytes: 32 for each hash."""
        return b"".join(self.hashes)


def split(encoded: bytes) -> list[bytes]:
    """The hashes of a tile's bytes."""
    return [encoded[at:at + HASH] for at in range(0, len(encoded), HASH)]


def width(size: int, level: int, index: int) -> int:
    """How many hashes a tile has in the tree of so many leaves; none where the tree does not reach."""
    return max(0, min(WIDTH, (size >> 8 * level) - index * WIDTH))


def tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """Every tile of a tree as (level, index, width), the lowest level first."""
    level = 0
    while size >> 8 * level:
        count = size >> 8 * level
        for index in range((count + WIDTH - 1) // WIDTH):
            yield level, index, min(WIDTH, count - index * WIDTH)
        level += 1


def last_tiles(size: int) -> Iterator[tuple[int, int, int]]:
    """The last, partial tile of each level that has one, as (level, index, width): all that a tree needs to grow."""
    level = 0
    while size >> 8 * level:
        count = size >> 8 * level
        if count % WIDTH:
            yield level, count // WIDTH, count % WIDTH
        level += 1


class Edge:
    """A tree that only grows: it keeps its right edge, the hashes of the last, partial tile of each level."""

    def __init__(self, size: int = 0, partial: Iterable[Tile] = ()) -> None:
        self.size = size
        self._partial: dict[int, list[bytes]] = {tile.level: list(tile.hashes) for tile in partial}

    def grow(self, hashes: Iterable[bytes]) -> list[Tile]:
        """Add leaf hashes; gives every tile that is new or longer, the lowest level first."""
        new, made, level = list(hashes), [], 0
        self.size += len(new)
        while new:
            whole = self._partial.get(level, []) + new
            first = (self.size >> 8 * level) // WIDTH - len(whole) // WIDTH
            new = []
            for number in range(0, len(whole), WIDTH):
                part = whole[number:number + WIDTH]
                made.append(Tile(level, first + number // WIDTH, part))
                if len(part) == WIDTH:
                    new.append(_root(part))
            self._partial[level] = whole[len(whole) // WIDTH * WIDTH:]
            level += 1
        return made

    def root(self) -> bytes:
        """The root of the tree."""
        found = None
        for level in sorted(self._partial):
            for subtree in _perfect(self._partial[level])[::-1]:
                found = subtree if found is None else node_hash(subtree, found)
        return EMPTY_ROOT if found is None else found


def root(hashes: Iterable[bytes]) -> bytes:
    """The root of a tree with these leaf hashes."""
    edge = Edge()
    edge.grow(hashes)
    return edge.root()


def _perfect(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the perfect subtrees that so many hashes make, the largest first."""
    roots, at = [], 0
    for bit in range(len(hashes).bit_length() - 1, -1, -1):
        if len(hashes) >> bit & 1:
            roots.append(_root(hashes[at:at + (1 << bit)]))
            at += 1 << bit
    return roots


def _root(hashes: Sequence[bytes]) -> bytes:
    """The root of a perfect tree: a power of two of hashes. It says `node_hash` itself, which takes a third less."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]


#: Gives the hashes of a tile by (level, index, width).
ReadTile = Callable[[int, int, int], Sequence[bytes]]


def subtree_from(read: ReadTile, size: int) -> Subtree:
    """The roots of runs of leaves, read out of the tiles of a tree of this size. A proof asks eight times for each tile
    that it needs: it is read once."""
    tile = lru_cache(maxsize=8)(read)

    def run(lo: int, hi: int) -> bytes:
        length = hi - lo
        if length & (length - 1):  # not perfect: only at the right edge
            middle = lo + (1 << length.bit_length() - 1)
            return node_hash(run(lo, middle), run(middle, hi))
        level = (length.bit_length() - 1) // 8
        first, count = lo >> 8 * level, length >> 8 * level
        index, at = divmod(first, WIDTH)
        return _root(tile(level, index, width(size, level, index))[at:at + count])

    return run
