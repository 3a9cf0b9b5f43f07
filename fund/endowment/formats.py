"""The endowment as a drawing and as files: numbers in, text or bytes out. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from fund.kernel.money import exact_pounds

#: The drawing's frame: as wide as a phone, so that its words stay readable there.
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 320, 230, 56, 12, 200


@dataclass(frozen=True, slots=True)
class Fan:
    """A fan chart: the band of 8 futures in 10, that of the middle half, the line of the middle, and the scale.

    `wide` and `middle` are the points of polygons, `median` those of a line; `marks` are (y, pounds) and `years`
    (x, year).
    """

    wide: str
    middle: str
    median: str
    marks: tuple[tuple[float, int], ...]
    years: tuple[tuple[float, int], ...]


def fan(shown_years: Sequence[int], bands: Sequence[Sequence[int]]) -> Fan:
    """The fan chart of what one rule spends: for each year shown, the pounds at five percentiles, the least first."""
    first, last = shown_years[0], shown_years[-1]
    top = _round_up(max(band[-1] for band in bands))

    def x(year: int) -> float:
        return round(LEFT + (WIDTH - LEFT - 6) * (year - first) / (last - first), 1)

    def y(pounds: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * pounds / top, 1)

    def line(percentile: int) -> list[str]:
        return [f"{x(year)},{y(band[percentile])}" for year, band in zip(shown_years, bands, strict=True)]

    return Fan(wide=" ".join(line(0) + line(4)[::-1]), middle=" ".join(line(1) + line(3)[::-1]),
               median=" ".join(line(2)),
               marks=tuple((y(top * part / 2), top * part // 2) for part in range(3)),
               years=tuple((x(year), year) for year in (1, 25, 50, 75, 100)))


def _round_up(pounds: int) -> int:
    """The next number of pounds that is easy to read on a scale: 2, 4 or 10 and noughts. At least 2."""
    scale = 1
    while scale * 10 < pounds:
        scale *= 10
    return next(scale * step for step in (2, 4, 10) if scale * step >= pounds)


def short_pounds(pounds: int) -> str:
    """An amount on a scale: `£2m`, `£400k`, `£20`."""
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if pounds >= size:
            return f"£{pounds / size:g}{letter}"
    return f"£{pounds}"


# A table as a file.

def csv_of(header: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]]) -> bytes:
    """A table of amounts as CSV (RFC 4180, UTF-8 with its mark, so that spreadsheets read Welsh letters).

    Amounts are plain numbers in pounds, `-12.30`. A name that a spreadsheet would run as a formula gets an apostrophe
    before it (OWASP, CSV injection); amounts are made here and hold digits, a point and a minus only.
    """
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    writer.writerow([_inert(cell) for cell in header])
    writer.writerows([_inert(name), *map(_plain, amounts)] for name, amounts in rows)
    return held.getvalue().encode("utf-8-sig")


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _plain(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}{abs(pence) // 100}.{abs(pence) % 100:02d}"


def pdf_of(title: str, notes: Sequence[str], header: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]],
           sums: Sequence[int], language: str) -> bytes:
    """A table of amounts as one page of PDF, A4 across; `sums` are the rows that are sums, by number.

    The same table gives the same bytes on any day.
    """
    held = io.BytesIO()
    page = Canvas(held, pagesize=landscape(A4), invariant=1, lang=language)
    page.setTitle(title)
    for name, file in (("Sans", "Vera.ttf"), ("Sans-Bold", "VeraBd.ttf")):
        registerFont(TTFont(name, file))
    across, down = landscape(A4)
    down -= 50
    _write(page, "Sans-Bold", 16, 40, down, title)
    for note in notes:
        down -= 18
        _write(page, "Sans", 9, 40, down, note)
    step, y = (across - 80 - 150) / len(header[1:]), down - 34
    _row(page, "Sans-Bold", y, step, header[0], header[1:], size=7.5)
    for number, (name, amounts) in enumerate(rows):
        page.line(40, y - 7, across - 40, y - 7)
        y -= 22
        _row(page, "Sans-Bold" if number in sums else "Sans", y, step, name, [exact_pounds(one) for one in amounts])
    page.showPage()
    page.save()
    return held.getvalue()


def _row(page: Canvas, font: str, y: float, step: float, name: str, cells: Sequence[str], size: float = 8.5) -> None:
    _write(page, font, size, 40, y, name)
    for number, cell in enumerate(cells, 1):
        _write(page, font, size, 190 + step * number - stringWidth(_bare(cell), font, size), y, cell)


#: Letters of Welsh that the font lacks: each is its bare letter with a circumflex drawn over it.
_HATS = {"ŵ": "w", "ŷ": "y", "Ŵ": "W", "Ŷ": "Y"}


def _bare(text: str) -> str:
    return "".join(_HATS.get(letter, letter) for letter in text)


def _write(page: Canvas, font: str, size: float, x: float, y: float, text: str) -> None:
    page.setFont(font, size)
    page.drawString(x, y, _bare(text))
    for place, letter in enumerate(text):
        if letter in _HATS:
            bare = _HATS[letter]
            over = x + stringWidth(_bare(text[:place]), font, size) + (
                stringWidth(bare, font, size) - stringWidth("ˆ", font, size)) / 2
            page.drawString(over, y + (size * 0.18 if bare.isupper() else 0), "ˆ")
