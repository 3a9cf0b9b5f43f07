"""What browsers are told to allow, and where a request may come from."""

import secrets
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from fund.web.access import SAFE_METHODS

_tokens = CSRFProtect()
#: What every answer of a fund that only rehearses says; its pages and letters say the same in the reader's language.
REHEARSAL = "Rehearsal: real grants, invented scores and payments."
#: For a view that changes nothing of the fund's (the reader's language): its form needs no token, and no session.
without_token = _tokens.exempt


def csp_nonce() -> str:
    """This answer's nonce, for the rare inline script that cannot be a file. Templates: `{{ csp_nonce() }}`."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def is_from_here() -> bool | None:
    """Whether the browser says that our own page sent this request; None when it says nothing either way."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    if origin is None:
        return None
    return urlsplit(origin).netloc == request.host


def _refuse_from_elsewhere() -> None:
    """403 for anything unsafe that another site's page sent."""
    if request.method not in SAFE_METHODS and is_from_here() is False:
        raise Forbidden("sent by another site")


def _policy() -> str:
    script = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    return (f"default-src 'none'; script-src {script}; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'")


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _policy())
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    if current_app.config["FUND"].fund_env == "production":
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    if current_app.config["FUND"].rehearsal:
        headers["Fund-Rehearsal"] = REHEARSAL  # for what is no page: a record's bytes cannot say it themselves
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if response.status_code == 200 else "no-store"
        del headers["Set-Cookie"]
    elif "Cache-Control" not in headers:
        asked = "_login_user" in g  # a page that never asked who is there says nothing about them
        headers["Cache-Control"] = "no-store" if asked and current_user.is_authenticated else "private, no-cache"
    return response


def init_app(app: Flask) -> None:
    """Trust only our own names, refuse other sites' posts, and add the headers to every answer."""
    given = app.config["FUND"]
    app.config["TRUSTED_HOSTS"] = given.trusted_hosts
    if given.proxies:
        # Whom we count by (limits.py) is who asked our own proxy; nothing that a proxy says changes which host we are.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=given.proxies, x_proto=given.proxies, x_host=0, x_port=0, x_prefix=0)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
    app.before_request(_refuse_from_elsewhere)
    app.after_request(_add_headers)


def init_tokens(app: Flask) -> None:
    """Ask a token of every form that changes something. It lives as long as the session, as people write for hours."""
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)  # _refuse_from_elsewhere asks more strictly
    _tokens.init_app(app)
