"""How a pot is shared: the floor first, the rest by need, to the penny; and when it may not be.

The rule is published whole with each run. It depends on need figures alone, never on what a place asks for or how well.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from fund.kernel.actor import Capacity
from fund.kernel.money import pounds, share_pence
from fund.kernel.reasons import Reason
from fund.kernel.words import _

#: The version that a run names. To change the rule is to write a new version beside this one.
RULE_VERSION = "need-2026"
REHEARSAL_RULE = "rehearsal-enough-for-what-follows"

TERM_YEARS = 10

#: Said in each run's public record, in full, so that anybody can work the shares through again.
RULE_TEXT = (
    "Every place gets the floor. What is left of the pot is shared in proportion to weights: for each small area of a "
    "place its residents (Census) times its deprivation score (English Indices of Deprivation) in thousandths, added "
    "up. Pence by largest remainder. Between equal remainders the place with the greater need goes first, then the "
    "lower code.")
RULE_TEXTS = {
    RULE_VERSION: RULE_TEXT,
    REHEARSAL_RULE: "A rehearsal: each place was given exactly what the grants of the file need. No need was weighed.",
}
TIE_ORDER = "greater need for each resident, then the lower code"

#: Who may have a pot shared out: trustees, and the system for a rehearsal or the demo.
MAY_ALLOCATE = frozenset({Capacity.TRUSTEE, Capacity.SYSTEM})


@dataclass(frozen=True, slots=True)
class PlaceNeed:
    """What counts for a place: its code, who lives there, and its weight (residents times need)."""

    neighbourhood_id: UUID
    code: str
    residents: int
    weight: int


@dataclass(frozen=True, slots=True)
class Share:
    """What a place gets."""

    place: PlaceNeed
    amount_pence: int


def in_tie_order(needs: Sequence[PlaceNeed]) -> list[PlaceNeed]:
    """Greater need for each resident first, then the lower code: who gets the odd penny between equal remainders."""
    return sorted(needs, key=lambda place: (-(place.weight * 1_000_000 // max(place.residents, 1)), place.code))


def allocate(pot_pence: int, needs: Sequence[PlaceNeed], floor_pence: int = 0) -> list[Share]:
    """Share the pot: the floor to each place, the rest by weight, by largest remainder; shares by code.

    They sum to the pot to the penny, and raising one place's weight never lowers its share (Hamilton's method is
    monotone in one weight while the others stand). Ask `reasons_not_to_allocate` first: this raises ValueError for a
    pot below the floors.
    """
    ordered = in_tie_order(needs)
    rest = share_pence(pot_pence - floor_pence * len(ordered), [place.weight for place in ordered])
    shares = [Share(place, floor_pence + part) for place, part in zip(ordered, rest, strict=True)]
    return sorted(shares, key=lambda share: share.place.code)


def reasons_not_to_allocate(pot_pence: int, needs: Sequence[PlaceNeed], floor_pence: int,
                            spendable_pence: int) -> list[Reason]:
    """Give every reason why this pot may not be shared out among these places; none means that it may."""
    if not needs:
        return [Reason("no_places", _("There is no neighbourhood to share the money among."))]
    reasons = []
    if pot_pence <= 0 or floor_pence < 0:
        reasons.append(Reason("no_pot", _("The pot is an amount above nothing, and the floor is not below nothing.")))
    if pot_pence > spendable_pence:
        reasons.append(Reason("more_than_spendable", _(
            "The pot is %(pot)s, and %(spendable)s can be spent.", pot=pounds(pot_pence),
            spendable=pounds(spendable_pence))))
    floors = floor_pence * len(needs)
    if pot_pence < floors:
        reasons.append(Reason("pot_below_floors", _(
            "%(places)s places with at least %(floor)s each need %(floors)s, and the pot is %(pot)s: %(short)s too "
            "little.", places=len(needs), floor=pounds(floor_pence), floors=pounds(floors), pot=pounds(pot_pence),
            short=pounds(floors - pot_pence))))
    without = [place.code for place in needs if place.weight <= 0]
    if without:
        reasons.append(Reason("no_need_figures", _("We have no need figures for %(codes)s.", codes=", ".join(without))))
    if not reasons and any(share.amount_pence == 0 for share in allocate(pot_pence, needs, floor_pence)):
        reasons.append(Reason("nothing_for_a_place", _("A place would get nothing. Set a floor, or a larger pot.")))
    return reasons


def end_of_term(first_day: date) -> date:
    """The day until which a share stands: ten years on (a 29 February becomes 1 March)."""
    year = first_day.year + TERM_YEARS
    if (first_day.month, first_day.day) == (2, 29):
        return date(year, 3, 1)
    return first_day.replace(year=year)


def inputs_sha256(pot_pence: int, needs: Sequence[PlaceNeed], floor_pence: int) -> bytes:
    """The hash of all that a run worked with: one line for the pot and floor, then one for each place, by code."""
    lines = [f"pot {pot_pence} floor {floor_pence}"] + [
        f"{place.code} {place.residents} {place.weight}" for place in sorted(needs, key=lambda place: place.code)]
    return hashlib.sha256(("\n".join(lines) + "\n").encode()).digest()
