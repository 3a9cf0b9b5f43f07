"""The pages of an application, as the volunteer, a stranger and an officer meet them."""

import re

import pytest
import sqlalchemy as sa

from fund.applications import actions, queries
from fund.applications.queries import pages
from fund.applications.rules import State
from fund.kernel.actor import Actor, Capacity
from tests.make import applications, people, rounds
from tests.make.applications import ANSWERS


@pytest.fixture
def volunteer(client):
    person = people.make_person(name="Sam Okoro")
    client.sign_in(person)
    return person


@pytest.fixture
def officer(client):
    person = people.make_staff(Capacity.OFFICER, name="Ola Officer")
    client.sign_in(person)
    return person


def applicant(person):
    return Actor(Capacity.APPLICANT, person.id)


def fields(**changed):
    """The page of costs as a browser sends it."""
    rows = changed.pop("rows", ANSWERS["costs"])
    return {"costs_what": [row["what"] for row in rows], "costs_amount": [row["amount"] for row in rows],
            "asked": ANSWERS["asked"], "least": ANSWERS["least"], "version": "1", "tab": "a", **changed}


def test_anybody_reads_every_question_the_weights_and_the_odds_before_beginning(client):
    round_ = rounds.published()
    applications.submitted(round_id=round_.id)
    page = client.get(f"/rounds/{round_.reference}").text
    for text in ("What will you spend the money on?", "Good for people here", "40", "Applications so far",
                 "Always open", "out of 100", "a lot that was fixed before anybody scored"):
        assert text in page
    assert client.get("/rounds/RND-0000-0000").status_code == 404


def test_a_person_who_is_not_signed_in_is_asked_to_and_comes_back(client):
    round_ = rounds.published()
    answer = client.get(f"/rounds/{round_.reference}/apply")
    assert answer.status_code == 302
    assert answer.location.endswith(f"/sign-in?next=/rounds/{round_.reference}/apply")


def test_a_few_people_apply_from_the_first_page_to_the_receipt(client, volunteer, session):
    round_ = rounds.published()
    assert "Begin" in client.get(f"/rounds/{round_.reference}/apply").text
    begun = client.post_form(f"/rounds/{round_.reference}/apply")
    here = begun.location
    assert "Who you are" in client.get(here).text
    assert client.post_form(f"{here}/who", {"who": "few"}).location == f"{here}/who/few"
    assert "receive the money for you" in client.get(f"{here}/who/few").text
    onward = client.post_form(f"{here}/who/few", {"name": "Neighbours of Elm Street"}).location
    assert onward == f"{here}/write/what"
    for page_id, sent in (
            ("what", {"title": ANSWERS["title"], "what": ANSWERS["what"]}),
            ("for-whom", {"for_whom": ANSWERS["for_whom"], "where": ANSWERS["where"]}),
            ("costs", fields()), ("duty", {"statutory_duty": "no"})):
        assert onward == f"{here}/write/{page_id}"
        version = re.search(r'name="version"[^>]*value="(\d+)"', client.get(onward).text).group(1)
        answer = client.post_form(onward, {**sent, "version": version, "tab": "one"})
        assert answer.status_code == 303, answer.text
        onward = answer.location
    assert onward == f"{here}/files"
    assert client.post_form(onward, {"do": "onward"}).location == f"{here}/check"
    page = client.get(f"{here}/check").text
    for text in ("What becomes public, and when", "Neighbours of Elm Street", "Two benches: £400", "Send it now"):
        assert text in page
    version = re.search(r'name="version"[^>]*value="(\d+)"', page).group(1)
    assert client.post_form(f"{here}/check", {"version": version}).location == f"{here}/received"
    assert client.post_form(f"{here}/check", {"version": version}).location == f"{here}/received"
    reference = here.rsplit("/", 1)[1]
    page = client.get(f"{here}/received").text
    assert reference in page
    whole = queries.application_for(volunteer.id, reference)
    assert whole.submission.sha256.hex() in page
    assert session.scalar(sa.text("SELECT count(*) FROM message WHERE template = 'application_submitted'")) == 1
    page = client.get(here).text
    assert "We check that it fits" in page
    assert "3 members of the panel score it" in page
    assert "Two benches" in client.get(f"{here}/copy").text
    for address in ("/who", "/who/few", "/write/what", "/files", "/check"):
        assert client.get(here + address).status_code == 303


@pytest.fixture
def draft(volunteer):
    return applications.draft(person_id=volunteer.id)


