"""Reading the public trail of a pound, backwards: payment, stage, grant, decision, application, allocation, drawdown,
the return of the whole endowment, and every tranche that built it.
"""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from fund.db import session
from fund.endowment import queries as endowment
from fund.endowment.queries import TrancheShare
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.words import _
from fund.portal.rules import Touch, Touched, touched


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment of a stage: what the bank was asked, and what became of it, if anything yet."""

    reference: str
    stage_number: int
    amount_pence: int
    approved_at: datetime
    ended: str | None
    booked_on: date | None
    bank_reference: str
    entry_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Part:
    """A stage of the grant."""

    number: int
    basis: str
    amount_pence: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Share:
    """What was set aside for the place in one year, and what was drawn for that year."""

    financial_year: str
    amount_pence: int
    entry_id: uuid.UUID
    drawn_pence: int
    drawn_on: date
    drawdown_entry_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Trail:
    """A grant, and where its money came from, step by step."""

    facts: Any
    payments: list[Payment]
    stages: list[Part]
    shares: list[Share]
    returned_pence: int
    tranches: list[TrancheShare]

    @property
    def paid_pence(self) -> int:
        """What reached the group: settled and not sent back."""
        back = {one.reference for one in self.payments if one.ended == "returned"}
        return sum(one.amount_pence for one in self.payments
                   if one.ended == "settled" and one.reference not in back)


class Known(NamedTuple):
    """What is called so in the record: its name for people, where it has one, and what its page is found by."""

    name: str
    page: str


def known_by(said: Mapping[str, Collection[str]]) -> dict[tuple[str, str], Known]:
    """What the fund has of what a line says, by the word (`area`, `round`, `decision`, `sitting`, `grant`) and what
    stands under it: a place by its code, a round by its reference or id, a decision or a closed sitting by its id, a
    grant by its reference. One question, and none where nothing is asked."""
    given = {word: list(said.get(word, ())) for word in ("area", "round", "grant")}
    given |= {f"{word}_ids": [one for one in said.get(word, ()) if _is_id(one)]
              for word in ("round", "decision", "sitting")}
    if not any(given.values()):
        return {}
    return {(word, value): Known(name, page) for word, value, name, page in session.execute(_KNOWN_BY, given)}


def _is_id(value: str) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except ValueError:
        return False


_KNOWN_BY = sa.text("""
SELECT 'area', code, name, slug FROM neighbourhood WHERE code = ANY(:area)
UNION ALL SELECT 'round', reference, title, reference FROM round WHERE reference = ANY(:round)
UNION ALL SELECT 'round', CAST(id AS text), title, reference FROM round WHERE id = ANY(CAST(:round_ids AS uuid[]))
UNION ALL SELECT 'grant', reference, '', reference FROM award WHERE reference = ANY(:grant)
UNION ALL SELECT 'decision', CAST(id AS text), '', '' FROM decision WHERE id = ANY(CAST(:decision_ids AS uuid[]))
UNION ALL SELECT 'sitting', CAST(sitting_id AS text), '', '' FROM sitting_close
  WHERE sitting_id = ANY(CAST(:sitting_ids AS uuid[]))
""")


_GRANT = sa.text("""
SELECT g.id AS award_id, g.reference, g.amount_pence, g.offered_at, g.offer_entry_id, o.name AS recipient,
       s.title, s.asked_pence, s.submitted_at, a.reference AS application_reference, a.id AS application_id,
       d.id AS decision_id, d.outcome, d.decided_at, d.score_tenths, d.leaf_id, n.name AS place, n.slug, n.code,
       n.id AS neighbourhood_id, t.signed_at, t.entry_id AS agreement_entry_id
FROM award g JOIN decision d ON d.id = g.decision_id JOIN submission s ON s.application_id = g.application_id
JOIN application a ON a.id = g.application_id JOIN round r ON r.id = a.round_id
JOIN neighbourhood n ON n.id = r.neighbourhood_id JOIN organisation o ON o.id = g.organisation_id
LEFT JOIN agreement t ON t.award_id = g.id
WHERE g.id = coalesce((SELECT id FROM award WHERE reference = :reference),
                      (SELECT p.award_id FROM release l JOIN stage p ON p.id = l.stage_id
                       WHERE l.end_to_end_id = :reference),
                      (SELECT w.id FROM award w JOIN application b ON b.id = w.application_id
                       WHERE b.reference = :reference))
