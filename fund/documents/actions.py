"""Keeping files."""

import hashlib
import uuid

from fund.db import session
from fund.documents import formats, rules, storage
from fund.documents.models import StoredFile
from fund.kernel.actor import Actor
from fund.kernel.errors import BadInput, Forbidden
from fund.kernel.ids import new_id


def keep_file(actor: Actor, *, name: str, content_type: str,  # noqa: ARG001  browsers guess
              data: bytes) -> uuid.UUID:
    """Check a file, put it into the store, and give its id. Pictures are drawn anew, without where they were taken.

    `content_type` is what a browser said; only what is inside counts. Raises BadInput (field `file`) with the first
    reason, OutsideDown when the store does not answer. An object whose transaction fails is an orphan.
    """
    if actor.person_id is None:
        raise Forbidden
    shown = rules.shown_name(name)
    kind = _checked_kind(shown, data)
    if kind in rules.IMAGES:
        try:
            data = formats.clean_image(kind, data)
        except formats.BadPicture as error:
            raise rules.refuse_bad_picture(str(error)) from error
        if len(data) > rules.MOST_BYTES:
            raise rules.refuse_bad_picture("image_too_large")
    row = StoredFile(id=new_id(), uploaded_by=actor.person_id, name=shown, content_type=rules.TYPES[kind],
                     size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    session.add(row)
    session.flush()
    storage.put(str(row.id), data, content_type=row.content_type)
    return row.id


def _checked_kind(shown: str, data: bytes) -> str:
    """The kind of a file that is what its name says and carries nothing that runs. Raises BadInput."""
    reasons = rules.reasons_not_to_look_at(shown, len(data))
    kind = rules.kind_by_name(shown)
    if not reasons and kind is not None:
        try:
            reasons = rules.reasons_for(formats.codes_against(kind, data))
        except formats.NotThatKind:
            reasons = [rules.not_what_it_says(shown)]
    if reasons or kind is None:
        raise BadInput(reasons[0].sentence, field="file")
    return kind
