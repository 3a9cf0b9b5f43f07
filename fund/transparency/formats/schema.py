"""What a line of the log may say, version 1, as a JSON Schema: the file `/log/schema/v1.json`.

The first line of a log names this file by its hash, and no line is ever written anew. So it stands as long as lines of
version 1 do, to the byte (a test keeps its hash); a line that says more will be of version 2, with a file of its own.
What no schema can say, the verifier checks: text is in Unicode's form NFC, days are in the calendar, keys are in order.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from fund.kernel.errors import BadInput
from fund.transparency.formats.leaves import LARGEST_INTEGER, read

_END = r"(?![\s\S])"  # of the text: to some readers `$` also stands before a last newline


def written(document: Mapping[str, Any]) -> bytes:
    """The bytes of a document that is published beside the log, for people to read and for everybody to hash alike."""
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _text(pattern: str, says: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}{_END}", "description": says, **more}


def _only(required: list[str], properties: dict[str, Any], may: list[str] | None = None, **more: Any) -> dict[str, Any]:
    """An object with these properties and no other."""
    return {"type": "object", "required": required, "additionalProperties": False,
            "properties": {name: properties[name] for name in [*required, *(may or [])]}, **more}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


_SAID: dict[str, Any] = {
    "v": {"const": 1, "type": "integer", "description": "The version of this schema."},
    "id": _ref("id"),
    "kind": _text("[a-z][a-z_]{1,59}", "What happened."),
    "recorded_at": _text(r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
                         r"\.[0-9]{6}Z", "When this was written down, in UTC."),
    "effective_on": _text("(199[0-9]|2[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
                          "The day for which it counts, in London.", format="date"),
    "transfers": {"type": "array", "minItems": 1, "items": _ref("transfer"), "description": "The movements of money."},
    "record": {**_ref("object"), "description": "What is put on record, by kind. It moves no money."},
    "reverses": {**_ref("id"), "description": "The entry that this one puts right, as its mirror."},
    "relates_to": {"type": "array", "items": _ref("id"), "description": "Lines that explain this one."},
    "area": {**_ref("text"), "description": "The code of the place."},
    "grant": {**_ref("text"), "description": "The public reference of the grant."},
    "subject": {**_ref("text"), "description": "Whom or what it is about: public, or a commitment."},
    "evidence": _ref("commitment"),
    "approved_by": {"type": "array", "minItems": 1, "items": _ref("commitment"),
                    "description": "Who decided it, a commitment for each of them."},
    "params": {**_ref("object"), "description": "What a sum was worked out from."},
}

#: The fields of an entry that may hold a commitment.
COMMITTED = ("subject", "evidence", "approved_by")
#: Those of them that hold one for each of several.
OF_SEVERAL = ("approved_by",)

LINE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A line of the public log, version 1",
    "description": "An entry moves money; any other line puts something on record. The bytes of a line are the "
                   "canonical form (RFC 8785) of what it says, at most 65,535 of them.",
    "oneOf": [_ref("entry"), _ref("line")],
    "$defs": {
        "entry": _only(["v", "id", "kind", "recorded_at", "effective_on", "transfers"], _SAID,
                       ["reverses", "relates_to", "area", "grant", *COMMITTED, "params"],
                       **{"if": {"properties": {"kind": {"const": "reversal"}}}, "then": {"required": ["reverses"]},
                          "else": {"properties": {"reverses": False}}}),
        "line": _only(["v", "id", "kind", "recorded_at", "record"], _SAID),
        "transfer": _only(["debit", "credit", "amount", "phase"], {
            "debit": _ref("account"),
            "credit": _ref("account"),
            "amount": _text("([1-9][0-9]{0,14}|1000000000000000)", "Pence."),
            "phase": {"enum": ["single", "pending", "post", "void"],
                      "description": "Whether it counts at once, keeps money aside, or ends what was kept aside."},
            "pending": {"type": "array", "minItems": 2, "maxItems": 2, "items": False,
                        "prefixItems": [_ref("id"), {"type": "integer", "minimum": 1, "maximum": 32_767}],
                        "description": "The reservation that it ends: the entry, and which of its movements."},
        }, ["pending"], **{"if": {"properties": {"phase": {"enum": ["post", "void"]}}},
                           "then": {"required": ["pending"]}, "else": {"properties": {"pending": False}}}),
        "account": _text(r"[0-9]{4}(/[A-Za-z0-9][A-Za-z0-9._-]{0,59})?", "The code of an account."),
        "id": _text("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "A random name (UUID)."),
        "commitment": _text("sha256:[0-9a-f]{64}", "The hash of a salt and of something private."),
        "text": _text(r"[^\u0000]*", "Text."),
        "object": {"type": "object", "propertyNames": {"pattern": rf"^[\u0001-\u007f]*{_END}"},
                   "additionalProperties": _ref("value")},
        "value": {"anyOf": [
            _ref("text"), {"type": "integer", "minimum": -LARGEST_INTEGER, "maximum": LARGEST_INTEGER},
            {"type": "array", "items": _ref("value")}, _ref("object")]},
    },
}

_WORDS = {name: (frozenset(LINE["$defs"][name]["required"]), frozenset(LINE["$defs"][name]["properties"]))
          for name in ("entry", "line", "transfer")}
_COMMITMENT = re.compile(LINE["$defs"]["commitment"]["pattern"])


def reason_not_to_sign(encoded: bytes) -> str | None:
    """Why a line must never be signed, or None: it is not written in the one way, or holds words that no line may hold
    or lacks one that every line has, or says openly what it may only commit to.

    The database is asked for all of it before; this is for what came past it. Signed once, such a line would stand for
    ever, and everybody who checks the log would be told that it does not hold. It takes some 10 microseconds.
    """
    try:
        said = read(encoded)
    except BadInput as error:
        return str(error)
    must, may = _WORDS["entry" if "transfers" in said else "line"]
    if not must <= said.keys() <= may or said["v"] != 1:
        return "it does not hold the words of a line of version 1, and no other"
    if "transfers" not in said:
        return None if type(said["record"]) is dict else "what it puts on record is no object"
    must, may = _WORDS["transfer"]
    moved = said["transfers"]
    if type(moved) is not list or not moved or any(type(one) is not dict or not must <= one.keys() <= may
                                                   for one in moved):
        return "its movements do not hold the words of a movement, and no other"
    for name in COMMITTED:
        if name in said and not _are_commitments(said[name] if name in OF_SEVERAL else [said[name]]):
            return f"it says {name} openly"
    return None


def _are_commitments(said: Any) -> bool:
    return type(said) is list and bool(said) and all(type(one) is str and _COMMITMENT.search(one) for one in said)
