"""Each kind of error is a page with its status, that says what happened, what was kept and what to do."""

import pytest
import structlog

from tests.web.conftest import sample_app


@pytest.mark.parametrize(("kind", "status", "says"), [
    ("refused", 409, ["The evidence is not accepted yet.", "The bank has not been checked.", "Nothing was changed."]),
    ("forbidden", 403, ["This page is for somebody else"]),
    ("not-found", 404, ["We cannot find that page"]),
    ("stale", 409, ["Ana saved it at noon.", "A bench", "Two benches"]),
    ("bad-input", 422, ["Row 12:", "The postcode is too short."]),
    ("outside", 503, ["Something outside is not answering"]),
    ("broken", 500, ["Its number is"]),
    ("twice", 409, ["It would break one of the fund"]),
    ("late-refusal", 409, ["It would break one of the fund"]),
])
def test_each_kind_has_its_status_and_its_words(visitor, kind, status, says):
    answer = visitor.post_form(f"/sample/end/{kind}", {"story": "kept words"})
    assert answer.status_code == status
    for sentence in says:
        assert sentence in answer.text
    assert "secret detail" not in answer.text


@pytest.mark.parametrize("kind", ["bad-input", "outside", "broken"])
def test_what_was_typed_is_shown_again(visitor, kind):
    assert "kept words" in visitor.post_form(f"/sample/end/{kind}", {"story": "kept words"}).text


def test_a_refusal_by_the_database_is_logged_with_its_constraint(visitor):
    with structlog.testing.capture_logs() as logs:
        visitor.post_form("/sample/end/late-refusal")
    assert [(log["sqlstate"], log["constraint"]) for log in logs] == [("23503", "fk_sample_other")]


def test_the_number_on_the_page_is_the_number_in_the_log(visitor):
    with structlog.testing.capture_logs() as logs:
        answer = visitor.post_form("/sample/end/broken")
    assert logs[-1]["number"] in answer.text


def test_a_form_without_its_token_is_400_and_keeps_the_words(visitor, rows):
    answer = visitor.post("/sample/end/well", data={"story": "an hour's work"}, headers={"Origin": "http://localhost"})
    assert answer.status_code == 400
    assert "an hour&#39;s work" in answer.text
    assert "Send it again" in answer.text
    assert rows() == []


def test_a_form_of_unknown_origin_without_its_token_is_not_offered_again(visitor):
    answer = visitor.post("/sample/end/well", data={"story": "words"})
    assert answer.status_code == 400
    assert "Send it again" not in answer.text


def test_the_page_of_kept_words_can_be_sent_again(visitor, rows):
    page = visitor.post("/sample/end/well", data={"story": "words"}, headers={"Sec-Fetch-Site": "same-origin"})
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    again = visitor.post("/sample/end/well", data={"story": "words", "csrf_token": token})
    assert again.status_code == 303
    assert rows() == [1]


def test_a_script_gets_json_and_no_page(visitor):
    answer = visitor.post_form("/sample/end/refused", headers={"Accept": "application/json"})
    assert answer.status_code == 409
    assert answer.json["sentences"] == ["The evidence is not accepted yet.", "The bank has not been checked."]


def test_a_wrong_method_names_the_right_ones(visitor):
    answer = visitor.post_form("/sample/pieces")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_database_that_is_away_is_503_and_what_was_typed_is_shown(committed):
    app = sample_app(committed.replace("web_", "gone_"))
    client = app.test_client()
    answer = client.post_form("/sample/end/well", {"story": "kept words"})
    assert answer.status_code == 503
    assert "kept words" in answer.text
