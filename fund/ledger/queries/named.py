"""What the words of a line stand for: the part that knows a place, a round or a decision gives its name and page."""

from collections.abc import Callable, Collection, Mapping

#: A word of a line and what stands under it: ("area", "E05000650").
Said = tuple[str, str]
#: Of what is known: how people call it, and the address of its page.
Named = Mapping[Said, tuple[str, str]]
#: Is given the line's kind, and what it says under `WORDS`.
Namer = Callable[[str, Collection[Said]], Named]

#: The words under which a line names something that has a page.
WORDS = frozenset({"area", "code", "decision", "financial_year", "grant", "leaf", "neighbourhood", "round", "sitting"})
_namers: list[Namer] = []


def names_what_is_said(namer: Namer) -> Namer:
    """Let a part above this one name what it knows. A decorator. It may ask one question for each of its tables."""
    _namers.append(namer)
    return namer


def named(kind: str, said: Collection[Said]) -> Named:
    """All that is known of what a line says; nothing is asked where it says nothing that has a page."""
    found: dict[Said, tuple[str, str]] = {}
    for namer in _namers if said else ():
        found.update(namer(kind, said))
    return found
