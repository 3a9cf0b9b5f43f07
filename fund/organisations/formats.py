"""Bank details and register numbers: as typed, as kept, as shown.

The details are sealed with AES-256-GCM under a key that is never in the database, bound to the id of their row, so a
sealed value that was moved to another row does not open. Equal accounts are found by a keyed fingerprint.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import uuid
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fund.kernel.errors import BadInput, Broken
from fund.kernel.text import CONTROL, tidy
from fund.kernel.words import _

_SORT_CODE = re.compile(r"(\d{2})[- ]?(\d{2})[- ]?(\d{2})", re.ASCII)
_ACCOUNT = re.compile(r"\d{6,8}", re.ASCII)
_SEAL_VERSION = b"\x01"


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """An account in full, for the payment file alone. Its numbers never show in a repr, so in no log either."""

    holder: str
    sort_code: str = field(repr=False)
    account_number: str = field(repr=False)


def sort_code_from_typed(text: str) -> str:
    """Six digits from `12-34-56`, `12 34 56` or `123456`. Raises BadInput."""
    match = _SORT_CODE.fullmatch(text.strip())
    if match is None:
        raise BadInput(_("Write the sort code as six digits, like 30-90-89."), field="sort_code")
    return "".join(match.groups())


def account_number_from_typed(text: str) -> str:
    """Eight digits from six to eight, which older accounts still have. Raises BadInput."""
    digits = text.strip().replace(" ", "")
    if not _ACCOUNT.fullmatch(digits):
        raise BadInput(_("Write the account number: six to eight digits, like 01234567."), field="account_number")
    return digits.zfill(8)


def holder_from_typed(text: str) -> str:
    """The name on the account, as the bank has it. Raises BadInput."""
    name = tidy(text)
    if not 2 <= len(name) <= 140 or CONTROL.search(name) or "\n" in name:
        raise BadInput(_("Write the name on the account, as it stands on a bank statement."), field="holder")
    return name


def name_from_typed(text: str) -> str:
    """An organisation's name, on one line. Raises BadInput."""
    name = re.sub(r"\s+", " ", tidy(text))
    if not 2 <= len(name) <= 200 or CONTROL.search(name) or not re.search(r"\w", name):
        raise BadInput(_("Write the name that people know you by, at least two letters."), field="name")
    return name


_REGISTERS = {
    "charity": (("GB-CHC", re.compile(r"\d{6,7}(?:-\d{1,3})?", re.ASCII)), ("GB-SC", re.compile(r"SC\d{6}", re.ASCII)),
                ("GB-NIC", re.compile(r"1\d{5}", re.ASCII))),
    "company": (("GB-COH", re.compile(r"(?:\d{8}|[A-Z]{2}\d{6})", re.ASCII)),),
    "cic": (("GB-COH", re.compile(r"(?:\d{8}|[A-Z]{2}\d{6})", re.ASCII)),),
    "society": (("GB-MPR", re.compile(r"(?:\d{3,6}[A-Z]?|IP\d{5}[A-Z]?|RS\d{6}[A-Z]?)", re.ASCII)),),
}


def org_id_from_typed(kind: str, text: str) -> str | None:
    """The public id (org-id.guide) of a register number, like `GB-CHC-1234567`; None when nothing was typed.

    A number of Northern Ireland's charities is given with `NIC` before it. Raises BadInput.
    """
    number = text.strip().upper().replace(" ", "")
    if not number:
        return None
    if kind == "charity" and number.startswith("NIC"):
        found = _REGISTERS[kind][2]
        number = number[3:]
        if found[1].fullmatch(number):
            return f"{found[0]}-{number}"
    elif kind in {"company", "cic"} and number.isascii() and number.isdigit():
        number = number.zfill(8)
    for prefix, pattern in _REGISTERS.get(kind, ())[:2]:
        if pattern.fullmatch(number):
            return f"{prefix}-{number}"
    raise BadInput(_("Check the number: it does not look like one from that register."), field="register_number")


def last_four(account_number: str) -> str:
    """What is shown of an account's number."""
    return account_number[-4:]


def _keys(field_key: str) -> tuple[bytes, bytes]:
    """The sealing key and the fingerprint key, both from the field key (32 bytes in base64)."""
    try:
        root = base64.urlsafe_b64decode(field_key)
    except ValueError as error:
        raise Broken("FIELD_KEY is not base64") from error
    if len(root) != 32:
        raise Broken("FIELD_KEY is not 32 bytes")
    return (hmac.digest(root, b"fund bank_account seal 1", "sha256"),
            hmac.digest(root, b"fund bank_account fingerprint 1", "sha256"))


def seal(details: AccountDetails, *, row_id: uuid.UUID, field_key: str) -> bytes:
    """The details, sealed for one row: version byte, nonce, ciphertext with tag."""
    nonce = os.urandom(12)
    plain = json.dumps([details.holder, details.sort_code, details.account_number]).encode()
    return _SEAL_VERSION + nonce + AESGCM(_keys(field_key)[0]).encrypt(nonce, plain, row_id.bytes)


def unseal(sealed: bytes, *, row_id: uuid.UUID, field_key: str) -> AccountDetails:
    """Open what `seal` made for this row. Raises Broken when it was changed, moved or sealed with another key."""
    if sealed[:1] != _SEAL_VERSION:
        raise Broken("bank details sealed in an unknown way")
    try:
        plain = AESGCM(_keys(field_key)[0]).decrypt(sealed[1:13], sealed[13:], row_id.bytes)
    except InvalidTag as error:
        raise Broken("bank details do not open: changed, moved or another key") from error
    return AccountDetails(*json.loads(plain))


def fingerprint(sort_code: str, account_number: str, *, field_key: str) -> bytes:
    """32 bytes that are equal for equal accounts and say nothing without the key."""
    return hmac.new(_keys(field_key)[1], f"{sort_code}{account_number}".encode(), hashlib.sha256).digest()
