"""Reading applications: one's own, an officer's queue, the frozen copy that the panel reads."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from fund.applications.models import Application, ApplicationFile, Eligibility, Submission, Withdrawal
from fund.applications.rules import State, state_of
from fund.db import session
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
    def check_due_at(self) -> datetime | None:
        """By when an officer says whether it goes to the panel."""
        return check_due_at(self.submission.submitted_at, self.round) if self.submission else None


def check_due_at(submitted_at: datetime, round_: RoundFacts) -> datetime:
    """By when an officer says whether what was sent then goes to the panel."""
    return submitted_at + timedelta(days=round_.rules.check_days)


_WHOLE = (sa.select(Application, Organisation.name, Organisation.kind, Submission, Withdrawal, Eligibility)
          .outerjoin(Submission, Submission.application_id == Application.id)
          .outerjoin(Organisation, Organisation.id == sa.func.coalesce(Submission.organisation_id,
                                                                       Application.organisation_id))
          .outerjoin(Withdrawal, Withdrawal.application_id == Application.id)
          .outerjoin(Eligibility, Eligibility.application_id == Application.id))


def theirs(person_id: uuid.UUID) -> sa.ColumnElement[bool]:
    """Whose an application is: whoever began it, and everyone who acts for its organisation now."""
    acts = sa.exists().where(Membership.organisation_id == Application.organisation_id,
                             Membership.person_id == person_id, Membership.ended_at.is_(None))
    return sa.or_(Application.applicant_id == person_id, acts)


def _wholes(statement: Any) -> list[Whole]:
    rows = session.execute(statement).all()
    known = rounds.rounds([row[0].round_id for row in rows])
    return [Whole(row.id, row.reference, row.applicant_id, row.organisation_id, name, kind, row.values, row.version,
                  row.saved_at, known[row.round_id], submission, withdrawal, eligibility)
            for row, name, kind, submission, withdrawal, eligibility in rows]


def application_for(person_id: uuid.UUID, reference: str) -> Whole:
    """The application of this reference, if it is this person's. Raises NotFound when it is not."""
    found = _wholes(_WHOLE.where(Application.reference == reference, theirs(person_id)))
    if not found:
        raise NotFound
    return found[0]


def application_for_staff(reference: str) -> Whole:
    """A submitted application, for an officer. Raises NotFound for a draft: drafts are their writer's alone."""
    found = _wholes(_WHOLE.where(Application.reference == reference, Submission.id.is_not(None)))
    if not found:
        raise NotFound
    return found[0]


def application(application_id: uuid.UUID) -> Whole:
    """The application with this id, for other parts. Raises NotFound."""
    found = _wholes(_WHOLE.where(Application.id == application_id))
    if not found:
        raise NotFound
    return found[0]


def applications_of(person_id: uuid.UUID, most: int = 100) -> list[Whole]:
    """This person's applications and those of the organisations they act for, the newest first."""
    return _wholes(_WHOLE.where(theirs(person_id))
                   .order_by(Application.created_at.desc(), Application.id).limit(most))


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
    rows = session.execute(sa.text("SELECT f.id, f.name, f.size_bytes, f.sha256 FROM stored_file f "
                                   "JOIN application_file a ON a.file_id = f.id WHERE a.application_id = :id "
                                   "ORDER BY f.created_at, f.id"), {"id": application_id})
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


def submissions_awaiting_eligibility(*, after: Key | None = None, most: int = 50) -> list[Row]:
    """What an officer has to check, the oldest first; `after` is the place of the last row of the page before."""
    rows = _ROW.where(Eligibility.application_id.is_(None), Withdrawal.application_id.is_(None))
    if after is not None:
        rows = rows.where(_place_after(after))
    return _read(rows.order_by(Submission.submitted_at, Submission.application_id), most)


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


def count_in_round(round_id: uuid.UUID) -> int:
    """How many applications a round has had: part of the odds that its page shows."""
    return session.scalar(sa.select(sa.func.count()).select_from(Submission).join(
        Application, Application.id == Submission.application_id).where(Application.round_id == round_id)) or 0
