"""Reading applications: one's own, and the frozen copy that the panel reads. `lists` and `pages` have the rest."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from fund.applications.models import Application, ApplicationFile, Eligibility, Submission, Withdrawal
from fund.applications.rules import Asked, CostLine, Problem, State, problems, state_of
from fund.db import session
from fund.documents.models import StoredFile
from fund.kernel import clock
from fund.kernel.errors import NotFound
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
    return end_of_day(submitted_at, round_.rules.check_days)


def end_of_day(moment: datetime, days: int) -> datetime:
    """The end of the day in London that is so many days after a moment."""
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


def money_of(whole: Whole) -> Asked:
    """The money of what was sent, from the frozen copy alone."""
    if whole.submission is None:
        raise NotFound
    content = whole.submission.content
    return Asked(tuple(CostLine(line["what"], line["pence"]) for line in content["costs"]),
                 whole.submission.asked_pence, whole.submission.least_pence)
