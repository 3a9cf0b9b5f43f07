"""Balances: now, as recorded, and as effective. The last two are two questions, and have two names."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from fund.db import session
from fund.kernel.errors import NotFound
from fund.ledger.models import Account, AccountClass, BalanceRow, BalanceSnapshot, Entry, Transfer
from fund.ledger.rules import DEBIT_NORMAL, Phase


@dataclass(frozen=True, slots=True)
class Balance:
    """An account and its four counters, in pence. They are never netted where they are kept."""

    code: str
    name: str
    class_: str
    debits_posted_pence: int = 0
    credits_posted_pence: int = 0
    debits_pending_pence: int = 0
    credits_pending_pence: int = 0

    @property
    def posted_pence(self) -> int:
        """What stands on the account, seen from the side on which it grows."""
        net = self.credits_posted_pence - self.debits_posted_pence
        return -net if self.class_ in DEBIT_NORMAL else net

    @property
    def reserved_pence(self) -> int:
        """What is set aside to leave the account."""
        return self.credits_pending_pence if self.class_ in DEBIT_NORMAL else self.debits_pending_pence

    @property
    def incoming_pence(self) -> int:
        """What is set aside elsewhere to come to the account."""
        return self.debits_pending_pence if self.class_ in DEBIT_NORMAL else self.credits_pending_pence

    @property
    def available_pence(self) -> int:
        """What may still leave the account. Never below nothing: the database refuses it (`ck_balance_overdraft`)."""
        return self.posted_pence - self.reserved_pence


_BALANCE = sa.select(Account.code, Account.name, Account.class_, BalanceRow.debits_posted_pence,
                     BalanceRow.credits_posted_pence, BalanceRow.debits_pending_pence,
                     BalanceRow.credits_pending_pence).join(BalanceRow, BalanceRow.account_id == Account.id)


_BALANCE_OF = _BALANCE.where(Account.code == sa.bindparam("code"))


def balance_of(code: str) -> Balance:
    """The balance of an account now. Raises NotFound."""
    row = session.execute(_BALANCE_OF, {"code": code}).one_or_none()
    if row is None:
        raise NotFound(f"no account {code}")
    return Balance(*row)


def available_pence(code: str) -> int:
    """What may still leave an account; nothing for one that is not open yet."""
    row = session.execute(_BALANCE_OF, {"code": code}).one_or_none()
    return 0 if row is None else Balance(*row).available_pence


_BALANCES = _BALANCE.where(
    Account.code == sa.any_(sa.bindparam("codes", type_=sa.ARRAY(sa.Text)))).order_by(Account.code)


def balances(codes: Iterable[str]) -> dict[str, Balance]:
    """The balances of the accounts that are open among `codes`, by code, in the order of the codes."""
    rows = session.execute(_BALANCES, {"codes": list(codes)})
    return {row.code: Balance(*row) for row in rows}


def all_balances() -> list[Balance]:
    """Every account with its balance, by code."""
    return [Balance(*row) for row in session.execute(_BALANCE.order_by(Account.code))]


def balance_as_recorded(code: str, seq: int) -> Balance:
    """The balance as the ledger knew it once entry `seq` was recorded: the auditor's question.

    Counted up from the last snapshot before it, so that it costs the same however long the ledger is.
    """
    return _summed(code, Transfer.entry_seq <= seq, seq)


def balance_as_effective(code: str, on: date) -> Balance:
    """The balance of all that counts up to and on a day, whenever it was recorded: the accountant's question."""
    return _summed(code, Entry.effective_on <= on)


_SNAPSHOT = sa.select(BalanceSnapshot.through_seq, BalanceSnapshot.debits_posted_pence,
                      BalanceSnapshot.credits_posted_pence, BalanceSnapshot.debits_pending_pence,
                      BalanceSnapshot.credits_pending_pence).order_by(BalanceSnapshot.through_seq.desc()).limit(1)


