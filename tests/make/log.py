"""A log with a key, on the real file store, for tests that publish."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from pydantic import SecretStr

from fund.db import session, transaction
from fund.embedded import postgres
from fund.ledger import rules as ledger
from fund.settings import settings, use
from fund.transparency import actions, formats, queries, storage, verify
from fund.transparency.actions import extras, publish
from fund.transparency.formats import Signer, VerifierKey
from fund.transparency.rules.tiles import tiles
from tests.make.store import KEYS


@dataclass
class ALog:
    """A log that can be published: its origin, its key file, and how leaves get into it."""

    origin: str
    key_file: Path
    server: object

    @property
    def key(self) -> VerifierKey:
        return Signer.read(self.key_file.read_text().splitlines()[0]).key

    def grow(self, leaves: int) -> None:
        """Write so many leaves (the first of a log is its genesis), and commit them."""
        with transaction():
            if queries.size() == 0:
                actions.begin()
                leaves -= 1
            for _ in range(leaves):
                actions.append_later("rehearsal_rule", {"n": uuid4().hex}, idem_key=uuid4().hex)

    def publish(self) -> publish.Published:
        """Publish until nothing waits."""
        while True:
            with transaction():
                done = publish.publish_next()
            if done is None or not done.waiting or not done.is_complete:
                return done

    def as_superuser(self, statement: str) -> None:
        """What somebody with every right on the database can do, past every trigger."""
        name = session.execute(sa.text("SELECT current_database()")).scalar_one()
        session.rollback()
        with psycopg.connect(postgres.superuser_url(self.server, name), autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica;" + statement)

    def cut_back(self, size: int) -> None:
        """What restoring an older backup does to the log."""
        self.as_superuser(f"""DELETE FROM log.leaf WHERE seq >= {size}; UPDATE log.log_head SET size = {size};
                              DELETE FROM published_checkpoint WHERE size > {size}""")

    def file(self, path: str) -> bytes | None:
        found = storage.read(path)
        return None if found is None else found.data

    def save(self, folder: Path) -> Path:
        """Copy the published files into a folder, as anybody may."""
        checkpoint = formats.read_checkpoint(formats.read_note(self.file("checkpoint")).text)
        tree = [formats.tile_path(*tile) for tile in tiles(checkpoint.size)]
        entries = [formats.bundle_path(number, width) for level, number, width in tiles(checkpoint.size) if level == 0]
        sums = [f"balances/{size}.json" for size in range(checkpoint.size + 1) if ledger.balances_due(size)]
        beside = [name for name in sums if storage.is_there(name)]
        for name in ["checkpoint", "log.vkey", *actions.kept_to(), *tree, *entries, *beside]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(self.file(name))
        return folder

    def overwrite(self, path: str, data: bytes) -> None:
        """What somebody with the store's keys can do."""
        storage.put(path, data)


@contextmanager
def published_as(origin: str, server: object, store: str, folder: Path) -> Iterator[ALog]:
    """The log of the application that is in use, under an origin, signed by a new key in `folder`."""
    path = folder / "log.key"
    path.write_text(Signer.new(origin).written())
    path.chmod(0o600)
    before = settings()
    use(before.model_copy(update={
        "s3_endpoint_url": store, "s3_access_key": KEYS["access_key"], "s3_secret_key": SecretStr(KEYS["secret_key"]),
        "log_origin": origin, "log_key_file": str(path)}))
    try:
        extras.put_up()
        yield ALog(origin, path, server)
    finally:
        use(before)


def a_name() -> str:
    """An origin that no other test has."""
    return f"test.fund.example/{uuid4().hex[:12]}"


def stranger(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The verifier as a stranger runs it: without site packages, the environment, or the project's folder."""
    return subprocess.run([sys.executable, "-I", "-S", verify.__file__, *map(str, arguments)], capture_output=True,
                          text=True, cwd="/", env={"PATH": os.environ["PATH"]}, check=False)


def balances_of(copy: Path, key: VerifierKey, folder: Path) -> dict[str, list[int]]:
    """What the verifier makes of a copy: every account's four counters, in pence."""
    done = stranger(copy, "--key", str(key), "--balances", folder / "balances.json")
    assert done.returncode == 0, done.stdout
    return json.loads((folder / "balances.json").read_text())["balances"]
