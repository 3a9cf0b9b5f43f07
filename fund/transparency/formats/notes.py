"""Signed notes, checkpoints, cosignatures and the keys that make them (C2SP signed-note, tlog-checkpoint and
tlog-cosignature), and the policy that says whose cosignatures are wanted (tlog-policy).

Ed25519 alone: a signature line of a kind or key that nobody here knows is ignored, as the specification asks, so other
kinds can be added later.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fund.kernel.errors import BadInput

LOG_KEY, WITNESS_KEY = 0x01, 0x04  # the kinds of key: of an Ed25519 signature, and of a timed Ed25519 cosignature
MOST_SIGNATURES = 100
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,255}")


class Signature(NamedTuple):
    """One signature line: who is said to have signed, with which key, and the bytes that follow the key's id."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note."""
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


class Note(NamedTuple):
    """A text that ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def encoded(self) -> bytes:
        """The note's bytes."""
        return (self.text + "\n" + "".join(one.line for one in self.signatures)).encode()


def read_note(encoded: bytes) -> Note:
    """A note out of its bytes. Raises BadInput for what is none."""
    try:
        whole = encoded.decode()
    except UnicodeDecodeError:
        raise BadInput("a note is UTF-8 text") from None
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", whole):
        raise BadInput("a note holds no control characters")
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise BadInput("a note is a text, an empty line and signature lines")
    signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
    if len(signatures) > MOST_SIGNATURES:
        raise BadInput(f"a note has at most {MOST_SIGNATURES} signatures")
    return Note(text + "\n", signatures)


def _signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if dash != "\u2014" or not _NAME.fullmatch(name) or len(value) < 5:
        raise BadInput("a signature line is a dash, a name and base64")
    return Signature(name, value[:4], value[4:])


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; `kind` is LOG_KEY or WITNESS_KEY."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def read(cls, vkey: str) -> "VerifierKey":
        """Read `name+id+base64`. Raises BadInput, also where the id is not that of name and key."""
        name, _, rest = vkey.strip().partition("+")
        id_hex, _, encoded = rest.partition("+")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not _NAME.fullmatch(name) or len(key) != 33 or key[0] not in (LOG_KEY, WITNESS_KEY):
            raise BadInput("a key is a name, an id and an Ed25519 key")
        found = cls(name, key[0], key[1:])
        if found.id.hex() != id_hex:
            raise BadInput("the id of this key is not that of its name and bytes")
        return found

    @property
    def id(self) -> bytes:
        """The four bytes by which signature lines name it."""
        return _key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.kind]) + self.public).decode()}"

    def has_signed(self, note: Note) -> bool:
        """Whether the note carries this key's signature. Raises BadInput where it carries one that is wrong."""
        return self.signed_at(note) is not None

    def signed_at(self, note: Note) -> datetime | None:
        """When this key signed, as far as it says: a log's own signature has no time and gives the epoch."""
        for one in note.signatures:
            if one.name == self.name and one.key_id == self.id:
                return self._checked(note.text, one.value)
        return None

    def _checked(self, text: str, value: bytes) -> datetime:
        seconds, signature, message = 0, value, text.encode()
        if self.kind == WITNESS_KEY:
            if len(value) != 72:
                raise BadInput(f"the cosignature of {self.name} is not 72 bytes long")
            seconds, signature = struct.unpack(">Q", value[:8])[0], value[8:]
            message = cosigned(text, seconds)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
            return datetime.fromtimestamp(seconds, UTC)
        except (InvalidSignature, ValueError, OverflowError, OSError):
            raise BadInput(f"the signature of {self.name} is wrong") from None


