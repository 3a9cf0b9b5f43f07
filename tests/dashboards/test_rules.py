"""What comes first on somebody's desk."""

from datetime import UTC, datetime

import pytest

from fund.dashboards.rules import desk, pages_of
from fund.kernel.actor import Capacity
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


@pytest.mark.parametrize(("capacities", "is_member", "first", "has_grants"), [
    ([], False, "applications.mine", False), ([], True, "panels.mine", False),
    ([Capacity.OFFICER], False, "applications.queue", True), ([Capacity.TRUSTEE], False, "endowment.overview", True),
    ([Capacity.AUTHORISER, Capacity.APPROVER], False, "grants.release_queue", True),
])
def test_everybody_has_the_pages_that_they_come_back_to_each_once(capacities, is_member, first, has_grants):
    found = [page.endpoint for page in pages_of(capacities, is_member=is_member)]
    assert found[0] == first
    assert ("grants.all_grants" in found) is has_grants
    assert len(found) == len(set(found))
