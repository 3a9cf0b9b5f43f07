"""The endowment as a drawing and as files: numbers in, text or bytes out. Pure."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase.pdfdoc import PDFArray, PDFDictionary, PDFName
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


Rows = Sequence[tuple[str, Sequence[int]]]


def pdf_of(title: str, notes: Sequence[str], header: Sequence[str], tables: Sequence[tuple[str, Rows]],
           sums: Sequence[int], language: str) -> bytes:
    """Tables of amounts, each under its heading, as one page of PDF, A4 across; `sums` are the rows that are sums, by
    number.

    Title, language, headings, paragraphs and table cells are told to reading software (ISO 32000-1, 14.7 and 14.8:
    tagged PDF), and letters that are drawn in two parts are named. It is not PDF/UA: reportlab writes no XMP metadata,
    in which a paper would have to say so. The same tables give the same bytes on any day.
    """
    held = io.BytesIO()
    page = Canvas(held, pagesize=landscape(A4), invariant=1, lang=language)
    page.setTitle(title)
    page.setViewerPreference("DisplayDocTitle", "true")
    for name, file in (("Sans", "Vera.ttf"), ("Sans-Bold", "VeraBd.ttf")):
        registerFont(TTFont(name, file))
    tags = _Tags(page)
    across, down = landscape(A4)
    down -= 40
    _write(tags, tags.part("H1"), "Sans-Bold", 16, 40, down, title)
    for note in notes:
        down -= 16
        _write(tags, tags.part("P"), "Sans", 9, 40, down, note)
    step = (across - 80 - 150) / len(header[1:])
    for caption, rows in tables:
        down -= 28
        _write(tags, tags.part("H2"), "Sans-Bold", 10, 40, down, caption)
        table, down = tags.part("Table"), down - 17
        _row(tags, table, "Sans-Bold", down, step, header[0], header[1:], size=7.5, scope="Column")
        for number, (name, amounts) in enumerate(rows):
            tags.line(40, down - 6, across - 40)
            down -= 18
            _row(tags, table, "Sans-Bold" if number in sums else "Sans", down, step, name,
                 [exact_pounds(one) for one in amounts])
    page.showPage()
    tags.finish()
    page.save()
    return held.getvalue()


class _Part:
    """A part of the paper as reading software is told of it: what it is, and the parts or the marks in it."""

    def __init__(self, what: str, parent: Any, scope: str | None = None) -> None:
        self.inside: list[Any] = []
        self.told = PDFDictionary({"Type": PDFName("StructElem"), "S": PDFName(what)})
        if scope is not None:
            self.told["A"] = PDFDictionary({"O": PDFName("Table"), "Scope": PDFName(scope)})
        self.parent = parent


class _Tags:
    """What is drawn on the one page, marked: each piece of text belongs to a part, and lines belong to none."""

    def __init__(self, page: Canvas) -> None:
        self.page, self.marked, self.parts = page, list[_Part](), list[_Part]()
        self.whole = _Part("Document", None)

    def part(self, what: str, within: _Part | None = None, scope: str | None = None) -> _Part:
        """A part after those before it, in the paper or within another part."""
        part = _Part(what, within or self.whole, scope)
        part.parent.inside.append(part)
        self.parts.append(part)
        return part

    @contextmanager
    def marks(self, part: _Part, said: str) -> Iterator[None]:
        """What is drawn meanwhile is this part's, and reads `said` where letters are drawn in two parts."""
        reads = "" if _bare(said) == said else f" /ActualText <FEFF{said.encode('utf-16-be').hex()}>"
        self.page._code.append(f"/Span <</MCID {len(self.marked)}{reads}>> BDC")
        part.inside.append(len(self.marked))
        self.marked.append(part)
        yield
        self.page._code.append("EMC")

    def line(self, x: float, y: float, to: float) -> None:
        """A line between rows, which is nothing to be read."""
        self.page._code.append("/Artifact BMC")
        self.page.line(x, y, to, y)
        self.page._code.append("EMC")

    def finish(self) -> None:
        """Hang the tree of parts on the finished page."""
        document = self.page._doc
        shown = document.Pages.pages[-1]
        root = PDFDictionary({"Type": PDFName("StructTreeRoot")})
        refs = {id(part): document.Reference(part.told) for part in (self.whole, *self.parts)}
        root_ref, page_ref = document.Reference(root), document.Reference(shown)
        for part in (self.whole, *self.parts):
            part.told["P"] = root_ref if part.parent is None else refs[id(part.parent)]
            part.told["Pg"] = page_ref
            part.told["K"] = PDFArray([one if isinstance(one, int) else refs[id(one)] for one in part.inside])
        root["K"] = PDFArray([refs[id(self.whole)]])
        root["ParentTree"] = document.Reference(PDFDictionary({"Nums": PDFArray([0, PDFArray(
            [refs[id(part)] for part in self.marked])])}))
        shown.__NoDefault__ = [*shown.__NoDefault__, "StructParents", "Tabs"]  # words that reportlab's page lacks
        shown.StructParents, shown.Tabs = 0, PDFName("S")
        document._catalog.StructTreeRoot = root
        document._catalog.MarkInfo = PDFDictionary({"Marked": "true"})


def _row(tags: _Tags, table: _Part, font: str, y: float, step: float, name: str, cells: Sequence[str],
         size: float = 8.5, scope: str = "Row") -> None:
    row = tags.part("TR", table)
    _write(tags, tags.part("TH", row, scope), font, size, 40, y, name)
    for number, cell in enumerate(cells, 1):
        part = tags.part("TH", row, scope) if scope == "Column" else tags.part("TD", row)
        _write(tags, part, font, size, 190 + step * number - stringWidth(_bare(cell), font, size), y, cell)


#: Letters of Welsh that the font lacks: each is its bare letter with a circumflex drawn over it.
_HATS = {"ŵ": "w", "ŷ": "y", "Ŵ": "W", "Ŷ": "Y"}


def _bare(text: str) -> str:
    return "".join(_HATS.get(letter, letter) for letter in text)


def _write(tags: _Tags, part: _Part, font: str, size: float, x: float, y: float, text: str) -> None:
    with tags.marks(part, text):
        tags.page.setFont(font, size)
        tags.page.drawString(x, y, _bare(text))
        for place, letter in enumerate(text):
            if letter in _HATS:
                bare = _HATS[letter]
                over = x + stringWidth(_bare(text[:place]), font, size) + (
                    stringWidth(bare, font, size) - stringWidth("ˆ", font, size)) / 2
                tags.page.drawString(over, y + (size * 0.18 if bare.isupper() else 0), "ˆ")
