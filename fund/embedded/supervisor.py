"""Starts every part of the fund on one machine, keeps an eye on them, and stops them in reverse order.

`fund run` is this. A part whose address the settings name already is not started; the others are told where it is. A
part that dies is named and everything stops: nothing is restarted behind a person's back.
"""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from fund.embedded import bank, checks, mailbox, postgres, process, s3, valkey
from fund.embedded.process import CannotRun, Child, Stopped

#: The ports from the first on: web, mailbox page, mail, bank, queue, then five of the file store.
MAIL_PAGE, MAIL, BANK, QUEUE, FILES = 1, 2, 3, 4, 5

#: Less memory for processes with threads, and words in a log as soon as they are said.
LEAN = {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True)
class Given:
    """What the settings name already; an empty address means that the embedded part is started."""

    database_url: str = ""
    migration_database_url: str = ""
    redis_url: str = ""
    s3_endpoint_url: str = ""
    s3_bucket: str = "fund"
    s3_access_key: str = "demo"
    s3_secret_key: str = field(default="", repr=False)
    smtp_url: str = ""
    bank_url: str = ""
    public_url: str = ""
    port: int = 8000


class Supervisor:
    """One run of the whole fund from the folder `root`, with its data in `var`."""

    def __init__(self, root: Path, var: Path, given: Given, say: Callable[[str], None], *,
                 with_demo: bool = True, log_key: Path | None = None) -> None:
        self.root, self.var, self.given, self.with_demo = root, var.resolve(), given, with_demo
        self.log_key = log_key
        self._tell = say
        self.run_folder, self.logs = self.var / "run", self.var / "log"
        self.public_url = given.public_url or f"http://127.0.0.1:{given.port}"
        self.environment: dict[str, str] = {**LEAN, "PUBLIC_URL": self.public_url}
        self.superuser_url = ""
        self.running: list[Child] = []
        self.asked_to_stop = threading.Event()

    # What there is to run -----------------------------------------------------------------------------------------

    def embedded(self) -> list[Child]:
        """The processes that stand in for what the settings do not name, in their order, and their addresses."""
        given, port, children = self.given, self.given.port, []
        if not given.redis_url:
            children.append(valkey.child(self.var / "valkey", port + QUEUE))
            self.environment["REDIS_URL"] = valkey.url(port + QUEUE)
        if not given.s3_endpoint_url:
            children.append(s3.child(self.var / "s3", port + FILES, bucket=given.s3_bucket,
                                     access_key=given.s3_access_key, secret_key=given.s3_secret_key))
            self.environment["S3_ENDPOINT_URL"] = s3.url(port + FILES)
        if not given.smtp_url:
            children.append(mailbox.child(self.var / "mail", port + MAIL, port + MAIL_PAGE))
            self.environment["SMTP_URL"] = f"smtp://127.0.0.1:{port + MAIL}"
            self.environment["MAILBOX_URL"] = f"http://127.0.0.1:{port + MAIL_PAGE}"
        if not given.bank_url:
            # Its clock never goes back. The demo's first payments are of the two weeks before it is loaded.
            begin = None if (self.var / "bank" / "bank.db").exists() else datetime.now(UTC) - timedelta(days=14)
            children.append(bank.child(self.var / "bank", port + BANK, clock=begin))
            self.environment["BANK_URL"] = bank.url(port + BANK)
        return children

    def fund(self) -> list[Child]:
        """The fund's own processes: the web server and the worker."""
        port = self.given.port
        web = [sys.executable, "-m", "gunicorn", "--config", "python:fund.web.server", "--bind", f"127.0.0.1:{port}",
               "fund.app:create_app()"]
        return [
            Child("web", "the web server", web, lambda: process.answers(port), ports=[port], patience=180,
                  environment={"LOG_KEY_FILE": ""}),
            Child("worker", "the worker", [sys.executable, "worker.py"],
                  lambda: "Listening on" in process.last_words(self.logs / "worker.log", lines=50),
                  # The key that signs the public log is the worker's alone.
                  environment={"LOG_KEY_FILE": str(self.log_key)} if self.log_key else {}, patience=180),
        ]

    # Starting -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Start everything, wait until somebody asks to stop or a part dies, stop everything.

        Raises CannotRun with a sentence for a person.
        """
        checks.sensible_port(self.given.port)
        with process.full_disk_in_words(self.var), checks.one_at_a_time(self.var, self.public_url), self._listening():
            checks.nothing_left_over(self.run_folder)
            checks.room_on_the_disk(self.var)
            self._forget_half_a_demo()
            embedded, own = self.embedded(), self.fund()
            checks.free_ports([*own, *embedded], self.given.port)
            for setting in ("database_url", "redis_url", "s3_endpoint_url", "smtp_url", "bank_url"):
                checks.reachable(setting.upper(), getattr(self.given, setting))
            try:
                self._say("Starting the fund …")
                self._start_database()
                self._start(embedded)
                self._prepare()
                self._start(own)
                self._announce()
                self._watch()
            except Stopped:
                pass
            finally:
                self._stop_all()

    def _start_database(self) -> None:
        if self.given.database_url:
            self.environment.update(DATABASE_URL=self.given.database_url,
                                    MIGRATION_DATABASE_URL=self.given.migration_database_url)
            return
        child = Child("postgres", "the database", [], lambda: True)
        folder, began = self.var / "postgres", time.monotonic()
        try:
            server = postgres.start(folder, postgres.MODEST)
        except subprocess.SubprocessError as error:
            # A Ctrl-C reaches the database's own set-up programs too.
            if self.asked_to_stop.wait(0.5):
                raise Stopped from error
            raise CannotRun(self._why(child, folder / "log", "did not start")) from error
        child.process = postgres.postmaster(folder)
        self._keep(child)
        self._say(f"  {child.name} is ready ({time.monotonic() - began:.1f} s)")
        self.superuser_url = postgres.superuser_url(server)
        self.environment.update(DATABASE_URL=postgres.role_url(server, "fund", "fund_app"),
                                MIGRATION_DATABASE_URL=postgres.role_url(server, "fund", "fund_migrator"))

    def _start(self, children: list[Child]) -> None:
        """Start processes side by side, and wait until each is ready."""
        began = time.monotonic()
        for child in children:
            child.environment = {**self.environment, **child.environment}
            process.start(child, self._log(child), self.root)
            self._keep(child)
        for child in children:
            self._wait_for(child)
            self._say(f"  {child.name} is ready ({time.monotonic() - began:.1f} s)")

    def _wait_for(self, child: Child) -> None:
        ready = process.wait_until(lambda: process.has_ended(child) or child.is_ready(), seconds=child.patience,
                                   stopping=self.asked_to_stop.is_set)
        if not ready or process.has_ended(child):
            raise CannotRun(self._why(child, self._log(child), "did not start"))

    def _keep(self, child: Child) -> None:
        self.running.append(child)
        if child.process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.record(self.run_folder, child.slug, child.name, child.process)

    def _prepare(self) -> None:
        """Roles, database, migrations, and on a first start the demo: in a process of its own, which is gone then."""
        self.run_folder.mkdir(parents=True, exist_ok=True)
        (self.run_folder / "addresses.json").write_text(json.dumps(self.environment))
        command = [sys.executable, "-m", "fund", "prepare"]
        guide = self.run_folder / "guide.txt"
        loading, loaded = self._demo_marks()
        to_load = self.with_demo and not loaded.exists()
        if to_load or not self.with_demo:
            guide.unlink(missing_ok=True)
        if self.with_demo:
            command += ["--guide", str(guide)]
        if self.log_key:
            command += ["--log-key", str(self.log_key)]
        if self.superuser_url:
            command += ["--superuser-url", self.superuser_url]
        if to_load:
            loading.touch()
            command += ["--load-demo"]
        done = subprocess.Popen(command, cwd=self.root, env={**os.environ, **self.environment},  # noqa: S603
                                start_new_session=True)
        try:
            process.wait_until(lambda: done.poll() is not None, seconds=3600, stopping=self.asked_to_stop.is_set)
        finally:
            if done.poll() is None:
                process.stop(psutil.Process(done.pid))
            done.wait(timeout=5)
        if done.returncode:
            raise CannotRun("The database could not be made ready; what stands above says why. "
                            "Nothing is running now; start again when that is mended.")
        if to_load:
            loaded.touch()
            loading.unlink()

    # The first load of the demo -----------------------------------------------------------------------------------

    def _demo_marks(self) -> tuple[Path, Path]:
        """Two files: a first load has begun, and it has ended. Another database has others."""
        which = hashlib.sha256(self.given.database_url.encode()).hexdigest()[:8] if self.given.database_url else "here"
        return self.var / f"demo-is-loading-{which}", self.var / f"demo-is-loaded-{which}"

    def _forget_half_a_demo(self) -> None:
        """A first load that was cut off left half a demo; begin again with nothing."""
        loading, loaded = self._demo_marks()
        if not loading.exists() or loaded.exists():
            return
        if self.given.database_url:
            raise CannotRun("The first load of the demo into DATABASE_URL was cut off half way. Make that database "
                            f"empty again, remove {loading}, and start again.")
        self._say("The last start was cut off while it loaded the demo: beginning again.")
        for part in ("postgres", "valkey", "s3", "mail", "bank"):
            shutil.rmtree(self.var / part, ignore_errors=True)
        loading.unlink()

    # Running and stopping -----------------------------------------------------------------------------------------

    def _announce(self) -> None:
        lines = ["", "The fund is running.", "", f"  Open     {self.public_url}"]
        if "MAILBOX_URL" in self.environment:
            lines.append(f"  Mailbox  {self.environment['MAILBOX_URL']}   (every mail that the fund sends)")
        lines.append(f"  Logs     {self.logs}")
        with contextlib.suppress(FileNotFoundError):
            lines += ["", *(self.run_folder / "guide.txt").read_text().splitlines()]
        self._say("\n".join([*lines, "", "Stop it with Ctrl-C."]))

    def _watch(self) -> None:
        while not self.asked_to_stop.wait(0.5):
            for child in self.running:
                if process.has_ended(child):
                    log = self.var / "postgres" / "log" if child.slug == "postgres" else self._log(child)
                    raise CannotRun(self._why(child, log, "stopped by itself, so everything else was stopped too"))

    def _stop_all(self) -> None:
        if self.running:
            self._say("\nStopping …")
        while self.running:
            child = self.running.pop()
            if child.slug == "postgres":
                postgres.stop(self.var / "postgres")
            else:
                process.stop_child(child)
            (self.run_folder / f"{child.slug}.pid").unlink(missing_ok=True)
            self._say(f"  {child.name} stopped")

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        """Ctrl-C, a closed terminal and a polite kill all ask to stop; asking twice changes nothing."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: self.asked_to_stop.set()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _say(self, text: str) -> None:
        """Tell the person at the terminal; one that was closed must not keep us from stopping in order."""
        with contextlib.suppress(OSError):
            self._tell(text)

    def _log(self, child: Child) -> Path:
        return self.logs / f"{child.slug}.log"

    def _why(self, child: Child, log: Path, what: str) -> str:
        words = process.last_words(log)
        if "No space left on device" in words or shutil.disk_usage(self.var).free < 1_000_000:
            return process.full_disk(self.var)
        return (f"{child.name[0].upper()}{child.name[1:]} {what}. Its last words, from {log}:\n{words}\n"
                "Start again with `make run`.")
