"""The same as for the tests of panels."""

from tests.panels.conftest import _connection, _stage, session, stage  # noqa: F401  fixtures
