"""How often somebody may try: counted in Redis when there is one, in this process's memory when there is none.

    @blueprint.post("/sign-in")
    @limits.at_most("10 per 5 minutes")
    @access.public
    def sign_in(): ...

Too many is 429 with a page that says when to try again, and `Retry-After`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.wrappers import Response

limiter = Limiter(key_func=get_remote_address, headers_enabled=True, strategy="moving-window",
                  in_memory_fallback_enabled=True, swallow_errors=True)


def at_most(rate: str, *, key: Callable[[], str] | None = None, name: str | None = None) -> Any:
    """Limit a route to `rate` ("10 per 5 minutes; 100 per day") for each address, or for each `key()`.

    `name` shares one count between several routes; without it each route counts alone. A key that is the same for
    everybody (`key=lambda: "all"`) is a limit for the whole fund.
    """
    if name is not None:
        return limiter.shared_limit(rate, scope=name, key_func=key)
    return limiter.limit(rate, key_func=key)


def may_try_again_at() -> datetime | None:
    """When whoever was just refused for trying too often may try again."""
    broken = limiter.current_limit
    return None if broken is None else datetime.fromtimestamp(broken.reset_at, UTC)


def _say_when_only_in_a_refusal(response: Response) -> Response:
    # The library says it on every answer, and on a redirect a browser would wait with it.
    if response.status_code not in {429, 503}:
        response.headers.pop("Retry-After", None)
    return response


def init_app(app: Flask) -> None:
    """Count in Redis where there is one; a Redis that is away costs a second, then memory stands in."""
    address = app.config["REDIS_URL"]
    app.after_request(_say_when_only_in_a_refusal)
    app.config["RATELIMIT_STORAGE_URI"] = address or "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"socket_connect_timeout": 1, "socket_timeout": 1} if address else {}
    limiter.init_app(app)
