"""Commands of the part `bank`."""

import click


@click.group(name="bank")
def commands() -> None:
    """Commands of the part bank."""
