"""A grant's way in a real browser: the group, the officer, the approver and the authoriser, each on their own pages."""

import uuid

from fund.bank import actions as bank
from fund.db import session
from fund.grants import actions, queries
from tests.browser.look import check
from tests.browser.test_panel import be
from tests.make.bank import make_statement
from tests.make.grants import PLAN, make_account, make_hands, make_offers
from tests.make.grants import check as passes


def test_from_the_offer_to_the_banks_line_and_back(live, page):
    with live.app.app_context():
        staff = make_hands()
        [made] = make_offers(1, staff=staff)
        reference, group = made.reference, made.group
        session.commit()
    be(live, page, group.person_id)
    page.goto(f"{live.url}/grants")
    check(page, "grants-mine")
    page.get_by_role("link", name="Read the offer").click()
    check(page, "grants-offer")
    page.get_by_role("button", name="Say yes and sign").click()
    check(page, "grants-offer-empty")
    page.get_by_label("How will you spend it?").fill(PLAN)
    page.get_by_label("I may sign for my group").check()
    page.get_by_role("button", name="Say yes and sign").click()
    check(page, "grants-signed")
    page.get_by_role("link", name="Say where the money goes").click()
    check(page, "grants-no-account")
    with live.app.app_context():
        account = make_account(made.organisation_id, by=group)
        passes(staff.officer, made.organisation_id, account.id)
        session.commit()
    page.reload()
    check(page, "grants-account")
    page.get_by_label("Alder Park Friends").check()
    page.get_by_role("button", name="Send it there").click()
    check(page, "grants-reading")

    be(live, page, staff.officer.person_id)
    page.goto(f"{live.url}/evidence")
    check(page, "evidence-queue")
    page.get_by_role("link", name="stage 1").click()
    check(page, "evidence")
    page.get_by_role("button", name="Send my answer").click()
    check(page, "evidence-empty")
    page.get_by_label("Yes, accept it").check()
    page.get_by_role("button", name="Send my answer").click()

    be(live, page, staff.approver.person_id)
    page.goto(f"{live.url}/releases")
    check(page, "release-queue")
    page.get_by_role("link", name="stage 1").click()
    check(page, "release")
    page.get_by_label("I have read what was promised").check()
    page.get_by_role("button", name="Approve £240").click()
    check(page, "release-queue-empty")

    be(live, page, staff.authoriser.person_id)
    page.goto(f"{live.url}/batches")
    check(page, "batches")
    page.get_by_role("button", name="Put them together").click()
    check(page, "batch")
    address = page.url
    page.get_by_role("link", name="Go on to authorise it").click()
    check(page, "batch-authorise")
    page.get_by_label("I have compared the total").check()
    page.get_by_role("button", name="Authorise £240.00").click()
    with live.app.app_context():
        stage = made.stage()
        bank.make_file(uuid.UUID(address.rsplit("/", 1)[1]))
        bank.read_message(make_statement([(True, stage.amount_pence, stage.end_to_end_id), (True, 9_99, None)]))
        session.commit()
    page.goto(address)
    check(page, "batch-settled")
    page.goto(f"{live.url}/statements")
    check(page, "statements")

    be(live, page, group.person_id)
    page.goto(f"{live.url}/grants/{reference}")
    check(page, "grants-paid")
    page.get_by_role("link", name="Show it").click()
    check(page, "grants-show")
    page.get_by_label("What happened?").fill("The benches stand. Ann sat down first. Come and see.")
    page.get_by_role("button", name="Send it").click()
    with live.app.app_context():
        actions.review_evidence(staff.officer, made.stage(2).evidence_id, accepted=False, words="Lovely. A photo?")
        bank.read_message(make_statement([(False, stage.amount_pence, stage.end_to_end_id)]))
        session.commit()
        assert queries.grant(reference).paid.paid_pence == 0
    page.goto(f"{live.url}/grants/{reference}")
    check(page, "grants-returned")
    be(live, page, staff.approver.person_id)
    page.goto(f"{live.url}/releases")
    check(page, "release-returned")
