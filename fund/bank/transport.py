"""The line to the bank: the one place that talks to it. Files go out, answers come in; nothing here reads either.

The address is BANK_URL; without one the file is taken to the bank by hand. The interface is that of the demo's bank
(`mock-bank`): another bank means other bodies for these functions.
"""

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from fund.kernel.errors import Broken, OutsideDown
from fund.settings import settings

CONNECT_SECONDS, ANSWER_SECONDS = 3, 20


class NotSent(OutsideDown):
    """The bank was not reached at all: nothing left the house, so it can be tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank said when it was given a file: taken for work, or not, in its own words."""

    taken: bool
    words: str


def is_connected() -> bool:
    """Whether there is a line to a bank."""
    return bool(settings().bank_url)


def send(encoded: bytes) -> Answer:
    """Give the bank a payment file. Raises NotSent when it was not reached, OutsideDown when nobody knows."""
    status, body = _ask("POST", "/payments", encoded, content_type="application/xml")
    if status >= 500:
        raise OutsideDown(f"the bank said {status}")
    return Answer(status < 300, body[:500].decode("utf-8", "replace"))


def waiting_answers() -> list[bytes]:
    """What the bank has for us, oldest first; it keeps them until `take_answers`."""
    return _messages("/_mock/mailbox?leave")


def take_answers() -> list[bytes]:
    """The same, and the bank puts them away."""
    return _messages("/_mock/mailbox")


def every_answer() -> list[bytes]:
    """All that the bank ever sent and still holds, to read again after a loss."""
    return _messages("/_mock/messages")


def let_a_day_pass() -> None:
    """Move the demo bank on by a day: it pays what is due and sends the statement. A real bank has no such address."""
    if settings().fund_env == "production":
        raise Broken("a real bank is told nothing")
    status, _body = _ask("POST", "/_mock/advance?days=1")
    if status >= 300:
        raise OutsideDown(f"the demo's bank said {status}")


def _messages(path: str) -> list[bytes]:
    status, body = _ask("GET", path)
    if status != 200:
        raise OutsideDown(f"the bank said {status}")
    return [row["body"].encode() for row in json.loads(body)]


def _ask(method: str, path: str, body: bytes | None = None, *, content_type: str = "") -> tuple[int, bytes]:
    where = urlsplit(settings().bank_url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=CONNECT_SECONDS)
    try:
        connection.connect()
    except OSError as error:
        raise NotSent(f"no bank: {type(error).__name__}") from error
    try:
        if connection.sock is not None:
            connection.sock.settimeout(ANSWER_SECONDS)
        connection.request(method, where.path.rstrip("/") + path, body,
                           {"Content-Type": content_type} if content_type else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise OutsideDown(f"the bank did not answer: {type(error).__name__}") from error
    finally:
        connection.close()
