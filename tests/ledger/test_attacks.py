"""Attacks on the tables with the application's own rights: each is refused with its SQLSTATE and its constraint.

`TWINS` shows for each constraint that it is what refuses: with it dropped (by the owner, rolled back) the same attack
goes through, so the test of the refusal would turn red.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import psycopg
import pytest

from fund.embedded import postgres
from tests.make.ledger_sql import CLASSES, DAY, Hand, L, scene

LIMIT, COSTS = "3150/2026-27", "3250/2026-27"
TRANSFER, ENTRY, BALANCE, ACCOUNT, LEAF = ("ledger.transfer", "ledger.entry", "ledger.balance", "ledger.account",
                                           "log.leaf")
CHECK, UNIQUE, FOREIGN, PERMANENT = "23514", "23505", "23503", "23001"


@dataclass(frozen=True)
class Attack:
    name: str
    sqlstate: str
    constraint: str
    run: Callable[[Hand, dict[str, int]], object]
    drops: list[str] = field(default_factory=list)  # with all of these gone, it goes through


def without(table: str, *constraints: str) -> list[str]:
    return [f"ALTER TABLE {table} DROP CONSTRAINT {constraint} CASCADE" for constraint in constraints]


NO_MOVES = ["DROP TRIGGER moves_balances ON ledger.transfer"]
NO_CLOSE = ["DROP TRIGGER b_closes ON log.leaf"]
NO_OVERDRAFT = without(BALANCE, "ck_balance_overdraft")
NO_MATRIX = without(TRANSFER, "fk_transfer_rule")


def overdraft(name: str, kind: str, *lines: L) -> Attack:
    return Attack(f"overdraw {name}", CHECK, "ck_balance_overdraft", lambda h, s: h.write(kind, *lines), NO_OVERDRAFT)


def write(name: str, sqlstate: str, constraint: str, drops: list[str], kind: str, *lines: L, **more) -> Attack:
    return Attack(name, sqlstate, constraint, lambda h, s: h.write(kind, *lines, **more), drops)


def lie(name: str, said: dict, *lines: L) -> Attack:
    """A true entry, but for what its leaf says."""
    lines = lines or (L("1000", "3100", 5),)
    return Attack(f"a leaf with {name}", CHECK, "leaf_matches_rows",
                  lambda h, s: h.write("investment_income", *lines, said=said), NO_CLOSE)


def resolve(name: str, sqlstate: str, constraint: str, drops: list[str], kind: str, entry: str, line: int,
            phase: str, amount: int, debit: str = "4000/A", credit: str = "5000/G") -> Attack:
    return Attack(name, sqlstate, constraint,
                  lambda h, s: h.write(kind, L(debit, credit, amount, phase, (s[entry], line))), drops)


def reversal(name: str, constraint: str, drops: list[str], entry: str | None, *lines: L, kind="reversal") -> Attack:
    return Attack(name, CHECK, constraint,
                  lambda h, s: h.write(kind, *lines, reverses=None if entry is None else s[entry]), drops)


def _row(h: Hand, seq: int, kind: str, debit: str, credit: str, amount: int) -> tuple:
    return (seq, 1, kind, "single", h.account(debit), CLASSES[debit[:4]], h.account(credit), CLASSES[credit[:4]],
            amount, None, None)


def spend_then_refill_in_one_statement(h, s):
    seq = h.size()
    h.many([_row(h, seq, "area_allocation", "3200", "4000/A", 1_000),
            _row(h, seq + 1, "drawdown", LIMIT, "3200", 500), _row(h, seq + 2, "grant_return", "1000", "3200", 500)])
    for at, kind, line in ((seq, "area_allocation", L("3200", "4000/A", 1_000)),
                           (seq + 1, "drawdown", L(LIMIT, "3200", 500)),
                           (seq + 2, "grant_return", L("1000", "3200", 500))):
        h.entry(at, kind)
        h.leaf(kind, h.said([line]), seq=at)
    h.check()


def refill_before_spending(h, s):
    """Write the later entry's line first, so that the balance never looks overdrawn."""
    seq = h.size()
    h.many([_row(h, seq + 1, "grant_return", "1000", "3200", 1_000)])
    h.many([_row(h, seq, "area_allocation", "3200", "4000/A", 1_200)])


def late_line(h, s):
    h.many([(s["income"], 2, "investment_income", "single", h.account("1000"), "bank", h.account("3100"),
             "unapplied_return", 7, None, None)])


def orphan_line(h, s):
    h.lines(h.size(), "investment_income", [L("1000", "3100", 7)])
    h.check()


