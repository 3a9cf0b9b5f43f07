"""What a group, an officer and an approver see and send, page by page."""

import io
import uuid

import pytest
import sqlalchemy as sa

from fund.bank import actions as bank
from fund.db import session as fund_session
from fund.grants import queries, rules
from fund.grants import queries as granted
from fund.grants.queries import lists
from fund.grants.queries.pages import waiting_for
from fund.kernel.actor import Actor, Capacity
from fund.people.models import Person
from tests.counting import at_most
from tests.make.bank import authorise, make_batch, make_statement, pay, send_back
from tests.make.grants import (
    PLAN,
    check,
    make_accepted,
    make_account,
    make_host,
    make_offers,
    make_payable,
    make_release,
    make_signed,
)
from tests.make.people import make_person, make_staff
from tests.standing import savepoint, standing

#: Grants at each point of their way: made once, each test in a savepoint of its own.
ready = {}


@pytest.fixture(scope="module")
def world(app):
    with standing(app) as connection:
        small = [480_00] * 6
        offer, signed, payable, accepted, hosted, released, large = make_offers(
            7, amount_pence=[*small, 900_00], up_front_below_pence=480_00)
        make_signed(signed)
        make_payable(payable)
        make_accepted(accepted)
        make_accepted(hosted, through_host=True)
        [release] = granted.releases([make_release(released)[1].id])
        make_signed(large)
        ready.update(offer=offer, signed=signed, payable=payable, accepted=accepted, hosted=hosted,
                     released=released, large=large, release=release)
        fund_session.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
        fund_session.execute(sa.text("SET CONSTRAINTS ALL DEFERRED"))
        yield connection


@pytest.fixture
def session(world):
    with savepoint(world):
        yield fund_session


@pytest.fixture
def browse(client):
    """`browse(actor)` signs that person in, and gives the client."""
    def sign_in(actor):
        client.sign_in(fund_session.get_one(Person, actor.person_id))
        return client

    return sign_in


@pytest.fixture
def stranger(client):
    def sign_in():
        client.sign_in(make_person())
        return client

    return sign_in


def test_a_group_reads_the_offer_signs_and_says_where_the_money_goes(session, browse):
    made = ready["offer"]
    address = f"/grants/{made.reference}"
    group = browse(made.group)
    assert "Read the offer" in group.get("/grants").text
    assert "£480" in group.get(address).text
    page = group.get(f"{address}/offer").text
    assert "Up front" in page
    assert group.post_form(f"{address}/offer", {"terms_version": rules.TERMS_VERSION}).status_code == 422
    kept = group.post_form(f"{address}/offer", {"terms_version": rules.TERMS_VERSION, "spending_plan": PLAN})
    assert kept.status_code == 422
    assert PLAN in kept.text
    signed = {"terms_version": rules.TERMS_VERSION, "spending_plan": PLAN, "agree": "y"}
    assert group.post_form(f"{address}/offer", signed).location == address
    assert group.post_form(f"{address}/offer", signed).status_code == 409
    assert "Say which account" in group.get(address).text
    assert "no account with us yet" in group.get(f"{address}/account").text
    account = make_account(made.organisation_id, by=made.group)
    page = group.get(f"{address}/account").text
    assert account.last_four in page
    assert group.post_form(f"{address}/account", {"account": "no/such"}).status_code == 422
    chosen = {"account": f"{made.organisation_id}/{account.id}"}
    assert group.post_form(f"{address}/account", chosen).location == address
    page = group.get(address).text
    assert "An officer of the fund does this." in page
    assert "not checked yet" in page
    assert account.last_four in page


def test_the_page_and_list_of_applications_lead_on_to_the_grant(session, browse):
    for name, words, onward in [("offer", "Your offer", "/offer"), ("signed", "Your grant", "/account"),
                                ("released", "Your grant", "")]:
        made = ready[name]
        group = browse(made.group)
        page = group.get(f"/applications/{made.grant.application_reference}")
        assert f'href="/grants/{made.reference}{onward}"' in page.text
        for text in (page.text, group.get("/applications").text):
            assert words in text
            assert "It is with the panel" not in text


