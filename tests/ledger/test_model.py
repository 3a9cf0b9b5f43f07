"""A state machine posts whatever comes, right or wrong, singly or in batches; an auditor says first what happens."""

import uuid
from datetime import date

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from fund.db import session
from fund.kernel.errors import BadInput, Refused, Stale
from fund.ledger import actions
from fund.ledger.queries.fsck import check_everything
from fund.ledger.rules import Line, Phase
from tests.ledger.auditor import KINDS, RESERVED, SINGLE, Auditor, Move, Request
from tests.make.ledger import make_decision

DAYS = [date(2025, 3, 29), date(2025, 3, 30), date(2025, 3, 31), date(2025, 4, 5), date(2025, 10, 26)]
PLACES = ["4000/A", "4000/B"]
CODES = ["1000", "1100", "2000", "3000", "3090", "3100", "3150/2026-27", "3200", "3250/2026-27", *PLACES, "5000/G",
         "5000/H"]
OF_CLASS = {"bank": ["1000"], "investments": ["1100"], "reclaim": ["2000"], "capital": ["3000"], "deficit": ["3090"],
            "return": ["3100"], "limit": ["3150/2026-27"], "spendable": ["3200"], "costs": ["3250/2026-27"],
            "allocation": PLACES, "grant": ["5000/G", "5000/H"]}
BEGINNING = [("dormant_assets_receipt", "1000", "3000", 300), ("dormant_assets_receipt", "1000", "2000", 40),
             ("investment_income", "1000", "3100", 200), ("spending_rule_set", "3100", "3150/2026-27", 150),
             ("drawdown", "3150/2026-27", "3200", 120), ("area_allocation", "3200", "4000/A", 60),
             ("operating_budget", "3200", "3250/2026-27", 20)]
WAYS = sorted([(kind, "single", way) for kind, ways in SINGLE.items() for way in ways]
              + [(kind, "pending", way) for kind, (ways, _p, _v) in RESERVED.items() for way in ways])
amounts = st.integers(1, 60)
odd_amounts = st.sampled_from([0, -5, 10**15 + 1, 2**63, 1, 7])
days = st.sampled_from(DAYS)


