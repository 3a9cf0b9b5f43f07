"""One process that the supervisor keeps: starting it, knowing it again, stopping it.

What is started leaves a record in `var/run`: its process id, when that process began and which program it runs. A
later run recognises its own processes by all three, so a process id that the machine gave to somebody else in the
meantime is never touched.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

#: How often something that is waited for is looked at, in seconds.
LOOK_EVERY = 0.05


class CannotRun(Exception):
    """Something stands in the way. The text is one sentence or two for a person: what it is, and the way out."""


class Stopped(Exception):
    """A person asked to stop while the fund was still starting."""


@dataclass(frozen=True)
class Running:
    """A process that is alive and that we started."""

    slug: str
    name: str
    process: psutil.Process


@dataclass
class Child:
    """A process to keep. `is_ready` says whether it answers; `name` is how a person would call it."""

    slug: str
    name: str
    command: Sequence[str]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()
    patience: float = 60
    process: psutil.Process | None = None
    popen: subprocess.Popen[bytes] | None = None


def record(run: Path, slug: str, name: str, process: psutil.Process) -> None:
    """Write down a process so that a later run knows it again."""
    run.mkdir(parents=True, exist_ok=True)
    facts = {"name": name, "pid": process.pid, "began": process.create_time(), "program": process.exe()}
    scratch = run / f".{slug}.pid"
    scratch.write_text(json.dumps(facts))
    scratch.replace(run / f"{slug}.pid")


def recorded(run: Path, slug: str) -> Running | None:
    """The recorded process, if it is still the very same one; a record of one that is gone is thrown away."""
    path = run / f"{slug}.pid"
    try:
        facts = json.loads(path.read_text())
        process = psutil.Process(facts["pid"])
        same = abs(process.create_time() - facts["began"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
        # The program's file, not its command line: servers write their state over the latter.
        if same and process.exe() == facts["program"]:
            return Running(slug, facts["name"], process)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, psutil.NoSuchProcess):
        pass
    path.unlink(missing_ok=True)
    return None


def left_over(run: Path) -> list[Running]:
    """Every recorded process that still lives, by name."""
    found = (recorded(run, path.stem) for path in sorted(run.glob("[!.]*.pid")))
    return [running for running in found if running is not None]


def start(child: Child, log: Path, folder: Path) -> None:
    """Start a child with `folder` as its place and `log` for what it says.

    It gets a session of its own: a Ctrl-C in the terminal reaches the supervisor alone, which stops the children in
    order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said:
        child.popen = subprocess.Popen(  # noqa: S603  the command is our own
            list(child.command), cwd=folder, env={**os.environ, **child.environment}, stdin=subprocess.DEVNULL,
            stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
    child.process = psutil.Process(child.popen.pid)


def has_ended(child: Child) -> bool:
    """Whether a started child is gone."""
    if child.popen is not None:
        return child.popen.poll() is not None
    return child.process is None or not child.process.is_running() or child.process.status() == psutil.STATUS_ZOMBIE


def wait_until(done: Callable[[], bool], *, seconds: float, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Wait until `done`; False when it took too long. Raises Stopped when a person asks to stop meanwhile."""
    until = time.monotonic() + seconds
    while not done():
        if stopping():
            raise Stopped
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_EVERY)
    return True


def stop(process: psutil.Process, *, ask: signal.Signals = signal.SIGTERM, patience: float = 20) -> None:
    """Stop a process and what it started: ask first, and after `patience` seconds end it."""
    everybody = family(process)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(ask)
        _gone, left = psutil.wait_procs([process], timeout=patience)
        if left:
            process.kill()
    # What its parent did not take with it: a grandchild that outlives a parent that was killed.
    _gone, left = psutil.wait_procs(everybody, timeout=2)
    for survivor in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(left, timeout=5)


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started, also when it is gone itself: they share the session that it began."""
    found = [process]
    for other in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(other.pid) == process.pid and other.pid != process.pid:
                found.append(other)
    with contextlib.suppress(psutil.NoSuchProcess):
        found += [one for one in process.children(recursive=True) if one not in found]
    return found


def stop_child(child: Child, *, ask: signal.Signals = signal.SIGTERM, patience: float = 20) -> None:
    """Stop a child that we started, and let the machine forget it."""
    if child.process is not None:
        stop(child.process, ask=ask, patience=patience)
    if child.popen is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.popen.wait(timeout=5)


def last_words(log: Path, lines: int = 6) -> str:
    """The end of a log, indented, for a person who wants to know why."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-lines:])


def accepts(port: int) -> bool:
    """Whether something on this machine takes connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int, path: str = "/", *, below: int = 500) -> bool:
    """Whether a page on this machine answers with a status under `below`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < below
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def holder_of(port: int) -> str:
    """Who listens on a port, as `name, process 12`, where the machine lets us know."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, process {connection.pid}"
    return "another program"


def is_free(port: int) -> bool:
    """Whether we could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


@contextlib.contextmanager
def full_disk_in_words(folder: Path) -> Iterator[None]:
    """Turn "no space left" into a sentence with the way out."""
    try:
        yield
    except OSError as error:
        if error.errno not in {28, 122}:  # ENOSPC, EDQUOT
            raise
        raise CannotRun(full_disk(folder)) from error


def full_disk(folder: Path) -> str:
    """What to say of a disk that is full."""
    return (f"The disk that holds {folder} is full. Make some room on it, then start again; "
            "nothing that was saved is lost.")