@pytest.mark.parametrize("capacity", ["officer", "approver", "authoriser", "trustee"])
def test_staff_see_where_every_grant_stands(session, browse, capacity):
    staff = browse(Actor(Capacity(capacity), make_staff(Capacity(capacity)).id))
    with at_most(page="where every grant stands"):
        page = staff.get("/staff/grants").text
    assert "The group: Read the offer" in page
    for name, words in [("signed", "Say which account the money should go to"),
                        ("released", "The payment is approved")]:
        made = ready[name]
        with at_most(page=f"a grant, {name}"):
            one = staff.get(f"/staff/grants/{made.reference}").text
        assert made.grant.title in one
        assert words in one
    assert staff.get("/staff/grants/GRT-NONE").status_code == 404
    assert staff.get("/staff/grants?after=rubbish").status_code == 422


def test_a_grant_that_ended_or_is_paid_leaves_the_list_of_those_to_follow(session, browse):
    made = ready["offer"]
    browse(made.group).post_form(f"/grants/{made.reference}/decline", {"sure": "y"})
    [release] = granted.releases([ready["release"].id])
    pay(ready["released"].staff, release)
    open_now = {grant.reference for grant in lists.list_of_grants(most=500)}
    everything = lists.list_of_grants(unfinished=False, most=500)
    assert made.reference not in open_now
    assert ready["released"].reference in open_now  # its second stage is still to come
    assert {made.reference, *open_now} <= {grant.reference for grant in everything}
    first = lists.list_of_grants(unfinished=False, most=2)
    rest = lists.list_of_grants(unfinished=False, after=(first[-1].offered_at, first[-1].id), most=500)
    assert [grant.id for grant in first + rest] == [grant.id for grant in everything]


def test_nobody_else_sees_the_list_of_grants(session, browse):
    for address in ("/staff/grants", f"/staff/grants/{ready['offer'].reference}"):
        assert browse(ready["offer"].group).get(address).status_code == 403


def test_a_host_can_be_chosen_and_nobody_elses_account(session, browse):
    made = ready["signed"]
    host_id, account = make_host(made)
    other = make_account(host_id, account_number="11112222")
    address = f"/grants/{made.reference}/account"
    group = browse(made.group)
    assert group.post_form(address, {"account": f"{made.organisation_id}/{account.id}"}).status_code == 422
    assert group.post_form(address, {"account": f"{host_id}/{other.id}"}).status_code == 303
    assert "Elm Street Hall receives the money for you." in group.get(f"/grants/{made.reference}").text


def test_a_group_says_no(session, browse):
    made = ready["offer"]
    group = browse(made.group)
    address = f"/grants/{made.reference}/decline"
    assert group.post_form(address).status_code == 422
    assert group.post_form(address, {"sure": "y"}).status_code == 303
    assert "said no" in group.get(f"/grants/{made.reference}").text
    assert group.post_form(address, {"sure": "y"}).status_code == 409


def test_terms_that_changed_are_not_signed(session, browse):
    made = ready["offer"]
    answer = browse(made.group).post_form(f"/grants/{made.reference}/offer", {
        "terms_version": "older", "spending_plan": PLAN, "agree": "y"})
    assert answer.status_code == 409
    assert made.grant.signed_at is None


def test_other_peoples_grants_are_not_there(session, stranger):
    made = ready["payable"]
    somebody = stranger()
    for page in ("", "/offer", "/decline", "/account", "/stages/1/evidence"):
        assert somebody.get(f"/grants/{made.reference}{page}").status_code == 404
        assert somebody.post_form(f"/grants/{made.reference}{page}", {"sure": "y"}).status_code in {404, 405}
    assert made.reference not in somebody.get("/grants").text
    for page in ("/evidence", f"/evidence/{made.stage().evidence_id}", "/releases", f"/releases/{made.stage().id}",
                 "/batches", "/statements"):
        assert somebody.get(page).status_code == 403


