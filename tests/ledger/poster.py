"""A client of the ledger in a process of its own, for tests that kill it: `… -m tests.ledger.poster URL SEED SECONDS`.

It posts at random, sends half of its requests twice on purpose, and says on standard output what was acknowledged: a
line "key seq" once the transaction stands, never before. When the server goes away it comes back, and sends the request
again whose answer it did not hear.
"""

import random
import sys
import time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from fund.app import create_app
from fund.db import session, transaction
from fund.kernel.errors import Refused
from fund.ledger import actions, rules
from fund.ledger.rules import Line, Pending
from fund.settings import Settings
from tests.make.beside import explained
from tests.make.ledger_sql import DAY

Request = tuple[str, list[Line], list[UUID]]
_OPEN = sa.text("""
SELECT l.id, t.line, d.code, c.code, t.amount_pence FROM ledger.transfer t JOIN log.leaf l ON l.seq = t.entry_seq
JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
WHERE t.phase = 'pending' ORDER BY t.entry_seq DESC LIMIT 5""")
_DECIDED = sa.text("""
SELECT l.id, l.said ->> 'area', (l.said ->> 'amount')::bigint
FROM (SELECT seq, id, convert_from(bytes, 'UTF8')::jsonb -> 'record' AS said FROM log.leaf WHERE kind = 'decision') l
WHERE NOT EXISTS (SELECT FROM ledger.entry e WHERE e.kind = 'grant_offer' AND e.relates_to[1] = l.id)
ORDER BY l.seq LIMIT 3""")


def any_request(chance: random.Random) -> Request:
    """One of the ways that money goes; a reservation is ended, or a decision offered, although somebody else may be at
    the same."""
    way = chance.randrange(5)
    if way == 0:
        return "area_allocation", rules.area_allocation([(chance.choice("AB"), chance.randrange(1, 40))]), []
    if way == 1:
        return "investment_income", rules.investment_income(chance.randrange(1, 40)), []
    if way == 2:
        decision, place, pence = chance.choice(session.execute(_DECIDED).all())
        session.rollback()
        first = chance.randrange(1, pence)
        return "grant_offer", rules.grant_offer(place, "G", [first, pence - first]), [decision]
    found = [Pending(*row) for row in session.execute(_OPEN).all()]
    session.rollback()
    if not found:
        return "investment_income", rules.investment_income(1), []
    one = chance.choice(found)
    if way == 3:
        return "grant_agreement", rules.post_pending([one]), []
    return "grant_offer_lapsed", rules.void_pending([one]), []


def send(key: str, request: Request) -> int | None:
    """Send it until it is answered: the place at which it stands, or nothing where it was refused."""
    kind, lines, relates_to = request
    while True:
        try:
            with transaction():
                return explained(actions.post(kind, lines, effective_on=DAY, idem_key=key, relates_to=relates_to)).seq
        except Refused:
            return None
        except (DBAPIError, sa.exc.PendingRollbackError):  # the server went away: perhaps after it had written
            session.remove()
            time.sleep(0.05)
        except Exception as error:
            if not type(error).__module__.startswith("psycopg"):
                raise
            session.remove()
            time.sleep(0.05)


def main(url: str, seed: str, seconds: str) -> None:
    """Post for so long."""
    chance, until = random.Random(seed), time.monotonic() + float(seconds)
    app = create_app(Settings(_env_file=None, fund_env="test", database_url=url))  # type: ignore[call-arg]
    with app.app_context():
        number = 0
        while time.monotonic() < until:
            number += 1
            try:
                request = any_request(chance)
            except DBAPIError:
                session.remove()
                time.sleep(0.05)
                continue
            key = f"{seed}/{number}"
            seq = send(key, request)
            if seq is not None:
                print(key, seq, flush=True)
                if chance.random() < 0.5:
                    again = send(key, request)
                    if again != seq:
                        sys.exit(f"{key} stood at {seq}, and then at {again}")


if __name__ == "__main__":
    main(*sys.argv[1:])
