"""gunicorn's settings: `gunicorn --config python:fund.web.server 'fund.app:create_app()'`.

The application is loaded once and the workers are forked from it, so that they share its memory. A connection to the
database that was opened before the fork belongs to the parent: each worker begins with none.
"""

import gc
from typing import Any

from fund.settings import settings

# Only the worker's environment names the key of the public log: no page may ever be near it.
if settings().log_key_file:
    raise SystemExit("The web server must not know LOG_KEY_FILE. Set it for worker.py alone, not in .env.")

workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
timeout = 60
graceful_timeout = 15
keepalive = 5
control_socket_disable = True
proc_name = "fund-web"
#: Memory that a library leaks is given back in time; the jitter keeps both workers from leaving at once.
max_requests, max_requests_jitter = 20_000, 2_000


def when_ready(_server: Any) -> None:
    """Set what was loaded apart from garbage collection, which would otherwise copy every shared page."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, worker: Any) -> None:
    """Begin without the parent's connections."""
    from fund.db import leave_connections_to_the_parent

    leave_connections_to_the_parent(worker.app.callable or worker.app.wsgi())