def _summed(code: str, which: sa.ColumnElement[bool], seq: int = -1) -> Balance:
    """The sums of the lines; all of those up to the last snapshot at or before `seq` are taken from it."""
    account = session.execute(sa.select(Account.id, Account.code, Account.name, Account.class_)
                              .where(Account.code == code)).one_or_none()
    if account is None:
        raise NotFound(f"no account {code}")
    found = None if seq < 0 else session.execute(_SNAPSHOT.where(
        BalanceSnapshot.account_id == account.id, BalanceSnapshot.through_seq <= seq)).one_or_none()
    through, *kept = (-1, 0, 0, 0, 0) if found is None else found
    reserved = sa.orm.aliased(Transfer)
    posted = sa.case((Transfer.phase.in_([Phase.SINGLE, Phase.POST]), Transfer.amount_pence), else_=0)
    pending = sa.case((Transfer.phase == Phase.PENDING, Transfer.amount_pence),
                      (Transfer.phase == Phase.SINGLE, 0), else_=-reserved.amount_pence)

    def of(side: sa.orm.InstrumentedAttribute[int]) -> tuple[int, int]:
        row = session.execute(
            sa.select(sa.func.coalesce(sa.func.sum(posted), 0), sa.func.coalesce(sa.func.sum(pending), 0))
            .select_from(Transfer).join(Entry, Entry.seq == Transfer.entry_seq)
            .outerjoin(reserved, sa.and_(reserved.entry_seq == Transfer.pending_seq,
                                         reserved.line == Transfer.pending_line))
            .where(side == account.id, which, Transfer.entry_seq > through)).one()
        return int(row[0]), int(row[1])

    (debits, debits_pending), (credits, credits_pending) = of(Transfer.debit_id), of(Transfer.credit_id)
    sums = [old + new for old, new in zip(kept, (debits, credits, debits_pending, credits_pending), strict=True)]
    return Balance(account.code, account.name, account.class_, *sums)


@dataclass(frozen=True, slots=True)
class ClassSum:
    """All accounts of one class together. `side` is asset, liability or fund."""

    class_: str
    side: str
    many: bool
    accounts: int
    posted_pence: int
    reserved_pence: int

    @property
    def sign(self) -> int:
        """-1 for the one class that counts against the funds."""
        return -1 if self.class_ == "deficit" else 1


def class_sums() -> list[ClassSum]:
    """What stands on each class of account, in the order of their codes: assets, liabilities and funds."""
    debits, credits = sa.func.sum(BalanceRow.debits_posted_pence), sa.func.sum(BalanceRow.credits_posted_pence)
    rows = session.execute(
        sa.select(AccountClass.class_, AccountClass.side, AccountClass.many, sa.func.count(Account.id),
                  sa.func.coalesce(debits, 0), sa.func.coalesce(credits, 0),
                  sa.func.coalesce(sa.func.sum(BalanceRow.debits_pending_pence), 0),
                  sa.func.coalesce(sa.func.sum(BalanceRow.credits_pending_pence), 0))
        .outerjoin(Account, Account.class_ == AccountClass.class_)
        .outerjoin(BalanceRow, BalanceRow.account_id == Account.id)
        .group_by(AccountClass.class_, AccountClass.side, AccountClass.many, AccountClass.prefix)
        .order_by(AccountClass.prefix)).all()
    sums = []
    for name, side, many, count, debited, credited, debits_pending, credits_pending in rows:
        grows_by_debit = name in DEBIT_NORMAL
        sums.append(ClassSum(name, side, many, count,
                             int(debited - credited) if grows_by_debit else int(credited - debited),
                             int(credits_pending if grows_by_debit else debits_pending)))
    return sums


def accounts_of_class(account_class: str, *, after: str = "", most: int = 50) -> list[Balance]:
    """The accounts of a class with their balances, by code, from after one."""
    return [Balance(*row) for row in session.execute(
        _BALANCE.where(Account.class_ == account_class, Account.code > after).order_by(Account.code).limit(most))]


