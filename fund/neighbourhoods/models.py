"""The tables of places. Their keys, checks and triggers stand in migrations/versions/0003_places.py."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class Dataset(Model):
    """One official file, as it was read: its kind and version, its source and licence, its hash."""

    __tablename__ = "dataset"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    number: Mapped[int] = mapped_column(sa.SmallInteger, unique=True)
    kind: Mapped[str]
    version: Mapped[str]
    as_of: Mapped[date]
    source: Mapped[str]
    licence: Mapped[str]
    sha256: Mapped[bytes] = mapped_column(unique=True)
    row_count: Mapped[int]
    loaded_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class Area(Model):
    """An official ward or district of 2024."""

    __tablename__ = "area"

    code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    district_code: Mapped[str]
    dataset_id: Mapped[uuid.UUID]


class Lsoa(Model):
    """A small official area of 2021, given whole to one ward."""

    __tablename__ = "lsoa"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    ward_code: Mapped[str]
    dataset_id: Mapped[uuid.UUID]


class LsoaResidents(Model):
    """How many people live in a small area, by one census."""

    __tablename__ = "lsoa_residents"

    lsoa_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    residents: Mapped[int]
    dataset_id: Mapped[uuid.UUID]


class NeedFigure(Model):
    """The rank, decile and score of a small area in one version of one index."""

    __tablename__ = "need_figure"

    lsoa_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int]
    out_of: Mapped[int]
    decile: Mapped[int] = mapped_column(sa.SmallInteger)
    score_milli: Mapped[int]
    dataset_id: Mapped[uuid.UUID]


class Lsoa2011(Model):
    """What became of a small area of 2011: one row for each area of 2021 that holds a part of it."""

    __tablename__ = "lsoa_2011"

    code: Mapped[str] = mapped_column(primary_key=True)
    lsoa_code: Mapped[str] = mapped_column(primary_key=True)
    change_code: Mapped[str]
    dataset_id: Mapped[uuid.UUID]


class EarlierList(Model):
    """A ward of 2017 on an older list of places, which decides nothing now."""

    __tablename__ = "earlier_list"

    ward17_code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    dataset_id: Mapped[uuid.UUID]


class LsoaOutline(Model):
    """The drawing of a small area, and the frame around it."""

    __tablename__ = "lsoa_outline"

    lsoa_code: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str]
    west: Mapped[int]
    north: Mapped[int]
    east: Mapped[int]
    south: Mapped[int]
    dataset_id: Mapped[uuid.UUID]


class Postcode(Model):
    """A postcode and the small area that holds it, by one file; the newest file that names it answers."""

    __tablename__ = "postcode"

    postcode: Mapped[str] = mapped_column(primary_key=True)
    dataset_number: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    lsoa_code: Mapped[str]
    ward_code: Mapped[str | None]
    ward17_code: Mapped[str | None]


class Neighbourhood(Model):
    """A place with a panel: a named set of small areas. `code` is that of its ward, or of its district."""

    __tablename__ = "neighbourhood"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    code: Mapped[str] = mapped_column(unique=True)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str]
    district_code: Mapped[str]
    district_name: Mapped[str]
    residents: Mapped[int]
    version: Mapped[int] = mapped_column(sa.Integer, default=1)
    bounds_rule: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())


class NeighbourhoodArea(Model):
    """One small area of a neighbourhood."""

    __tablename__ = "neighbourhood_area"

    neighbourhood_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    lsoa_code: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
