"""The `fund` command: running the whole fund, making its database ready, and each part's own commands.

A part's commands are imported when they are asked for: `fund run` stays for as long as the fund runs, and holds
nothing that it does not need.
"""

import contextlib
import hashlib
import importlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import click

from fund.settings import Settings, settings, use

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"

#: The parts that have commands of their own, in the order of the house.
PARTS = ("log", "ledger", "endowment", "neighbourhoods", "documents", "notifications", "people", "organisations",
         "allocations", "rounds", "applications", "panels", "decisions", "grants", "bank")

#: The commands of a part that people know under another name.
OTHERWISE_CALLED = {"log": "transparency"}


class Parts(click.Group):
    """The commands below, and one group for each part."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Every command by name."""
        return sorted([*super().list_commands(context), *PARTS])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """A command by name; a part's is imported now."""
        if name in PARTS:
            part = OTHERWISE_CALLED.get(name, name)
            found: click.Command = importlib.import_module(f"fund.{part}.cli").commands
            return found
        return super().get_command(context, name)


@click.group(cls=Parts)
@click.pass_context
def main(context: click.Context) -> None:
    """The Levelling Up Communities Fund."""
    if context.invoked_subcommand in PARTS:
        _find_the_running_fund()
        from fund.app import create_app

        context.with_resource(create_app().app_context())


def _find_the_running_fund() -> None:
    """Without DATABASE_URL, a command works on the fund that `make run` runs from this folder."""
    if settings().database_url:
        return
    from fund.embedded import checks

    addresses = VAR / "run" / "addresses.json"
    if checks.who_runs(VAR) is None or not addresses.exists():
        raise click.ClickException("No fund is running from this folder. Start it with `make run` in another window, "
                                   "or set DATABASE_URL.")
    for name, address in json.loads(addresses.read_text()).items():
        os.environ.setdefault(name, address)
    use(Settings())


@main.command()
@click.option("--var", type=click.Path(path_type=Path), default=VAR, help="The folder that holds the data.")
@click.option("--empty", is_flag=True, help="Do not load the demo fund.")
def run(var: Path, empty: bool) -> None:
    """Start the whole fund on this machine; Ctrl-C stops it."""
    from fund.embedded.process import CannotRun
    from fund.embedded.supervisor import Given, Supervisor

    chosen = settings()
    if chosen.fund_env == "production":
        raise click.ClickException("FUND_ENV is production, and `fund run` is for one machine. Start gunicorn and "
                                   "worker.py there, as the README says.")
    if chosen.migration_database_url and not chosen.database_url:
        raise click.ClickException("MIGRATION_DATABASE_URL is set and DATABASE_URL is not: set both, or neither.")
    given = {name: getattr(chosen, name) for name in (
        "database_url", "migration_database_url", "redis_url", "s3_endpoint_url", "s3_bucket", "s3_access_key",
        "bank_url", "port")}
    # These two have a default that is right for one machine; only one that somebody set stands in for a part.
    given |= {name: getattr(chosen, name) for name in ("smtp_url", "public_url") if name in chosen.model_fields_set}
    try:
        Supervisor(ROOT, var, Given(**given, s3_secret_key=chosen.s3_secret_key.get_secret_value()), click.echo,
                   with_demo=not empty, log_key=_log_key(chosen, var)).run()
    except CannotRun as why:
        raise click.ClickException(str(why)) from None


def _log_key(chosen: Settings, var: Path) -> Path:
    """The file with the key that signs the public log: the one that the settings name, or one of this folder's own for
    each log."""
    return Path(chosen.log_key_file) if chosen.log_key_file else (
        var.resolve() / "log-keys" / hashlib.sha256(chosen.log_origin.encode()).hexdigest()[:12])


@main.command()
@click.option("--var", type=click.Path(path_type=Path), default=VAR, help="The folder that holds the data.")
def stop(var: Path) -> None:
    """Stop the fund of this folder, or what a run that was cut off left over."""
    from fund.embedded import checks, postgres

    checks.stop_everything(var, lambda: postgres.stop(var / "postgres"), click.echo)


@main.command()
@click.argument("superuser_url")
@click.option("--database", default="fund", show_default=True, help="The database to make.")
def bootstrap(superuser_url: str, database: str) -> None:
    """Make the fund's roles and its database on a server, as SUPERUSER_URL. Once for each server; safe to run again."""
    from fund import schema

    with _database_in_words():
        schema.make_roles(superuser_url)
        schema.make_database(superuser_url, database)
    click.echo(f"The roles and the database {database} are there. Give fund_app and fund_migrator a password, then run "
               "`fund migrate`.")


