"""A pretend bank for the demo: PyPI's `mock-bank`, which takes pain.001 and answers with pain.002 and camt files.

It holds no real money. It keeps its accounts and messages in one SQLite file, and its clock never goes back: start it
at the earliest date that will be sent (`clock`), one bank for one replay.
"""

import sys
from datetime import datetime
from pathlib import Path

from fund.embedded.process import Child, answers


def child(folder: Path, port: int, *, clock: datetime | None = None) -> Child:
    """The bank on loopback with its data in `folder`. `clock` is the bank's own time to begin at, else now."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mockbank", "--host", "127.0.0.1", "--port", str(port),
               "--db", str(folder / "bank.db"), "--timezone", "Europe/London", "--quiet"]
    if clock is not None:
        command += ["--clock", clock.strftime("%Y-%m-%dT%H:%M")]
    return Child("bank", "the pretend bank", command, lambda: answers(port, "/_mock/health", below=300), ports=[port],
                 patience=20)


def url(port: int) -> str:
    """The address for BANK_URL."""
    return f"http://127.0.0.1:{port}"
