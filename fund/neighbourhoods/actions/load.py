"""Loading official files: read, checked, copied into the database, pinned by version and hash; all or nothing.

A file is known by its heading. Loading the same file again does nothing. Another file of the same kind and version may
add areas, but may not change a figure that is there: that would be a new version.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TextIO
from uuid import UUID

import sqlalchemy as sa
from psycopg import Connection, errors, sql

from fund.db import session
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput
from fund.kernel.words import _
from fund.neighbourhoods import formats
from fund.neighbourhoods.actions.open import open_neighbourhood
from fund.neighbourhoods.actions.statements import STATEMENTS
from fund.neighbourhoods.formats import Format
from fund.neighbourhoods.models import Dataset, Lsoa
from fund.neighbourhoods.rules import IN_FORCE
from fund.transparency.actions import record_act

FACTS = Path(__file__).resolve().parent.parent / "facts"

#: The order in which kinds are loaded, because each is checked against the ones before.
ORDER = ("areas", "residents", "imd", "cni", "areas_2011", "earlier_list", "outlines", "postcodes")

Rows = Iterable[list[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: which dataset it is, how many rows it has, and whether it was there already."""

    kind: str
    version: str
    row_count: int
    was_there: bool


def load_file(actor: Actor, path: Path, *, as_of: date | None = None,
              progress: Callable[[int], None] = lambda _rows: None) -> Loaded:
    """Load one official file; `progress` is told how many rows were sent so far.

    `as_of` is the day that a file of postcodes describes, when it is not in the file's name (`…_2025-02.csv`); of two
    files that name a postcode, the newer answers. Raises BadInput for a file we do not know, or with its wrong rows.
    """
    session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('neighbourhoods.load'))"))
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").digest()
    there = session.execute(sa.select(Dataset).where(Dataset.sha256 == sha256)).scalar_one_or_none()
    if there is not None:
        return Loaded(there.kind, there.version, there.row_count, was_there=True)
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            dataset = _load(text, path, sha256, as_of, progress)
    except UnicodeDecodeError as error:
        raise BadInput(_("%(name)s is not text in UTF-8. Save it as “CSV UTF-8” and try again.", name=path.name)
                       ) from error
    record_act(actor, "load_dataset", "dataset", dataset.id, kind=dataset.kind, version=dataset.version,
               sha256=sha256.hex(), rows=dataset.row_count)
    return Loaded(dataset.kind, dataset.version, dataset.row_count, was_there=False)


