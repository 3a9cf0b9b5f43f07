"""Attacks by hand: each is refused with its SQLSTATE and its constraint, and goes through without that constraint.

Most are all that the application can do: bytes handed to the functions that write. Some are rows that an owner writes
who says so first; the tables refuse them by themselves. What an owner can do in spite of all is in `test_fsck.py`, and
what the catalogue alone tells of rights is in `test_permanence.py`. One long list on purpose: read as one, what is not
attacked stands out.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import psycopg
import pytest

from tests.make.beside import decide
from tests.make.ledger_sql import DAY, Hand, L

LIMIT, COSTS = "3150/2026-27", "3250/2026-27"
TRANSFER, ENTRY, BALANCE, ACCOUNT, LEAF = ("ledger.transfer", "ledger.entry", "ledger.balance", "ledger.account",
                                           "log.leaf")
CHECK, UNIQUE, FOREIGN, PERMANENT, HOLE, PRIVILEGE, TEXT = "23514", "23505", "23503", "23001", "23502", "42501", "22P02"


@dataclass(frozen=True)
class Attack:
    name: str
    sqlstate: str
    constraint: str | None
    run: Callable[[Hand, dict[str, int]], object]
    drops: list[str] = field(default_factory=list)  # with all of these gone, it goes through
    by_owner: bool = False


def without(table: str, *constraints: str) -> list[str]:
    return [f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE" for constraint in constraints]


def unchecked(name: str) -> str:
    """Stands for the functions without what they refuse under this name."""
    return f"check {name}"


def drop(hand: Hand, what: str) -> None:
    if not what.startswith("check "):
        hand.run(what)
        return
    name = what.removeprefix("check ")
    functions = hand.run("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace IN ('log'::regnamespace, "
                         "'ledger'::regnamespace) AND strpos(prosrc, %s) > 0 ORDER BY oid",
                         f"CONSTRAINT = '{name}'").fetchall()
    assert functions
    for (text,) in functions:
        hand.run(re.sub(rf"RAISE EXCEPTION USING ERRCODE = '\w+', CONSTRAINT = '{name}'.*?;\n", "NULL;\n", text,
                        flags=re.DOTALL))


EXACT = [unchecked("leaf_matches_rows")]
NO_OVERDRAFT = without(BALANCE, "ck_balance_overdraft")
NO_MATRIX = without(TRANSFER, "fk_transfer_rule")
NO_CAPITAL = without(TRANSFER, "ck_transfer_capital")
#: What these attacks do, no row of the endowment can say: with only the ledger's own constraint gone they still fail.
ALONE = ["DROP TRIGGER endowment_entry_explained ON ledger.entry"]


def overdraft(name: str, kind: str, *lines: L, also: list[str] | None = None) -> Attack:
    return Attack(f"overdraw {name}", CHECK, "ck_balance_overdraft", lambda h, s: h.write(kind, *lines),
                  NO_OVERDRAFT + (also or []))


def write(name: str, sqlstate: str, constraint: str | None, drops: list[str], kind: str, *lines: L, **more) -> Attack:
    return Attack(name, sqlstate, constraint, lambda h, s: h.write(kind, *lines, **more), drops)


def one_line(**changed) -> dict:
    return {"transfers": [{"phase": "single", "debit": "1000", "credit": "3100", "amount": "5", **changed}]}


def lie(name: str, said: dict, *, also: list[str] | None = None, **more) -> Attack:
    """A true entry, but for one thing that its leaf says so that two readers could read it in two ways."""
    return Attack(f"a leaf with {name}", CHECK, "leaf_matches_rows",
                  lambda h, s: h.write("investment_income", L("1000", "3100", 5), said=said, **more),
                  EXACT + (also or []))


def resolve(name: str, sqlstate: str, constraint: str, drops: list[str], kind: str, entry: str, line: int,
            phase: str, amount: int, debit: str = "4000/A", credit: str = "5000/G") -> Attack:
    return Attack(name, sqlstate, constraint,
                  lambda h, s: h.write(kind, L(debit, credit, amount, phase, (s[entry], line))), drops)


def reversal(name: str, constraint: str, drops: list[str], entry: str | None, *lines: L, kind="reversal") -> Attack:
    return Attack(name, CHECK, constraint,
                  lambda h, s: h.write(kind, *lines, reverses=None if entry is None else s[entry]), drops)


def by_owner(name: str, sqlstate: str, constraint: str, drops: list[str], run: Callable) -> Attack:
    return Attack(name, sqlstate, constraint, run, drops, by_owner=True)


def spend_then_refill_in_one_call(h, s):
    h.write_many(("area_allocation", h.said([L("3200", "4000/A", 1_000)])),
                 ("drawdown", h.said([L(LIMIT, "3200", 500)])), ("grant_return", h.said([L("1000", "3200", 500)])))


def spend_a_reservation_before_it_is_freed(h, s):
    h.write_many(("grant_offer", h.said([L("4000/A", "5000/H", 600, "pending")])),
                 ("grant_offer_lapsed", h.said([L("4000/A", "5000/G", 400, "void", (s["offer"], 2))])))


def resolve_what_comes_later(h, s):
    later = str(uuid.uuid4())
    h.write_many(
        ("grant_agreement", {**h.said([L("4000/A", "5000/G", 5, "post")]), "transfers": [
            {"phase": "post", "debit": "4000/A", "credit": "5000/G", "amount": "5", "pending": [later, 1]}]}),
        ("grant_offer", {**h.said([L("4000/A", "5000/G", 5, "pending")]), "id": later}))


def an_offer(name: str, decided: tuple[str, int] | None, *lines: L) -> Attack:
    """An offer beside a decision that gives something else, or beside none."""
    return Attack(name, CHECK, "offer_follows_decision", lambda h, s: h.write("grant_offer", *lines, said={
        "relates_to": [str(decide(h.connection, *decided) if decided else h.id_of(s["income"]))]}),
                  [unchecked("offer_follows_decision")])


def offer_a_decision_twice(h, s):
    decision = str(decide(h.connection, "A", 5))
    for _ in range(2):
        h.write("grant_offer", L("4000/A", "5000/G", 5, "pending"), said={"relates_to": [decision]})


def offer_a_decision_twice_in_one_call(h, s):
    said = {**h.said([L("4000/A", "5000/G", 5, "pending")]), "relates_to": [str(decide(h.connection, "A", 5))]}
    h.write_many(("grant_offer", said), ("grant_offer", said))


def offer_two_decisions_at_once(h, s):
    h.write("grant_offer", L("4000/A", "5000/G", 5, "pending"), L("4000/A", "5000/H", 7, "pending"), said={
        "relates_to": [str(decide(h.connection, "A", pence)) for pence in (5, 7)]})


def offer_too_much_among_others(h, s):
    h.write_many(*[("grant_offer", {**h.said([L("4000/A", "5000/G", pence, "pending")]), "relates_to": [
        str(decide(h.connection, "A", 5))]}) for pence in (5, 6)])


def two_limits_in_one_call(h, s):
    h.write_many(("revaluation_loss", h.said([L("3100", "1100", 2_000), L("3090", "1100", 10)])),
                 ("investment_income", h.said([L("1000", "3100", 100)])),
                 ("spending_rule_set", h.said([L("3100", LIMIT, 10)])))


def enter_a_closed_period(h, s):
    h.close("2026-06-01")
    h.write("investment_income", L("1000", "3100", 5))


def two_entries_in_a_closed_period(h, s):
    h.close("2026-06-01")
    said = h.said([L("1000", "3100", 5)])
    h.write_many(("investment_income", {**said, "effective_on": "2026-06-02"}), ("investment_income", said))


def close_an_earlier_period(h, s):
    h.close("2026-06-01")
    h.close("2026-05-01")


def fall_into_deficit(h):
    """£20 of return are left, and bear the loss first."""
    h.write("revaluation_loss", L("3100", "1100", 2_000), L("3090", "1100", 10))


def limit_in_deficit(h, s):
    fall_into_deficit(h)
    h.write("investment_income", L("1000", "3100", 100))
    h.write("spending_rule_set", L("3100", LIMIT, 10))


def second_reversal(h, s):
    seq = h.write("investment_income", L("1000", "3100", 100))
    h.write("reversal", L("3100", "1000", 100), reverses=seq)
    h.write("reversal", L("3100", "1000", 100), reverses=seq)


def reverse_a_reversal(h, s):
    sold = h.write("reversal", L("1000", "1100", 4_000), reverses=s["bought"])
    h.write("reversal", L("1100", "1000", 4_000), reverses=sold)


def reversal_in_more_lines(h, s):
    seq = h.write("investment_income", L("1000", "3100", 100))
    h.write("reversal", L("3100", "1000", 60), L("3100", "1000", 40), reverses=seq)


def void_after_post(h, s):
    h.write("grant_offer_lapsed", L("4000/A", "5000/G", 300, "void", (s["offer"], 1)))


def post_after_void(h, s):
    h.write("grant_offer_lapsed", L("4000/B", "5000/H", 100, "void", (s["offer_b"], 1)))
    h.write("grant_agreement", L("4000/B", "5000/H", 100, "post", (s["offer_b"], 1)))


INCOME = L("1000", "3100", 5)
ATTACKS = [
    # Overdrafts of every guarded class, what is reserved counted.
    overdraft("the bank", "trade", L("1100", "1000", 12_000, "pending")),
    overdraft("the bank by what is left beside a reservation", "trade", L("1100", "1000", 11_400, "pending")),
    overdraft("the investments", "trade", L("1000", "1100", 4_001, "pending"), also=ALONE),
    overdraft("the reclaim reserve", "reclaim_paid", L("2000", "1000", 501, "pending")),
    overdraft("the reclaim reserve by releasing it", "reclaim_reserve_release", L("2000", "3000", 501), also=ALONE),
    overdraft("a deficit that is not there", "revaluation_gain", L("1100", "3090", 1), also=ALONE),
    overdraft("the return", "spending_rule_set", L("3100", LIMIT, 2_001), also=ALONE),
    overdraft("the return by a loss", "revaluation_loss", L("3100", "1100", 2_001), also=ALONE),
    overdraft("the year's limit", "drawdown", L(LIMIT, "3200", 501)),
    overdraft("what is spendable", "area_allocation", L("3200", "4000/A", 301)),
    overdraft("the running costs beside a reservation", "operating_cost", L(COSTS, "1000", 151)),
    overdraft("an allocation beside a reservation", "grant_offer", L("4000/A", "5000/G", 301, "pending")),
    overdraft("an allocation by two lines", "grant_offer", L("4000/B", "5000/H", 500, "pending"),
              L("4000/B", "5000/H", 401, "pending")),
    overdraft("a grant beside a release", "stage_release", L("5000/G", "1000", 101, "pending")),
    overdraft("a grant by giving it back", "grant_decommitted", L("5000/G", "4000/A", 101)),
    Attack("spend and refill in one call", CHECK, "ck_balance_overdraft", spend_then_refill_in_one_call,
           [unchecked("ck_balance_overdraft")]),
    Attack("spend a reservation before it is freed", CHECK, "ck_balance_overdraft",
           spend_a_reservation_before_it_is_freed, [unchecked("ck_balance_overdraft")]),
    # Permanent capital.
    write("capital by a drawdown", CHECK, "ck_transfer_capital", NO_CAPITAL + NO_MATRIX + ALONE, "drawdown",
          L("3000", "3200", 1)),
    write("capital by a release", CHECK, "ck_transfer_capital", NO_CAPITAL + NO_MATRIX, "stage_release",
          L("3000", "1000", 1, "pending")),
    reversal("capital by a reversal of nothing", "ck_entry_reversal", without(ENTRY, "ck_entry_reversal"), None,
             L("3000", "1000", 400)),
    reversal("capital by a reversal of another amount", "reversal_mirrors", [unchecked("reversal_mirrors")], "receipt",
             L("3000", "1000", 400), L("2000", "1000", 500)),
    reversal("capital by a reversal of half an entry", "reversal_mirrors", [unchecked("reversal_mirrors")], "receipt",
             L("3000", "1000", 10_000)),
    reversal("capital by a reversal of an entry that never touched it", "reversal_mirrors",
             [unchecked("reversal_mirrors")], "income", L("3000", "1000", 5_000)),
    Attack("a reversal in more lines", CHECK, "reversal_mirrors", reversal_in_more_lines,
           [unchecked("reversal_mirrors")]),
    reversal("the reversal of a reservation", "reversal_mirrors", [unchecked("reversal_mirrors"), *NO_MATRIX],
             "release", L("1000", "5000/G", 200)),
    reversal("an ordinary entry that says it reverses", "ck_entry_reversal", without(ENTRY, "ck_entry_reversal"),
             "income", INCOME, kind="investment_income"),
    write("a reversal of what is not in the log", CHECK, "ck_entry_reversal",
          [*without(ENTRY, "ck_entry_reversal"), *EXACT], "reversal", L("3100", "1000", 5),
          said={"reverses": str(uuid.UUID(int=1))}),
    Attack("a second reversal", UNIQUE, "uq_entry_reverses", second_reversal, without(ENTRY, "uq_entry_reverses")),
    Attack("the reversal of a reversal", CHECK, "reversal_mirrors", reverse_a_reversal,
           [unchecked("reversal_mirrors")]),
    # Lines.
    write("a line to itself", CHECK, "ck_transfer_two_accounts",
          without(TRANSFER, "ck_transfer_two_accounts") + NO_MATRIX, "area_allocation", L("4000/A", "4000/A", 5)),
    write("a line of nothing", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount") + ALONE,
          "investment_income", L("1000", "3100", 0)),
    write("a negative line", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount") + ALONE,
          "investment_income", L("1000", "3100", -5)),
    write("a line beyond counting", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount"),
          "investment_income", L("1000", "3100", 10**15 + 1)),
    write("a line beyond a bigint", "22003", None, [], "investment_income", L("1000", "3100", 2**63)),
    write("half a penny", TEXT, None, [], "investment_income", INCOME, said=one_line(amount="0.5")),
    write("an account that is not open", HOLE, None, [], "investment_income", INCOME,
          said=one_line(credit="3100/none")),
    write("a phase that is none", FOREIGN, "fk_transfer_rule", NO_MATRIX + ALONE, "investment_income",
          L("1000", "3100", 5, "later")),
    # Bytes that could be read in two ways, or carry what no row keeps.
    lie("an amount written another way", one_line(amount="05")),
    lie("an amount that is a number", one_line(amount=5)),
    lie("a word more in its line", one_line(note="for you")),
    lie("nothing said twice", {"transfers": []}, also=ALONE),
    lie("its day written another way", {"effective_on": "2026-6-1"}),
    lie("its day in words", {"effective_on": "1 June 2026"}),
    lie("an id in capitals", {"id": "AAAAAAAA-AAAA-4AAA-8AAA-AAAAAAAAAAAA"}),
    lie("another version", {"v": 2}),
    lie("a time without its zone", {"recorded_at": "2026-06-01T00:00:00.000000"}),
    lie("a reversal that is not in the log", {"reverses": str(uuid.UUID(int=1))}),
    lie("no lines", {}, without=["transfers"], also=ALONE),
    Attack("a leaf with a relation written another way", CHECK, "leaf_matches_rows",
           lambda h, s: h.write("investment_income", INCOME, said={
               "relates_to": [str(h.id_of(s["income"])).upper()]}), EXACT),
    Attack("a leaf with a pending line that is text", CHECK, "leaf_matches_rows",
           lambda h, s: h.write("grant_agreement", L("4000/A", "5000/G", 400, "post"), said={"transfers": [
               {"phase": "post", "debit": "4000/A", "credit": "5000/G", "amount": "400",
                "pending": [str(h.id_of(s["offer"])), "2"]}]}), EXACT),
    # The log.
    Attack("a key that was used", UNIQUE, "uq_leaf_idem_key",
           lambda h, s: h.run("SELECT * FROM ledger.post(ARRAY['k', 'k'], %s::bytea[], %s::bytea[])", [b"r" * 32] * 2,
                              [h.bytes_of("investment_income", h.said([INCOME])) for _ in range(2)]),
           without(LEAF, "uq_leaf_idem_key")),
    Attack("an id that was used", UNIQUE, "uq_leaf_id",
           lambda h, s: h.leaf("sealed", {"record": {}, "id": str(h.id_of(s["income"]))}),
           without(LEAF, "uq_leaf_id")),
    Attack("a record under the name of a payment", CHECK, "record_is_no_entry",
           lambda h, s: h.leaf("stage_paid", {"record": {}}), [unchecked("record_is_no_entry")]),
    Attack("a record that carries transfers", CHECK, "record_is_no_entry",
           lambda h, s: h.leaf("sealed", {"record": {}, "transfers": []}), [unchecked("record_is_no_entry")]),
    Attack("a record that has a day of entry", CHECK, "record_is_no_entry",
           lambda h, s: h.leaf("sealed", {"record": {}, "effective_on": "2026-06-01"}),
           [unchecked("record_is_no_entry")]),
    Attack("a record that opens an account", CHECK, "record_is_no_entry",
           lambda h, s: h.leaf("account_opened", {"record": {"code": "4000/C"}}), [unchecked("record_is_no_entry")]),
    Attack("a record that closes a period", CHECK, "record_is_no_entry",
           lambda h, s: h.leaf("period_closed", {"record": {"closed_through": "2026-06-01"}}),
           [unchecked("record_is_no_entry")]),
    Attack("bytes that are not JSON", TEXT, None, lambda h, s: h.leaf("sealed", {}, raw=b"pay me")),
    Attack("bytes that say a thing twice", CHECK, "ck_leaf_json",
           lambda h, s: h.leaf("", {}, raw=h.bytes_of("sealed", {"record": {}})[:-1] + b',"kind":"sealed"}'),
           without(LEAF, "ck_leaf_json")),
    Attack("a record of another version", CHECK, "leaf_says_its_columns",
           lambda h, s: h.leaf("sealed", {"record": {}, "v": 2}), [unchecked("leaf_says_its_columns")]),
    Attack("a record without a time of day", CHECK, "leaf_says_its_columns",
           lambda h, s: h.leaf("sealed", {"record": {}, "recorded_at": "2026-06-01"}),
           [unchecked("leaf_says_its_columns")]),
    Attack("a record at the end of all time", CHECK, "leaf_says_its_columns",
           lambda h, s: h.leaf("sealed", {"record": {}, "recorded_at": "infinity"}),
           [unchecked("leaf_says_its_columns")]),
    Attack("a record without an id", CHECK, "leaf_says_its_columns",
           lambda h, s: h.leaf("sealed", {}, raw=b'{"kind":"sealed","v":1}')),
    Attack("a record of a kind that is none", CHECK, "ck_leaf_kind", lambda h, s: h.leaf("Decision!", {"record": {}}),
           without(LEAF, "ck_leaf_kind")),
    Attack("a record without a key", CHECK, "ck_leaf_idem_key",
           lambda h, s: h.run("SELECT * FROM log.append(ARRAY[''], ARRAY[%s::bytea], ARRAY[%s::bytea])", b"r" * 32,
                              h.bytes_of("sealed", {"record": {}})), without(LEAF, "ck_leaf_idem_key")),
    Attack("a hash that is too short", CHECK, "ck_leaf_request_hash",
           lambda h, s: h.leaf("sealed", {"record": {}}, request_hash=b"r"),
           without(LEAF, "ck_leaf_request_hash")),
    Attack("more bytes than a bundle can hold", CHECK, "ck_leaf_size",
           lambda h, s: h.leaf("sealed", {"record": {}, "padding": "x" * 65_535}), without(LEAF, "ck_leaf_size")),
    # Reservations.
    resolve("post a reservation twice", UNIQUE, "uq_transfer_pending", ["DROP INDEX ledger.uq_transfer_pending"],
            "grant_agreement", "offer", 1, "post", 300),
    Attack("void after post", UNIQUE, "uq_transfer_pending", void_after_post,
           ["DROP INDEX ledger.uq_transfer_pending"]),
    Attack("post after void", UNIQUE, "uq_transfer_pending", post_after_void,
           ["DROP INDEX ledger.uq_transfer_pending", *without(BALANCE, "ck_balance_debits_pending",
                                                             "ck_balance_credits_pending")]),
    resolve("post more than was reserved", CHECK, "reservation_resolves", [unchecked("reservation_resolves")],
            "grant_agreement", "offer", 2, "post", 401),
    resolve("void less than was reserved", CHECK, "reservation_resolves", [unchecked("reservation_resolves")],
            "grant_offer_lapsed", "offer", 2, "void", 399),
    resolve("post a reservation to another grant", CHECK, "reservation_resolves",
            [unchecked("reservation_resolves"), *without(BALANCE, "ck_balance_credits_pending")],
            "grant_agreement", "offer", 2, "post", 400, credit="5000/H"),
    resolve("post a reservation from another place", CHECK, "reservation_resolves",
            [unchecked("reservation_resolves"), *without(BALANCE, "ck_balance_debits_pending")], "grant_agreement",
            "offer", 2, "post", 400, debit="4000/B"),
    resolve("post a panel member's pay as a running cost", CHECK, "reservation_resolves",
            [unchecked("reservation_resolves")], "operating_cost", "pay", 1, "post", 50, COSTS, "1000"),
    resolve("resolve what was no reservation", CHECK, "reservation_resolves", [unchecked("reservation_resolves")],
            "grant_agreement", "agreement", 1, "post", 300),
    resolve("resolve a line that is not there", FOREIGN, "fk_transfer_pending",
            [*without(TRANSFER, "fk_transfer_pending"), "ALTER TABLE ledger.balance ALTER debits_pending_pence "
             "DROP NOT NULL, ALTER credits_pending_pence DROP NOT NULL"],
            "grant_agreement", "offer", 9, "post", 1),
    Attack("resolve what comes later", CHECK, "ck_transfer_pending_earlier", resolve_what_comes_later,
           without(TRANSFER, "ck_transfer_pending_earlier")),
    write("post without a reservation", CHECK, "ck_transfer_resolves", [], "grant_agreement",
          L("4000/A", "5000/G", 5, "post")),
    write("reserve what is reserved", CHECK, "ck_transfer_pending_line", [], "grant_offer",
          L("4000/A", "5000/G", 5, "pending"), said={"transfers": [
              {"phase": "pending", "debit": "4000/A", "credit": "5000/G", "amount": "5",
               "pending": [str(uuid.UUID(int=1)), 1]}]}),
    # A loss falls on the return first, and a gain makes a deficit good first.
    write("a loss that the return does not bear", CHECK, "return_bears_it_first", [unchecked("return_bears_it_first")],
          "revaluation_loss", L("3090", "1100", 10)),
    write("a loss that the return bears in part", CHECK, "return_bears_it_first", [unchecked("return_bears_it_first")],
          "revaluation_loss", L("3100", "1100", 1_999), L("3090", "1100", 10)),
    Attack("a gain that leaves the deficit", CHECK, "return_bears_it_first", lambda h, s: [
        fall_into_deficit(h), h.write(
            "revaluation_gain", L("1100", "3090", 9), L("1100", "3100", 1), on=DAY.replace(day=2))],
           [unchecked("return_bears_it_first")]),
    Attack("a loss among others", CHECK, "return_bears_it_first", lambda h, s: h.write_many(
        ("revaluation_loss", h.said([L("3100", "1100", 5)])), ("bank_interest", h.said([L("1000", "3100", 5)]))),
           [unchecked("return_bears_it_first")]),
    # An offer gives what a panel decided.
    Attack("an offer to two grants", CHECK, "offer_follows_decision", lambda h, s: h.write(
        "grant_offer", L("4000/A", "5000/G", 5, "pending"), L("4000/A", "5000/H", 5, "pending")),
           [unchecked("offer_follows_decision")]),
    Attack("an offer of what was declined", CHECK, "offer_follows_decision", lambda h, s: h.write(
        "grant_offer", L("4000/A", "5000/G", 5, "pending"), said={
            "relates_to": [str(decide(h.connection, "A", 5, "declined"))]}), [unchecked("offer_follows_decision")]),
    an_offer("an offer of a penny more than was decided", ("A", 5), L("4000/A", "5000/G", 6, "pending")),
    an_offer("an offer of a penny less than was decided", ("A", 5), L("4000/A", "5000/G", 4, "pending")),
    an_offer("an offer whose stages come to more", ("A", 5), L("4000/A", "5000/G", 3, "pending"),
             L("4000/A", "5000/G", 3, "pending")),
    an_offer("an offer of another place's money", ("B", 5), L("4000/A", "5000/G", 5, "pending")),
    an_offer("an offer in part of another place's money", ("A", 5), L("4000/A", "5000/G", 3, "pending"),
             L("4000/B", "5000/G", 2, "pending")),
    an_offer("an offer that no panel decided", None, L("4000/A", "5000/G", 5, "pending")),
    Attack("an offer that relates to nothing", CHECK, "offer_follows_decision",
           lambda h, s: h.write("grant_offer", L("4000/A", "5000/G", 5, "pending"), alone=True),
           [unchecked("offer_follows_decision")]),
    Attack("an offer of two decisions", CHECK, "offer_follows_decision", offer_two_decisions_at_once,
           [unchecked("offer_follows_decision")]),
    Attack("an offer of too much among others", CHECK, "offer_follows_decision", offer_too_much_among_others,
           [unchecked("offer_follows_decision")]),
    Attack("a decision offered twice", UNIQUE, "uq_entry_offer", offer_a_decision_twice,
           ["DROP INDEX ledger.uq_entry_offer"]),
    Attack("a decision offered twice in one call", UNIQUE, "uq_entry_offer", offer_a_decision_twice_in_one_call,
           ["DROP INDEX ledger.uq_entry_offer"]),
    # Accounts and the matrix.
    Attack("an account of a class that is none", FOREIGN, "fk_account_class",
           lambda h, s: h.open("4000/C", account_class="purse"), without(ACCOUNT, "fk_account_class") + NO_OVERDRAFT),
    Attack("a second bank under a grant's number", FOREIGN, "fk_account_class",
           lambda h, s: h.open("5000/C", account_class="bank"), without(ACCOUNT, "fk_account_class")),
    Attack("a second bank beside the bank", FOREIGN, "fk_account_class", lambda h, s: h.open("1000/two"),
           without(ACCOUNT, "fk_account_class")),
    Attack("an account with a word more", CHECK, "leaf_matches_rows",
           lambda h, s: h.open("4000/C", record={"guard": "none"}), EXACT),
    Attack("an account that also moves money", CHECK, "leaf_matches_rows",
           lambda h, s: h.open("4000/C", said={"transfers": []}), EXACT),
    Attack("an account opened by a record", CHECK, "leaf_matches_rows",
           lambda h, s: h.open("4000/C", kind="sealed"), EXACT),
    Attack("an account whose code is a sentence", CHECK, "ck_account_code",
           lambda h, s: h.open("4000/all of it"), without(ACCOUNT, "ck_account_code")),
    Attack("an account without a name", CHECK, "ck_account_name",
           lambda h, s: h.open("4000/C", record={"name": ""}), without(ACCOUNT, "ck_account_name")),
    write("pay from an allocation", FOREIGN, "fk_transfer_rule", NO_MATRIX, "stage_release",
          L("4000/A", "1000", 5, "pending")),
    write("pay a running cost from what is spendable", FOREIGN, "fk_transfer_rule", NO_MATRIX, "operating_cost",
          L("3200", "1000", 5)),
    write("give a grant without an offer", FOREIGN, "fk_transfer_rule", NO_MATRIX, "grant_offer",
          L("4000/A", "5000/G", 5)),
    write("a kind that nobody published", FOREIGN, "fk_transfer_rule", NO_MATRIX, "present", L("4000/A", "5000/G", 5)),
    # Days.
    Attack("an entry in a closed period", CHECK, "period_is_open", enter_a_closed_period,
           [unchecked("period_is_open")]),
    Attack("two entries, one in a closed period", CHECK, "period_is_open", two_entries_in_a_closed_period,
           [unchecked("period_is_open")]),
    Attack("a period closed that is not over", CHECK, "period_is_over", lambda h, s: h.close("2999-12-31"),
           [unchecked("period_is_over")]),
    Attack("a period closed before the last one", CHECK, "period_is_open", close_an_earlier_period,
           ["DROP TRIGGER is_later ON ledger.period_close"]),
    Attack("a period closed twice", UNIQUE, "uq_period_close_date", lambda h, s: [
        h.close("2026-01-01"), h.close("2026-01-01")], without("ledger.period_close", "uq_period_close_date")),
    Attack("a period closed by a record", CHECK, "leaf_matches_rows",
           lambda h, s: h.close("2026-01-01", kind="sealed"), EXACT),
    Attack("a period closed on a day written another way", CHECK, "leaf_matches_rows",
           lambda h, s: h.close("1 January 2026"), EXACT),
    write("a day that never ends", CHECK, "ck_entry_effective_on", without(ENTRY, "ck_entry_effective_on"),
          "investment_income", INCOME, on=date(9999, 12, 31)),
    Attack("a limit while the endowment is below its capital", CHECK, "no_limit_in_deficit", limit_in_deficit,
           [unchecked("no_limit_in_deficit"), *ALONE]),
    Attack("a limit in the same call as a loss", CHECK, "no_limit_in_deficit", two_limits_in_one_call,
           [unchecked("no_limit_in_deficit"), unchecked("return_bears_it_first"), *ALONE]),
    write("a relation to nothing", FOREIGN, "relates_to_a_leaf", [unchecked("relates_to_a_leaf")],
          "investment_income", INCOME, relates_to=[uuid.UUID(int=1)]),
    # Rows written by an owner, who has every right and says so: the tables refuse what is wrong in itself.
    by_owner("capital named as another class", FOREIGN, "fk_transfer_debit", without(TRANSFER, "fk_transfer_debit"),
             lambda h, s: h.rows("drawdown", L("3000", "3200", 1, debit_class="drawdown_limit"))),
    by_owner("a line numbered nought", CHECK, "ck_transfer_line", without(TRANSFER, "ck_transfer_line"),
             lambda h, s: h.rows("investment_income", L("1000", "3100", 5, number=-1))),
    by_owner("a line twice", UNIQUE, "pk_transfer", without(TRANSFER, "pk_transfer"),
             lambda h, s: h.lines(s["income"], "investment_income", [INCOME])),
    by_owner("an orphan line", FOREIGN, "fk_transfer_entry", without(TRANSFER, "fk_transfer_entry"),
             lambda h, s: h.lines(h.size(), "investment_income", [INCOME])),
    by_owner("an entry without a leaf", FOREIGN, "fk_entry_leaf", without(ENTRY, "fk_entry_leaf"),
             lambda h, s: h.entry(h.size(), "investment_income")),
    by_owner("an entry twice", UNIQUE, "pk_entry", without(ENTRY, "pk_entry"),
             lambda h, s: h.entry(s["income"], "investment_income")),
    by_owner("an entry that reverses a later one", CHECK, "ck_entry_reverses_earlier",
             without(ENTRY, "ck_entry_reverses_earlier"),
             lambda h, s: h.entry(h.row("reversal", {}), "reversal", reverses=h.size())),
    by_owner("a line that ends itself", CHECK, "ck_transfer_pending_earlier",
             without(TRANSFER, "ck_transfer_pending_earlier"),
             lambda h, s: h.rows("grant_agreement", L("4000/A", "5000/G", 5, "post", (h.size(), 1)))),
    by_owner("a place that is taken", UNIQUE, "pk_leaf", without(LEAF, "pk_leaf"),
             lambda h, s: h.row("sealed", {"record": {}}, seq=3)),
    by_owner("a second first leaf", CHECK, "ck_leaf_genesis", without(LEAF, "ck_leaf_genesis"),
             lambda h, s: h.row("genesis", {"record": {}})),
    by_owner("an account without a leaf", FOREIGN, "fk_account_leaf", without(ACCOUNT, "fk_account_leaf"),
             lambda h, s: [h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                                 "('4000/C', 'C', 'allocation', 'debits<=credits', %s)", h.size()), h.check()]),
    by_owner("an account without a guard", FOREIGN, "fk_account_class",
             without(ACCOUNT, "fk_account_class", "fk_account_leaf") + NO_OVERDRAFT,
             lambda h, s: h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                                "('4000/C', 'C', 'allocation', 'none', %s)", h.size())),
    by_owner("an account opened by an old leaf", PERMANENT, "entry_is_open",
             ["DROP TRIGGER is_opened ON ledger.account"],
             lambda h, s: h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                                "('4000/C', 'C', 'allocation', 'debits<=credits', %s)", s["income"])),
    by_owner("two accounts by one leaf", UNIQUE, "uq_account_leaf", without(ACCOUNT, "uq_account_leaf"),
             lambda h, s: [h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                                 "(%s, 'C', 'allocation', 'debits<=credits', %s)", code, h.size())
                           for code in ("4000/C", "4000/D")]),
    by_owner("an account's number twice", UNIQUE, "uq_account_code", without(ACCOUNT, "uq_account_code"),
             lambda h, s: h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                                "('1000', 'Bank', 'bank', 'credits<=debits', %s)", h.size())),
    by_owner("a period closed by an old leaf", PERMANENT, "entry_is_open",
             ["DROP TRIGGER is_later ON ledger.period_close"],
             lambda h, s: h.run("INSERT INTO ledger.period_close VALUES (%s, '2026-01-01')", s["income"])),
    by_owner("a rule that lets capital out", CHECK, "ck_posting_rule_capital",
             without("ledger.posting_rule", "ck_posting_rule_capital"),
             lambda h, s: h.run("INSERT INTO ledger.posting_rule VALUES "
                                "('drawdown', 'single', 'permanent_capital', 'spendable', NULL)")),
    by_owner("a class without a guard", CHECK, "ck_account_class_guard",
             without("ledger.account_class", "ck_account_class_guard"),
             lambda h, s: h.run("INSERT INTO ledger.account_class VALUES ('purse', '9000', false, 'fund', 'none')")),
    by_owner("a balance below nothing", CHECK, "ck_balance_debits_posted", without(BALANCE, "ck_balance_debits_posted"),
             lambda h, s: h.run("UPDATE ledger.balance SET debits_posted_pence = -1 WHERE account_id = %s",
                                h.account("4000/A"))),
    by_owner("a balance with another guard", FOREIGN, "fk_balance_account", without(BALANCE, "fk_balance_account"),
             lambda h, s: h.run("UPDATE ledger.balance SET guard = 'debits<=credits' WHERE account_id = %s",
                                h.account("3090"))),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: re.sub(r"\W+", "-", a.name))
def test_an_attack_is_refused_by_its_constraint(hand, stage, attack):
    if attack.by_owner:
        hand.as_owner()
    with pytest.raises(psycopg.Error) as refused:
        attack.run(hand, stage)
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == (attack.sqlstate, attack.constraint)


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.drops], ids=lambda a: re.sub(r"\W+", "-", a.name))
def test_without_its_constraint_the_attack_goes_through(hand, stage, attack):
    hand.run("RESET ROLE")
    for what in attack.drops:
        drop(hand, what)
    if attack.by_owner:
        hand.as_owner()
    else:
        hand.run("SET ROLE fund_app")
    attack.run(hand, stage)


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.by_owner], ids=lambda a: re.sub(r"\W+", "-", a.name))
def test_the_application_cannot_write_rows_at_all(hand, stage, attack):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        attack.run(hand, stage)


def test_the_scene_is_a_true_ledger(hand, stage):
    """The attacks start from entries that are written just as theirs are, and stand."""
    before_an_offer = sum(name.startswith("offer") for name in stage)  # its decision
    assert hand.size() == 15 + len(stage) + before_an_offer
    assert hand.balance("3000") == 10_000
