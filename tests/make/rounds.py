"""Rounds for tests, published by the part's own actions, and the places that they are for."""

import hashlib
import itertools
import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from fund.db import session
from fund.kernel import clock
from fund.kernel.actor import SYSTEM
from fund.rounds import actions
from fund.rounds.formats import SMALL_GRANT
from fund.rounds.queries import RoundFacts
from fund.rounds.rules import USUAL_CRITERIA, RoundRules

_numbers = itertools.count(1)


def neighbourhood(name: str = "Alder Park") -> uuid.UUID:
    """A place with no small areas: enough for a round. Gives its id."""
    made, number, dataset = uuid.uuid4(), next(_numbers), uuid.uuid4()
    values = {"id": made, "dataset": dataset, "number": 20_000 + number, "code": f"E059{number:05d}",
              "district": f"E089{number:05d}", "slug": f"alder-park-{number}", "name": name,
              "sha256": hashlib.sha256(dataset.bytes).digest()}
    for statement in (
            "INSERT INTO dataset (id, number, kind, version, as_of, source, licence, sha256, row_count) "
            "VALUES (:dataset, :number, 'areas', 'test', '2024-05-02', 'invented', 'none', :sha256, 1)",
            "INSERT INTO area (code, kind, name, district_code, dataset_id) "
            "VALUES (:district, 'district', 'Aldershire', :district, :dataset)",
            "INSERT INTO area (code, kind, name, district_code, dataset_id) "
            "VALUES (:code, 'ward', :name, :district, :dataset)",
            "INSERT INTO neighbourhood (id, code, slug, name, kind, district_code, district_name, residents, "
            "bounds_rule) VALUES (:id, :code, :slug, :name, 'ward', :district, 'Aldershire', 14000, 'lucf-1')"):
        session.execute(sa.text(statement), values)
    return made


def form() -> uuid.UUID:
    """The published short form; gives the id of its version."""
    return actions.publish_form(SYSTEM, "small_grant", SMALL_GRANT)


def published(*, neighbourhood_id: uuid.UUID | None = None, title: str = "Small grants",
              opens_at: datetime | None = None, closes_at: datetime | None = None,
              criteria: object = USUAL_CRITERIA, rules: RoundRules | None = None) -> RoundFacts:
    """A published round, open since yesterday and with no end unless told."""
    return actions.publish_round(
        SYSTEM, neighbourhood_id=neighbourhood_id or neighbourhood(), title=title, form_version_id=form(),
        opens_at=opens_at or clock.now() - timedelta(days=1), closes_at=closes_at, criteria=criteria, rules=rules)
