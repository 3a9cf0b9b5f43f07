"""The open books for anybody: the pages, and what a line of the record says in people's words (said.py)."""

from fund.ledger.views.pages import blueprint

__all__ = ["blueprint"]