def test_nobody_of_staff_acts_in_anothers_part(session, browse):
    made = ready["accepted"]
    evidence, stage = f"/evidence/{made.stage().evidence_id}", f"/releases/{made.stage().id}"
    for actor, pages in ((made.staff.approver, [evidence, "/batches"]), (made.staff.officer, [stage, "/batches"]),
                         (made.staff.authoriser, [evidence, stage])):
        for page in pages:
            assert browse(actor).get(page).status_code == 403
            assert browse(actor).post_form(page, {"sure": "y", "answer": "accept"}).status_code == 403


def test_an_officer_asks_for_more_and_then_accepts(session, browse):
    made = ready["payable"]
    officer = browse(made.staff.officer)
    first = f"/evidence/{made.stage().evidence_id}"
    assert first in officer.get("/evidence").text
    assert PLAN in officer.get(first).text
    assert officer.post_form(first).status_code == 422
    assert officer.post_form(first, {"answer": "more"}).status_code == 422
    assert officer.post_form(first, {"answer": "more", "words": "Which joiner? And when?"}).location == "/evidence"
    assert "asked for more" in officer.get(first).text
    group = browse(made.group)
    page = group.get(f"/grants/{made.reference}").text
    assert "asks for a little more" in page
    assert "Which joiner?" in page
    address = f"/grants/{made.reference}/stages/1/evidence"
    assert "Which joiner?" in group.get(address).text
    assert group.post_form(address, {"story": " "}).status_code == 422
    assert group.post_form(address, {"story": "Ann of Elm Joinery, in March."}).location == f"/grants/{made.reference}"
    assert group.post_form(address, {"story": "Again."}).status_code == 409
    officer = browse(made.staff.officer)
    second = f"/evidence/{made.stage().evidence_id}"
    assert officer.post_form(second, {"answer": "accept"}).location == "/evidence"
    assert officer.post_form(second, {"answer": "accept"}).status_code == 409
    assert second not in officer.get("/evidence").text


def test_a_photo_is_kept_and_shown_to_officers_and_the_group_alone(session, browse, stranger, monkeypatch):
    kept = {}
    monkeypatch.setattr("fund.documents.storage.put", lambda key, data, **_: kept.update({key: data}))
    monkeypatch.setattr("fund.documents.storage.read", lambda key: kept[key])
    made = ready["large"]
    group = browse(made.group)
    address = f"/grants/{made.reference}/stages/1/evidence"
    wrong = group.post_form(address, {"story": "It stands.", "first_file": (io.BytesIO(b"MZ\x00"), "bench.png")},
                            content_type="multipart/form-data")
    assert wrong.status_code == 422
    assert "It stands." in wrong.text
    assert made.stage().evidence_id is None
    sent = group.post_form(address, {"story": "It stands.", "first_file": (
        io.BytesIO(b"It stands. " * 9), "bench.txt")}, content_type="multipart/form-data")
    assert sent.status_code == 303
    page = group.get(f"/grants/{made.reference}").text
    assert "bench.txt" in page
    [file] = queries.evidence(made.stage().evidence_id).files
    photo = f"/grants/{made.reference}/files/{file['id']}"
    assert group.get(photo).data == b"It stands. " * 9
    assert group.get(photo).headers["Content-Disposition"].startswith("attachment")
    assert browse(made.staff.officer).get(photo).status_code == 200
    assert browse(made.staff.authoriser).get(photo).status_code == 404
    assert stranger().get(photo).status_code == 404


def test_an_approver_sees_everything_on_one_page_and_approves_once(session, browse):
    made = ready["hosted"]
    approver = browse(made.staff.approver)
    address = f"/releases/{made.stage().id}"
    assert address in approver.get("/releases").text
    page = approver.get(address).text
    officer = fund_session.get_one(Person, made.staff.officer.person_id).name
    for shown in (PLAN, officer, "Elm Street Hall, host of Alder Park Friends", made.grant.payee.last_four,
                  "The papers they showed"):
        assert shown in page
    assert approver.post_form(address).status_code == 422
    assert approver.post_form(address, {"sure": "y"}).location == "/releases"
    again = approver.post_form(address, {"sure": "y"})
    assert again.status_code == 409
    assert "paid once" in again.text
    assert "Take this payment back" in approver.get(address).text
    assert approver.post_form(f"{address}/withdraw").location == address
    assert "Approve £240" in approver.get(address).text


