"""The edge: one request, one transaction, committed only for an answer of 200 to 399, and never by a GET.

One exception: a view that keeps a draft says `keep_although_422()`, so that words that need mending are kept too.

A GET's transaction is READ ONLY in the database itself. What a POST did is committed inside the dispatch, so that a
refusal at the COMMIT becomes an error page and not half a success.
"""

from typing import Any

import sqlalchemy as sa
from flask import Flask, g, has_request_context, request
from psycopg.pq import TransactionStatus

from fund.db import db, session
from fund.kernel.errors import Broken
from fund.web import words
from fund.web.access import SAFE_METHODS
from fund.web.request import Request
from fund.web.templates import FoldingEnvironment


class Application(Flask):
    """Flask, with the transaction edge around every view and a set of templates for each language."""

    request_class = Request
    jinja_environment = FoldingEnvironment  # type: ignore[assignment]

    @property
    def jinja_env(self) -> FoldingEnvironment:
        """The templates in the language of this page or letter; what is set on the English ones holds for all."""
        english: FoldingEnvironment = super().jinja_env  # type: ignore[assignment]
        return english.in_language(words.language_now())

    def ensure_sync(self, func: Any) -> Any:
        """The function itself: no view of ours is a coroutine, and Flask asks that seventeen times a request."""
        return func

    def dispatch_request(self) -> Any:
        """Run the view; commit what an unsafe request did if its answer is good, undo everything else."""
        response = self.make_response(super().dispatch_request())
        if not session.registry.has():
            return response
        if request.method in SAFE_METHODS:
            if session.new or session.dirty or session.deleted:
                raise Broken(f"{request.method} {request.endpoint} changed something")
            if not response.is_streamed:
                session.commit()  # nothing: it was READ ONLY. A rollback would forget the prepared statements.
        elif response.status_code < 400 or (response.status_code == 422 and g.get("keep_although_422")):
            session.commit()
        else:
            session.rollback()
        return response


def keep_although_422() -> None:
    """Let what this request saved stand although its answer is a 422: a draft keeps words that still need mending."""
    g.keep_although_422 = True


@sa.event.listens_for(session, "after_begin")
def _read_only_in_a_get(_session: Any, _transaction: Any, connection: sa.Connection) -> None:
    if not has_request_context() or request.method not in SAFE_METHODS:
        return
    driver = connection.connection.driver_connection
    if driver is not None and driver.info.transaction_status == TransactionStatus.IDLE:
        driver.read_only = True  # part of the BEGIN that comes with the first statement: no round trip
    else:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _writable_again(driver: Any, _record: Any) -> None:
    if driver is not None and driver.read_only:
        driver.read_only = None


def init_app(app: Flask) -> None:
    """Give every connection back to the pool as it was taken."""
    with app.app_context():
        sa.event.listen(db.engine, "checkin", _writable_again)
