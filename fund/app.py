"""Puts the parts together into one Flask application."""

from types import ModuleType
from typing import Any

from flask import Flask

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
import fund.documents.jobs
import fund.documents.models
import fund.documents.views
import fund.endowment.models
import fund.endowment.views
import fund.grants.jobs
import fund.grants.models
import fund.grants.views
import fund.ledger.models
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
import fund.people.models
import fund.people.views
import fund.portal.views
import fund.queue
import fund.rounds.models
import fund.rounds.views
import fund.transparency.models
from fund.db import db
from fund.settings import Settings, settings

#: The parts that have pages, in the order of the house.
PAGES: list[ModuleType] = [
    fund.portal.views, fund.dashboards.views, fund.bank.views, fund.grants.views, fund.decisions.views,
    fund.panels.views, fund.applications.views, fund.rounds.views, fund.allocations.views, fund.organisations.views,
    fund.people.views, fund.neighbourhoods.views, fund.documents.views, fund.notifications.views,
    fund.endowment.views, fund.ledger.views,
]


def create_app(given: Settings | None = None, **overrides: Any) -> Flask:
    """The application. `given` settings stand in for the environment's; `overrides` are Flask's own, for tests."""
    chosen = given or settings()
    app = Flask("fund", template_folder="../templates", static_folder="web/static")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=chosen.database_url, REDIS_URL=chosen.redis_url, FUND=chosen,
        SECRET_KEY=chosen.secret_key.get_secret_value(), **overrides)
    db.init_app(app)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    return app
