"""The tables of applications. Keys, checks and triggers stand in migrations/versions/0007_applications.py."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Application(Model):
    """A draft, while it may change. `answers` holds for each question its value and the version that set it."""

    __tablename__ = "application"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    reference: Mapped[str] = mapped_column(unique=True)
    round_id: Mapped[uuid.UUID]
    applicant_id: Mapped[uuid.UUID]
    organisation_id: Mapped[uuid.UUID | None]
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    saved_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    @property
    def values(self) -> dict[str, Any]:
        """The answers as typed, by question."""
        return {question_id: kept["value"] for question_id, kept in self.answers.items()}


class ApplicationFile(Model):
    """A file that belongs to an application."""

    __tablename__ = "application_file"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    file_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class Submission(Model):
    """The frozen copy. The panel reads this and nothing else."""

    __tablename__ = "submission"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    application_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    organisation_id: Mapped[uuid.UUID]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[bytes]
    title: Mapped[str]
    asked_pence: Mapped[int]
    least_pence: Mapped[int | None]
    submitted_by: Mapped[uuid.UUID]
    submitted_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Withdrawal(Model):
    """The group took its application back."""

    __tablename__ = "withdrawal"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    withdrawn_by: Mapped[uuid.UUID]
    withdrawn_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Eligibility(Model):
    """Whether a submission may go to the panel: said once, by an officer, with a listed reason if not."""

    __tablename__ = "eligibility"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    eligible: Mapped[bool]
    reason: Mapped[str | None]
    checked_by: Mapped[uuid.UUID]
    checked_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
