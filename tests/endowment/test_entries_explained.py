"""No entry of the endowment without the row that explains it, and no row beside another entry than it says: each attack
by somebody with the application's password is refused when the transaction ends, and goes through without the guard."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

import psycopg
import pytest

from fund.embedded import postgres
from fund.endowment.queries.check import KINDS
from tests.make.beside import a_trustee
from tests.make.ledger_sql import DAY, Hand, L, on_stage

LIMIT, COSTS = "3150/2026-27", "3250/2026-27"
#: What other parts post: it is explained by rows of theirs, or by nobody's.
OF_OTHER_PARTS = {
    "area_allocation", "grant_offer", "grant_agreement", "grant_offer_lapsed", "stage_release", "stage_paid",
    "payment_failed", "payment_returned", "host_contribution", "grant_return", "grant_decommitted", "operating_cost",
    "participation_payment", "reversal"}
ENTRY = "endowment_entry_explained ON ledger.entry"
TABLES = ("tranche", "endowment_return", "spending_limit", "drawdown", "running_cost_budget", "holding_trade",
          "holding_trade_end", "reclaim_payment", "reclaim_payment_end", "reserve_change_approval")


@pytest.fixture(scope="module")
def acted(server, database):
    """The scene, and the limit of a second year."""
    with on_stage(postgres.superuser_url(server, database)) as (hand, stage):
        hand.open("3150/2027-28")
        hand.open("3250/2027-28")
        hand.write("spending_rule_set", L("3100", "3150/2027-28", 100), on=DAY.replace(year=2027))
        yield hand, stage


@dataclass(frozen=True)
class Attack:
    name: str
    run: Callable[[Hand, dict[str, int]], object]
    guards: list[str]  # each refuses it once those before it are gone; without all of them it goes through


def alone(name: str, kind: str, *lines: L, **more) -> Attack:
    """An entry that the posting matrix and the balances allow, and nothing else in the transaction."""
    return Attack(name, lambda h, s: h.write(kind, *lines, alone=True, **more), [ENTRY])


def row(h: Hand, table: str, entry: uuid.UUID, **columns) -> uuid.UUID:
    """A row as the action would write it, but for these columns; gives its id."""
    id_ = uuid.uuid4()
    usual = {
        "tranche": {"id": id_, "sender": "S", "reference": "R", "scheme": "banks", "amount_pence": 5,
                    "reclaim_pence": 0, "received_on": DAY, "document_sha256": b"x" * 32},
        "endowment_return": {"id": id_, "kind": "investment_income", "amount_pence": 5, "earned_on": DAY,
                             "source": "S", "reference": "R"},
        "drawdown": {"id": id_, "financial_year": "2026-27", "amount_pence": 5, "drawn_on": DAY, "reference": "R"},
        "running_cost_budget": {"id": id_, "financial_year": "2026-27", "amount_pence": 5, "set_on": DAY,
                                "reference": "R"},
        "holding_trade": {"id": id_, "holding_id": h.one("SELECT id FROM holding WHERE name = 'Test'"), "is_buy": True,
                          "amount_pence": 5, "agreed_on": DAY, "reference": "R"},
        "holding_trade_end": {"is_settled": True, "ended_on": DAY},
        "reclaim_payment": {"id": id_, "reference": "R", "amount_pence": 5, "agreed_on": DAY},
        "reclaim_payment_end": {"is_paid": True, "ended_on": DAY},
    }[table] | {"entry_id": entry} | columns
    h.run(f"INSERT INTO {table} ({', '.join(usual)}) VALUES ({', '.join(['%s'] * len(usual))})", *usual.values())
    return id_


def other(name: str, table: str, columns: dict, kind: str, *lines: L, **more) -> Attack:
    """A row, and beside it an entry that says something else."""
    def run(h: Hand, s: dict[str, int]) -> None:
        entry = uuid.uuid4()
        row(h, table, entry, **columns)
        h.write(kind, *lines, said={"id": str(entry)}, alone=True, **more)
    return Attack(name, run, [f"row_says_its_entry ON {table}", ENTRY])


def names(name: str, table: str, of: Callable[[Hand, dict[str, int]], object], **columns) -> Attack:
    """A row beside no entry of its own: it names a leaf that stands already."""
    def run(h: Hand, s: dict[str, int]) -> None:
        row(h, table, of(h, s), **columns)
        h.check()
    return Attack(name, run, [f"row_says_its_entry ON {table}"])


def end(name: str, table: str, columns: dict, phase: str, amount: int, *, of_another: bool = False) -> Attack:
    """A purchase of 5, or a payment to an owner, that ends in another way than its row says."""
    kind, debit, begun, reference = {
        "holding_trade_end": ("trade", "1100", "holding_trade", "trade_id"),
        "reclaim_payment_end": ("reclaim_paid", "2000", "reclaim_payment", "payment_id")}[table]

    def run(h: Hand, s: dict[str, int]) -> None:
        pending = [h.write(kind, L(debit, "1000", 5, "pending")) for _ in range(2)]
        entry, whose = uuid.uuid4(), h.id_of(pending[0])
        row(h, table, entry, **{reference: h.one(f"SELECT id FROM {begun} WHERE entry_id = %s", whose), **columns})
        h.write(kind, L(debit, "1000", amount, phase, (pending[of_another], 1)), said={"id": str(entry)}, alone=True)
    return Attack(name, run, [f"row_says_its_entry ON {table}", ENTRY])


def end_alone(kind: str, debit: str, phase: str) -> Attack:
    def run(h: Hand, s: dict[str, int]) -> None:
        pending = h.write(kind, L(debit, "1000", 5, "pending"))
        h.write(kind, L(debit, "1000", 5, phase, (pending, 1)), alone=True)
    return Attack(f"{kind} ended ({phase}) by nobody", run, [ENTRY])


def made_good(name: str, *entries: tuple[int, int, int], income: int = 5) -> Attack:
    """A loss into the deficit and one income; then so much (pence, day of June, whether it names the income) of it."""
    def run(h: Hand, s: dict[str, int]) -> None:
        h.write("revaluation_loss", L("3100", "1100", h.balance("3100")), L("3090", "1100", 50))
        h.write("bank_interest", L("1000", "3100", 100))
        earned = h.id_of(h.write("investment_income", L("1000", "3100", income)))
        for pence, day, named in entries:
            h.write("deficit_made_good", L("3100", "3090", pence), on=DAY.replace(day=day),
                    relates_to=[earned] if named else [])
    return Attack(name, run, [ENTRY])


def gain_without_valuation(h: Hand, s: dict[str, int]) -> None:
    entry = uuid.uuid4()
    row(h, "endowment_return", entry, kind="revaluation_gain")
    h.write("revaluation_gain", L("1100", "3100", 5), said={"id": str(entry)}, alone=True)


def entry_of(name: str) -> Callable[[Hand, dict[str, int]], object]:
    return lambda h, s: h.id_of(s[name])


ATTACKS = [
    # An entry, and no row.
    alone("a tranche that nobody received", "dormant_assets_receipt", L("1000", "3000", 5)),
    alone("income that nobody recorded", "investment_income", L("1000", "3100", 5)),
    alone("interest that nobody recorded", "bank_interest", L("1000", "3100", 5)),
    alone("a gain that nobody valued", "revaluation_gain", L("1100", "3100", 5)),
    alone("a loss that nobody valued", "revaluation_loss", L("3100", "1100", 5)),
    alone("a limit that nobody worked out", "spending_rule_set", L("3100", LIMIT, 5)),
    alone("a drawdown that nobody made", "drawdown", L(LIMIT, "3200", 5)),
    alone("a budget that nobody set", "operating_budget", L("3200", COSTS, 5)),
    alone("a purchase that nobody agreed", "trade", L("1100", "1000", 5, "pending")),
    alone("a sale that nobody agreed", "trade", L("1000", "1100", 5, "pending")),
    alone("an owner paid by nobody", "reclaim_paid", L("2000", "1000", 5, "pending")),
    alone("a reserve topped up by nobody", "reclaim_reserve_top_up", L("3100", "2000", 5)),
    alone("a reserve released by nobody", "reclaim_reserve_release", L("2000", "3000", 5)),
    *(end_alone(kind, debit, phase) for kind, debit in (("trade", "1100"), ("reclaim_paid", "2000"))
      for phase in ("post", "void")),
    made_good("a deficit made good out of nothing", (5, 1, False)),
    made_good("a deficit made good by more than came in", (6, 1, True)),
    made_good("a deficit made good on another day", (5, 2, True)),
    made_good("a deficit made good twice by one income", (2, 1, True), (2, 1, True)),
    # A row, and an entry of another amount, kind, day, year, account or phase.
    other("less received than the row says", "tranche", {}, "dormant_assets_receipt", L("1000", "3000", 4)),
    other("more set by than the row says", "tranche", {}, "dormant_assets_receipt", L("1000", "3000", 3),
          L("1000", "2000", 2)),
    other("received on another day", "tranche", {}, "dormant_assets_receipt", L("1000", "3000", 5),
          on=DAY.replace(day=2)),
    other("received as income", "tranche", {}, "investment_income", L("1000", "3100", 5)),
    other("interest recorded as income", "endowment_return", {}, "bank_interest", L("1000", "3100", 5)),
    other("more income than the row says", "endowment_return", {}, "investment_income", L("1000", "3100", 6)),
    other("income in two lines", "endowment_return", {}, "investment_income", L("1000", "3100", 3),
          L("1000", "3100", 3)),
    other("income on another day", "endowment_return", {}, "investment_income", L("1000", "3100", 5),
          on=DAY.replace(day=2)),
    other("a drawdown of another year", "drawdown", {"financial_year": "2027-28"}, "drawdown", L(LIMIT, "3200", 5)),
    other("a drawdown of another amount", "drawdown", {}, "drawdown", L(LIMIT, "3200", 6)),
    other("a drawdown on another day", "drawdown", {}, "drawdown", L(LIMIT, "3200", 5), on=DAY.replace(day=2)),
    replace(other("a drawdown that allocates", "drawdown", {}, "area_allocation", L("3200", "4000/A", 5)),
            guards=["row_says_its_entry ON drawdown"]),
    other("a budget of another year", "running_cost_budget", {}, "operating_budget", L("3200", "3250/2027-28", 5)),
    other("a budget of another amount", "running_cost_budget", {}, "operating_budget", L("3200", COSTS, 6)),
    other("a purchase that sells", "holding_trade", {}, "trade", L("1000", "1100", 5, "pending")),
    other("a purchase of more", "holding_trade", {}, "trade", L("1100", "1000", 6, "pending")),
    other("a payment to an owner of more", "reclaim_payment", {}, "reclaim_paid", L("2000", "1000", 6, "pending")),
    end("a purchase settled in part", "holding_trade_end", {}, "post", 4),
    end("a purchase settled that is called off", "holding_trade_end", {}, "void", 5),
    end("a purchase settled on another day", "holding_trade_end", {"ended_on": DAY.replace(day=2)}, "post", 5),
    end("a purchase settled by another's money", "holding_trade_end", {}, "post", 5, of_another=True),
    end("an owner paid in part", "reclaim_payment_end", {}, "post", 4),
    end("an owner's payment called off that is paid", "reclaim_payment_end", {"is_paid": False}, "post", 5),
    end("an owner paid by another's money", "reclaim_payment_end", {}, "post", 5, of_another=True),
    # A row that names what stands already.
    names("a row that names the first leaf", "drawdown", lambda h, s: h.id_of(0)),
    names("a row that names an account's opening", "endowment_return", lambda h, s: h.id_of(1)),
    names("a tranche that names an income", "tranche", entry_of("income"), amount_pence=5_000),
    names("an income that names a tranche", "endowment_return", entry_of("receipt"), amount_pence=10_500),
    names("a budget that names an offer", "running_cost_budget", entry_of("offer_b"), amount_pence=100),
    names("a budget that names a pay", "running_cost_budget", entry_of("pay"), amount_pence=50),
    names("a purchase that names its settlement", "holding_trade", entry_of("bought"), amount_pence=4_000),
    names("a payment to an owner that names a pay", "reclaim_payment", entry_of("pay"), amount_pence=50),
    # A gain of no valuation.
    Attack("a gain with a row and without a valuation", gain_without_valuation,
           ["change_of_value_valued ON endowment_return"]),
]


def ids(attack: Attack) -> str:
    return re.sub(r"\W+", "-", attack.name)


@pytest.mark.parametrize("attack", ATTACKS, ids=ids)
def test_it_is_refused_at_the_end_by_each_guard_and_goes_through_without_them(hand, stage, attack):
    for guard in attack.guards:
        with pytest.raises(psycopg.Error) as refused, hand.connection.transaction():
            attack.run(hand, stage)
        assert (refused.value.sqlstate, refused.value.diag.constraint_name) == ("23514", guard.split(" ")[0])
        hand.run("RESET ROLE")
        hand.run(f"DROP TRIGGER {guard}")
        hand.run("SET ROLE fund_app")
    attack.run(hand, stage)


def test_an_approval_of_another_day_or_kind_is_refused(hand, stage):
    """A change of the reserve has no day of its own but that of its approval."""
    for kind, debit, credit, day in (("top_up", "3100", "2000", "2026-06-02 09:00 Europe/London"),
                                     ("release", "2000", "3000", "2026-06-01 00:30 Europe/London"),
                                     ("release", "2000", "3000", "2026-06-01 23:59 Europe/London")):
        one, two = a_trustee(hand.connection), a_trustee(hand.connection)
        entry, change = uuid.uuid4(), uuid.uuid4()
        hand.run("INSERT INTO reserve_change (id, kind, amount_pence, proposed_by) VALUES (%s, %s, 5, %s)",
                 change, kind, one)
        hand.run("INSERT INTO reserve_change_approval (change_id, approved_by, entry_id, approved_at) "
                 "VALUES (%s, %s, %s, %s)", change, two, entry, day)
        if kind == "release":
            hand.write(f"reclaim_reserve_{kind}", L(debit, credit, 5), said={"id": str(entry)}, alone=True)
            continue
        with pytest.raises(psycopg.Error) as refused, hand.connection.transaction():
            hand.write(f"reclaim_reserve_{kind}", L(debit, credit, 5), said={"id": str(entry)}, alone=True)
        assert refused.value.diag.constraint_name == "row_says_its_entry"
        hand.run("SET CONSTRAINTS ALL DEFERRED")
        hand.write(f"reclaim_reserve_{kind}", L(debit, credit, 5), said={"id": str(entry)}, alone=True,
                   on=DAY.replace(day=2))


def test_the_application_cannot_put_it_off_or_call_it_by_hand(hand):
    """It can only ask earlier; and a transaction that asked earlier is asked again for what comes after."""
    for statement in ("SELECT public.endowment_explained()", "ALTER TABLE ledger.entry DISABLE TRIGGER USER",
                      "DROP TRIGGER endowment_entry_explained ON ledger.entry"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), hand.connection.transaction():
            hand.run(statement)
    hand.run("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(psycopg.errors.CheckViolation):
        hand.write("investment_income", L("1000", "3100", 5), alone=True)


def test_every_kind_is_explained_or_another_parts(hand):
    """A new kind of entry has to be put on one side or the other; and no other kind waits for the transaction's end."""
    definition = hand.one("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'endowment_entry_explained'")
    asked = set(re.findall(r"'(\w+)'::text", definition))
    assert asked == KINDS | {"deficit_made_good"}
    kinds = {kind for (kind,) in hand.run("SELECT DISTINCT kind FROM ledger.posting_rule ORDER BY 1").fetchall()}
    assert kinds == asked | OF_OTHER_PARTS
    assert asked.isdisjoint(OF_OTHER_PARTS)


def test_every_table_that_names_an_entry_of_the_endowment_is_looked_at(hand):
    found = hand.run("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'row_says_its_entry' AND "
                     "tgfoid = 'endowment_explained'::regproc AND tgenabled = 'O' AND tgdeferrable "
                     "ORDER BY 1").fetchall()
    assert {table for (table,) in found} == set(TABLES)
    from fund.endowment import models  # every table of the part that has the column
    assert {one.__tablename__ for one in vars(models).values()
            if "entry_id" in getattr(getattr(one, "__table__", None), "columns", ())} == set(TABLES)