def test_an_approver_with_an_interest_reads_why_not(session, browse):
    made = ready["accepted"]
    from fund.organisations.actions import declare_staff_interest

    declare_staff_interest(made.staff.approver, made.organisation_id)
    approver = browse(made.staff.approver)
    assert "You have an interest" in approver.get(f"/releases/{made.stage().id}").text
    assert approver.post_form(f"/releases/{made.stage().id}", {"sure": "y"}).status_code == 409


def test_a_payment_is_followed_to_the_banks_reference(session, browse):
    made, release = ready["released"], ready["release"]
    group = browse(made.group)
    assert "goes to the bank" in group.get(f"/grants/{made.reference}").text
    pay(made.staff, release)
    page = browse(made.group).get(f"/grants/{made.reference}").text
    assert made.stage().bank_reference in page
    assert release.end_to_end_id in page
    assert "Line " in page
    assert "Show us what you did, for stage 2" in page


def test_both_sides_see_what_to_do_when_a_payment_comes_back(session, browse):
    made, release = ready["released"], ready["release"]
    pay(made.staff, release)
    send_back(release)
    page = browse(made.group).get(f"/grants/{made.reference}").text
    assert "The bank sent the payment back: the account is closed. Give us another account." in page
    address = f"/releases/{made.stage().id}"
    approver = browse(made.staff.approver)
    assert "The bank sent it back: the account is closed" in approver.get("/releases").text
    assert "must say again where the money should go" in approver.get(address).text
    assert approver.post_form(address, {"sure": "y"}).status_code == 409
    account = make_account(made.organisation_id, by=made.group)
    check(made.staff.officer, made.organisation_id, account.id, kinds=["bank_account"])
    group = browse(made.group)
    assert group.post_form(f"/grants/{made.reference}/account",
                           {"account": f"{made.organisation_id}/{account.id}"}).status_code == 303
    approver = browse(made.staff.approver)
    assert approver.post_form(address, {"sure": "y"}).location == "/releases"


PAGES = [("group", "/grants"), ("group", "/grants/{reference}"), ("group", "/grants/{reference}/offer"),
         ("group", "/grants/{reference}/account"), ("group", "/grants/{reference}/stages/2/evidence"),
         ("officer", "/evidence"), ("officer", "/evidence/{evidence}"), ("approver", "/releases"),
         ("approver", "/releases/{stage}"), ("authoriser", "/batches"), ("authoriser", "/batches/{batch}"),
         ("authoriser", "/batches/{batch}/authorise"), ("authoriser", "/statements")]


def test_a_page_costs_at_most_eight_queries(session, browse):
    made, release = ready["released"], ready["release"]
    batch = make_batch(made.staff, [release])
    names = {"reference": made.reference, "evidence": made.stage().evidence_id, "stage": made.stage().id,
             "batch": batch.id}
    who = {"group": made.group, "officer": made.staff.officer, "approver": made.staff.approver,
           "authoriser": made.staff.authoriser}
    for role, page in PAGES:
        client = browse(who[role])
        with at_most(8):
            assert client.get(page.format(**names)).status_code == 200


