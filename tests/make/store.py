"""The real embedded file store, for tests that keep files."""

import os
from pathlib import Path

from fund.embedded import process, s3
from fund.embedded.process import Child

KEYS = {"bucket": "fund", "access_key": "test", "secret_key": "secret-of-the-tests"}


def start_store(folder: Path, number: int) -> tuple[Child, str]:
    """A store in `folder`, on ports that no other test process (`number`) picks, and its address."""
    port = 30_000 + number * 100 + os.getpid() % 9 * 10
    while not all(process.is_free(one) and process.is_free(one + 10_000) for one in range(port, port + s3.PORTS)):
        port += 10
    child = s3.child(folder / "s3", port, **KEYS)
    process.start(child, folder / "s3.log", Path.cwd())
    if not process.wait_until(child.is_ready, seconds=child.patience):
        raise RuntimeError((folder / "s3.log").read_text())
    return child, s3.url(port)
