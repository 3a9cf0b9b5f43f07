"""Commands of the part `organisations`."""

import click


@click.group(name="organisations")
def commands() -> None:
    """Commands of the part organisations."""
