"""A panel's day in a real browser: say, read, score, lock, take part, agree, close; then the group reads it."""

from flask.sessions import SecureCookieSessionInterface

from fund.db import session
from fund.decisions import queries as decisions
from fund.panels import queries as panels
from fund.people.actions import start_session
from tests.browser.look import check
from tests.make import decisions as make_decisions
from tests.make import panels as make


def be(live, page, person_id):
    """Sign this browser in as somebody."""
    with live.app.app_context():
        key = str(start_session(person_id))
        session.commit()
        signer = SecureCookieSessionInterface().get_signing_serializer(live.app)
        cookie = signer.dumps({"_user_id": key, "_fresh": True})
    page.context.add_cookies([{"name": "fund", "value": cookie, "url": live.url}])


def test_a_panel_reads_scores_agrees_and_closes(live, page):
    with live.app.app_context():
        world = make.make_world()
        first, *others = world.readers(world.applications[0])
        for assignment in others:
            make.score(world, assignment, 2)
        reference = panels.card_of(world.applications[0]).reference
        reader, chair = world.seat(first.seat_id).person_id, world.chair.person_id
        applicant = panels.rows("SELECT applicant_id FROM application WHERE id = :id", id=world.applications[0])[0][0]
        sitting_id, panel_id = world.sitting.id, world.panel.id
        session.commit()
    be(live, page, reader)
    page.goto(f"{live.url}/panel")
    check(page, "panel-mine")
    page.get_by_role("link", name="Say if you know anyone").click()
    check(page, "panel-interest")
    page.get_by_role("button", name="Say so and go on").click()
    check(page, "panel-interest-empty")
    page.get_by_label("My family would use it").check()
    page.get_by_role("button", name="Say so and go on").click()
    check(page, "panel-application")
    page.get_by_role("link", name="Score it").click()
    for number in range(1, 5):
        page.get_by_label("2 –").check()
        if number == 1:
            page.get_by_role("button", name="Save and go on").click()
            check(page, "panel-score-empty")
            page.get_by_label("2 –").check()
        page.get_by_label("Why this number?").fill("The costs are not clear to me.")
        if number == 2:
            check(page, "panel-score")
        page.get_by_role("button", name="Save and go on").click()
    check(page, "panel-lock")
    page.get_by_role("button", name="Lock my scores").click()
    check(page, "panel-scores")
    with live.app.app_context():
        make_decisions.take_part(world, seats=[s for s in panels.seats_of(panel_id) if s.person_id != chair][:6])
        session.commit()
    be(live, page, chair)
    page.goto(f"{live.url}/panel/sittings/{sitting_id}/join")
    check(page, "decision-join")
    if page.get_by_label("I know nobody behind it").count():
        page.get_by_label("I know nobody behind it").check()
    page.get_by_role("button", name="Take part").click()
    check(page, "decision-sitting")
    page.get_by_role("link", name="Write down the panel’s reasons").click()
    for box in page.get_by_role("textbox").all():
        box.fill("We like the idea. The costs need a second look: ask three suppliers and come back.")
    check(page, "decision-reasons")
    page.get_by_role("button", name="Save the reasons").click()
    page.get_by_role("link", name="See what would be decided").click()
    check(page, "decision-close")
    page.get_by_label("I have read what will be decided").check()
    page.get_by_role("button", name="Close the sitting and decide").click()
    check(page, "decision-result")
    be(live, page, applicant)
    page.goto(f"{live.url}/applications/{reference}/decision")
    check(page, "decision-own")
    with live.app.app_context():
        decision = decisions.decision_of(world.applications[0])
    page.goto(f"{live.url}/decisions/{decision.id}")
    check(page, "decision-public")
    page.goto(f"{live.url}/decisions/rule")
    check(page, "decision-rule")
