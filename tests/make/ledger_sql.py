"""The ledger written by hand, in SQL, as somebody with the application's password would: for attacks on its tables.

It shares no code with `fund.ledger.actions`, so that a rule that stands only there is found out.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import psycopg

CLASSES = {"1000": "bank", "1100": "investments", "2000": "reclaim_reserve", "3000": "permanent_capital",
           "3090": "deficit", "3100": "unapplied_return", "3150": "drawdown_limit", "3200": "spendable",
           "3250": "running_costs", "4000": "allocation", "5000": "grant"}
DAY = date(2026, 6, 1)


class L(NamedTuple):
    """A line: debit and credit code, pence, phase, and the (entry seq, line) that it resolves."""

    debit: str
    credit: str
    amount: int
    phase: str = "single"
    pending: tuple[int, int] | None = None
    number: int | None = None
    debit_class: str | None = None


class Hand:
    """Writes by hand on a connection, in the role that the connection has taken on."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def run(self, sql: str, *params: Any) -> Any:
        return self.connection.execute(sql, params)

    def one(self, sql: str, *params: Any) -> Any:
        row = self.run(sql, *params).fetchone()
        return None if row is None else row[0]

    def size(self) -> int:
        return self.one("SELECT size FROM log.log_head")

    def check(self) -> None:
        """What a commit would check, now."""
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        self.run("SET CONSTRAINTS ALL DEFERRED")

    def leaf(self, kind: str, said: dict[str, Any], *, seq: int | None = None, id_: uuid.UUID | None = None,
             raw: bytes | None = None, key: str | None = None, at: datetime | None = None,
             columns: dict[str, Any] | None = None) -> int:
        """A leaf; `columns` are put in place of what the row should hold, `raw` in place of its bytes."""
        seq, id_, at = self.size() if seq is None else seq, id_ or uuid.uuid4(), at or datetime.now(UTC)
        whole = {"v": 1, "id": str(id_), "kind": kind, "recorded_at": f"{at:%Y-%m-%dT%H:%M:%S.%fZ}", **said}
        encoded = raw or json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        row = {"seq": seq, "id": id_, "kind": kind, "idem_key": key or str(id_), "request_hash": b"r" * 32,
               "recorded_at": at, "bytes": encoded, **(columns or {})}
        self.run(f"INSERT INTO log.leaf ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())
        return seq

    def lines(self, seq: int, kind: str, lines: Sequence[L]) -> None:
        """The rows of the lines, in one statement."""
        values = [(seq, line.number or number, kind, line.phase, self.account(line.debit),
                   line.debit_class or CLASSES[line.debit[:4]], self.account(line.credit), CLASSES[line.credit[:4]],
                   line.amount, *(line.pending or (None, None))) for number, line in enumerate(lines, 1)]
        self.many(values)

    def many(self, values: Sequence[tuple]) -> None:
        """Rows of `transfer`, in one statement."""
        self.run("INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, "
                 "credit_class, amount_pence, pending_seq, pending_line) VALUES "
                 + ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(values)),
                 *[cell for row in values for cell in row])

    def entry(self, seq: int, kind: str, *, on: date = DAY, reverses: int | None = None,
              relates_to: Sequence[uuid.UUID] = ()) -> None:
        self.run("INSERT INTO ledger.entry (seq, kind, effective_on, reverses, relates_to) "
                 "VALUES (%s, %s, %s, %s, %s::uuid[])", seq, kind, on, reverses, list(relates_to))

    def said(self, lines: Sequence[L], *, on: date = DAY, reverses: int | None = None,
             relates_to: Sequence[uuid.UUID] = ()) -> dict[str, Any]:
        """What a true leaf says of these lines."""
        transfers = []
        for line in lines:
            transfer: dict[str, Any] = {"phase": line.phase, "debit": line.debit, "credit": line.credit,
                                        "amount": str(line.amount)}
            if line.pending:
                transfer["pending"] = [str(self.id_of(line.pending[0])), line.pending[1]]
            transfers.append(transfer)
        said: dict[str, Any] = {"effective_on": on.isoformat(), "transfers": transfers}
        if reverses is not None:
            said["reverses"] = str(self.id_of(reverses))
        if relates_to:
            said["relates_to"] = [str(id_) for id_ in relates_to]
        return said

    def write(self, kind: str, *lines: L, on: date = DAY, reverses: int | None = None,
              relates_to: Sequence[uuid.UUID] = (), said: dict[str, Any] | None = None) -> int:
        """A whole entry as a true one is written, and all that a commit checks; `said` changes what the leaf says."""
        seq = self.size()
        self.lines(seq, kind, lines)
        self.entry(seq, kind, on=on, reverses=reverses, relates_to=relates_to)
        self.leaf(kind, {**self.said(lines, on=on, reverses=reverses, relates_to=relates_to), **(said or {})}, seq=seq)
        self.check()
        return seq

    def account(self, code: str) -> int | None:
        return self.one("SELECT id FROM ledger.account WHERE code = %s", code)

    def id_of(self, seq: int) -> uuid.UUID | None:
        return self.one("SELECT id FROM log.leaf WHERE seq = %s", seq)

    def open(self, code: str, *, guard: str | None = None, account_class: str | None = None,
             record: dict[str, Any] | None = None) -> None:
        """Open an account; what is given is put in place of what is right."""
        account_class = account_class or CLASSES[code[:4]]
        right = "credits<=debits" if account_class in {"bank", "investments", "deficit"} else "debits<=credits"
        seq = self.size()
        self.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES (%s, %s, %s, %s, %s)",
                 code, code, account_class, guard or right, seq)
        self.leaf("account_opened", {"record": {"code": code, "class": account_class, "name": code, **(record or {})}},
                  seq=seq)
        self.check()

    def balance(self, code: str) -> int:
        """Credits less debits, posted."""
        return self.one("SELECT credits_posted_pence - debits_posted_pence FROM ledger.balance WHERE account_id = %s",
                        self.account(code))


