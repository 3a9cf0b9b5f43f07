"""Giving files back: always as an attachment, never shown or run in our own pages.

Parts above this one decide who may have a file, and give it with `attachment(file_id)`. Whoever gave a file may always
have it back.
"""

import uuid
from urllib.parse import quote

from flask import Blueprint
from flask_login import current_user
from werkzeug.wrappers import Response

from fund.documents import queries
from fund.web import access

blueprint = Blueprint("documents", __name__)


@blueprint.get("/files/<uuid:file_id>")
@access.signed_in
def own_file(file_id: uuid.UUID) -> Response:
    """A file that the signed-in person gave. Anybody else's is not there."""
    return attachment(queries.file_of(current_user.id, file_id).id)


def attachment(file_id: uuid.UUID) -> Response:
    """A file as an answer that browsers save and never open as a page of ours. Ask first whether they may have it.

    Raises NotFound, OutsideDown when the store is away, Broken when its bytes are not those that were kept.
    """
    row, data = queries.file(file_id), queries.open_file(file_id)
    answer = Response(data)
    answer.headers["Content-Type"] = row.content_type
    plain = "".join(one if one.isascii() and one not in '"\\%' else "_" for one in row.name)
    encoded = quote(row.name, safe="")
    answer.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
