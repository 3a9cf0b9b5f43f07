"""Money and time as people read them: London's time, both languages."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from markupsafe import Markup

from fund.kernel.errors import Broken
from fund.web import filters
from fund.web.filters import labelled


@pytest.mark.parametrize(("at", "reads"), [
    (datetime(2027, 3, 14, 12, tzinfo=UTC), "14 March 2027, noon"),
    (datetime(2027, 3, 14, 0, tzinfo=UTC), "14 March 2027, midnight"),
    (datetime(2027, 7, 1, 11, tzinfo=UTC), "1 July 2027, noon"),  # summer time
    (datetime(2027, 7, 1, 23, 30, tzinfo=UTC), "2 July 2027, 12:30am"),
    (datetime(2027, 1, 1, 16, 5, tzinfo=UTC), "1 January 2027, 4:05pm"),
    (datetime(2027, 1, 1, 9, tzinfo=timezone(timedelta(hours=-5))), "1 January 2027, 2pm"),
    (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "25 October 2026, 1:30am"),  # the hour that comes twice
    (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "25 October 2026, 1:30am"),
    (None, ""),
])
def test_a_moment_is_said_in_londons_time(at, reads):
    assert filters.moment(at) == reads


def test_a_date_is_a_day_in_london():
    assert filters.date(date(2027, 3, 4)) == "4 March 2027"
    assert filters.date(datetime(2027, 6, 30, 23, 30, tzinfo=UTC)) == "1 July 2027"
    assert filters.date(None) == ""


def test_a_moment_without_a_zone_is_our_fault():
    with pytest.raises(Broken):
        filters.moment(datetime(2027, 1, 1))


def test_templates_have_them(app):
    draw = app.jinja_env.from_string("{{ 123456 | pounds }} {{ 120000 | exact_pounds }} {{ day | date }}")
    assert draw.render(day=date(2027, 3, 14)) == "£1,234.56 £1,200.00 14 March 2027"


def test_the_cells_of_a_wide_table_bear_the_names_of_their_columns():
    head = '<thead><tr><th scope="col">Who</th><th>When <b>&amp;</b> where</th><th>How much</th></tr></thead>'
    body = '<tbody><tr><th scope="row">A</th><td class="x">today</td><td>£1</td></tr></tbody>'
    made = labelled(Markup(head + body + '<tfoot><tr><th colspan="2">Together</th><td>£1</td></tr></tfoot>'))
    assert '<th scope="row">A</th><td class="x" data-label="When &amp; where">today</td>' in made
    assert made.count('<td data-label="How much">£1</td>') == 2
    narrow = "<thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody>"
    assert labelled(narrow) == narrow
