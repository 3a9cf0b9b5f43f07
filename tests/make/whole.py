"""The whole fund as `make run` starts it, in a folder and on ports of its own."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil

from fund.embedded import postgres, process

ROOT = Path(__file__).resolve().parent.parent.parent
ADDRESSES = ("DATABASE_URL", "MIGRATION_DATABASE_URL", "REDIS_URL", "S3_ENDPOINT_URL", "SMTP_URL", "BANK_URL",
             "PUBLIC_URL", "FUND_ENV")


class Run:
    """One `fund run` in a folder of its own, and what it said."""

    def __init__(self, var: Path, port: int, *, with_demo: bool = False, **settings: str) -> None:
        self.var, self.port, self.said = var, port, ""
        environment = {name: value for name, value in os.environ.items() if name not in ADDRESSES}
        self.environment = environment | {"PORT": str(port), "PYTHONPATH": str(ROOT), **settings}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "fund", "run", *([] if with_demo else ["--empty"]), "--var", str(var)], cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def until_ready(self) -> "Run":
        """Read what it says until it runs."""
        guard = threading.Timer(150, self.popen.kill)
        guard.start()
        for line in self.popen.stdout:
            self.said += line
            if "Stop it with Ctrl-C" in line:
                guard.cancel()
                return self
        guard.cancel()
        raise AssertionError(self.said)

    def ended(self) -> int:
        """Wait until it is gone; gives the exit status."""
        self.said += self.popen.communicate(timeout=150)[0]
        return self.popen.returncode

    def stop(self) -> None:
        """Ask it to stop, and end whatever of it is left."""
        if self.popen.poll() is None:
            self.popen.terminate()
            self.ended()
        self.popen.stdout.close()
        for part in self.processes().values():
            process.stop(part)
        postgres.stop(self.var / "postgres")

    def processes(self) -> dict[str, psutil.Process]:
        """Each part's process, by its short name."""
        return {one.slug: one.process for one in process.left_over(self.var / "run")}

    def family(self) -> list[psutil.Process]:
        """Every process of this run, the supervisor among them."""
        found = [psutil.Process(self.popen.pid)]
        for part in self.processes().values():
            found += process.family(part)
        return found

    def stopped_by_command(self) -> str:
        return subprocess.run([sys.executable, "-m", "fund", "stop", "--var", str(self.var)], cwd=ROOT, text=True,
                              env=self.environment, capture_output=True, timeout=150, check=True).stdout
