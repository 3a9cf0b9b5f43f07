"""The rows of the endowment beside entries that a test posts straight to the ledger, where the ledger alone is tested.

At the end of a transaction the database asks each entry of an endowment's kind for the row that explains it
(`endowment_entry_explained`). Here such rows are made out of the entries, in SQL, with the application's own rights;
where no true row could be made (an account that is none, a year that has its limit) none is, and the database refuses.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import sql

from fund.db import session
from fund.embedded import postgres
from fund.ledger.actions import Posted

#: The entry (e), its lines together (t), and what it ends (o: the id of that entry).
_ENTRY = """
WITH e AS (SELECT n.seq, n.kind, n.effective_on AS on_day, l.id, n.reverses FROM ledger.entry n
           JOIN log.leaf l ON l.seq = n.seq WHERE n.seq = %(seq)s),
t AS (SELECT min(t.phase) AS phase, min(d.code) AS debit, min(c.code) AS credit, sum(t.amount_pence)::bigint AS pence,
             coalesce(sum(t.amount_pence) FILTER (WHERE c.code = '2000'), 0)::bigint AS reclaim,
             min(o.id::text)::uuid AS ends
      FROM ledger.transfer t JOIN ledger.account d ON d.id = t.debit_id JOIN ledger.account c ON c.id = t.credit_id
      LEFT JOIN log.leaf o ON o.seq = t.pending_seq WHERE t.entry_seq = %(seq)s)
