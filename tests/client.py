"""The test client: it checks every page that any test fetches, and runs every request as a server would.

Each request has contexts of its own (Flask would otherwise share the test's session and signed-in person with it).
What the test did before a request is committed to the test's outer transaction; what it reads after it is read anew.
"""

import contextvars
from typing import Any

import sqlalchemy as sa
from flask import has_app_context
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from fund.db import session as fund_session
from fund.people.actions import start_session
from tests.pages import check_page, check_redirect


class PageClient(FlaskClient):
    """Flask's client; `check = False` for pages that break the rules on purpose."""

    check = True

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request, in contexts of its own, and check the page that comes back."""
        kwargs.setdefault("buffered", True)
        within = has_app_context()
        if within:
            fund_session.commit()
        try:
            response = contextvars.Context().run(super().open, *args, **kwargs)
        finally:
            if within:
                # In a server the transaction's end undoes these; here the outer transaction goes on.
                fund_session.execute(sa.text("RESET ROLE; SELECT set_config('fund.person', '', true)"))
                fund_session.commit()
        if self.check and 300 <= response.status_code < 400:
            check_redirect(self.application, response)
        elif self.check and response.mimetype == "text/html" and response.data:
            check_page(self.application, response)
        return response

    def sign_in(self, person: Any) -> None:
        """Be this person from now on, as if they had followed the link in their letter.

        `person` is a row of people (a session of their own is begun), or anything that has a `get_id()`.
        """
        key = person.get_id() if hasattr(person, "get_id") else str(start_session(person.id))
        with self.session_transaction() as cookie:
            cookie["_user_id"] = key
            cookie["_fresh"] = True

    def post_form(self, address: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Send a form as the page of it would: with the session's token."""
        with self.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", "0" * 40)
        signer = URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token")
        return self.post(address, data={**(data or {}), "csrf_token": signer.dumps(raw)}, **kwargs)
