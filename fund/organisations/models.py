"""The tables of organisations. Keys, checks and triggers stand in migrations/versions/0005_organisations.py."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Organisation(Model):
    """A group or organisation, however small."""

    __tablename__ = "organisation"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    kind: Mapped[str]
    org_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Membership(Model):
    """A person acts for an organisation; who `may_sign` submits, agrees and accepts for it."""

    __tablename__ = "membership"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    organisation_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    may_sign: Mapped[bool] = mapped_column(default=True)
    joined_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    ended_at: Mapped[datetime | None]


class BankAccount(Model):
    """An account, sealed. A change is a new row; the newest counts."""

    __tablename__ = "bank_account"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[uuid.UUID]
    holder: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(deferred=True)
    last_four: Mapped[str]
    fingerprint: Mapped[bytes]
    added_by: Mapped[uuid.UUID]
    added_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class OrganisationCheck(Model):
    """What an officer checked, from which source, and until when it stands."""

    __tablename__ = "organisation_check"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    organisation_id: Mapped[uuid.UUID]
    bank_account_id: Mapped[uuid.UUID | None]
    kind: Mapped[str]
    passed: Mapped[bool]
    source: Mapped[str]
    made_by: Mapped[uuid.UUID]
    made_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    expires_on: Mapped[date]


class HostAgreement(Model):
    """A host receives money for a group: asked for by the group, agreed to by somebody who may sign for the host."""

    __tablename__ = "host_agreement"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    group_id: Mapped[uuid.UUID]
    host_id: Mapped[uuid.UUID]
    asked_by: Mapped[uuid.UUID]
    asked_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    agreed_by: Mapped[uuid.UUID | None]
    agreed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class StaffInterest(Model):
    """What ties one of the fund's own people to an organisation."""

    __tablename__ = "staff_interest"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID]
    organisation_id: Mapped[uuid.UUID]
    declared_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    ended_at: Mapped[datetime | None]
