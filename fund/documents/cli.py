"""Commands of the part `documents`."""

import click


@click.group(name="documents")
def commands() -> None:
    """Commands of the part documents."""
