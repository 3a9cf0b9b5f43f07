"""SQL that goes round the code: every attack on a decision is refused by name, and succeeds without its guard."""

import uuid

import pytest
import sqlalchemy as sa

from fund.db import refusal, session
from fund.panels.models import SittingSeed
from fund.transparency import actions as record
from tests.make import panels as make

ATTACKS = []


def attack(guard, rule, state="23514"):
    """Note an attack that `guard` (table.trigger or table/constraint) refuses by `rule`."""
    def note(function):
        ATTACKS.append(pytest.param(function, guard, rule, state, id=function.__name__))
        return function

    return note


@pytest.mark.parametrize(("attempt", "guard", "rule", "state"), ATTACKS)
def test_the_table_refuses(stage, attempt, guard, rule, state):
    with pytest.raises(sa.exc.DBAPIError) as refused:
        attempt(stage)
    assert refusal(refused.value) == (state, rule)


@pytest.mark.parametrize(("attempt", "guard", "rule", "state"), ATTACKS)
def test_without_its_guard_the_attack_goes_through(stage, attempt, guard, rule, state):
    stage.drop(guard)
    attempt(stage)


# Taking part and agreeing


@attack("attendance.by_holder", "ck_seat_acts_for_itself", "42501")
def takes_part_in_another_members_name(stage):
    world = stage.ready
    stage.act(world.chair)
    stage.insert("attendance", sitting_id=world.sitting.id, seat_id=world.seats[8].id)


@attack("attendance.by_holder", "ck_attendance_own_panel")
def takes_part_in_another_panels_sitting(stage):
    seat = stage.elsewhere.seats[8]
    stage.act(seat)
    stage.insert("attendance", sitting_id=stage.ready.sitting.id, seat_id=seat.id)


def _reason(stage, seat, **changes):
    world = stage.ready
    stage.act(seat)
    row = {"id": uuid.uuid4(), "application_id": world.applications[0], "criterion_id": world.criteria[0].id,
           "version": 2, "reason": "My own view.", "seat_id": seat.id}
    stage.insert("agreed_reason", **{**row, **changes})


@attack("agreed_reason.by_chair", "ck_agreed_reason_by_chair", "42501")
def writes_the_panels_reasons_without_being_the_chair(stage):
    _reason(stage, stage.ready.seats[1])


@attack("agreed_reason.by_chair", "ck_agreed_reason_unconflicted")
def writes_reasons_while_kept_out(stage):
    world = stage.ready
    make.declare(world, world.chair, world.applications[0], "i_am_in_it")
    _reason(stage, world.chair)


@attack("agreed_reason.by_chair", "ck_agreed_reason_next_version")
def writes_over_the_panels_reasons(stage):
    _reason(stage, stage.ready.chair, version=9)


@attack("agreed_reason.by_chair", "ck_agreed_reason_own_criterion")
def gives_reasons_for_another_rounds_question(stage):
    _reason(stage, stage.ready.chair, criterion_id=stage.elsewhere.criteria[0].id, version=1)


def test_another_member_writes_the_reasons_where_the_chair_is_kept_out(stage):
    world = stage.ready
    make.declare(world, world.chair, world.applications[0], "i_am_in_it")
    _reason(stage, world.seats[1])


# Closing


def _close(stage, world=None, **changes):
    world = world or stage.ready
    sitting = world.sitting
    stage.act(world.chair)
    seed = session.get_one(SittingSeed, sitting.id).seed
    available = stage.sql("SELECT panel_available_pence(:id)", id=sitting.id).scalar()
    row = {"sitting_id": sitting.id, "closed_by": world.chair.id, "seed": seed, "available_pence": available,
           "rule_version": "2026-1"}
    row.update(changes)
    stage.act(next(seat for seat in world.seats if seat.id == row["closed_by"]))
    stage.insert("sitting_close", **row)
    return row


@attack("sitting_close.may_close", "ck_sitting_close_by_chair", "42501")
def closes_without_being_the_chair(stage):
    _close(stage, closed_by=stage.ready.seats[1].id)


@attack("sitting_close.may_close", "ck_seat_acts_for_itself", "42501")
def closes_in_the_chairs_name(stage):
    world = stage.ready
    row = {"seed": bytes(32), "available_pence": 0, "rule_version": "2026-1"}
    stage.act(world.seats[1])
    stage.insert("sitting_close", sitting_id=world.sitting.id, closed_by=world.chair.id, **row)


