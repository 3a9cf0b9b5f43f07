"""The published scoring rule, from readers' points to decisions, and when a sitting may close. Pure. READ THIS FIRST.

Everything is whole numbers. `sitting_result` in migration 0009 is the same rule written again in SQL; the tests let the
two disagree on random sittings and find that they never do. `recompute` is for a stranger with the page's open data.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from fund.kernel.reasons import Reason
from fund.kernel.words import _

RULE_VERSION = "2026-1"
THRESHOLD_TENTHS = 500
LONGEST_REASON = 1_000


class Outcome(StrEnum):
    """What a panel can decide. `ck_decision_outcome` repeats the list."""

    AWARDED = "awarded"
    PART_AWARDED = "part_awarded"
    RESERVE = "reserve"
    DECLINED = "declined"


AWARDS = frozenset({Outcome.AWARDED, Outcome.PART_AWARDED})


@dataclass(frozen=True, slots=True)
class Scored:
    """One application as the rule sees it. `points` holds for each criterion, in order, its counted readers' points."""

    reference: str
    points: Sequence[Sequence[int]]
    asked_pence: int
    least_pence: int | None = None
    need_rank: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What the rule gives for one application. `medians_halves` are twice the medians, so that a half is whole."""

    reference: str
    medians_halves: tuple[int, ...]
    score_tenths: int
    rank: int
    outcome: Outcome
    amount_pence: int
    tie_break: str


def rule_text() -> list[str]:
    """The rule of this version in plain sentences, as every page that uses it shows it."""
    return [
        _("Each reader gives each question 0 to 5 points, alone, with a reason, and then locks them."),
        _("For each question we take the middle one of its readers’ points (the median). With an even number of "
          "readers it lies halfway between the two in the middle."),
        _("Each middle counts as much as the weight of its question. All of them together make a score from 0 to 100, "
          "exact to one decimal."),
        _("An application with less than 50 is not funded."),
        _("The others are funded in order of score while the money lasts."),
        _("If what is left is less than a group asked for, the group gets all that is left, but only if it said before "
          "that this much would still do. If not, it goes on the reserve list and the next one is looked at."),
        _("Equal scores: the place with the greater need goes first, then the smaller sum, then a lot. The lot’s "
          "secret number was fixed before anyone scored, and is shown at the end."),
    ]


def median_halves(points: Sequence[int]) -> int:
    """Twice the median, exactly. Raises ValueError for no points at all."""
    if not points:
        raise ValueError("no points have no median")
    ordered, middle = sorted(points), len(points) // 2
    return 2 * ordered[middle] if len(ordered) % 2 else ordered[middle - 1] + ordered[middle]


def score_tenths(medians_halves: Sequence[int], weights: Sequence[int]) -> int:
    """The score out of 100 in tenths (0 to 1000), exactly: nothing is rounded.

    A median of 5 (10 halves) in every criterion is 100: sum(weight × halves) of weights that sum to 100 is 1000.
    """
    if len(medians_halves) != len(weights) or sum(weights) != 100:
        raise ValueError("one weight for each criterion, and the weights sum to 100")
    return sum(weight * halves for weight, halves in zip(weights, medians_halves, strict=True))


def lot(seed: bytes, reference: str) -> bytes:
    """Where an application stands in the lot, lower first: HMAC-SHA256 of the sitting's seed and its reference."""
    return hmac.new(seed, reference.encode(), hashlib.sha256).digest()


def decide(applications: Sequence[Scored], weights: Sequence[int], available_pence: int, seed: bytes, *,
           threshold_tenths: int = THRESHOLD_TENTHS) -> list[Result]:
    """Apply the rule: every application's score, rank, outcome and amount, in order of rank.

    Ties go by need (the lower need rank is the greater need), then the smaller ask, then the lot.
    """
    scores = {a.reference: score_tenths([median_halves(p) for p in a.points], weights) for a in applications}
    keys = {a.reference: (-scores[a.reference], a.need_rank, a.asked_pence, lot(seed, a.reference))
            for a in applications}
    left, results = available_pence, []
    for rank, application in enumerate(sorted(applications, key=lambda a: keys[a.reference]), 1):
        score = scores[application.reference]
        outcome, amount = _outcome(application, score, left, threshold_tenths)
        left -= amount
        results.append(Result(application.reference, tuple(median_halves(p) for p in application.points), score, rank,
                              outcome, amount, _tie_break(keys, application.reference)))
    return results


