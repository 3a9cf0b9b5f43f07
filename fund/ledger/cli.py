"""Commands of the part `ledger`."""

import sys

import click
import sqlalchemy as sa

from fund.db import session, transaction
from fund.kernel.errors import OutsideDown
from fund.ledger import actions
from fund.ledger.queries import schema as declaration
from fund.ledger.queries.fsck import check_everything
from fund.ledger.rules import balances_path
from fund.ledger.rules.replay import Problem
from fund.settings import settings
from fund.transparency import storage
from fund.transparency.queries.check import published_files


@click.group(name="ledger")
def commands() -> None:
    """The permanent ledger."""


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report for a machine.")
@click.option("--published/--no-published", default=True, help="Compare the published files too.  [default: yes]")
def fsck(as_json: bool, published: bool) -> None:
    """Check every leaf, row, balance and rule, and every published file. Ends with 1 where anything is wrong, each
    thing named."""
    session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    published = published and bool(settings().s3_endpoint_url)
    report = check_everything(lambda size: click.echo(f"\r{size:,} leaves", nl=False, err=True),
                              _published_balances if published else lambda _size: None)
    if published:
        try:
            report.add("files", (Problem(*problem) for problem in published_files(
                lambda size: click.echo(f"\r{size:,} published", nl=False, err=True))))
        except OutsideDown as error:
            report.add("files", [Problem("log_store", "the published files", f"they could not be read: {error}")])
    session.rollback()
    click.echo("\r", nl=False, err=True)
    if as_json:
        click.echo(report.as_json())
    else:
        for problem in report.problems:
            click.secho(f"{problem.where}: {problem.sentence} [{problem.code}]", fg="red")
        click.echo(f"{report.size:,} leaves, {report.entries:,} entries, {report.transfers:,} transfers. "
                   f"Root {report.root.hex()}.")
        click.echo("Everything adds up." if not report.problems else f"{len(report.problems):,} problems.")
    sys.exit(1 if report.problems else 0)


def _published_balances(size: int) -> bytes | None:
    """The balances that were published for this size of the log; none where the store does not answer, as what reads
    all of its files says."""
    try:
        there = storage.read(balances_path(size))
    except OutsideDown:
        return None
    return None if there is None else there.data


@commands.command()
def snapshots() -> None:
    """Keep the balances that moved, at every ten thousandth place of the log, where that is not done."""
    with transaction():
        taken = actions.take_snapshots()
    click.echo(f"Balances were kept at {taken:,} places.")


@commands.command()
def balances() -> None:
    """Publish what every account holds, at the sizes of the log where that is due and not done."""
    with transaction():
        sizes = actions.publish_balances()
    click.echo(f"Balances were published for {len(sizes):,} sizes of the log" + (
        f", the last for {sizes[-1]:,} lines." if sizes else "."))


@commands.command()
def schema() -> None:
    """Print the ledger's schema as this database has it: what `migrations/ledger_schema.json` declares."""
    click.echo(declaration.as_declared(declaration.catalogue()), nl=False)