class Ledger(RuleBasedStateMachine):
    """The fund's ledger beside the auditor's books, in one transaction that is rolled back."""

    def __init__(self) -> None:
        super().__init__()
        session.rollback()
        self.auditor, self.stood, self.numbers, self.closes = Auditor(), 0, iter(range(10**9)), set[date]()
        for code in CODES:
            actions.open_account(code, name=code)
            self.auditor.open(code)
        for kind, debit, credit, amount in BEGINNING:
            self.send([self.request(kind, [Move("single", debit, credit, amount)], DAYS[0])])
        assert self.stood == len(BEGINNING)

    def request(self, kind, moves, on, **more) -> Request:
        number = next(self.numbers)  # ids that are the same in every run, so that a failure can be run again
        return Request(f"k{number}", str(uuid.UUID(int=10**6 + number, version=4)), kind, tuple(moves), on, **more)

    def send(self, requests: list[Request]) -> None:
        """Post them in one call, and see that what happens is what the auditor says."""
        books, wrong = self.auditor.try_all(requests)
        size = session.scalar(sa.text("SELECT size FROM log.log_head"))
        named, posted = None, []
        try:
            with session.begin_nested():
                posted = actions.post_many([_to_post(request) for request in requests])
        except (Refused, BadInput, psycopg.Error) as refused:
            named = _named(refused)
        assert named in (wrong or {None}), (requests, named)
        if wrong:
            assert session.scalar(sa.text("SELECT size FROM log.log_head")) == size
            return
        assert [one.seq for one in posted] == list(range(size, size + len(requests)))
        assert [str(one.entry_id) for one in posted] == [request.id for request in requests]
        self.auditor, self.stood = books, self.stood + len(requests)

    # What comes.

    @rule(way=st.sampled_from(WAYS), amount=amounts, on=days, data=st.data())
    def post_one_line(self, way, amount, on, data):
        self.send([self.any_of(way, amount, on, data)])

    def any_of(self, way, amount, on, data) -> Request:
        kind, phase, (debit, credit) = way
        related = data.draw(st.lists(st.sampled_from(list(self.auditor.entries)), max_size=1), label="relates to")
        move = Move(phase, data.draw(st.sampled_from(OF_CLASS[debit])), data.draw(st.sampled_from(OF_CLASS[credit])),
                    amount)
        if kind == "grant_offer" and data.draw(st.sampled_from([True, True, False]), label="as decided"):
            related = [self.a_decision(data, move)]
        return self.request(kind, [move], on, relates_to=tuple(related))

    def a_decision(self, data, move) -> str:
        """The id of a decision for this move, mostly: sometimes one for another place or sum, or an offered one."""
        which = data.draw(st.sampled_from(["its own"] * 4 + ["another sum", "another place", "an old one"]))
        if which == "an old one" and self.auditor.decided:
            return data.draw(st.sampled_from(list(self.auditor.decided)), label="decision")
        place = PLACES[PLACES.index(move.debit) - 1] if which == "another place" else move.debit
        return self.decide(place, move.amount + (which == "another sum"))

    def decide(self, place, pence) -> str:
        name = str(make_decision(place.removeprefix("4000/"), pence))
        self.auditor.decide(name, place, pence)
        return name

    @rule(ways=st.lists(st.tuples(st.sampled_from(WAYS), amounts), min_size=2, max_size=4), on=days, data=st.data())
    def post_a_batch(self, ways, on, data):
        self.send([self.any_of(way, amount, on, data) for way, amount in ways])

    @rule(way=st.sampled_from(WAYS), pence=st.lists(amounts, min_size=2, max_size=3), on=days)
    def post_several_lines(self, way, pence, on):
        kind, phase, (debit, credit) = way
        related = (self.decide(OF_CLASS[debit][0], sum(pence)),) if kind == "grant_offer" else ()
        self.send([self.request(kind, [Move(phase, OF_CLASS[debit][0], OF_CLASS[credit][-1], one) for one in pence],
                                on, relates_to=related)])

    @precondition(lambda self: self.auditor.reserved)
    @rule(phase=st.sampled_from(["post", "void"]), less=st.sampled_from([0, 0, 0, 1, -1]), on=days, data=st.data())
    def end_a_reservation(self, phase, less, on, data):
        self.send([self.an_end(phase, less, on, data)])

    @precondition(lambda self: self.auditor.reserved)
    @rule(on=days, data=st.data())
    def end_two_reservations_in_a_batch(self, on, data):
        self.send([self.an_end("post", 0, on, data), self.an_end("void", 0, on, data)])

    def an_end(self, phase, less, on, data) -> Request:
        still = [one for one in self.auditor.reserved if one not in self.auditor.ended]
        ends = data.draw(st.sampled_from(still or list(self.auditor.reserved)), label="reservation")
        kind, first = self.auditor.reserved[ends]
        _ways, posts, voids = RESERVED[kind]
        return self.request(posts if phase == "post" else voids,
                            [Move(phase, first.debit, first.credit, first.amount - less, ends)], on)

    @rule(pence=amounts, on=days, right=st.booleans())
    def reserve_and_end_in_one_call(self, pence, on, right):
        offer = self.request("grant_offer", [Move("pending", "4000/A", "5000/G", pence)], on,
                             relates_to=(self.decide("4000/A", pence),))
        agreed = self.request("grant_agreement", [Move("post", "4000/A", "5000/G", pence, (offer.id, 1))], on)
        self.send([offer, agreed] if right else [agreed, offer])

    @rule(on=days, data=st.data(), twist=st.sampled_from(["", "", "", "amount", "order", "side", "less"]))
    def reverse_an_entry(self, on, data, twist):
        name = data.draw(st.sampled_from(list(self.auditor.entries)), label="entry")
        moves = [Move("single", m.credit, m.debit, m.amount) for m in self.auditor.entries[name].moves]
        if twist == "amount":
            moves[0] = moves[0]._replace(amount=moves[0].amount + 1)
        elif twist == "order":
            moves.reverse()
        elif twist == "side":
            moves[0] = moves[0]._replace(debit=moves[0].credit, credit=moves[0].debit)
        elif twist == "less" and len(moves) > 1:
            moves.pop()
        self.send([self.request("reversal", moves, on, reverses=name)])

    @rule(kind=st.sampled_from([*KINDS, "present"]), phase=st.sampled_from(["single", "pending", "post", "void"]),
          debit=st.sampled_from([*CODES, "4000/none"]), credit=st.sampled_from(CODES), amount=amounts | odd_amounts,
          on=days, data=st.data())
    def post_anything(self, kind, phase, debit, credit, amount, on, data):
        names = [*self.auditor.entries, str(uuid.UUID(int=1))]
        ends = data.draw(st.none() | st.tuples(st.sampled_from(names), st.integers(1, 2)), label="ends")
        reverses = data.draw(st.none() | st.sampled_from(names), label="reverses")
        related = data.draw(st.lists(st.sampled_from(names), max_size=2), label="relates to")
        self.send([self.request(kind, [Move(phase, debit, credit, amount, ends)], on, reverses=reverses,
                                relates_to=tuple(related))])

    @rule(same=st.booleans(), data=st.data())
    def ask_again(self, same, data):
        """The same key with the same body gives what stands; with another body it is refused, and nothing moves."""
        first = self.auditor.keys[data.draw(st.sampled_from(list(self.auditor.keys)), label="key")]
        again = first if same else first._replace(on=date(2029, 1, 1))
        with session.begin_nested():
            if same:
                (posted,) = actions.post_many([_to_post(again, with_id=False)])
                assert str(posted.entry_id) == first.id
            else:
                with pytest.raises(Stale):
                    actions.post_many([_to_post(again)])

    @rule(on=st.sampled_from(DAYS[:2]))
    def close_the_books(self, on):
        wrong = {"uq_period_close_date"} if on in self.closes else set()
        wrong |= {"period_is_open"} if on < self.auditor.closed else set()
        named = None
        try:
            with session.begin_nested():
                actions.close_period(on, idem_key=f"close {on} {next(self.numbers)}")
        except Refused as refused:
            named = _named(refused)
        assert named in (wrong or {None})
        if not wrong:
            self.auditor.closed = on
            self.closes.add(on)

    # What must hold after every step.

    @invariant()
    def balances_are_the_auditor_s(self):
        rows = session.execute(sa.text("""
          SELECT a.code, b.debits_posted_pence, b.credits_posted_pence, b.debits_pending_pence, b.credits_pending_pence
          FROM ledger.balance b JOIN ledger.account a ON a.id = b.account_id ORDER BY a.code""")).all()
        assert {row[0]: list(row[1:]) for row in rows} == self.auditor.counters
        assert sum(row[1] for row in rows) == sum(row[2] for row in rows)
        assert sum(row[3] for row in rows) == sum(row[4] for row in rows)

    @invariant()
    def the_log_has_a_leaf_for_each_and_no_gap(self):
        entries, size, whole = session.execute(sa.text("""
          SELECT (SELECT count(*) FROM ledger.entry), (SELECT size FROM log.log_head), count(*) = max(seq) + 1
                 AND bool_and(leaf_hash = sha256('\\x00'::bytea || bytes)) FROM log.leaf""")).one()
        assert entries == self.stood
        assert whole
        assert size == session.scalar(sa.text("SELECT count(*) FROM log.leaf"))

    def teardown(self):
        assert check_everything().problems == []
        session.rollback()


def _to_post(request: Request, *, with_id: bool = True) -> actions.ToPost:
    return actions.ToPost(
        kind=request.kind, effective_on=request.on, idem_key=request.key,
        lines=[Line(m.debit, m.credit, m.amount, Phase(m.phase), None if m.ends is None else (
            uuid.UUID(m.ends[0]), m.ends[1])) for m in request.moves],
        reverses=None if request.reverses is None else uuid.UUID(request.reverses),
        relates_to=[uuid.UUID(one) for one in request.relates_to],
        entry_id=uuid.UUID(request.id) if with_id else None)


def _named(refused: Exception) -> str:
    if isinstance(refused, Refused):
        return refused.reasons[0].code
    if isinstance(refused, BadInput):
        return "not_open"
    assert isinstance(refused, psycopg.Error)
    return refused.diag.constraint_name or ""


def test_the_ledger_does_what_the_auditor_says(session):
    run_state_machine_as_test(Ledger, settings=settings(
        max_examples=25, stateful_step_count=25, deadline=None, print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]))
