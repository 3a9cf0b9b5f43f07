"""A real mock-bank on loopback, and batches made through the part's own actions."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

from fund.bank.formats import Payment, PaymentOrder

IBAN = "GB29NWBK60161331926819"


class Bank:
    """The bank's control desk: its address, its clock and its accounts."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the bank's own interface; gives what it answers, as JSON."""
        data = body if isinstance(body, bytes) else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def open_account(self, **fields: Any) -> None:
        """The fund's account at this bank."""
        self.ask("POST", "/_mock/reset")
        self.ask("POST", "/_mock/accounts", {"id": "FUND", "name": "The fund", "iban": IBAN, "currency": "GBP",
                                             "balance": 100_000_000, **fields})

    def behave(self, behaviour: str, **parameters: Any) -> None:
        """What the bank does with the fund's payments from now on, as `return-later` or `insufficient-funds`."""
        self.ask("PATCH", "/_mock/accounts/FUND", {"behaviour": behaviour, "parameters": parameters})

    def advance(self, days: int) -> None:
        """Move the bank's clock on."""
        self.ask("POST", f"/_mock/advance?days={days}")

    def messages(self, kind: str = "") -> list[bytes]:
        """Every message that the bank has sent, oldest first."""
        return [row["body"].encode() for row in self.ask("GET", f"/_mock/mailbox?leave&type={kind}")]


@contextmanager
def running_bank(*, clock: str = "2026-11-23T09:00") -> Iterator[Bank]:
    """A bank of its own, with the fund's account open, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "mockbank", "--port", str(port), "--timezone", "Europe/London",
                                "--clock", clock, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    bank = Bank(port)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                bank.ask("GET", "/_mock/health")
                break
            except urllib.error.URLError:
                assert time.monotonic() < until, "the mock bank did not start"
        bank.open_account()
        yield bank
    finally:
        process.kill()
        process.wait()


def make_order(*, reference: str = "LUCF-TEST-1", payments: int = 2, amount_pence: int = 1_000_00,
               execute_on: date = date(2026, 11, 24), holder: str = "Café & Hall") -> PaymentOrder:
    """An order of `payments` payments."""
    return PaymentOrder(reference, datetime(2026, 11, 23, 9, tzinfo=UTC), execute_on, "The fund", IBAN, tuple(
        Payment(f"TEST{number:05}", amount_pence + number, holder, "089999", "66374958", "Grant GRT-TEST stage 1")
        for number in range(payments)))
