"""What pages tell an applicant: the path of an application, and what waits for whom."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fund.applications.queries import Whole, applications_of, check_due_at, end_of_day
from fund.applications.queries.lists import submissions_awaiting_eligibility
from fund.applications.rules import State
from fund.kernel.actor import Capacity
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.rounds import queries as rounds


@dataclass(frozen=True, slots=True)
class Step:
    """A step on an application's path. `kind` is done, now, next or back; `at` is when it was or will be done.

    `endpoint` and `values` name the page where its applicant reads or does it, `button` what that is called.
    """

    name: str
    kind: str
    state: str
    at: datetime | None = None
    endpoint: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    button: str = ""


#: What a part above this one tells of applications that went to the panel, by application.
Teller = Callable[[Sequence[uuid.UUID]], dict[uuid.UUID, list[Step]]]
_tellers: list[Teller] = []


def tells_of_applications(teller: Teller) -> Teller:
    """Let a part above this one add its steps to applications' paths (decided, offered, paid). A decorator.

    While nobody tells anything of an application, its path shows what will come and by when.
    """
    _tellers.append(teller)
    return teller


def told_of(wholes: Iterable[Whole]) -> dict[uuid.UUID, list[Step]]:
    """What the parts above tell of those of these applications that are with the panel, by application."""
    ids = [whole.id for whole in wholes if whole.state is State.ELIGIBLE]
    told: dict[uuid.UUID, list[Step]] = {}
    for teller in _tellers if ids else ():
        for application_id, steps in teller(ids).items():
            told.setdefault(application_id, []).extend(steps)
    return told


def stands_at(steps: Sequence[Step]) -> Step:
    """Where a path stands: the step that is going on, else the last that was done."""
    return next((step for step in steps if step.kind == "now"), steps[-1])


def steps_of(whole: Whole, told: Sequence[Step] = ()) -> list[Step]:
    """The path of a submitted application, from sending to what the parts above `told`."""
    if whole.submission is None or whole.check_due_at is None:
        return []
    steps = [Step(_("You sent it"), "done", _("We have it, and it stays as you sent it."),
                  whole.submission.submitted_at)]
    if whole.withdrawal is not None:
        return [*steps, Step(_("You took it back"), "back", _("Nobody reads it any more."),
                             whole.withdrawal.withdrawn_at)]
    if whole.eligibility is not None and not whole.eligibility.eligible:
        return [*steps, Step(_("It cannot go to the panel"), "back", _("The reason and what you can do are below."),
                             whole.eligibility.checked_at)]
    if whole.eligibility is None:
        steps.append(Step(_("We check that it fits"), "now", _("An officer looks whether the fund may pay for it. They "
                                                              "do not judge your idea."), whole.check_due_at))
    else:
        steps.append(Step(_("We checked that it fits"), "done", _("It went to the panel of %(place)s.",
                          place=whole.round.neighbourhood_name), whole.eligibility.checked_at))
        if told:
            return [*steps, *told]
    rules = whole.round.rules
    read_by = end_of_day(whole.eligibility.checked_at if whole.eligibility else whole.check_due_at, rules.scoring_days)
    kind = "now" if whole.eligibility else "next"
    return [*steps,
            Step(_("Residents read it"), kind, _("%(readers)s members of the panel score it, each alone.",
                                                 readers=rules.readers), read_by),
            Step(_("The panel decides"), "next", _("You get the reasons, whatever the answer.")),
            Step(_("The money comes"), "next", _("If the answer is yes, in stages, each with its date."))]


def waiting_for(person_id: uuid.UUID, capacities: frozenset[Capacity]) -> list[Waiting]:
    """What waits for this person here: drafts to finish, answers to wait for; for officers what to check."""
    mine = applications_of(person_id, most=20)
    waiting = [_waiting_draft(whole) for whole in mine if whole.state is State.DRAFT]
    waiting += [Waiting(_("%(title)s: it cannot go to the panel. Read what you can do.", title=whole.title),
                        "applications.show", {"reference": whole.reference}, _("Read why"))
                for whole in mine if whole.state is State.INELIGIBLE]
    waiting += [Waiting(_("%(title)s: we check that it fits.", title=whole.title), "applications.show",
                        {"reference": whole.reference}, due_at=whole.check_due_at, whose=_("An officer of the fund"))
                for whole in mine if whole.state is State.SUBMITTED]
    if Capacity.OFFICER in capacities:
        waiting += _waiting_checks()
    return waiting


def _waiting_draft(whole: Whole) -> Waiting:
    ready = whole.organisation_id is not None and not whole.problems
    sentence = _("Send your application: %(title)s.", title=whole.title) if ready else _(
        "Finish your application: %(title)s.", title=whole.title)
    return Waiting(sentence, "applications.show", {"reference": whole.reference},
                   _("Check and send") if ready else _("Carry on"), due_at=whole.round.closes_at)


#: How many of the oldest an officer's first page shows one by one.
SHOWN_ONE_BY_ONE = 3


def _waiting_checks() -> list[Waiting]:
    rows = submissions_awaiting_eligibility(most=SHOWN_ONE_BY_ONE + 1)
    known = rounds.rounds([row.round_id for row in rows])
    found = [Waiting(_("Check whether %(reference)s fits: %(title)s, from %(group)s.", reference=row.reference,
                       title=row.title, group=row.organisation_name),
                     "applications.check", {"reference": row.reference}, _("Check it"),
                     due_at=check_due_at(row.submitted_at, known[row.round_id]))
             for row in rows[:SHOWN_ONE_BY_ONE]]
    if len(rows) > SHOWN_ONE_BY_ONE:
        found.append(Waiting(_("Check the other applications, the oldest first."), "applications.queue", {},
                             _("See them all")))
    return found
