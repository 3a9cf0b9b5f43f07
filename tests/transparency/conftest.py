"""An empty log with a key, for tests that publish: what they write to the store stays there."""

import pytest

from fund.db import session
from tests.ledger.conftest import own_app  # noqa: F401
from tests.make.log import a_name, published_as


@pytest.fixture
def a_log(server, own_app, store_server, tmp_path):  # noqa: F811
    """An empty log with a key, on a database of its own and the real file store."""
    with published_as(a_name(), server, store_server, tmp_path) as log:
        yield log
    session.remove()
