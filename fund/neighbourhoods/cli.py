"""Commands about places: loading official files, and opening neighbourhoods of what was loaded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fund.db import transaction
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import BadInput, FundError
from fund.neighbourhoods import actions, queries
from fund.neighbourhoods.actions.load import in_loading_order


@click.group(name="neighbourhoods")
def commands() -> None:
    """Places: official files, need figures and neighbourhoods."""


@commands.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Load every official file in this folder and below it.")
@click.option("--as-of", type=click.DateTime(["%Y-%m"]), help="The month that a file of postcodes describes.")
def load(files: tuple[Path, ...], folder: Path | None, as_of: object) -> None:
    """Load official files of areas, need, residents, postcodes and outlines; each is known by its heading.

    A file with a wrong row is not loaded at all, and its wrong rows are named. A file that is there already is passed
    over. The files may be given in any order.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix in {".csv", ".geojson"}) if folder else []
    ordered = in_loading_order([*files, *found])
    for path in files:
        if path not in ordered:
            raise click.ClickException(f"We do not know what {path.name} is: its first row is not that of any file "
                                       "we can load.")
    for path in (path for path in found if path not in ordered):
        click.echo(f"{path.name}: passed over, its first row is not that of any file we can load")
    if not ordered:
        raise click.ClickException("There is nothing to load. Name files, or a --folder that holds some.")
    for path in ordered:
        with _said_plainly(path.name), transaction():
            _load(path, getattr(as_of, "date", lambda: None)())


def _load(path: Path, as_of: object) -> None:
    began, shown = time.monotonic(), 0.0

    def progress(rows: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            click.echo(f"\r{path.name}: {rows:,} rows", nl=False)

    loaded = actions.load_file(SYSTEM, path, as_of=as_of, progress=progress)  # type: ignore[arg-type]
    took = time.monotonic() - began
    what = f"{loaded.row_count:,} rows of {loaded.kind} {loaded.version}"
    done = "were there already" if loaded.was_there else f"in {took:.1f} s, {loaded.row_count / took:,.0f} a second"
    click.echo(f"\r{path.name}: {what} {done}")


@commands.command(name="open")
@click.option("--district", "districts", multiple=True, help="Only wards of this district code; may be repeated.")
def open_(districts: tuple[str, ...]) -> None:
    """Make a neighbourhood of every ward that keeps the rule in force."""
    with _said_plainly("open"), transaction():
        made = actions.open_neighbourhoods_within_bounds(SYSTEM, district_codes=districts or None)
    click.echo(f"{len(made):,} neighbourhoods are open.")


@commands.command()
def facts() -> None:
    """Load the small table of real facts that comes with the fund, and open its ten neighbourhoods."""
    with _said_plainly("facts"), transaction():
        made = actions.load_demo_facts(SYSTEM)
    click.echo(f"{len(made)} neighbourhoods are open.")


@commands.command()
@click.argument("postcode")
def where(postcode: str) -> None:
    """Say where a postcode is, how great its need is, and whether the fund is for it."""
    with _said_plainly(postcode):
        place = queries.place_of_postcode(postcode)
    click.echo(f"{place.postcode}: {place.lsoa_name}, {place.ward_name}, {place.district_name}")
    for need in filter(None, (place.imd, place.cni)):
        click.echo(f"  {need.kind} {need.version}: {need.rank:,} of {need.out_of:,} (tenth {need.decile})")
    click.echo(f"  neighbourhood: {place.neighbourhood.name if place.neighbourhood else 'none'}")


@contextmanager
def _said_plainly(name: str) -> Iterator[None]:
    """End with a sentence and no trace when the fund itself says no."""
    try:
        yield
    except BadInput as error:
        click.echo()
        raise click.ClickException(f"{name}: {error}") from error
    except FundError as error:
        raise click.ClickException(str(error)) from error
