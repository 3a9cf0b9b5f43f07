"""What may be submitted, and when an application may go to the panel. Pure.

`problems` says everything that an application's words still need, each at its question. The page shows them beside the
fields, the list before submitting shows them all, and `actions.submit` refuses on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from fund.kernel.errors import BadInput
from fund.kernel.money import pence_from_typed, pounds
from fund.kernel.reasons import Reason
from fund.kernel.text import count_characters, count_words, tidy
from fund.kernel.words import N_, _
from fund.rounds.formats import Form, Page, Question
from fund.rounds.rules import RoundRules

MOST_COST_LINES = 40
MOST_FILES = 5
MOST_COST_CHARACTERS = 100


class State(StrEnum):
    """Where an application stands before the panel has it. Always read from rows, never kept."""

    DRAFT = "draft"
    MISSED = "missed"
    SUBMITTED = "submitted"
    ELIGIBLE = "eligible"
    INELIGIBLE = "ineligible"
    WITHDRAWN = "withdrawn"


def state_of(*, submitted: bool, withdrawn: bool, eligible: bool | None, round_is_open: bool) -> State:
    """Where an application stands."""
    if withdrawn:
        return State.WITHDRAWN
    if not submitted:
        return State.DRAFT if round_is_open else State.MISSED
    if eligible is None:
        return State.SUBMITTED
    return State.ELIGIBLE if eligible else State.INELIGIBLE


#: Why an application may not go to the panel: what the officer chooses, and what the applicant can do about it.
#: The table repeats the list as `ck_eligibility_listed`.
INELIGIBLE_BECAUSE = {
    "outside_the_neighbourhood": (
        N_("It would happen outside this neighbourhood."),
        N_("Type the postcode of where it will happen on our first page. It shows whether a round is open there.")),
    "outside_the_objects": (
        N_("The fund cannot pay for this kind of thing."),
        N_("Call us before you write again. We often know who else can help.")),
    "statutory_duty": (
        N_("A public body must do this by law anyway."),
        N_("Ask that body to do it. If you want to add something to what it must do, apply for that part.")),
    "over_the_limit": (
        N_("It asks for more than this round gives."),
        N_("Ask for a part that is useful on its own, and apply again with your own words kept.")),
    "twice": (
        N_("We have the same application from you already."),
        N_("You need do nothing. The other one goes on.")),
}


class Problem(NamedTuple):
    """Something that an answer still needs: at which question, on which cost line, and the reason."""

    question_id: str
    reason: Reason
    row: int | None = None


@dataclass(frozen=True, slots=True)
class CostLine:
    """One thing that the money is for."""

    what: str
    pence: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The money of an application: its cost lines, what is asked for, and the least that would still help."""

    lines: tuple[CostLine, ...] = ()
    asked_pence: int | None = None
    least_pence: int | None = None

    @property
    def sum_pence(self) -> int:
        """All lines added up."""
        return sum(line.pence for line in self.lines)


def _pence(typed: str) -> int | None:
    try:
        return pence_from_typed(typed)
    except BadInput:
        return None


