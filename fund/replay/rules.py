"""What a rehearsal does with each grant of a file, settled before the first is driven. Pure. READ THIS FIRST.

The rehearsal publishes these as its own rules: a grant goes to the panel of the 2024 ward that holds its area, or to
its district's panel when the file names only a district; no bounds, no test of need. Stage 1 is what was disbursed,
stage 2 the rest. Scores are drawn from a seed so that the panel's rule awards what the file awards.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fund.replay.formats import Grant

RULE_VERSION = "rehearsal-1"

#: Registers whose identifiers the fund knows (org-id.guide lists). Others are driven as they are, and listed.
KNOWN_REGISTERS = ("GB-CHC-", "GB-COH-", "GB-SC-", "GB-NIC-", "GB-MPR-", "GB-CASC-", "GB-LAE-", "GB-EDU-", "GB-NHS-")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an area of the file lies: the panel's neighbourhood. `split` when the area lies in two wards."""

    code: str
    name: str
    split: bool = False


@dataclass(frozen=True, slots=True)
class Drive:
    """One grant as it will be driven: amounts in pence, `stages` what is paid and what is left committed."""

    grant: Grant
    awarded_on: date
    place: Place
    asked_pence: int
    awarded_pence: int
    paid_pence: int

    @property
    def stages(self) -> list[int]:
        """What was disbursed, then the rest; a part of nothing is no stage."""
        return [part for part in (self.paid_pence, self.awarded_pence - self.paid_pence) if part]


@dataclass(frozen=True, slots=True)
class Listed:
    """Something to be told about a row: `pence` is what goes unposted by it (0 when it is only worth knowing)."""

    row: int
    grant_id: str
    reason: str
    pence: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole rehearsal: what is driven, in the order of dates, what goes unposted, and what is worth knowing."""

    drives: list[Drive]
    unposted: list[Listed]
    notes: list[Listed]

    @property
    def awarded_pence(self) -> int:
        """What all driven grants are awarded."""
        return sum(drive.awarded_pence for drive in self.drives)

    @property
    def paid_pence(self) -> int:
        """What of it is paid."""
        return sum(drive.paid_pence for drive in self.drives)

    def by_place(self) -> dict[str, int]:
        """What each place's panel awards, by the place's code, in the order of codes."""
        sums: dict[str, int] = {}
        for drive in self.drives:
            sums[drive.place.code] = sums.get(drive.place.code, 0) + drive.awarded_pence
        return dict(sorted(sums.items()))


def plan(grants: Sequence[Grant], place_of: Callable[[str], Place | None]) -> Plan:
    """Settle every row. `place_of` finds the place of an area code, or None where it is of no use.

    Only what has no area, no amount (or no day, recipient or id to post it under), and the part disbursed above the
    award, goes unposted.
    """
    made = Plan([], [], [])
    seen: set[str] = set()
    for grant in grants:
        place = place_of(grant.area_code) if grant.area_code else None
        reason = _reason_unposted(grant, place, seen)
        seen.add(grant.id)
        if reason or place is None or grant.awarded_on is None or grant.awarded_pence is None:
            made.unposted.append(Listed(grant.row, grant.id, reason or "no_area", grant.awarded_pence or 0))
            continue
        paid = min(grant.disbursed_pence, grant.awarded_pence)
        asked = max(grant.asked_pence or 0, grant.awarded_pence)
        made.drives.append(Drive(grant, grant.awarded_on, place, asked, grant.awarded_pence, paid))
        if grant.disbursed_pence > grant.awarded_pence:
            above = grant.disbursed_pence - grant.awarded_pence
            made.unposted.append(Listed(grant.row, grant.id, "disbursed_above_award", above))
        if grant.asked_pence is not None and grant.asked_pence < grant.awarded_pence:
            made.notes.append(Listed(grant.row, grant.id, "ask_raised_to_award"))
        if place.split:
            made.notes.append(Listed(grant.row, grant.id, "area_in_two_wards"))
        if not grant.recipient_id.startswith(KNOWN_REGISTERS):
            made.notes.append(Listed(grant.row, grant.id, "odd_organisation_id"))
    made.drives.sort(key=lambda drive: (drive.awarded_on, drive.grant.row))
    return made


def _reason_unposted(grant: Grant, place: Place | None, seen: set[str]) -> str | None:
    if not grant.area_code:
        return "no_area"
    if place is None:
        return "unknown_area"
    if not grant.awarded_pence:
        return "no_amount"
    if grant.awarded_on is None:
        return "no_date"
    if not grant.id or not grant.recipient_name:
        return "no_id_or_recipient"
    if grant.id in seen:
        return "same_id_again"
    return None


def drawn_points(seed: bytes, grant_id: str, reader: int, criterion: int, *, least: int = 3, most: int = 5) -> int:
    """The points that an invented reader gives: drawn from the seed, the same every time, at or above the threshold."""
    digest = hashlib.sha256(b"|".join([seed, grant_id.encode(), b"%d" % reader, b"%d" % criterion])).digest()
    return least + digest[0] % (most - least + 1)


def summary(plan_: Plan, calls: Mapping[str, int]) -> list[str]:
    """The closing lines of a rehearsal: sums, what went unposted, what is worth knowing, and each action's calls."""
    reasons: dict[str, tuple[int, int]] = {}
    for listed in plan_.unposted:
        count, total = reasons.get(listed.reason, (0, 0))
        reasons[listed.reason] = (count + 1, total + listed.pence)
    notes: dict[str, int] = {}
    for listed in plan_.notes:
        notes[listed.reason] = notes.get(listed.reason, 0) + 1
    return [
        f"decided   {len(plan_.drives):>6}   {plan_.awarded_pence:>14} pence",
        f"paid      {sum(1 for d in plan_.drives if d.paid_pence):>6}   {plan_.paid_pence:>14} pence",
        *(f"unposted  {count:>6}   {total:>14} pence   {reason}" for reason, (count, total) in sorted(reasons.items())),
        *(f"noted     {count:>6}   {reason}" for reason, count in sorted(notes.items())),
        *(f"called    {count:>6}   {name}" for name, count in sorted(calls.items())),
    ]
