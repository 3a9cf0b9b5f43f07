"""Reading applications: one's own, an officer's queue, the frozen copy that the panel reads."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from fund.applications.models import Application, ApplicationFile, Eligibility, Submission, Withdrawal
from fund.applications.rules import Asked, CostLine, Problem, State, problems, state_of
from fund.db import session
from fund.documents.models import StoredFile
from fund.kernel import clock
from fund.kernel.actor import Capacity
from fund.kernel.errors import NotFound
from fund.kernel.waiting import Waiting
from fund.kernel.words import _
from fund.organisations.models import Membership, Organisation
from fund.rounds import queries as rounds
from fund.rounds.formats import Form
from fund.rounds.queries import RoundFacts


@dataclass(frozen=True, slots=True)
class SubmissionFacts:
    """The frozen copy of an application, as the panel and the grant read it."""

    id: uuid.UUID
    application_id: uuid.UUID
    reference: str
    round_id: uuid.UUID
    applicant_id: uuid.UUID
    organisation_id: uuid.UUID
    organisation_name: str
    content: dict[str, Any]
    sha256: bytes
    title: str
    asked_pence: int
    least_pence: int | None
    submitted_by: uuid.UUID
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Whole:
    """An application with everything that its pages show, read in one query (and the round from memory)."""

    id: uuid.UUID
    reference: str
    applicant_id: uuid.UUID
    organisation_id: uuid.UUID | None
    organisation_name: str | None
    organisation_kind: str | None
    values: dict[str, Any]
    version: int
    saved_at: datetime
    round: RoundFacts
    submission: Submission | None
    withdrawal: Withdrawal | None
    eligibility: Eligibility | None

    @property
    def form(self) -> Form:
        """The form that its answers belong to."""
        return rounds.form(self.round.form_version_id)

    @property
    def state(self) -> State:
        """Where it stands before the panel has it."""
        return state_of(submitted=self.submission is not None, withdrawn=self.withdrawal is not None,
                        eligible=self.eligibility.eligible if self.eligibility else None,
                        round_is_open=self.round.is_open(clock.now()))

    @property
    def problems(self) -> list[Problem]:
        """What its answers still need before it can be sent."""
        return problems(self.form, self.values, self.round.rules)

    @property
    def title(self) -> str:
        """What it is called: its own title once there is one."""
        return (self.submission.title if self.submission else str(self.values.get("title") or "")) or self.reference

    @property
    def check_due_at(self) -> datetime | None:
        """By when an officer says whether it goes to the panel."""
        return check_due_at(self.submission.submitted_at, self.round) if self.submission else None


def check_due_at(submitted_at: datetime, round_: RoundFacts) -> datetime:
    """By when an officer says whether what was sent then goes to the panel: the end of a day in London."""
    return _end_of_day(submitted_at, round_.rules.check_days)


def _end_of_day(moment: datetime, days: int) -> datetime:
    day = moment.astimezone(clock.LONDON).date() + timedelta(days=days)
    return datetime.combine(day, time(23, 59), clock.LONDON)


_WHOLE = (sa.select(Application, Organisation.name, Organisation.kind, Submission, Withdrawal, Eligibility)
          .outerjoin(Submission, Submission.application_id == Application.id)
          .outerjoin(Organisation, Organisation.id == sa.func.coalesce(Submission.organisation_id,
                                                                       Application.organisation_id))
          .outerjoin(Withdrawal, Withdrawal.application_id == Application.id)
          .outerjoin(Eligibility, Eligibility.application_id == Application.id))


def theirs(person_id: Any) -> sa.ColumnElement[bool]:
    """Whose an application is: whoever began it, and everyone who acts for its organisation now."""
    acts = sa.exists().where(Membership.organisation_id == Application.organisation_id,
                             Membership.person_id == person_id, Membership.ended_at.is_(None))
    return sa.or_(Application.applicant_id == person_id, acts)


def _wholes(statement: Any, **values: Any) -> list[Whole]:
    rows = session.execute(statement, values).all()
    known = rounds.rounds([row[0].round_id for row in rows])
    return [Whole(row.id, row.reference, row.applicant_id, row.organisation_id, name, kind, row.values, row.version,
                  row.saved_at, known[row.round_id], submission, withdrawal, eligibility)
            for row, name, kind, submission, withdrawal, eligibility in rows]


_ONE_FOR = _WHOLE.where(Application.reference == sa.bindparam("reference"), theirs(sa.bindparam("person_id")))


def application_for(person_id: uuid.UUID, reference: str) -> Whole:
    """The application of this reference, if it is this person's. Raises NotFound when it is not."""
    found = _wholes(_ONE_FOR, person_id=person_id, reference=reference)
    if not found:
        raise NotFound
    return found[0]


