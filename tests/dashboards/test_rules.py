"""What comes first on somebody's desk."""

from datetime import UTC, datetime

from fund.dashboards.rules import desk
from fund.kernel.waiting import Waiting


def one(sentence, *, button="Go", day=None):
    return Waiting(sentence, "portal.home", button=button, due_at=day and datetime(2027, 1, day, tzinfo=UTC))


def test_three_things_first_the_soonest_at_the_top_and_those_without_a_date_last():
    made = desk([one("d"), one("c", day=9), one("a", day=1), one("b", day=2)])
    assert [item.sentence for item in made.first] == ["a", "b", "c"]
    assert [item.sentence for item in made.then] == ["d"]


def test_what_has_no_button_is_for_others():
    made = desk([one("theirs", button="", day=1), one("mine")])
    assert [item.sentence for item in made.first] == ["mine"]
    assert [item.sentence for item in made.from_others] == ["theirs"]