def scene(hand: Hand) -> dict[str, int]:
    """A small fund: every account open, some money on each, reservations open. Gives the seq of what was written."""
    hand.leaf("genesis", {"record": {"origin": "test"}})
    for code in ("1000", "1100", "2000", "3000", "3090", "3100", "3150/2026-27", "3200", "3250/2026-27",
                 "4000/A", "4000/B", "5000/G", "5000/H"):
        hand.open(code)
    close = hand.size()
    hand.run("INSERT INTO ledger.period_close (seq, closed_through) VALUES (%s, '2019-12-31')", close)
    hand.leaf("period_closed", {"record": {"closed_through": "2019-12-31"}}, seq=close)
    return {
        "receipt": hand.write("dormant_assets_receipt", L("1000", "3000", 10_000), L("1000", "2000", 500)),
        "income": hand.write("investment_income", L("1000", "3100", 5_000)),
        "buy": (buy := hand.write("trade", L("1100", "1000", 4_000, "pending"))),
        "bought": hand.write("trade", L("1100", "1000", 4_000, "post", (buy, 1))),
        "limit": hand.write("spending_rule_set", L("3100", "3150/2026-27", 3_000)),
        "drawdown": hand.write("drawdown", L("3150/2026-27", "3200", 2_500)),
        "costs": hand.write("operating_budget", L("3200", "3250/2026-27", 200)),
        "allocation": hand.write("area_allocation", L("3200", "4000/A", 1_000), L("3200", "4000/B", 1_000)),
        "offer": (offer := hand.write("grant_offer", L("4000/A", "5000/G", 300, "pending"),
                                      L("4000/A", "5000/G", 400, "pending"))),
        "agreement": hand.write("grant_agreement", L("4000/A", "5000/G", 300, "post", (offer, 1))),
        "release": hand.write("stage_release", L("5000/G", "1000", 200, "pending")),
        "pay": hand.write("participation_payment", L("3250/2026-27", "1000", 50, "pending")),
        "offer_b": hand.write("grant_offer", L("4000/B", "5000/H", 100, "pending")),
    }
