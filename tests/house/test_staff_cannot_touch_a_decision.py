"""Staff have no way to touch a score or a decision: every way into the panel's tables, listed and decided one by one.

The tables of decisions below are literal. What code really does is found by reading it (which function writes which of
the panel's tables, itself or through what it calls), what the database allows by asking its catalogue. A new route,
action, job, command, privilege or trigger makes a test fail until somebody adds it here, with a reason.

In short: (1) a row that a panel says can be inserted in the role `fund_panel` alone; (2) that role is taken on in three
places, for the holder of a seat; (3) nobody of the staff holds a seat, by a trigger; (4) each row's trigger asks that
the seat's holder acts; (5) no role, the owner included, can change or remove one.
"""

import re
from pathlib import Path

import sqlalchemy as sa

from fund.kernel.actor import STAFF
from fund.panels import queries as panels
from fund.queue import JOBS
from fund.web.access import SAFE_METHODS, mark_of
from tests.house.who_writes import FUND, PANEL, SAID, SQL_WRITES, commands, public_actions, tables_of_view, writers
from tests.make import panels as make_panels
from tests.make.people import make_staff

# The decisions: routes, actions, jobs and commands

#: Routes that touch no table of the panel, by who may open them. A GET writes nothing anywhere: its transaction is read
#: only in the database itself (fund/web/edge.py).
ROUTES_THAT_WRITE_NOTHING = {
    "public": """
        GET:allocations.shared GET:applications.round_page GET:decisions.decision GET:decisions.open_data
        GET:decisions.rule GET:endowment.limit GET:endowment.overview
        GET:endowment.statement
        GET:endowment.statement_csv GET:endowment.statement_pdf GET:endowment.will_it_last GET:ledger.account
        GET:ledger.accounts
        GET:ledger.entries
        GET:ledger.entry GET:ledger.find GET:ledger.leaf GET:ledger.overview GET:ledger.rules GET:people.check
        GET:people.link
        GET:people.sign_in GET:portal.about GET:portal.accessibility GET:portal.home GET:portal.money_flow
        GET:portal.neighbourhood
        GET:portal.follow GET:portal.neighbourhoods GET:portal.places_page GET:portal.privacy GET:portal.touched
        GET:portal.trail GET:static GET:transparency.file GET:transparency.history GET:transparency.how_to_check
        GET:transparency.overview GET:transparency.receipt POST:people.begin_sign_in
        POST:people.claim_code POST:people.claim_link POST:people.sign_out POST:portal.language
    """,
    "demo": """
        GET:people.demo POST:bank.next_day POST:people.be_in_the_demo
    """,
    "signed_in": """
        GET:applications.begin GET:applications.check_and_send GET:applications.file GET:applications.files
        GET:applications.frozen_copy GET:applications.mine GET:applications.new_group GET:applications.received
        GET:applications.show GET:applications.who GET:applications.write GET:dashboards.waiting
        GET:decisions.own GET:documents.own_file GET:grants.decline GET:grants.file GET:grants.grant
        GET:grants.mine GET:grants.offer GET:grants.payee GET:grants.send_evidence GET:organisations.account
        GET:organisations.host GET:organisations.hosting GET:organisations.mine GET:organisations.new
        GET:organisations.show GET:people.profile POST:applications.autosave POST:applications.begin_now
        POST:applications.change_files POST:applications.keep POST:applications.make_group
        POST:applications.say_who POST:applications.send POST:applications.withdraw POST:grants.decline
        POST:grants.offer POST:grants.payee POST:grants.send_evidence POST:organisations.add_account
        POST:organisations.add_person POST:organisations.answer_host POST:organisations.ask_host
        POST:organisations.end_person POST:organisations.make POST:people.change_profile
    """,
    "staff": """
        GET:applications.check GET:applications.queue GET:applications.staff_file GET:bank.authorise
        GET:bank.batch GET:bank.batches GET:bank.set_aside GET:bank.statements GET:grants.evidence
        GET:grants.all_grants GET:grants.evidence_queue GET:grants.staff_grant GET:grants.release
        GET:grants.release_queue
        GET:organisations.accounts_to_check GET:organisations.staff_page POST:bank.authorise POST:bank.batches
        POST:bank.file POST:bank.no_file POST:bank.send_again POST:bank.set_aside POST:bank.statements
        POST:grants.evidence POST:grants.release POST:grants.withdraw POST:organisations.declare_interest
        POST:organisations.record_check POST:organisations.show_numbers
        GET:endowment.approve_change GET:endowment.choose_rule GET:endowment.confirm_plan GET:endowment.reserve
        GET:endowment.confirm_limit GET:endowment.propose_limit
        POST:endowment.confirm_limit POST:endowment.propose_limit
        GET:endowment.spending GET:endowment.spending_now GET:endowment.write_plan
        POST:endowment.approve_change POST:endowment.choose_rule POST:endowment.confirm_plan
        POST:endowment.end_proposal POST:endowment.reserve POST:endowment.write_plan
    """,
    "seat": """
        GET:decisions.close GET:decisions.join GET:decisions.pot GET:decisions.reasons GET:decisions.sitting
        GET:panels.application GET:panels.code GET:panels.file GET:panels.interest GET:panels.lock
        GET:panels.mine GET:panels.release GET:panels.ruling GET:panels.score GET:panels.scores
    """,
}