def test_what_waits_for_whom(session):
    made = ready["payable"]
    def sentences(actor, *capacities):
        return [one.sentence for one in waiting_for(actor.person_id, frozenset(capacities))]

    assert any("We read your agreement" in one for one in sentences(made.group))
    assert any("Read what Alder Park Friends sent" in one for one in sentences(made.staff.officer, Capacity.OFFICER))
    unread = len(sentences(made.staff.officer, Capacity.OFFICER))
    before = sentences(made.staff.approver, Capacity.APPROVER)
    from fund.grants import actions

    actions.review_evidence(made.staff.officer, made.stage().evidence_id, accepted=True)
    assert len(sentences(made.staff.officer, Capacity.OFFICER)) == unread - 1
    after = sentences(made.staff.approver, Capacity.APPROVER)
    assert len(after) == len(before) + 1
    assert any("Approve the payment" in one for one in after)


def test_the_authoriser_builds_authorises_and_reads_answers(session, browse):
    made, release = ready["released"], ready["release"]
    authoriser = browse(made.staff.authoriser)
    assert release.end_to_end_id in authoriser.get("/batches").text
    assert authoriser.post_form("/batches", {"execute_on": ["", "", ""]}).status_code == 422
    address = authoriser.post_form("/batches", {"execute_on": ["24", "11", "2026"]}).location
    page = authoriser.get(address).text
    assert "First payment ever to the account" in page
    confirm = authoriser.get(f"{address}/authorise").text
    assert "£240.00" in confirm
    batch_id = address.rsplit("/", 1)[1]
    facts = bank.queries.batch(uuid.UUID(batch_id)).facts
    seen = {"total_pence": facts.total_pence, "lines_sha256": facts.lines_sha256.hex()}
    assert authoriser.post_form(f"{address}/authorise", seen).status_code == 422
    for wrong in ({"total_pence": "1"}, {"lines_sha256": "00" * 32}):
        assert authoriser.post_form(f"{address}/authorise", {**seen, **wrong, "sure": "y"}).status_code == 409
    for wrong in ({"total_pence": "x"}, {"lines_sha256": "zz"}):
        assert authoriser.post_form(f"{address}/authorise", {**seen, **wrong, "sure": "y"}).status_code == 422
    assert authoriser.post_form(f"{address}/authorise", {**seen, "sure": "y"}).location == address
    assert authoriser.post_form(f"{address}/authorise", {**seen, "sure": "y"}).status_code == 409
    bank.make_file(uuid.UUID(batch_id))
    file = authoriser.post_form(f"{address}/file")
    assert file.mimetype == "application/xml"
    assert release.end_to_end_id.encode() in file.data
    assert "The bank has the file" in authoriser.get(address).text
    statement = make_statement([(True, release.amount_pence, release.end_to_end_id), (True, 999, "WHO")])
    assert authoriser.post_form("/statements", {"file": (io.BytesIO(b"<a/>"), "a.xml")},
                                content_type="multipart/form-data").status_code == 422
    assert authoriser.post_form("/statements", {"file": (io.BytesIO(statement), "a.xml")},
                                content_type="multipart/form-data").status_code == 303
    page = authoriser.get("/statements").text
    assert "Lines that match no payment" in page
    assert release.end_to_end_id in page
    assert "Every payment has ended." in authoriser.get(address).text


def test_a_batch_is_set_aside_and_its_payment_approved_again(session, browse):
    made, release = ready["released"], ready["release"]
    batch = make_batch(made.staff, [release])
    authoriser = browse(made.staff.authoriser)
    assert authoriser.post_form(f"/batches/{batch.id}/set-aside").status_code == 422
    assert authoriser.post_form(f"/batches/{batch.id}/set-aside", {"words": "Odd name."}).status_code == 303
    assert "Odd name." in authoriser.get(f"/batches/{batch.id}").text
    assert authoriser.get(f"/batches/{batch.id}/authorise").status_code == 200
    approver = browse(made.staff.approver)
    assert approver.post_form(f"/releases/{made.stage().id}", {"sure": "y"}).location == "/releases"


def test_an_authorised_batch_is_not_set_aside(session, browse):
    made, release = ready["released"], ready["release"]
    batch = make_batch(made.staff, [release])
    authorise(made.staff, batch.id)
    assert browse(made.staff.authoriser).post_form(f"/batches/{batch.id}/set-aside",
                                                   {"words": "Stop."}).status_code == 409
