"""A database of a test's own, for tests that commit."""

from tests.ledger.conftest import own_app

__all__ = ["own_app"]