@pytest.mark.parametrize("typed", ["NaN", "1e5", "1_000", "４８０", "480.000", "-480", "9" * 5000, "£", "=1+1"])
def test_money_that_is_none_is_a_422_with_a_sentence_and_is_kept_as_typed(client, draft, typed):
    here = f"/applications/{draft.reference}/write/costs"
    answer = client.post_form(here, fields(asked=typed, version=str(draft.version)))
    assert answer.status_code == 422
    assert "There is something to mend" in answer.text
    assert queries.application(draft.id).values["asked"] == typed
    assert (typed.replace("+", "&#43;") in answer.text) or typed in answer.text


def test_words_that_need_mending_are_kept_and_shown_again_with_their_sentence(client, draft):
    here = f"/applications/{draft.reference}/write/what"
    long = "word " * 300
    answer = client.post_form(here, {"title": "", "what": long, "version": str(draft.version), "tab": "a"})
    assert answer.status_code == 422
    assert "Write at most 250 words. There are 300." in answer.text
    assert 'href="#title"' in answer.text
    assert long.strip() in answer.text
    assert queries.application(draft.id).values["what"] == long.strip()
    again = client.get(here + "?mend=1")
    assert again.status_code == 200
    assert "Write at most 250 words. There are 300." in again.text


@pytest.mark.parametrize("typed", ["a\x07b", "\x1b[31m", "a\x02b", "x\x7f"])
def test_characters_that_cannot_be_seen_are_taken_out_with_a_sentence(client, draft, typed):
    answer = client.post_form(f"/applications/{draft.reference}/write/what",
                              {"title": typed, "what": "Benches", "version": str(draft.version), "tab": "a"})
    assert answer.status_code == 422
    assert "characters in it that cannot be seen" in answer.text


@pytest.mark.parametrize("typed", ["<script>alert(1)</script>", "{{ 7 * 7 }}", "=cmd|' /C calc'!A0", "\u202eevil",
                                   "Z\u0337a\u0337l\u0337g\u0337o", "'; DROP TABLE application; --", "%(name)s",
                                   "аррӏе"])
def test_nasty_words_are_kept_and_shown_as_words_on_every_page(client, draft, officer, typed):
    person = applicant(people.make_person())
    made = applications.draft(person_id=person.person_id, answers={**ANSWERS, "title": typed, "what": typed})
    sent = actions.submit(person, made.id)
    page = client.get(f"/staff/applications/{sent.reference}").text
    assert "<script>alert" not in page
    assert sent.title == typed
    assert client.get("/staff/applications").status_code == 200


def test_cost_lines_are_added_and_taken_out_without_a_script(client, draft):
    here = f"/applications/{draft.reference}/write/costs"
    version = str(draft.version)
    added = client.post_form(here, fields(do="add", version=version))
    assert added.status_code == 303
    assert added.location == f"{here}#costs-3"
    assert len(queries.application(draft.id).values["costs"]) == 3
    taken = client.post_form(here, fields(do="remove-0", version=version))
    assert taken.location == f"{here}#costs"
    assert queries.application(draft.id).values["costs"] == ANSWERS["costs"][1:]
    page = client.get(here).text
    assert "Together £80" in page
    wrong = client.post_form(here, fields(rows=ANSWERS["costs"][1:], version=version))
    assert wrong.status_code == 422
    assert "Your lines add up to £80, but you ask for £480." in wrong.text
    for button in ("remove-9", "remove-x", "remove--1", "dance"):
        assert client.post_form(here, fields(do=button, version=version)).status_code == 303


@pytest.mark.parametrize("changed", [{"version": ""}, {"version": "1e5"}, {"version": "９"}, {"version": "9" * 30},
                                     {"costs_what": ["x"] * 60, "costs_amount": ["1"] * 60},
                                     {"costs_what": ["x"], "costs_amount": []}])
def test_a_form_that_is_not_ours_is_a_422_with_the_words_kept(client, draft, changed):
    answer = client.post_form(f"/applications/{draft.reference}/write/costs", fields(**changed))
    assert answer.status_code == 422
    assert "What you wrote" in answer.text


def test_another_window_that_changed_the_same_answer_shows_both_texts(client, draft):
    here = f"/applications/{draft.reference}/write/what"
    opened = str(draft.version)
    mine = {"title": "Mine", "what": ANSWERS["what"], "version": opened, "tab": "one"}
    assert client.post_form(here, mine).status_code == 303
    assert client.post_form(here, {**mine, "title": "Mine again"}).status_code == 303, "the same window saves again"
    answer = client.post_form(here, {**mine, "title": "Theirs", "tab": "two"})
    assert answer.status_code == 409
    assert "Mine again" in answer.text
    assert "Theirs" in answer.text
    assert queries.application(draft.id).values["title"] == "Mine again"