#: Routes that write one: who may open it, what it writes, why that is right.
ROUTES = {
    "POST:applications.say_eligible": (
        "staff",
        "assignment sitting sitting_application sitting_seed",
        "an officer says that it is eligible: a job then puts it before the panel and the rule, not the "
        "officer, picks its readers"),
    "POST:decisions.close": (
        "seat",
        "decision sitting sitting_close sitting_seed",
        "the chair's press; the rows are what the rule gives, or the database refuses them"),
    "POST:decisions.join": (
        "seat",
        "assignment attendance interest",
        "a member's own press, from their own seat; staff hold none"),
    "POST:decisions.pot": ("seat", "sitting_pot", "the chair's own press, from their own seat; staff hold none"),
    "POST:decisions.reasons": ("seat", "agreed_reason", "a member's own press, from their own seat; staff hold none"),
    "POST:panels.another_reader": (
        "seat",
        "assignment",
        "a member's own press, from their own seat; staff hold none"),
    "POST:panels.code": ("seat", "seat", "a member's own press, from their own seat; staff hold none"),
    "POST:panels.interest": (
        "seat",
        "assignment interest",
        "a member's own press, from their own seat; staff hold none"),
    "POST:panels.lock": ("seat", "score_lock", "a member's own press, from their own seat; staff hold none"),
    "POST:panels.release": (
        "seat",
        "assignment score_release",
        "a member's own press, from their own seat; staff hold none"),
    "POST:panels.ruling": (
        "seat",
        "assignment interest_ruling",
        "a member's own press, from their own seat; staff hold none"),
    "POST:panels.score": ("seat", "score", "a member's own press, from their own seat; staff hold none"),
}

