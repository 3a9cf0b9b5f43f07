"""What is looked at before anything is started: one run at a time, nothing left over, room on the disk, free ports."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import psutil

from fund.embedded import process
from fund.embedded.process import CannotRun, Child

#: What a first start writes (database, logs, a volume of files), and what a later one needs to move in, in bytes.
ROOM_AT_FIRST = 300_000_000
ROOM_LATER = 60_000_000

STANDARD_PORTS = {"postgresql": 5432, "redis": 6379, "smtp": 25, "http": 80, "https": 443, "smtps": 465}


@contextlib.contextmanager
def one_at_a_time(var: Path, address: str) -> Iterator[None]:
    """Hold the folder for this run. A second run is told who has it."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _written_in(lock)
            raise CannotRun(
                f"The fund is running from this folder already (process {holder.get('pid', '?')}). Open "
                f"{holder.get('address', 'its page')}, or stop it with `make stop`.") from None
        lock.truncate(0)
        lock.write(json.dumps({"pid": os.getpid(), "address": address}))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _written_in(lock: TextIO) -> dict[str, object]:
    lock.seek(0)
    try:
        return dict(json.loads(lock.read()))
    except ValueError:
        return {}


def who_runs(var: Path) -> psutil.Process | None:
    """The run that holds the folder now."""
    try:
        with (var / "lock").open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return psutil.Process(int(str(_written_in(lock)["pid"])))
    except (FileNotFoundError, KeyError, psutil.NoSuchProcess):
        pass
    return None


def nothing_left_over(run: Path) -> None:
    """Refuse to start beside processes of an earlier run that was killed: they hold the ports and the data."""
    found = process.left_over(run)
    if found:
        names = ", ".join(f"{one.name} (process {one.process.pid})" for one in found)
        raise CannotRun(f"An earlier run was cut off and left this running: {names}. "
                        "Stop it with `make stop`, then start again.")


def stop_everything(var: Path, postgres: Callable[[], None], say: Callable[[str], None]) -> None:
    """Stop the run of this folder, or what a run that was killed left over."""
    running = who_runs(var)
    if running is not None:
        say(f"Stopping the fund (process {running.pid}) …")
        running.send_signal(signal.SIGTERM)
        psutil.wait_procs([running], timeout=90)
    for one in reversed(process.left_over(var / "run")):
        say(f"Stopping {one.name} (process {one.process.pid}) …")
        if one.slug != "postgres":
            process.stop(one.process)
    # By its own pid file: the tests' database has no record of ours.
    postgres()
    say("Nothing of the fund is running.")


def room_on_the_disk(var: Path) -> None:
    """Refuse to start on a disk that is nearly full: a database that runs out in the middle is no demo."""
    needed = ROOM_LATER if (var / "postgres" / "PG_VERSION").exists() else ROOM_AT_FIRST
    free = shutil.disk_usage(var).free
    if free < needed:
        raise CannotRun(f"The disk that holds {var} is nearly full: {free // 1_000_000} MB are free and the fund needs "
                        f"{needed // 1_000_000} MB. Make some room on it, then start again.")


def sensible_port(port: int) -> None:
    """Refuse a first port that leaves no room for the others."""
    if not 1024 <= port <= 45_000:
        raise CannotRun(f"PORT is {port}, and the fund takes ten ports from it and ten more 10,000 above: "
                        "choose a number between 1024 and 45000, such as `make run PORT=8100`.")


def free_ports(children: Iterable[Child], first: int) -> None:
    """Refuse to start when another program has one of the ports."""
    for child in children:
        for port in child.ports:
            if not process.is_free(port):
                other = 8100 if first < 8100 else 8000
                raise CannotRun(f"Port {port}, which {child.name} needs, is taken by {process.holder_of(port)}. "
                                f"Stop that program, or start on other ports: `make run PORT={other}`.")


def reachable(setting: str, address: str) -> None:
    """Refuse to start when nobody answers at an address that stands in for an embedded part."""
    parts = urlsplit(address)
    port = parts.port or STANDARD_PORTS.get(parts.scheme.split("+")[0])
    if not parts.hostname or port is None:
        return
    try:
        with socket.create_connection((parts.hostname, port), timeout=5):
            return
    except OSError:
        raise CannotRun(f"{setting} is set, but nobody answers at {parts.hostname}:{port}. Start what should be there, "
                        f"or take {setting} out of the environment and .env to use the embedded one.") from None
