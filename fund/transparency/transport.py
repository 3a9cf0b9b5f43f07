"""The line to the witnesses (C2SP tlog-witness): the one place that talks to them.

A witness cosigns a checkpoint only where it follows from the last one that it saw, so two histories can never both be
cosigned by an honest one.
"""

import base64
import http.client
import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fund.kernel.errors import BadInput, OutsideDown
from fund.transparency.formats import Note, VerifierKey, read_note
from fund.transparency.formats.notes import Signature

SECONDS = 5
MOST_BYTES = 64_000

#: Gives the proof that the tree of a size begins the one that is to be cosigned.
Prove = Callable[[int], Sequence[bytes]]


def cosignature(url: str, key: VerifierKey, note: Note, old_size: int, prove: Prove) -> Signature:
    """Ask a witness to cosign a checkpoint; `old_size` is the last one it is thought to have seen.

    A witness that has seen another size says so, and is asked once more from there. Raises OutsideDown where it does
    not answer or will not cosign, with its status; BadInput where its cosignature is wrong.
    """
    status, body, kind = _post(url, _request(old_size, prove, note))
    if status == 409 and kind.startswith("text/x.tlog.size") and re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", body):
        status, body, kind = _post(url, _request(int(body), prove, note))
    if status != 200:
        raise OutsideDown(f"the witness {key.name} said {status}")
    try:
        answered = read_note(note.text.encode() + b"\n" + body)
    except BadInput:
        raise OutsideDown(f"the witness {key.name} gave no signature line") from None
    for one in answered.signatures:
        if one.name == key.name and one.key_id == key.id and key.has_signed(Note(note.text, (one,))):
            return one
    raise OutsideDown(f"the witness {key.name} signed with a key that we do not know")


def _request(old_size: int, prove: Prove, note: Note) -> bytes:
    proof = prove(old_size) if old_size else []
    lines = "".join(base64.b64encode(part).decode() + "\n" for part in proof)
    return f"old {old_size}\n{lines}\n".encode() + note.encoded


def _post(url: str, body: bytes) -> tuple[int, bytes, str]:
    parts = urlsplit(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        connection.request("POST", parts.path.rstrip("/") + "/add-checkpoint", body=body,
                           headers={"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES), answer.headers.get("Content-Type", "")
    except (OSError, http.client.HTTPException) as error:
        raise OutsideDown(f"the witness at {parts.hostname} does not answer: {type(error).__name__}") from error
    finally:
        connection.close()
