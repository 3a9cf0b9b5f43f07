"""The fund's own errors. `web/errors.py` turns each into a page and a status; nobody else catches them."""

from collections.abc import Sequence

from fund.kernel.reasons import Reason


class FundError(Exception):
    """What all of the fund's own errors are."""


class Refused(FundError):
    """The rules forbid it (409). Carries every reason, and nothing was changed."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(" ".join(reason.sentence for reason in reasons))
        self.reasons = list(reasons)


class Forbidden(FundError):
    """This person may not (403)."""


class NotFound(FundError):
    """There is no such thing, or it is not this person's to see (404)."""


class Stale(FundError):
    """Someone else changed it first (409). `theirs` is what stands now, `yours` what was sent."""

    def __init__(self, sentence: str, *, theirs: object = None, yours: object = None) -> None:
        super().__init__(sentence)
        self.theirs, self.yours = theirs, yours


class BadInput(FundError):
    """It makes no sense as it stands (422): `field` or `row` says where, the sentence what would be right."""

    def __init__(self, sentence: str, *, field: str | None = None, row: int | None = None) -> None:
        super().__init__(sentence)
        self.field, self.row = field, row


class OutsideDown(FundError):
    """Mail, files or the bank do not answer (503); a job tries again."""


class Broken(FundError):
    """One of our own promises failed (500). Never caught: it alarms."""


def refuse_if(reasons: Sequence[Reason]) -> None:
    """Raise Refused when there is any reason."""
    if reasons:
        raise Refused(reasons)