def _lines(values: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    """The cost lines that are not empty: number on the page, what, amount as typed."""
    return [(number, tidy(row.get("what", "")), tidy(row.get("amount", "")))
            for number, row in enumerate(values.get("costs") or [])
            if tidy(row.get("what", "")) or tidy(row.get("amount", ""))]


def asked_of(values: Mapping[str, Any]) -> Asked:
    """The money that can be read in a draft as it stands; what cannot be read counts as nothing yet."""
    lines = ((what, _pence(amount)) for _number, what, amount in _lines(values))
    return Asked(tuple(CostLine(what, pence) for what, pence in lines if pence is not None),
                 _pence(values.get("asked") or ""), _pence(values.get("least") or ""))


def problems(form: Form, values: Mapping[str, Any], rules: RoundRules, *, page: Page | None = None) -> list[Problem]:
    """Give everything that the answers still need, in the form's order; only those of `page` when one is given."""
    found: list[Problem] = []
    for question in page.questions if page else form.questions():
        found += _problems_of(question, values, rules)
    return found


def _problems_of(question: Question, values: Mapping[str, Any], rules: RoundRules) -> list[Problem]:
    if question.kind == "costs":
        return _problems_of_costs(question, values)
    text = tidy(values.get(question.id) or "")
    if not text:
        return [_problem(question, "missing", _missing(question))] if question.must else []
    if question.kind == "money":
        return _problems_of_money(question, text, values, rules)
    if question.kind == "choice":
        known = any(text == value for value, _label in question.choices)
        return [] if known else [_problem(question, "unknown", _("Choose one of the answers."))]
    found = []
    if question.kind == "line" and "\n" in text:
        found.append(_problem(question, "lines", _("Write it on one line.")))
    if question.most_characters is not None and (now := count_characters(text)) > question.most_characters:
        found.append(_problem(question, "long", _("Write at most %(most)s characters. There are %(now)s.",
                                                  most=question.most_characters, now=now)))
    if question.most_words is not None and (now := count_words(text)) > question.most_words:
        found.append(_problem(question, "long", _("Write at most %(most)s words. There are %(now)s.",
                                                  most=question.most_words, now=now)))
    return found


def _problem(question: Question, code: str, sentence: str, row: int | None = None) -> Problem:
    return Problem(question.id, Reason(f"{question.id}_{code}", sentence), row)


def _missing(question: Question) -> str:
    return _("Answer “%(question)s”", question=_(question.label))


def _problems_of_costs(question: Question, values: Mapping[str, Any]) -> list[Problem]:
    lines = _lines(values)
    if not lines:
        return [_problem(question, "missing", _("Write at least one thing that you will spend the money on."))]
    found = []
    if len(lines) > MOST_COST_LINES:
        found.append(_problem(question, "many", _("Use at most %(most)s lines. Put small things together.",
                                                  most=MOST_COST_LINES)))
    for number, what, amount in lines:
        here = number + 1
        if not what:
            found.append(_problem(question, "what", _("Line %(line)s: write what it is.", line=here), number))
        elif count_characters(what) > MOST_COST_CHARACTERS or "\n" in what:
            found.append(_problem(question, "long", _("Line %(line)s: write it in at most %(most)s characters.",
                                                      line=here, most=MOST_COST_CHARACTERS), number))
        pence = _pence(amount)
        if pence is None:
            found.append(_problem(question, "amount", _("Line %(line)s: write how much in pounds, like 1,250 or 12.50.",
                                                        line=here), number))
        elif pence == 0:
            found.append(_problem(question, "nothing", _("Line %(line)s: write more than £0, or take the line out.",
                                                         line=here), number))
    return found


def _problems_of_money(question: Question, text: str, values: Mapping[str, Any], rules: RoundRules) -> list[Problem]:
    try:
        pence = pence_from_typed(text)
    except BadInput as error:
        return [_problem(question, "amount", _(str(error)))]
    if pence == 0:
        return [_problem(question, "nothing", _("Write more than £0."))]
    money = asked_of(values)
    if question.id == "asked":
        if pence > rules.most_pence:
            return [_problem(question, "over", _("Ask for at most %(most)s in this round.",
                                                 most=pounds(rules.most_pence)))]
        if money.lines and not _problems_of_costs(question, values) and money.sum_pence != pence:
            return [_problem(question, "sum", _(
                "Your lines add up to %(sum)s, but you ask for %(asked)s. Make them the same.",
                sum=pounds(money.sum_pence), asked=pounds(pence)))]
    if question.id == "least" and money.asked_pence is not None and pence > money.asked_pence:
        return [_problem(question, "least", _(
            "The least that would help cannot be more than the %(asked)s you ask for.",
            asked=pounds(money.asked_pence)))]
    return []


@dataclass(frozen=True, slots=True)
class SubmitFacts:
    """What else decides whether an application can be sent."""

    has_organisation: bool
    may_sign: bool
    opens_at: datetime
    closes_at: datetime | None
    now: datetime
    withdrawn: bool = False


def reasons_not_to_submit(facts: SubmitFacts, found: list[Problem]) -> list[Reason]:
    """Give every reason why an application cannot be sent now; `found` is what `problems` gave.

    The table repeats the dates as `ck_submission_in_time`, by the database's own clock.
    """
    reasons = []
    if facts.withdrawn:
        reasons.append(Reason("withdrawn", _("You took this application back.")))
    if facts.now < facts.opens_at:
        reasons.append(Reason("not_open_yet", _("This round is not open yet. Your words are kept.")))
    if facts.closes_at is not None and facts.now >= facts.closes_at:
        reasons.append(Reason("closed", _("This round has closed. Your words are kept, and you can take them to the "
                                          "next round.")))
    if not facts.has_organisation:
        reasons.append(Reason("who", _("Tell us who you are.")))
    elif not facts.may_sign:
        reasons.append(Reason("may_sign", _("Somebody who may sign for your group must send it.")))
    return reasons + [problem.reason for problem in found]


def reasons_not_to_check(*, withdrawn: bool, has_interest: bool, is_applicant: bool) -> list[Reason]:
    """Give every reason why this officer may not say whether a submission goes to the panel."""
    reasons = []
    if withdrawn:
        reasons.append(Reason("withdrawn", _("The group took this application back.")))
    if has_interest or is_applicant:
        reasons.append(Reason("interest", _("You are tied to this group, so somebody else must check it.")))
    return reasons
