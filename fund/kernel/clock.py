"""The only place that asks what time it is. Deadlines are decided by the database's clock, not by this one."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Today's date as a person in Britain would say it."""
    return datetime.now(LONDON).date()
