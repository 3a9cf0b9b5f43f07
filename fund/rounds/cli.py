"""Commands of the part `rounds`."""

import click


@click.group(name="rounds")
def commands() -> None:
    """Commands of the part rounds."""
