"""Checking what was published against the database: every bundle, tile and checkpoint, byte for byte.

It makes the files again from the leaves that the database holds and compares. What differs was changed in one of the
two places; which of them, the signed checkpoints and the witnesses tell.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from fund.kernel import clock
from fund.kernel.errors import BadInput
from fund.settings import settings
from fund.transparency import formats, queries, rules, storage
from fund.transparency.formats import Checkpoint, VerifierKey
from fund.transparency.rules import Problem, signing
from fund.transparency.rules.tiles import Edge, Tile

_AT_ONCE = 8
_LEAVES = 16_384  # at a time; a whole number of tiles


def published_files(progress: Callable[[int], None] = lambda _size: None) -> Iterator[Problem]:
    """What is wrong with the published files, one problem each; `progress` is told how many leaves were compared.

    Codes: `log_key`, `log_checkpoint` (its signature, root or place), `log_history` (one that was published before),
    `log_bundle`, `log_tile` (a file that is missing or has other bytes), `log_document` (one that the first line
    names by its hash), `log_late` (lines wait to be published).
    Raises OutsideDown where the store does not answer.
    """
    keys = _keys()
    current = storage.read(storage.CHECKPOINT)
    shown = None if current is None else _checkpoint(current.data, keys)
    known = {row.size: row.root for row in queries.checkpoints(most=1_000_000)}
    if shown is None:
        if known or current is not None:
            yield Problem("log_checkpoint", "checkpoint", "it is gone, or nobody whose key we know signed it")
        return
    if known and max(known) != shown.size:
        yield Problem("log_checkpoint", "checkpoint", f"it covers {shown.size} lines, and {max(known)} were published")
    yield from _against_the_database(shown, known, keys, progress)
    yield from _documents()
    yield from _late()


def _keys() -> list[VerifierKey]:
    """The keys that the log shows; a key of ours that is at hand counts too."""
    found = storage.read("log.vkey")
    lines = [] if found is None else found.data.decode("utf-8", "replace").split()
    keys = []
    for line in lines:
        try:
            keys.append(VerifierKey.read(line))
        except BadInput:
            continue
    return [key for key in keys if key.name == settings().log_origin]


def _checkpoint(encoded: bytes, keys: Sequence[VerifierKey]) -> Checkpoint | None:
    """A checkpoint that one of the keys signed; nothing where it is none, or forged."""
    try:
        note = formats.read_note(encoded)
        found = formats.read_checkpoint(note.text)
        signed = any(key.has_signed(note) for key in keys)
    except BadInput:
        return None
    return found if signed and found.origin == settings().log_origin else None


def _against_the_database(shown: Checkpoint, known: dict[int, bytes], keys: Sequence[VerifierKey],
                          progress: Callable[[int], None]) -> Iterator[Problem]:
    edge, at, wanted = Edge(), 0, {*known, shown.size}
    roots: dict[int, bytes] = {}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        while at < shown.size:
            leaves = [encoded for encoded, _ in queries.leaf_bytes(at, min(at + _LEAVES, shown.size))]
            if not leaves:
                yield Problem("log_sequence", f"leaf {at}", f"{shown.size} lines are published, and the database holds "
                                                            f"{at} of them: it is an older copy")
                return
            tiles = _grown(edge, [rules.leaf_hash(leaf) for leaf in leaves], wanted, roots)
            files = [*_bundles(leaves, at, shown.size), *_tiles(tiles, shown.size)]
            for problem in pool.map(_differs, files):
                if problem is not None:
                    yield problem
            at += len(leaves)
            progress(at)
        if roots.get(shown.size) != shown.root:
            yield Problem("log_checkpoint", "checkpoint", "its root is not that of the leaves of the database")
        for problem in pool.map(lambda size: _history(size, roots[size], known[size], keys),
                                sorted(size for size in known if size in roots)):
            if problem is not None:
                yield problem


def _grown(edge: Edge, hashes: Sequence[bytes], wanted: set[int], roots: dict[int, bytes]) -> list[Tile]:
    """Add leaves, stopping at every size whose root is wanted; gives each tile in its longest form."""
    tiles: dict[tuple[int, int], Tile] = {}
    begin, first = 0, edge.size
    for stop in [*sorted(size for size in wanted if first < size < first + len(hashes)), first + len(hashes)]:
        for tile in edge.grow(hashes[begin:stop - first]):
            tiles[tile.level, tile.number] = tile
        begin, roots[edge.size] = stop - first, edge.root()
    return list(tiles.values())


def _bundles(leaves: Sequence[bytes], first: int, size: int) -> Iterator[tuple[str, str, bytes]]:
    for at in range(0, len(leaves), 256):
        part = leaves[at:at + 256]
        if len(part) == 256 or first + at + len(part) == size:
            yield "log_bundle", formats.bundle_path((first + at) // 256, len(part)), formats.bundle(part)


def _tiles(tiles: Sequence[Tile], size: int) -> Iterator[tuple[str, str, bytes]]:
    for tile in tiles:
        if len(tile.hashes) == rules.width(size, tile.level, tile.number):
            yield "log_tile", formats.tile_path(tile.level, tile.number, len(tile.hashes)), tile.encoded


def _differs(file: tuple[str, str, bytes]) -> Problem | None:
    code, path, made = file
    there = storage.read(path)
    if there is None:
        return Problem(code, path, "the published file is gone")
    return None if there.data == made else Problem(code, path, "its bytes are not those that the database makes")


def _history(size: int, root: bytes, kept: bytes, keys: Sequence[VerifierKey]) -> Problem | None:
    path = f"history/{size}"
    there = storage.read(path)
    found = None if there is None else _checkpoint(there.data, keys)
    if found is None:
        return Problem("log_history", path, "it is gone, or nobody whose key we know signed it")
    if found.size != size or found.root != root:
        return Problem("log_history", path, "what was signed then is not the beginning of the log")
    return None if kept == root else Problem("log_history", path, "the database remembers another root")


def _documents() -> Iterator[Problem]:
    for first, _hash in queries.leaf_bytes(0, 1):
        named = formats.read(first)["record"]
        for word in sorted(word for word, value in named.items() if str(value).startswith("sha256:")):
            path = f"{word}/v1.json"
            there = storage.read(path)
            if there is None:
                yield Problem("log_document", path, "the published file is gone")
            elif formats.fingerprint(there.data) != named[word]:
                yield Problem("log_document", path, "it is not what the first line of the log names")


def _late() -> Iterator[Problem]:
    found = queries.publication()
    if signing.is_late(found.waiting_since, clock.now()):
        yield Problem("log_late", f"leaf {found.published_size}", f"{found.waiting} lines wait to be published since "
                                                                  f"{found.waiting_since}")
