"""The official files as they are published: which file it is, which columns count, and which rows are wrong.

Pure. A file is read in blocks; a block whose every row has the right shape is taken at the speed of one regular
expression, and a block with a wrong row is read again row by row, so that each wrong row is named by its number in the
file (the heading is row 1) with what would be right.
"""

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Any, NamedTuple, TextIO

from fund.kernel.errors import BadInput
from fund.kernel.words import _

BLOCK = 1 << 17
MOST_BAD_ROWS = 20

ONS = "Office for National Statistics"
OGL = "Open Government Licence v3.0"
CNI_LICENCE = "Not stated by its publisher (OCSI and Local Trust): treat as unverified"

LSOA = r"[EW]01[0-9]{6}"
WARD = r"[EW]05[0-9]{6}"
# No tab, backslash or drawn line: drawn lines come of a wrong decoding, which the slow reading mends.
_NAME = "[^\t\n\r\\\\\u2500-\u257f]{1,120}"
_PLAIN_NAME = _NAME.replace("[^", '[^,"')
POSTCODE = r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}"


class Column(NamedTuple):
    """A column that counts: its heading, the shape of its cells, and what to tell who got one wrong."""

    heading: str
    shape: str
    right: str


@dataclass(frozen=True, slots=True)
class Format:
    """One official file: how to know it by its heading, what it holds, and where it is from.

    `area` is the place in `columns` of the code of a small area that must be known already; None when there is none.
    """

    name: str
    kind: str
    version: str
    as_of: date
    source: str
    licence: str
    columns: tuple[Column, ...]
    area: int | None = None
    out_of: int | None = None


class BadRow(NamedTuple):
    """One wrong row: its number in the file, the column, what stands there, and what would be right."""

    row: int
    column: str
    found: str
    right: str


def _lsoa(heading: str) -> Column:
    return Column(heading, LSOA, "the code of a small area (LSOA), such as E01004841")


def _ward(heading: str) -> Column:
    return Column(heading, WARD, "the code of a ward, such as E05014834")


def _ward_or_nothing(heading: str) -> Column:
    return Column(heading, f"(?:{WARD})?", "the code of a ward, such as E05014834, or nothing")


def _name(heading: str) -> Column:
    return Column(heading, _NAME, "a name of at most 120 letters")


def _rank(heading: str) -> Column:
    return Column(heading, r"[1-9][0-9]{0,5}", "a rank: a whole number from 1")


def _score(heading: str) -> Column:
    return Column(heading, r"[0-9]{1,4}(?:\.[0-9]{1,3})?", "a score with at most three decimals, such as 93.207")


def _grid(heading: str) -> Column:
    return Column(heading, "-?[0-9]{1,9}", "a whole number on the grid of the drawings")


_POSTCODE = Column("postcode", POSTCODE, "a postcode, such as BL1 5SF")

FORMATS = (
    Format("lsoa21_ward24", "areas", "2024", date(2024, 12, 1),
           f"{ONS}: small areas (2021) to wards and districts (2024), best fit", OGL,
           (_lsoa("lsoa21_code"), _name("lsoa21_name"), _ward("ward24_code"), _name("ward24_name"),
            Column("ltla24_code", r"[EW]0[6-9][0-9]{6}", "the code of a district, such as E08000001"),
            _name("ltla24_name"))),
    Format("imd2025", "imd", "2025", date(2025, 10, 30),
           "Ministry of Housing, Communities and Local Government: English Indices of Deprivation 2025", OGL,
           (_lsoa("lsoa21_code"), _rank("IMD_rank"),
            Column("IMD_decile", r"(?:[1-9]|10)", "a tenth, from 1 to 10"), _score("IMD_score")),
           area=0, out_of=33_755),
    Format("cni2023", "cni", "2023", date(2023, 12, 1),
           "OCSI and Local Trust: Community Needs Index 2023", CNI_LICENCE,
           (_lsoa("lsoa21_code"), _rank("Community Needs Index 2023 Rank"),
            _score("Community Needs Index 2023 Score")), area=0, out_of=33_755),
    Format("census2021", "residents", "2021", date(2021, 3, 21), f"{ONS}: Census 2021, usual residents", OGL,
           (_lsoa("lsoa21_code"), Column("residents", r"[0-9]{1,6}", "a whole number of people")), area=0),
    Format("lsoa11_lsoa21", "areas_2011", "2011-2021", date(2022, 12, 1),
           f"{ONS}: small areas of 2011 to small areas of 2021, exact fit", OGL,
           (_lsoa("lsoa11_code"), _lsoa("lsoa21_code"),
            Column("change_code", "[USMX]", "U, S, M or X (unchanged, split, merged, irregular)")), area=1),
    Format("cni2019_wards", "earlier_list", "2019", date(2019, 9, 1),
           "OCSI and Local Trust: the 225 'left behind' wards of 2019", CNI_LICENCE,
           (_ward("ward17_code"), _name("ward17_name"),
            Column("Left Behind Area?", "(?:TRUE|FALSE)", "TRUE or FALSE"))),
    Format("postcodes_official", "postcodes", "ONSPD", date(2025, 2, 1),
           f"{ONS}: Postcode Directory (contains Ordnance Survey, Royal Mail and National Statistics data)", OGL,
           (_POSTCODE, _lsoa("lsoa_code"), _ward("ward_code")), area=1),
    Format("postcodes_by_point", "postcodes", "by point in area", date(2018, 8, 1),
           f"{ONS}: Postcode Directory of 2018, each point placed in the small areas of 2021", OGL,
           (_POSTCODE, _lsoa("lsoa21_code"), _ward("ward23_code"), _ward_or_nothing("ward17_code")), area=1),
    Format("lsoa21_outlines", "outlines", "2021", date(2021, 12, 1),
           f"{ONS}: outlines of small areas (2021), simplified (contains Ordnance Survey data)", OGL,
           (_lsoa("lsoa21_code"), _grid("west"), _grid("north"), _grid("east"), _grid("south"),
            Column("path", r"[-MmLlZz0-9 ]{5,20000}", "the path of a drawing")), area=0),
)

