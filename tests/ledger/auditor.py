"""An auditor that knows the rules of the ledger from the design and shares no code with it (`test_model.py`).

It keeps four counters an account and the open reservations, and says beforehand what must happen to a request: it
stands, or it is refused by one of these constraints. Where several are broken the ledger may name any of them.
"""

import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

CLASSES = {"1000": "bank", "1100": "investments", "2000": "reclaim", "3000": "capital", "3090": "deficit",
           "3100": "return", "3150": "limit", "3200": "spendable", "3250": "costs", "4000": "allocation",
           "5000": "grant"}
GROWS_BY_DEBIT = {"bank", "investments", "deficit"}
SINGLE = {
    "dormant_assets_receipt": {("bank", "capital"), ("bank", "reclaim")},
    "reclaim_reserve_top_up": {("return", "reclaim")}, "reclaim_reserve_release": {("reclaim", "capital")},
    "investment_income": {("bank", "return")}, "bank_interest": {("bank", "return")},
    "revaluation_gain": {("investments", "deficit"), ("investments", "return")},
    "revaluation_loss": {("return", "investments"), ("deficit", "investments")},
    "deficit_made_good": {("return", "deficit")}, "spending_rule_set": {("return", "limit")},
    "drawdown": {("limit", "spendable")}, "area_allocation": {("spendable", "allocation")},
    "operating_budget": {("spendable", "costs")}, "payment_returned": {("bank", "grant")},
    "grant_return": {("bank", "allocation"), ("bank", "spendable")}, "grant_decommitted": {("grant", "allocation")},
    "operating_cost": {("costs", "bank")}}
# What is reserved by which kind, and which kinds post and void it.
RESERVED = {
    "reclaim_paid": ({("reclaim", "bank")}, "reclaim_paid", "reclaim_paid"),
    "trade": ({("investments", "bank"), ("bank", "investments")}, "trade", "trade"),
    "grant_offer": ({("allocation", "grant")}, "grant_agreement", "grant_offer_lapsed"),
    "stage_release": ({("grant", "bank")}, "stage_paid", "payment_failed"),
    "host_contribution": ({("grant", "bank")}, "host_contribution", "host_contribution"),
    "operating_cost": ({("costs", "bank")}, "operating_cost", "operating_cost"),
    "participation_payment": ({("costs", "bank")}, "participation_payment", "participation_payment")}
WAYS = {(kind, "single", *way) for kind, ways in SINGLE.items() for way in ways}
WAYS |= {(kind, "pending", *way) for kind, (ways, _post, _void) in RESERVED.items() for way in ways}
WAYS |= {(post, "post", *way) for ways, post, _void in RESERVED.values() for way in ways}
WAYS |= {(void, "void", *way) for ways, _post, void in RESERVED.values() for way in ways}
WAYS |= {("reversal", "single", credit, debit) for _kind, phase, debit, credit in WAYS if phase in ("single", "post")}
KINDS = sorted({way[0] for way in WAYS})
RESOLVES = {(kind, "post"): reserved for reserved, (_w, kind, _v) in RESERVED.items()} | {
    (kind, "void"): reserved for reserved, (_w, _p, kind) in RESERVED.items()}


class Move(NamedTuple):
    """A line as it is asked for; `ends` is the (entry, line) of a reservation."""

    phase: str
    debit: str
    credit: str
    amount: Any
    ends: tuple[str, int] | None = None


class Request(NamedTuple):
    key: str
    id: str
    kind: str
    moves: tuple[Move, ...]
    on: date
    reverses: str | None = None
    relates_to: tuple[str, ...] = ()


