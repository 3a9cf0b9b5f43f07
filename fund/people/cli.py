"""Commands: who acts for the fund, and tidying what is no longer needed."""

import contextlib
from collections.abc import Iterator

import click

from fund.db import session, transaction
from fund.kernel.actor import STAFF, SYSTEM, Capacity
from fund.kernel.errors import BadInput, Refused
from fund.people import actions, queries, rules

CAPACITIES = click.Choice(sorted(capacity.value for capacity in STAFF))


@click.group(name="people")
def commands() -> None:
    """Who acts for the fund."""


@commands.command()
@click.argument("email")
@click.argument("capacity", type=CAPACITIES)
@click.option("--name", default="", help="What people call them.")
def grant(email: str, capacity: str, name: str) -> None:
    """Let the person with this address act as officer, approver, authoriser or trustee. One person has one capacity."""
    with _in_words(), transaction():
        person = actions.find_or_make_person(email, name=name)
        actions.grant_capacity(SYSTEM, person.id, Capacity(capacity))
        click.echo(f"{person.email} is {capacity} now.")


@commands.command()
@click.argument("email")
def end(email: str) -> None:
    """Take a person's capacity away, and sign them out everywhere, at once."""
    with _in_words(), transaction():
        person = queries.person_with_email(rules.email_address(email))
        if person is None:
            raise click.ClickException(f"There is nobody with the address {email}.")
        actions.end_capacity(SYSTEM, person.id)
        click.echo(f"{person.email} has no capacity now, and is signed out.")


@commands.command("list")
def list_() -> None:
    """Show who holds which capacity."""
    held = queries.capacities_held()
    for person, capacity in held:
        click.echo(f"{capacity.value:<11} {person.email}  {person.name}")
    if not held:
        click.echo("Nobody holds a capacity yet. `fund people grant EMAIL officer` gives one.")
    session.rollback()


@commands.command()
def tidy() -> None:
    """Forget requests to sign in that are older than two days."""
    with transaction():
        click.echo(f"{actions.forget_old_sign_ins()} old requests forgotten.")


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Say a refusal as a sentence, not as a trace."""
    try:
        yield
    except (Refused, BadInput) as error:
        raise click.ClickException(str(error)) from None