def _outcome(application: Scored, score: int, left_pence: int, threshold_tenths: int) -> tuple[Outcome, int]:
    if score < threshold_tenths:
        return Outcome.DECLINED, 0
    if application.asked_pence <= left_pence:
        return Outcome.AWARDED, application.asked_pence
    if application.least_pence is not None and application.least_pence <= left_pence:
        return Outcome.PART_AWARDED, left_pence
    return Outcome.RESERVE, 0


def _tie_break(keys: Mapping[str, tuple[int, int, int, bytes]], reference: str) -> str:
    """Which part of the rule placed it among others with the same score: `none`, `need`, `ask` or `lot`."""
    mine = keys[reference]
    shared = max((next(i for i in range(4) if i == 3 or key[i] != mine[i])
                  for other, key in keys.items() if other != reference), default=0)
    return ("none", "need", "ask", "lot")[shared]


def recompute(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Apply the rule to a sitting's open data (the file behind “Work it out yourself”), from medians on.

    The file holds medians and not single readers' points, so that nobody can tell who gave what. It gives for each
    application reference, score, rank, outcome and amount. Raises ValueError when the seed is not the one committed to.
    """
    seed = bytes.fromhex(data["seed"])
    if hashlib.sha256(seed).hexdigest() != data["seed_commitment"]:
        raise ValueError("the seed is not the one that was committed to")
    scored = [Scored(a["reference"], [[m // 2, m - m // 2] for m in a["medians_halves"]], int(a["asked_pence"]),
                     None if a["least_pence"] is None else int(a["least_pence"]), a["need_rank"])
              for a in data["applications"]]
    return [{"reference": r.reference, "score_tenths": r.score_tenths, "rank": r.rank, "outcome": r.outcome.value,
             "amount_pence": str(r.amount_pence)}
            for r in decide(scored, data["weights"], int(data["available_pence"]), seed,
                            threshold_tenths=data["threshold_tenths"])]


@dataclass(frozen=True, slots=True)
class ReaderState:
    """How far one assigned reader is with one application."""

    is_locked: bool
    is_released: bool
    is_recused: bool
    reminders: int

    def is_settled(self, *, scoring_is_over: bool) -> bool:
        """Whether the sitting may close over this assignment."""
        return (self.is_locked or self.is_released or self.is_recused
                or (scoring_is_over and self.reminders >= 2))


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """Who takes part in one application's decision, without anybody recused."""

    present: int
    residents: int
    recused: int = 0


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """What the rules need to know of one application before its sitting may close."""

    reference: str
    readers: Sequence[ReaderState]
    counted: int
    deciding: DecidedBy
    reasons_missing: int


def reasons_no_quorum(deciding: DecidedBy, quorum: int) -> list[Reason]:
    """Why these people cannot decide an application (invariant 7)."""
    reasons = []
    if deciding.present < quorum:
        reasons.append(Reason("no_quorum", _(
            "%(present)s members take part without an interest. %(quorum)s are needed.",
            present=deciding.present, quorum=quorum)))
    if deciding.present and deciding.residents * 2 <= deciding.present:
        reasons.append(Reason("residents_in_minority", _(
            "%(residents)s of the %(present)s who decide live here. More than half must.",
            residents=deciding.residents, present=deciding.present)))
    return reasons


def reasons_not_to_close(applications: Sequence[CloseFacts], *, now: datetime, scoring_closes_at: datetime,
                         round_closes_at: datetime | None, quorum: int, fewest_counted: int) -> list[Reason]:
    """Every reason why a sitting cannot be closed now, each with the reference that it is about."""
    reasons: list[Reason] = []
    if round_closes_at is not None and now < round_closes_at:
        reasons.append(Reason("round_is_open", _("The round is still open. Close the sitting after it ends.")))
    if not applications:
        reasons.append(Reason("nothing_to_decide", _("There is no application to decide.")))
    for facts in applications:
        found = []
        late = sum(not r.is_settled(scoring_is_over=now >= scoring_closes_at) for r in facts.readers)
        if late:
            found.append(Reason("unfinished_score", _("Readers who have not locked their scores yet: %(late)s.",
                                                      late=late)))
        elif facts.counted < fewest_counted:
            found.append(Reason("too_few_scores", _("It has %(counted)s scores that count. It needs %(fewest)s.",
                                                    counted=facts.counted, fewest=fewest_counted)))
        if facts.reasons_missing:
            found.append(Reason("no_agreed_reasons", _("The panel’s reasons are not agreed yet.")))
        found += reasons_no_quorum(facts.deciding, quorum)
        reasons += [Reason(reason.code, f"{facts.reference}: {reason.sentence}") for reason in found]
    return reasons
