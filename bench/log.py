"""The public log: publishing, proving, and checking a million lines offline, beside the floor of hashing them.

    python -m bench.log [--lines 1000000] [--times 3] [--var var/bench]

The lines are grants offered, agreed and paid, so the check posts every one of them again. Floor and check take turns,
so that whatever else the machine does falls on both; the table shows the median of each, and the quietest. Nothing here
decides a test.
"""

import argparse
import gc
import itertools
import json
import os
import platform
import random
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from pydantic import SecretStr

from bench.ledger import a_fund
from fund.db import session, transaction
from fund.embedded import process, s3
from fund.settings import settings, use
from fund.transparency import actions, formats, rules, verify
from fund.transparency.actions import extras, publish
from fund.transparency.formats import Checkpoint, Note, Signer
from fund.transparency.rules.tiles import Edge

HERE = Path(__file__).resolve().parent
ORIGIN, DAY = "bench.example/log", "2027-04-01"
PLACES = 200
NEW = 10_000


def lines(wanted: int) -> Iterator[bytes]:
    """So many lines that follow every rule, from the genesis on."""
    made, chance = 0, random.Random(1)

    def line(kind: str, **said: object) -> bytes:
        nonlocal made
        made += 1
        return json.dumps({"v": 1, "id": _id(made - 1), "kind": kind, **said,
                           "recorded_at": f"{DAY}T09:30:00.{made % 1_000_000:06d}Z"},
                          sort_keys=True, separators=(",", ":")).encode()

    def moved(kind: str, debit: str, credit: str, pence: int, phase: str = "single", pending: str = "",
              **said: object) -> bytes:
        transfer: dict[str, object] = {"phase": phase, "debit": debit, "credit": credit, "amount": str(pence)}
        if pending:
            transfer["pending"] = [pending, 1]
        return line(kind, effective_on=DAY, transfers=[transfer], **said)

    def all_lines() -> Iterator[bytes]:
        yield line("genesis", record={"origin": ORIGIN})
        accounts = {"1000": "bank", "3000": "permanent_capital", "3100": "unapplied_return",
                    "3150/2027-28": "drawdown_limit", "3200": "spendable"}
        accounts |= {f"4000/E{n:08d}": "allocation" for n in range(PLACES)}
        for code, name in accounts.items():
            yield line("account_opened", record={"code": code, "class": name, "name": name})
        yield moved("dormant_assets_receipt", "1000", "3000", 10**14)
        yield moved("investment_income", "1000", "3100", 10**14)
        yield moved("spending_rule_set", "3100", "3150/2027-28", 9 * 10**13)
        yield moved("drawdown", "3150/2027-28", "3200", 9 * 10**13)
        for n in range(PLACES):
            yield moved("area_allocation", "3200", f"4000/E{n:08d}", 4 * 10**11, area=f"E{n:08d}")
        for n in itertools.count():  # a grant has one offer, and an account of its own
            area, name = f"E{chance.randrange(PLACES):08d}", f"LUF-2027-{n:06d}"
            place, grant, pence = f"4000/{area}", f"5000/{name}", chance.randrange(1_000, 100_000)
            yield line("account_opened", record={"code": grant, "class": "grant", "name": f"Grant {name}"})
            decision = _id(made)
            yield line("decision", record={
                "application": name, "area": area, "amount": str(pence), "decision": _id(made), "outcome": "awarded",
                "rank": 1, "rule_version": "2026-1", "score_tenths": 700, "sitting": _id(0)})
            offer = _id(made)
            yield moved("grant_offer", place, grant, pence, "pending", area=area, grant=name, relates_to=[decision])
            yield moved("grant_agreement", place, grant, pence, "post", offer, area=area, grant=name,
                        relates_to=[offer])
            release = _id(made)
            yield moved("stage_release", grant, "1000", pence, "pending", grant=name, relates_to=[offer])
            yield moved("stage_paid", grant, "1000", pence, "post", release, grant=name, relates_to=[release])

    for found, _ in zip(all_lines(), range(wanted), strict=False):
        yield found


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def publish_into(folder: Path, leaves: list[bytes]) -> None:
    """The published files of these leaves, in a folder."""
    signer, edge = Signer.new(ORIGIN), Edge()

    def put(name: str, data: bytes) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)

    for tile in edge.grow([rules.leaf_hash(leaf) for leaf in leaves]):
        put(formats.tile_path(tile.level, tile.number, len(tile.hashes)), tile.encoded)
    for at in range(0, len(leaves), 256):
        put(formats.bundle_path(at // 256, len(leaves[at:at + 256])), formats.bundle(leaves[at:at + 256]))
    text = Checkpoint(ORIGIN, len(leaves), edge.root()).text
    put("checkpoint", Note(text, (signer.sign(text),)).encoded)
    put("log.vkey", f"{signer.key}\n".encode())


def add_balances(folder: Path, size: int) -> None:
    """The balances that stand beside such a log, as the verifier finds them when it looks for each."""
    published = verify.source(str(folder))

    def read(name: str) -> bytes | None:
        if name.startswith("balances/"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(log.books.balances(int(Path(name).stem)))
        return published(name)

    log = verify.Log(read)
    log.check((ORIGIN, size, b""))


def taken(work: Callable[[], object]) -> float:
    """CPU seconds of a run."""
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def floor(leaves: list[bytes]) -> bytes:
    """What no check can do without: the hash of every line, and the tree of the hashes."""
    return rules.root(verify.hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves)


def check(folder: Path) -> None:
    """The stand-alone verifier's own work, as its command line does it."""
    if verify.main([str(folder), "--quiet"]):
        raise SystemExit("the verifier does not accept what the bench made")


def prove(folder: Path, size: int, times: int) -> float:
    """Milliseconds for one inclusion proof, read from the tiles of a folder each time."""

    def read(level: int, number: int, width: int) -> list[bytes]:
        return rules.split((folder / formats.tile_path(level, number, width)).read_bytes())

    tree, chance = rules.subtree_from(read, size), random.Random(2)
    return min(taken(lambda: [rules.inclusion_proof(chance.randrange(size), size, tree) for _ in range(times)])
               for _ in range(3)) * 1000 / times


@contextmanager
def a_store(folder: Path) -> Iterator[str]:
    """The embedded file store on free ports; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = 20_000 + free.getsockname()[1] % 10_000
    child = s3.child(folder / "s3", port, bucket="fund", access_key="bench", secret_key="bench-secret")
    process.start(child, folder / "s3.log", HERE.parent)
    try:
        if not process.wait_until(child.is_ready, seconds=60):
            raise SystemExit((folder / "s3.log").read_text())
        yield s3.url(port)
    finally:
        process.stop_child(child)


def publish_new(var: Path, folder: Path) -> tuple[float, float]:
    """Wall seconds to publish 10,000 new lines into the store, and to write as many bytes there in as few files."""
    with a_fund(var), a_store(folder) as address:
        key = folder / "log.key"
        key.write_text(Signer.new(ORIGIN).written())
        key.chmod(0o600)
        use(settings().model_copy(update={
            "s3_endpoint_url": address, "s3_access_key": "bench", "s3_secret_key": SecretStr("bench-secret"),
            "log_origin": ORIGIN, "log_key_file": str(key)}))
        extras.put_up()
        grow(300)
        publish_all()
        grow(NEW)
        began = time.perf_counter()
        publish_all()
        took = time.perf_counter() - began
        stored = session.execute(sa.text("SELECT sum(length(bytes)) FROM log.leaf")).scalar_one()
        session.rollback()
        return took, float(stored)


def grow(count: int) -> None:
    """Write so many leaves."""
    with transaction():
        actions.begin()
        for _ in range(count):
            name = uuid.uuid4().hex
            actions.append_later("rehearsal_rule", {"says": name * 6}, idem_key=name)


def publish_all() -> None:
    """Publish until nothing waits."""
    while True:
        with transaction():
            done = publish.publish_next()
        if done is None or not done.waiting:
            return


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--var", type=Path, default=HERE.parent / "var" / "bench")
    given, _ = parser.parse_known_args()
    given.var.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.var) as name:
        folder = Path(name)
        leaves = list(lines(given.lines))
        publish_into(folder / "log", leaves)
        add_balances(folder / "log", given.lines)
        turns = [(taken(lambda: floor(leaves)), taken(lambda: check(folder / "log"))) for _ in range(given.times)]
        leaves.clear()
        floors, checks = zip(*turns, strict=True)
        proof = prove(folder / "log", given.lines, 2_000)
        published, stored = publish_new(given.var, folder)
    million = 1_000_000 / given.lines
    least, checked = median(floors), median(checks)
    rows = [
        ("hash a million lines and their tree (floor)", f"{least * million:.2f} s", f"{min(floors) * million:.2f} s",
         "1.0", ""),
        ("check a million published lines offline", f"{checked * million:.2f} s", f"{min(checks) * million:.2f} s",
         f"{checked / least:.1f}", "10 s"),
        ("publish 10,000 new lines", f"{published:.2f} s", "", "", "1 s"),
        ("one inclusion proof from the tiles", f"{proof:.3f} ms", "", "", "1 ms"),
    ]
    print(f"{'what':<48}{'took':>12}{'quietest':>10}{'x floor':>9}{'budget':>9}")
    for row in rows:
        print(f"{row[0]:<48}{row[1]:>12}{row[2]:>10}{row[3]:>9}{row[4]:>9}")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE,
                            check=False).stdout.strip()
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    (results / "log.json").write_text(json.dumps({
        "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "commit": commit,
        "load": os.getloadavg()[0], "lines": given.lines, "floor_s": floors, "check_s": checks, "proof_ms": proof,
        "publish_s": published, "published_bytes": stored}, indent=1))


if __name__ == "__main__":
    main()
