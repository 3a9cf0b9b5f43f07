#!/usr/bin/env python3
"""Check the public log of the Levelling Up Communities Fund, and trust nobody: not the fund, and not its programs.

This is one file of Python's own library (3.9 or newer). It reads the published files, from the web or from a folder,
and checks: who signed; that the lines make the tree that was signed; that each line is written in the one way in which
it can be written; that every movement of money follows the rules below, in order, from the first line to the last; and
so what every account holds. It says what it checked in plain words, and ends with 0 when everything holds, 1 when
something does not, 2 when it could not look.

    python3 verify.py https://fund.example/log            # everything
    python3 verify.py FOLDER                              # the same, of a copy that you made
    python3 verify.py SOURCE --key 'name+id+base64'       # with the key that you were given by somebody you trust
    python3 verify.py SOURCE --kept old-checkpoint        # and: what you kept once is still the beginning of it
    python3 verify.py --receipt payment.tlog-proof --leaf leaf-41.json --key KEY     # one receipt, without the log

Its sources: RFC 6962 (tree), RFC 8032 (Ed25519), RFC 8785 (one way to write a line), C2SP signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof. Licence: AGPL-3.0-or-later, as the fund's own.
"""

import argparse
import base64
import gc
import hashlib
import json
import os
import re
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

# 1. Signatures (RFC 8032), in whole numbers ---------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def _point(encoded):
    """A point of the curve out of its 32 bytes (RFC 8032, 5.1.3), or None."""
    y = int.from_bytes(encoded, "little")
    odd, y = y >> 255, y & (1 << 255) - 1
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    return _extended(P - x if x & 1 != odd else x, y)


def _extended(x, y):
    return x, y, 1, x * y % P


