"""The endowment day by day: what came in as capital, and what the whole of it was worth. One query for any days."""

from datetime import date

import sqlalchemy as sa

from fund.db import session

_CAPITAL = sa.text("""
SELECT coalesce(wrong.effective_on, e.effective_on) AS day,
       sum(CASE WHEN t.credit_id = a.id THEN t.amount_pence ELSE -t.amount_pence END) AS pence
FROM ledger.account a JOIN ledger.transfer t ON a.id IN (t.credit_id, t.debit_id)
JOIN ledger.entry e ON e.seq = t.entry_seq LEFT JOIN ledger.entry wrong ON wrong.seq = e.reverses
WHERE a.class = 'permanent_capital' AND t.phase IN ('single', 'post') AND e.effective_on <= :on
GROUP BY 1 ORDER BY 1""")


def capital_by_day(on: date) -> list[tuple[date, int]]:
    """What came in as permanent capital and counts up to and on a day: (day, pence), the oldest first.

    What a reversal took back is taken off the day of the entry that was wrong.
    """
    return [(row.day, int(row.pence)) for row in session.execute(_CAPITAL, {"on": on})]


_WORTH = sa.text("""
SELECT e.effective_on AS day, sum(t.pence) AS pence
FROM ledger.account a
CROSS JOIN LATERAL (SELECT c.entry_seq, c.phase, c.amount_pence AS pence FROM ledger.transfer c WHERE c.credit_id = a.id
                    UNION ALL
                    SELECT d.entry_seq, d.phase, -d.amount_pence FROM ledger.transfer d WHERE d.debit_id = a.id) t
JOIN ledger.entry e ON e.seq = t.entry_seq
WHERE a.class IN ('permanent_capital', 'deficit', 'unapplied_return') AND t.phase IN ('single', 'post')
  AND e.effective_on <= :on
GROUP BY 1 ORDER BY 1""")


def endowment_by_day(on: date) -> list[tuple[date, int]]:
    """By how much the endowment changed on each day up to and on a day: capital, less a deficit, and unapplied return.

    Summed up to a day it is what the endowment was worth at its end.
    """
    return [(row.day, int(row.pence)) for row in session.execute(_WORTH, {"on": on})]