def test_autosave_keeps_the_page_and_leaves_the_rest(client, draft):
    answer = client.post_form(f"/applications/{draft.reference}/autosave/what",
                              {"title": "While I type", "what": "", "version": str(draft.version), "tab": "one"})
    assert answer.status_code == 204
    values = queries.application(draft.id).values
    assert (values["title"], values["where"]) == ("While I type", ANSWERS["where"])


def test_an_unfinished_application_lists_what_is_left_with_a_link_to_each_and_is_not_sent(client, volunteer):
    draft = actions.start(applicant(volunteer), rounds.published().id)
    here = f"/applications/{draft.reference}/check"
    page = client.get(here).text
    assert "Still to do before you can send it" in page
    assert "Send it now" not in page
    for link in ("/who", "/write/what?mend=1#title", "/write/duty?mend=1#statutory_duty"):
        assert f'href="/applications/{draft.reference}{link}"' in page
    answer = client.post_form(here, {"version": "1"})
    assert answer.status_code == 422
    assert queries.application(draft.id).state is State.DRAFT


def test_sending_what_changed_in_another_window_is_stale(client, draft):
    read = str(draft.version)
    actions.save(Actor(Capacity.APPLICANT, draft.applicant_id), draft.id, answers={"title": "Changed"})
    answer = client.post_form(f"/applications/{draft.reference}/check", {"version": read})
    assert answer.status_code == 409
    assert queries.application(draft.id).state is State.DRAFT


PAGES = ["", "/who", "/who/few", "/who/group", "/write/what", "/files", "/check", "/received", "/copy",
         "/files/00000000-0000-4000-8000-000000000000"]
POSTS = ["/who", "/who/few", "/write/what", "/autosave/what", "/files", "/check", "/withdraw"]


def test_somebody_elses_application_is_not_there_on_any_page(client, volunteer):
    draft, sent = applications.draft(), applications.submitted()
    for reference in (draft.reference, sent.reference, "APP-NONE"):
        for page in PAGES:
            assert client.get(f"/applications/{reference}{page}").status_code == 404, page
        for page in POSTS:
            assert client.post_form(f"/applications/{reference}{page}", {"version": "1"}).status_code == 404, page
    assert client.post_form(f"/rounds/{rounds.published().reference}/apply",
                            {"like": sent.reference}).status_code == 404


def test_a_page_or_a_group_kind_that_is_not_there_is_not_found(client, draft):
    for page in ("/write/nothing", "/who/gang", "/autosave/nothing"):
        assert client.get(f"/applications/{draft.reference}{page}").status_code in {404, 405}


def test_a_taken_back_application_says_so_and_its_words_begin_the_next(client, volunteer):
    sent = applications.submitted(person_id=volunteer.id)
    here = f"/applications/{sent.reference}"
    assert client.post_form(f"{here}/withdraw").status_code == 303
    assert "You took it back" in client.get(here).text
    begin = f"/rounds/{queries.application(sent.application_id).round.reference}/apply"
    assert f"With the words of “{sent.title}”" in client.get(begin).text
    new = client.post_form(begin, {"like": sent.reference}).location
    assert new != here
    assert sent.title in client.get(new).text
    assert client.get(begin).location == new


def test_your_applications_show_each_where_it_stands(client, volunteer):
    assert "You have no applications yet" in client.get("/applications").text
    applications.draft(person_id=volunteer.id)
    applications.submitted(person_id=volunteer.id)
    page = client.get("/applications").text
    assert "Not sent yet" in page
    assert "We check that it fits" in page


def test_nobody_but_an_officer_opens_the_queue(client, volunteer):
    sent = applications.submitted()
    for address in ("/staff/applications", f"/staff/applications/{sent.reference}"):
        assert client.get(address).status_code == 403
    assert client.post_form(f"/staff/applications/{sent.reference}", {"answer": "eligible"}).status_code == 403
    for capacity in (Capacity.APPROVER, Capacity.AUTHORISER, Capacity.TRUSTEE):
        client.sign_in(people.make_staff(capacity))
        assert client.get("/staff/applications").status_code == 403


def test_an_officer_checks_one_and_it_goes_to_the_panel(client, officer):
    sent = applications.submitted()
    assert sent.title in client.get("/staff/applications").text
    here = f"/staff/applications/{sent.reference}"
    assert client.post_form(here, {}).status_code == 422
    assert client.post_form(here, {"answer": "because"}).status_code == 422
    assert client.post_form(here, {"answer": "eligible"}).status_code == 303
    page = client.get(here).text
    assert "It is with the panel" in page
    assert "Say so" not in page
    assert client.post_form(here, {"answer": "twice"}).status_code == 409
    assert "Nothing waits to be checked" in client.get("/staff/applications").text
    assert "With the panel" in client.get("/staff/applications?all=1").text