@dataclass
class Auditor:
    """The books. `counters` are debits and credits posted, debits and credits pending, by account."""

    counters: dict[str, list[int]] = field(default_factory=dict)
    reserved: dict[tuple[str, int], tuple[str, Move]] = field(default_factory=dict)
    ended: set[tuple[str, int]] = field(default_factory=set)
    entries: dict[str, Request] = field(default_factory=dict)
    keys: dict[str, Request] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    decided: dict[str, tuple[str, int]] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)
    closed: date = date(1990, 1, 1)

    def open(self, code: str) -> None:
        self.counters.setdefault(code, [0, 0, 0, 0])

    def decide(self, leaf_id: str, place: str, pence: int) -> None:
        """Note that a panel gives so much of its place's money: what one offer may reserve."""
        self.leaves.add(leaf_id)
        self.decided[leaf_id] = place, pence

    def try_all(self, requests: list[Request]) -> tuple["Auditor", set[str]]:
        """The books with all of them, and what is wrong with any: nothing, and they stand."""
        books, wrong = copy.deepcopy(self), set()
        for request in requests:
            books.leaves.add(request.id)  # a leaf of the same call is in the log
        for request in requests:
            wrong |= books._wrong_with(request, alone=len(requests) == 1)
            wrong |= books._apply(request)
            wrong |= books._wrong_with_value(request, alone=len(requests) == 1)
        return books, wrong

    def _wrong_with(self, request: Request, *, alone: bool) -> set[str]:
        wrong = set()
        if not request.moves:
            wrong.add("no_lines")
        if request.on <= self.closed:
            wrong.add("period_is_open")
        if set(request.relates_to) - self.leaves:
            wrong.add("relates_to_a_leaf")
        if request.kind == "spending_rule_set" and (not alone or self._deficit() > 0):
            wrong.add("no_limit_in_deficit")
        if request.kind == "grant_offer":
            wrong |= self._wrong_with_offer(request)
        for move in request.moves:
            wrong |= self._wrong_with_move(request, move)
        return wrong | self._wrong_with_reversal(request)

    def _wrong_with_offer(self, request: Request) -> set[str]:
        first = request.relates_to[0] if request.relates_to else ""
        wrong = {"uq_entry_offer"} if first in self.offered else set()
        place, pence = self.decided.get(first, ("", 0))
        if (len(request.relates_to) != 1 or any(move.debit != place for move in request.moves)
                or len({move.credit for move in request.moves}) != 1
                or any(type(move.amount) is not int for move in request.moves)
                or sum(move.amount for move in request.moves) != pence):
            wrong.add("offer_follows_decision")
        return wrong

    def _wrong_with_value(self, request: Request, *, alone: bool) -> set[str]:
        """A loss falls on the return first, and a gain makes the deficit good first: asked when it stands."""
        of_class = {name: [self.counters[code] for code in self.counters if CLASSES[code[:4]] == name]
                    for name in ("return", "deficit")}
        debited, credited = ({CLASSES.get(code[:4]) for code in codes} for codes in (
            [move.debit for move in request.moves], [move.credit for move in request.moves]))
        wrong = {
            "revaluation_loss": "deficit" in debited and any(c[1] > c[0] for c in of_class["return"]),
            "revaluation_gain": "return" in credited and any(c[0] > c[1] for c in of_class["deficit"])}
        is_wrong = request.kind in wrong and (not alone or wrong[request.kind])
        return {"return_bears_it_first"} if is_wrong else set()

    def _wrong_with_move(self, request: Request, move: Move) -> set[str]:
        wrong = set()
        if type(move.amount) is not int or not 0 < move.amount <= 10**15:
            wrong.add("ck_transfer_amount")
        if move.debit == move.credit:
            wrong.add("ck_transfer_two_accounts")
        if move.debit not in self.counters or move.credit not in self.counters:
            return wrong | {"not_open"}
        debit, credit = CLASSES[move.debit[:4]], CLASSES[move.credit[:4]]
        if (request.kind, move.phase, debit, credit) not in WAYS:
            wrong.add("fk_transfer_rule")
        if debit == "capital" and request.kind != "reversal":
            wrong.add("ck_transfer_capital")
        if (move.phase in ("post", "void")) != (move.ends is not None):
            return wrong | {"ck_transfer_resolves", "ck_transfer_pending_line", "ck_transfer_pending_earlier"}
        return wrong | (self._wrong_with_end(request, move) if move.ends else set())

    def _wrong_with_end(self, request: Request, move: Move) -> set[str]:
        assert move.ends is not None
        if move.ends[0] not in self.leaves:
            return {"ck_transfer_pending_line", "ck_transfer_resolves"}
        if move.ends[0] not in self.entries:  # it comes later, or moves nothing
            return {"ck_transfer_pending_earlier", "fk_transfer_pending"}
        if not 1 <= move.ends[1] <= len(self.entries[move.ends[0]].moves):
            return {"fk_transfer_pending"}
        if move.ends not in self.reserved:
            return {"reservation_resolves", "uq_transfer_pending"}
        kind, first = self.reserved[move.ends]
        wrong = {"uq_transfer_pending"} if move.ends in self.ended else set()
        if (RESOLVES.get((request.kind, move.phase)) != kind or (first.debit, first.credit) != (move.debit, move.credit)
                or move.amount > first.amount or (move.phase == "void" and move.amount != first.amount)):
            wrong.add("reservation_resolves")
        return wrong

    def _wrong_with_reversal(self, request: Request) -> set[str]:
        if (request.kind == "reversal") != (request.reverses is not None):
            return {"ck_entry_reversal"}
        if request.reverses is None:
            return set()
        if request.reverses not in self.entries:
            return {"ck_entry_reversal", "leaf_matches_rows", "fk_entry_reverses", "ck_entry_reverses_earlier"}
        first = self.entries[request.reverses]
        wrong = {"uq_entry_reverses"} if request.reverses in self.reversed else set()
        if (first.kind == "reversal" or any(move.phase not in ("single", "post") for move in first.moves)
                or [(m.credit, m.debit, m.amount) for m in first.moves]
                != [(m.debit, m.credit, m.amount) for m in request.moves]):
            wrong.add("reversal_mirrors")
        return wrong

    def _apply(self, request: Request) -> set[str]:
        """Move the counters, right or wrong, and say which guards are broken after it."""
        touched = set()
        for number, move in enumerate(request.moves, 1):
            if move.debit not in self.counters or move.credit not in self.counters or type(move.amount) is not int:
                continue
            debit, credit = self.counters[move.debit], self.counters[move.credit]
            if move.phase == "pending":
                debit[2] += move.amount
                credit[3] += move.amount
                self.reserved[request.id, number] = (request.kind, move)
            if move.phase in ("single", "post"):
                debit[0] += move.amount
                credit[1] += move.amount
            if move.phase in ("post", "void") and move.ends in self.reserved:
                freed = self.reserved[move.ends][1].amount
                debit[2] -= freed
                credit[3] -= freed
                self.ended.add(move.ends)
            touched |= {move.debit, move.credit}
        self.entries[request.id] = self.keys[request.key] = request
        self.leaves.add(request.id)
        if request.kind == "grant_offer":
            self.offered |= set(request.relates_to[:1])
        if request.reverses is not None:
            self.reversed.add(request.reverses)
        return {"ck_balance_overdraft"} if any(self.available(code) < 0 for code in touched) else set()

    def available(self, code: str) -> int:
        debits, credits, debits_pending, credits_pending = self.counters[code]
        if CLASSES[code[:4]] in GROWS_BY_DEBIT:
            return debits - credits - credits_pending
        return credits - debits - debits_pending

    def _deficit(self) -> int:
        return sum(c[0] - c[1] for code, c in self.counters.items() if CLASSES[code[:4]] == "deficit")
