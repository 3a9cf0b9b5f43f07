"""Programs of other people accept the published log, and refuse it when a byte is changed.

sigstore's Python client and its JavaScript verifier check proofs and checkpoints; pymerkle makes the same roots. They
are installed once into folders of their own (var/foreign), pinned, and never become part of the fund; where there is no
network the tests are skipped.
"""

import base64
import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fund.transparency import queries, rules
from fund.transparency.formats import read_checkpoint, read_note
from fund.web import assets
from tests.conftest import VAR

HERE = Path(__file__).resolve()
PINNED = HERE.parents[2] / "requirements" / "foreign.txt"
SIGSTORE_JS = "@sigstore/verify@3.1.1"


def installed(folder: Path, *commands: list[str]) -> Path:
    """Run the commands once to fill a folder, whichever process comes first; skips where they fail."""
    VAR.mkdir(parents=True, exist_ok=True)
    with (VAR / "lock.foreign").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            folder.mkdir(parents=True, exist_ok=True)
            for command in commands:
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"could not install for {folder.name}: {done.stderr.strip().splitlines()[-1:]}")
            (folder / "done").touch()
    return folder


@pytest.fixture(scope="session")
def foreign_python():
    """A Python with other people's verifiers."""
    folder = VAR / "foreign" / f"python{sys.version_info.minor}"
    python = folder / "bin" / "python"
    installed(folder, [sys.executable, "-m", "venv", str(folder)],
              [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", "--require-hashes", "-r",
               str(PINNED)])
    return python


@pytest.fixture(scope="session")
def foreign_node():
    """A Node with sigstore's verifier: (program, folder)."""
    node = assets.node()
    if node is None:
        pytest.skip("no Node")
    npm = assets._npm(node)
    folder = installed(VAR / "foreign" / "node", [*npm, "install", "--no-audit", "--no-fund", "--silent", SIGSTORE_JS])
    return node, folder


@pytest.fixture
def shown(a_log, tmp_path):
    """A published log as one file of JSON: checkpoint, leaves, a few proofs, and the key."""
    a_log.grow(300)
    a_log.publish()
    note = a_log.file("checkpoint")
    size = read_checkpoint(read_note(note).text).size
    leaves = [row.encoded for row in queries.leaves_after(-1, 10_000)]
    hashes = [rules.leaf_hash(leaf) for leaf in leaves]
    proofs = {index: proof_of(queries.receipt_of(index)) for index in (0, 1, 137, 255, 256, size - 1)}
    path = tmp_path / "shown.json"
    path.write_text(json.dumps({
        "checkpoint": note.decode(), "size": size, "root": rules.root(hashes).hex(),
        "leaves": [leaf.hex() for leaf in leaves],
        "key": base64.b64encode(a_log.key.public).decode(), "id": a_log.key.id.hex(), "origin": a_log.origin,
        "proofs": {str(index): [part.hex() for part in proof] for index, proof in proofs.items()},
        "roots": {str(n): rules.root(hashes[:n]).hex() for n in (1, 2, 3, 7, 64, 255, 256, 257, size)}}))
    return path


def proof_of(receipt: bytes) -> list[bytes]:
    """The hashes of a receipt."""
    return [base64.b64decode(line) for line in receipt.split(b"\n\n")[0].split(b"\n")[2:]]


def run(command: list[str], script: str, path: Path, cwd: Path | None = None) -> str:
    done = subprocess.run([*command, script, str(path)], capture_output=True, text=True, cwd=cwd, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": str(path.parent)})
    assert done.returncode == 0, done.stderr
    return done.stdout


PYTHON = """
import json, sys, hashlib, base64
from types import SimpleNamespace
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pymerkle import InmemoryTree

log = json.load(open(sys.argv[1]))
leaves = [bytes.fromhex(one) for one in log["leaves"]]
parsed = SignedCheckpoint.from_text(log["checkpoint"])
assert (parsed.checkpoint.origin, parsed.checkpoint.log_size) == (log["origin"], log["size"])
assert parsed.checkpoint.log_hash == log["root"]
(signature,) = parsed.signed_note.signatures
assert signature.sig_hash.hex() == log["id"]
Ed25519PublicKey.from_public_bytes(base64.b64decode(log["key"])).verify(
    base64.b64decode(signature.signature), parsed.signed_note.note.encode())

def check(index, leaf, hashes):
    proof = SimpleNamespace(log_index=index, tree_size=log["size"], hashes=hashes, root_hash=bytes.fromhex(log["root"]))
    verify_merkle_inclusion(SimpleNamespace(_inner=SimpleNamespace(canonicalized_body=leaf, inclusion_proof=proof)))

accepted = refused = 0
for index, proof in log["proofs"].items():
    index, hashes = int(index), [bytes.fromhex(one) for one in proof]
    check(index, leaves[index], hashes)
    accepted += 1
    for leaf, parts in [(leaves[index] + b" ", hashes), (leaves[index], hashes[1:]),
                        (leaves[index], [bytes(32), *hashes[1:]])]:
        try:
            check(index, leaf, parts)
        except VerificationError:
            refused += 1
tree = InmemoryTree(algorithm="sha256")
for leaf in leaves:
    tree.append_entry(leaf)
for size, root in log["roots"].items():
    assert tree.get_state(int(size)).hex() == root, size
print(accepted, refused, len(log["roots"]))
"""

NODE = """
const fs = require('fs'), crypto = require('crypto');
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js');
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js');
const log = JSON.parse(fs.readFileSync(process.argv[2]));
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(log.key, 'base64')]);
const tlogs = [{ logID: Buffer.from(log.id, 'hex'), baseURL: log.origin,
                 publicKey: crypto.createPublicKey({ key: der, format: 'der', type: 'spki' }) }];
const entry = (index, leaf, hashes, envelope) => ({ canonicalizedBody: leaf, inclusionProof: {
  logIndex: String(index), hashes, checkpoint: { envelope } } });
let accepted = 0, refused = 0;
for (const [index, proof] of Object.entries(log.proofs)) {
  const hashes = proof.map((one) => Buffer.from(one, 'hex')), leaf = Buffer.from(log.leaves[index], 'hex');
  const good = entry(index, leaf, hashes, log.checkpoint);
  verifyMerkleInclusion(good, verifyCheckpoint(good, tlogs));
  accepted++;
  const bad = [entry(index, Buffer.concat([leaf, Buffer.from(' ')]), hashes, log.checkpoint),
               entry(index, leaf, hashes.slice(1), log.checkpoint),
               entry(index, leaf, hashes, log.checkpoint.replace(`\\n${log.size}\\n`, `\\n${log.size + 1}\\n`))];
  for (const one of bad) {
    try { verifyMerkleInclusion(one, verifyCheckpoint(one, tlogs)); } catch (error) { refused++; }
  }
}
console.log(accepted, refused);
"""


def test_sigstore_and_pymerkle_accept_the_log_and_refuse_what_was_changed(foreign_python, shown):
    script = shown.parent / "check.py"
    script.write_text(PYTHON)
    assert run([str(foreign_python)], str(script), shown).split() == ["6", "18", "9"]


def test_sigstores_javascript_accepts_the_log_and_refuses_what_was_changed(foreign_node, shown):
    node, folder = foreign_node
    script = folder / f"check-{os.getpid()}.js"
    script.write_text(NODE)
    try:
        assert run([node], str(script), shown, cwd=folder).split() == ["6", "18"]
    finally:
        script.unlink()