def test_what_does_not_fit_gets_a_kind_letter_with_what_to_do_and_whom_to_call(client, officer, session):
    sent = applications.submitted()
    client.post_form(f"/staff/applications/{sent.reference}", {"answer": "statutory_duty"})
    values = session.scalar(sa.text("SELECT values FROM message WHERE template = 'application_not_eligible'"))
    assert values == {"reference": sent.reference, "reason": "statutory_duty", "phone": "0161 496 0000"}
    client.sign_in(people.queries.person(sent.applicant_id))
    page = client.get(f"/applications/{sent.reference}").text
    for text in ("A public body must do this by law anyway.", "apply for that part", "0161 496 0000",
                 "Start again with these words"):
        assert text in page


def test_an_officer_never_sees_a_draft_and_cannot_write_in_one(client, officer):
    draft = applications.draft()
    assert client.get(f"/staff/applications/{draft.reference}").status_code == 404
    assert client.post_form(f"/applications/{draft.reference}/write/what", {"version": "1"}).status_code == 404


def test_the_queue_is_paged_by_key(client, officer, monkeypatch):
    monkeypatch.setattr("fund.applications.views.staff.PAGE", 2)
    sent = [applications.submitted().reference for _number in range(3)]
    first = client.get("/staff/applications").text
    assert [reference in first for reference in sent] == [True, True, False]
    onward = re.search(r'rel="next" href="([^"]+)"', first).group(1).replace("&amp;", "&")
    second = client.get(onward).text
    assert [reference in second for reference in sent] == [False, False, True]
    for broken in ("x", "2026-01-01_x", "_", "2026-13-01T00:00:00_" + "0" * 32):
        assert client.get(f"/staff/applications?after={broken}").status_code == 422


@pytest.fixture
def count(app, session):
    """Counts the statements of one request."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "RESET ROLE", "SELECT set_config", "SET ")):
            seen.append(statement)

    def counted(get):
        session.commit()  # what the test did before waits for the end of its transaction, and is not counted
        seen.clear()
        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            assert get().status_code in {200, 303}
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)
        return list(seen)

    return counted


@pytest.mark.parametrize("page", ["/rounds/{round}", "/rounds/{round}/apply", "/applications", "/applications/{draft}",
                                  "/applications/{draft}/who", "/applications/{draft}/write/costs",
                                  "/applications/{draft}/files", "/applications/{draft}/check", "/applications/{sent}",
                                  "/applications/{sent}/received", "/applications/{sent}/copy"])
def test_a_page_costs_at_most_eight_queries(client, volunteer, count, page):
    round_ = rounds.published()
    sent = applications.submitted(person_id=volunteer.id)
    draft = applications.draft(person_id=volunteer.id)
    asked = count(lambda: client.get(page.format(round=round_.reference, draft=draft.reference, sent=sent.reference)))
    assert len(asked) <= 8, asked


@pytest.mark.parametrize("page", ["/staff/applications", "/staff/applications?all=1", "/staff/applications/{sent}"])
def test_an_officers_page_costs_at_most_eight_queries_however_many_there_are(client, officer, count, page):
    round_ = rounds.published()
    sent = applications.submitted(round_id=round_.id)
    for _number in range(5):
        applications.submitted(round_id=round_.id)
    asked = count(lambda: client.get(page.format(sent=sent.reference)))
    assert len(asked) <= 8, asked


def test_what_waits_is_said_to_whom_it_waits_for(session):
    person, officer = people.make_person(), people.make_staff(Capacity.OFFICER)
    draft = applications.draft(person_id=person.id)
    unfinished = actions.start(applicant(person), rounds.published().id)
    sent = applications.submitted(person_id=person.id)
    refused = applications.submitted(person_id=person.id)
    actions.check_eligibility(Actor(Capacity.OFFICER, officer.id), refused.application_id, eligible=False,
                              reason="twice")
    found = pages.waiting_for(person.id, frozenset())
    assert {(item.values["reference"], item.button) for item in found} == {
        (draft.reference, "Check and send"), (unfinished.reference, "Carry on"), (sent.reference, ""),
        (refused.reference, "Read why")}
    assert [item.whose for item in found if item.values["reference"] == sent.reference] == ["An officer of the fund"]
    found = pages.waiting_for(officer.id, frozenset({Capacity.OFFICER}))
    assert [(item.values["reference"], item.button) for item in found] == [(sent.reference, "Check it")]
    assert found[0].due_at == queries.application(sent.application_id).check_due_at
    for _number in range(3):
        applications.submitted()
    found = pages.waiting_for(officer.id, frozenset({Capacity.OFFICER}))
    assert [item.button for item in found] == ["Check it"] * 3 + ["See them all"]
