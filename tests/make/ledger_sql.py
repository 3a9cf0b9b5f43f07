"""The ledger written by hand, in SQL, as somebody with the application's password would: for attacks on its tables.

It shares no code with `fund.ledger.actions`, so that a rule that stands only there is found out.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import psycopg

from tests.make.beside import GUARD, decide, explain

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
    """Writes by hand on a connection, in the role that the connection has taken on.

    `leaf`, `write`, `open` and `close` hand bytes to the functions that write the log and the ledger: all that the
    application can do. `lines`, `entry` and `row` insert rows, as only the owner can who says so first (`as_owner`).
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def run(self, sql: str, *params: Any) -> Any:
        return self.connection.execute(sql, params or None)

    def one(self, sql: str, *params: Any) -> Any:
        row = self.run(sql, *params).fetchone()
        return None if row is None else row[0]

    def size(self) -> int:
        return self.one("SELECT size FROM log.log_head")

    def as_owner(self) -> None:
        """Take on what an owner has who means to write by hand: the right, and the word that the triggers ask for."""
        self.run("RESET ROLE")
        self.run("SET ROLE fund_owner")
        self.run("SELECT set_config('fund.writer', 'ledger', false)")

    def check(self) -> None:
        """What a commit would check, now."""
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        self.run("SET CONSTRAINTS ALL DEFERRED")

    def bytes_of(self, kind: str, said: dict[str, Any]) -> bytes:
        """The bytes of a leaf; what is said under a name of its own (`id`, `v`) stands in place of what is right."""
        whole = {"v": 1, "id": str(uuid.uuid4()), "kind": kind,
                 "recorded_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", **said}
        return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def leaf(self, kind: str, said: dict[str, Any], *, key: str | None = None, raw: bytes | None = None,
             request_hash: bytes = b"r" * 32) -> int | None:
        """A public record; `raw` in place of its bytes. Nothing where it was not written."""
        return self.one("SELECT seq FROM log.append(ARRAY[%s], ARRAY[%s::bytea], ARRAY[%s::bytea])",
                        key or str(uuid.uuid4()), request_hash, raw or self.bytes_of(kind, said))

    def row(self, kind: str, said: dict[str, Any], **columns: Any) -> int:
        """The row of a leaf; `columns` are put in place of what it should hold."""
        encoded = self.bytes_of(kind, said)
        whole = json.loads(encoded)
        row = {"seq": self.size(), "id": whole["id"], "kind": kind, "idem_key": whole["id"],
               "request_hash": b"r" * 32, "recorded_at": whole["recorded_at"], "bytes": encoded, **columns}
        self.run(f"INSERT INTO log.leaf ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", *row.values())
        return row["seq"]

    def lines(self, seq: int, kind: str, lines: Sequence[L]) -> None:
        """The rows of the lines, in one statement."""
        values = [(seq, line.number or number, kind, line.phase, self.account(line.debit),
                   line.debit_class or CLASSES[line.debit[:4]], self.account(line.credit), CLASSES[line.credit[:4]],
                   line.amount, *(line.pending or (None, None))) for number, line in enumerate(lines, 1)]
        self.run("INSERT INTO ledger.transfer (entry_seq, line, kind, phase, debit_id, debit_class, credit_id, "
                 "credit_class, amount_pence, pending_seq, pending_line) VALUES "
                 + ", ".join(["(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"] * len(values)),
                 *[cell for row in values for cell in row])

    def entry(self, seq: int, kind: str, *, on: date = DAY, reverses: int | None = None,
              relates_to: Sequence[uuid.UUID] = ()) -> None:
        self.run("INSERT INTO ledger.entry (seq, kind, effective_on, reverses, relates_to) "
                 "VALUES (%s, %s, %s, %s, %s::uuid[])", seq, kind, on, reverses, list(relates_to))

    def rows(self, kind: str, *lines: L, on: date = DAY, reverses: int | None = None) -> int:
        """An entry by rows alone, as an owner could write one; nothing moves a balance."""
        seq = self.row(kind, self.said(lines, on=on, reverses=reverses))
        self.entry(seq, kind, on=on, reverses=reverses)
        self.lines(seq, kind, lines)
        return seq

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
              relates_to: Sequence[uuid.UUID] = (), said: dict[str, Any] | None = None,
              without: Sequence[str] = (), alone: bool = False) -> int | None:
        """An entry, and all that a commit checks; `said` changes what the leaf says, `without` leaves words out. The
        endowment's row is put beside it, or an offer's decision before it, unless it is to stand `alone`."""
        return self.write_many((kind, {name: what for name, what in {
            **self.said(lines, on=on, reverses=reverses, relates_to=relates_to), **(said or {})}.items()
            if name not in without}), alone=alone)

    def write_many(self, *entries: tuple[str, dict[str, Any]], alone: bool = False) -> int | None:
        """Entries of a kind that say this, in one call; the seq of the last. Before an offer comes its decision."""
        if not alone:
            entries = tuple((kind, self.as_decided(said) if kind == "grant_offer" else said) for kind, said in entries)
        leaves = [self.bytes_of(kind, said) for kind, said in entries]
        seqs = self.run("SELECT seq FROM ledger.post(%s::text[], %s::bytea[], %s::bytea[])",
                        [str(uuid.uuid4()) for _ in leaves], [b"r" * 32] * len(leaves), leaves).fetchall()
        if not alone:
            explain(self.connection, [seq for (seq,) in seqs])
        self.check()
        return max((seq for (seq,) in seqs), default=None)

    def as_decided(self, said: dict[str, Any]) -> dict[str, Any]:
        """What an offer says, with a decision that gives just that, unless it names one."""
        lines = said.get("transfers")
        if not lines or "relates_to" in said:
            return said
        decision = decide(self.connection, lines[0]["debit"].removeprefix("4000/"),
                          sum(int(line["amount"]) for line in lines))
        return {**said, "relates_to": [str(decision)]}

    def account(self, code: str) -> int | None:
        return self.one("SELECT id FROM ledger.account WHERE code = %s", code)

    def id_of(self, seq: int) -> uuid.UUID | None:
        return self.one("SELECT id FROM log.leaf WHERE seq = %s", seq)

    def open(self, code: str, *, account_class: str | None = None, kind: str = "account_opened",
             record: dict[str, Any] | None = None, said: dict[str, Any] | None = None) -> int | None:
        """Open an account; what is given is put in place of what is right."""
        whole = {"code": code, "class": account_class or CLASSES[code[:4]], "name": code, **(record or {})}
        seq = self.one("SELECT seq FROM ledger.open_account(%s, %s, %s)", f"account/{code}", b"r" * 32,
                       self.bytes_of(kind, {"record": whole, **(said or {})}))
        self.check()
        return seq

    def close(self, through: str, *, kind: str = "period_closed", **said: Any) -> int | None:
        """Close the books; what is given is put in place of what is right."""
        return self.one("SELECT seq FROM ledger.close_period(%s, %s, %s)", str(uuid.uuid4()), b"r" * 32,
                        self.bytes_of(kind, {"record": {"closed_through": through}, **said}))

    def balance(self, code: str) -> int:
        """Credits less debits, posted."""
        return self.one("SELECT credits_posted_pence - debits_posted_pence FROM ledger.balance WHERE account_id = %s",
                        self.account(code))


@contextmanager
def on_stage(address: str) -> Iterator[tuple[Hand, dict[str, int]]]:
    """A hand with the application's rights and a superuser's behind it, and the scene; all of it is rolled back. No
    entry of a grant is asked for its row here, as in `alone`."""
    with psycopg.connect(address) as connection:
        connection.execute("SET ROLE fund_app")
        hand = Hand(connection)
        hand.run(f"RESET ROLE; ALTER TABLE ledger.entry DISABLE TRIGGER {GUARD}; SET ROLE fund_app")
        yield hand, scene(hand)
        connection.rollback()


def scene(hand: Hand) -> dict[str, int]:
    """A small fund: every account open, some money on each, reservations open. Gives the seq of what was written."""
    hand.leaf("genesis", {"record": {"origin": "test"}})
    for code in ("1000", "1100", "2000", "3000", "3090", "3100", "3150/2026-27", "3200", "3250/2026-27",
                 "4000/A", "4000/B", "5000/G", "5000/H"):
        hand.open(code)
    hand.close("2019-12-31")
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
