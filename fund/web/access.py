"""Who may open a page: one mark on every route, and one gate that keeps them all.

    @blueprint.get("/grants/<reference>")
    @access.public
    def grant(reference): ...

The marks: `public` (anybody), `signed_in` (any person who is signed in), `staff(Capacity.OFFICER, …)` (signed in, in
one of these capacities), `seat` (signed in, and an unsafe request's transaction takes on the panel's database role),
`demo` (anybody, but there is no such page in production). `create_app` refuses a route without one.

A mark says who may knock. Whether a thing is theirs is asked by queries and actions, with NotFound when it is not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import Flask, abort, current_app, redirect, request
from flask_login import AnonymousUserMixin, LoginManager, current_user
from werkzeug.wrappers import Response

import fund.db
from fund.kernel.actor import STAFF, Actor, Capacity
from fund.kernel.errors import Broken, Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SIGN_IN_PATH = "/sign-in"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Mark:
    """Who may open a route. `kind` is the mark's name; `capacities` are for `staff` alone."""

    kind: str
    capacities: frozenset[Capacity] = frozenset()


class Nobody(AnonymousUserMixin):
    """Whoever is not signed in."""

    id = None
    name = ""
    email = ""
    capacities: frozenset[Capacity] = frozenset()


class MustSignIn(Exception):
    """Somebody who is not signed in sent something to a page for people who are. errors.py keeps their words."""


def _marked(function: View, mark: Mark) -> View:
    if hasattr(function, "access"):
        raise Broken(f"{function.__qualname__} has two access marks")
    function.access = mark  # type: ignore[attr-defined]
    return function


def public(function: View) -> View:
    """Anybody may open it."""
    return _marked(function, Mark("public"))


def signed_in(function: View) -> View:
    """Any person who is signed in may open it."""
    return _marked(function, Mark("signed_in"))


def seat(function: View) -> View:
    """Any person who is signed in; what they send acts in the role `fund_panel`, as the holder of their seats."""
    return _marked(function, Mark("seat"))


def demo(function: View) -> View:
    """Anybody, but only outside production and with DEMO_SIGN_IN on; elsewhere there is no such page."""
    return _marked(function, Mark("demo"))


def staff(*capacities: Capacity) -> Callable[[View], View]:
    """Staff or trustees in any of these capacities."""
    if not capacities or not STAFF.issuperset(capacities):
        raise Broken("staff() needs one or more capacities of staff")
    return lambda function: _marked(function, Mark("staff", frozenset(capacities)))


def mark_of(app: Flask, endpoint: str) -> Mark:
    """The mark of an endpoint. Raises Broken when it has none."""
    mark = getattr(app.view_functions[endpoint], "access", None)
    if not isinstance(mark, Mark):
        raise Broken(f"the route {endpoint} has no access mark: add one under its route decorator")
    return mark


def is_for_signed_in(endpoint: str) -> bool:
    """Whether an endpoint is for people who are signed in."""
    return mark_of(current_app, endpoint).kind in {"signed_in", "staff", "seat"}


def check_every_route(app: Flask) -> None:
    """Refuse to build an application in which any route lacks its mark."""
    for endpoint in app.view_functions:
        mark_of(app, endpoint)


def actor(capacity: Capacity, seat_id: Any = None) -> Actor:
    """The signed-in person, acting in `capacity` (and from a seat). Raises Forbidden when they may not."""
    if not current_user.is_authenticated or (capacity in STAFF and capacity not in current_user.capacities):
        raise Forbidden
    return Actor(capacity, current_user.id, seat_id)


def safe_next(value: str | None, otherwise: str = "/") -> str:
    """A page of ours to go to next, from what a form or an address gave; anything else becomes `otherwise`."""
    if not value or not value.startswith("/") or value.startswith(("//", "/\\")) or len(value) > 2000:
        return otherwise
    if any(character in value for character in "\\\r\n\t\x00") or urlsplit(value).netloc:
        return otherwise
    return value


_load_person: Callable[[str], Any] = lambda _key: None  # noqa: E731


def load_person_with(function: Callable[[str], Any]) -> Callable[[str], Any]:
    """Say how a signed-in person is found. `function` takes what their `get_id()` gave at sign-in, and gives the
    person (`.id`, `.name`, `.email`, `.capacities`, flask_login's UserMixin) or None when the session is over.
    """
    global _load_person
    _load_person = function
    return function


def _gate() -> Response | None:
    """Let nobody past a route's mark; put a seat's transaction into the panel's role."""
    if request.endpoint is None:
        return None
    mark = mark_of(current_app, request.endpoint)
    if mark.kind == "public":
        return None
    if mark.kind == "demo":
        chosen = current_app.config["FUND"]
        return None if chosen.fund_env != "production" and chosen.demo_sign_in else abort(404)
    if not current_user.is_authenticated:
        if request.method in SAFE_METHODS:
            return redirect(_sign_in_address())
        raise MustSignIn
    if mark.kind == "staff" and not mark.capacities & current_user.capacities:
        raise Forbidden
    if mark.kind == "seat" and request.method not in SAFE_METHODS:
        fund.db.act_from_a_seat(Actor(Capacity.READER, current_user.id))
    return None


def _sign_in_address() -> str:
    here = request.full_path.rstrip("?")
    return f"{SIGN_IN_PATH}?next={quote(safe_next(here), safe='/')}"


def init_app(app: Flask) -> None:
    """Set up sign-in and the gate."""
    production = app.config["FUND"].fund_env == "production"
    app.config.update(
        SESSION_COOKIE_NAME="__Host-fund" if production else "fund", SESSION_COOKIE_SECURE=production,
        SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax", SESSION_COOKIE_PATH="/",
        SESSION_REFRESH_EACH_REQUEST=False)
    manager = LoginManager(app)
    manager.anonymous_user = Nobody
    manager.session_protection = None  # it writes the session in GETs; people's sessions are rows that can be revoked
    manager.user_loader(lambda key: _load_person(key))
    app.before_request(_gate)
