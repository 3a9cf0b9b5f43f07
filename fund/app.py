"""Puts the parts together into one Flask application."""

from types import ModuleType
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

import fund.allocations.models
import fund.allocations.views
import fund.applications.models
import fund.applications.views
import fund.bank.jobs
import fund.bank.models
import fund.bank.views
import fund.dashboards.views
import fund.decisions.jobs
import fund.decisions.models
import fund.decisions.views
import fund.demo.load
import fund.documents.jobs
import fund.documents.models
import fund.documents.views
import fund.endowment.models
import fund.endowment.views
import fund.grants.jobs
import fund.grants.models
import fund.grants.views
import fund.ledger.jobs
import fund.ledger.models
import fund.ledger.rules
import fund.ledger.views
import fund.neighbourhoods.models
import fund.neighbourhoods.views
import fund.notifications.jobs
import fund.notifications.models
import fund.notifications.views
import fund.organisations.models
import fund.organisations.views
import fund.panels.jobs
import fund.panels.models
import fund.panels.views
import fund.people.jobs
import fund.people.models
import fund.people.queries
import fund.people.views
import fund.portal.views
import fund.queue
import fund.replay.models
import fund.rounds.models
import fund.rounds.views
import fund.transparency.actions
import fund.transparency.models
import fund.transparency.views
from fund.db import db, session
from fund.people import queries as people
from fund.settings import Settings, settings, use
from fund.web import access, assets, edge, errors, filters, headers, kept, limits, request, ways, words
from fund.web.edge import Application

#: The parts that have pages, in the order of the house.
PAGES: list[ModuleType] = [
    fund.portal.views, fund.dashboards.views, fund.bank.views, fund.grants.views, fund.decisions.views,
    fund.panels.views, fund.applications.views, fund.rounds.views, fund.allocations.views, fund.organisations.views,
    fund.people.views, fund.neighbourhoods.views, fund.documents.views, fund.notifications.views,
    fund.endowment.views, fund.ledger.views, fund.transparency.views,
]


fund.people.queries.describes_people(fund.demo.load.describe)
fund.transparency.actions.keeps_to("accounts", "accounts/v1.json", fund.ledger.rules.chart())


def create_app(given: Settings | None = None, **overrides: Any) -> Flask:
    """The application. `given` settings stand in for the environment's; `overrides` are Flask's own, for tests."""
    chosen = given or settings()
    use(chosen)
    app = Application("fund", template_folder="../templates", static_folder="web/static")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=chosen.database_url, REDIS_URL=chosen.redis_url, FUND=chosen, DEBUG=chosen.debug,
        SECRET_KEY=chosen.secret_key.get_secret_value(), TEMPLATES_AUTO_RELOAD=chosen.debug, **overrides)
    # A refusal by the database must not carry into a log what somebody typed.
    app.config.setdefault("SQLALCHEMY_ENGINE_OPTIONS", {"hide_parameters": True})
    _set_up_the_log()
    db.init_app(app)
    _set_up_the_web(app)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    access.check_every_route(app)
    if chosen.fund_env == "production":
        _refuse_demo_people(app)
    return app


def _refuse_demo_people(app: Flask) -> None:
    """End a production process whose database holds a person of the demo; before the first migration it cannot."""
    with app.app_context():
        found = sa.inspect(db.engine).has_table("person") and people.any_demo_person()
        session.remove()
        db.engine.dispose()
    if found:
        raise SystemExit("Production refuses to start: its database holds a person of the demo, whom anybody can be. "
                         "Use a database of its own.")


def _set_up_the_log() -> None:
    """One line of JSON for each thing that happened. A trace has the lines of code and no values: the library's own
    shows every local variable, with secrets and people's words among them."""
    structlog.configure(processors=[
        structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True), structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False)])


def _set_up_the_web(app: Flask) -> None:
    """What every page shares. The order is that in which a request passes: origin, shape, rate, token, access."""
    app.jinja_loader = ChoiceLoader([app.jinja_loader, PrefixLoader({  # type: ignore[list-item]
        "govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"),
        "govuk_frontend_wtf": PackageLoader("govuk_frontend_wtf")}, delimiter="/")])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.view_functions["static"] = access.public(app.view_functions["static"])
    headers.init_app(app)
    request.init_app(app)
    limits.init_app(app)
    headers.init_tokens(app)
    access.init_app(app)
    for part in (edge, errors, filters, words, assets, ways, kept):
        part.init_app(app)
