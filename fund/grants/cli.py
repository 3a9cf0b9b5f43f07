"""Commands of the part `grants`."""

import click


@click.group(name="grants")
def commands() -> None:
    """Commands of the part grants."""