def entry_without_leaf(h, s):
    seq = h.size()
    h.lines(seq, "investment_income", [L("1000", "3100", 7)])
    h.entry(seq, "investment_income")
    h.check()


def entry_on_a_public_record(h, s):
    seq = h.leaf("decision", {"record": {}})
    h.entry(seq, "investment_income")


def gap_in_the_log(h, s):
    h.leaf("decision", {"record": {}}, seq=h.size() + 1)


def leaf_with(columns: dict | None = None, raw: bytes | None = None, **said) -> Callable:
    return lambda h, s: h.leaf("decision", {"record": {}, **said}, raw=raw, columns=columns)


def close_period(h, through: date) -> None:
    seq = h.size()
    h.run("INSERT INTO ledger.period_close (seq, closed_through) VALUES (%s, %s)", seq, through)
    h.leaf("period_closed", {"record": {"closed_through": through.isoformat()}}, seq=seq)


def enter_a_closed_period(h, s):
    close_period(h, DAY)
    h.write("investment_income", L("1000", "3100", 5), on=DAY)


def close_an_earlier_period(h, s):
    close_period(h, DAY)
    close_period(h, date(2026, 5, 1))


def limit_in_deficit(h, s):
    h.write("revaluation_loss", L("3090", "1100", 10))
    h.write("spending_rule_set", L("3100", LIMIT, 10))


def second_reversal(h, s):
    h.write("reversal", L("3100", "1000", 100), reverses=(seq := h.write("investment_income", L("1000", "3100", 100))))
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


def stray_kind(h, s):
    """Lines of one kind under an entry of another: what the leaf says is the entry's."""
    seq = h.size()
    h.lines(seq, "dormant_assets_receipt", [L("1000", "3000", 5)])
    h.entry(seq, "investment_income")
    h.leaf("investment_income", h.said([L("1000", "3000", 5)]), seq=seq)


