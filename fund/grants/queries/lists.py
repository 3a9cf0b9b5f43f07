"""Lists of grants: where every one stands, and those that wait for an answer, a reader or a payment."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from fund.db import session
from fund.grants import rules
from fund.grants.queries import GrantRow, grants_where

#: Where a page of the list of grants ended: when its last grant was offered, and its id.
Key = tuple[datetime, uuid.UUID]

#: A grant with a stage to be paid: it has not ended, and a stage has no payment that was settled and stayed.
_UNFINISHED = """e.award_id IS NULL AND EXISTS (
  SELECT FROM stage s WHERE s.award_id = a.id AND NOT EXISTS (
    SELECT FROM release r JOIN release_end x ON x.release_id = r.id AND x.kind = 'settled' WHERE r.stage_id = s.id
      AND NOT EXISTS (SELECT FROM release_end y WHERE y.release_id = r.id AND y.kind = 'returned')))"""


def list_of_grants(*, unfinished: bool = True, after: Key | None = None, most: int = 50) -> list[GrantRow]:
    """Grants with their stages, the newest offer first, a page at a time; with `unfinished` none that is done."""
    where = [_UNFINISHED if unfinished else "true"]
    values: dict[str, Any] = {"most": most}
    if after is not None:
        where.append("(a.offered_at, a.id) < (:at, :id)")
        values |= {"at": after[0], "id": after[1]}
    return grants_where(" AND ".join(where), order="a.offered_at DESC, a.id DESC LIMIT :most", **values)


def offers_past(today: date) -> list[GrantRow]:
    """Offers whose last day is over and that nobody answered, the oldest first."""
    return grants_where("a.lapses_on < :today AND g.award_id IS NULL AND e.award_id IS NULL", today=today,
                   order="a.lapses_on, a.id")


def offers_to_remind(today: date) -> list[tuple[GrantRow, int]]:
    """Open offers of which the group should be reminded today, with the number of the reminder."""
    open_offers = grants_where("a.lapses_on >= :today AND g.award_id IS NULL AND e.award_id IS NULL", today=today,
                          order="a.lapses_on, a.id")
    sent: dict[uuid.UUID, int] = {row.award_id: row.most for row in session.execute(sa.text(
        "SELECT award_id, max(number) AS most FROM offer_reminder WHERE award_id = ANY(:awards) GROUP BY award_id"
    ).bindparams(sa.bindparam("awards", [offer.id for offer in open_offers], type_=postgresql.ARRAY(sa.Uuid))))}
    due = [(offer, rules.reminder_due(offer.lapses_on, sent.get(offer.id, 0), today)) for offer in open_offers]
    return [(offer, number) for offer, number in due if number is not None]


def grants_with_evidence_to_read() -> list[GrantRow]:
    """Grants of which a stage has evidence that nobody has read yet, the longest waiting first."""
    return grants_where("""e.award_id IS NULL AND EXISTS (
      SELECT FROM stage s JOIN evidence v ON v.stage_id = s.id LEFT JOIN evidence_review w ON w.evidence_id = v.id
      WHERE s.award_id = a.id AND w.evidence_id IS NULL)""", order="""(
      SELECT min(v.sent_at) FROM stage s JOIN evidence v ON v.stage_id = s.id
      WHERE s.award_id = a.id AND NOT EXISTS (SELECT FROM evidence_review w WHERE w.evidence_id = v.id)), a.id""")


def grants_with_a_stage_to_release() -> list[GrantRow]:
    """Grants of which a stage's evidence is accepted and no payment of it is on its way or settled."""
    return grants_where("""e.award_id IS NULL AND EXISTS (
      SELECT FROM stage s JOIN evidence v ON v.stage_id = s.id JOIN evidence_review w ON w.evidence_id = v.id
      WHERE s.award_id = a.id AND w.accepted AND NOT EXISTS (
        SELECT FROM release r WHERE r.stage_id = s.id AND NOT EXISTS (
          SELECT FROM release_end x WHERE x.release_id = r.id AND x.kind IN ('refused', 'returned', 'withdrawn'))))""",
                   order="a.offered_at, a.id")
