"""Writing to people, and handing the letters to the mail server.

A second way out (GOV.UK Notify) would stand beside `_hand_over`: it takes a finished letter and says how it went.
"""

import smtplib
import ssl
import uuid
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fund import queue
from fund.db import session, write_later
from fund.kernel import clock
from fund.kernel.errors import Broken, OutsideDown
from fund.kernel.ids import new_id
from fund.notifications import formats
from fund.notifications.models import Message
from fund.settings import settings

CONNECT_SECONDS = 5


def send(template: str, *, key: str, person_id: uuid.UUID | None = None, address: str | None = None,
         language: str | None = None, secret: dict[str, str] | None = None, useless_at: datetime | None = None,
         **values: Any) -> None:
    """Write a letter to a person (or to a bare address); it leaves after this transaction stands. One a `key`, ever.

    `template` is a folder of `templates/email/` with `en.txt` and `cy.txt`; `values` are what they name: codes,
    references, pence, ISO dates, addresses of pages, as JSON. `secret` values are sealed until they are sent and then
    gone. A letter that is not out by `useless_at` stays unsent. Without `language` it is the person's own.
    """
    if (person_id is None) == (address is None):
        raise Broken("a message goes to a person or to an address")
    field_key = settings().field_key.get_secret_value()
    row_id = new_id()
    write_later("message", _write_letters, {
        "id": row_id, "key": key, "person_id": person_id, "address": address, "template": template,
        "language": language, "values": values, "useless_at": useless_at,
        "sealed": formats.seal(secret, key=field_key, belongs_to=row_id.bytes) if secret else None})


def _write_letters(letters: list[dict[str, Any]]) -> None:
    people = _where_to_write({letter["person_id"] for letter in letters if letter["person_id"]})
    for letter in letters:
        if letter["person_id"]:
            letter["address"], own = people[letter["person_id"]]
            letter["language"] = letter["language"] or own
        letter["language"] = letter["language"] or "en"
    urgent = {letter["id"]: letter["useless_at"] is not None for letter in letters}
    for (written,) in session.connection().execute(_WRITE, letters):
        queue.ask("notifications.send", key=f"notifications.send {written}", message_id=str(written),
                  urgent=urgent[written])


_WRITE = insert(Message).on_conflict_do_nothing(index_elements=["key"]).returning(Message.id)


def _where_to_write(person_ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[str, str]]:
    """Address and language of each. People are above messages in the order of parts: their table is read by name."""
    rows = session.connection().execute(
        sa.text("SELECT id, email, language FROM person WHERE id = ANY(:ids)"), {"ids": list(person_ids)})
    found = {row.id: (row.email, row.language) for row in rows}
    if len(found) < len(person_ids):
        raise Broken("a message to nobody")
    return found


def deliver(message_id: uuid.UUID) -> None:
    """Hand one letter to the mail server, unless that is done. Raises OutsideDown when it should be tried again."""
    row = session.get(Message, message_id, with_for_update=True)
    if row is None or row.sent_at is not None or row.ended_as is not None:
        return
    if row.useless_at is not None and clock.now() >= row.useless_at:
        row.ended_as, row.sealed = "too_late", None
        return
    if _hand_over(_built(row), row.address):
        row.sent_at = clock.now()
    else:
        row.ended_as = "address_refused"
    row.sealed = None


def _built(row: Message) -> EmailMessage:
    given = settings()
    hidden = formats.unseal(row.sealed, key=given.field_key.get_secret_value(), belongs_to=row.id.bytes) \
        if row.sealed else {}
    subject, text = formats.letter(row.template, row.language, {
        **row.values, **hidden, "public_url": given.public_url.rstrip("/")})
    return formats.message(
        message_id=str(row.id), sender=given.mail_from, recipient=row.address, subject=subject, text=text,
        language=row.language, written_at=row.created_at, rehearsal=given.rehearsal)


def _hand_over(letter: EmailMessage, address: str) -> bool:
    """Give the letter to the mail server of SMTP_URL: True when it took it, False when it will never take it.

    Raises OutsideDown without naming the address: errors are logged, addresses are not.
    """
    server = urlsplit(settings().smtp_url)
    sender = str(letter["From"].addresses[0].addr_spec)
    try:
        with _connected(server.scheme, server.hostname or "", server.port) as connection:
            if server.username:
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(letter, from_addr=sender, to_addrs=[address])
    except smtplib.SMTPRecipientsRefused as error:
        status = next(iter(error.recipients.values()))[0]
        if 500 <= status < 600:
            return False
        raise OutsideDown(f"the mail server said {status}") from None
    except smtplib.SMTPResponseException as error:
        raise OutsideDown(f"the mail server said {error.smtp_code}") from None
    except (OSError, smtplib.SMTPException) as error:
        raise OutsideDown(f"no mail server: {type(error).__name__}") from None
    return True


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    """`smtp://` in the clear (loopback), `smtp+starttls://`, or `smtps://`."""
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
    connection = smtplib.SMTP(host, port or 25, timeout=CONNECT_SECONDS)
    if scheme == "smtp+starttls":
        connection.starttls(context=ssl.create_default_context())
    return connection
