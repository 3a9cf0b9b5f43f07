"""Commands of the part `ledger`."""

import click


@click.group(name="ledger")
def commands() -> None:
    """Commands of the part ledger."""
