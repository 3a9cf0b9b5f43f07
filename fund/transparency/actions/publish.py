"""Publishing the log: new leaves become files that anybody can check, under a checkpoint that is signed once.

The order is what makes it safe (Sunlight keeps to the same one). Bundles and tiles come first and are written once, so
files under a checkpoint are always there. Then the tree is compared with the last one signed, which is kept in the
file store and never comes back with a backup of the database. Then it is signed, and *that* is claimed: of two
publishers one loses. Then witnesses cosign, the checkpoint goes into the history, and last of all it becomes the
current one. Killed anywhere and run again, it ends with the same bytes.

The private key is read here, by the worker or a command; the web server never has it, and the database never sees it.
"""

import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert

from fund.db import session
from fund.kernel import clock
from fund.kernel.errors import BadInput, Broken, OutsideDown, refuse_if
from fund.settings import settings
from fund.transparency import formats, queries, rules, storage, transport
from fund.transparency.formats import Checkpoint, Note, Policy, Signer
from fund.transparency.formats.notes import Signature
from fund.transparency.models import PublishedCheckpoint
from fund.transparency.rules import signing
from fund.transparency.rules.tiles import Edge, Tile, last_tiles, split, subtree_from
from fund.transparency.storage import CHECKPOINT, SIGNED, Stored

log = structlog.get_logger()

_AT_ONCE = 8  # files written side by side


@dataclass(frozen=True, slots=True)
class Published:
    """What a run came to: the checkpoint that is current now, and how many leaves are still to come."""

    size: int
    waiting: int
    cosigned_by: tuple[str, ...]
    is_complete: bool = True  # else the witnesses are still to cosign what is signed
    is_new: bool = True  # else everything was published already


def publish_next() -> Published | None:
    """Publish the leaves that are new, at most 16,384 of them; nothing where another publisher is at it.

    Raises Refused where the tree must not be signed (an older or another database), Broken where published files are
    not what they were, OutsideDown where the store does not answer.
    """
    signers, policy = our_signers(), our_policy()
    if not session.execute(sa.text("SELECT pg_try_advisory_xact_lock(7214051)")).scalar_one():
        return None
    claimed, current = storage.read(SIGNED), storage.read(CHECKPOINT)
    signed = _ours(claimed, signers)
    shown = None if current is None else formats.read_checkpoint(formats.read_note(current.data).text)
    if shown is not None and (signed is None or shown.size > signed.size):
        raise Broken("the published checkpoint is not one that is known to have been signed")
    if signed is not None and (shown is None or shown.size < signed.size):
        return _release(claimed, current, policy)  # a run that was cut off after it had signed
    size = queries.size()
    tree = _grown(signed, size)
    if tree.size == 0:
        return Published(0, 0, (), is_new=False)
    if signed is None or tree.size > signed.size:
        text = Checkpoint(settings().log_origin, tree.size, tree.root).text
        note = Note(text, tuple(signer.sign(text) for signer in signers))
        if not storage.replace(SIGNED, note.encoded, claimed):
            raise Broken("another publisher signed a tree in the meantime")
        return _release(Stored(note.encoded, ""), current, policy)
    _record(signed, _cosigners(policy, current))
    if _is_stale(policy, current):
        return _release(claimed, current, policy)
    return Published(signed.size, size - signed.size, tuple(_cosigners(policy, current)), is_new=False)


def _ours(claimed: Stored | None, signers: Sequence[Signer]) -> Checkpoint | None:
    """The last checkpoint that was signed, with our own key."""
    if claimed is None:
        return None
    note = formats.read_note(claimed.data)
    found = formats.read_checkpoint(note.text)
    if found.origin != settings().log_origin or not any(signer.key.has_signed(note) for signer in signers):
        raise Broken("the last checkpoint was signed with a key that is not ours")
    return found


# The tree ---------------------------------------------------------------------------------------------------------

