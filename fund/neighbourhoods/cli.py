"""Commands of the part `neighbourhoods`."""

import click


@click.group(name="neighbourhoods")
def commands() -> None:
    """Commands of the part neighbourhoods."""