ACTIONS_THAT_WRITE_NOTHING = """
    allocations.allocate_for_rehearsal allocations.run_allocation applications.attach applications.detach
    applications.save applications.say_who applications.start applications.submit applications.withdraw
    bank.authorise_batch bank.begin_sending bank.build_batch bank.close_books bank.end_sending bank.file_bytes
    bank.keep_unread bank.make_file
    bank.read_message bank.read_upload bank.say_bank_has_no_file bank.send_again bank.set_aside_batch
    bank.take_file_by_hand decisions.tell_applicants documents.keep_file
    endowment.agree_trade endowment.approve_reserve_change endowment.budget_running_costs endowment.call_off_trade
    endowment.choose_rule endowment.confirm_recovery_plan endowment.confirm_spending_limit endowment.deficit_pence
    endowment.draw_down
    endowment.end_payment endowment.end_proposal endowment.pay_owner endowment.propose_recovery_plan
    endowment.propose_reserve_change endowment.propose_spending_limit
    endowment.receive_tranche endowment.record_income endowment.record_price endowment.record_return
    endowment.record_valuation
    endowment.settle_trade endowment.switch_reserve
    grants.accept_offer
    grants.approve_release grants.choose_payee grants.decline_offer grants.lapse_offers
    grants.record_refused grants.record_returned grants.record_settled grants.record_step
    grants.remind_of_offers grants.review_evidence grants.send_evidence grants.wait_for_releases
    grants.withdraw_release
    ledger.close_period ledger.open_account ledger.open_standing_accounts ledger.post ledger.post_many
    ledger.publish_balances ledger.reverse ledger.take_snapshots neighbourhoods.in_loading_order
    neighbourhoods.load_demo_facts
    neighbourhoods.load_file neighbourhoods.open_neighbourhood neighbourhoods.open_neighbourhood_of_area
    neighbourhoods.open_neighbourhoods_within_bounds notifications.deliver notifications.send
    organisations.add_bank_account organisations.add_member organisations.agree_to_host
    organisations.ask_host organisations.declare_staff_interest organisations.end_host
    organisations.end_membership organisations.make_organisation organisations.record_check
    organisations.show_account panels.closed panels.said_plainly people.begin_sign_in people.change_profile
    people.claim_by_code people.claim_by_link people.end_capacity people.end_every_session
    people.end_session people.find_or_make_person people.forget_old_sign_ins people.grant_capacity
    people.start_demo_sign_in people.start_session replay.answers rounds.public_record rounds.publish_form
    rounds.publish_round transparency.append transparency.append_later transparency.begin transparency.commit_to
    transparency.erase transparency.keep transparency.keeps_to transparency.kept_to transparency.name_new_key
    transparency.original transparency.our_policy transparency.our_signers transparency.publish_next
    transparency.put_up transparency.record_act transparency.take_back transparency.tell_the_publisher
"""

ACTIONS = {
    "applications.check_eligibility": (
        "assignment sitting sitting_application sitting_seed",
        "asks for the job that puts it before the panel; the rule picks the readers"),
    "decisions.agree_reasons": ("agreed_reason", "a member acts from their own seat"),
    "decisions.close_sitting": ("decision sitting sitting_close sitting_seed", "a member acts from their own seat"),
    "decisions.join": ("attendance", "a member acts from their own seat"),
    "decisions.mark_taken_up": ("award_taken_up", "says that an award was offered; changes no decision"),
    "grants.make_offers": ("award_taken_up", "says of each award that it was offered; changes no decision"),
    "panels.accept_code": ("seat", "a member acts from their own seat"),
    "panels.constitute": (
        "panel seat",
        "invites people to seats; each accepts the code alone, and staff can have no seat"),
    "panels.declare_interest": ("assignment interest", "a member acts from their own seat"),
    "panels.find_another_reader": ("assignment", "a member acts from their own seat"),
    "panels.find_readers": ("assignment", "the rule picks, by a fixed shuffle"),
    "panels.give_up_seat": ("seat", "a member acts from their own seat"),
    "panels.lock_scores": ("score_lock", "a member acts from their own seat"),
    "panels.open_sitting": ("sitting sitting_seed", "commits to a lot that nobody can read or choose again"),
    "panels.put_before_the_panel": (
        "assignment sitting sitting_application sitting_seed",
        "the job of an eligible check; once, and the rule picks the readers"),
    "panels.record_training": ("seat", "notes a training once; it cannot be taken back"),
    "panels.release_score": ("assignment score_release", "a member acts from their own seat"),
    "panels.remind": ("score_reminder", "two letters, twelve hours apart; it touches no score"),
    "panels.rule_on_interest": ("assignment interest_ruling", "a member acts from their own seat"),
    "panels.save_scores": ("score", "a member acts from their own seat"),
    "panels.set_pot": ("sitting_pot", "a member acts from their own seat"),
    "replay.rehearse": (
        "agreed_reason assignment attendance award_taken_up decision interest panel score score_lock seat "
        "sitting sitting_application sitting_close sitting_pot sitting_seed",
        "plays seats of a rehearsal, in a fund and a log of its own that say so on every page"),
}

