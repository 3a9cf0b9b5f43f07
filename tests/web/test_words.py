"""English and Welsh: who gets which, on pages and in jobs."""

import pytest

from fund.kernel.words import _
from fund.web import assets, words


@pytest.fixture(scope="session", autouse=True)
def compiled():
    """The catalogues, compiled."""
    assets.build_words()


@pytest.mark.parametrize(("chosen", "wish", "language"), [
    (None, None, "en"), (None, "cy-GB,cy;q=0.9,en;q=0.5", "cy"), (None, "fr,de", "en"), ("en", "cy", "en"),
    ("cy", None, "cy"), ("xx", "cy", "cy"), ("../../etc", None, "en"),
])
def test_a_choice_stands_before_the_browsers_wish(client, chosen, wish, language):
    if chosen:
        client.set_cookie("language", chosen)
    assert f'<html lang="{language}"' in client.get("/", headers={"Accept-Language": wish} if wish else {}).text


def test_choosing_a_language_leads_back_to_the_page_and_is_remembered(client):
    answer = client.post("/language", data={"language": "cy", "next": "/about?x=1"})
    assert (answer.status_code, answer.location) == (303, "/about?x=1")
    assert '<html lang="cy"' in client.get("/about").text
    client.post("/language", data={"language": "en"})
    assert '<html lang="en"' in client.get("/about").text


@pytest.mark.parametrize("data", [{"language": "xx"}, {}, {"language": "cy", "next": "https://evil.example"}])
def test_an_odd_choice_leads_home(client, data):
    answer = client.post("/language", data=data)
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_choice_that_another_site_makes_is_refused(client):
    answer = client.post("/language", data={"language": "cy"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


def test_a_job_writes_in_the_persons_language(app):
    with app.app_context():
        with words.in_language("cy"):
            assert _("January") == "Ionawr"
        assert _("January") == "January"
        with words.in_language("xx"):
            assert _("January") == "January"


def test_words_without_an_application_are_english():
    assert _("January") == "January"
    assert _("Row %(row)s:", row=3) == "Row 3:"
