"""Money is a whole number of pence. This module writes it, reads what people type, and shares it out exactly."""

import re
from collections.abc import Sequence

from fund.kernel.errors import BadInput
from fund.kernel.words import _

# The largest sum a form takes: one hundred million pounds. A bigint holds far more; a person never means it.
LARGEST_PENCE = 10_000_000_000

_TYPED = re.compile(r"£? ?(?P<pounds>\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(?P<pence>\d{1,2}))?", re.ASCII)


def pounds(pence: int) -> str:
    """Write an amount for people: `£12,345.67`; whole pounds lose the `.00`; a minus stands before the sign."""
    sign, whole, part = ("-" if pence < 0 else ""), *divmod(abs(pence), 100)
    return f"{sign}£{whole:,}.{part:02d}" if part else f"{sign}£{whole:,}"


def exact_pounds(pence: int) -> str:
    """Write an amount with its pence always, for tables of accounts: `£12,345.00`."""
    sign, whole, part = ("-" if pence < 0 else ""), *divmod(abs(pence), 100)
    return f"{sign}£{whole:,}.{part:02d}"


def pence_from_typed(text: str, *, most: int = LARGEST_PENCE) -> int:
    """Read what a person typed as pounds (`£1,200`, `1200.50`) and give pence, `most` at the most.

    Raises BadInput for anything else: exponents, underscores, other scripts' digits, three decimals, a sign.
    """
    match = _TYPED.fullmatch(text.strip())
    if match is None:
        raise BadInput(_("Write the amount in pounds and pence, like 1,250 or 1250.50."))
    pence = int(match["pounds"].replace(",", "")) * 100 + int((match["pence"] or "0").ljust(2, "0"))
    if pence > most:
        raise BadInput(_("The amount is more than %(most)s. Check for an extra nought.", most=pounds(most)))
    return pence


def share_pence(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` pence in proportion to `weights`, so that the parts always sum to the whole.

    Largest remainder (Hamilton's method); equal remainders go to the earlier place in `weights`, so the caller's
    order is the published tie order. Raises ValueError when the total is negative or no weight is positive.
    """
    whole = sum(weights)
    if total < 0 or whole <= 0 or min(weights) < 0:
        raise ValueError("share_pence needs a total of at least 0 and non-negative weights, one of them positive")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
