"""The books kept again from the leaves alone: every balance, every reservation, every rule of the posting matrix.

It shares nothing with the triggers of the database but the words of their constraints, so that what one forgets the
other finds. It never stops at a fault: it names it, keeps counting, and goes on.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fund.ledger.rules.lines import BALANCES_FROM, CLASSES, DEBIT_NORMAL

_GIVES = ("awarded", "part_awarded")  # the outcomes of a decision that can be offered


class Problem(NamedTuple):
    """Something that should not be. `code` is the constraint that should have refused it, `where` a place."""

    code: str
    where: str
    sentence: str


class Rule(NamedTuple):
    """One row of the posting matrix; `resolves` is the kind of reservation that it ends."""

    kind: str
    phase: str
    debit_class: str
    credit_class: str
    resolves: str | None


class Reserved(NamedTuple):
    """A reservation that is still open."""

    kind: str
    debit: str
    credit: str
    amount: int


@dataclass(slots=True)
class Counters:
    """The four counters of one account."""

    debits_posted: int = 0
    credits_posted: int = 0
    debits_pending: int = 0
    credits_pending: int = 0

    def all(self) -> tuple[int, int, int, int]:
        """The four, in the order in which the table keeps them."""
        return self.debits_posted, self.credits_posted, self.debits_pending, self.credits_pending


def balances_due(size: int) -> bool:
    """Whether what every account holds is published for this size of the log: 256 lines and each doubling. Every file
    names every account, so at a fixed rhythm both their bytes and the work would grow with the square of the log. The
    verifier keeps to the same sizes."""
    return size >= BALANCES_FROM and size.bit_count() == 1


def balances_path(size: int) -> str:
    """Where that file stands in the published log."""
    return f"balances/{size}.json"


def balances_file(size: int, accounts: Mapping[str, Counters]) -> bytes:
    """What every account holds at a size of the log, as a file: JSON on one line, because there are many of them."""
    return (json.dumps({
        "size": size, "each": "debits, credits, debits kept aside, credits kept aside, in pence",
        "balances": {code: counters.all() for code, counters in accounts.items()},
    }, sort_keys=True, separators=(",", ":")) + "\n").encode()


@dataclass(slots=True)
class Books:
    """The accounts as the leaves so far make them. `lines_of` gives the transfers of an earlier entry by its id."""

    matrix: Iterable[Rule]
    lines_of: Callable[[str], list[dict[str, Any]] | None]
    accounts: dict[str, Counters] = field(default_factory=dict)
    reservations: dict[tuple[str, int], Reserved] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    #: What was decided and not offered yet: the place's account and the pence, by the id of the decision's leaf.
    decided: dict[str, tuple[str, int]] = field(default_factory=dict)
    closed_through: str = ""
    _rules: dict[tuple[str, str, str, str], str | None] = field(init=False)
    _kinds: set[str] = field(init=False)

    def __post_init__(self) -> None:
        """Look the matrix up by what a line says."""
        self._rules = {(r.kind, r.phase, r.debit_class, r.credit_class): r.resolves for r in self.matrix}
        self._kinds = {r.kind for r in self.matrix}

    def apply(self, said: Mapping[str, Any], where: str) -> list[Problem]:
        """Take one leaf into the books, and give what is wrong with it."""
        kind, problems = said["kind"], []
        if "transfers" in said:
            problems += self._entry(said, kind, where)
        elif kind in self._kinds:
            problems.append(Problem("leaf_matches_rows", where, f"it is called {kind}, and moves nothing"))
        if kind == "account_opened":
            problems += self._open(said["record"], where)
        elif kind == "period_closed":
            self.closed_through = max(self.closed_through, said["record"]["closed_through"])
        elif kind == "decision":
            record = said["record"]
            if record.get("outcome") in _GIVES:
                self.decided[said["id"]] = f"4000/{record.get('area')}", int(record.get("amount", 0))
        return problems

    def _open(self, record: Mapping[str, str], where: str) -> list[Problem]:
        code = record["code"]
        if code in self.accounts:
            return [Problem("uq_account_code", where, f"account {code} is opened a second time")]
        self.accounts[code] = Counters()
        if CLASSES.get(code[:4]) != record["class"]:
            return [Problem("fk_account_class", where, f"account {code} is opened as {record['class']}")]
        return []

    def _entry(self, said: Mapping[str, Any], kind: str, where: str) -> list[Problem]:
        problems, touched = [], set()
        if said["effective_on"] <= self.closed_through:
            problems.append(Problem("period_is_open", where, f"its day is in the period closed through "
                                                             f"{self.closed_through}"))
        if kind == "spending_rule_set":
            problems += self._no_limit_in_deficit(where)
        elif kind == "grant_offer":
            problems += self._as_decided(said, where)
        for number, line in enumerate(said["transfers"], 1):
            problems += self._line(said["id"], number, line, kind, where)
            touched |= {line["debit"], line["credit"]}
        if (kind == "reversal") != ("reverses" in said):
            problems.append(Problem("ck_entry_reversal", where, "only a reversal names what it reverses"))
        elif kind == "reversal":
            problems += self._mirror(said, where)
        if kind in ("revaluation_gain", "revaluation_loss"):
            problems += self._return_bears_it(kind, touched, where)
        return problems + [problem for code in sorted(touched) for problem in self._guard(code, where)]

    def _line(self, entry_id: str, number: int, line: Mapping[str, Any], kind: str, where: str) -> list[Problem]:
        debit, credit, phase, amount = line["debit"], line["credit"], line["phase"], int(line["amount"])
        missing = [code for code in (debit, credit) if code not in self.accounts]
        if missing:
            return [Problem("fk_transfer_debit", where, f"no account {code} is open") for code in missing]
        problems, rule = [], (kind, phase, CLASSES.get(debit[:4], ""), CLASSES.get(credit[:4], ""))
        if amount <= 0:
            problems.append(Problem("ck_transfer_amount", where, f"line {number} moves {amount} pence"))
        if debit == credit:
            problems.append(Problem("ck_transfer_two_accounts", where, f"line {number} moves money to where it was"))
        if rule not in self._rules:
            problems.append(Problem("fk_transfer_rule", where, f"line {number}: {kind} may not go from {credit} to "
                                                               f"{debit} as {phase}"))
        of_debit, of_credit = self.accounts[debit], self.accounts[credit]
        if phase in ("post", "void"):
            reserved = self._resolve(line, self._rules.get(rule))
            if reserved is None:
                return [*problems, Problem("reservation_resolves", where, f"line {number} ends no open reservation of "
                                                                          f"its accounts and amount")]
            of_debit.debits_pending -= reserved.amount
            of_credit.credits_pending -= reserved.amount
        if phase == "pending":
            self.reservations[entry_id, number] = Reserved(kind, debit, credit, amount)
            of_debit.debits_pending += amount
            of_credit.credits_pending += amount
        elif phase != "void":
            of_debit.debits_posted += amount
            of_credit.credits_posted += amount
        return problems

    def _resolve(self, line: Mapping[str, Any], resolves: str | None) -> Reserved | None:
        """The reservation that the line ends, taken off the list; None where it ends none."""
        pending = line.get("pending") or ["", 0]
        reserved = self.reservations.get((pending[0], pending[1]))
        if reserved is None or (reserved.kind, reserved.debit, reserved.credit) != (
                resolves, line["debit"], line["credit"]):
            return None
        amount = int(line["amount"])
        if amount > reserved.amount or (line["phase"] == "void" and amount != reserved.amount):
            return None
        del self.reservations[pending[0], pending[1]]
        return reserved

    def _mirror(self, said: Mapping[str, Any], where: str) -> list[Problem]:
        name = said["reverses"]
        if name in self.reversed:
            return [Problem("uq_entry_reverses", where, f"entry {name} was reversed before")]
        self.reversed |= {name, said["id"]}
        first = self.lines_of(name)
        mirrored = [(line["credit"], line["debit"], line["amount"]) for line in first or ()
                    if line["phase"] in ("single", "post")]
        if first is None or len(mirrored) != len(first) or mirrored != [
                (line["debit"], line["credit"], line["amount"]) for line in said["transfers"]]:
            return [Problem("reversal_mirrors", where, f"it does not mirror entry {name}")]
        return []

    def _as_decided(self, said: Mapping[str, Any], where: str) -> list[Problem]:
        decisions, lines = said.get("relates_to") or [], said["transfers"]
        decided = self.decided.pop(decisions[0], None) if len(decisions) == 1 else None
        if decided is None or {decided[0]} != {line["debit"] for line in lines} or decided[1] != sum(
                int(line["amount"]) for line in lines):
            return [Problem("offer_follows_decision", where, "it does not give what one decision of its place says, "
                                                             "or gives it again")]
        to = {line["credit"] for line in lines}
        if len(to) != 1 or said.get("grant") not in (None, min(to)[5:]):
            return [Problem("offer_follows_decision", where, "it offers to more than one grant, or to another than it "
                                                             "names")]
        return []

    def _return_bears_it(self, kind: str, touched: Iterable[str], where: str) -> list[Problem]:
        """A loss is borne by the return as far as it goes, and a gain makes a deficit good first (LEDGER.md 1.3)."""
        moved = {CLASSES.get(code[:4]) for code in touched}
        if kind == "revaluation_loss" and "deficit" in moved and self._left("unapplied_return") > 0:
            return [Problem("return_bears_it_first", where, "it takes a loss from the capital while there is return")]
        if kind == "revaluation_gain" and "unapplied_return" in moved and self._left("deficit") < 0:
            return [Problem("return_bears_it_first", where, "it makes return of a gain while there is a deficit")]
        return []

    def _left(self, name: str) -> int:
        """What stands on the one account of a class, credits less debits, in pence."""
        code = next(code for code, account_class in CLASSES.items() if account_class == name)
        counters = self.accounts.get(code, Counters())
        return counters.credits_posted - counters.debits_posted

    def _no_limit_in_deficit(self, where: str) -> list[Problem]:
        if any(self.accounts[code].debits_posted > self.accounts[code].credits_posted
               for code in self.accounts if CLASSES.get(code[:4]) == "deficit"):
            return [Problem("no_limit_in_deficit", where, "a limit is set while the endowment is below its capital")]
        return []

    def _guard(self, code: str, where: str) -> list[Problem]:
        counters = self.accounts.get(code)
        if counters is None:
            return []
        if CLASSES.get(code[:4]) in DEBIT_NORMAL:
            over = counters.credits_posted + counters.credits_pending - counters.debits_posted
        else:
            over = counters.debits_posted + counters.debits_pending - counters.credits_posted
        return [] if over <= 0 else [Problem("ck_balance_overdraft", where, f"account {code} is overdrawn by {over} "
                                                                            f"pence after it")]
