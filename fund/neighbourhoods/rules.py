"""Which places the fund is for, and why not; how a postcode is written; which ward an old area belongs to.

The bounds are a versioned rule, because the real programmes changed theirs every year. A version, once published, is
never edited: a change is a new `Bounds`, and each neighbourhood names the version that let it in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fund.kernel.errors import BadInput
from fund.kernel.reasons import Reason
from fund.kernel.words import _


@dataclass(frozen=True, slots=True)
class Bounds:
    """One version of the rule: which figures it reads, how great the need must be, how many people may live there."""

    version: str
    imd_version: str
    cni_version: str
    residents_version: str
    worst_decile: int
    fewest_residents: int
    most_residents: int


#: Doubly disadvantaged (the worst tenth of both indices), 5,000 to 15,000 residents: the Community Wealth Fund of 2025.
BOUNDS_2025 = Bounds(version="places-2025", imd_version="2025", cni_version="2023", residents_version="2021",
                     worst_decile=1, fewest_residents=5_000, most_residents=15_000)
IN_FORCE = BOUNDS_2025

#: What a rehearsal on real grants writes instead of a version: no bounds and no need were asked for.
NO_BOUNDS = "rehearsal-without-bounds"


@dataclass(frozen=True, slots=True)
class Need:
    """Where one small area stands in one version of an index; rank 1 is the greatest need."""

    kind: str
    version: str
    rank: int
    out_of: int
    decile: int
    source: str


@dataclass(frozen=True, slots=True)
class NeighbourhoodSummary:
    """What other parts and pages need to know of a neighbourhood."""

    id: UUID
    code: str
    slug: str
    name: str
    kind: str
    district_code: str
    district_name: str
    residents: int
    version: int
    bounds_rule: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a postcode is: its small area and that area's need, its ward, and its neighbourhood if it has one.

    `earlier_list` is the name of its ward of 2017 when that stood on the list of 2019, which decides nothing now.
    """

    postcode: str
    lsoa_code: str
    lsoa_name: str
    ward_name: str
    district_name: str
    imd: Need | None
    cni: Need | None
    neighbourhood: NeighbourhoodSummary | None
    postcode_source: str
    postcode_as_of: date
    earlier_list: str | None


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """One small area of a ward, as the bounds look at it."""

    lsoa_code: str
    residents: int
    imd_rank: int
    imd_decile: int
    cni_decile: int


