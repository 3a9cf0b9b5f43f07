"""The authoriser's page of the bank's statements; every page that the client fetches is checked (tests/pages.py)."""

from fund.bank import actions
from fund.kernel.actor import Capacity
from fund.people.models import Person
from tests.counting import at_most
from tests.make.bank import make_report
from tests.make.people import make_staff

ADDRESS = "/statements"


def test_an_answer_that_could_not_be_read_is_on_the_page_until_it_is_read(client, session):
    client.sign_in(session.get_one(Person, make_staff(Capacity.AUTHORISER).id))
    heading, report = "Answers that we could not read", make_report("A file of nobody's")
    assert "No statement yet" in client.get(ADDRESS).text
    assert actions.keep_unread(report, why="It came too early.")
    assert not actions.keep_unread(report, why="It came too early, once more.")
    with at_most(page="the statements"):
        page = client.get(ADDRESS).text
    assert heading in page
    assert page.count("It came too early") == 1
    actions.read_message(report)
    assert heading not in client.get(ADDRESS).text
