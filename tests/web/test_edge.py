"""One request, one transaction: committed for an answer of 200 to 399, never by a GET."""

import pytest
import sqlalchemy as sa

from fund.db import db, session
from fund.web import access


def test_what_ends_well_is_committed(visitor, rows):
    assert visitor.post_form("/sample/end/well").status_code == 303
    assert rows() == [1]


@pytest.mark.parametrize(("kind", "status"), [
    ("refused", 409), ("forbidden", 403), ("not-found", 404), ("stale", 409), ("bad-input", 422), ("outside", 503),
    ("broken", 500), ("status-422", 422), ("twice", 409), ("late-refusal", 409),
])
def test_what_ends_otherwise_leaves_nothing(visitor, rows, kind, status):
    assert visitor.post_form(f"/sample/end/{kind}").status_code == status
    assert rows() == []


def test_a_get_cannot_write_whatever_its_view_does(visitor, rows):
    answer = visitor.get("/sample/end/writes-in-get")
    assert answer.status_code == 500
    assert rows() == []


def test_a_get_that_leaves_something_to_write_is_our_fault(visitor):
    assert visitor.get("/sample/end/dirty").status_code == 500


def test_after_a_get_the_same_connection_can_write(visitor, rows):
    visitor.get("/sample/end/writes-in-get")
    assert visitor.post_form("/sample/end/well").status_code == 303
    assert rows() == [1]


def test_a_page_without_a_query_asks_the_database_for_nothing(visitor, site):
    asked = []
    with site.app_context():
        sa.event.listen(db.engine, "checkout", lambda *_: asked.append(1))
    visitor.get("/about")
    visitor.get("/sample/form")
    assert asked == []


def test_inside_a_tests_own_transaction_a_get_cannot_write_either(client, app, monkeypatch):
    def write():
        session.execute(sa.text("CREATE TABLE x (a int)"))
        return ""

    monkeypatch.setitem(app.view_functions, "portal.about", access.public(write))
    assert client.get("/about").status_code == 500