def in_loading_order(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths` that we know, each after those that it is checked against."""
    known = [(ORDER.index(form.kind), str(path), path) for path in paths if (form := format_of(path)) is not None]
    return [path for _order, _name, path in sorted(known)]


def format_of(path: Path) -> Format | None:
    """Which official file this is, by its heading; None when we know none like it."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            return _format_of(text.read(1 << 12))
    except UnicodeDecodeError:
        return None


def _format_of(start: str) -> Format | None:
    if _is_geojson(start):
        of_small_areas = re.search(rf'"area_code": *"{formats.LSOA}"', start)
        return next(form for form in formats.FORMATS if form.kind == "outlines") if of_small_areas else None
    return formats.recognise(start.partition("\n")[0])


def _is_geojson(start: str) -> bool:
    return start.lstrip().startswith("{")


def _load(text: TextIO, path: Path, sha256: bytes, as_of: date | None, progress: Callable[[int], None]) -> Dataset:
    start = text.read(1 << 12)
    form = _format_of(start)
    if form is None:
        raise BadInput(_("We do not know what %(name)s is: its first row is not that of any file we can load.",
                         name=path.name))
    text.seek(0)
    known = _known_areas() if form.area is not None else None
    if known is not None and not known:
        raise BadInput(_("Load the look-up of small areas and wards first; then %(name)s.", name=path.name))
    if _is_geojson(start):
        rows: Rows = [formats.outlines(text, known)]
    else:
        rows = formats.rows(form, text, known)
    day = as_of or _day_in_name(path.name) or form.as_of
    version = f"{form.version}, {day:%Y-%m}" if form.kind == "postcodes" else form.version
    number = 1 + session.execute(sa.select(sa.func.coalesce(sa.func.max(Dataset.number), 0))).scalar_one()
    dataset = Dataset(number=number, kind=form.kind, version=version, as_of=day, source=form.source,
                      licence=form.licence, sha256=sha256)
    _store(form, dataset, _counted(rows, dataset, progress))
    session.execute(sa.text("SELECT places_were_loaded()"))  # else the next query plans for tables that were empty
    return dataset


def _known_areas() -> set[str]:
    """The codes of the small areas that we have, fetched as one text: that is ten times quicker than as rows."""
    codes = session.execute(sa.select(sa.func.string_agg(Lsoa.code, " "))).scalar_one()
    return set(codes.split()) if codes else set()


def _counted(rows: Rows, dataset: Dataset, progress: Callable[[int], None]) -> Iterator[list[tuple[str, ...]]]:
    dataset.row_count = 0
    for block in rows:
        dataset.row_count += len(block)
        yield block
        progress(dataset.row_count)


def _store(form: Format, dataset: Dataset, rows: Rows) -> None:
    """Put the rows and their dataset into the database; raises BadInput with the rows that repeat or disagree."""
    connection = _driver()
    try:
        if form.kind == "postcodes":
            columns = ("postcode", "lsoa_code", "ward_code", "ward17_code")[:len(form.columns)]
            _copy(connection, "postcode", [*columns, "dataset_number"], rows, tail=f"\t{dataset.number}")
            _keep(dataset)
        else:
            _store_through_staging(connection, form, dataset, rows)
    except errors.UniqueViolation as error:
        raise _repeated(error) from error


def _store_through_staging(connection: Connection, form: Format, dataset: Dataset, rows: Rows) -> None:
    statements, staging = STATEMENTS[form.kind], f"staging_{dataset.number}"
    connection.execute(f"CREATE TEMP TABLE {staging} ({statements.columns}, row bigint GENERATED ALWAYS AS IDENTITY "
                       "(START WITH 2))")
    _copy(connection, staging, [], rows)
    connection.execute(f"ANALYZE {staging}")
    _keep(dataset)
    values = {"kind": form.kind, "version": dataset.version, "out_of": form.out_of, "dataset_id": dataset.id}
    # A foreign key's check is planned once a session, at the first row. On a table that a failed load left empty and
    # vacuumed, that plan would read the whole table for every row: minutes in place of seconds.
    connection.execute("SET LOCAL enable_seqscan = off")
    for statement in statements.store:
        connection.execute(statement.format(s=staging), values)
    connection.execute("SET LOCAL enable_seqscan = on")
    clashes = connection.execute(f"{statements.clash.format(s=staging)} ORDER BY s.row LIMIT 20", values).fetchall()
    connection.execute(f"DROP TABLE {staging}")
    if clashes:
        raise BadInput(_("Nothing was loaded. These rows give other figures than we hold for the same version: "
                         "%(rows)s. A figure of a version never changes; a new version needs a file of its own.",
                         rows=", ".join(str(row) for (row,) in clashes)), row=clashes[0][0])


def _copy(connection: Connection, table: str, columns: list[str], rows: Rows, tail: str = "") -> None:
    """Send rows by COPY; `columns` are named when some of the table's are left out. `tail` ends every line."""
    names = columns or [column for column in _columns(connection, table) if column != "row"]
    command = sql.SQL("COPY {} ({}) FROM STDIN (NULL '')").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, names)))
    between = f"{tail}\n"
    with connection.cursor().copy(command) as copy:
        for block in rows:
            if block:
                copy.write(between.join(map("\t".join, block)) + between)


def _columns(connection: Connection, table: str) -> list[str]:
    return [column.name for column in
            connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(sql.Identifier(table))).description or []]


def _keep(dataset: Dataset) -> None:
    """Write the dataset's own row, now that its rows are counted."""
    if not dataset.row_count:
        raise BadInput(_("The file has no rows below its heading."))
    session.add(dataset)
    session.flush()


def _driver() -> Connection:
    """psycopg's connection of this session's transaction: SQLAlchemy has no COPY."""
    return session.connection().connection.driver_connection  # type: ignore[return-value]


def _repeated(error: errors.UniqueViolation) -> BadInput:
    """Name the row that repeats another of the same file; COPY counts lines from the first below the heading."""
    line = re.search(r"line (\d+)", error.diag.context or "")
    row = int(line[1]) + 1 if line else None
    key = re.search(r"=\(([^)]*)\)", error.diag.message_detail or "")
    return BadInput(_("Nothing was loaded. Row %(row)s repeats %(key)s, which stands in an earlier row.",
                      row=row or "?", key=key[1] if key else "?"), row=row)


def _day_in_name(name: str) -> date | None:
    """The first day of the month that a file's name ends with, as in `postcodes_2025-02.csv`."""
    found = re.search(r"(20\d\d)-(0[1-9]|1[0-2])(?:\D|$)", name)
    return date(int(found[1]), int(found[2]), 1) if found else None


def load_demo_facts(actor: Actor) -> list[UUID]:
    """Load the small table of facts that is shipped with the fund, and open the neighbourhoods that are in it.

    Real places, ranks and postcodes of Greater Manchester (sources and licences in facts/README.md). Loading them again
    does nothing. Gives the ids of the neighbourhoods, by code.
    """
    for path in in_loading_order(sorted(FACTS.glob("*.csv"))):
        load_file(actor, path)
    with (FACTS / "neighbourhoods.txt").open(encoding="utf-8") as file:
        codes = [line.split()[0] for line in file if line.strip() and not line.startswith("#")]
    return [open_neighbourhood(actor, code, bounds=IN_FORCE) for code in sorted(codes)]