def _grown(signed: Checkpoint | None, size: int) -> Checkpoint:
    """The tree with the leaves that are new, its files written. Raises Refused unless it may be signed."""
    old = Checkpoint("", 0, rules.EMPTY_ROOT) if signed is None else signed
    edge = Edge(old.size, [Tile(level, index, _stored_tile(level, index, width))
                           for level, index, width in last_tiles(old.size)])
    root_then = edge.root()
    end = max(old.size, min(size, old.size + signing.MOST_LEAVES))
    first = max(old.size - 1, 0) // 256 * 256  # the tile that the last signed leaf is in
    rows = queries.leaf_bytes(first, end)
    hashes = [rules.leaf_hash(encoded) for encoded, _ in rows]
    if len(rows) != max(end, 0) - first and size >= old.size:
        raise Broken(f"the log has a hole between its lines {first} and {end}")
    wrong = next((first + at for at, ((_, kept), made) in enumerate(zip(rows, hashes, strict=True)) if kept != made),
                 None)
    if wrong is not None:
        raise Broken(f"the hash of line {wrong} is not that of its bytes")
    for seq, (encoded, _) in enumerate(rows[max(old.size - first, 0):], old.size):
        reason = formats.reason_not_to_sign(encoded)
        if reason is not None:
            raise Broken(f"line {seq} must not be signed: {reason}")
    agree = old.size == 0 or hashes[:old.size - first] == list(_last_hashes(old.size))
    facts = signing.TreeFacts(old.size, old.root, size, b"", root_then, agree, is_consistent=True)
    refuse_if(signing.reasons_not_to_sign(facts))
    tiles = edge.grow(hashes[old.size - first:])
    if tiles:
        _write_files([encoded for encoded, _ in rows], first, old.size, tiles)
        made = {(tile.level, tile.number): tile.hashes for tile in tiles}
        tree = subtree_from(lambda level, index, width: made.get((level, index)) or _stored_tile(level, index, width),
                            edge.size)
        proof = rules.consistency_proof(old.size, edge.size, tree) if old.size else []
        holds = not old.size or rules.consistency_holds(old.size, edge.size, old.root, edge.root(), proof)
        refuse_if(signing.reasons_not_to_sign(signing.TreeFacts(
            old.size, old.root, edge.size, edge.root(), root_then, agree, holds)))
    return Checkpoint(settings().log_origin, edge.size, edge.root())


def _stored_tile(level: int, index: int, width: int) -> list[bytes]:
    found = storage.read(formats.tile_path(level, index, width))
    if found is None or len(found.data) != 32 * width:
        raise Broken(f"{formats.tile_path(level, index, width)} is gone from the published log, or cut short")
    return split(found.data)


def _last_hashes(size: int) -> list[bytes]:
    """The hashes of the last tile of level 0, full or not."""
    index = (size - 1) // 256
    return _stored_tile(0, index, size - index * 256)


def _write_files(leaves: Sequence[bytes], first: int, old_size: int, tiles: Sequence[Tile]) -> None:
    """Bundles, then tiles from the lowest level up: whatever a tile stands for is there before it."""
    begin = old_size // 256 * 256
    bundles = [(formats.bundle_path((begin + at) // 256, len(leaves[begin - first + at:begin - first + at + 256])),
                formats.bundle(leaves[begin - first + at:begin - first + at + 256]))
               for at in range(0, len(leaves) - (begin - first), 256)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda one: storage.put_once(*one), bundles))
        for level in sorted({tile.level for tile in tiles}):
            list(pool.map(lambda tile: storage.put_once(formats.tile_path(tile.level, tile.number, len(tile.hashes)),
                                                        tile.encoded),
                          [tile for tile in tiles if tile.level == level]))


# The checkpoint -----------------------------------------------------------------------------------------------------

