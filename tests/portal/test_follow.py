"""Following a pound: what somebody typed that leads nowhere stays in the box, with a sentence beside it."""

import pytest


@pytest.mark.parametrize(("typed", "kept"), [
    ("GRT-NOPE", "GRT-NOPE"), ("'; drop", "&#39;; drop"), ("x" * 90, "x" * 40)])
def test_an_unknown_reference_is_kept_and_named_and_is_404(client, typed, kept):
    answer = client.get("/follow", query_string={"reference": typed}, follow_redirects=True)
    assert answer.status_code == 404
    assert "No payment, grant or decided application has this reference." in answer.text
    assert f'value="{kept}"' in answer.text


def test_without_a_reference_it_asks_for_one(client):
    page = client.get("/follow")
    assert page.status_code == 200
    assert "There is something to mend" not in page.text
