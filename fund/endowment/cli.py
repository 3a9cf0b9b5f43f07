"""Commands of the part `endowment`."""

import click


@click.group(name="endowment")
def commands() -> None:
    """Commands of the part endowment."""