JOBS_DECIDED = {
    "bank.fetch": ("", "nothing of the panel"),
    "bank.make_file": ("", "nothing of the panel"),
    "bank.put_away": ("", "nothing of the panel"),
    "bank.send": ("", "nothing of the panel"),
    "decisions.tell_applicants": ("", "nothing of the panel"),
    "grants.look_after_offers": ("", "nothing of the panel"),
    "grants.make_offers": ("award_taken_up", "says of each award that it was offered; changes no decision"),
    "ledger.snapshots": ("", "nothing of the panel"),
    "ledger.balances": ("", "nothing of the panel"),
    "notifications.send": ("", "nothing of the panel"),
    "panels.put_before_the_panel": (
        "assignment sitting sitting_application sitting_seed",
        "once an application; the rule picks the readers"),
    "panels.remind": ("score_reminder", "two letters; it touches no score"),
    "people.tidy": ("", "nothing of the panel"),
}

COMMANDS = {
    "bank close-books": ("", "nothing of the panel"),
    "bootstrap": ("", "nothing of the panel"),
    "endowment budget-costs": ("", "nothing of the panel"),
    "endowment buy": ("", "nothing of the panel"),
    "endowment call-off-trade": ("", "nothing of the panel"),
    "endowment check": ("", "nothing of the panel"),
    "endowment check-limit": ("", "nothing of the panel"),
    "endowment choose-rule": ("", "nothing of the panel"),
    "endowment draw-down": ("", "nothing of the panel"),
    "endowment end-payment": ("", "nothing of the panel"),
    "endowment holdings": ("", "nothing of the panel"),
    "endowment pay-owner": ("", "nothing of the panel"),
    "endowment receive-tranche": ("", "nothing of the panel"),
    "endowment record-price": ("", "nothing of the panel"),
    "endowment record-income": ("", "nothing of the panel"),
    "endowment reserve": ("", "nothing of the panel"),
    "endowment sell": ("", "nothing of the panel"),
    "endowment settle-trade": ("", "nothing of the panel"),
    "endowment value": ("", "nothing of the panel"),
    "ledger fsck": ("", "nothing of the panel"),
    "ledger schema": ("", "reads the catalogue"),
    "ledger snapshots": ("", "nothing of the panel"),
    "ledger balances": ("", "nothing of the panel"),
    "log check": ("", "nothing of the panel"),
    "log new-key": ("", "nothing of the panel"),
    "log rotate-key": ("", "nothing of the panel"),
    "log publish": ("", "nothing of the panel"),
    "migrate": ("", "nothing of the panel"),
    "neighbourhoods facts": ("", "nothing of the panel"),
    "neighbourhoods load": ("", "nothing of the panel"),
    "neighbourhoods open": ("", "nothing of the panel"),
    "neighbourhoods where": ("", "nothing of the panel"),
    "people end": ("", "nothing of the panel"),
    "people grant": ("", "a capacity is refused to whoever holds a seat (no_seat)"),
    "people list": ("", "nothing of the panel"),
    "people tidy": ("", "nothing of the panel"),
    "prepare": (
        "agreed_reason assignment attendance award_taken_up decision interest panel score score_lock seat "
        "sitting sitting_application sitting_close sitting_seed",
        "a first start loads the demo, whose invented members act from their own seats; production has no "
        "demo"),
    "replay": (
        "agreed_reason assignment attendance award_taken_up decision interest panel score score_lock seat "
        "sitting sitting_application sitting_close sitting_pot sitting_seed",
        "plays seats of a rehearsal, in a database and a log of its own that say so on every page"),
    "rehearsal": ("", "nothing of the panel"),
    "run": ("", "nothing of the panel"),
    "stop": ("", "nothing of the panel"),
}

