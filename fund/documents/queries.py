"""Reading files."""

import hashlib
import uuid
from collections.abc import Collection

import sqlalchemy as sa

from fund.db import session
from fund.documents import storage
from fund.documents.models import StoredFile
from fund.kernel.errors import Broken, NotFound


def file(file_id: uuid.UUID) -> StoredFile:
    """The row of a file: its name, type, size and hash. Raises NotFound. Who may have it is for the caller to ask."""
    found = session.get(StoredFile, file_id)
    if found is None:
        raise NotFound
    return found


def file_of(person_id: uuid.UUID, file_id: uuid.UUID) -> StoredFile:
    """The row of a file that this person gave; NotFound when somebody else did."""
    found = file(file_id)
    if found.uploaded_by != person_id:
        raise NotFound
    return found


def files(file_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, StoredFile]:
    """The rows of several files at once."""
    rows = session.scalars(sa.select(StoredFile).where(StoredFile.id.in_(file_ids)).order_by(StoredFile.id))
    return {row.id: row for row in rows}


def open_file(file_id: uuid.UUID) -> bytes:
    """What is in a file, exactly as it was kept. Raises Broken when the store gives other bytes: they go to nobody."""
    row = file(file_id)
    data = storage.read(str(row.id))
    if len(data) != row.size_bytes or hashlib.sha256(data).digest() != row.sha256:
        raise Broken(f"file {row.id} came back from the store with other bytes")
    return data
