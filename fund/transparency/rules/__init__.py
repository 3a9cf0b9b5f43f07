"""The Merkle tree of the public log, its tiles, and when a tree may be signed. Pure.

`tree` is RFC 6962: proofs and their checking; `tiles` grows the tree in the files of C2SP's tlog-tiles;
`signing` says why a tree may not be signed.
"""

from typing import NamedTuple

from fund.transparency.rules.tiles import Edge, Tile, root, split, subtree_from, tiles, width
from fund.transparency.rules.tree import (
    EMPTY_ROOT,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    node_hash,
)

__all__ = ["EMPTY_ROOT", "Edge", "Problem", "Tile", "consistency_holds", "consistency_proof",
           "inclusion_holds", "inclusion_proof", "leaf_hash", "node_hash", "root", "split", "subtree_from", "tiles",
           "width"]


class Problem(NamedTuple):
    """Something that should not be: what kind, where, and in a sentence."""

    code: str
    where: str
    sentence: str