def recognise(heading: str) -> Format | None:
    """Which official file begins with this line; None when we know none that does."""
    names = set(_cells(heading.lstrip("\ufeff")))
    for form in FORMATS:
        if names >= {column.heading for column in form.columns}:
            return form
    return None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], strict=True), [])
    except csv.Error:
        return []


def rows(form: Format, text: TextIO, known: set[str] | None = None) -> Iterator[list[tuple[str, ...]]]:
    """Read a file in lists of rows, each a tuple of the cells that count, in the order of `form.columns`.

    `text` is opened with `newline=""`. With `known`, the codes of the small areas that we have, a row of another area
    is wrong. Raises BadInput that names the wrong rows (at most twenty) after reading to the end.
    """
    heading = _cells(text.readline().lstrip("\ufeff"))
    fast = re.compile(_row_shape(form, heading), re.MULTILINE | re.ASCII)
    bad: list[BadRow] = []
    number, rest = 2, ""
    while block := text.read(BLOCK):
        block, rest = _whole_lines(rest + block)
        good, number = _read(form, heading, fast, block, number, known, bad)
        if good and not bad:
            yield good
    if rest:
        good, number = _read(form, heading, fast, rest + "\n", number, known, bad)
        if good and not bad:
            yield good
    if bad:
        raise BadInput(_say(bad), row=bad[0].row)


def _whole_lines(block: str) -> tuple[str, str]:
    cut = block.rfind("\n") + 1
    return block[:cut], block[cut:]


def _row_shape(form: Format, heading: Sequence[str]) -> str:
    """The regular expression of a good row without quotes, its groups in the order of the file's columns."""
    shapes = {column.heading: column.shape for column in form.columns}
    cells = [f"({shapes[name]})" if name in shapes else r'[^,"\n\r]*' for name in heading]
    return "^" + ",".join(cells).replace(_NAME, _PLAIN_NAME) + r"\r?\n"


def _read(form: Format, heading: Sequence[str], fast: re.Pattern[str], block: str, number: int,
          known: set[str] | None, bad: list[BadRow]) -> tuple[list[tuple[str, ...]], int]:
    """The rows of a block of whole lines, and the number of the row after it; wrong rows are added to `bad`."""
    lines = block.count("\n")
    found: list[tuple[str, ...]] = fast.findall(block)
    wanted = [column.heading for column in form.columns]
    in_file = [name for name in heading if name in wanted]
    if len(found) == lines:
        if in_file != wanted:
            found = list(map(itemgetter(*map(in_file.index, wanted)), found))
        if known is None or form.area is None or known.issuperset(map(itemgetter(form.area), found)):
            return found, number + lines
    return _read_slowly(form, heading, block, number, known, bad), number + lines


