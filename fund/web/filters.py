"""Money and time as people read them, in the language of the page and in London's time.

In templates: `{{ 123456 | pounds }}` £1,234.56 · `{{ 120000 | exact_pounds }}` £1,200.00 · `{{ day | date }}`
14 March 2027 · `{{ at | moment }}` 14 March 2027, noon. Other code imports the functions (the letters do).
"""

from datetime import date as Date
from datetime import datetime

from flask import Flask

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


def _in_london(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise Broken("a moment without a time zone")
    return value.astimezone(LONDON)


def init_app(app: Flask) -> None:
    """Make them filters of every template."""
    app.jinja_env.filters.update(pounds=pounds, exact_pounds=exact_pounds, date=date, moment=moment)