ROLE_TAKERS = {
    "db.py": "the one function that does it, for a person who acts from a seat",
    "web/access.py": "the gate of pages marked `seat`, for whoever is signed in; the triggers ask whose seat it is",
    "replay/drive.py": "the rehearsal's and the demo's invented members, in a fund of their own",
}

#: Every guard on these tables besides `append_only`, which all of them but `seat` have.
GUARDS = """
    agreed_reason.by_chair assignment.own_panel attendance.by_holder award_taken_up.awarded capacity.no_seat
    decision.follows_rule decision.leaf_says_its_decision decision.with_its_close interest.said_by_holder
    interest_ruling.ruled_by_chair score.may_score score_lock.may_lock score_release.may_release score_reminder.apart
    seat.may_sit seat.one_way sitting.one_at_a_time sitting_application.eligible sitting_close.decides
    sitting_close.may_close sitting_pot.set_by_chair sitting_seed.committed withdrawal.before_decision
"""


# What was decided


def test_every_route_was_decided(app):
    found = {}
    for rule in app.url_map.iter_rules():
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            writes = frozenset() if method in SAFE_METHODS else tables_of_view(app, rule.endpoint)
            found[f"{method}:{rule.endpoint}"] = (mark_of(app, rule.endpoint).kind, writes)
    listed = {route: (mark, frozenset(tables.split())) for route, (mark, tables, _why) in ROUTES.items()}
    listed |= {route: (mark, frozenset()) for mark, routes in ROUTES_THAT_WRITE_NOTHING.items()
               for route in routes.split()}
    assert_same(found, listed, "ROUTES (or ROUTES_THAT_WRITE_NOTHING)")


def test_no_route_of_anybody_but_a_member_writes_what_a_panel_says(app):
    for endpoint in app.view_functions:
        if mark_of(app, endpoint).kind != "seat":
            assert not tables_of_view(app, endpoint) & SAID, endpoint


def test_every_action_was_decided():
    listed = {action: frozenset(tables.split()) for action, (tables, _why) in ACTIONS.items()}
    listed |= dict.fromkeys(ACTIONS_THAT_WRITE_NOTHING.split(), frozenset())
    assert_same(public_actions(), listed, "ACTIONS (or ACTIONS_THAT_WRITE_NOTHING)")


def test_every_job_was_decided(app):
    found = {name: writers()[f"{job.__module__}.{job.__name__}"] for name, job in JOBS.items()}
    assert_same(found, {name: frozenset(tables.split()) for name, (tables, _why) in JOBS_DECIDED.items()},
                "JOBS_DECIDED")
    assert not frozenset().union(*found.values()) & SAID


def test_every_command_was_decided():
    assert_same(commands(), {name: frozenset(tables.split()) for name, (tables, _why) in COMMANDS.items()}, "COMMANDS")


def assert_same(found, listed, where):
    """Fail with what nobody decided, what is gone, and what writes other tables than it was decided to."""
    new = {name: found[name] for name in found.keys() - listed.keys()}
    gone = sorted(listed.keys() - found.keys())
    other = {name: (found[name], listed[name]) for name in found.keys() & listed.keys() if found[name] != listed[name]}
    what = f"decide about it, with a reason, in {where} of {Path(__file__).name}"
    assert not new, f"new: {what}"
    assert not gone, f"gone: {what}"
    assert not other, f"writes other tables (found, listed): {what}"


def test_the_panels_role_is_taken_on_in_these_places_only():
    found = {str(path.relative_to(FUND)) for path in FUND.rglob("*.py")
             if re.search(r"act_from_a_seat\(|'fund_panel'", path.read_text())}
    assert found == ROLE_TAKERS.keys()


def test_what_each_role_may_do_to_each_table(session):
    found = {(role, table): privileges(session, role, table)
             for role in ("fund_app", "fund_common", "fund_panel") for table in PANEL}
    expected = {}
    for table in PANEL:
        common = "SELECT" if table in SAID else "INSERT" if table == "sitting_seed" else "SELECT INSERT"
        common += " UPDATE(code_accepted_at, ended_at, trained_at)" if table == "seat" else ""
        expected["fund_app", table] = expected["fund_common", table] = common
        expected["fund_panel", table] = (
            "SELECT INSERT" if table in SAID or table == "sitting_seed" else common)
    assert found == expected


