"""What prices did: the Consumer Prices Index, typed in, and what past gifts are worth in today's money. Pure.

Source: Office for National Statistics, series D7BT, "CPI INDEX 00: ALL ITEMS 2015=100" (data set MM23), monthly, not
seasonally adjusted, not revised in the ordinary way. Licence: Open Government Licence v3.0; contains public sector
information. September 2024 to April 2025 were read in the ONS bulletin "Consumer price inflation, UK: September 2025",
the others in copies of the series that agree with it and with each other. Later months are recorded by the fund itself
(`price_month`), one after the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from fund.kernel.reasons import Reason
from fund.kernel.words import _

SERIES = "ONS D7BT, CPI all items, 2015=100"

#: In tenths, January first; the first line is December alone.
_TYPED = {
    2016: "- - - - - - - - - - - 1019",
    2017: "1014 1021 1025 1029 1033 1033 1032 1038 1041 1042 1046 1049",
    2018: "1044 1049 1050 1054 1058 1058 1058 1065 1066 1067 1070 1071",
    2019: "1063 1068 1070 1076 1079 1079 1079 1084 1085 1083 1085 1085",
    2020: "1082 1086 1086 1085 1085 1086 1091 1086 1091 1091 1089 1092",
    2021: "1090 1091 1094 1101 1108 1113 1113 1121 1124 1136 1145 1151",
    2022: "1149 1158 1171 1200 1208 1218 1225 1231 1238 1262 1267 1272",
    2023: "1264 1279 1289 1304 1313 1315 1309 1313 1320 1320 1317 1322",
    2024: "1315 1323 1330 1335 1339 1341 1338 1343 1342 1350 1351 1356",
    2025: "1354 1360 1365 1382 1384 1389 1390 1393 1393 1398 1395 1401",
    2026: "1395 1401 1410 1421 1424",
}

#: The index in tenths, by the first day of its month.
INDEX: dict[date, int] = {date(year, month, 1): int(tenths) for year, typed in _TYPED.items()
                          for month, tenths in enumerate(typed.split(), 1) if tenths != "-"}
LAST_MONTH = max(INDEX)


@dataclass(frozen=True, slots=True)
class Level:
    """The index of a month, in tenths."""

    month: date
    tenths: int


def month_of(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def months_before(month: date, months: int) -> date:
    """The month so many months before."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


Index = Mapping[date, int]


def latest_known(on: date, index: Index = INDEX) -> Level | None:
    """The latest index that was surely published by a day; None where the table begins later.

    A month's index comes out about the third week of the month after, so by the end of that month it is known: on
    1 April that is February's. A rule without the days of publication gives everybody the same month.
    """
    month = min(months_before(month_of(on), 2), max(index))
    return Level(month, index[month]) if month in index else None


def year_ago(level: Level, index: Index = INDEX) -> Level | None:
    """The index of the same month a year before; None where the table begins later."""
    month = months_before(level.month, 12)
    return Level(month, index[month]) if month in index else None


@dataclass(frozen=True, slots=True)
class Gifts:
    """What came in as capital in a month, and what it is worth in the money of the latest known month.

    `tenths` is the index of the month, 0 where prices are not known to have moved since: the month is later than the
    latest known one, or earlier than the table, and the gift then counts at its pounds of the day.
    """

    month: date
    capital_pence: int
    tenths: int
    floor_pence: int


def floor_of(gifts: Iterable[tuple[date, int]], latest: Level | None, index: Index = INDEX) -> list[Gifts]:
    """The real value of all that was ever given, month by month: floor = Σ giftᵢ · CPI(latest) / CPI(month of giftᵢ).

    Each month is rounded up to the penny, so rounding never favours spending. `gifts` are (day, pence); what was
    entered by mistake comes with a minus on the day of the mistake. PRACTICE 2.4; the purpose is to keep present and
    future beneficiaries even, as section 104A of the Charities Act 2011 and the Charities (Total Return) Regulations
    2013 ask of each allocation.
    """
    by_month: dict[date, int] = {}
    for day, pence in gifts:
        by_month[month_of(day)] = by_month.get(month_of(day), 0) + pence
    found = []
    for month, pence in sorted(by_month.items()):
        tenths = index.get(month, 0) if latest is not None and month < latest.month else 0
        worth = pence if not tenths or latest is None else -(-pence * latest.tenths // tenths)
        if pence:
            found.append(Gifts(month, pence, tenths, worth))
    return found


def reasons_not_to_record_price(month: date, tenths: int, last: Level, earlier: Level, today: date) -> list[Reason]:
    """Give every reason why the index of a month may not be recorded: months come one after the other
    (`prices_in_order` in the database), when they are over, and each is within a tenth of one of the last two
    known (`price_near_the_last`): it stands for ever, so a slip of a digit has to be seen now."""
    reasons, next_month = [], months_before(last.month, -1)
    if month != next_month:
        reasons.append(Reason("prices_in_order", _("The next month to record is %(month)s.",
                                                   month=f"{next_month:%Y-%m}")))
    if month >= month_of(today):
        reasons.append(Reason("not_over", _("That month is not over yet.")))
    if type(tenths) is not int or not 100 <= tenths <= 1_000_000:
        reasons.append(Reason("ck_price_month_tenths", _("Write the index with one decimal, like 142.4.")))
    elif not any(9 * known.tenths <= 10 * tenths <= 11 * known.tenths for known in (last, earlier)):
        reasons.append(Reason("price_near_the_last", _(
            "That is more than a tenth away from the month before, which is %(last)s. Check it.",
            last=f"{last.tenths / 10:.1f}")))
    return reasons
