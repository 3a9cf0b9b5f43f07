"""From a template and values to the bytes of a letter, and from secrets to sealed bytes and back. Pure.

A template is a text file: `Subject: …` on its first line, an empty line, then the letter. Values come from people, so
they can never become a header, a second recipient or a part of the template.
"""

import base64
import json
import os
import re
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from babel.dates import format_date, format_time
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fund.kernel.clock import LONDON
from fund.kernel.errors import Broken
from fund.kernel.money import pounds

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "email"
LONGEST_SUBJECT = 150

#: On top of every letter of a fund that only rehearses.
REHEARSAL = {"en": "Rehearsal: real grants, invented scores and payments.",
             "cy": "Ymarfer: grantiau go iawn, ond sgoriau a thaliadau wedi\u2019u dyfeisio."}

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")


@cache
def _environment(language: str) -> jinja2.Environment:
    found = jinja2.Environment(  # noqa: S701  plain text: nothing in it is ever read as HTML
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True)
    found.filters.update(
        pounds=pounds, day=lambda typed: format_date(date.fromisoformat(typed), "d MMMM y", locale=language),
        moment=lambda typed: _moment(typed, language))
    return found


def _moment(typed: str, language: str) -> str:
    here = datetime.fromisoformat(typed).astimezone(LONDON)
    return f"{format_date(here, 'd MMMM y', locale=language)}, {format_time(here, 'HH:mm', locale=language)}"


def letter(template: str, language: str, values: dict[str, Any]) -> tuple[str, str]:
    """The subject and the text of a letter. Filters: `pounds` for pence, `day` and `moment` for ISO dates and times.

    Raises Broken when the template does not begin with `Subject: `, or a value that it needs is missing.
    """
    try:
        text = _environment(language).get_template(f"{template}/{language}.txt").render(values)
    except jinja2.TemplateError as error:
        raise Broken(f"letter {template}/{language}: {type(error).__name__} {error}") from error
    first, _, rest = text.partition("\n\n")
    if not first.startswith("Subject: "):
        raise Broken(f"letter {template}/{language} does not begin with a subject")
    subject = " ".join(_UNSEEN.sub(" ", first.removeprefix("Subject: ")).split())[:LONGEST_SUBJECT]
    return subject, rest.strip() + "\n"


def message(*, message_id: str, sender: str, recipient: str, subject: str, text: str, language: str,
            written_at: datetime, rehearsal: bool = False) -> EmailMessage:
    """The letter as it goes out. The same row always gives the same Message-ID, so a repeated one can be known.

    Raises Broken for an address that would be more than one address.
    """
    built = EmailMessage()
    name, address = parseaddr(sender)
    built["From"] = Address(name, addr_spec=address)
    try:
        built["To"] = Address(addr_spec=recipient)
    except (ValueError, IndexError) as error:
        raise Broken("a message's address is not one address") from error
    built["Subject"] = f"{_rehearsal_word(language)}: {subject}" if rehearsal else subject
    built["Date"] = format_datetime(written_at)
    built["Message-ID"] = f"<{message_id}@{address.rpartition('@')[2]}>"
    built["Auto-Submitted"] = "auto-generated"
    built.set_content(f"{REHEARSAL[language]}\n\n{text}" if rehearsal else text)
    built["Content-Language"] = language
    return built


def _rehearsal_word(language: str) -> str:
    return REHEARSAL[language].partition(":")[0]


def seal(secret: dict[str, str], *, key: str, belongs_to: bytes) -> bytes:
    """Hide `secret` with FIELD_KEY (AES-GCM); it opens only together with `belongs_to`, the id of its row."""
    nonce = os.urandom(12)
    return nonce + AESGCM(base64.b64decode(key)).encrypt(nonce, json.dumps(secret).encode(), belongs_to)


def unseal(sealed: bytes, *, key: str, belongs_to: bytes) -> dict[str, str]:
    """What `seal` hid. Raises Broken when the key or the row is another."""
    try:
        return dict(json.loads(AESGCM(base64.b64decode(key)).decrypt(sealed[:12], sealed[12:], belongs_to)))
    except InvalidTag:
        raise Broken("a sealed value does not open with this FIELD_KEY") from None
