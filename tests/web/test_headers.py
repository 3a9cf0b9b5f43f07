"""What browsers are told to allow, what may be kept, and where a request may come from."""

import pytest


def policy(response) -> dict[str, str]:
    """The content security policy, by directive."""
    parts = response.headers["Content-Security-Policy"].split("; ")
    return {name: value for name, _space, value in (part.partition(" ") for part in parts)}


@pytest.mark.parametrize("path", ["/", "/no-such-page", "/sample/end/broken", "/static/no.css"])
def test_every_answer_has_the_headers(visitor, path):
    answer = visitor.get(path)
    said = policy(answer)
    assert said["default-src"] == "'none'"
    assert said["script-src"] == said["style-src"] == said["form-action"] == "'self'"
    assert said["frame-ancestors"] == said["base-uri"] == "'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_reading_sets_no_cookie(visitor):
    for path in ("/", "/about", "/privacy", "/sample/pieces", "/no-such-page"):
        assert "Set-Cookie" not in visitor.get(path).headers, path


def test_a_signed_in_page_is_never_kept(visitor, known):
    assert visitor.get("/").headers["Cache-Control"] == "private, no-cache"
    known(visitor, "Ana")
    assert visitor.get("/").headers["Cache-Control"] == "no-store"
    assert visitor.get("/sample/mine").headers["Cache-Control"] == "no-store"


def test_a_page_differs_by_cookie_and_language(visitor):
    said = {part.strip() for line in visitor.get("/").headers.getlist("Vary") for part in line.split(",")}
    assert said >= {"Cookie", "Accept-Language"}


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost.evil.example"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, {"Origin": ""},
])
def test_what_another_site_sends_is_refused_even_with_the_token(visitor, rows, headers):
    answer = visitor.post_form("/sample/end/well", {"story": "words"}, headers=headers)
    assert answer.status_code == 403
    assert rows() == []
    assert "words" not in answer.text


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"},
                                     {"Sec-Fetch-Site": "none"}])
def test_what_our_own_pages_send_is_taken(visitor, headers):
    assert visitor.post_form("/sample/end/well", headers=headers).status_code == 303


def test_another_sites_link_may_lead_here(visitor):
    assert visitor.get("/", headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://x.example"}).status_code == 200
