"""Reading a 360Giving JSON file: grants out, nothing else. Pure.

Standard: 360Giving Data Standard 1.1 to 1.4, https://standard.threesixtygiving.org. Amounts are read as decimals and
held as whole pence; a date may be a plain date or a date-time, of which the first ten characters are the day.
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fund.kernel.errors import BadInput


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant as the file has it. None stands for what the file does not say, or says in no way that can be read."""

    row: int
    id: str
    title: str
    description: str
    awarded_on: date | None
    awarded_pence: int | None
    asked_pence: int | None
    disbursed_pence: int
    recipient_id: str
    recipient_name: str
    area_code: str | None


def read_grants(data: bytes) -> list[Grant]:
    """Every grant of the file, in the file's order. Raises BadInput when it is no 360Giving JSON at all."""
    try:
        package = json.loads(data, parse_float=Decimal, parse_constant=lambda _name: None)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"This is not a JSON file: {error}.") from error
    rows = package.get("grants") if isinstance(package, dict) else None
    if not isinstance(rows, list):
        raise BadInput('The file has no list called "grants", so it is not a 360Giving file.')
    return [_grant(number, row) for number, row in enumerate(rows, start=1) if isinstance(row, dict)]


def _grant(number: int, row: dict[str, Any]) -> Grant:
    recipient = _first(row.get("recipientOrganization"))
    return Grant(
        row=number,
        id=_text(row.get("id")),
        title=_text(row.get("title")),
        description=_text(row.get("description")),
        awarded_on=_day(row.get("awardDate")),
        awarded_pence=pence(row.get("amountAwarded")),
        asked_pence=pence(row.get("amountAppliedFor")),
        disbursed_pence=pence(row.get("amountDisbursed")) or 0,
        recipient_id=_text(recipient.get("id")),
        recipient_name=_text(recipient.get("name")),
        area_code=_text(_first(row.get("beneficiaryLocation")).get("geoCode")) or None,
    )


def pence(value: object) -> int | None:
    """An amount of the file in whole pence; None when it is no number, not finite, negative or a part of a penny."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    exact = Decimal(value) * 100
    if not exact.is_finite() or exact < 0 or exact != exact.to_integral_value():
        return None
    return int(exact)


def _first(value: object) -> dict[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else {}


def _text(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
