"""The picture of how the money flows, from the tranches to the places: bars and ribbons, as numbers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, GAP = 300, 2
MOST_BARS = 8  # more than so many are drawn as one: a bar must be wide enough to be seen
REST = ""  # the name of the bar that stands for all the smaller ones


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a row: its name, what it stands for in pence, and where it is from left to right."""

    name: str
    pence: int
    x: float
    width: float

    @property
    def middle(self) -> float:
        """Where its number stands."""
        return self.x + self.width / 2


def row(parts: Sequence[tuple[str, int]]) -> list[Bar]:
    """The parts side by side over the whole width, each as wide as its share; the largest first, the rest at the end.

    Nothing is drawn of a part that is nothing.
    """
    whole = sorted((part for part in parts if part[1] > 0), key=lambda part: (part[0] == REST, -part[1], part[0]))
    if len(whole) > MOST_BARS:
        whole = [*whole[:MOST_BARS - 1], (REST, sum(pence for _, pence in whole[MOST_BARS - 1:]))]
    total = sum(pence for _, pence in whole)
    room, x, bars = WIDTH - GAP * (len(whole) - 1), 0.0, []
    for name, pence in whole:
        bars.append(Bar(name, pence, round(x, 2), round(room * pence / total, 2)))
        x += room * pence / total + GAP
    return bars


def part_of(pence: int, whole_pence: int, least: float = 6) -> float:
    """How wide a part is on the scale of a whole that takes the whole width; so wide at least that it is seen."""
    if whole_pence <= 0 or pence <= 0:
        return 0
    return round(max(least, min(1, pence / whole_pence) * WIDTH), 2)
