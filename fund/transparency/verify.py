#!/usr/bin/env python3
"""Check the public log of the Levelling Up Communities Fund, and trust nobody: not the fund, and not its programs.

This is one file of Python's own library (3.9 or newer). It reads the published files, from the web or from a folder,
and checks: who signed; that the lines make the tree that was signed; that each line is written in the one way in which
it can be written; that every movement of money follows the rules below, in order, from the first line to the last; and
so what every account holds; and that the schema, the chart of accounts and the balances beside the lines agree with
them. It says what it checked in plain words, and ends with 0 when everything holds, 1 when something does not, 2 when
it could not look.

    python3 verify.py https://fund.example/log            # everything
    python3 verify.py FOLDER                              # the same, of a copy that you made
    python3 verify.py SOURCE --key 'name+id+base64'       # with the key that you were given by somebody you trust
    python3 verify.py SOURCE --kept old-checkpoint        # and: what you kept once is still the beginning of it
    python3 verify.py SOURCE --save FOLDER                # and: keep a copy of every file, and hold it against the last
    python3 verify.py SOURCE --step-by-step               # without the short way for usual lines: slower, and the same
    python3 verify.py --receipt payment.tlog-proof --leaf leaf-41.json --key KEY     # one receipt, without the log

Its sources: RFC 6962 (tree), RFC 8032 (Ed25519), RFC 8785 (one way to write a line), C2SP signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof. Licence: AGPL-3.0-or-later, as the fund's own.
"""

import argparse
import base64
import datetime
import gc
import hashlib
import http.client
import itertools
import json
import os
import re
import sys
import unicodedata
import urllib.error
import urllib.request
from collections import deque
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
    try:
        key = base64.b64decode(match[3], validate=True) if match else b""
    except ValueError:
        key = b""
    if match is None or len(key) != 33 or key[0] not in (1, 4):
        raise CannotLook("this is not a key: " + written.strip()[:80])
    if hashlib.sha256(match[1].encode() + b"\n" + key).digest()[:4].hex() != match[2]:
        raise CannotLook("the id of this key is not that of its name and bytes")
    return match[1], bytes.fromhex(match[2]), key[0], key[1:]


def read_note(encoded):
    """(text, [(name, key id, signature)]) of a signed note."""
    text, separator, lines = encoded.decode("utf-8").rpartition("\n\n")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text + lines):
        raise Wrong("the checkpoint holds characters that no text has")
    found = [re.fullmatch("\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)", line) for line in lines.split("\n")[:-1]]
    if not separator or not found or not all(found) or not lines.endswith("\n"):
        raise Wrong("the checkpoint is not a signed note, or something stands after it")
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
    if not re.fullmatch("0|[1-9][0-9]{0,18}", size):
        raise Wrong("the checkpoint does not say how many lines the log has, as such a number is written")
    return (origin, int(size), base64.b64decode(root, validate=True)), signed_by


def did_not_sign(keys, signed_by):
    """What is wrong where a key that was given did not sign: another of the same name may have, as keys change."""
    return [f"you gave a key of {name}, and no such key signed the checkpoint"
            for name in dict.fromkeys(key[0] for key in keys) if name not in signed_by]


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
    return hashlib.sha256(b"").digest() if found is None else found


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


def is_address(given):
    """Whether a source is an address of the web, and not a folder."""
    return re.match("https?://", given) is not None


def source(given):
    """A function that reads a published file by its name, from a folder or from the web; None where there is none."""
    if not is_address(given):
        def from_folder(name):
            try:
                with open(os.path.join(given, *name.split("/")), "rb") as file:
                    return file.read()
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
            except (OSError, ValueError) as error:
                raise CannotLook(f"{name} cannot be read: {error}") from None
        return from_folder

    def from_web(name):
        try:
            with urllib.request.urlopen(given.rstrip("/") + "/" + name, timeout=30) as answer:  # noqa: S310  # nosec B310
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise CannotLook(f"{given} answered {error.code} for {name}") from None
        except http.client.IncompleteRead:
            raise CannotLook(f"{given} broke off in the middle of {name}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CannotLook(f"{given} does not answer: {type(error).__name__} {error}") from None
    return from_web


def saving(read, folder):
    """The same as `read`, and each file is kept in a folder as well; what is kept there is never written over."""
    def read_and_save(name):
        data, kept = read(name), os.path.join(folder, *name.split("/"))
        if data is not None and os.path.isfile(kept) and name != "log.vkey" and file_bytes(kept) != data:
            raise Wrong(f"{name} says something else than your copy of it in {folder}")
        return data if data is None else save(kept, data)
    return read_and_save


def save(name, data):
    """Write a file whole or not at all, and the folders that it stands in; gives what was written."""
    try:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name + ".part", "wb") as file:
            file.write(data)
        os.replace(name + ".part", name)
        return data
    except OSError as error:
        raise CannotLook(f"{name} cannot be written: {error.strerror}") from None


