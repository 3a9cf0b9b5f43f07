"""Commands of the part `applications`."""

import click


@click.group(name="applications")
def commands() -> None:
    """Commands of the part applications."""
