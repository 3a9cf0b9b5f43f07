"""The pretend bank (`mock-bank`) of the demo and of rehearsals: opening the fund's account, moving its days on.

It speaks to the pretend bank's own control desk. The fund itself never does: it only sends files and reads answers.
"""

import http.client
import json
import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from fund import queue
from fund.db import transaction
from fund.kernel.errors import OutsideDown
from fund.replay import drive
from fund.replay.drive import Driver, Officers
from fund.settings import settings

ACCOUNT = "FUND"
OPENING_PENCE = 1_000_000_000_000


def control(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """One call of the pretend bank's control desk; gives the status and the JSON that it answers."""
    where = urlsplit(settings().bank_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except OSError as error:
        raise OutsideDown("the pretend bank does not answer") from error
    finally:
        connection.close()


def open_the_fund_account() -> None:
    """The fund's account at the pretend bank, with money enough, unless it is open already."""
    status, _found = control("GET", f"/_mock/accounts/{ACCOUNT}")
    if status == 404:
        control("POST", "/_mock/accounts", {"id": ACCOUNT, "name": settings().bank_account_name, "currency": "GBP",
                                            "iban": settings().bank_account_iban, "balance": OPENING_PENCE})


def behave(behaviour: str, **parameters: Any) -> None:
    """What the bank does with the fund's payments from now on: `accept`, or `return-later`."""
    control("PATCH", f"/_mock/accounts/{ACCOUNT}", {"behaviour": behaviour, "parameters": parameters})


def today_at_the_bank() -> date:
    """The bank's own day."""
    _status, state = control("GET", "/_mock/state")
    return date.fromisoformat(state["clock"]["date"])


def move_to(day: date) -> None:
    """Move the bank on to a day, unless it is there already (its clock never goes back), and read its answers."""
    if today_at_the_bank() < day:
        control("POST", f"/_mock/advance?to={day.isoformat()}")
    work()


def let_days_pass(days: int) -> None:
    """Move the bank on by some days, and read its answers."""
    control("POST", f"/_mock/advance?days={days}")
    work()


def work() -> None:
    """Do what the bank's jobs have to do, and fetch its answers."""
    with transaction():
        queue.ask("bank.fetch")
    queue.run_all_due(only="bank.")


def pay(driver: Driver, officers: Officers, releases: Sequence[tuple[uuid.UUID, bool]]) -> None:
    """Send each release in a batch of its own; where the second is true, the payment comes back some days later.

    Without a bank (the benchmarks) nothing is sent, and the releases wait for the authoriser. Afterwards the bank's
    day is today, if it was before.
    """
    if not settings().bank_url:
        return
    open_the_fund_account()
    for release_id, comes_back in releases:
        if comes_back:
            behave("return-later", days=1, reason="AC04")
        with transaction():
            drive.batch(driver, officers, [release_id], execute_on=today_at_the_bank() + timedelta(days=1))
        queue.run_all_due(only="bank.")
        let_days_pass(5 if comes_back else 3)
    behave("accept")
