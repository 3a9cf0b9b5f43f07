"""Offers, agreements and evidence through the actions: what they free, what they refuse, and whose they are."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fund import queue
from fund.db import session as fund_session
from fund.grants import actions, queries, rules
from fund.grants.models import Award
from fund.grants.rules import Basis, StageState
from fund.kernel import clock
from fund.kernel.actor import SYSTEM, Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, NotFound, Refused, Stale
from fund.ledger import queries as ledger
from fund.organisations import actions as organisations
from tests.make.grants import PLAN, make_host, make_offers, make_payable, make_signed
from tests.make.people import make_person
from tests.standing import savepoint, standing

#: Grants at the points where a group acts: made once, each test in a savepoint of its own.
ready = {}


@pytest.fixture(scope="module")
def world(app):
    with standing(app) as connection:
        offer, other, signed, payable, large = make_offers(
            5, amount_pence=[480_01, 333_33, 480_00, 480_00, 900_00], up_front_below_pence=481_00)
        make_signed(signed)
        make_payable(payable)
        make_signed(large)
        ready.update(offer=offer, other=other, signed=signed, payable=payable, large=large)
        fund_session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        fund_session.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
        yield connection


@pytest.fixture
def session(world):
    with savepoint(world):
        yield fund_session


def place(made):
    return ledger.balance_of(f"4000/{made.place_code}")


def sign(made, **changes):
    return actions.accept_offer(made.group, made.id, **{"terms_version": rules.TERMS_VERSION, "spending_plan": PLAN,
                                                        **changes})


def test_an_offer_reserves_each_stage_and_names_the_decision(session):
    grant = ready["offer"].grant
    assert [(stage.basis, stage.amount_pence) for stage in grant.stages] == [
        (Basis.UP_FRONT, 240_01), (Basis.ON_EVIDENCE, 240_00)]
    lines = ledger.pending_lines(grant.offer_entry_id)
    assert [(line.debit, line.credit, line.amount_pence) for line in lines] == [
        (f"4000/{grant.place_code}", f"5000/{grant.reference}", stage.amount_pence) for stage in grant.stages]
    [related] = session.execute(sa.text("SELECT e.relates_to FROM ledger.entry e JOIN log.leaf l ON l.seq = e.seq "
                                        "WHERE l.id = :id"), {"id": grant.offer_entry_id}).scalars()
    assert related == [grant.decision_leaf_id]


def test_offers_are_made_once(session):
    before = session.scalar(sa.select(sa.func.count()).select_from(Award))
    sitting_id = session.scalar(sa.text("SELECT sitting_id FROM decision WHERE id = :id"),
                                {"id": ready["offer"].grant.decision_id})
    assert actions.make_offers(sitting_id) == []
    queue.JOBS["grants.make_offers"](sitting_id=str(sitting_id))
    assert session.scalar(sa.select(sa.func.count()).select_from(Award)) == before


def test_an_agreement_posts_the_offer_and_is_the_evidence_of_the_first_stage(session):
    made = ready["offer"]
    available = place(made).available_pence
    agreement = sign(made)
    assert ledger.pending_lines(made.grant.offer_entry_id) == []
    assert ledger.balance_of(f"5000/{made.reference}").posted_pence == 480_01
    assert place(made).available_pence == available
    assert agreement.signed_by == made.group.person_id
    assert (made.stage().state, made.stage(2).state) == (StageState.EVIDENCE_SENT, StageState.WAITS)
    assert PLAN in made.stage().story


def test_a_larger_grant_shows_before_each_stage(session):
    made = ready["large"]
    assert (made.stage().state, made.stage(2).state) == (StageState.EVIDENCE_WANTED, StageState.WAITS)
    with pytest.raises(Refused, match="comes later"):
        actions.send_evidence(made.group, made.stage(2).id, story="Early.")
    actions.send_evidence(made.group, made.stage().id, story="We began. Ten came. It rained.")
    assert made.stage().state is StageState.EVIDENCE_SENT
    with pytest.raises(Refused, match="We have it already"):
        actions.send_evidence(made.group, made.stage().id, story="Twice.")


def test_a_lapse_frees_exactly_what_was_offered(session):
    made, other = ready["offer"], ready["other"]
    before = place(made)
    assert actions.lapse_offers(clock.today()) == []
    late = made.grant.lapses_on + timedelta(days=1)
    assert set(actions.lapse_offers(late)) == {made.reference, other.reference}
    after = place(made)
    assert after.available_pence - before.available_pence == 480_01 + 333_33
    assert after.posted_pence == before.posted_pence
    assert ledger.balance_of(f"5000/{made.reference}").posted_pence == 0
    assert actions.lapse_offers(late) == []
    with pytest.raises(Refused, match="lapsed"):
        sign(made)
    # A signed grant is left alone.
    assert ready["signed"].grant.end_kind == ""


def test_a_no_frees_the_money_at_once(session):
    made = ready["other"]
    before = place(made).available_pence
    actions.decline_offer(made.group, made.id)
    assert place(made).available_pence - before == 333_33
    for again in (lambda: actions.decline_offer(made.group, made.id), lambda: sign(made)):
        with pytest.raises(Refused):
            again()


def test_a_group_is_reminded_twice(session):
    made = ready["offer"]
    ends = made.grant.lapses_on

    def reminders():
        return session.scalar(sa.text("SELECT count(*) FROM message WHERE template = 'offer_reminder' "
                                      "AND values ->> 'reference' = :reference"), {"reference": made.reference})

    for days, expected in ((28, 0), (14, 1), (14, 1), (5, 1), (3, 2), (0, 2)):
        actions.remind_of_offers(ends - timedelta(days=days))
        assert reminders() == expected
    assert actions.remind_of_offers(ends + timedelta(days=1)) == 0


@pytest.mark.parametrize(("changes", "error"), [
    ({"spending_plan": "  \n"}, BadInput), ({"spending_plan": "x" * 3001}, BadInput),
    ({"terms_version": "0"}, Stale)])
def test_what_is_not_signed(session, changes, error):
    with pytest.raises(error):
        sign(ready["offer"], **changes)
    assert ready["offer"].grant.signed_at is None


def test_only_somebody_who_may_sign_signs(session):
    made = ready["offer"]
    helper = make_person()
    organisations.add_member(made.group, made.organisation_id, person_id=helper.id, may_sign=False)
    with pytest.raises(Refused, match="may sign"):
        actions.accept_offer(Actor(Capacity.APPLICANT, helper.id), made.id, terms_version=rules.TERMS_VERSION,
                             spending_plan=PLAN)
    with pytest.raises(Refused, match="may sign"):
        actions.decline_offer(Actor(Capacity.APPLICANT, helper.id), made.id)


def test_strangers_find_no_grant(session):
    made, stranger = ready["offer"], Actor(Capacity.APPLICANT, make_person().id)
    attempts = [
        lambda: actions.accept_offer(stranger, made.id, terms_version=rules.TERMS_VERSION, spending_plan=PLAN),
        lambda: actions.decline_offer(stranger, made.id),
        lambda: actions.choose_payee(stranger, made.id, organisation_id=uuid.uuid4(), bank_account_id=uuid.uuid4()),
        lambda: actions.send_evidence(stranger, made.stage().id, story="Mine."),
        lambda: queries.grant_for(stranger.person_id, made.reference),
        lambda: queries.grant_for(None, made.reference),
        lambda: actions.accept_offer(made.group, uuid.uuid4(), terms_version="", spending_plan=PLAN)]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_nobody_acts_in_anothers_part(session):
    made = ready["payable"]
    staff = made.staff
    evidence_id, stage_id = made.stage().evidence_id, made.stage().id
    for actor in (staff.approver, staff.authoriser, made.group, SYSTEM):
        with pytest.raises(Forbidden):
            actions.review_evidence(actor, evidence_id, accepted=True)
    for actor in (staff.officer, staff.authoriser, made.group, SYSTEM):
        with pytest.raises(Forbidden):
            actions.approve_release(actor, stage_id)
    # A capacity that is only claimed is refused by the rule and, without it, by the table.
    for claimed in (Actor(Capacity.OFFICER, made.group.person_id), Actor(Capacity.OFFICER, staff.approver.person_id)):
        with pytest.raises(Refused):
            actions.review_evidence(claimed, evidence_id, accepted=True)
    actions.review_evidence(staff.officer, evidence_id, accepted=True)
    with pytest.raises(Refused):
        actions.approve_release(Actor(Capacity.APPROVER, staff.officer.person_id), stage_id)


def test_a_deputy_may_act(session):
    made = ready["payable"]
    actions.review_evidence(made.staff.deputies[Capacity.OFFICER], made.stage().evidence_id, accepted=True)
    release = actions.approve_release(made.staff.deputies[Capacity.APPROVER], made.stage().id)
    assert release.amount_pence == 240_00
    assert 6 <= len(release.end_to_end_id) <= 18


def test_saying_the_same_account_again_changes_nothing(session):
    made = ready["payable"]
    payee = made.grant.payee
    again = actions.choose_payee(made.group, made.id, organisation_id=payee.organisation_id,
                                 bank_account_id=payee.bank_account_id)
    assert again.version == 1


def test_a_host_that_ended_its_agreement_receives_nothing(session):
    made = ready["payable"]
    host_id, account = make_host(made)
    actions.choose_payee(made.group, made.id, organisation_id=host_id, bank_account_id=account.id)
    actions.review_evidence(made.staff.officer, made.stage().evidence_id, accepted=True)
    session.execute(sa.text("UPDATE host_agreement SET ended_at = now() WHERE host_id = :id"), {"id": host_id})
    with pytest.raises(Refused) as refused:
        actions.approve_release(made.staff.approver, made.stage().id)
    assert [reason.code for reason in refused.value.reasons] == ["host"]


def test_words_are_needed_to_ask_for_more_and_the_letter_holds_none(session):
    made = ready["payable"]
    with pytest.raises(BadInput):
        actions.review_evidence(made.staff.officer, made.stage().evidence_id, accepted=False, words=" ")
    actions.review_evidence(made.staff.officer, made.stage().evidence_id, accepted=False, words="Whose bench is it?")
    values = session.scalar(sa.text("SELECT values FROM message WHERE template = 'evidence_more_asked'"))
    assert "Whose bench" not in str(values)
    with pytest.raises(Refused):
        actions.review_evidence(made.staff.deputies[Capacity.OFFICER], made.stage().evidence_id or uuid.uuid4(),
                                accepted=True)


def test_a_file_shown_for_another_grant_is_pointed_out(session):
    one, other = ready["large"], ready["signed"]
    files = []
    for made in (one, other):
        file_id = uuid.uuid4()
        session.execute(sa.text(
            "INSERT INTO stored_file (id, uploaded_by, name, content_type, size_bytes, sha256) "
            "VALUES (:id, :by, 'bill.pdf', 'application/pdf', 9, :sha256)"),
            {"id": file_id, "by": made.group.person_id, "sha256": b"\x07" * 32})
        files.append(file_id)
    first = actions.send_evidence(one.group, one.stage().id, story="A bill.", file_ids=[files[0]])
    assert [file["reused"] for file in queries.evidence(first.id).files] == [False]
    actions.review_evidence(other.staff.officer, other.stage().evidence_id, accepted=False, words="A bill?")
    with pytest.raises(NotFound):
        actions.send_evidence(other.group, other.stage().id, story="Theirs.", file_ids=[files[0]])
    second = actions.send_evidence(other.group, other.stage().id, story="A bill.", file_ids=[files[1]])
    assert [file["reused"] for file in queries.evidence(second.id).files] == [True]


def test_every_step_is_on_the_record_of_its_application(session):
    made = ready["payable"]
    actions.review_evidence(made.staff.officer, made.stage().evidence_id, accepted=True)
    actions.approve_release(made.staff.approver, made.stage().id)
    session.flush()
    acts = session.execute(sa.text("SELECT verb, capacity FROM act WHERE application_id = :id AND subject_kind IN "
                                   "('award', 'stage') ORDER BY id"), {"id": made.grant.application_id}).all()
    assert acts == [("make_offer", "system"), ("accept_offer", "applicant"), ("choose_payee", "applicant"),
                    ("accept_evidence", "officer"), ("approve_release", "approver")]