def privileges(session, role, table):
    """The privileges of a role on a table, whether its own or inherited, and the columns that it may update."""
    held = [privilege for privilege in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
            if session.scalar(sa.text("SELECT has_table_privilege(:role, :table, :privilege)"),
                              {"role": role, "table": table, "privilege": privilege})]
    columns = session.scalars(sa.text(
        "SELECT attname FROM pg_attribute WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 "
        "AND NOT attisdropped AND has_column_privilege(:role, CAST(:table AS regclass), attnum, 'UPDATE') "
        "ORDER BY attname"),
        {"role": role, "table": table}).all()
    return " ".join(held + ([f"UPDATE({', '.join(columns)})"] if columns else []))


def test_who_can_sign_in_to_the_database_and_what_they_can_become(session):
    signs_in = session.scalars(sa.text(
        "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname LIKE 'fund%' ORDER BY rolname")).all()
    assert signs_in == ["fund_app", "fund_migrator"]
    becomes = session.execute(sa.text(
        "SELECT m.rolname, r.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid "
        "JOIN pg_roles m ON m.oid = a.member WHERE a.set_option AND m.rolname LIKE 'fund%' ORDER BY 1, 2")).all()
    # The owner is for migrations alone, and even the owner is refused by `append_only` (tests/panels/test_tables.py).
    assert becomes == [("fund_app", "fund_panel"), ("fund_migrator", "fund_owner")]


def test_nothing_in_the_database_writes_these_tables_with_the_owners_rights(session):
    sources = session.execute(sa.text("SELECT proname, prosrc FROM pg_proc WHERE prosecdef")).all()
    assert [name for name, source in sources if set(SQL_WRITES.findall(source)) & PANEL] == []


def test_every_guard_is_there_and_switched_on(session):
    found = session.execute(sa.text(
        "SELECT c.relname || '.' || t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND c.relname = ANY(:tables)"),
        {"tables": sorted(PANEL | {"withdrawal", "capacity"})}).scalars().all()
    permanent = {f"{table}.{name}" for table in PANEL - {"seat"} | {"withdrawal"}
                 for name in ("append_only", "append_only_all")}
    assert set(found) == permanent | set(GUARDS.split())


def test_no_page_of_a_member_opens_for_staff_and_nothing_that_they_send_is_kept(app, client, session):
    world = make_panels.make_world()
    doubt = make_panels.declare(world, world.seats[1], world.applications[0], "not_sure")
    values = {"reference": panels.card_of(world.applications[0]).reference, "sitting_id": world.sitting.id,
              "interest_id": doubt.id, "seat_id": world.chair.id, "position": 1, "file_id": doubt.id}
    sent = {"answer": "nothing", "points": "5", "reason": "x", "consequence": "none", "sure": "y", "agreed": "y",
            "pot": "400", **{f"reason_{n}": "x" for n in range(1, 5)}}
    pages = [(rule.build({name: values[name] for name in rule.arguments})[1], method)
             for rule in app.url_map.iter_rules() if mark_of(app, rule.endpoint).kind == "seat"
             for method in rule.methods & {"GET", "POST"}]
    assert len(pages) == 26
    before = rows_said(session)
    for capacity in sorted(STAFF):
        client.sign_in(make_staff(capacity))
        for address, method in pages:
            answer = client.get(address) if method == "GET" else client.post_form(address, sent)
            assert answer.status_code in {403, 404}, f"{capacity}: {method} {address}"
    assert rows_said(session) == before


def rows_said(session):
    """How many rows there are of everything that a panel says and what stands around it."""
    tables = sorted(PANEL - {"sitting_seed"})
    return dict(session.execute(sa.text(" UNION ALL ".join(f"SELECT '{t}', count(*) FROM {t}" for t in tables))).all())