def widths(count):
    """(number, width) of the tiles of so many hashes, one after the other: a checkpoint may claim any number."""
    return ((number, min(256, count - number * 256)) for number in range((count + 255) // 256))


def cuts(bundle, name):
    """Where each line of a bundle begins and ends: before each stands its length, in two bytes."""
    found, at, end = [], 0, len(bundle)
    while at + 1 < end:
        begin = at + 2
        at = begin + (bundle[at] << 8 | bundle[begin - 1])
        found.append((begin, at))
    if at != end:
        raise Wrong(f"{name} ends in the middle of a line")
    return found


# 3. The rules of money ------------------------------------------------------------------------------------------------

CLASSES = {
    "1000": "bank", "1100": "investments", "2000": "reclaim_reserve", "3000": "permanent_capital", "3090": "deficit",
    "3100": "unapplied_return", "3150": "drawdown_limit", "3200": "spendable", "3250": "running_costs",
    "4000": "allocation", "5000": "grant",
}
GROWS_BY_DEBIT = {"bank", "investments", "deficit"}
AMOUNT = re.compile("[1-9][0-9]{0,15}")
PENCE = re.compile("0|[1-9][0-9]{0,15}").fullmatch
AN_ACCOUNT = re.compile("[0-9]{4}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,59})?").fullmatch
A_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_PENCE = 10**15  # of one movement
MOST_NAMED = 5  # lines of one file that are named one by one
MOST_PROBLEMS = 1_000  # after so many the rest of a log is not looked at
GIVES = {"awarded", "part_awarded"}  # the outcomes of a decision that can be offered
#: The kinds that have a rule of their own beside the way of the money.
MORE_TO_ASK = {"reversal", "spending_rule_set", "revaluation_gain", "revaluation_loss"}

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


def chart():
    """The chart of accounts that these rules know, as the log publishes it."""
    return (json.dumps({"v": 1, "classes": {code: {
        "class": name, "guard": "credits<=debits" if name in GROWS_BY_DEBIT else "debits<=credits"}
        for code, name in CLASSES.items()}}, indent=1, sort_keys=True) + "\n").encode()


def is_day(written):
    """Whether it is a day of the calendar."""
    if not A_DAY.fullmatch(written):
        return False
    try:
        datetime.date.fromisoformat(written)
    except ValueError:
        return False
    return True


def place(entry_id, number):
    """One movement of an entry, written as a line names a reservation that it ends."""
    return f'{entry_id}",{number}' if type(number) is int else ""


class Books:
    """Every account, kept again from the lines alone."""

    def __init__(self, line_by_id):
        self.ways, self.line_by_id = ways(), line_by_id
        self.usual_ways = {way: ends for way, ends in self.ways.items() if way[0] not in MORE_TO_ASK}
        self.kinds = {way[0] for way in self.ways}
        self.accounts = {}  # code: [debits, credits, debits reserved, credits reserved (all in pence), class]
        self.reserved, self.reversed = {}, set()  # what is open: the entry's id and the line, as `place` writes them
        self.decided = {}  # what was decided and not offered yet: the place's account and the pence
        self.offered = set()  # the accounts of grants that had their offer
        self.held: dict[str, list] = {"unapplied_return": [], "deficit": []}  # accounts by class
        self.closed_through, self.entries, self.transfers, self.offers = "", 0, 0, 0

    def apply(self, said):
        """Take one line into the books, and give what is wrong with it."""
        kind = said["kind"]
        if "transfers" in said:
            return self._entry(said, kind)
        record = said.get("record", {})
        if kind in self.kinds:
            return [f"it is called {kind} and moves nothing"]
        if kind == "account_opened":
            return self._open(record)
        if kind == "period_closed":
            return self._close(record)
        if kind == "decision":
            written = record["amount"]
            if not PENCE(written):
                return [f"it decides on {written}, and that is no sum"]
            if record["outcome"] in GIVES:
                self.decided[said["id"]] = "4000/" + record["area"], int(written)
        return []

    def _open(self, record):
        code = record["code"]
        if not AN_ACCOUNT(code) or len(record) != 3 or type(record["name"]) is not str:
            return ["it opens an account, and does not say its code, class and name alone"]
        if code in self.accounts:
            return [f"account {code} is opened a second time"]
        its_class = CLASSES.get(code[:4])
        account = self.accounts[code] = [0, 0, 0, 0, its_class]
        if its_class in self.held:
            self.held[its_class].append(account)
        if its_class != record["class"]:
            return [f"account {code} is opened as {record['class']}"]
        return []

    def _close(self, record):
        through, before = record["closed_through"], self.closed_through
        if not is_day(through) or record.keys() != {"closed_through"}:
            return ["it closes the books through something that is no day"]
        if through <= before:
            return [f"it closes the books through {through}, and they were closed through {before}"]
        self.closed_through = through
        return []

    def balances(self, size):
        """What every account holds after so many lines, as the log publishes it now and then."""
        return (json.dumps({
            "size": size, "each": "debits, credits, debits kept aside, credits kept aside, in pence",
            "balances": {code: account[:4] for code, account in self.accounts.items()},
        }, sort_keys=True, separators=(",", ":")) + "\n").encode()

    def _entry(self, said, kind):
        wrong, touched, number = [], {}, 0
        if said["effective_on"] <= self.closed_through:
            wrong.append(f"it counts for a day in the books closed through {self.closed_through}")
        if kind == "spending_rule_set" and any(a[0] > a[1] for a in self.held["deficit"]):
            wrong.append("a limit is set while the endowment is worth less than its capital")
        for line in said["transfers"]:
            number += 1
            problem = self._line(said["id"], number, line, kind)
            if problem:
                wrong.append(f"movement {number}: {problem}")
            touched[line["debit"]] = touched[line["credit"]] = True
        self.entries += 1
        self.transfers += number
        if kind == "grant_offer":
            wrong += self._offer(said)
        elif kind in ("revaluation_gain", "revaluation_loss"):
            wrong += self._valued(kind, touched)
        grants = {code for code in touched if code[:5] == "5000/"}
        if grants and "grant" in said and f"5000/{said['grant']}" not in grants:
            wrong.append("it names another grant than the one whose money it moves")
        if number == 0:
            wrong.append("it is an entry that moves nothing")
        if (kind == "reversal") != ("reverses" in said):
            wrong.append("only a reversal names what it puts right")
        elif kind == "reversal":
            wrong += self._mirror(said)
        return wrong + self.overdrawn(touched)

    def _offer(self, said):
        self.offers += 1
        related, lines = said.get("relates_to", ()), said["transfers"]
        decided = self.decided.pop(related[0], None) if len(related) == 1 else None
        if decided is None or {decided[0]} != {line["debit"] for line in lines} or decided[1] != sum(
                int(line["amount"]) for line in lines):
            return ["it is an offer, and not what one decision of a panel of its place gives, to the penny and once"]
        to = {line["credit"] for line in lines}
        if len(to) != 1 or to & self.offered:
            return ["it is an offer to more than one grant, or to one that had its offer"]
        self.offered |= to
        return []

    def _valued(self, kind, touched):
        """A loss is borne by the return first, and a gain makes a deficit good first."""
        moved = {CLASSES.get(code[:4]) for code in touched}
        if kind == "revaluation_loss" and "deficit" in moved and any(
                account[1] > account[0] for account in self.held["unapplied_return"]):
            return ["it takes a loss from the capital while there is return to bear it"]
        if kind == "revaluation_gain" and "unapplied_return" in moved and any(
                account[0] > account[1] for account in self.held["deficit"]):
            return ["it makes return of a gain while the endowment is worth less than its capital"]
        return []

    def overdrawn(self, codes):
        """What is wrong with these accounts as they stand now: what is reserved counts as gone."""
        wrong = []
        for code in codes:
            account = self.accounts.get(code)
            if account is None:
                continue
            debits, credits, debits_reserved, credits_reserved, name = account
            over = credits + credits_reserved - debits if name in GROWS_BY_DEBIT else debits + debits_reserved - credits
            if over > 0:
                wrong.append(f"account {code} is overdrawn by {over} pence after it")
        return wrong

    def _line(self, entry_id, number, line, kind):
        debit, credit, how = line["debit"], line["credit"], line["phase"]
        if not line.keys() <= OF_A_MOVEMENT:
            return "it says what no movement says"
        to, of = self.accounts.get(debit), self.accounts.get(credit)
        if to is None or of is None:
            return f"no account {credit if to else debit} is open"
        written = line["amount"]
        if not AMOUNT.fullmatch(written) or int(written) > MOST_PENCE:
            return f"{written} is no amount"
        amount, way = int(written), (kind, how, to[4], of[4])
        if debit == credit or way not in self.ways:
            return f"{kind} may not go this way ({how}, debit {debit}, credit {credit})"
        if "pending" in line and how not in ("post", "void"):
            return "it names a reservation and ends none"
        if how == "pending":
            self.reserved[place(entry_id, number)] = (kind, debit, credit, amount)
            to[2] += amount
            of[3] += amount
            return None
        if how != "single":
            ends = place(*line["pending"])
            kept = self.reserved.get(ends)
            if kept is None or kept[:3] != (self.ways[way], debit, credit) or amount > kept[3] or (
                    how == "void" and amount != kept[3]):
                return "it ends no reservation of its accounts and amount that is open"
            del self.reserved[ends]
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

DAY = A_DAY.pattern
FIRST_DAY, LAST_DAY = "1990-01-01", "2999-12-31"  # for which an entry may count
TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
MOMENT = re.compile(f"({DAY})T{TIME}").fullmatch
ID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
AN_ID = re.compile(ID).fullmatch
A_COMMITMENT = re.compile("sha256:[0-9a-f]{64}").fullmatch  # instead of anything private: of a salt and of that
TEXT = r"[ !#-\[\]-~]*"  # what ASCII prints but for quote and backslash
#: The usual entry, which moves one sum: a text that matches is written in the one way (its keys stand in order and
#: nothing in it has a second spelling), so it need not be read and written as JSON.
USUAL = re.compile(
    rf'{{(?:"area":"{TEXT}",)?"effective_on":"({DAY})"(?:,"grant":"({TEXT})")?,"id":"({ID})","kind":"([a-z_]+)"'
    rf',"recorded_at":"({DAY})T{TIME}"(?:,"relates_to":\["({ID})"\])?,"transfers":\[{{"amount":"([1-9][0-9]{{0,14}})"'
    rf',"credit":"({TEXT})","debit":"({TEXT})"(?:,"pending":\["({ID}",[1-9][0-9]{{0,4}})\])?,"phase":"([a-z]+)"}}\]'
    rf',"v":1}}')
#: The words that a line may hold, and no other.
OF_A_RECORD = {"v", "id", "kind", "recorded_at", "record"}
OF_AN_ENTRY = {"v", "id", "kind", "recorded_at", "effective_on", "transfers", "reverses", "relates_to", "area", "grant",
               "subject", "evidence", "approved_by", "params"}
HIDDEN = {"subject", "evidence", "approved_by"}  # whatever these say is a commitment
OF_A_MOVEMENT = {"debit", "credit", "amount", "phase", "pending"}


def fingerprint(data):
    """How the first line names a document."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _json():
    """(read, write) of one canonical line: json's own inner functions, which skip half of the work, where they are."""
    decoder = json.JSONDecoder(parse_float=_refused, parse_constant=_refused, parse_int=_small)
    encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    make, text = (getattr(json.encoder, name, None) for name in ("c_make_encoder", "c_encode_basestring"))
    scan, join = getattr(decoder, "scan_once", None), "".join
    if make is None or text is None or scan is None:
        return decoder.decode, encoder.encode
    inner = make(None, encoder.default, text, None, ":", ",", True, False, False)
    return lambda line: scan(line, 0)[0], lambda said: join(inner(said, 0))


def _refused(written):
    raise ValueError(f"{written} stands in no line")


def _small(written):
    """A whole number that every reader of JSON knows."""
    if len(written) > 16 or abs(int(written)) >= 2**53:
        _refused(written)
    return int(written)


read_line, write_line = _json()


def is_plain(value):
    """Whether this holds nothing but text (in Unicode's form NFC), numbers, lists, and objects whose keys are ASCII."""
    if type(value) is dict:
        return all(key.isascii() and is_plain(key) and is_plain(one) for key, one in value.items())
    if type(value) is str:
        return "\0" not in value and unicodedata.is_normalized("NFC", value)
    return all(map(is_plain, value)) if type(value) is list else type(value) is int


class Log:
    """One look at a published log: what was checked, and what is wrong."""

    def __init__(self, read, *, is_far=False, step_by_step=False, progress=None):
        self.read, self.is_far, self.progress = read, is_far, progress or (lambda _done, _of: None)
        self.usual = re.compile("(?!)" if step_by_step else USUAL).fullmatch
        self.problems, self.places, self.size, self.origin = [], {}, 0, ""
        self.books = Books(self._line_by_id)
        self.related = {}  # what lines relate to that is not there yet
        self.days, self.book_days = set(), set()  # days known to be some, and those for which an entry may count
        self.hashes: list[bytes] = []  # of each line that was read
        self.taking: tuple = 0, b"", []  # the bundle that is being taken: its first place, bytes and cuts

    def check(self, checkpoint, kept=()):
        """Check every file and every line; `kept` are (size, root) of older checkpoints."""
        self.origin, self.size, root = checkpoint
        hashes = self.hashes
        for name, bundle in self._files(path("entries", *one) for one in widths(self.size)):
            hashes += self._bundle(name, bundle, len(hashes))
            self._balances(len(hashes))
            self.progress(len(hashes), self.size)
            if len(self.problems) > MOST_PROBLEMS:
                self.problems.append("so much is wrong that the rest was not looked at")
                return
        if self._tiles(hashes) != root:
            self.problems.append("the lines do not make the tree that was signed")
        for size, found in kept:
            if size > self.size or tree_root(hashes[:size]) != found:
                self.problems.append(f"the checkpoint of {size} lines that you kept is not the beginning of this log")
        for name, seq in self.related.items():
            if name not in self.places:
                self.problems.append(f"line {seq} relates to {name}, which is not in the log")

    def _balances(self, size):
        """Compare the balances that were published for this size of the log, where they were."""
        if size >= 256 and size & (size - 1) == 0:  # at each doubling
            name = f"balances/{size}.json"
            published = self.read(name)
            if published is not None and published != self.books.balances(size):
                self.problems.append(f"{name} says something else than the lines add up to")

    def _first(self, record):
        """What is wrong with the documents of which the first line gives the hash, where it does."""
        wrong = [] if record.get("origin") == self.origin else ["it begins another log than the one that was signed"]
        for word, name in (("schema", "schema/v1.json"), ("accounts", "accounts/v1.json")):
            published = self.read(name) if word in record else None
            if word in record and (published is None or record[word] != fingerprint(published)):
                wrong.append(f"{name} is missing, or is not what it names by its hash")
        if "accounts" in record and record["accounts"] != fingerprint(chart()):
            wrong.append("its chart of accounts is not the one that this program knows")
        return wrong

    def _files(self, names):
        """(name, bytes) of each file in turn; over the web some way ahead, as waiting is most of the time there."""
        if not self.is_far:
            for name in names:
                yield name, self.read(name)
            return
        names = iter(names)
        pool = ThreadPoolExecutor(8)
        try:
            ahead = deque((name, pool.submit(self.read, name)) for name in itertools.islice(names, 64))
            while ahead:
                name, answer = ahead.popleft()
                ahead.extend((more, pool.submit(self.read, more)) for more in itertools.islice(names, 1))
                yield name, answer.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _bundle(self, name, bundle, first):
        """The hash of each line of a bundle, once each was taken into the books."""
        width = min(256, self.size - first)
        try:
            if bundle is None:
                raise Wrong(f"{name} is missing")
            lines = cuts(bundle, name)
            if len(lines) != width:
                raise Wrong(f"{name} holds {len(lines)} lines, and should hold {width}")
        except Wrong as wrong:
            self.problems.append(str(wrong))
            return [b""] * width
        self.taking = first, bundle, lines
        self._take(bundle, lines, first)
        sha256 = hashlib.sha256
        return [sha256(b"\0" + bundle[begin:end]).digest() for begin, end in lines]

    def _take(self, bundle, lines, first):
        """Take lines into the books, in order.

        Most entries move one sum and are right. Those are taken here, in one go, because how long a check of the whole
        log takes hangs on them. Here it is only found that all is well: any other line goes to `_line`, which goes step
        by step and says what is wrong. With --step-by-step every line does, and it must come to the same.
        """
        text, usual, books, places, days = bundle.decode("latin-1"), self.usual, self.books, self.places, self.days
        book_days, offered = self.book_days, self.books.offered
        accounts, reserved, ways, grows_by_debit = books.accounts, books.reserved, books.usual_ways, GROWS_BY_DEBIT
        decided = books.decided
        taken = 0
        for seq, (begin, end) in enumerate(lines, first):
            try:
                found = usual(text, begin, end).groups()  # type: ignore[union-attr]  # where there is none, see below
                day, grant, name, kind, today, related, amount, credit, debit, ends, how = found
                to, of, amount = accounts[debit], accounts[credit], int(amount)
                ended = ways[kind, how, to[4], of[4]]
                by, its_debit, its_credit, most = reserved[ends] if ends else (None, debit, credit, amount)
            except (AttributeError, KeyError):  # not usual; or an account, a way or a reservation that there is not
                self._line(seq, bundle[begin:end])
                continue
            if (by != ended or its_debit != debit or its_credit != credit or amount > most
                    or (amount < most and how == "void")
                    or (kind == "grant_offer" and (decided.get(related) != (debit, amount) or credit in offered))
                    or (grant is not None and "5000/" + grant not in (debit, credit))
                    or to is of or day not in book_days or today not in days
                    or day <= books.closed_through or places.setdefault(name, seq) != seq):
                self._line(seq, bundle[begin:end])
                continue
            if how == "pending":
                reserved[name + '",1'] = (kind, debit, credit, amount)
                to[2] += amount
                of[3] += amount
                if kind == "grant_offer":
                    del decided[related]
                    offered.add(credit)
                    books.offers += 1
            else:
                if ends:
                    del reserved[ends]
                    to[2] -= most
                    of[3] -= most
                if how != "void":
                    to[0] += amount
                    of[1] += amount
            if (to[1] + to[3] > to[0] if to[4] in grows_by_debit else to[0] + to[2] > to[1]) or (
                    of[1] + of[3] > of[0] if of[4] in grows_by_debit else of[0] + of[2] > of[1]):
                self.problems += [f"line {seq}: {one}" for one in books.overdrawn((debit, credit))]
            if related and related not in places:
                self.related.setdefault(related, seq)
            taken += 1
        books.entries += taken
        books.transfers += taken

    def _line(self, seq, leaf):
        """Take one line into the books step by step, and say what is wrong with it."""
        try:
            line = leaf.decode()
            said = read_line(line)
            is_clear = line.isascii() and not ("true" in line or "false" in line or "null" in line or "u0000" in line)
            wrong = self._wrong_with(said, seq) if (
                write_line(said) == line and said["v"] == 1 and (is_clear or is_plain(said))
            ) else ["it is not written in the one way in which a line is written"]
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, StopIteration) as error:
            wrong = [f"it does not say what a line says ({type(error).__name__})"]
        if wrong:
            self.problems += [f"line {seq}: {sentence}" for sentence in wrong]

    def _wrong_with(self, said, seq):
        name, moment, places = said["id"], MOMENT(said["recorded_at"]), self.places
        if not moment or not self._is_day(moment[1]) or (
                "transfers" in said and not self._is_book_day(said["effective_on"])):
            return ["its time or its day is none"]
        if not AN_ID(name):
            return ["its id is none"]
        if places.setdefault(name, seq) != seq:
            return ["its id was used before"]
        if not said.keys() <= (OF_AN_ENTRY if "transfers" in said else OF_A_RECORD):
            return ["it says what no line says"]
        if "relates_to" in said:
            if not self._is_list(said["relates_to"], AN_ID):
                return ["it relates to something that is no list of lines"]
            for other in said["relates_to"]:
                if other not in places:
                    self.related.setdefault(other, seq)
        if not HIDDEN.isdisjoint(said) and not all(
                self._is_list(said[word] if word == "approved_by" else [said[word]], A_COMMITMENT)
                for word in HIDDEN & said.keys()):
            return ["it says openly whom or what it is about, or who decided it, where a hash with a salt must stand"]
        if (said["kind"] == "genesis") != (seq == 0):
            return ["the first line of a log, and no other, names it"]
        return self.books.apply(said) if seq else self._first(said["record"])

    @staticmethod
    def _is_list(said, each):
        """Whether it is a list of something, each of it in this form."""
        return type(said) is list and bool(said) and all(type(one) is str and each(one) for one in said)

    def _is_day(self, written):
        """Whether it is a day of the calendar."""
        if written not in self.days and is_day(written):
            self.days.add(written)
        return written in self.days

    def _is_book_day(self, written):
        """Whether it is a day for which an entry may count."""
        if FIRST_DAY <= written <= LAST_DAY and self._is_day(written):
            self.book_days.add(written)
        return written in self.book_days

    def _line_by_id(self, name):
        seq = self.places.get(name)
        if seq is None:
            return None
        first, bundle, lines = self.taking
        if seq >= first:
            begin, end = lines[seq - first]
            return json.loads(bundle[begin:end])
        number = seq // 256
        file = path("entries", number, min(256, self.size - number * 256))
        again = self.read(file) or b""
        begin, end = (cuts(again, file) + [(0, 0)] * 256)[seq % 256]
        if hashlib.sha256(b"\0" + again[begin:end]).digest() != self.hashes[seq]:
            raise Wrong(f"{file} was read twice, and said something else the second time")
        return json.loads(again[begin:end])

    def _tiles(self, hashes):
        """Compare every published tile, from the lowest level up; gives the root of the tree."""
        level, root = 0, None
        while hashes:
            full, at = [], 0
            for name, published in self._files(path(level, *one) for one in widths(len(hashes))):
                tile = hashes[at:at + 256]
                if published != b"".join(tile):
                    self.problems.append(f"{name} is missing, or is not made of the lines")
                    other = [seq for seq, one in enumerate(tile if level == 0 and published else [])
                             if one and published[seq * 32:seq * 32 + 32] != one]
                    self.problems += [f"line {at + seq} is not the one whose hash stands in {name}: somebody changed "
                                      "one of the two" for seq in other[:MOST_NAMED]]
                if len(tile) == 256:
                    full.append(perfect(tile))
                else:
                    root = tree_root(tile, root)
                at += 256
            hashes, level = full, level + 1
        return tree_root([], root)


def check_receipt(receipt, leaf, keys):
    """Check one receipt (tlog-proof) by itself, and the saved line where it is given; gives (index, checkpoint)."""
    head, separator, note = receipt.partition(b"\n\n")
    first, index, *hashes = head.decode(errors="replace").split("\n") + [""] * (b"\n" not in head)
    if first != "c2sp.org/tlog-proof@v1" or not separator or not re.fullmatch(r"index \d+", index):
        raise Wrong("this is not a receipt")
    checkpoint, signed_by = read_checkpoint(note, keys)
    for problem in did_not_sign(keys, signed_by):
        raise Wrong(problem)
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


def shown(sentence):
    """A sentence as it may go to a screen: what others wrote cannot move the cursor, or wipe a line out."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in sentence.rstrip())


def file_bytes(name):
    """A file that somebody named."""
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotLook(f"{name} cannot be read: {error.strerror}") from None


def read_kept(name, encoded, keys):
    """The checkpoint in a file that somebody kept."""
    try:
        return read_checkpoint(encoded, keys)[0]
    except (Wrong, ValueError) as why:
        said = str(why) if isinstance(why, Wrong) else "it is no text"
        raise Wrong(f"{name}, which you kept, is no checkpoint of this log ({said})") from None


def shows_the_key(written, note):
    """What is wrong where the key that the log shows is not one that signed."""
    try:
        read_checkpoint(note, [read_key(one) for one in written.decode().split()])
    except (Wrong, CannotLook, ValueError):
        return ["log.vkey does not show the key that signed the checkpoint"]
    return []


def look(given, say):
    """Do what the command line asks; gives the problems found."""
    keys = [read_key(one) for one in given.key]
    if given.receipt:
        if not keys:
            raise CannotLook("a receipt is checked against a key that you have: name it with --key")
        index, checkpoint = check_receipt(file_bytes(given.receipt), given.leaf and file_bytes(given.leaf), keys)
        say(f"The line is number {index} of {checkpoint[0]}, under its signed checkpoint of {checkpoint[1]:,} lines.")
        return []
    before = os.path.join(given.save, "checkpoint") if given.save else ""
    was_saved = os.path.isfile(before)
    kept_files = [(name, file_bytes(name)) for name in given.kept + [before] * was_saved]  # before anything is written
    read = source(given.source)
    note = read("checkpoint")
    if note is None:
        raise CannotLook(f"there is no log at {given.source}")
    read = saving(read, given.save) if given.save else read
    shown_key = read("log.vkey")
    own = [] if keys else (shown_key or b"").decode().split()
    if not keys and not own:
        raise CannotLook("the log shows no key (log.vkey): name the one that you were given with --key")
    if not keys:
        say("You gave no key, so this believes the one that the log itself shows. Keep it, and give it next time:")
        for one in own:
            say(f"  --key '{one}'")
    believed = keys or [read_key(one) for one in own]
    checkpoint, signed_by = read_checkpoint(note, believed)
    unsigned = did_not_sign(keys, signed_by)
    say(f"Log {checkpoint[0]}: {checkpoint[1]:,} lines, signed by {', '.join(dict.fromkeys(signed_by))}.")
    kept = [read_kept(name, encoded, believed) for name, encoded in kept_files]
    for origin, size, _ in kept:
        if origin != checkpoint[0] or size > checkpoint[1]:
            raise Wrong(f"you kept a checkpoint of {size:,} lines of {origin}: the log was cut back, or is another")
    log = Log(read, is_far=is_address(given.source), step_by_step=given.step_by_step,
              progress=lambda done, of: say(f"\r{done:,} of {of:,} lines", end="", quiet=True))
    log.check(checkpoint, [one[1:] for one in kept])
    say("\r", end="", quiet=True)
    if not unsigned:
        report(log, len(kept), say)
    if keys and shown_key is not None:
        unsigned += shows_the_key(shown_key, note)
    if given.balances:
        save(given.balances, log.books.balances(log.size))
    if given.save:  # last, and never over one that it does not follow from
        save(before + (".new" if was_saved and log.problems else ""), note)
    return unsigned + log.problems


def report(log, kept, say):
    """What was checked, in plain words."""
    if log.problems:
        return
    books = log.books
    sums: dict[str, int] = {}
    for code, account in books.accounts.items():
        side = account[4] in GROWS_BY_DEBIT
        sums[code[:4]] = sums.get(code[:4], 0) + (account[0] - account[1] if side else account[1] - account[0])
    say(f"  Each of the {log.size:,} lines was hashed again. Together they make the tree that was signed, and every "
        "published file is made of them.")
    say(f"  {books.entries:,} entries with {books.transfers:,} movements were posted again in order. Each follows the "
        "rules of this file:")
    say("  money goes only the ways that are listed, no account was ever overdrawn, nothing was paid or put right "
        "twice,\n  and nothing left permanent capital but by the mirror of a wrong line.")
    if books.offers:
        say(f"  Each of the {books.offers:,} offers gives what a panel decided, in its place, to the penny and once.")
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
    parser.add_argument("--save", metavar="FOLDER", help="keep a copy of every file that was read")
    parser.add_argument("--step-by-step", action="store_true", help="take no line in one go; slower, and the same")
    parser.add_argument("--quiet", action="store_true", help="say only what is wrong")
    given = parser.parse_args(arguments)
    if bool(given.source) == bool(given.receipt):
        parser.error("name the log, or a receipt, which is checked without it")
    if given.leaf and not given.receipt:
        parser.error("a saved line is checked with its receipt: name that with --receipt")

    def say(text, end="\n", quiet=False):
        if not given.quiet and not (quiet and not sys.stderr.isatty()):
            print(text, end=end, file=sys.stderr if quiet else sys.stdout, flush=True)

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # whatever a log says can be said of it
    gc.disable()  # nothing here goes round in circles, and looking for that would take most of the time
    try:
        problems = look(given, say)
    except CannotLook as why:
        print(f"Could not look: {shown(str(why))}.", file=sys.stderr)
        return 2
    except MemoryError:
        print("Could not look: this computer has too little memory for what is shown there.", file=sys.stderr)
        return 2
    except (Wrong, ValueError, KeyError, IndexError, TypeError) as why:
        problems = [str(why) if isinstance(why, Wrong) else f"a file is not what it should be ({why})"]
    for problem in problems[:50]:
        print(f"WRONG: {shown(problem)}.")
    if problems or not given.quiet:
        print("Everything holds." if not problems else
              "One thing does not hold." if len(problems) == 1 else f"{len(problems):,} things do not hold.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
