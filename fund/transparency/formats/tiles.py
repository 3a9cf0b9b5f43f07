"""The files of the published log (C2SP tlog-tiles): what they are called, and the bundles of its leaves."""

from collections.abc import Iterable, Iterator

from fund.kernel.errors import BadInput

WIDTH = 256  # hashes of a full tile, and leaves of a full bundle


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """The name of a tile of hashes: `tile/0/x001/x234/067`, with `.p/<width>` where it is not full."""
    return f"tile/{level}/{_index(index)}{_partial(width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """The name of a bundle of leaves."""
    return f"tile/entries/{_index(index)}{_partial(width)}"


def _partial(width: int) -> str:
    return "" if width == WIDTH else f".p/{width}"


def _index(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


def bundle(leaves: Iterable[bytes]) -> bytes:
    """Leaves as one file: before each its length, in two bytes."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def leaves_of(encoded: bytes) -> Iterator[bytes]:
    """The leaves of a bundle. Raises BadInput where it ends in the middle of one."""
    at = 0
    while at < len(encoded):
        length = int.from_bytes(encoded[at:at + 2], "big")
        leaf = encoded[at + 2:at + 2 + length]
        if len(leaf) != length or at + 2 > len(encoded):
            raise BadInput("a bundle ends in the middle of a leaf")
        yield leaf
        at += 2 + length