def earlier_accounts(account_class: str, last: str, most: int) -> tuple[bool, str | None]:
    """Whether a class has any account up to this code; and the code after which the last `most` of them stand, or none
    where there are no more than that."""
    codes = session.scalars(sa.select(Account.code).where(Account.class_ == account_class, Account.code <= last)
                            .order_by(Account.code.desc()).limit(most + 1)).all()
    return bool(codes), codes[most] if len(codes) > most else None


@dataclass(slots=True)
class _Flows:
    """Sums up to an entry, kept by this process. The entries never change, so only newer ones are ever added."""

    seq: int = -1
    leaf_id: uuid.UUID | None = None
    pence: dict[tuple[str, str], int] = field(default_factory=dict)


_flows = _Flows()
_HEAD = sa.text("SELECT (SELECT max(seq) FROM ledger.entry), (SELECT id FROM log.leaf WHERE seq = :seq)")


def flows() -> dict[tuple[str, str], int]:
    """How much ever moved, by (kind, phase); what a reversal put right is taken off the kind that was wrong."""
    global _flows
    known = _flows
    last, leaf_id = session.execute(_HEAD, {"seq": known.seq}).one()
    if leaf_id is None or leaf_id != known.leaf_id:  # another database, or a test that rolled back
        known = _Flows()
    if last is None or last == known.seq:
        return known.pence
    wrong = sa.orm.aliased(Entry)
    rows = session.execute(
        sa.select(sa.func.coalesce(wrong.kind, Transfer.kind), Transfer.phase,
                  sa.func.sum(sa.case((wrong.kind.is_(None), Transfer.amount_pence), else_=-Transfer.amount_pence)))
        .join(Entry, Entry.seq == Transfer.entry_seq).outerjoin(wrong, wrong.seq == Entry.reverses)
        .where(Transfer.entry_seq > known.seq, Transfer.entry_seq <= last)
        .group_by(sa.func.coalesce(wrong.kind, Transfer.kind), Transfer.phase))
    pence = dict(known.pence)
    for kind, phase, amount in rows:
        pence[kind, phase] = pence.get((kind, phase), 0) + int(amount)
    _flows = _Flows(last, _leaf_id(last), pence)
    return pence


#: The way of a pound, from capital to payment: (name, the kinds and phases that are summed, and those taken off).
STEPS: tuple[tuple[str, set[tuple[str, str]], set[tuple[str, str]]], ...] = (
    ("capital", {("dormant_assets_receipt", "single"), ("reclaim_reserve_release", "single")}, set()),
    ("earned", {("investment_income", "single"), ("bank_interest", "single"), ("revaluation_gain", "single")},
     {("revaluation_loss", "single")}),
    ("let_out", {("drawdown", "single")}, set()),
    ("set_aside", {("area_allocation", "single")}, set()),
    ("promised", {("grant_agreement", "post")}, {("grant_decommitted", "single")}),
    ("paid", {("stage_paid", "post"), ("host_contribution", "post")}, {("payment_returned", "single")}),
)


def steps_of_a_pound() -> tuple[tuple[str, int], ...]:
    """How much ever came to each step from capital to payment, in pence, by name."""
    moved = flows()
    return tuple((name, sum(moved.get(key, 0) for key in plus) - sum(moved.get(key, 0) for key in minus))
                 for name, plus, minus in STEPS)


def _leaf_id(seq: int) -> uuid.UUID | None:
    return session.execute(sa.text("SELECT id FROM log.leaf WHERE seq = :seq"), {"seq": seq}).scalar_one_or_none()


def largest_allocations(*, most: int) -> list[Balance]:
    """The allocations of places to which most was ever set aside, the largest first."""
    return [Balance(*row) for row in session.execute(
        _BALANCE.where(Account.class_ == "allocation").order_by(BalanceRow.credits_posted_pence.desc(), Account.code)
        .limit(most))]


def allocated_pence() -> int:
    """What ever came to all the allocations of places together."""
    return int(session.execute(
        sa.select(sa.func.coalesce(sa.func.sum(BalanceRow.credits_posted_pence), 0))
        .join(Account, Account.id == BalanceRow.account_id).where(Account.class_ == "allocation")).scalar_one())
