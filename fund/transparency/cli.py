"""Commands of the part `transparency`: the key of the public log, and publishing by hand."""

import json
import os
import sys
from pathlib import Path

import click

from fund.db import transaction
from fund.kernel.errors import FundError
from fund.settings import settings
from fund.transparency import actions, queries
from fund.transparency.actions import extras, publish
from fund.transparency.formats import Signer
from fund.transparency.queries.check import published_files


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


@commands.command()
def rotate_key() -> None:
    """Give the log a new key, and say so in the log. Both keys sign from then on; after a year take the old line out
    of LOG_KEY_FILE. A run that was cut off goes on with the key that it had made."""
    try:
        signers = publish.our_signers()
        path = Path(settings().log_key_file)
        waiting = path.with_name(path.name + ".new")
        new = Signer.read(waiting.read_text()) if waiting.exists() else write_new_key(waiting, settings().log_origin)
        old = next(signer for signer in signers if signer.key != new.key)
        with transaction():
            actions.name_new_key(str(new.key), str(old.key))
        keys = path.read_text()
        if new.written() not in keys:
            both = path.with_name(path.name + ".both")
            both.touch(0o600)
            both.write_text(new.written() + keys)
            both.replace(path)
        waiting.unlink()
    except FundError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{new.key}\nBoth keys sign now. Start the worker again, and tell those who check the log.")


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


@commands.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report for a machine.")
def check(as_json: bool) -> None:
    """Compare every published file with the database, byte for byte. Ends with 1 where anything differs."""
    try:
        problems = list(published_files(lambda size: click.echo(f"\r{size:,} lines", nl=False, err=True)))
    except FundError as error:
        raise click.ClickException(str(error)) from None
    found = queries.publication()
    click.echo("\r", nl=False, err=True)
    if as_json:
        click.echo(json.dumps({"sound": not problems, "size": found.size, "published": found.published_size,
                               "problems": [problem._asdict() for problem in problems]}, indent=2))
    else:
        for problem in problems:
            click.secho(f"{problem.where}: {problem.sentence} [{problem.code}]", fg="red")
        click.echo(f"{found.published_size:,} of {found.size:,} lines are published. "
                   + ("Every file is what it should be." if not problems else f"{len(problems):,} problems."))
    sys.exit(1 if problems else 0)
