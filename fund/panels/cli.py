"""Commands of the part `panels`."""

import click


@click.group(name="panels")
def commands() -> None:
    """Commands of the part panels."""