def decile(rank: int, out_of: int) -> int:
    """The tenth in which a rank lies, as the English Indices count it: ranks 1 to 3,375 of 33,755 are the first."""
    return -(-rank * 10 // out_of)


def last_rank_of_decile(tenth: int, out_of: int) -> int:
    """The last rank that still lies in this tenth."""
    return tenth * out_of // 10


def is_doubly_disadvantaged(imd_decile: int, cni_decile: int, bounds: Bounds = IN_FORCE) -> bool:
    """Whether a small area is in the worst tenth for deprivation and for the places and groups it has."""
    return imd_decile <= bounds.worst_decile and cni_decile <= bounds.worst_decile


def reasons_not_in_scope(place: Place, bounds: Bounds = IN_FORCE) -> list[Reason]:
    """Give every reason why the fund is not for this place; none means that it is.

    A place in a neighbourhood is in: the neighbourhood as a whole met the bounds when it was made. A page prints the
    reasons beside the two ranks, with the rule's version.
    """
    if place.neighbourhood is not None:
        return []
    if place.imd is None or place.cni is None:
        return [Reason("no_figures", _("We have no need figures for this area. The fund covers England so far."))]
    reasons = [
        Reason(code, sentence) for need, code, sentence in (
            (place.imd, "deprivation", _not_bad_enough(place.imd, _("deprivation"), bounds)),
            (place.cni, "community_need", _not_bad_enough(place.cni, _("community need"), bounds)),
        ) if need.decile > bounds.worst_decile]
    return reasons or [Reason("no_neighbourhood", _(
        "The need here is great enough, but your street is not in a neighbourhood of the fund yet."))]


def _not_bad_enough(need: Need, what: str, bounds: Bounds) -> str:
    last = last_rank_of_decile(bounds.worst_decile, need.out_of)
    return _("For %(what)s this area is number %(rank)s of %(out_of)s, where 1 is the greatest need. "
             "The rule takes numbers 1 to %(last)s, so it is %(short)s outside.",
             what=what, rank=f"{need.rank:,}", out_of=f"{need.out_of:,}", last=f"{last:,}",
             short=f"{need.rank - last:,}")


def reasons_not_a_neighbourhood(areas: Sequence[AreaFacts], bounds: Bounds = IN_FORCE) -> list[Reason]:
    """Give every reason why these small areas together are not a neighbourhood of the fund."""
    residents = sum(area.residents for area in areas)
    reasons = []
    if residents < bounds.fewest_residents:
        reasons.append(Reason("too_few_residents", _(
            "%(residents)s people live there; the rule asks for at least %(fewest)s.",
            residents=f"{residents:,}", fewest=f"{bounds.fewest_residents:,}")))
    if residents > bounds.most_residents:
        reasons.append(Reason("too_many_residents", _(
            "%(residents)s people live there; the rule allows at most %(most)s.",
            residents=f"{residents:,}", most=f"{bounds.most_residents:,}")))
    if not any(is_doubly_disadvantaged(area.imd_decile, area.cni_decile, bounds) for area in areas):
        reasons.append(Reason("no_doubly_disadvantaged_area", _(
            "None of its small areas is in the worst tenth for both deprivation and community need.")))
    return reasons


def areas_within_bounds(areas: Iterable[AreaFacts], bounds: Bounds = IN_FORCE) -> list[AreaFacts]:
    """The small areas of a ward that make its neighbourhood, by code.

    A ward with more people than the rule allows gives up its least deprived areas, one by one, until it fits, so that
    nobody in great need is left out because a ward is large. A doubly disadvantaged area is never given up. The list
    may still not be a neighbourhood: ask `reasons_not_a_neighbourhood`.
    """
    kept = sorted(areas, key=lambda area: (area.imd_rank, area.lsoa_code))
    total = sum(area.residents for area in kept)
    for area in reversed(kept[:]):
        if total <= bounds.most_residents:
            break
        if not is_doubly_disadvantaged(area.imd_decile, area.cni_decile, bounds):
            kept.remove(area)
            total -= area.residents
    return sorted(kept, key=lambda area: area.lsoa_code)


@dataclass(frozen=True, slots=True)
class WardPart:
    """A ward that holds some of an old area: the ward's code, and everyone who lives in the ward."""

    ward_code: str
    residents: int


def ward_of_split_area(parts: Sequence[WardPart]) -> str:
    """The ward to which an area goes that now lies in several: the one with more residents, then the lower code."""
    return min(parts, key=lambda part: (-part.residents, part.ward_code)).ward_code


def slug(name: str, district_name: str) -> str:
    """The words of a neighbourhood's address: `smithills-bolton`."""
    words = re.sub(r"['’.]", "", f"{name} {district_name}".lower()).translate(_PLAIN)
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


def frame_around(frames: Sequence[tuple[int, int, int, int]]) -> str | None:
    """The view box of a drawing that holds these outlines (west, north, east, south) with a margin; None for none."""
    if not frames:
        return None
    west, north = min(frame[0] for frame in frames), min(frame[1] for frame in frames)
    east, south = max(frame[2] for frame in frames), max(frame[3] for frame in frames)
    margin = max(east - west, south - north) // 30 + 1
    return f"{west - margin} {north - margin} {east - west + 2 * margin} {south - north + 2 * margin}"


_PLAIN = str.maketrans("âêîôûŵŷáéíóúẃýàèìòùẁỳäëïöüẅÿ", "aeiouwyaeiouwyaeiouwyaeiouwy") | {ord("&"): " and "}

_FULL = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9][A-Z]{2})", re.ASCII)
_FIRST_HALF = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]?", re.ASCII)
_TO_DIGIT = str.maketrans("OILSZB", "011528")
_TO_LETTER = str.maketrans("01528", "OISZB")


def normal_postcode(typed: str) -> str:
    """Write a typed postcode as `BL1 5SF`.

    Raises BadInput with a sentence that says what is wrong and, where a letter was typed for a digit or the other way
    round, what was probably meant.
    """
    letters = re.sub(r"[\s.,-]+", "", typed).upper()
    match = _FULL.fullmatch(letters)
    if match:
        return f"{match[1]} {match[2]}"
    raise BadInput(_what_is_wrong(letters), field="postcode")


def is_postcode(typed: str) -> bool:
    """Whether this is written like a postcode: a search box takes one too."""
    return _FULL.fullmatch(re.sub(r"[\s.,-]+", "", typed).upper()) is not None


def _what_is_wrong(letters: str) -> str:
    if not letters:
        return _("Type a postcode, like BL1 5SF.")
    meant = _probably_meant(letters)
    if meant:
        return _("That is not quite a postcode. Did you mean %(meant)s?", meant=meant)
    if _FIRST_HALF.fullmatch(letters):
        return _("That is the first half of a postcode. Type all of it, like BL1 5SF.")
    if len(letters) > 7:
        return _("That is too long for a postcode. Type one postcode, like BL1 5SF.")
    return _("That is not a postcode. It has letters and numbers in two halves, like BL1 5SF.")


def _probably_meant(letters: str) -> str | None:
    """Put a digit where a digit goes, or a letter where a letter goes, and see whether that one makes a postcode."""
    if not letters.isascii() or not letters.isalnum() or not 5 <= len(letters) <= 7:
        return None
    first, second = letters[:-3], letters[-3:]
    second = second[0].translate(_TO_DIGIT) + second[1:].translate(_TO_LETTER)
    for at in (2, 1):
        if at < len(first):
            guess = (first[:at].translate(_TO_LETTER) + first[at].translate(_TO_DIGIT) + first[at + 1:] + second)
            match = _FULL.fullmatch(guess)
            if match and sum(map(str.__ne__, guess, letters)) == 1:
                return f"{match[1]} {match[2]}"
    return None
