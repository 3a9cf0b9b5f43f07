"""Commands of the part `bank`."""

from datetime import datetime

import click

from fund.bank import actions
from fund.db import transaction
from fund.kernel import clock
from fund.kernel.actor import SYSTEM
from fund.kernel.errors import Refused


@click.group(name="bank")
def commands() -> None:
    """Commands of the part bank."""


@commands.command("close-books")
@click.argument("through", type=click.DateTime(["%Y-%m-%d"]))
def close_books(through: datetime) -> None:
    """Close the books through a day: nothing is entered for it or an earlier one again."""
    try:
        with transaction():
            actions.close_books(SYSTEM, through.date(), today=clock.today())
    except Refused as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"The books are closed through {through.date()}.")
