"""What stands beside the published log: the public keys, the policy of witnesses, the verifier with its hash, and the
documents that every line keeps to."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fund.settings import settings
from fund.transparency import storage, verify
from fund.transparency.actions.publish import our_policy, our_signers
from fund.transparency.actions.record import kept_to
from fund.transparency.formats import Signer


def put_up() -> bool:
    """Put up the files that are new or changed, and make the bucket on a first run; gives True when they are there.

    Raises OutsideDown where the store does not answer, BadInput where the key or the policy cannot be used.
    """
    storage.make_bucket()
    for path, data in kept_to().items():
        keep(path, data)
    for path, data in _files().items():
        there = storage.read(path)
        if there is None or there.data != data:
            storage.put(path, data)
    return True


def keep(path: str, data: bytes) -> None:
    """Put up a document, for ever. Raises Broken where other bytes stand there, OutsideDown."""
    storage.put_once(path, data, content_type="application/json")


def _files() -> dict[str, bytes]:
    signers = our_signers()
    files = {"log.vkey": "".join(f"{signer.key}\n" for signer in signers).encode()}
    program = Path(verify.__file__).read_bytes()
    files["verify/verify.py"] = program
    files["verify/verify.py.sha256"] = f"{hashlib.sha256(program).hexdigest()}  verify.py\n".encode()
    files["policy"] = _policy(signers)
    return files


def _policy(signers: Sequence[Signer]) -> bytes:
    """Who has to sign a checkpoint before it counts: the policy that was set up, or the log alone."""
    our_policy()  # where it cannot be read, it is not put up either
    if settings().log_policy_file:
        return Path(settings().log_policy_file).read_bytes()
    logs = "".join(f"log {signer.key} {settings().public_url}/log\n" for signer in signers)
    return f"# C2SP tlog-policy: no witness has to cosign, as yet.\n{logs}quorum none\n".encode()