def _release(claimed: Stored | None, current: Stored | None, policy: Policy) -> Published:
    """Have a signed checkpoint cosigned, put it into the history, and make it the current one."""
    if claimed is None:
        raise Broken("there is no signed checkpoint to publish")
    note = formats.read_note(claimed.data)
    checkpoint = formats.read_checkpoint(note.text)
    waiting = queries.size() - checkpoint.size
    note = Note(note.text, (*note.signatures, *_cosignatures(note, checkpoint, current, policy)))
    cosigners = tuple(sorted(policy.cosigners(note)))
    if not policy.is_met_by(cosigners):
        log.warning("log.waits_for_witnesses", size=checkpoint.size, cosigned_by=cosigners)
        return Published(checkpoint.size, waiting, cosigners, is_complete=False)
    history, text = f"history/{checkpoint.size}", "text/plain; charset=utf-8"
    there = storage.read(history)
    if there is None:
        storage.put_once(history, note.encoded, content_type=text)
    elif formats.read_note(there.data).text != note.text:
        raise Broken(f"another checkpoint of size {checkpoint.size} is in the history")
    if not storage.replace(CHECKPOINT, note.encoded, current):
        raise Broken("another publisher put up a checkpoint in the meantime")
    _record(checkpoint, cosigners)
    return Published(checkpoint.size, waiting, cosigners)


def _cosignatures(note: Note, checkpoint: Checkpoint, current: Stored | None, policy: Policy) -> list[Signature]:
    """What the witnesses of the policy that answer have to say; one that does not is named in the worker's log."""
    last = None if current is None else formats.read_note(current.data)
    tree = subtree_from(_stored_tile, checkpoint.size)

    def ask(name: str) -> Signature | None:
        witness = policy.witnesses[name]
        if not witness.url:
            return None
        seen = 0 if last is None or not witness.key.has_signed(last) else formats.read_checkpoint(last.text).size
        try:
            return transport.cosignature(
                witness.url, witness.key, note, seen,
                lambda old: rules.consistency_proof(old, checkpoint.size, tree) if old <= checkpoint.size else [])
        except (OutsideDown, BadInput) as error:
            log.warning("log.witness_did_not_cosign", witness=name, size=checkpoint.size, why=str(error))
            return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [found for found in pool.map(ask, policy.witnesses) if found is not None]


def _cosigners(policy: Policy, current: Stored | None) -> list[str]:
    return [] if current is None else sorted(policy.cosigners(formats.read_note(current.data)))


def _is_stale(policy: Policy, current: Stored | None) -> bool:
    """Whether the cosignatures are so old that the log could be stale and nobody would see."""
    if current is None or policy.quorum == "none":
        return False
    times = policy.cosigners(formats.read_note(current.data)).values()
    return not times or min(times) < clock.now() - signing.FRESH_FOR


def _record(checkpoint: Checkpoint, cosigners: Sequence[str]) -> None:
    """Note in the database what was published, for the pages."""
    session.execute(insert(PublishedCheckpoint).values(
        size=checkpoint.size, root=checkpoint.root, cosigned_by=list(cosigners)).on_conflict_do_nothing())


# Keys and policy --------------------------------------------------------------------------------------------------

def our_signers() -> list[Signer]:
    """The keys that sign, the newest first, from LOG_KEY_FILE. Raises BadInput where it is not private or no key."""
    path = Path(settings().log_key_file)
    if not settings().log_key_file or not path.is_file():
        raise BadInput("LOG_KEY_FILE names no file: nothing can sign the log")
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise BadInput(f"others may read {path}: chmod 600 it, and make a new key if anybody did")
    signers = [Signer.read(line) for line in path.read_text().splitlines() if line.strip()]
    if not signers or any(signer.name != settings().log_origin for signer in signers):
        raise BadInput("the key of the log has the log's origin as its name (LOG_ORIGIN)")
    return signers


def our_policy() -> Policy:
    """Whose cosignatures are wanted, from LOG_POLICY_FILE; nobody's without one. Raises BadInput."""
    path = settings().log_policy_file
    if not path:
        return Policy()
    if not Path(path).is_file():
        raise BadInput("LOG_POLICY_FILE names no file")
    return formats.read_policy(Path(path).read_text())
