"""Commands of the part `transparency`: the key of the public log, and publishing by hand."""

import os
from pathlib import Path

import click

from fund.db import transaction
from fund.kernel.errors import FundError
from fund.settings import settings
from fund.transparency.actions import extras, publish
from fund.transparency.formats import Signer


@click.group(name="log")
def commands() -> None:
    """The public log: its key, and publishing it."""


def write_new_key(path: Path, origin: str) -> Signer:
    """Make a key that signs the log `origin`, in a file that only its owner can read. Raises FileExistsError."""
    signer = Signer.new(origin)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(signer.written())
    except OSError:
        path.unlink()  # half a key would be in the way of the next
        raise
    return signer


@commands.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_key(file: Path) -> None:
    """Make the key of this log in FILE, which must not be there yet; prints the public half, for anybody to keep."""
    try:
        signer = write_new_key(file, settings().log_origin)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already, and a key is never overwritten.") from None
    click.echo(str(signer.key))


@commands.command(name="publish")
def publish_now() -> None:
    """Publish what is new, here and now: for a clock of the machine in place of the worker. Ctrl-C is safe."""
    try:
        extras.put_up()
        while True:
            with transaction():
                done = publish.publish_next()
            if done is None:
                raise click.ClickException("Another publisher is at work on this log.")
            click.echo(f"{done.size:,} lines are published, {done.waiting:,} wait.", err=done.waiting > 0)
            if not done.is_complete:
                raise click.ClickException("Too few witnesses cosigned. What is signed waits for them; run this again.")
            if not done.waiting:
                return
    except FundError as error:
        raise click.ClickException(str(error)) from None
