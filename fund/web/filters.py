"""Money, time and tables as people read them, in the language of the page and in London's time.

In templates: `{{ 123456 | pounds }}` £1,234.56 · `{{ 120000 | exact_pounds }}` £1,200.00 · `{{ day | date }}`
14 March 2027 · `{{ at | moment }}` 14 March 2027, noon. Other code imports the functions (the letters do).
"""

import re
from datetime import date as Date
from datetime import datetime

from flask import Flask
from markupsafe import Markup, escape

from fund.kernel.clock import LONDON
from fund.kernel.errors import Broken
from fund.kernel.money import exact_pounds, pounds
from fund.kernel.words import N_, _

MONTHS = (N_("January"), N_("February"), N_("March"), N_("April"), N_("May"), N_("June"), N_("July"), N_("August"),
          N_("September"), N_("October"), N_("November"), N_("December"))


def month_name(month: int) -> str:
    """The month's name in the reader's language."""
    return _(MONTHS[month - 1])


def date(value: Date | datetime | None) -> str:
    """`14 March 2027`; a moment is shown as its day in London; nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = _in_london(value)
    return f"{value.day} {month_name(value.month)} {value.year}"


def day_said(value: str) -> str:
    """`14 March 2027`, of a day as the record writes it: `2027-03-14`. Raises ValueError."""
    return date(Date.fromisoformat(value))


def month(value: Date | str) -> str:
    """`March 2027`, of a day in it or of a month as the record writes it: `2027-03`. Raises ValueError."""
    first = value if isinstance(value, Date) else Date.fromisoformat(f"{value}-01")
    return f"{month_name(first.month)} {first.year}"


def moment(value: datetime | None) -> str:
    """`14 March 2027, 4:05pm` in London's time; noon and midnight by name; nothing as nothing."""
    if value is None:
        return ""
    here = _in_london(value)
    return _("%(date)s, %(time)s", date=date(here), time=_clock(here))


def _clock(here: datetime) -> str:
    if here.minute == 0 and here.hour in {0, 12}:
        return _("noon") if here.hour else _("midnight")
    hour = here.hour % 12 or 12
    minutes = f":{here.minute:02d}" if here.minute else ""
    half = _("pm") if here.hour >= 12 else _("am")  # outside the f-string, where the catalogue's extractor sees it
    return f"{hour}{minutes}{half}"


_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_ROW_OR_CELL = re.compile(r"<(tr|th|td)\b([^>]*)>")
_COLSPAN = re.compile(r'colspan="([0-9]+)"')
FEWEST_TO_STACK = 3


def labelled(rows: str) -> Markup:
    """The rows of a table with its column's name in each cell (`data-label`), where there are three columns and more.

    A phone shows such a row as a small list.
    """
    head, end, body = str(rows).partition("</thead>")
    names = [f' data-label="{escape(Markup(name).striptags())}"'  # noqa: S704  it came out of a template
             for name in _HEADING.findall(head)]
    if not end or len(names) < FEWEST_TO_STACK:
        return Markup(rows)  # noqa: S704  it came out of a template
    column = 0

    def name(found: re.Match[str]) -> str:
        nonlocal column
        kind, attributes = found.groups()
        if kind == "tr":
            column = 0
            return found[0]
        label = names[column] if column < len(names) else ""
        span = _COLSPAN.search(attributes) if "colspan" in attributes else None
        column += int(span[1]) if span else 1
        return found[0] if kind == "th" or span else f"<td{attributes}{label}>"

    return Markup(head + end + _ROW_OR_CELL.sub(name, body))  # noqa: S704  the same, and what was added is escaped


def _in_london(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Broken("a moment without a time zone")
    return value.astimezone(LONDON)


def init_app(app: Flask) -> None:
    """Make them filters of every template."""
    app.jinja_env.filters.update(pounds=pounds, exact_pounds=exact_pounds, date=date, day_said=day_said,
                                 month=month, moment=moment, labelled=labelled)