def cosigned(text: str, seconds: int) -> bytes:
    """What a witness signs: the time and the note."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its name. Only the publisher of the log (or a witness) holds one; it is never shown."""

    name: str
    kind: int
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls, name: str, kind: int = LOG_KEY) -> "Signer":
        """Make a key. Raises BadInput for a name with a space or a plus sign."""
        if not _NAME.fullmatch(name):
            raise BadInput("the name of a key has no space and no plus sign")
        return cls(name, kind, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, written: str) -> "Signer":
        """Read `PRIVATE+KEY+name+id+base64`, as Go's note tools write it. Raises BadInput."""
        parts = written.strip().split("+", 4)
        try:
            key = base64.b64decode(parts[4], validate=True)
            signer = cls(parts[2], key[0], Ed25519PrivateKey.from_private_bytes(key[1:]))
        except (IndexError, binascii.Error, ValueError):
            raise BadInput("this is not a private key of a log") from None
        if parts[:2] != ["PRIVATE", "KEY"] or signer.kind not in (LOG_KEY, WITNESS_KEY) \
                or signer.key.id.hex() != parts[3]:
            raise BadInput("this is not a private key of a log")
        return signer

    def written(self) -> str:
        """The key as a file keeps it."""
        raw = self.private.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
                                         serialization.NoEncryption())
        return f"PRIVATE+KEY+{self.name}+{self.key.id.hex()}+{base64.b64encode(bytes([self.kind]) + raw).decode()}\n"

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return VerifierKey(self.name, self.kind, public)

    def sign(self, text: str, seconds: int = 0) -> Signature:
        """This key's signature of a text; a witness signs the time (seconds since 1970) too."""
        if self.kind == WITNESS_KEY:
            value = struct.pack(">Q", seconds) + self.private.sign(cosigned(text, seconds))
        else:
            value = self.private.sign(text.encode())
        return Signature(self.name, self.key.id, value)


class Checkpoint(NamedTuple):
    """How large a log was, and the root of its tree then."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def read_checkpoint(text: str) -> Checkpoint:
    """A checkpoint out of a note's text; lines after the third are somebody's extensions. Raises BadInput."""
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    except (IndexError, binascii.Error, ValueError):
        raise BadInput("a checkpoint is an origin, a size and a root") from None
    if not origin or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or len(root) != 32:
        raise BadInput("a checkpoint is an origin, a size and a root")
    return Checkpoint(origin, int(size), root)


class Witness(NamedTuple):
    """Somebody who cosigns: their key, and where they take checkpoints."""

    key: VerifierKey
    url: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Whose cosignatures a checkpoint needs before it counts as published."""

    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = "none"

    def is_met_by(self, cosigners: Collection[str]) -> bool:
        """Whether the cosignatures of these witnesses (their names in the policy) are enough."""
        return self.quorum == "none" or self._counts(self.quorum, cosigners)

    def _counts(self, name: str, cosigners: Collection[str]) -> bool:
        if name in self.witnesses:
            return name in cosigners
        least, members = self.groups[name]
        return sum(self._counts(member, cosigners) for member in members) >= least

    def cosigners(self, note: Note) -> dict[str, datetime]:
        """Which witnesses cosigned a note, each with the time. Raises BadInput for a wrong cosignature."""
        found = {name: witness.key.signed_at(note) for name, witness in self.witnesses.items()}
        return {name: at for name, at in found.items() if at is not None}


def read_policy(text: str) -> Policy:
    """A policy out of its file. Raises BadInput with the number of the line that is wrong."""
    witnesses: dict[str, Witness] = {}
    groups: dict[str, tuple[int, tuple[str, ...]]] = {}
    quorum = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#", 1)[0].split()
        known = {*witnesses, *groups}
        match words:
            case []:
                continue
            case ["log", vkey, *_url]:
                VerifierKey.read(vkey)
            case ["witness", name, vkey, *url] if name not in known and len(url) <= 1:
                witnesses[name] = Witness(VerifierKey.read(vkey), url[0] if url else "")
            case ["group", name, least, *members] if name not in known and members and set(members) <= known:
                groups[name] = (_least(least, len(members), number), tuple(members))
            case ["quorum", name] if not quorum and (name in known or name == "none"):
                quorum = name
            case _:
                raise BadInput(f"line {number} of the policy is none: {line.strip()[:80]}")
    return Policy(witnesses, groups, quorum or "none")


def _least(written: str, members: int, line: int) -> int:
    least = {"any": 1, "all": members}.get(written) or (int(written) if written.isdecimal() else 0)
    if not 1 <= least <= members:
        raise BadInput(f"line {line} of the policy asks for {written} of {members}")
    return least


def receipt(index: int, proof: Iterable[bytes], checkpoint: bytes) -> bytes:
    """A `.tlog-proof`: that the leaf at an index is under a checkpoint, to be kept and checked without anybody."""
    hashes = "".join(base64.b64encode(part).decode() + "\n" for part in proof)
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n".encode() + checkpoint
