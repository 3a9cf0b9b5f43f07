"""Finding a line of the record or an account by what somebody has in hand."""

import re
import uuid
from collections.abc import Callable

import sqlalchemy as sa

from fund.db import session
from fund.ledger.models import Account
from fund.transparency import queries as public_record

#: What may stand before a reference in the code of an account: a place's, a grant's, a year's.
_BEFORE = ("", "4000/", "5000/", "3150/", "3250/")
_LINE = re.compile(r"(?:#|line|entry|llinell|cofnod)? ?([0-9][0-9,]{0,20})", re.IGNORECASE)  # as the pages write it

_ID = re.compile("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)

#: What a part above this one knows by a reference of its own: the id of the entry's leaf, or nothing.
Finder = Callable[[str], uuid.UUID | None]
_finders: list[Finder] = []


def finds_entries(finder: Finder) -> Finder:
    """Let a part above this one find an entry by what stands on a letter or a bank statement. A decorator.

    It is asked for what no account and no line is called, in capitals and without spaces at its ends. Sums of the
    endowment are few; whoever has many looks them up by an index.
    """
    _finders.append(finder)
    return finder


def found_by(text: str) -> uuid.UUID | str | None:
    """What `text` names: the id of a line (by its number or id, or by a reference that another part knows), or the
    code of an account (by its code, or the reference of a grant, place or year in it); nothing where there is no such
    thing. Accounts and lines are looked up by an index, so it costs the same however long the record is.
    """
    given = text.strip()
    codes = [before + one for before in _BEFORE for one in (given, given.upper(), "-".join(given.upper().split()))]
    code = session.scalar(sa.select(Account.code).where(Account.code == sa.any_(sa.bindparam(
        "codes", codes, type_=sa.ARRAY(sa.Text)))).order_by(Account.code).limit(1))
    if code is not None:
        return code
    line = _LINE.fullmatch(given)
    seq = int(line[1].replace(",", "")) if line else None
    found = public_record.id_at(seq) if seq is not None and seq < 2**63 else None
    if found is None and _ID.fullmatch(given):
        found = public_record.known_id(uuid.UUID(given))
    for finder in _finders:
        found = finder(given.upper()) if found is None else found
    return found
