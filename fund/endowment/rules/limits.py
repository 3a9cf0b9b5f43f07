"""How much of the endowment's return may be spent, and why not more. Pure: values and dates come as arguments."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fund.endowment.rules.prices import SERIES, Gifts, Level
from fund.endowment.rules.spending import Choice, Inputs, choice_of
from fund.endowment.rules.two_trustees import reasons_not_to_second
from fund.endowment.rules.years import Value, financial_year, first_day
from fund.kernel.actor import Capacity
from fund.kernel.money import pounds
from fund.kernel.reasons import Reason
from fund.kernel.words import _

COST_CEILING_BASIS_POINTS = 1_000  # running costs take at most a tenth of the year's limit

SCHEMES = {  # the Dormant Assets Acts 2008 and 2022
    "banks": "Banks and building societies", "insurance_and_pensions": "Insurance and pensions",
    "investments_and_wealth": "Investments and wealth", "securities": "Securities",
}

#: Who may record what came in and what it earned.
KEEPERS = frozenset({Capacity.TRUSTEE, Capacity.APPROVER, Capacity.AUTHORISER, Capacity.SYSTEM})
#: Who may say what is spent.
SPENDERS = frozenset({Capacity.TRUSTEE, Capacity.SYSTEM})


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What is known when a year's limit is to be set, and what follows from it. Amounts in pence."""

    financial_year: str
    set_on: date
    set_already: bool
    deficit_pence: int
    unapplied_pence: int
    choice: Choice
    inputs: Inputs
    value_pence: int
    gifts: Sequence[Gifts]
    index: Level | None = None
    index_year_ago: Level | None = None
    plan_id: uuid.UUID | None = None
    asked_pence: int | None = None

    @property
    def rule_pence(self) -> int:
        """What the rule gives, whatever else there is to mind."""
        return self.choice.gives(self.inputs)

    @property
    def most_pence(self) -> int:
        """The most that the limit may be: what the rule gives, or all unapplied return where that is less.

        Unapplied total return may never be overdrawn (Charities (Total Return) Regulations 2013, reg. 3, as LEDGER.md
        reads it; the account 3100 has the guard).
        """
        return max(0, min(self.rule_pence, self.unapplied_pence))

    @property
    def amount_pence(self) -> int:
        """The limit: the most, or less where trustees ask for less."""
        return self.most_pence if self.asked_pence is None else self.asked_pence

    @property
    def floor_pence(self) -> int:
        """What was ever given, in today's money."""
        return sum(gifts.floor_pence for gifts in self.gifts)

    @property
    def room_pence(self) -> int:
        """What can be set without going below the floor."""
        return max(0, min(self.most_pence, self.value_pence - self.floor_pence))

    @property
    def breaches_floor(self) -> bool:
        """Whether the endowment would be worth less than what was given, in today's money, after this limit."""
        return self.value_pence - self.amount_pence < self.floor_pence

    def said(self) -> dict[str, Any]:
        """The inputs as they stand in the leaf: enough to work the limit out again (`recomputed`)."""
        said: dict[str, Any] = {
            "rule": self.choice.rule.name, "rule_version": self.choice.rule.version,
            "financial_year": self.financial_year, "parameters": dict(self.choice.parameters),
            "values": [{"on": value.on.isoformat(), "value_pence": str(value.value_pence)}
                       for value in self.inputs.values],
            "unapplied_pence": str(self.unapplied_pence), "rule_pence": str(self.rule_pence),
            "value_pence": str(self.value_pence), "floor_pence": str(self.floor_pence),
            "gifts": [[f"{gifts.month:%Y-%m}", str(gifts.capital_pence), gifts.tenths] for gifts in self.gifts]}
        if self.inputs.previous_pence is not None:
            said["previous_pence"] = str(self.inputs.previous_pence)
        if self.index is not None:
            said["index"] = {"series": SERIES, "month": f"{self.index.month:%Y-%m}", "tenths": self.index.tenths}
        if self.index_year_ago is not None:
            said["index_year_ago"] = {"month": f"{self.index_year_ago.month:%Y-%m}",
                                      "tenths": self.index_year_ago.tenths}
        if self.asked_pence is not None:
            said["asked_pence"] = str(self.asked_pence)
        return said


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A limit worked out again from the inputs in its leaf."""

    rule_pence: int
    floor_pence: int
    amount_pence: int


def recomputed(said: Mapping[str, Any]) -> Recomputed:
    """Work a limit out again from what its leaf says, and nothing else. Raises BadInput for a rule never in use."""
    choice = choice_of(said["rule"], said["parameters"], said["rule_version"])
    now, then = said.get("index"), said.get("index_year_ago")
    inputs = Inputs(
        [Value(date.fromisoformat(value["on"]), int(value["value_pence"])) for value in said["values"]],
        int(said["previous_pence"]) if "previous_pence" in said else None,
        *((now["tenths"], then["tenths"]) if now and then else (1, 1)))
    rule_pence = choice.gives(inputs)
    latest = now["tenths"] if now else 0
    floor_pence = sum(-(-int(pence) * latest // tenths) if tenths else int(pence)
                      for _month, pence, tenths in said["gifts"])
    most = min(rule_pence, int(said["unapplied_pence"]))
    return Recomputed(rule_pence, floor_pence, min(most, int(said.get("asked_pence", most))))


def reasons_not_to_set_limit(facts: LimitFacts) -> list[Reason]:
    """Give every reason why no limit may be set for the year.

    The database repeats them as `uq_spending_limit_year`, `ck_spending_limit_in_its_year`, `no_limit_in_deficit` and
    `limit_keeps_real_value`.
    """
    reasons, begins = [], first_day(facts.financial_year)
    if facts.set_already:
        reasons.append(Reason("limit_set", _("The limit for this year is set already.")))
    # The rule takes the value at the end of the year before: earlier it is not known, and later the year is over.
    if facts.set_on < begins - timedelta(days=1):
        reasons.append(Reason("too_early", _("The limit for %(year)s can be set from 31 March on, when the year before "
                                             "ends.", year=facts.financial_year)))
    elif financial_year(facts.set_on) > facts.financial_year:
        reasons.append(Reason("other_year", _("That day is not in the year %(year)s.", year=facts.financial_year)))
    if facts.deficit_pence > 0:
        reasons.append(Reason("deficit", _("The endowment is worth %(deficit)s less than its capital. Nothing may be "
                                           "spent until that is made good.", deficit=pounds(facts.deficit_pence))))
    if facts.rule_pence <= 0:
        reasons.append(Reason("nothing_by_rule", _("The rule gives nothing: the endowment held nothing by then.")))
    elif facts.unapplied_pence <= 0 and facts.deficit_pence <= 0:
        reasons.append(Reason("no_return", _("There is no return to spend. Capital stays for ever.")))
    if facts.asked_pence is not None and facts.asked_pence <= 0:
        reasons.append(Reason("nothing", _("Say how much: more than nothing.")))
    elif facts.asked_pence is not None and facts.asked_pence > facts.most_pence and not reasons:
        reasons.append(Reason("over_rule", _("The rule and the return allow %(most)s this year, and no more.",
                                             most=pounds(facts.most_pence))))
    if not reasons and facts.breaches_floor and facts.plan_id is None:
        reasons.append(Reason("floor", _(
            "After this limit the endowment would be worth less than all that was given, in today's money "
            "(%(floor)s). Without a recovery plan of two trustees the limit can be %(room)s at most.",
            floor=pounds(facts.floor_pence), room=pounds(facts.room_pence))))
    return reasons


def reasons_not_yet(on: date, today: date) -> list[Reason]:
    """Give the reason why a day may not be put on the record before it has come: nobody knows yet what it brings."""
    return [Reason("not_yet", _("That day has not come yet."))] if on > today else []


def reasons_not_in_turn(year: str, last: str) -> list[Reason]:
    """Give the reason why no limit is set for a year before the last one that has one: what the later year may spend
    was worked out without it."""
    if year >= last:
        return []
    return [Reason("in_turn", _("The limit for %(year)s is set already, so none is set for a year before it.",
                                year=last))]


def reasons_far_from(year: str, today: date) -> list[Reason]:
    """Give the reason why nothing is chosen or planned for a year: only this one and the next are near enough. A rule
    chosen for a past year would go before what was chosen since."""
    this = first_day(financial_year(today))
    if year in (financial_year(this), financial_year(this.replace(year=this.year + 1))):
        return []
    return [Reason("far_year", _("This can be done for this year and the next, and for no other."))]


def reasons_not_to_choose_rule(limit_is_set: bool) -> list[Reason]:
    """Give every reason why no rule may be chosen for a year (`rule_before_limit` in the database)."""
    if limit_is_set:
        return [Reason("limit_set", _("The limit for this year is set already."))]
    return []


def reasons_not_to_confirm_plan(proposed_by: uuid.UUID, person_id: uuid.UUID | None, confirmed: bool,
                                limit_is_set: bool) -> list[Reason]:
    """Give every reason why this trustee may not confirm a recovery plan (`ck_plan_two_trustees` in the database)."""
    if confirmed:
        return [Reason("plan_confirmed", _("This plan is confirmed already."))]
    reasons = reasons_not_to_second(proposed_by, person_id,
                                    _("You wrote this plan. Another trustee has to confirm it."))
    if limit_is_set:
        reasons.append(Reason("limit_set", _("The limit for this year is set already.")))
    return reasons


def same_figures(facts: LimitFacts, proposed: Mapping[str, Any]) -> bool:
    """Whether a limit would be worked out now from the very inputs from which it was proposed."""
    return {**facts.said(), "cost_ceiling_basis_points": proposed["cost_ceiling_basis_points"]} == proposed


def reasons_not_to_confirm_limit(facts: LimitFacts, *, proposed_by: uuid.UUID, person_id: uuid.UUID | None,
                                 same_figures: bool, proposer_is_trustee: bool, is_newest: bool) -> list[Reason]:
    """Give every reason why this trustee may not confirm a limit as it was proposed; `facts` are those of now.

    The database repeats them as `ck_limit_two_trustees`, `ck_limit_by_trustee` and `limit_as_proposed`, and those of
    `reasons_not_to_set_limit` as that says.
    """
    reasons = reasons_not_to_second(proposed_by, person_id)
    if not proposer_is_trustee:
        reasons.append(Reason("no_trustee", _("Whoever proposed this is no trustee any more.")))
    if facts.set_already:
        return [*reasons_not_to_set_limit(facts), *reasons]
    if not is_newest:
        reasons.append(Reason("replaced", _("A newer proposal stands in its place. Read that one.")))
    if not same_figures:
        reasons.append(Reason("lapsed", _("The figures changed after this was proposed, so it does not count any more. "
                                          "Propose the limit again.")))
    return reasons + reasons_not_to_set_limit(facts)


def reasons_not_to_draw_down(amount_pence: int, left_pence: int, year: str, on: date) -> list[Reason]:
    """Give every reason why the amount may not be drawn down on a day; `left_pence` is what is left of the limit.
    The ledger repeats the limit as `ck_balance_overdraft` of the year's control account."""
    reasons = []
    if amount_pence <= 0:
        reasons.append(Reason("nothing", _("Say how much: more than nothing.")))
    if amount_pence > left_pence:
        reasons.append(Reason("over_limit", _("Only %(left)s of the limit for %(year)s is left.",
                                              left=pounds(left_pence), year=year)))
    if financial_year(on) != year:
        reasons.append(Reason("other_year", _("That day is not in the year %(year)s.", year=year)))
    return reasons


def reasons_not_to_budget_costs(amount_pence: int, budgeted_pence: int, limit_pence: int,
                                ceiling_basis_points: int) -> list[Reason]:
    """Give every reason why so much more may not be set by for a year's running costs (the published ceiling)."""
    reasons = []
    ceiling = limit_pence * ceiling_basis_points // 10_000
    if amount_pence <= 0:
        reasons.append(Reason("nothing", _("Say how much: more than nothing.")))
    if budgeted_pence + amount_pence > ceiling:
        reasons.append(Reason("over_ceiling", _("Running costs may take %(ceiling)s of this year's limit, and "
                                                "%(budgeted)s is set by already.",
                                                ceiling=pounds(ceiling), budgeted=pounds(budgeted_pence))))
    return reasons
