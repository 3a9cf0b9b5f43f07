"""The endowment as a drawing and as files: numbers in, text or bytes out. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

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
