"""A database, an origin and a key of a test's own, for tests that publish: what they write to the store stays there."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from fund.db import session, transaction
from fund.embedded import postgres
from fund.settings import settings, use
from fund.transparency import actions, formats, queries, storage
from fund.transparency.actions import extras, publish
from fund.transparency.formats import Signer, VerifierKey
from fund.transparency.rules.tiles import tiles
from tests.ledger.conftest import own_app  # noqa: F401
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
        for name in ["checkpoint", "log.vkey", *tree, *entries]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(self.file(name))
        return folder

    def overwrite(self, path: str, data: bytes) -> None:
        """What somebody with the store's keys can do."""
        storage.put(path, data)


@pytest.fixture
def a_log(server, own_app, store_server, tmp_path):  # noqa: F811
    """An empty log with a key, on a database of its own and the real file store."""
    origin = f"test.fund.example/{uuid4().hex[:12]}"
    path = tmp_path / "log.key"
    path.write_text(Signer.new(origin).written())
    path.chmod(0o600)
    use(settings().model_copy(update={
        "s3_endpoint_url": store_server, "s3_access_key": KEYS["access_key"],
        "s3_secret_key": SecretStr(KEYS["secret_key"]), "log_origin": origin,
        "log_key_file": str(path)}))
    extras.put_up()
    yield ALog(origin, path, server)
    session.remove()