def _read_slowly(form: Format, heading: Sequence[str], block: str, number: int,
                 known: set[str] | None, bad: list[BadRow]) -> list[tuple[str, ...]]:
    pick = itemgetter(*(heading.index(column.heading) for column in form.columns))
    good = []
    for offset, line in enumerate(block.split("\n")[:-1]):
        cells = _cells(line)
        if len(cells) != len(heading):
            wrong = BadRow(number + offset, "", f"{len(cells)} columns", f"{len(heading)} columns")
        else:
            row = tuple(map(_mended, pick(cells)))
            found = _first_wrong(form, row, known)
            if found is None:
                good.append(row)
                continue
            wrong = found._replace(row=number + offset)
        if len(bad) < MOST_BAD_ROWS:
            bad.append(wrong)
    return good


def _first_wrong(form: Format, row: Sequence[str], known: set[str] | None) -> BadRow | None:
    for column, cell in zip(form.columns, row, strict=True):
        if re.fullmatch(column.shape, cell, re.ASCII) is None:
            return BadRow(0, column.heading, cell[:40], column.right)
    if known is not None and form.area is not None and row[form.area] not in known:
        return BadRow(0, form.columns[form.area].heading, row[form.area],
                      "a small area of the look-up of wards, loaded before this file")
    return None


def _mended(cell: str) -> str:
    """A name whose UTF-8 was once read as DOS text (`Llandyg├íi`), as it was meant (`Llandygái`)."""
    if not re.search("[\u2500-\u257f]", cell):
        return cell
    try:
        return cell.encode("cp437").decode("utf-8")
    except UnicodeError:
        return cell


def _say(bad: Sequence[BadRow]) -> str:
    """All the wrong rows in one message."""
    most = _(" These are the first; there may be more.") if len(bad) >= MOST_BAD_ROWS else ""
    return _("Nothing was loaded, because these rows are wrong.") + most + "".join(
        "\n" + (_("Row %(row)s, column %(column)s: “%(found)s” should be %(right)s.", **wrong._asdict()) if wrong.column
                else _("Row %(row)s has %(found)s and should have %(right)s.", **wrong._asdict()))
        for wrong in bad)


# Drawings: every outline lies on one grid for the whole country (Mercator's, about 4 metres a step in Britain, with y
# growing southwards), so that the outlines of neighbours meet and a page needs only a frame around some of them.
_STEPS = 1_000_000

Point = tuple[int, int]


def outlines(text: TextIO, known: set[str] | None = None) -> list[tuple[str, ...]]:
    """Read a GeoJSON file of small areas as rows of the format `lsoa21_outlines`.

    Raises BadInput for a file that is none, and names a feature that cannot be drawn by its number.
    """
    try:
        features = list(json.load(text)["features"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(_("This is not a GeoJSON file of areas.")) from error
    good, bad = [], []
    for number, feature in enumerate(features, start=1):
        try:
            code, drawn = feature["properties"]["area_code"], _drawn(feature["geometry"])
        except (KeyError, TypeError, ValueError, IndexError):
            bad.append(BadRow(number, "geometry", "?", _("a polygon with an area_code")))
            continue
        if re.fullmatch(LSOA, str(code)) is None or (known is not None and code not in known):
            bad.append(BadRow(number, "area_code", str(code)[:40], _("a small area of the look-up of wards")))
        else:
            good.append((code, *drawn))
    if bad or not good:
        raise BadInput(_say(bad[:MOST_BAD_ROWS]), row=bad[0].row if bad else None)
    return good


def _drawn(geometry: dict[str, Any]) -> tuple[str, ...]:
    """West, north, east, south and the path of a polygon or of several."""
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    rings = [ring for ring in (_on_the_grid(ring) for polygon in polygons for ring in polygon) if len(ring) > 3]
    xs = [x for ring in rings for x, _y in ring]
    ys = [y for ring in rings for _x, y in ring]
    return (str(min(xs)), str(min(ys)), str(max(xs)), str(max(ys)), "".join(map(_path, rings)))


def _on_the_grid(ring: Iterable[Sequence[float]]) -> list[Point]:
    """Longitudes and latitudes as steps of the grid, without points that fall on the one before."""
    points: list[Point] = []
    for longitude, latitude, *_height in ring:
        x = round(math.radians(longitude) * _STEPS)
        y = -round(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)) * _STEPS)
        if not points or points[-1] != (x, y):
            points.append((x, y))
    return points


def _path(ring: Sequence[Point]) -> str:
    """An SVG path: where it begins, then small steps, then closed."""
    (x, y), steps = ring[0], []
    for next_x, next_y in ring[1:-1]:
        steps.append(f"{next_x - x} {next_y - y}")
        x, y = next_x, next_y
    return f"M{ring[0][0]} {ring[0][1]}l" + " ".join(steps) + "z"
