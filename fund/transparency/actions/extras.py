"""What stands beside the published log and is no part of its promise: the public keys, the policy of witnesses, and
the verifier with its hash."""

import hashlib
from pathlib import Path

from fund.settings import settings
from fund.transparency import storage, verify
from fund.transparency.actions.publish import our_policy, our_signers


def put_up() -> bool:
    """Put up the files that are new or changed, and make the bucket on a first run; gives True when they are there.

    Raises OutsideDown where the store does not answer, BadInput where the key or the policy cannot be used.
    """
    storage.make_bucket()
    for path, data in _files().items():
        there = storage.read(path)
        if there is None or there.data != data:
            storage.put(path, data)
    return True


def _files() -> dict[str, bytes]:
    files = {"log.vkey": "".join(f"{signer.key}\n" for signer in our_signers()).encode()}
    program = Path(verify.__file__).read_bytes()
    files["verify/verify.py"] = program
    files["verify/verify.py.sha256"] = f"{hashlib.sha256(program).hexdigest()}  verify.py\n".encode()
    if our_policy().witnesses:
        files["policy"] = Path(settings().log_policy_file).read_bytes()
    return files
