"""Why something may not be done, in a sentence for the person who asked."""

from typing import NamedTuple


class Reason(NamedTuple):
    """One reason. `code` is for tests and the audit trail; `sentence` is for the person, already in their language."""

    code: str
    sentence: str
