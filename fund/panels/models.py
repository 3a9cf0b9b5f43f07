"""The tables of panels. Their keys, checks and triggers stand in migrations/versions/0008_panels.py."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

_ID: dict[str, Any] = {"primary_key": True, "default": uuid.uuid4}
_NOW: dict[str, Any] = {"server_default": sa.func.clock_timestamp()}


class Panel(Model):
    """The residents' panel of a neighbourhood."""

    __tablename__ = "panel"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    neighbourhood_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    constituted_at: Mapped[datetime] = mapped_column(**_NOW)


class Seat(Model):
    """One member's place on a panel."""

    __tablename__ = "seat"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    panel_id: Mapped[uuid.UUID]
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    person_id: Mapped[uuid.UUID]
    is_resident: Mapped[bool]
    is_chair: Mapped[bool] = mapped_column(default=False)
    term_from: Mapped[date]
    term_to: Mapped[date]
    trained_at: Mapped[datetime | None]
    code_accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Sitting(Model):
    """The applications of a round that are decided together; its lot was committed to when it opened."""

    __tablename__ = "sitting"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    round_id: Mapped[uuid.UUID]
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    scoring_closes_at: Mapped[datetime]
    seed_commitment: Mapped[bytes]
    opened_at: Mapped[datetime] = mapped_column(**_NOW)


class SittingSeed(Model):
    """The secret number of a sitting's lot. Written once; only the panel's role reads it, to close the sitting."""

    __tablename__ = "sitting_seed"

    sitting_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    seed: Mapped[bytes]


class SittingApplication(Model):
    """An application before the panel, in one sitting for ever."""

    __tablename__ = "sitting_application"

    application_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sitting_id: Mapped[uuid.UUID]
    need_rank: Mapped[int] = mapped_column(default=0)
    put_at: Mapped[datetime] = mapped_column(**_NOW)


class Assignment(Model):
    """A reader of an application."""

    __tablename__ = "assignment"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    application_id: Mapped[uuid.UUID]
    seat_id: Mapped[uuid.UUID]
    assigned_at: Mapped[datetime] = mapped_column(**_NOW)


class Interest(Model):
    """What a member said ties them to an application. The newest version counts."""

    __tablename__ = "interest"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    application_id: Mapped[uuid.UUID]
    seat_id: Mapped[uuid.UUID]
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    answer: Mapped[str]
    consequence: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(**_NOW)


class InterestRuling(Model):
    """The chair's answer to a doubt."""

    __tablename__ = "interest_ruling"

    interest_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    consequence: Mapped[str]
    ruled_by: Mapped[uuid.UUID]
    ruled_at: Mapped[datetime] = mapped_column(**_NOW)


class Score(Model):
    """A reader's points for one criterion, with the reason. The newest version counts once it is locked."""

    __tablename__ = "score"

    id: Mapped[uuid.UUID] = mapped_column(**_ID)
    assignment_id: Mapped[uuid.UUID]
    criterion_id: Mapped[uuid.UUID]
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    points: Mapped[int] = mapped_column(sa.SmallInteger)
    reason: Mapped[str]
    saved_at: Mapped[datetime] = mapped_column(**_NOW)


class ScoreLock(Model):
    """A reader's scores stand from here on; `commitment` is published, `salt` opens it."""

    __tablename__ = "score_lock"

    assignment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    commitment: Mapped[bytes]
    locked_at: Mapped[datetime] = mapped_column(**_NOW)


class ScoreRelease(Model):
    """A reader lets the panel go on without their score."""

    __tablename__ = "score_release"

    assignment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    released_at: Mapped[datetime] = mapped_column(**_NOW)


class SittingPot(Model):
    """How much of its money the panel puts into one sitting."""

    __tablename__ = "sitting_pot"

    sitting_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    pot_pence: Mapped[int]
    set_by: Mapped[uuid.UUID]
    set_at: Mapped[datetime] = mapped_column(**_NOW)


class ScoreReminder(Model):
    """A reminder that a reader was sent."""

    __tablename__ = "score_reminder"

    assignment_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(**_NOW)


class SittingClose(Model):
    """The closing of a sitting. The part decisions writes it; it stands here because this part asks what is open."""

    __tablename__ = "sitting_close"

    sitting_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    closed_by: Mapped[uuid.UUID]
    closed_at: Mapped[datetime] = mapped_column(**_NOW)
    seed: Mapped[bytes]
    available_pence: Mapped[int]
    rule_version: Mapped[str]
