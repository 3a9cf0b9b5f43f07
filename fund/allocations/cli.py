"""Commands of the part `allocations`."""

import click


@click.group(name="allocations")
def commands() -> None:
    """Commands of the part allocations."""
