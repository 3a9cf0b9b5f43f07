"""Tables of grants. Every row stands for ever; where a stage stands is read from them (migration 0010)."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model

_NOW = sa.func.clock_timestamp()


class Award(Model):
    """What a panel's decision gives to an organisation, from the offer on."""

    __tablename__ = "award"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    decision_id: Mapped[uuid.UUID]
    application_id: Mapped[uuid.UUID]
    organisation_id: Mapped[uuid.UUID]
    amount_pence: Mapped[int]
    offered_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    lapses_on: Mapped[date]
    offer_entry_id: Mapped[uuid.UUID]


class AwardEnd(Model):
    """An offer that lapsed or was declined by the group, or a grant that ended."""

    __tablename__ = "award_end"

    award_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    entry_id: Mapped[uuid.UUID]
    ended_by: Mapped[uuid.UUID | None]
    ended_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class OfferReminder(Model):
    """A letter that an offer will lapse."""

    __tablename__ = "offer_reminder"

    award_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Agreement(Model):
    """A signed offer: which terms, by whom, and how the money will be spent."""

    __tablename__ = "agreement"

    award_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    terms_version: Mapped[str]
    spending_plan: Mapped[str]
    signed_by: Mapped[uuid.UUID]
    signed_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    entry_id: Mapped[uuid.UUID]


class Payee(Model):
    """Whose account the money goes to: the group's or its host's. The newest version counts."""

    __tablename__ = "payee"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    award_id: Mapped[uuid.UUID]
    version: Mapped[int] = mapped_column(sa.SmallInteger)
    organisation_id: Mapped[uuid.UUID]
    bank_account_id: Mapped[uuid.UUID]
    chosen_by: Mapped[uuid.UUID]
    chosen_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Stage(Model):
    """A part of an award, paid by itself."""

    __tablename__ = "stage"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    award_id: Mapped[uuid.UUID]
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    basis: Mapped[str]
    amount_pence: Mapped[int]
    due_on: Mapped[date]


class Evidence(Model):
    """What the group showed for a stage."""

    __tablename__ = "evidence"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    stage_id: Mapped[uuid.UUID]
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    story: Mapped[str]
    sent_by: Mapped[uuid.UUID]
    sent_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class EvidenceFile(Model):
    """A photo or paper of an evidence, with the hash of its bytes."""

    __tablename__ = "evidence_file"

    evidence_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    file_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes]


class EvidenceReview(Model):
    """What an officer said to an evidence: yes, or what more is needed."""

    __tablename__ = "evidence_review"

    evidence_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    accepted: Mapped[bool]
    words: Mapped[str] = mapped_column(default="")
    reviewed_by: Mapped[uuid.UUID]
    reviewed_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class Release(Model):
    """The instruction to pay a stage: what, to which account, under which reference. Made once, at approval."""

    __tablename__ = "release"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    stage_id: Mapped[uuid.UUID]
    attempt: Mapped[int] = mapped_column(sa.SmallInteger)
    evidence_id: Mapped[uuid.UUID]
    end_to_end_id: Mapped[str]
    amount_pence: Mapped[int]
    payee_id: Mapped[uuid.UUID]
    bank_account_id: Mapped[uuid.UUID]
    approved_by: Mapped[uuid.UUID]
    approved_at: Mapped[datetime] = mapped_column(server_default=_NOW)
    entry_id: Mapped[uuid.UUID]


class ReleaseStep(Model):
    """How far a payment has come."""

    __tablename__ = "release_step"

    release_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    reached_at: Mapped[datetime] = mapped_column(server_default=_NOW)


class ReleaseEnd(Model):
    """What became of a release: settled, refused or withdrawn; and, after it settled, returned."""

    __tablename__ = "release_end"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    release_id: Mapped[uuid.UUID]
    kind: Mapped[str]
    bank_reason: Mapped[str] = mapped_column(default="")
    bank_reference: Mapped[str] = mapped_column(default="")
    booked_on: Mapped[date]
    entry_id: Mapped[uuid.UUID]
    recorded_at: Mapped[datetime] = mapped_column(server_default=_NOW)
