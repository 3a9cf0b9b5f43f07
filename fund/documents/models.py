"""The table of files that people gave; what is in them is in the store (`storage.py`) under the row's id."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from fund.db import Model


class StoredFile(Model):
    """One file: what it is called for people, what it really is, and the hash of its bytes."""

    __tablename__ = "stored_file"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    uploaded_by: Mapped[uuid.UUID]
    name: Mapped[str]
    content_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.clock_timestamp())
