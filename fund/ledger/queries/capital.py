"""What ever came in as capital, day by day: what the real value of all gifts is worked out from."""

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
