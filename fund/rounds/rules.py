"""What a round may say: its rules, its criteria and its dates. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from fund.kernel.errors import BadInput
from fund.kernel.money import LARGEST_PENCE
from fund.kernel.reasons import Reason
from fund.kernel.words import N_, _

#: The order in which equal scores are told apart. The last is a lot whose seed was committed to before scoring.
TIE_BREAK = ("need", "smaller_ask", "lot")

#: The most points a reader gives for one criterion.
MOST_POINTS = 5


@dataclass(frozen=True, slots=True)
class RoundRules:
    """How a round is decided and paid. Kept as jsonb with the round; `version` says what shape these are."""

    version: int = 1
    readers: int = 3
    quorum: int = 5
    threshold: int = 50
    scoring_days: int = 14
    most_pence: int = 1_000_000
    up_front_below_pence: int = 1_000_000
    stage_shares: tuple[int, ...] = (50, 50)
    part_funding: bool = True
    lapse_days: int = 28
    check_days: int = 5

    def as_json(self) -> dict[str, Any]:
        """The rules as they are kept and published."""
        return {**asdict(self), "stage_shares": list(self.stage_shares)}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "RoundRules":
        """The rules as `as_json` gave them. Raises BadInput for another shape."""
        try:
            return cls(**{**kept, "stage_shares": tuple(kept["stage_shares"])})
        except (TypeError, KeyError) as error:
            raise BadInput("The rules of the round have an unknown shape.", field="rules") from error


class CriterionText(NamedTuple):
    """A criterion before it is published: what it is called, what readers ask themselves, how much it weighs."""

    name: str
    question: str
    weight: int


#: The criteria that a neighbourhood starts from. They sum to 100.
USUAL_CRITERIA = (
    CriterionText(N_("Good for people here"), N_("How much better will life be for people who live here?"), 40),
    CriterionText(N_("Led by residents"), N_("Did residents ask for it, plan it and will they run it?"), 25),
    CriterionText(N_("It can be done"), N_("Do the plan and the costs add up?"), 20),
    CriterionText(N_("Open to everyone"), N_("Is anybody left out who could be let in?"), 15),
)


def reasons_not_to_publish(rules: RoundRules, criteria: Sequence[CriterionText], *, title: str, opens_at: datetime,
                           closes_at: datetime | None) -> list[Reason]:
    """Give every reason why a round may not be published like this.

    The table repeats the weights as `ck_criteria_sum_to_100` and the dates as `ck_round_dates`.
    """
    reasons = []
    if not 3 <= len(title.strip()) <= 120:
        reasons.append(Reason("title", _("Give the round a title of 3 to 120 characters.")))
    if sum(criterion.weight for criterion in criteria) != 100 or any(c.weight < 1 for c in criteria):
        reasons.append(Reason("weights", _("The weights of the criteria must sum to 100, each at least 1.")))
    if len({criterion.name.strip().lower() for criterion in criteria}) != len(criteria) or not all(
            criterion.name.strip() and criterion.question.strip() for criterion in criteria):
        reasons.append(Reason("names", _("Each criterion needs a name of its own and a question.")))
    if closes_at is not None and closes_at <= opens_at:
        reasons.append(Reason("dates", _("The round must close after it opens.")))
    if rules.readers < 3:
        reasons.append(Reason("readers", _("At least three members read each application.")))
    if rules.quorum < max(rules.readers, 5):
        reasons.append(Reason("quorum", _("At least five members decide, and never fewer than read.")))
    if not 0 <= rules.threshold <= 100:
        reasons.append(Reason("threshold", _("The threshold lies between 0 and 100.")))
    if not (1 <= rules.scoring_days <= 90 and 7 <= rules.lapse_days <= 365 and 1 <= rules.check_days <= 30):
        reasons.append(Reason("days", _("We check in 1 to 30 days, readers get 1 to 90, offers stand for 7 to 365.")))
    if not 0 < rules.most_pence <= LARGEST_PENCE or not 0 <= rules.up_front_below_pence <= LARGEST_PENCE:
        reasons.append(Reason("amounts", _("The most that one may ask for is an amount above nothing.")))
    if sum(rules.stage_shares) != 100 or any(share < 1 for share in rules.stage_shares):
        reasons.append(Reason("stages", _("The shares of the stages must sum to 100, each at least 1.")))
    return reasons