""")
_PAYMENTS = sa.text("""
SELECT l.end_to_end_id, s.number, l.amount_pence, l.approved_at, e.kind, e.booked_on,
       coalesce(e.bank_reference, ''), coalesce(e.entry_id, l.entry_id)
FROM stage s JOIN release l ON l.stage_id = s.id LEFT JOIN release_end e ON e.release_id = l.id
WHERE s.award_id = :award_id ORDER BY s.number, l.attempt, e.recorded_at, e.id
""")
_SHARES = sa.text("""
SELECT u.financial_year, a.amount_pence, a.entry_id, d.amount_pence, d.drawn_on, d.entry_id
FROM allocation a JOIN allocation_run u ON u.id = a.run_id JOIN drawdown d ON d.financial_year = u.financial_year
WHERE a.neighbourhood_id = :id AND u.term_from <= :until ORDER BY d.drawn_on, d.id
""")


def trail(reference: str) -> Trail:
    """The trail of a grant, found by its reference, its application's, or the reference of one of its payments.

    A pound is the whole endowment's: the tranches are given with each one's share of it. Raises NotFound.
    """
    facts = session.execute(_GRANT, {"reference": reference.strip().upper()}).one_or_none()
    if facts is None:
        raise NotFound(_("No payment, grant or decided application has this reference."))
    payments = [Payment(*row) for row in session.execute(_PAYMENTS, {"award_id": facts.award_id})]
    stages = [Part(*row) for row in session.execute(sa.text(
        "SELECT number, basis, amount_pence, due_on FROM stage WHERE award_id = :id ORDER BY number"),
        {"id": facts.award_id})]
    shares = [Share(*row) for row in session.execute(
        _SHARES, {"id": facts.neighbourhood_id, "until": facts.decided_at.date()})]
    until = shares[-1].drawn_on if shares else facts.decided_at.date()
    return Trail(facts, payments, stages, shares, endowment.return_total_pence(until),
                 endowment.shares_of_tranches(facts.amount_pence, received_by=until))


def who_else_touched(application_id: uuid.UUID) -> Touched:
    """Every act on an application, from its start to its last payment, sorted by who did it."""
    rows = session.execute(sa.text("SELECT at, capacity, verb FROM act WHERE application_id = :id ORDER BY id"),
                           {"id": application_id})
    return touched(Touch(at, Capacity(capacity), verb) for at, capacity, verb in rows)


def decision_facts(decision_id: uuid.UUID) -> Any:
    """What a page about a decision needs to name it. Raises NotFound."""
    found = session.execute(sa.text(
        "SELECT d.id, d.application_id, d.decided_at, a.reference, n.name AS place FROM decision d "
        "JOIN application a ON a.id = d.application_id JOIN round r ON r.id = a.round_id "
        "JOIN neighbourhood n ON n.id = r.neighbourhood_id WHERE d.id = :id"), {"id": decision_id}).one_or_none()
    if found is None:
        raise NotFound(_("There is no such decision."))
    return found


def newest_payments(most: int = 12) -> list[Any]:
    """The newest payments that reached a group and did not come back: reference, sum, day, group and place."""
    return list(session.execute(sa.text("""
        SELECT l.end_to_end_id AS reference, l.amount_pence, e.booked_on, o.name AS recipient, n.name AS place
        FROM release_end e JOIN release l ON l.id = e.release_id JOIN stage s ON s.id = l.stage_id
        JOIN award g ON g.id = s.award_id JOIN organisation o ON o.id = g.organisation_id
        JOIN application a ON a.id = g.application_id JOIN round r ON r.id = a.round_id
        JOIN neighbourhood n ON n.id = r.neighbourhood_id
        WHERE e.kind = 'settled' AND NOT EXISTS (
          SELECT FROM release_end b WHERE b.release_id = l.id AND b.kind = 'returned')
        ORDER BY e.recorded_at DESC, e.id LIMIT :most"""), {"most": most}))
