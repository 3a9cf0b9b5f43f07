"""The embedded parts, each really started in a folder of its own and stopped after the test."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from fund.embedded import process
from fund.embedded.process import Child
from tests.conftest import VAR


@pytest.fixture
def room():
    """A folder for a database of its own. pytest's `tmp_path` is closed to other users whenever another run of pytest
    begins, and as root the database runs as another user."""
    VAR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=VAR, prefix="embedded-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ports(worker_id):
    """The first of twenty free ports that no other test process picks."""
    number = int(worker_id[2:]) + 1 if worker_id.startswith("gw") else 0
    first = 20_000 + number * 1_000 + os.getpid() % 45 * 20
    while not all(process.is_free(port) and process.is_free(port + 10_000) for port in range(first, first + 20)):
        first += 20
    return first


@pytest.fixture
def started(tmp_path):
    """Starts a child and waits for it; every one is stopped at the end."""
    running: list[Child] = []

    def start(child: Child) -> Child:
        process.start(child, tmp_path / f"{child.slug}.log", Path.cwd())
        running.append(child)
        assert process.wait_until(child.is_ready, seconds=child.patience), (tmp_path / f"{child.slug}.log").read_text()
        return child

    yield start
    for child in reversed(running):
        process.stop_child(child)