@attack("sitting_close.may_close", "ck_sitting_close_seed")
def draws_the_lot_again(stage):
    _close(stage, seed=b"x" * 32)


@attack("sitting_close.may_close", "ck_sitting_close_available_true")
def has_more_to_give_than_the_ledger_says(stage):
    _close(stage, available_pence=9_999_999_999)


@attack("sitting_close/ck_sitting_close_rule", "ck_sitting_close_rule")
def closes_by_a_rule_that_nobody_published(stage):
    _close(stage, rule_version="mine")


@attack("sitting_close.may_close", "ck_sitting_close_strength")
def closes_with_seven_members(stage):
    with stage.as_owner():
        for seat in stage.ready.seats[7:]:
            stage.sql("ALTER TABLE seat DISABLE TRIGGER one_way")
            stage.sql("UPDATE seat SET ended_at = now() WHERE id = :id", id=seat.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_strength")
def closes_with_residents_in_the_minority(stage):
    with stage.as_owner():
        for seat in stage.ready.seats[1:6]:
            stage.sql("UPDATE seat SET is_resident = false WHERE id = :id", id=seat.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_unfinished")
def closes_over_a_reader_who_still_scores(stage):
    world = stage.ready
    seat = next(s for s in world.seats if s.id not in {a.seat_id for a in world.readers(world.applications[0])})
    make.leave_seat()
    stage.insert("assignment", id=uuid.uuid4(), application_id=world.applications[0], seat_id=seat.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_unfinished")
def closes_after_the_deadline_without_two_reminders(stage):
    world = stage.ready
    seat = next(s for s in world.seats if s.id not in {a.seat_id for a in world.readers(world.applications[0])})
    late = uuid.uuid4()
    stage.insert("assignment", id=late, application_id=world.applications[0], seat_id=seat.id)
    stage.insert("score_reminder", assignment_id=late, number=1)
    with stage.as_owner():
        stage.sql("ALTER TABLE sitting DISABLE TRIGGER append_only")
        stage.sql("UPDATE sitting SET opened_at = now() - interval '20 days', scoring_closes_at = now() - "
                  "interval '1 day' WHERE id = :id", id=world.sitting.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_scores")
def closes_with_a_single_score(stage):
    world = stage.ready
    for assignment in world.readers(world.applications[0])[:2]:
        make.declare(world, world.seat(assignment.seat_id), world.applications[0], "neighbour_runs_it")
    for assignment in world.readers(world.applications[0])[3:]:
        with make.from_seat(world.seat(assignment.seat_id)):
            stage.insert("score_release", assignment_id=assignment.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_quorum")
def closes_without_the_quorum_of_an_application(stage):
    world = stage.ready
    reading = {a.seat_id for a in world.readers(world.applications[0])}
    bystanders = [seat for seat in world.seats[1:6] if seat.id not in reading]
    for seat in bystanders[:2]:
        make.declare(world, seat, world.applications[0], "i_am_in_it")
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_quorum")
def closes_with_residents_in_the_minority_of_those_who_decide(stage):
    world = stage.ready
    with stage.as_owner():
        for seat in world.seats[:3]:
            stage.sql("UPDATE seat SET is_resident = false WHERE id = :id", id=seat.id)
        for seat in world.seats[7:]:
            stage.sql("UPDATE seat SET is_resident = true WHERE id = :id", id=seat.id)
    _close(stage)


@attack("sitting_close.may_close", "ck_sitting_close_reasons")
def closes_without_a_reason_for_the_group(stage):
    with stage.as_owner():
        stage.sql("ALTER TABLE agreed_reason DISABLE TRIGGER append_only")
        stage.sql("DELETE FROM agreed_reason WHERE application_id = :a AND criterion_id = :c",
                  a=stage.ready.applications[1], c=stage.ready.criteria[3].id)
    _close(stage)


@attack("sitting_close.decides", "ck_sitting_close_decides")
def closes_and_decides_nothing(stage):
    _close(stage)
    stage.sql("SET CONSTRAINTS decides IMMEDIATE")


def test_a_sitting_may_close_over_a_late_reader_after_the_deadline_and_two_reminders(stage):
    world = stage.ready
    seat = next(s for s in world.seats if s.id not in {a.seat_id for a in world.readers(world.applications[0])})
    late = uuid.uuid4()
    with stage.as_owner():
        stage.sql("ALTER TABLE sitting DISABLE TRIGGER append_only")
        stage.sql("UPDATE sitting SET opened_at = now() - interval '20 days', scoring_closes_at = now() - "
                  "interval '1 day' WHERE id = :id", id=world.sitting.id)
        stage.sql("INSERT INTO assignment (id, application_id, seat_id, assigned_at) VALUES (:id, :application, :seat, "
                  "now() - interval '9 days')", id=late, application=world.applications[0], seat=seat.id)
        for number, days in ((1, 5), (2, 2)):
            stage.sql("INSERT INTO score_reminder (assignment_id, number, sent_at) VALUES (:id, :number, "
                      "now() - make_interval(days => :days))", id=late, number=number, days=days)
    _close(stage)


# Decisions


def _rows(stage, close, **changes):
    """What the rule gives, as rows of `decision`; `changes` are of the first one."""
    rows = [dict(row._mapping) for row in stage.sql(
        "SELECT r.application_id, r.score_tenths, r.rank, r.outcome, r.amount_pence, d.present, d.residents "
        "FROM sitting_result(:id, :available, :seed) r JOIN deciding(:id) d USING (application_id) ORDER BY r.rank",
        id=close["sitting_id"], available=close["available_pence"], seed=close["seed"])]
    rows[0].update(changes)
    return [{"id": uuid.uuid4(), "leaf_id": uuid.uuid4(), "sitting_id": close["sitting_id"], **row} for row in rows]


def _decide(stage, rows):
    table = sa.table("decision", *(sa.column(name) for name in rows[0]))
    session.execute(sa.insert(table).values(rows))


def test_the_rule_itself_passes(stage):
    _decide(stage, _rows(stage, _close(stage)))


@attack("decision.follows_rule", "ck_decision_score_recomputed")
def decides_with_another_score(stage):
    _decide(stage, _rows(stage, _close(stage), score_tenths=1000))


@attack("decision.follows_rule", "ck_decision_outcome_recomputed")
def awards_less_than_the_rule(stage):
    _decide(stage, _rows(stage, _close(stage), amount_pence=1, outcome="part_awarded"))


@attack("decision.follows_rule", "ck_decision_outcome_recomputed")
def declines_what_the_rule_funds(stage):
    _decide(stage, _rows(stage, _close(stage), amount_pence=0, outcome="declined"))


@attack("decision.follows_rule", "ck_decision_rank_recomputed")
def puts_the_second_first(stage):
    rows = _rows(stage, _close(stage))
    rows[0]["rank"], rows[1]["rank"] = 2, 1
    _decide(stage, rows)


@attack("decision.follows_rule", "ck_decision_complete")
def leaves_an_application_undecided(stage):
    _decide(stage, _rows(stage, _close(stage))[:1])


@attack("decision.with_its_close decision.follows_rule", "ck_decision_within_ask")
def awards_more_than_was_asked(stage):
    _decide(stage, _rows(stage, _close(stage), amount_pence=48_001))


@attack("decision.follows_rule", "ck_decision_within_available")
def awards_more_than_the_panel_has(stage):
    with stage.as_owner():
        stage.sql("ALTER TABLE sitting_close DISABLE TRIGGER may_close")
    close = _close(stage, available_pence=50_000)
    _decide(stage, _rows(stage, {**close, "available_pence": 5_000_000}))


@attack("decision.with_its_close", "ck_decision_quorum_counted")
def counts_members_who_did_not_take_part(stage):
    _decide(stage, _rows(stage, _close(stage), present=9))


@attack("decision.with_its_close", "ck_decision_with_its_close")
def decides_after_the_closing(stage):
    with stage.as_owner():
        stage.sql("ALTER TABLE sitting_close DISABLE TRIGGER may_close")
    close = _close(stage, closed_in="1")
    _decide(stage, _rows(stage, close))


@attack("decision/fk_decision_leaf decision.leaf_says_its_decision", "fk_decision_leaf", "23503")
def decides_without_a_line_in_the_public_record(stage):
    _decide(stage, _rows(stage, _close(stage)))
    stage.sql("SET CONSTRAINTS ALL IMMEDIATE")


def _say(stage, rows, **changes):
    """Put each decision on the public record, as `close_sitting` does; `changes` are of what the first one says."""
    about = stage.sql("""
      SELECT s.id AS sitting, n.code AS area, c.rule_version FROM sitting s JOIN sitting_close c ON c.sitting_id = s.id
      JOIN round o ON o.id = s.round_id JOIN neighbourhood n ON n.id = o.neighbourhood_id WHERE s.id = :id""",
                      id=rows[0]["sitting_id"]).one()
    for row in rows:
        reference = stage.sql("SELECT reference FROM application WHERE id = :id", id=row["application_id"]).scalar_one()
        record.append("decision", {
            "sitting": str(about.sitting), "decision": str(row["id"]), "application": reference, "area": about.area,
            "outcome": row["outcome"], "score_tenths": row["score_tenths"], "rank": row["rank"],
            "amount": str(row["amount_pence"]), "rule_version": about.rule_version,
            **(changes if row is rows[0] else {})}, idem_key=f"decision/{row['id']}", leaf_id=row["leaf_id"])
    stage.sql("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_a_panel_decided_is_said_as_it_is(stage):
    rows = _rows(stage, _close(stage))
    _decide(stage, rows)
    _say(stage, rows)


for word, said in {"amount": "1", "area": "E05000651", "application": "APP-ZZZZ-ZZZZ", "outcome": "declined", "rank": 9,
                   "score_tenths": 7, "rule_version": "2019-1", "note": "for you", "decision": "another"}.items():
    def says_something_else(stage, word=word, said=said):
        rows = _rows(stage, _close(stage))
        _decide(stage, rows)
        _say(stage, rows, **{word: said})

    says_something_else.__name__ = f"says_another_{word}"
    attack("decision.leaf_says_its_decision log.leaf.decision_of_a_panel", "leaf_says_its_decision")(
        says_something_else)


@attack("log.leaf.decision_of_a_panel", "decision_of_a_panel")
def says_that_a_panel_decided(stage):
    """Whoever has the application's password can write a public record, and no decision."""
    record.append("decision", {"area": "E05000650", "amount": "500000", "outcome": "awarded"}, idem_key="mine")
    stage.sql("SET CONSTRAINTS ALL IMMEDIATE")


@attack("decision.leaf_says_its_decision", "leaf_says_its_decision")
def decides_on_another_line_of_the_record(stage):
    """A decision whose leaf is a record of another kind."""
    rows = _rows(stage, _close(stage))
    _decide(stage, rows)
    for row in rows:
        record.append("rehearsal_rule", {}, idem_key=str(row["id"]), leaf_id=row["leaf_id"])
    stage.sql("SET CONSTRAINTS ALL IMMEDIATE")


@attack("award_taken_up.awarded", "ck_award_taken_up_awarded")
def takes_up_an_award_that_is_none(stage):
    with stage.as_owner():
        stage.sql("ALTER TABLE decision DISABLE TRIGGER ALL")
        rows = _rows(stage, {"sitting_id": stage.ready.sitting.id, "available_pence": 0, "seed": bytes(32)})
        stage.insert("decision", **rows[0])
    stage.insert("award_taken_up", decision_id=rows[0]["id"])


@attack("withdrawal.before_decision", "ck_sitting_open")
def takes_an_application_back_after_it_was_decided(stage):
    world = stage.elsewhere
    stage.insert("withdrawal", application_id=world.applications[0], withdrawn_by=uuid.uuid4())


def test_a_lower_seat_cannot_sign_for_the_chair_in_a_decision(stage):
    close = _close(stage)
    stage.act(stage.ready.seats[1])
    with pytest.raises(sa.exc.DBAPIError) as refused:
        _decide(stage, _rows(stage, close))
    assert refusal(refused.value) == ("42501", "ck_seat_acts_for_itself")


def test_sql_and_python_know_the_same_hmac(stage):
    # RFC 4231, test case 2.
    assert stage.sql("SELECT encode(hmac_sha256('Jefe', 'what do ya want for nothing?'), 'hex')").scalar() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")


def test_the_rule_reads_the_readers_scores_and_no_table_of_that_name(stage):
    """Whoever has the application's password may make temporary tables, and none of them is looked at."""
    stage.act(None)
    session.execute(sa.text("CREATE TEMP TABLE score AS SELECT * FROM public.score; "
                            "UPDATE pg_temp.score SET points = 5; GRANT SELECT ON pg_temp.score TO fund_panel"))
    true = stage.sql("SELECT c.application_id, c.score_tenths FROM sitting_scores(:id) c ORDER BY 1",
                     id=stage.ready.sitting.id).all()
    session.execute(sa.text("DROP TABLE pg_temp.score"))
    assert true
    assert true == stage.sql("SELECT c.application_id, c.score_tenths FROM sitting_scores(:id) c ORDER BY 1",
                             id=stage.ready.sitting.id).all()
    rows = _rows(stage, _close(stage))
    session.execute(sa.text("CREATE TEMP TABLE assignment AS SELECT * FROM public.assignment WHERE false"))
    _decide(stage, rows)