_ONE_SUBMITTED = _WHOLE.where(Application.reference == sa.bindparam("reference"), Submission.id.is_not(None))


def application_for_staff(reference: str) -> Whole:
    """A submitted application, for an officer. Raises NotFound for a draft: drafts are their writer's alone."""
    found = _wholes(_ONE_SUBMITTED, reference=reference)
    if not found:
        raise NotFound
    return found[0]


def application(application_id: uuid.UUID) -> Whole:
    """The application with this id, for other parts. Raises NotFound."""
    found = _wholes(_WHOLE.where(Application.id == application_id))
    if not found:
        raise NotFound
    return found[0]


# A union, so that each half finds its own index: an OR would read every application that there is.
_MINE = _WHOLE.where(Application.id.in_(sa.union(
    sa.select(Application.id).where(Application.applicant_id == sa.bindparam("person_id")),
    sa.select(Application.id).where(Application.organisation_id.in_(
        sa.select(Membership.organisation_id).where(Membership.person_id == sa.bindparam("person_id"),
                                                    Membership.ended_at.is_(None)))))),
).order_by(Application.created_at.desc(), Application.id).limit(sa.bindparam("most"))


def applications_of(person_id: uuid.UUID, most: int = 100) -> list[Whole]:
    """This person's applications and those of the organisations they act for, the newest first."""
    return _wholes(_MINE, person_id=person_id, most=most)


_SUBMISSION = (sa.select(
    Submission.id, Submission.application_id, Application.reference, Application.round_id, Application.applicant_id,
    Submission.organisation_id, Organisation.name, Submission.content, Submission.sha256, Submission.title,
    Submission.asked_pence, Submission.least_pence, Submission.submitted_by, Submission.submitted_at)
    .join(Application, Application.id == Submission.application_id)
    .join(Organisation, Organisation.id == Submission.organisation_id))


def submission_of(application_id: uuid.UUID) -> SubmissionFacts:
    """The frozen copy of an application. Raises NotFound while there is none."""
    row = session.execute(_SUBMISSION.where(Submission.application_id == application_id)).one_or_none()
    if row is None:
        raise NotFound
    return SubmissionFacts(*row)


def submissions_of(application_ids: list[uuid.UUID]) -> dict[uuid.UUID, SubmissionFacts]:
    """The frozen copies of these applications, by application."""
    rows = session.execute(_SUBMISSION.where(Submission.application_id.in_(application_ids)))
    return {row.application_id: SubmissionFacts(*row) for row in rows}


class AttachedFile(NamedTuple):
    """A file of an application."""

    id: uuid.UUID
    name: str
    size_bytes: int
    sha256: bytes


def files_of(application_id: uuid.UUID) -> list[AttachedFile]:
    """The files of an application, the earliest first."""
    rows = session.execute(
        sa.select(StoredFile.id, StoredFile.name, StoredFile.size_bytes, StoredFile.sha256)
        .join(ApplicationFile, ApplicationFile.file_id == StoredFile.id)
        .where(ApplicationFile.application_id == application_id).order_by(StoredFile.created_at, StoredFile.id))
    return [AttachedFile(*row) for row in rows]


def file_ids_of(application_id: uuid.UUID) -> set[uuid.UUID]:
    """The ids of an application's files."""
    return set(session.scalars(sa.select(ApplicationFile.file_id).where(
        ApplicationFile.application_id == application_id)))


