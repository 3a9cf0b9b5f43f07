"""What waits for somebody: one thing to do, in one sentence with a verb, and the page where it is done."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits for a person, or that a person waits for.

    `sentence` starts with a verb when it is theirs to do. `button` is empty when there is nothing to press; `whose`
    says who acts next when it is not them, `about` which of several it is (a grant's title). Each part's
    `queries.waiting_for` gives these; the first page shows them.
    """

    sentence: str
    endpoint: str
    values: dict[str, Any] = field(default_factory=dict)
    button: str = ""
    due_at: datetime | None = None
    whose: str = ""
    about: str = ""
