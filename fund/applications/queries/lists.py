"""Lists of submitted applications, paged by key, and how many a round has had."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from fund.applications.models import Application, Eligibility, Submission, Withdrawal
from fund.db import session
from fund.organisations.models import Organisation


class Row(NamedTuple):
    """A submitted application in a list."""

    application_id: uuid.UUID
    reference: str
    round_id: uuid.UUID
    title: str
    organisation_name: str
    asked_pence: int
    submitted_at: datetime
    eligible: bool | None
    reason: str | None
    withdrawn: bool


#: Where a page of a list ended: the time and the id of its last row.
Key = tuple[datetime, uuid.UUID]

_ROW = (sa.select(
    Application.id, Application.reference, Application.round_id, Submission.title, Organisation.name,
    Submission.asked_pence, Submission.submitted_at, Eligibility.eligible, Eligibility.reason,
    Withdrawal.application_id.is_not(None))
    .select_from(Submission).join(Application, Application.id == Submission.application_id)
    .join(Organisation, Organisation.id == Submission.organisation_id)
    .outerjoin(Eligibility, Eligibility.application_id == Submission.application_id)
    .outerjoin(Withdrawal, Withdrawal.application_id == Submission.application_id))
_PLACE = sa.tuple_(Submission.submitted_at, Submission.application_id)


def _place_after(key: Key) -> sa.ColumnElement[bool]:
    return _PLACE.__gt__(sa.tuple_(*key))


def _place_before(key: Key) -> sa.ColumnElement[bool]:
    return _PLACE.__lt__(sa.tuple_(*key))


def _read(rows: Any, most: int) -> list[Row]:
    return [Row._make(row) for row in session.execute(rows.limit(most))]


_TO_CHECK = _ROW.where(Eligibility.application_id.is_(None), Withdrawal.application_id.is_(None)).order_by(
    Submission.submitted_at, Submission.application_id)


def submissions_awaiting_eligibility(*, after: Key | None = None, most: int = 50) -> list[Row]:
    """What an officer has to check, the oldest first; `after` is the place of the last row of the page before."""
    return _read(_TO_CHECK if after is None else _TO_CHECK.where(_place_after(after)), most)


def list_of_all(*, after: Key | None = None, most: int = 50) -> list[Row]:
    """Every submitted application, the newest first, a page at a time."""
    rows = _ROW if after is None else _ROW.where(_place_before(after))
    return _read(rows.order_by(Submission.submitted_at.desc(), Submission.application_id.desc()), most)


def list_of_round(round_id: uuid.UUID, *, after: Key | None = None, most: int = 50) -> list[Row]:
    """The submitted applications of a round, the oldest first, a page at a time."""
    rows = _ROW.where(Application.round_id == round_id)
    if after is not None:
        rows = rows.where(_place_after(after))
    return _read(rows.order_by(Submission.submitted_at, Submission.application_id), most)


#: Above this a round's page says "more than": no page counts without an end.
MOST_COUNTED = 1000


_COUNT_IN_ROUND = sa.select(sa.func.count()).select_from(
    sa.select(Submission.id).join(Application, Application.id == Submission.application_id)
    .where(Application.round_id == sa.bindparam("round_id")).limit(MOST_COUNTED + 1).subquery())


def count_in_round(round_id: uuid.UUID) -> int:
    """How many applications a round has had, counted to one above `MOST_COUNTED`: part of the odds on its page."""
    return session.scalar(_COUNT_IN_ROUND, {"round_id": round_id}) or 0


def others_of_group(organisation_id: uuid.UUID, application_id: uuid.UUID, most: int = 10) -> list[Row]:
    """What else the same group has sent, the newest first: an officer looks whether it is the same thing twice."""
    return _read(_ROW.where(Submission.organisation_id == organisation_id, Submission.application_id != application_id)
                 .order_by(Submission.submitted_at.desc(), Submission.application_id), most)