class Row(NamedTuple):
    """A submitted application in a list."""

    application_id: uuid.UUID
    reference: str
    round_id: uuid.UUID
    title: str
    organisation_name: str
    asked_pence: int
    submitted_at: datetime
    eligible: bool | None
    reason: str | None
    withdrawn: bool


#: Where a page of a list ended: the time and the id of its last row.
Key = tuple[datetime, uuid.UUID]

_ROW = (sa.select(
    Application.id, Application.reference, Application.round_id, Submission.title, Organisation.name,
    Submission.asked_pence, Submission.submitted_at, Eligibility.eligible, Eligibility.reason,
    Withdrawal.application_id.is_not(None))
    .select_from(Submission).join(Application, Application.id == Submission.application_id)
    .join(Organisation, Organisation.id == Submission.organisation_id)
    .outerjoin(Eligibility, Eligibility.application_id == Submission.application_id)
    .outerjoin(Withdrawal, Withdrawal.application_id == Submission.application_id))
_PLACE = sa.tuple_(Submission.submitted_at, Submission.application_id)


def _place_after(key: Key) -> sa.ColumnElement[bool]:
    return _PLACE.__gt__(sa.tuple_(*key))


def _place_before(key: Key) -> sa.ColumnElement[bool]:
    return _PLACE.__lt__(sa.tuple_(*key))


def _read(rows: Any, most: int) -> list[Row]:
    return [Row._make(row) for row in session.execute(rows.limit(most))]


_TO_CHECK = _ROW.where(Eligibility.application_id.is_(None), Withdrawal.application_id.is_(None)).order_by(
    Submission.submitted_at, Submission.application_id)


def submissions_awaiting_eligibility(*, after: Key | None = None, most: int = 50) -> list[Row]:
    """What an officer has to check, the oldest first; `after` is the place of the last row of the page before."""
    return _read(_TO_CHECK if after is None else _TO_CHECK.where(_place_after(after)), most)


def list_of_all(*, after: Key | None = None, most: int = 50) -> list[Row]:
    """Every submitted application, the newest first, a page at a time."""
    rows = _ROW if after is None else _ROW.where(_place_before(after))
    return _read(rows.order_by(Submission.submitted_at.desc(), Submission.application_id.desc()), most)


def list_of_round(round_id: uuid.UUID, *, after: Key | None = None, most: int = 50) -> list[Row]:
    """The submitted applications of a round, the oldest first, a page at a time."""
    rows = _ROW.where(Application.round_id == round_id)
    if after is not None:
        rows = rows.where(_place_after(after))
    return _read(rows.order_by(Submission.submitted_at, Submission.application_id), most)


#: Above this a round's page says "more than": no page counts without an end.
MOST_COUNTED = 1000


_COUNT_IN_ROUND = sa.select(sa.func.count()).select_from(
    sa.select(Submission.id).join(Application, Application.id == Submission.application_id)
    .where(Application.round_id == sa.bindparam("round_id")).limit(MOST_COUNTED + 1).subquery())


def count_in_round(round_id: uuid.UUID) -> int:
    """How many applications a round has had, counted to one above `MOST_COUNTED`: part of the odds on its page."""
    return session.scalar(_COUNT_IN_ROUND, {"round_id": round_id}) or 0


def others_of_group(organisation_id: uuid.UUID, application_id: uuid.UUID, most: int = 10) -> list[Row]:
    """What else the same group has sent, the newest first: an officer looks whether it is the same thing twice."""
    return _read(_ROW.where(Submission.organisation_id == organisation_id, Submission.application_id != application_id)
                 .order_by(Submission.submitted_at.desc(), Submission.application_id), most)


def money_of(whole: Whole) -> Asked:
    """The money of what was sent, from the frozen copy alone."""
    if whole.submission is None:
        raise NotFound
    content = whole.submission.content
    return Asked(tuple(CostLine(line["what"], line["pence"]) for line in content["costs"]),
                 whole.submission.asked_pence, whole.submission.least_pence)


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
    read_by = _end_of_day(whole.eligibility.checked_at if whole.eligibility else whole.check_due_at, rules.scoring_days)
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