ATTACKS = [
    # Overdrafts of every guarded class, what is reserved counted.
    overdraft("the bank", "trade", L("1100", "1000", 12_000, "pending")),
    overdraft("the bank by what is left beside a reservation", "trade", L("1100", "1000", 11_400, "pending")),
    overdraft("the investments", "trade", L("1000", "1100", 4_001, "pending")),
    overdraft("the reclaim reserve", "reclaim_paid", L("2000", "1000", 501, "pending")),
    overdraft("the reclaim reserve by releasing it", "reclaim_reserve_release", L("2000", "3000", 501)),
    overdraft("a deficit that is not there", "revaluation_gain", L("1100", "3090", 1)),
    overdraft("the return", "spending_rule_set", L("3100", LIMIT, 2_001)),
    overdraft("the return by a loss", "revaluation_loss", L("3100", "1100", 2_001)),
    overdraft("the year's limit", "drawdown", L(LIMIT, "3200", 501)),
    overdraft("what is spendable", "area_allocation", L("3200", "4000/A", 301)),
    overdraft("the running costs beside a reservation", "operating_cost", L(COSTS, "1000", 151)),
    overdraft("an allocation beside a reservation", "grant_offer", L("4000/A", "5000/G", 301, "pending")),
    overdraft("an allocation by two lines", "grant_offer", L("4000/B", "5000/H", 500, "pending"),
              L("4000/B", "5000/H", 401, "pending")),
    overdraft("a grant beside a release", "stage_release", L("5000/G", "1000", 101, "pending")),
    overdraft("a grant by giving it back", "grant_decommitted", L("5000/G", "4000/A", 101)),
    Attack("spend and refill in one statement", CHECK, "ck_balance_overdraft", spend_then_refill_in_one_statement,
           NO_MOVES),
    Attack("write the refill before the spending", CHECK, "entries_in_order", refill_before_spending, NO_MOVES),
    # Permanent capital.
    write("capital by a drawdown", CHECK, "ck_transfer_capital",
          without(TRANSFER, "ck_transfer_capital") + NO_MATRIX, "drawdown", L("3000", "3200", 1)),
    write("capital by a release", CHECK, "ck_transfer_capital",
          without(TRANSFER, "ck_transfer_capital") + NO_MATRIX, "stage_release",
          L("3000", "1000", 1, "pending")),
    write("capital named as another class", FOREIGN, "fk_transfer_debit",
          without(TRANSFER, "fk_transfer_debit"), "drawdown", L("3000", "3200", 1, debit_class="drawdown_limit")),
    reversal("capital by a reversal of nothing", "ck_entry_reversal", without(ENTRY, "ck_entry_reversal"), None,
             L("3000", "1000", 400)),
    reversal("capital by a reversal of another amount", "reversal_mirrors", NO_CLOSE, "receipt", L("3000", "1000", 400),
             L("2000", "1000", 500)),
    reversal("capital by a reversal of half an entry", "reversal_mirrors", NO_CLOSE, "receipt",
             L("3000", "1000", 10_000)),
    reversal("capital by a reversal of an entry that never touched it", "reversal_mirrors", NO_CLOSE, "income",
             L("3000", "1000", 5_000)),
    Attack("a reversal in more lines", CHECK, "reversal_mirrors", reversal_in_more_lines, NO_CLOSE),
    reversal("the reversal of a reservation", "reversal_mirrors", NO_CLOSE + NO_MATRIX, "release",
             L("1000", "5000/G", 200)),
    reversal("an ordinary entry that says it reverses", "ck_entry_reversal", without(ENTRY, "ck_entry_reversal"),
             "income", L("1000", "3100", 5), kind="investment_income"),
    Attack("a second reversal", UNIQUE, "uq_entry_reverses", second_reversal,
           without(ENTRY, "uq_entry_reverses")),
    Attack("the reversal of a reversal", CHECK, "reversal_mirrors", reverse_a_reversal, NO_CLOSE),
    # Lines.
    write("a line to itself", CHECK, "ck_transfer_two_accounts",
          without(TRANSFER, "ck_transfer_two_accounts") + NO_MATRIX, "area_allocation", L("4000/A", "4000/A", 5)),
    write("a line of nothing", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount"),
          "investment_income", L("1000", "3100", 0)),
    write("a negative line", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount"),
          "investment_income", L("1000", "3100", -5)),
    write("a line beyond counting", CHECK, "ck_transfer_amount", without(TRANSFER, "ck_transfer_amount"),
          "investment_income", L("1000", "3100", 10**15 + 1)),
    write("a line numbered nought", CHECK, "ck_transfer_line",
          without(TRANSFER, "ck_transfer_line") + NO_CLOSE, "investment_income", L("1000", "3100", 5, number=-1)),
    Attack("a late line", PERMANENT, "entry_is_open", late_line, NO_MOVES),
    Attack("an orphan line", FOREIGN, "fk_transfer_entry", orphan_line, without(TRANSFER, "fk_transfer_entry")),
    Attack("an entry without a leaf", FOREIGN, "fk_entry_leaf", entry_without_leaf,
           without(ENTRY, "fk_entry_leaf")),
    Attack("an entry on a public record", PERMANENT, "entry_is_open", entry_on_a_public_record,
           ["DROP TRIGGER is_open ON ledger.entry"]),
    Attack("lines of another kind than their entry", CHECK, "leaf_matches_rows", stray_kind, NO_CLOSE),
    write("a gap in the lines", CHECK, "leaf_matches_rows", NO_CLOSE, "investment_income", L("1000", "3100", 5),
          L("1000", "3100", 6, number=3)),
    # The leaf and its rows.
    lie("an amount that is not the row's", {"transfers": [
        {"phase": "single", "debit": "1000", "credit": "3100", "amount": "6"}]}),
    lie("an account that is not the row's", {"transfers": [
        {"phase": "single", "debit": "1000", "credit": "3000", "amount": "5"}]}),
    lie("a phase that is not the row's", {"transfers": [
        {"phase": "pending", "debit": "1000", "credit": "3100", "amount": "5"}]}),
    lie("a line missing", {"transfers": [{"phase": "single", "debit": "1000", "credit": "3100", "amount": "5"}]},
        L("1000", "3100", 5), L("1000", "3100", 6)),
    lie("a line too many", {"transfers": [{"phase": "single", "debit": "1000", "credit": "3100", "amount": "5"}] * 2}),
    lie("its lines in another order", {"transfers": [
        {"phase": "single", "debit": "1000", "credit": "3100", "amount": amount} for amount in ("6", "5")]},
        L("1000", "3100", 5), L("1000", "3100", 6)),
    lie("another day", {"effective_on": "2026-06-02"}),
    lie("a relation that its row has not", {"relates_to": [str(uuid.UUID(int=1))]}),
    lie("a reversal that its row has not", {"reverses": str(uuid.UUID(int=1))}),
    Attack("a leaf of transfers without rows", CHECK, "leaf_matches_rows",
           lambda h, s: h.leaf("investment_income", h.said([L("1000", "3100", 5)])), NO_CLOSE),
    Attack("a public record that carries transfers", CHECK, "leaf_matches_rows",
           lambda h, s: h.leaf("decision", {"record": {}, "transfers": []}), NO_CLOSE),
    Attack("a public record under the name of a payment", CHECK, "leaf_matches_rows",
           lambda h, s: h.leaf("stage_paid", {"record": {}}), NO_CLOSE),
    # The log.
    Attack("a gap in the log", CHECK, "log_sequence", gap_in_the_log, ["DROP TRIGGER a_continues ON log.leaf"]),
    Attack("a place that is taken", UNIQUE, "pk_leaf", lambda h, s: h.leaf("decision", {"record": {}}, seq=3),
           [*without(LEAF, "pk_leaf"), "DROP TRIGGER a_continues ON log.leaf", *NO_CLOSE]),
    Attack("a key that was used", UNIQUE, "uq_leaf_idem_key",
           lambda h, s: [h.leaf("decision", {"record": {}}, key="k") for _ in range(2)],
           without(LEAF, "uq_leaf_idem_key")),
    Attack("a second first leaf", CHECK, "ck_leaf_genesis", lambda h, s: h.leaf("genesis", {"record": {}}),
           without(LEAF, "ck_leaf_genesis")),
    Attack("bytes that are not JSON", CHECK, "ck_leaf_json", leaf_with(raw=b"pay me"),
           [*without(LEAF, "ck_leaf_json"), "DROP TRIGGER a_continues ON log.leaf", *NO_CLOSE]),
    Attack("bytes that say a thing twice", CHECK, "ck_leaf_json", leaf_with(raw=b'{"v":1,"v":1}'),
           [*without(LEAF, "ck_leaf_json"), "DROP TRIGGER a_continues ON log.leaf"]),
    Attack("bytes that say another id", CHECK, "leaf_says_its_columns", leaf_with(id=str(uuid.UUID(int=1))),
           ["DROP TRIGGER a_continues ON log.leaf"]),
    Attack("bytes that say another time", CHECK, "leaf_says_its_columns",
           leaf_with({"recorded_at": datetime(2020, 1, 1, tzinfo=UTC)}), ["DROP TRIGGER a_continues ON log.leaf"]),
    Attack("bytes of another version", CHECK, "leaf_says_its_columns", leaf_with(v=2),
           ["DROP TRIGGER a_continues ON log.leaf"]),
    Attack("more bytes than a bundle can hold", CHECK, "ck_leaf_size", leaf_with(padding="x" * 65_535),
           without(LEAF, "ck_leaf_size")),
    # Reservations.
    resolve("post a reservation twice", UNIQUE, "uq_transfer_pending", ["DROP INDEX ledger.uq_transfer_pending"],
            "grant_agreement", "offer", 1, "post", 300),
    Attack("void after post", UNIQUE, "uq_transfer_pending", void_after_post,
           ["DROP INDEX ledger.uq_transfer_pending"]),
    Attack("post after void", UNIQUE, "uq_transfer_pending", post_after_void,
           ["DROP INDEX ledger.uq_transfer_pending", *without(BALANCE, "ck_balance_debits_pending",
                                                             "ck_balance_credits_pending")]),
    resolve("post more than was reserved", CHECK, "reservation_resolves", NO_MOVES, "grant_agreement", "offer", 2,
            "post", 401),
    resolve("void less than was reserved", CHECK, "reservation_resolves", NO_MOVES, "grant_offer_lapsed", "offer", 2,
            "void", 399),
    resolve("post a reservation to another grant", CHECK, "reservation_resolves", NO_MOVES, "grant_agreement", "offer",
            2, "post", 400, credit="5000/H"),
    resolve("post a reservation from another place", CHECK, "reservation_resolves", NO_MOVES, "grant_agreement",
            "offer", 2, "post", 400, debit="4000/B"),
    resolve("post a panel member's pay as a running cost", CHECK, "reservation_resolves", NO_MOVES, "operating_cost",
            "pay", 1, "post", 50, COSTS, "1000"),
    resolve("resolve what was no reservation", CHECK, "reservation_resolves", NO_MOVES, "grant_agreement", "agreement",
            1, "post", 300),
    resolve("resolve a line that is not there", FOREIGN, "fk_transfer_pending",
            [*without(TRANSFER, "fk_transfer_pending"), *NO_MOVES], "grant_agreement", "offer", 9, "post", 1),
    write("post without a reservation", CHECK, "ck_transfer_resolves",
          [*without(TRANSFER, "ck_transfer_resolves"), *NO_MOVES], "grant_agreement",
          L("4000/A", "5000/G", 5, "post")),
    # Accounts and the matrix.
    Attack("an account without a guard", FOREIGN, "fk_account_class", lambda h, s: h.open("4000/C", guard="none"),
           without(ACCOUNT, "fk_account_class") + NO_OVERDRAFT),
    Attack("an account with the other guard", FOREIGN, "fk_account_class",
           lambda h, s: h.open("4000/C", guard="credits<=debits"), without(ACCOUNT, "fk_account_class")),
    Attack("a second bank under a grant's number", FOREIGN, "fk_account_class",
           lambda h, s: h.open("5000/C", account_class="bank"), without(ACCOUNT, "fk_account_class")),
    Attack("an account that its leaf calls another", CHECK, "leaf_matches_rows",
           lambda h, s: h.open("4000/C", record={"class": "grant"}), NO_CLOSE),
    Attack("an account without a leaf", FOREIGN, "fk_account_leaf",
           lambda h, s: [h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                               "('4000/C', 'C', 'allocation', 'debits<=credits', %s)", h.size()), h.check()],
           without(ACCOUNT, "fk_account_leaf")),
    Attack("an account opened by an old leaf", PERMANENT, "entry_is_open",
           lambda h, s: h.run("INSERT INTO ledger.account (code, name, class, guard, opened_seq) VALUES "
                              "('4000/C', 'C', 'allocation', 'debits<=credits', %s)", s["income"]),
           ["DROP TRIGGER is_opened ON ledger.account"]),
    Attack("a leaf that opens no account", CHECK, "leaf_matches_rows",
           lambda h, s: h.leaf("account_opened", {"record": {"code": "4000/C"}}), NO_CLOSE),
    write("pay from an allocation", FOREIGN, "fk_transfer_rule", NO_MATRIX, "stage_release",
          L("4000/A", "1000", 5, "pending")),
    write("pay a running cost from what is spendable", FOREIGN, "fk_transfer_rule", NO_MATRIX, "operating_cost",
          L("3200", "1000", 5)),
    write("give a grant without an offer", FOREIGN, "fk_transfer_rule", NO_MATRIX, "grant_offer",
          L("4000/A", "5000/G", 5)),
    write("a kind that nobody published", FOREIGN, "fk_transfer_rule", NO_MATRIX, "present", L("4000/A", "5000/G", 5)),
    # Days.
    Attack("an entry in a closed period", CHECK, "period_is_open", enter_a_closed_period,
           ["DROP TRIGGER is_open ON ledger.entry"]),
    Attack("a period closed before the last one", CHECK, "period_is_open", close_an_earlier_period,
           ["DROP TRIGGER is_later ON ledger.period_close"]),
    Attack("a period closed without saying so", CHECK, "leaf_matches_rows",
           lambda h, s: [h.run("INSERT INTO ledger.period_close VALUES (%s, '2026-01-01')", h.size()),
                         h.leaf("decision", {"record": {}})], NO_CLOSE),
    write("a day that never ends", CHECK, "ck_entry_effective_on", without(ENTRY, "ck_entry_effective_on"),
          "investment_income", L("1000", "3100", 5), on=date(9999, 12, 31)),
    Attack("a limit while the endowment is below its capital", CHECK, "no_limit_in_deficit", limit_in_deficit,
           NO_MOVES),
    write("a relation to nothing", FOREIGN, "relates_to_a_leaf", ["DROP TRIGGER is_open ON ledger.entry"],
          "investment_income", L("1000", "3100", 5), relates_to=[uuid.UUID(int=1)]),
]


