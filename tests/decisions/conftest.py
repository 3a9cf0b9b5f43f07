"""The same stage as the panel's tables are attacked on."""

from tests.panels.conftest import _stage, stage  # noqa: F401  fixtures
