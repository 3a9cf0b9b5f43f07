"""An evening's writing survives the end of a session: the letter brings it back to the page where it was typed."""

import html
import re

from fund.people import actions, queries
from tests.make import applications as make
from tests.make.people import make_person
from tests.people.test_views import ask_for_letter, link_of

STORY = "A bench\nfor <everyone> – & “neighbours” – Llŷn 💐"


def test_an_application_being_written_comes_back_word_for_word(app, client, letters):
    ana = make_person(email="ana@example.org")
    here = f"/applications/{make.draft(person_id=ana.id).reference}/write/what"
    client.sign_in(ana)
    name = re.search(r"<textarea[^>]* name=\"([^\"]+)\"", client.get(here).text)[1]
    actions.end_every_session(ana.id)
    refused = client.post_form(here, {name: STORY, "go": "on"})
    assert refused.status_code == 403
    field = html.unescape(re.search(r'name="kept" value="([^"]*)"', refused.text)[1])
    back = html.unescape(re.search(r'name="next" value="([^"]*)"', refused.text)[1])
    assert back == here
    ask_for_letter(client, next=back, kept=field)
    phone = app.test_client()
    assert phone.post_form(link_of(letters.newest_to("ana@example.org"))).location == here
    page = phone.get(here)
    assert "what you wrote is back" in page.text
    shown = re.search(rf'<textarea[^>]* name="{name}"[^>]*>(.*?)</textarea>', page.text, re.DOTALL)[1]
    assert html.unescape(shown).strip() == STORY
    assert phone.post_form(here, {name: "Another bench", "go": "on"}).status_code in {303, 422}


def test_words_of_one_person_are_not_shown_to_whoever_signs_in_next_on_the_device(client, letters):
    ask_for_letter(client, kept='{"path": "/profile", "fields": [["name", "Secret"]]}')
    assert client.post_form(link_of(letters.newest_to("ana@example.org"))).location == "/profile"
    assert "Secret" in client.get("/profile").text
    client.sign_in(make_person(name="Ben"))
    ask_for_letter(client, email="ben@example.org")
    client.post_form(link_of(letters.newest_to("ben@example.org")))
    assert "Secret" not in client.get("/profile").text


def test_words_are_put_back_only_into_pages_of_ours_and_never_into_another_page(client, letters, sql):
    ask_for_letter(client, next="/", kept='{"path": "/profile", "fields": [["email", "Secret"], ["name", "Secret"]]}')
    client.post_form(link_of(letters.newest_to("ana@example.org")))
    assert queries.person_with_email("ana@example.org").name == ""
    for path in ("/about", "/privacy"):
        assert "Secret" not in client.get(path).text