"""
_RESERVE_ON = _ENTRY + """INSERT INTO reclaim_reserve_policy (id, is_on, leaf_id)
  SELECT gen_random_uuid(), true, e.id FROM e, t WHERE NOT reclaim_reserve_is_on() AND (t.reclaim > 0
    OR e.kind = 'reclaim_paid')"""
_RETURN = _ENTRY + """INSERT INTO endowment_return (id, kind, amount_pence, earned_on, source, reference, entry_id)
  SELECT gen_random_uuid(), e.kind, t.pence, e.on_day, 'Test', e.id::text, e.id FROM e, t
  WHERE t.credit = '3100' AND t.pence > 0 AND t.phase = 'single' ON CONFLICT DO NOTHING"""
_VALUED = (_ENTRY + """INSERT INTO endowment_return (id, kind, amount_pence, earned_on, source, reference, entry_id)
  SELECT gen_random_uuid(), e.kind, t.pence, e.on_day, 'Test', e.id::text, e.id FROM e, t, holding h
  WHERE h.name = 'Test' AND '1100' IN (t.debit, t.credit)
    AND (e.kind = 'revaluation_gain' OR t.pence <= holding_carried(h.id))
    AND NOT EXISTS (SELECT FROM holding_valuation v WHERE v.holding_id = h.id AND v.valued_on >= e.on_day)""",
           _ENTRY + """INSERT INTO holding_valuation (id, holding_id, valued_on, value_pence, carried_pence, source,
                                                     reference, document_sha256, return_id)
  SELECT gen_random_uuid(), h.id, e.on_day, holding_carried(h.id) + CASE e.kind WHEN 'revaluation_gain' THEN t.pence
           ELSE -t.pence END, holding_carried(h.id), 'Test', e.id::text, sha256('x'), r.id
  FROM e, t, holding h, endowment_return r WHERE h.name = 'Test' AND r.entry_id = e.id""")

_ROWS: Mapping[str, tuple[str, ...]] = {
    "dormant_assets_receipt": (_RESERVE_ON, _ENTRY + """
      INSERT INTO tranche (id, sender, reference, scheme, amount_pence, reclaim_pence, received_on, document_sha256,
                           entry_id)
      SELECT gen_random_uuid(), 'Test', e.id::text, 'banks', t.pence, t.reclaim, e.on_day, sha256('x'), e.id
      FROM e, t ON CONFLICT DO NOTHING"""),
    "investment_income": (_RETURN,), "bank_interest": (_RETURN,),
    "revaluation_gain": _VALUED, "revaluation_loss": _VALUED,
    "spending_rule_set": (_ENTRY + """
      INSERT INTO limit_proposal (id, financial_year, set_on, amount_pence, cost_ceiling_basis_points, inputs,
                                  inputs_sha256, proposed_by)
      SELECT e.id, split_part(t.credit, '/', 2), e.on_day, t.pence, 1000, '{}', sha256('x'), %(one)s FROM e, t
      WHERE NOT EXISTS (SELECT FROM spending_limit l WHERE t.credit = '3150/' || l.financial_year)""", _ENTRY + """
      INSERT INTO spending_limit (id, financial_year, rule, rule_version, rate_basis_points, parameters,
        cost_ceiling_basis_points, inputs, inputs_sha256, rule_pence, amount_pence, value_pence, floor_pence, set_on,
        proposal_id, confirmed_by, entry_id)
      SELECT gen_random_uuid(), p.financial_year, 'rolling_average', 1, 400, '{"rate": 400}', 1000, p.inputs,
             p.inputs_sha256, t.pence, t.pence, (
               SELECT coalesce(sum(CASE WHEN x.credit_class IN ('permanent_capital', 'unapplied_return', 'deficit')
                                   THEN x.amount_pence ELSE 0 END
                                 - CASE WHEN x.debit_class IN ('permanent_capital', 'unapplied_return', 'deficit')
                                   THEN x.amount_pence ELSE 0 END), 0)::bigint
               FROM ledger.transfer x JOIN ledger.entry y ON y.seq = x.entry_seq
               WHERE x.phase IN ('single', 'post') AND y.effective_on <= e.on_day), 0, e.on_day, p.id, %(other)s, e.id
      FROM e, t, limit_proposal p WHERE p.id = e.id"""),
    "drawdown": (_ENTRY + """
      INSERT INTO drawdown (id, financial_year, amount_pence, drawn_on, reference, entry_id)
      SELECT gen_random_uuid(), l.financial_year, t.pence, e.on_day, e.id::text, e.id
      FROM e, t JOIN spending_limit l ON t.debit = '3150/' || l.financial_year
      ON CONFLICT DO NOTHING""",),
    "operating_budget": (_ENTRY + """
      INSERT INTO running_cost_budget (id, financial_year, amount_pence, set_on, reference, entry_id)
      SELECT gen_random_uuid(), l.financial_year, t.pence, e.on_day, e.id::text, e.id
      FROM e, t JOIN spending_limit l ON t.credit = '3250/' || l.financial_year
      ON CONFLICT DO NOTHING""",),
    "trade": (
        "INSERT INTO holding (id, name) VALUES (gen_random_uuid(), 'Test') ON CONFLICT DO NOTHING",
        _ENTRY + """
      INSERT INTO holding_trade (id, holding_id, is_buy, amount_pence, agreed_on, reference, entry_id)
      SELECT gen_random_uuid(), h.id, t.debit = '1100', t.pence, e.on_day, e.id::text, e.id
      FROM e, t, holding h
      WHERE h.name = 'Test' AND t.phase = 'pending' AND (t.debit = '1100' OR t.pence <= holding_carried(h.id))""",
        _ENTRY + """
      INSERT INTO holding_trade_end (trade_id, is_settled, ended_on, entry_id)
      SELECT x.id, t.phase = 'post', e.on_day, e.id FROM e, t JOIN holding_trade x ON x.entry_id = t.ends
      ON CONFLICT DO NOTHING"""),
    "reclaim_paid": (_RESERVE_ON, _ENTRY + """
      INSERT INTO reclaim_payment (id, reference, amount_pence, agreed_on, entry_id)
      SELECT gen_random_uuid(), e.id::text, t.pence, e.on_day, e.id FROM e, t WHERE t.phase = 'pending'""",
                     _ENTRY + """
      INSERT INTO reclaim_payment_end (payment_id, is_paid, ended_on, entry_id)
      SELECT x.id, t.phase = 'post', e.on_day, e.id FROM e, t JOIN reclaim_payment x ON x.entry_id = t.ends
      ON CONFLICT DO NOTHING"""),
}


def a_trustee(connection: psycopg.Connection) -> uuid.UUID:
    """Somebody who is a trustee: their id."""
    person = uuid.uuid4()
    connection.execute("INSERT INTO person (id, email, name) VALUES (%s, %s, 'T')", [person, f"{person}@example.org"])
    connection.execute("INSERT INTO capacity (id, person_id, capacity) VALUES (gen_random_uuid(), %s, 'trustee')",
                       [person])
    return person


def explain(connection: psycopg.Connection, seqs: Iterable[int]) -> None:
    """Put the rows beside the entries at these places, in the transaction that wrote them, where none is."""
    for seq in seqs:
        found = connection.execute("SELECT kind FROM ledger.entry WHERE seq = %s", [seq]).fetchone()
        two = {name: a_trustee(connection) if found and found[0] == "spending_rule_set" else None
               for name in ("one", "other")}
        for statement in _ROWS.get(found[0], ()) if found else ():
            connection.execute(statement, {"seq": seq, **two})


def decide(connection: psycopg.Connection, place: str, pence: int, outcome: str = "awarded") -> uuid.UUID:
    """The leaf of a decision that no panel took, for offers where the ledger alone is tested: its id.

    The database refuses such a leaf (`decision_of_a_panel`); so this goes past its triggers, as only a superuser can.
    """
    leaf_id = uuid.uuid4()
    leaf = {"v": 1, "id": str(leaf_id), "kind": "decision", "recorded_at": "2026-06-01T09:00:00.000000Z",
            "record": {"area": place, "amount": str(pence), "outcome": outcome}}
    encoded = json.dumps(leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    (role,) = connection.execute("SELECT current_user").fetchone() or ("",)
    with connection.transaction():
        connection.execute("RESET ROLE")
        connection.execute("SET LOCAL session_replication_role = replica")
        written = connection.execute("SELECT seq FROM log.append(ARRAY[%s], ARRAY[%s::bytea], ARRAY[%s::bytea])",
                                     [str(leaf_id), b"r" * 32, encoded]).fetchone()
        assert written is not None, "the log has not begun"
        connection.execute("SET LOCAL session_replication_role = origin")
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
    return leaf_id


def decided(server: postgres.PostgresServer, place: str, *pence: int) -> list[uuid.UUID]:
    """The same in the database that the session is on, committed: a decision for each of these sums."""
    database = session.get_bind().url.database  # type: ignore[union-attr]
    with psycopg.connect(postgres.superuser_url(server, database)) as connection:
        return [decide(connection, place, one) for one in pence]


#: Asks each entry of a grant for the row of an award, a release or what became of it.
GUARD = "grant_entry_explained"


@contextmanager
def alone(server: postgres.PostgresServer) -> Iterator[None]:
    """Where the ledger alone is tested, in the database that the session is on: its entries of grants need no rows.

    A true row of an award stands on a decision, an application, a round and a panel. The guard is there again at the
    end, so that fsck finds all as it should be.
    """
    database = session.get_bind().url.database  # type: ignore[union-attr]
    session.rollback()
    ask_for_rows(server, database, ask=False)
    try:
        yield
    finally:
        session.rollback()
        ask_for_rows(server, database, ask=True)


def ask_for_rows(server: postgres.PostgresServer, database: str, *, ask: bool) -> None:
    """Switch that guard on or off, as only an owner can."""
    with psycopg.connect(postgres.superuser_url(server, database), autocommit=True) as connection:
        connection.execute(f"ALTER TABLE ledger.entry {'ENABLE' if ask else 'DISABLE'} TRIGGER {GUARD}")


def explained(*posted: Posted) -> Posted:
    """What was posted in the session's transaction, with its row beside each; gives the last."""
    driver = session.connection().connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    explain(driver, [one.seq for one in posted])
    return posted[-1]
