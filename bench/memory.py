"""How much memory the whole demo takes once its people have walked over it: every process's share, added up (PSS).

`python -m bench.memory` starts the fund as `make run` does (two web workers, in a folder and on ports of its own).
Each of the demo's people then opens, in a real browser, what waits for them and whatever pages lead on from there, one
of each kind, and a stranger the public ones. Memory that two processes share counts half for each, so the sum is what
the machine really gives. The budget is the issue's: 900 MB. Results go to bench/results/.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import Page, sync_playwright

from fund.demo import load
from fund.demo.story import Somebody
from fund.embedded import process
from tests.make.whole import Run

HERE = Path(__file__).resolve().parent
BUDGET_MB = 900
#: What names one of many in an address: the rest says which kind of page it is.
ONE_OF_MANY = re.compile(r"/(?:[0-9a-f-]{36}|[A-Z]{3}-[A-Z0-9-]+|LUCF[A-Z0-9]+|[0-9]+|E[0-9]{8}|smithills[^/]*)")


@dataclass(frozen=True, slots=True)
class Share:
    """What one process takes: the part of the fund that it belongs to, its program, and its share in megabytes."""

    part: str
    program: str
    pss_mb: float


def free_port() -> int:
    """The first of the ports that a whole fund needs, all of them free."""
    return next(first for first in range(22_000, 29_000, 20)
                if all(process.is_free(port) and process.is_free(port + 10_000) for port in range(first, first + 20)))


def walk(page: Page, url: str, somebody: Somebody | None, public: Collection[str]) -> set[str]:
    """Open what waits for somebody and a page of each kind that leads on from there, but for the `public` ones.

    Gives the kinds.
    """
    waiting, seen = [f"{url}/", f"{url}/waiting" if somebody else f"{url}/demo"], set(public)
    if somebody:
        page.goto(f"{url}/demo")
        page.get_by_role("button", name=re.compile(rf"^\s*Be {somebody.name}\s*$")).click()
    while waiting:
        address = waiting.pop(0)
        kind = ONE_OF_MANY.sub("/*", urlsplit(address).path)
        if kind in seen or not address.startswith(f"{url}/"):
            continue
        seen.add(kind)
        answer = page.request.get(address)
        if answer.ok and answer.headers["content-type"].startswith("text/html"):
            page.goto(address)
            waiting += page.eval_on_selector_all("main a[href], nav a[href]",
                                                 "all => all.map(one => one.href.split('#')[0])")
    return seen - set(public)


def shares(run: Run) -> list[Share]:
    """Every process of a running fund with its share, part by part."""
    found = [Share("supervisor", "fund run", psutil.Process(run.popen.pid).memory_full_info().pss / 1e6)]
    for part, first in run.processes().items():
        found += [Share(part, one.name(), one.memory_full_info().pss / 1e6) for one in process.family(first)]
    return sorted(found, key=lambda one: (one.part, -one.pss_mb))


def table(found: list[Share], pages: int) -> str:
    """The table, as text."""
    total = sum(one.pss_mb for one in found)
    lines = [f"{'part':<14}{'process':<20}{'PSS MB':>9}"]
    lines += [f"{one.part:<14}{one.program:<20}{one.pss_mb:>9.1f}" for one in found]
    return "\n".join([*lines, f"{'together':<14}{f'{len(found)} processes':<20}{total:>9.1f}   budget {BUDGET_MB}",
                      f"after {pages} pages, opened by {len(list(load.everybody()))} people and a stranger"])


def main() -> None:
    """Start, walk, measure, print, keep, stop."""
    (HERE.parent / "var").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="memory-", dir=HERE.parent / "var"))
    run = Run(folder / "var", free_port(), with_demo=True).until_ready()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            url, opened = f"http://127.0.0.1:{run.port}", list[set[str]]()
            for somebody in (None, *load.everybody()):
                with browser.new_context() as context:
                    opened.append(walk(context.new_page(), url, somebody, opened[0] if opened else set()))
            pages = sum(map(len, opened))
            browser.close()
        found = shares(run)
    finally:
        run.stop()
        shutil.rmtree(folder)
    print(table(found, pages))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE,
                            check=False).stdout.strip()
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "memory.json").write_text(json.dumps({
        "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
        "pages": pages, "budget_mb": BUDGET_MB, "processes": [asdict(one) for one in found]}, indent=1))


if __name__ == "__main__":
    main()
