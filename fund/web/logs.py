"""What the processes write down: one line an event, JSON in production, never the variables of a traceback.

structlog's own way prints every local variable beside an exception: names, words and secrets of whoever asked.
"""

import logging

import structlog

from fund.settings import Settings


def set_up(settings: Settings) -> None:
    """Write plain lines for a person at a terminal, JSON for a machine that collects them."""
    ends: list[structlog.typing.Processor] = [structlog.dev.ConsoleRenderer(
        exception_formatter=structlog.dev.plain_traceback, colors=False)]
    if settings.fund_env == "production":
        ends = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level,
                    structlog.processors.TimeStamper(fmt="iso", utc=True), *ends],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), cache_logger_on_first_use=False)
