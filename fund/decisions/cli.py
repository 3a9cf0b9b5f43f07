"""Commands of the part `decisions`."""

import click


@click.group(name="decisions")
def commands() -> None:
    """Commands of the part decisions."""