@pytest.fixture(scope="module")
def fund(server, database):
    """A hand with the application's rights, and the scene set once in a transaction that is rolled back."""
    with psycopg.connect(postgres.superuser_url(server, database)) as connection:
        connection.execute("SET ROLE fund_app")
        yield Hand(connection), scene(Hand(connection))
        connection.rollback()


@pytest.fixture
def hand(fund):
    """The hand, in a savepoint that takes back whatever the test does."""
    with fund[0].connection.transaction(force_rollback=True):
        yield fund[0]


@pytest.fixture
def stage(fund):
    return fund[1]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda a: re.sub(r"\W+", "-", a.name))
def test_an_attack_is_refused_by_its_constraint(hand, stage, attack):
    with pytest.raises(psycopg.Error) as refused:
        attack.run(hand, stage)
    assert (refused.value.sqlstate, refused.value.diag.constraint_name) == (attack.sqlstate, attack.constraint)


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.drops], ids=lambda a: re.sub(r"\W+", "-", a.name))
def test_without_its_constraint_the_attack_goes_through(hand, stage, attack):
    hand.run("RESET ROLE")
    for drop in attack.drops:
        hand.run(drop)
    hand.run("SET ROLE fund_app")
    attack.run(hand, stage)


def test_the_scene_is_a_true_ledger(hand, stage):
    """The attacks start from entries that are written just as theirs are, and stand."""
    assert hand.size() == 15 + len(stage)
    assert hand.balance("3000") == 10_000
