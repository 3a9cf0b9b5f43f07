"""What an action was given: who may ask for it, its words, its key, and whether it stands already."""

import hashlib
import re
import uuid
from collections.abc import Collection
from typing import Any

from fund.kernel.actor import Actor, Capacity
from fund.kernel.errors import BadInput, Forbidden, Refused
from fund.kernel.reasons import Reason
from fund.kernel.words import _
from fund.transparency import formats


def allow(actor: Actor, capacities: Collection[Capacity]) -> None:
    """Raise Forbidden unless the actor acts in one of these capacities."""
    if actor.capacity not in capacities:
        raise Forbidden


def trustee(actor: Actor) -> uuid.UUID:
    """The person who acts as a trustee. Raises Forbidden for anybody else, and for the system, which is nobody."""
    if actor.capacity != Capacity.TRUSTEE or actor.person_id is None:
        raise Forbidden
    return actor.person_id


def text(value: str, field: str, most: int = 100) -> str:
    """What was given, without space around it and in Unicode's form NFC. Raises BadInput when nothing is left."""
    found = formats.nfc(value.strip())
    if not 1 <= len(found) <= most:
        raise BadInput(_("Give it in 1 to %(most)s characters.", most=most), field=field)
    return found


def key(*parts: str) -> str:
    """An idempotency key of any words, of one length."""
    return parts[0] + "/" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def same(found: Any, given: dict[str, Any]) -> Any:
    """What stands already, when it is what was given. Raises Refused when its reference was used for another thing."""
    if any(getattr(found, name) != value for name, value in given.items()):
        sentence = _("This reference is on the record already, and says something else.")
        raise Refused([Reason("reference_used", sentence)])
    return found


def document_sha256(document: bytes, stated: str | None) -> bytes:
    """The hash of a document. Raises BadInput for a stated hash that is none, and for no document at all; Refused where
    the document is not the one that was stated."""
    if not document:
        raise BadInput(_("The document is empty."), field="document")
    found = hashlib.sha256(document).digest()
    if stated is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", stated.strip(), re.ASCII):
        raise BadInput(_("A SHA-256 hash is 64 of the signs 0 to 9 and a to f."), field="sha256")
    if stated is not None and stated.strip().lower() != found.hex():
        raise Refused([Reason("document_hash", _("The document is not the one that was stated: its hash is %(hash)s.",
                                                 hash=found.hex()))])
    return found
