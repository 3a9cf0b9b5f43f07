"""What the endowment is invested in, what it is carried at, and when it was last valued."""

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.endowment.rules import HoldingFacts


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """A holding: what it is carried at, and its last valuation, if there was one."""

    name: str
    carried_pence: int
    being_sold_pence: int
    being_bought_pence: int
    valued_on: date | None
    source: str | None
    reference: str | None
    document_sha256: bytes | None
    last_on: date | None


_HOLDINGS = sa.text("""
SELECT h.name, holding_carried(h.id) AS carried, coalesce(t.selling, 0) AS selling, coalesce(t.buying, 0) AS buying,
       v.valued_on, v.source, v.reference, v.document_sha256, greatest(v.valued_on, t.settled_on) AS last_on
FROM holding h
LEFT JOIN LATERAL (
  SELECT sum(t.amount_pence) FILTER (WHERE e.trade_id IS NULL AND NOT t.is_buy) AS selling,
         sum(t.amount_pence) FILTER (WHERE e.trade_id IS NULL AND t.is_buy) AS buying,
         max(e.ended_on) FILTER (WHERE e.is_settled) AS settled_on
  FROM holding_trade t LEFT JOIN holding_trade_end e ON e.trade_id = t.id WHERE t.holding_id = h.id) t ON true
LEFT JOIN LATERAL (SELECT * FROM holding_valuation v WHERE v.holding_id = h.id ORDER BY v.valued_on DESC LIMIT 1) v
  ON true
WHERE CAST(:name AS text) IS NULL OR h.name = :name
ORDER BY h.name""")


def holdings(name: str | None = None) -> list[HoldingLine]:
    """Every holding by name (or the one of that name)."""
    return [HoldingLine(row.name, int(row.carried), int(row.selling), int(row.buying), row.valued_on, row.source,
                        row.reference, row.document_sha256, row.last_on)
            for row in session.execute(_HOLDINGS, {"name": name})]


def holding_facts(name: str) -> HoldingFacts:
    """What is known of a holding; of one that is not there yet, that nothing is."""
    found = next(iter(holdings(name)), None)
    return HoldingFacts(name) if found is None else HoldingFacts(found.name, found.carried_pence,
                                                                 found.being_sold_pence, found.last_on)
