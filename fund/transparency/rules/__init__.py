"""The Merkle tree of the public log, its tiles, and when a tree may be signed. Pure.

`tree` is RFC 6962: roots, proofs and their checking; `tiles` cuts the tree into the files of C2SP's tlog-tiles;
`signing` says why a tree may not be signed.
"""

from typing import NamedTuple

from fund.transparency.rules.tiles import Edge, Tile, split, subtree_from, tiles, width
from fund.transparency.rules.tree import (
    EMPTY_ROOT,
    Frontier,
    consistency_holds,
    consistency_proof,
    inclusion_holds,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
)

__all__ = ["EMPTY_ROOT", "Edge", "Frontier", "Problem", "Tile", "consistency_holds", "consistency_proof",
           "inclusion_holds", "inclusion_proof", "leaf_hash", "node_hash", "root", "split", "subtree_from", "tiles",
           "width"]


class Problem(NamedTuple):
    """Something that should not be: what kind, where, and in a sentence."""

    code: str
    where: str
    sentence: str
