"""Lists are paged by where a page ended: the moment and the id of its last row, as one text in the address."""

import uuid
from datetime import datetime

from flask import request

from fund.kernel.errors import BadInput
from fund.kernel.words import _

Place = tuple[datetime, uuid.UUID]


def place_asked_for() -> Place | None:
    """Where the page before ended, from the address (`?after=`). Raises BadInput for what we did not write."""
    typed = request.args.get("after", "")
    if not typed:
        return None
    try:
        at, row_id = typed.split("_", 1)
        return datetime.fromisoformat(at), uuid.UUID(row_id)
    except ValueError as error:
        raise BadInput(_("That page of the list is not there. Start at the top.")) from error


def as_text(at: datetime, row_id: uuid.UUID) -> str:
    """A place, as `place_asked_for` reads it."""
    return f"{at.isoformat()}_{row_id}"
