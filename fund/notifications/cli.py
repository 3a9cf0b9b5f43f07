"""Commands of the part `notifications`."""

import click


@click.group(name="notifications")
def commands() -> None:
    """Commands of the part notifications."""