@main.command()
def migrate() -> None:
    """Bring the tables up to date, as MIGRATION_DATABASE_URL."""
    from fund import schema

    _find_the_running_fund()
    if not settings().migration_database_url:
        raise click.ClickException("Set MIGRATION_DATABASE_URL to the database, signed in as fund_migrator.")
    with _database_in_words():
        schema.upgrade(settings().migration_database_url)
    click.echo("The tables are up to date.")


@main.command(hidden=True)
@click.option("--superuser-url", default="")
@click.option("--load-demo", is_flag=True)
@click.option("--guide", type=click.Path(path_type=Path))
@click.option("--log-key", type=click.Path(path_type=Path))
def prepare(superuser_url: str, load_demo: bool, guide: Path | None, log_key: Path | None) -> None:
    """What `fund run` does before it starts the web: roles, tables and, on a first start, the key of the log and the
    demo."""
    import psycopg

    from fund import schema

    began, chosen = time.monotonic(), settings()
    if log_key and not log_key.exists():
        from fund.transparency.cli import write_new_key

        log_key.parent.mkdir(parents=True, exist_ok=True)
        write_new_key(log_key, chosen.log_origin)
    click.echo("  making the tables ready …")
    with _database_in_words():
        if superuser_url:
            schema.make_roles(superuser_url)
            schema.make_database(superuser_url, "fund")
        if chosen.migration_database_url:
            schema.upgrade(chosen.migration_database_url)
        else:
            click.echo("  MIGRATION_DATABASE_URL is not set: the tables are left as they are")
            psycopg.connect(chosen.database_url.replace("+psycopg", "", 1), connect_timeout=5).close()
    click.echo(f"  the tables are ready ({time.monotonic() - began:.1f} s)")
    if guide and chosen.fund_env == "demo" and (load_demo or not guide.exists()):
        _demo(load_demo, guide)


def _demo(load: bool, guide: Path) -> None:
    """Load the demo once, and write down what each of its people may do."""
    from fund.app import create_app
    from fund.demo import load as demo

    with create_app().app_context():
        if load:
            began = time.monotonic()
            click.echo("  loading the demo fund (once) …")
            demo.load(say=lambda what: click.echo(f"    {what}"))
            click.echo(f"  the demo fund is loaded ({time.monotonic() - began:.1f} s)")
        guide.write_text("\n".join(demo.guide()) + "\n")


