"""Commands of the part `people`."""

import click


@click.group(name="people")
def commands() -> None:
    """Commands of the part people."""