def _add(one, two):
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, point)
        point, number = _add(point, point), number >> 1
    return found


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signature_holds(public, message, signature):
    """Whether the Ed25519 signature (64 bytes) of the message is that of the public key (32 bytes)."""
    key, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = _times(s, BASE), _add(r, _times(k, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


class Wrong(Exception):
    """Something does not hold, in a sentence."""


class CannotLook(Exception):
    """The files could not be read at all."""


def read_key(written):
    """(name, id, kind, public key) of `name+id+base64`."""
    match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", written.strip())
    key = base64.b64decode(match[3]) if match else b""
    if match is None or len(key) != 33 or key[0] not in (1, 4):
        raise CannotLook("this is not a key: " + written.strip()[:80])
    if hashlib.sha256(match[1].encode() + b"\n" + key).digest()[:4].hex() != match[2]:
        raise CannotLook("the id of this key is not that of its name and bytes")
    return match[1], bytes.fromhex(match[2]), key[0], key[1:]


def read_note(encoded):
    """(text, [(name, key id, signature)]) of a signed note."""
    text, separator, lines = encoded.decode("utf-8").rpartition("\n\n")
    found = [re.fullmatch("\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)", line) for line in lines.split("\n")[:-1]]
    if not separator or not found or not all(found):
        raise Wrong("the checkpoint is not a signed note")
    values = [(match[1], base64.b64decode(match[2])) for match in found if match]
    return text + "\n", [(name, value[:4], value[4:]) for name, value in values]


def read_checkpoint(encoded, keys):
    """(origin, size, root) of a checkpoint that one of the keys signed, and the names of those that did."""
    text, signatures = read_note(encoded)
    signed_by = []
    for name, key_id, kind, public in keys:
        for signer, signer_id, value in signatures:
            if (signer, signer_id) != (name, key_id):
                continue
            message = text.encode()
            if kind == 4:  # a witness, who signs the time too
                seconds = int.from_bytes(value[:8], "big")
                value, message = value[8:], f"cosignature/v1\ntime {seconds}\n{text}".encode()
            if not signature_holds(public, message, value):
                raise Wrong(f"the signature of {name} under the checkpoint is forged or broken")
            signed_by.append(name)
    origin, size, root = text.split("\n")[:3]
    if origin not in signed_by:
        raise Wrong("the checkpoint is not signed with the key of the log")
    return (origin, int(size), base64.b64decode(root)), signed_by


# 2. The tree (RFC 6962) and its files ---------------------------------------------------------------------------------

def node(left, right):
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def perfect(hashes):
    """The root of a power of two of hashes."""
    sha256 = hashlib.sha256
    while len(hashes) > 1:
        hashes = [sha256(b"\x01" + hashes[at] + hashes[at + 1]).digest() for at in range(0, len(hashes), 2)]
    return hashes[0]


def tree_root(hashes, found=None):
    """The root of any number of hashes, with what stands to the right of them, if anything does."""
    end = len(hashes)
    for bit in range(len(hashes).bit_length()):
        if len(hashes) >> bit & 1:  # the perfect subtrees from right to left, the smallest first
            part = perfect(hashes[end - (1 << bit):end])
            found, end = part if found is None else node(part, found), end - (1 << bit)
    return found


def inclusion_holds(leaf, index, size, proof, root):
    """Whether the proof shows that the leaf hash has this index under the root (RFC 9162, 2.1.3.2)."""
    at, last, found = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(part, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, part)
        at, last = at >> 1, last >> 1
    return 0 <= index < size and last == 0 and found == root


def path(kind, number, width):
    """The name of a tile or bundle."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    return f"tile/{kind}/{'/'.join(groups)}" + ("" if width == 256 else f".p/{width}")


def source(given):
    """A function that reads a published file by its name, from a folder or from the web; None where there is none."""
    if not re.match("https?://", given):
        def from_folder(name):
            try:
                with open(os.path.join(given, *name.split("/")), "rb") as file:
                    return file.read()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
        return from_folder

    def from_web(name):
        try:
            with urllib.request.urlopen(given.rstrip("/") + "/" + name, timeout=30) as answer:  # noqa: S310  # nosec B310
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise CannotLook(f"{given} answered {error.code} for {name}") from None
        except OSError as error:
            raise CannotLook(f"{given} does not answer: {error}") from None
    return from_web


def widths(count):
    """(number, width) of the tiles of so many hashes."""
    return [(number, min(256, count - number * 256)) for number in range((count + 255) // 256)]


def leaves_of(bundle, name):
    """The lines of a bundle: before each stands its length, in two bytes."""
    found, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at:at + 2], "big")
        found.append(bundle[at + 2:end])
        at = end
    if at != len(bundle):
        raise Wrong(f"{name} ends in the middle of a line")
    return found


# 3. The rules of money ------------------------------------------------------------------------------------------------

CLASSES = {
    "1000": "bank", "1100": "investments", "2000": "reclaim_reserve", "3000": "permanent_capital", "3090": "deficit",
    "3100": "unapplied_return", "3150": "drawdown_limit", "3200": "spendable", "3250": "running_costs",
    "4000": "allocation", "5000": "grant",
}
GROWS_BY_DEBIT = {"bank", "investments", "deficit"}

#: Which way money may go: kind, how, what is debited, what is credited, and what kind of reservation it ends. There is
#: no way out of permanent capital but the exact mirror of a line (`reversal`, added below for every way).
WAYS = """
dormant_assets_receipt single bank permanent_capital
dormant_assets_receipt single bank reclaim_reserve
reclaim_paid pending reclaim_reserve bank
reclaim_paid post reclaim_reserve bank reclaim_paid
reclaim_paid void reclaim_reserve bank reclaim_paid
reclaim_reserve_top_up single unapplied_return reclaim_reserve
reclaim_reserve_release single reclaim_reserve permanent_capital
trade pending investments bank
trade post investments bank trade
trade void investments bank trade
trade pending bank investments
trade post bank investments trade
trade void bank investments trade
investment_income single bank unapplied_return
bank_interest single bank unapplied_return
revaluation_gain single investments deficit
revaluation_gain single investments unapplied_return
revaluation_loss single unapplied_return investments
revaluation_loss single deficit investments
deficit_made_good single unapplied_return deficit
spending_rule_set single unapplied_return drawdown_limit
drawdown single drawdown_limit spendable
area_allocation single spendable allocation
operating_budget single spendable running_costs
grant_offer pending allocation grant
grant_agreement post allocation grant grant_offer
grant_offer_lapsed void allocation grant grant_offer
stage_release pending grant bank
stage_paid post grant bank stage_release
payment_failed void grant bank stage_release
payment_returned single bank grant
host_contribution pending grant bank
host_contribution post grant bank host_contribution
host_contribution void grant bank host_contribution
grant_return single bank allocation
grant_return single bank spendable
grant_decommitted single grant allocation
operating_cost single running_costs bank
operating_cost pending running_costs bank
operating_cost post running_costs bank operating_cost
operating_cost void running_costs bank operating_cost
participation_payment pending running_costs bank
participation_payment post running_costs bank participation_payment
participation_payment void running_costs bank participation_payment
"""


def ways():
    """The ways by (kind, how, debit, credit), each with the kind of reservation that it ends."""
    found = {}
    for row in WAYS.split("\n")[1:-1]:
        kind, how, debit, credit, *ends = row.split()
        found[kind, how, debit, credit] = ends[0] if ends else None
        if how in ("single", "post"):
            found["reversal", "single", credit, debit] = None
    return found


class Books:
    """Every account, kept again from the lines alone."""

    def __init__(self, line_by_id):
        self.ways, self.line_by_id = ways(), line_by_id
        self.kinds = {way[0] for way in self.ways}
        self.accounts = {}  # code: [debits, credits, debits reserved, credits reserved], in pence
        self.reserved, self.reversed = {}, set()
        self.closed_through, self.entries, self.transfers = "", 0, 0

    def apply(self, said):
        """Take one line into the books, and give what is wrong with it."""
        kind = said["kind"]
        if "transfers" in said:
            return self._entry(said, kind)
        record = said.get("record", {})
        if kind in self.kinds:
            return [f"it is called {kind} and moves nothing"]
        if kind == "account_opened":
            code = record["code"]
            if code in self.accounts:
                return [f"account {code} is opened a second time"]
            self.accounts[code] = [0, 0, 0, 0]
            if CLASSES.get(code[:4]) != record["class"]:
                return [f"account {code} is opened as {record['class']}"]
        elif kind == "period_closed":
            self.closed_through = max(self.closed_through, record["closed_through"])
        return []

    def _entry(self, said, kind):
        wrong, touched, number = [], set(), 0
        if said["effective_on"] <= self.closed_through:
            wrong.append(f"it counts for a day in the books closed through {self.closed_through}")
        if kind == "spending_rule_set" and any(a[0] > a[1] for c, a in self.accounts.items() if c[:4] == "3090"):
            wrong.append("a limit is set while the endowment is worth less than its capital")
        for line in said["transfers"]:
            number += 1
            problem = self._line(said["id"], number, line, kind)
            if problem:
                wrong.append(f"movement {number}: {problem}")
            touched.add(line["debit"])
            touched.add(line["credit"])
        self.entries += 1
        self.transfers += number
        if number == 0:
            wrong.append("it is an entry that moves nothing")
        if (kind == "reversal") != ("reverses" in said):
            wrong.append("only a reversal names what it puts right")
        elif kind == "reversal":
            wrong += self._mirror(said)
        for code in touched:
            account = self.accounts.get(code)
            if account is None:
                continue
            if CLASSES[code[:4]] in GROWS_BY_DEBIT:
                over = account[1] + account[3] - account[0]
            else:
                over = account[0] + account[2] - account[1]
            if over > 0:
                wrong.append(f"account {code} is overdrawn by {over} pence after it")
        return wrong

    def _line(self, entry_id, number, line, kind):
        debit, credit, how = line["debit"], line["credit"], line["phase"]
        to, of = self.accounts.get(debit), self.accounts.get(credit)
        if to is None or of is None:
            return f"no account {credit if to else debit} is open"
        written = line["amount"]
        if not written.isdecimal() or written[0] == "0":
            return f"{written} is no amount"
        amount, way = int(written), (kind, how, CLASSES[debit[:4]], CLASSES[credit[:4]])
        if debit == credit or way not in self.ways:
            return f"{kind} may not go this way ({how}, debit {debit}, credit {credit})"
        if how == "pending":
            self.reserved[entry_id, number] = (kind, debit, credit, amount)
            to[2] += amount
            of[3] += amount
            return None
        if how != "single":
            key = tuple(line.get("pending", ()))
            kept = self.reserved.get(key)
            if kept is None or kept[:3] != (self.ways[way], debit, credit) or amount > kept[3] or (
                    how == "void" and amount != kept[3]):
                return "it ends no reservation of its accounts and amount that is open"
            del self.reserved[key]
            to[2] -= kept[3]
            of[3] -= kept[3]
        if how != "void":
            to[0] += amount
            of[1] += amount
        return None

    def _mirror(self, said):
        name = said["reverses"]
        first = self.line_by_id(name)
        if name in self.reversed:
            return [f"line {name} was put right before"]
        self.reversed |= {name, said["id"]}
        was = [(line["credit"], line["debit"], line["amount"]) for line in (first or {}).get("transfers", ())
               if line["phase"] in ("single", "post")]
        if not first or len(was) != len(first.get("transfers", ())) or was != [
                (line["debit"], line["credit"], line["amount"]) for line in said["transfers"]]:
            return [f"it is not the mirror of line {name}"]
        return []


# 4. The whole log -----------------------------------------------------------------------------------------------------

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TEXT = r'[^"\\\x00-\x1f\x7f]*'
#: The usual entry, which moves one sum: a text that matches is written in the one way (its keys stand in order and
#: nothing in it has a second spelling), so it need not be read and written as JSON. It halves the time.
USUAL = re.compile(
    rf'{{(?:"area":"{TEXT}",)?"effective_on":"({DAY.pattern})"(?:,"grant":"{TEXT}")?,"id":"({ID})","kind":"([a-z_]+)"'
    rf',"recorded_at":"{MOMENT.pattern}"(?:,"relates_to":\["({ID}(?:","{ID})*)"\])?,"transfers":\[{{"amount":'
    rf'"([0-9]+)","credit":"({TEXT})","debit":"({TEXT})"(?:,"pending":\["({ID})",([1-9][0-9]{{0,4}})\])?,"phase":'
    rf'"([a-z]+)"}}\],"v":1}}')


def _json():
    """(read, write) of one canonical line: json's own inner functions, which skip half of the work, where they are."""
    encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    make, text = (getattr(json.encoder, name, None) for name in ("c_make_encoder", "c_encode_basestring"))
    scan, join = getattr(json.JSONDecoder(), "scan_once", None), "".join
    if make is None or text is None or scan is None:
        return json.loads, encoder.encode
    inner = make(None, encoder.default, text, None, ":", ",", True, False, False)
    return lambda line: scan(line, 0)[0], lambda said: join(inner(said, 0))


read_line, write_line = _json()


class Log:
    """One look at a published log: what was checked, and what is wrong."""

    def __init__(self, read, progress=None):
        self.read, self.progress = read, progress or (lambda _done, _of: None)
        self.problems, self.places, self.size = [], {}, 0
        self.books = Books(self._line_by_id)
        self.related = {}

    def check(self, checkpoint, kept=()):
        """Check every file and every line; `kept` are (size, root) of older checkpoints."""
        _, self.size, root = checkpoint
        bundles = [(path("entries", number, width), width) for number, width in widths(self.size)]
        hashes: list[bytes] = []
        with ThreadPoolExecutor(8) as pool:
            ahead = {number: pool.submit(self.read, name) for number, (name, _) in enumerate(bundles[:64])}
            for number, (name, width) in enumerate(bundles):
                if number + 64 < len(bundles):
                    ahead[number + 64] = pool.submit(self.read, bundles[number + 64][0])
                hashes += self._bundle(name, width, ahead.pop(number).result(), len(hashes))
                self.progress(len(hashes), self.size)
        if self._tiles(hashes) != root:
            self.problems.append("the lines do not make the tree that was signed")
        for size, found in kept:
            if size > self.size or tree_root(hashes[:size]) != found:
                self.problems.append(f"the checkpoint of {size} lines that you kept is not the beginning of this log")
        for name, seq in self.related.items():
            if name not in self.places:
                self.problems.append(f"line {seq} relates to {name}, which is not in the log")

    def _bundle(self, name, width, data, first):
        try:
            if data is None:
                raise Wrong(f"{name} is missing")
            leaves = leaves_of(data, name)
            if len(leaves) != width:
                raise Wrong(f"{name} holds {len(leaves)} lines, and should hold {width}")
        except Wrong as wrong:
            self.problems.append(str(wrong))
            return [b""] * width
        found = []
        for seq, leaf in enumerate(leaves, first):
            found.append(hashlib.sha256(b"\0" + leaf).digest())
            for sentence in self._leaf(seq, leaf):
                self.problems.append(f"line {seq}: {sentence}")
        return found

    def _leaf(self, seq, leaf):
        try:
            line = leaf.decode()
            usual = USUAL.fullmatch(line)
            if usual:
                said = self._usual(usual.groups())
            else:
                said = read_line(line)
                if write_line(said) != line or said["v"] != 1:
                    return ["it is not written in the one way in which a line is written"]
                if not MOMENT.fullmatch(said["recorded_at"]) or (
                        "transfers" in said and not DAY.fullmatch(said["effective_on"])):
                    return ["its time or its day is none"]
            if said["id"] in self.places:
                return ["its id was used before"]
            self.places[said["id"]] = seq
            if "relates_to" in said:
                for name in said["relates_to"]:
                    if name not in self.places:
                        self.related.setdefault(name, seq)
            if (said["kind"] == "genesis") != (seq == 0):
                return ["the first line of a log, and no other, names it"]
            return self.books.apply(said)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            return [f"it does not say what a line says ({type(error).__name__})"]

    @staticmethod
    def _usual(found):
        """What a usual entry says, out of its text."""
        day, name, kind, related, amount, credit, debit, pending, number, phase = found
        transfer = {"amount": amount, "credit": credit, "debit": debit, "phase": phase}
        if pending:
            transfer["pending"] = [pending, int(number)]
        said = {"effective_on": day, "id": name, "kind": kind, "transfers": [transfer]}
        if related:
            said["relates_to"] = related.split('","')
        return said

    def _line_by_id(self, name):
        seq = self.places.get(name)
        if seq is None:
            return None
        number = seq // 256
        data = self.read(path("entries", number, min(256, self.size - number * 256)))
        return json.loads(leaves_of(data, "")[seq % 256])

    def _tiles(self, hashes):
        """Compare every published tile, from the lowest level up; gives the root of the tree."""
        level, root = 0, None
        while hashes:
            full = []
            for number, width in widths(len(hashes)):
                tile = hashes[number * 256:number * 256 + width]
                name = path(level, number, width)
                if self.read(name) != b"".join(tile):
                    self.problems.append(f"{name} is missing, or is not made of the lines")
                if width == 256:
                    full.append(perfect(tile))
                else:
                    root = tree_root(tile, root)
            hashes, level = full, level + 1
        return root

def check_receipt(receipt, leaf, keys):
    """Check one receipt (tlog-proof) by itself, and the saved line where it is given; gives (index, checkpoint)."""
    head, separator, note = receipt.partition(b"\n\n")
    first, index, *hashes = head.decode().split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not separator or not re.fullmatch(r"index \d+", index):
        raise Wrong("this is not a receipt")
    checkpoint, _ = read_checkpoint(note, keys)
    if leaf is None:
        raise CannotLook("a receipt proves a line: save the line too, and name it with --leaf")
    leaf_hash = hashlib.sha256(b"\0" + leaf).digest()
    proof = [base64.b64decode(one) for one in hashes]
    if not inclusion_holds(leaf_hash, int(index[6:]), checkpoint[1], proof, checkpoint[2]):
        raise Wrong("the line is not under the checkpoint of the receipt")
    return int(index[6:]), checkpoint


def pounds(pence):
    """Pence as people write them."""
    return f"{'-' if pence < 0 else ''}£{abs(pence) // 100:,}.{abs(pence) % 100:02d}"


def file_bytes(name):
    """A file that somebody named."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotLook(f"{name} cannot be read: {error.strerror}") from None


def look(given, say):
    """Do what the command line asks; gives the problems found."""
    keys = [read_key(one) for one in given.key]
    if given.receipt:
        if not keys:
            raise CannotLook("a receipt is checked against a key that you have: name it with --key")
        index, checkpoint = check_receipt(file_bytes(given.receipt), given.leaf and file_bytes(given.leaf), keys)
        say(f"The line is number {index} of {checkpoint[0]}, under its signed checkpoint of {checkpoint[1]:,} lines.")
        return []
    read = source(given.source)
    note = read("checkpoint")
    if note is None:
        raise CannotLook(f"there is no log at {given.source}")
    if not keys:
        keys = [read_key(one) for one in (read("log.vkey") or b"").decode().split()]
        say("You gave no key, so this believes the one that the log itself shows. Keep it, and give it next time:")
        for one in (read("log.vkey") or b"").decode().split():
            say(f"  --key '{one}'")
    checkpoint, signed_by = read_checkpoint(note, keys)
    say(f"Log {checkpoint[0]}: {checkpoint[1]:,} lines, signed by {', '.join(signed_by)}.")
    kept = [read_checkpoint(file_bytes(name), keys)[0] for name in given.kept]
    for origin, size, _ in kept:
        if origin != checkpoint[0] or size > checkpoint[1]:
            raise Wrong(f"you kept a checkpoint of {size:,} lines of {origin}: the log was cut back, or is another")
    log = Log(read, lambda done, of: say(f"\r{done:,} of {of:,} lines", end="", quiet=True))
    log.check(checkpoint, [one[1:] for one in kept])
    say("\r", end="", quiet=True)
    report(log, len(kept), say)
    if given.balances:
        with open(given.balances, "w", encoding="utf-8") as file:
            json.dump({"size": log.size, "balances": log.books.accounts}, file, indent=1, sort_keys=True)
    return log.problems


def report(log, kept, say):
    """What was checked, in plain words."""
    if log.problems:
        return
    books = log.books
    sums: dict[str, int] = {}
    for code, account in books.accounts.items():
        side = CLASSES[code[:4]] in GROWS_BY_DEBIT
        sums[code[:4]] = sums.get(code[:4], 0) + (account[0] - account[1] if side else account[1] - account[0])
    say(f"  Each of the {log.size:,} lines was hashed again. Together they make the tree that was signed, and every "
        "published file is made of them.")
    say(f"  {books.entries:,} entries with {books.transfers:,} movements were posted again in order. Each follows the "
        "rules of this file:")
    say("  money goes only the ways that are listed, no account was ever overdrawn, nothing was paid or put right "
        "twice,\n  and nothing left permanent capital but by the mirror of a wrong line.")
    if kept:
        say(f"  What you kept ({kept}) is the beginning of this log: nothing that you saw was changed or taken out.")
    has, is_for = sums.get("1000", 0) + sums.get("1100", 0), sum(
        -amount if code == "3090" else amount for code, amount in sums.items() if code not in ("1000", "1100"))
    say(f"  {len(books.accounts):,} accounts. The fund has {pounds(has)}; what it is for comes to {pounds(is_for)}. "
        f"Of that, {pounds(sums.get('3000', 0))} is permanent capital.")


def main(arguments=None):
    """The command line; gives the exit status."""
    parser = argparse.ArgumentParser(description="Check the fund's public log, and trust nobody.")
    parser.add_argument("source", nargs="?", help="the address of the log, or a folder with its files")
    parser.add_argument("--key", action="append", default=[], help="a public key, as name+id+base64; may be repeated")
    parser.add_argument("--kept", action="append", default=[], help="a checkpoint that you saved earlier")
    parser.add_argument("--receipt", help="a .tlog-proof file to check by itself")
    parser.add_argument("--leaf", help="the saved line that the receipt is for")
    parser.add_argument("--balances", help="write every balance to this file, in pence")
    parser.add_argument("--quiet", action="store_true", help="say only what is wrong")
    given = parser.parse_args(arguments)
    if not given.source and not given.receipt:
        parser.error("name the log, or a receipt")

    def say(text, end="\n", quiet=False):
        if not given.quiet and not (quiet and not sys.stderr.isatty()):
            print(text, end=end, file=sys.stderr if quiet else sys.stdout, flush=True)

    gc.disable()  # nothing here goes round in circles, and looking for that would take most of the time
    try:
        problems = look(given, say)
    except CannotLook as why:
        print(f"Could not look: {why}.", file=sys.stderr)
        return 2
    except (Wrong, ValueError, KeyError, IndexError, TypeError) as why:
        problems = [str(why) if isinstance(why, Wrong) else f"a file is not what it should be ({why})"]
    for problem in problems[:50]:
        print(f"WRONG: {problem}.")
    print("Everything holds." if not problems else f"{len(problems):,} things do not hold.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