@contextlib.contextmanager
def _database_in_words() -> Iterator[None]:
    """Turn a database that is not there, or does not let us in, into a sentence."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, psycopg.OperationalError | psycopg.errors.InsufficientPrivilege):
            raise
        said = str(cause).strip().splitlines()[-1]
        raise click.ClickException(
            f"The database does not let the fund in: {said}. Look at DATABASE_URL and MIGRATION_DATABASE_URL; "
            "on a new server run `fund bootstrap` first.") from None


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--places", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder of official look-ups; without it, those beside FILE's folder, else the shipped facts.")
@click.option("--var", default=VAR / "rehearsal", type=click.Path(path_type=Path), help="Where it keeps its data.")
def replay(file: Path, places: Path | None, var: Path) -> None:
    """Drive every grant of a 360Giving FILE through the fund's own actions, in a database of its own.

    It can be stopped at any time; run again, it goes on where it was. `fund rehearsal` then shows the result.
    """
    from fund.app import create_app
    from fund.embedded.process import CannotRun, Stopped
    from fund.replay import actions, rules

    data = file.read_bytes()
    near = (file.parent.parent, file.parent)
    folder = places or next((found for found in near if (found / "lookups").is_dir()), None)
    files = sorted(folder.glob("*/*.csv")) if folder else []
    stopping = _asked_to_stop()
    try:
        with _rehearsal(var, data) as chosen, create_app(chosen).app_context():
            began = time.monotonic()
            first: list[int] = []  # where this run began: what earlier ones did is not of its rate

            def progress(what: str, done: int, of: int) -> None:
                if what == "grant" and not first:
                    first.append(done)
                rate = (done - first[0]) / max(time.monotonic() - began, 0.001) if first else 0
                click.echo(f"\r  {what:<24} {done:>5} of {of:<5} {rate:6.1f} grants/s ", nl=False)
                if stopping:
                    raise Stopped

            finished = actions.rehearse(data, files, progress=progress)
    except CannotRun as why:
        raise click.ClickException(str(why)) from None
    except (Stopped, KeyboardInterrupt):
        click.echo()
        raise click.ClickException("Stopped. What was done stands; the same command goes on from here.") from None
    click.echo()
    for line in rules.summary(finished.plan, finished.calls):
        click.echo(line)
    for listed in (*finished.plan.unposted, *finished.plan.notes):
        click.echo(f"row {listed.row:>5}   {listed.grant_id:<28} {listed.reason:<24} {listed.pence:>12} pence")


def _asked_to_stop() -> list[int]:
    """Filled by the first Ctrl-C, so that the step at hand is finished; the second stops at once."""
    asked: list[int] = []

    def ask(number: int, _frame: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        click.echo("\n  Stopping after this step …")

    signal.signal(signal.SIGINT, ask)
    return asked


@contextlib.contextmanager
def _rehearsal(var: Path, data: bytes) -> Iterator[Settings]:
    """A database, a bank and an origin of its own for a file; gives the settings, and stops the bank afterwards."""
    from datetime import UTC, datetime

    import psycopg

    from fund import schema
    from fund.embedded import bank, checks, postgres, process
    from fund.replay.formats import read_grants

    name = "rehearsal_" + hashlib.sha256(data).hexdigest()[:12]
    days = sorted(grant.awarded_on for grant in read_grants(data) if grant.awarded_on)
    if not days:
        raise click.ClickException("No grant of this file has a date.")
    alone = contextlib.ExitStack()
    alone.enter_context(checks.one_at_a_time(var, "its terminal"))
    for left in process.left_over(var / "run"):  # the pretend bank of a run that was killed
        process.stop(left.process)
    server = postgres.start(var / "postgres")
    schema.make_roles(postgres.superuser_url(server))
    schema.make_database(postgres.superuser_url(server), name)
    schema.upgrade(postgres.role_url(server, name, "fund_migrator"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # The pretend bank keeps its accounts and not its clock: it goes on from the last day that stands in our books.
    with psycopg.connect(postgres.superuser_url(server, name)) as connection:
        (stands,) = connection.execute("SELECT greatest((SELECT max(execute_on) FROM batch), "
                                       "(SELECT max(booked_on) FROM statement_line))").fetchone() or (None,)
    child = bank.child(var / name, port, clock=datetime.combine(stands or days[0], datetime.min.time(), UTC))
    process.start(child, var / "log" / f"{name}.bank.log", ROOT)
    try:
        if child.process is not None:
            process.record(var / "run", "bank", child.name, child.process)
        if not process.wait_until(child.is_ready, seconds=child.patience):
            raise click.ClickException("The pretend bank did not start:\n"
                                       + process.last_words(var / "log" / f"{name}.bank.log"))
        yield Settings(database_url=postgres.role_url(server, name, "fund_app"), bank_url=bank.url(port),
                       redis_url="", rehearsal=True, log_origin=f"rehearsal.fund.example/{name}")
    finally:
        process.stop_child(child)
        postgres.stop(var / "postgres")
        alone.close()


@main.command()
@click.option("--var", default=VAR / "rehearsal", type=click.Path(path_type=Path), help="Where `fund replay` kept it.")
@click.pass_context
def rehearsal(context: click.Context, var: Path) -> None:
    """Start the fund on what `fund replay` made: real grants, invented scores and payments, and every page says so."""
    import psycopg

    from fund.embedded import postgres

    if not (var / "postgres").is_dir():
        raise click.ClickException("There is no rehearsal yet. Make one with `fund replay FILE`.")
    server = postgres.start(var / "postgres")
    with psycopg.connect(postgres.superuser_url(server)) as connection:
        names = [name for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'rehearsal!_%' ESCAPE '!' ORDER BY oid DESC")]
    if not names:
        raise click.ClickException("There is no rehearsal yet. Make one with `fund replay FILE`.")
    os.environ |= {"DATABASE_URL": postgres.role_url(server, names[0], "fund_app"), "REHEARSAL": "true",
                   "MIGRATION_DATABASE_URL": postgres.role_url(server, names[0], "fund_migrator"),
                   "LOG_ORIGIN": f"rehearsal.fund.example/{names[0]}"}
    use(Settings())
    context.invoke(run, var=var / "shown", empty=True)
