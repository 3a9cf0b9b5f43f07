"""The stand-alone verifier: run as a stranger runs it, by a plain Python that knows nothing of the fund."""

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fund.db import transaction
from fund.ledger import actions as ledger
from fund.ledger import queries as accounts
from fund.ledger import rules as lines
from fund.transparency import formats, queries, rules, verify
from fund.transparency.formats import Signer
from fund.transparency.rules.tiles import subtree_from
from tests.make.beside import alone, decided, explained
from tests.make.ledger import make_funded_endowment
from tests.make.log import balances_of
from tests.make.log import stranger as run

DAY = date(2026, 6, 1)


@pytest.fixture
def published(a_log, server, tmp_path):
    """A log with money in it, over more than one tile, published and copied into a folder."""
    with transaction():
        make_funded_endowment(on=DAY)
    with alone(server):
        post_a_grant(*decided(server, "E05000650", 100_000))
    a_log.grow(260)
    with transaction():
        explained(ledger.post("bank_interest", lines.investment_income(5), effective_on=DAY, idem_key="interest"))
    a_log.publish()
    return a_log, a_log.save(tmp_path / "copy")


def post_a_grant(decision: UUID) -> None:
    with transaction():
        ledger.open_account("4000/E05000650", name="Ancoats")
        ledger.open_account("5000/G-1", name="A grant")
        ledger.post("area_allocation", lines.area_allocation([("E05000650", 1_000_000)]), effective_on=DAY,
                    idem_key="allocation")
        offer = ledger.post("grant_offer", lines.grant_offer("E05000650", "G-1", [60_000, 40_000]), effective_on=DAY,
                            idem_key="offer", area="E05000650", grant="G-1", relates_to=[decision])
        pending = accounts.pending_lines(offer.entry_id)
        ledger.post("grant_agreement", lines.post_pending(pending), effective_on=DAY, idem_key="agreement")
        wrong = explained(ledger.post("investment_income", lines.investment_income(77), effective_on=DAY,
                                      idem_key="a mistake", commitments={"subject": "somebody's name"}))
        ledger.reverse(wrong.entry_id, effective_on=DAY, idem_key="put right")


def test_everything_holds_and_it_agrees_on_every_balance(published, tmp_path):
    log, copy = published
    done = run(copy, "--key", log.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Everything holds.\n")
    assert f"{queries.size():,} lines" in done.stdout
    assert balances_of(copy, log.key, tmp_path) == {
        one.code: [one.debits_posted_pence, one.credits_posted_pence, one.debits_pending_pence,
                   one.credits_pending_pence] for one in accounts.all_balances()}


def test_without_a_key_it_says_whom_it_believes(published):
    _, copy = published
    done = run(copy)
    assert done.returncode == 0
    assert "You gave no key" in done.stdout


def test_the_ways_of_money_are_those_of_the_database(session):
    """What the verifier was written with is what the database enforces; a new way must be added to both."""
    matrix = {(row.kind, row.phase, row.debit_class, row.credit_class): row.resolves
              for row in session.execute(sa.text("SELECT * FROM ledger.posting_rule"))}
    assert verify.ways() == matrix
    assert verify.CLASSES == lines.CLASSES
    assert verify.GROWS_BY_DEBIT == lines.DEBIT_NORMAL


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(("name", "named"), [
    ("tile/entries/000", "the lines do not make the tree"),
    ("tile/entries/001.p/*", "the lines do not make the tree"),
    ("tile/0/000", "tile/0/000 is missing, or is not made of the lines"),
    ("tile/0/001.p/*", "is missing, or is not made of the lines"),
    ("tile/1/000.p/1", "tile/1/000.p/1 is missing, or is not made of the lines"),
    ("checkpoint", "checkpoint"),
])
def test_one_changed_byte_is_found_and_named(published, name, named):
    """Every place of a file in turn, a hundred of them at most: the first, the last and some between."""
    log, copy = published
    (path,) = copy.glob(name)
    whole = path.read_bytes()
    for at in sorted({0, 1, len(whole) - 1, *range(5, len(whole), max(1, len(whole) // 12))}):
        flip(path, at)
        done = run(copy, "--key", log.key)
        assert done.returncode == 1, f"byte {at} of {name}"
        assert "WRONG: " in done.stdout
        if name != "checkpoint":
            assert named in done.stdout
        path.write_bytes(whole)


def test_the_line_that_was_changed_is_named_and_no_more_than_a_few_of_many(published):
    log, copy = published
    tile = copy / "tile/0/000"
    whole = tile.read_bytes()
    flip(tile, 41 * 32 + 7)
    assert "line 41 is not the one whose hash stands in tile/0/000" in run(copy, "--key", log.key).stdout
    tile.write_bytes(bytes(len(whole)))
    named = run(copy, "--key", log.key).stdout
    assert "line 4 is not the one" in named
    assert "line 5 is not the one" not in named
    tile.write_bytes(whole[:40 * 32])
    assert "line 40 is not the one" in run(copy, "--key", log.key).stdout


def test_a_copy_is_saved_and_can_be_checked_by_itself(published, tmp_path):
    log, copy = published
    assert ledger.publish_balances() == [256]
    log.save(copy)
    assert run(copy, "--key", log.key, "--save", tmp_path / "new" / "mine").returncode == 0
    saved = {path.relative_to(copy): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert {path.relative_to(tmp_path / "new/mine"): path.read_bytes()
            for path in (tmp_path / "new/mine").rglob("*") if path.is_file()} == saved
    assert run(tmp_path / "new" / "mine").returncode == 0


def test_a_copy_is_held_against_the_last_one_and_never_written_over(published, tmp_path):
    log, copy = published
    mine = tmp_path / "mine"
    assert run(copy, "--key", log.key, "--save", mine).returncode == 0
    log.grow(90)
    log.publish()
    log.save(copy)
    done = run(copy, "--key", log.key, "--save", mine)
    assert "What you kept (1) is the beginning of this log" in done.stdout
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    forge(log, copy, lambda leaves: [*leaves[:-5], *leaves[-4:]])  # another log, signed with the very key
    for more in ((), ("--kept", mine / "checkpoint")):
        done = run(copy, "--key", log.key, "--save", mine, *more)
        assert done.returncode == 1
        assert "the log was cut back" in done.stdout
    forge(log, copy, lambda leaves: [*leaves[:-5], leaves[-4], leaves[-5], *leaves[-3:], leaves[-1]])
    done = run(copy, "--key", log.key, "--save", mine)
    assert done.returncode == 1
    assert {path: path.read_bytes() for path in before} == before


def test_a_key_file_that_shows_another_key_is_named_and_one_that_is_missing(published):
    log, copy = published
    (copy / "log.vkey").write_text(f"{Signer.new(log.origin).key}\n")
    assert "log.vkey does not show the key that signed" in run(copy, "--key", log.key).stdout
    (copy / "log.vkey").unlink()
    assert run(copy, "--key", log.key).returncode == 0
    done = run(copy)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the log shows no key (log.vkey): name the one" in done.stderr


def test_a_missing_bundle_accuses_no_line(published):
    log, copy = published
    (copy / "tile/entries/000").unlink()
    done = run(copy, "--key", log.key)
    assert "tile/entries/000 is missing" in done.stdout
    assert "is not the one whose hash" not in done.stdout


@pytest.mark.parametrize("words", [(), ("--leaf", "/x"), ("/x", "--receipt", "/y", "--key", "k")])
def test_arguments_that_would_check_nothing_are_refused(words):
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("word", ["--save", "--balances"])
def test_a_place_where_nothing_can_be_written_is_said_so(published, tmp_path, word):
    log, copy = published
    (tmp_path / "a file").write_text("")
    done = run(copy, "--key", log.key, word, tmp_path / "a file" / "x")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in done.stderr


@pytest.mark.parametrize("what", [b"", b"PK\x03\x04\xff\xfe", b"a letter\n"])
def test_a_kept_file_that_is_no_checkpoint_is_named(published, tmp_path, what):
    log, copy = published
    (tmp_path / "holiday.jpg").write_bytes(what)
    done = run(copy, "--key", log.key, "--kept", tmp_path / "holiday.jpg")
    assert done.returncode == 1
    assert "holiday.jpg, which you kept, is no checkpoint of this log" in done.stdout


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/0/000", "tile/1/000.p/1", "schema/v1.json",
                                  "accounts/v1.json"])
def test_a_missing_file_is_named(published, name):
    log, copy = published
    (copy / name).unlink()
    done = run(copy, "--key", log.key)
    assert done.returncode == 1
    assert f"{name} is missing" in done.stdout


@pytest.mark.parametrize("name", ["schema/v1.json", "accounts/v1.json"])
def test_a_document_that_is_not_what_the_first_line_names_is_named(published, name):
    log, copy = published
    (copy / name).write_bytes((copy / name).read_bytes() + b"\n")
    done = run(copy, "--key", log.key)
    assert done.returncode == 1
    assert f"line 0: {name} is missing, or is not what it names by its hash" in done.stdout


def test_balances_that_were_published_are_compared_and_a_difference_is_named(published):
    log, copy = published
    assert ledger.publish_balances() == [256]
    assert ledger.publish_balances() == []
    log.save(copy)
    assert run(copy, "--key", log.key).returncode == 0
    path = copy / "balances/256.json"
    said = json.loads(path.read_text())
    said["balances"]["1000"][0] += 1
    path.write_text(json.dumps(said, sort_keys=True, separators=(",", ":")) + "\n")
    done = run(copy, "--key", log.key)
    assert done.returncode == 1
    assert "balances/256.json says something else than the lines add up to" in done.stdout
    path.write_bytes(b"")
    assert run(copy, "--key", log.key).returncode == 1
    path.unlink()  # nothing trusts it, and nothing needs it
    assert run(copy, "--key", log.key).returncode == 0


def test_a_log_that_is_not_there_is_said_so(tmp_path):
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no log" in done.stderr


def test_a_log_signed_with_another_key_is_not_believed(published):
    log, copy = published
    done = run(copy, "--key", Signer.new(log.origin).key)
    assert done.returncode == 1
    assert "not signed with the key" in done.stdout


# What somebody with the key of the log could sign -----------------------------------------------------------------

def forge(log, copy: Path, change) -> None:
    """Change the leaves, and make tiles and checkpoint anew with the log's own key."""
    leaves = change([row.encoded for row in queries.leaves_after(-1, 10_000)])
    shutil.rmtree(copy / "tile")
    edge = rules.Edge()
    for tile in edge.grow([rules.leaf_hash(leaf) for leaf in leaves]):
        write(copy / formats.tile_path(tile.level, tile.number, len(tile.hashes)), tile.encoded)
    for at in range(0, len(leaves), 256):
        write(copy / formats.bundle_path(at // 256, len(leaves[at:at + 256])), formats.bundle(leaves[at:at + 256]))
    text = formats.Checkpoint(log.origin, len(leaves), edge.root()).text
    write(copy / "checkpoint", formats.Note(text, (Signer.read(log.key_file.read_text()).sign(text),)).encoded)


def forged(log, copy: Path, change) -> str:
    """What the verifier says of a copy that was forged and must be found out."""
    forge(log, copy, change)
    done = run(copy, "--key", log.key)
    assert done.returncode == 1
    return done.stdout


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def said(leaves: list[bytes], kind: str) -> tuple[int, dict]:
    """The first leaf of a kind, with its place."""
    return next((at, json.loads(leaf)) for at, leaf in enumerate(leaves) if json.loads(leaf)["kind"] == kind)


def changed(kind: str, change):
    """The leaves with the first of a kind changed."""

    def leaves_changed(leaves):
        at, leaf = said(leaves, kind)
        change(leaf)
        return [*leaves[:at], formats.canonical(leaf), *leaves[at + 1:]]

    return leaves_changed


def moved(**line):
    """Change the first transfer."""
    return lambda leaf: leaf["transfers"][0].update(line)


NOTHING = "00000000-0000-4000-8000-0000000000ff"
FORGERIES = {
    "more than was there": (changed("grant_offer", moved(amount="99999999999")), "is overdrawn"),
    "out of capital": (changed("bank_interest", moved(debit="3000", credit="1000")), "may not go this way"),
    "to an account that is not open": (changed("bank_interest", moved(debit="1000", credit="3150/1999-00")),
                                       "no account 3150/1999-00 is open"),
    "nothing": (changed("bank_interest", moved(amount="0")), "0 is no amount"),
    "less than nothing": (changed("bank_interest", moved(amount="-5")), "-5 is no amount"),
    "a fraction": (changed("bank_interest", moved(amount="5.5")), "5.5 is no amount"),
    "to where it was": (changed("bank_interest", moved(credit="1000")), "may not go this way"),
    "more than was kept aside": (changed("grant_agreement", moved(amount="60001")), "it ends no reservation"),
    "of another's reservation": (changed("grant_agreement", lambda leaf: leaf["transfers"][0].update(
        pending=[leaf["id"], 1])), "it ends no reservation"),
    "a reversal that mirrors otherwise": (changed("reversal", moved(amount="78")), "it is not the mirror"),
    "a reversal of nothing": (changed("reversal", lambda leaf: leaf.pop("reverses")), "only a reversal names"),
    "an entry without movements": (changed("bank_interest", lambda leaf: leaf.update(transfers=[])), "moves nothing"),
    "a record that should move": (changed("rehearsal_rule", lambda leaf: leaf.update(kind="drawdown")),
                                  "moves nothing"),
    "an account opened twice": (lambda leaves: [*leaves, again(leaves, "account_opened")], "opened a second time"),
    "an account of another class": (changed("account_opened", lambda leaf: leaf["record"].update({"class": "grant"})),
                                    "is opened as grant"),
    "an id used twice": (lambda leaves: [*leaves, leaves[-1]], "its id was used before"),
    "a second genesis": (lambda leaves: [*leaves, again(leaves, "genesis")], "the first line of a log"),
    "a line left out": (lambda leaves: without(leaves, "grant_offer"), "it ends no reservation"),
    "two lines swapped": (lambda leaves: swapped(leaves, "grant_offer", "grant_agreement"), "it ends no reservation"),
    "a space more": (lambda leaves: [*leaves[:-1], leaves[-1].replace(b",", b", ", 1)], "in the one way"),
    "a key said twice": (lambda leaves: [*leaves[:-1], leaves[-1].replace(b'"v":1', b'"v":1,"v":1')], "in the one way"),
    "no JSON": (lambda leaves: [*leaves, b"{"], "does not say what a line says"),
    "a list": (lambda leaves: [*leaves, b"[]"], "does not say what a line says"),
    "another chart of accounts": (changed("genesis", lambda leaf: leaf["record"].update(accounts="sha256:" + "0" * 64)),
                                  "its chart of accounts is not the one that this program knows"),
    "a name in a line": (changed("bank_interest", lambda leaf: leaf.update(name="Ann Smith")), "what no line says"),
    "a name in a movement": (changed("bank_interest", moved(name="Ann Smith")), "what no movement says"),
    "related to nothing": (changed("grant_offer", lambda leaf: leaf.update(relates_to=[NOTHING])),
                           "which is not in the log"),
    "another place's decision": (changed("decision", lambda leaf: leaf["record"].update(area="E05000651")),
                                 "not what one decision of a panel"),
    "a penny more than was decided": (changed("grant_offer", moved(amount="60001")),
                                      "not what one decision of a panel"),
    "what nobody decided": (lambda leaves: without(leaves, "decision"), "not what one decision of a panel"),
    "a decision after its offer": (lambda leaves: swapped(leaves, "decision", "grant_offer"),
                                   "not what one decision of a panel"),
    "a decision offered twice": (lambda leaves: [*leaves, again(leaves, "grant_offer")],
                                 "not what one decision of a panel"),
    "a decision that says no sum": (changed("decision", lambda leaf: leaf["record"].pop("amount")),
                                    "does not say what a line says"),
    "a closed day": (lambda leaves: [*leaves, closing(), again(leaves, "bank_interest")], "in the books closed"),
}


def again(leaves: list[bytes], kind: str) -> bytes:
    _, leaf = said(leaves, kind)
    return formats.canonical({**leaf, "id": "00000000-0000-4000-8000-00000000000a"})


def closing() -> bytes:
    return formats.canonical({"v": 1, "id": "00000000-0000-4000-8000-00000000000b", "kind": "period_closed",
                              "recorded_at": "2026-12-01T00:00:00.000000Z", "record": {"closed_through": "2026-11-30"}})


def without(leaves: list[bytes], kind: str) -> list[bytes]:
    at, _ = said(leaves, kind)
    return leaves[:at] + leaves[at + 1:]


def swapped(leaves: list[bytes], one: str, other: str) -> list[bytes]:
    (first, _), (second, _), leaves = said(leaves, one), said(leaves, other), list(leaves)
    leaves[first], leaves[second] = leaves[second], leaves[first]
    return leaves


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_what_the_key_signed_and_no_rule_allows_is_named(published, forgery):
    log, copy = published
    change, named = FORGERIES[forgery]
    assert named in forged(log, copy, change)


# What somebody kept ---------------------------------------------------------------------------------------------------

def test_an_older_checkpoint_is_the_beginning_or_it_is_said(published, tmp_path):
    log, copy = published
    kept = tmp_path / "kept"
    kept.write_bytes(log.file("checkpoint"))
    log.grow(300)
    log.publish()
    log.save(copy)
    assert "nothing that you saw was changed" in run(copy, "--key", log.key, "--kept", kept).stdout
    text = formats.Checkpoint(log.origin, 100, hashlib.sha256(b"another story").digest()).text
    kept.write_bytes(formats.Note(text, (Signer.read(log.key_file.read_text()).sign(text),)).encoded)
    done = run(copy, "--key", log.key, "--kept", kept)
    assert done.returncode == 1
    assert "100 lines that you kept is not the beginning" in done.stdout


def test_a_log_that_was_cut_back_is_named(published, tmp_path):
    log, copy = published
    text = formats.Checkpoint(log.origin, 5_000, hashlib.sha256(b"later").digest()).text
    kept = tmp_path / "kept"
    kept.write_bytes(formats.Note(text, (Signer.read(log.key_file.read_text()).sign(text),)).encoded)
    done = run(copy, "--key", log.key, "--kept", kept)
    assert done.returncode == 1
    assert "cut back" in done.stdout


def test_a_receipt_holds_without_the_log_and_only_for_its_line(published, tmp_path):
    log, _ = published
    note = log.file("checkpoint")
    size = formats.read_checkpoint(formats.read_note(note).text).size
    tree = subtree_from(lambda *tile: rules.split(log.file(formats.tile_path(*tile))), size)
    leaves = queries.leaves_after(-1, 10_000)
    for index in (0, 17, 255, 256, size - 1):
        receipt, leaf = tmp_path / "receipt", tmp_path / "leaf"
        receipt.write_bytes(formats.receipt(index, rules.inclusion_proof(index, size, tree), note))
        leaf.write_bytes(leaves[index].encoded)
        done = run("--receipt", receipt, "--leaf", leaf, "--key", log.key)
        assert (done.returncode, f"number {index} of" in done.stdout) == (0, True)
        leaf.write_bytes(leaves[index - 1].encoded)
        assert run("--receipt", receipt, "--leaf", leaf, "--key", log.key).returncode == 1


def test_its_signatures_are_those_of_a_library():
    """RFC 8032's own vectors are below; here its arithmetic is held against another's."""
    for seed in range(8):
        signer = Signer.read(Signer.new("x").written())
        message = bytes([seed]) * seed
        value = signer.private.sign(message)
        assert verify.signature_holds(signer.key.public, message, value)
        assert not verify.signature_holds(signer.key.public, message + b".", value)
        assert not verify.signature_holds(signer.key.public, message, value[:32] + bytes(32))


@pytest.mark.parametrize(("public", "message", "signature"), [  # RFC 8032, 7.1
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24"
     "655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aee"
     "b00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28d"
     "c027beceea1ec40a"),
])
def test_the_vectors_of_rfc_8032(public, message, signature):
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    assert verify.signature_holds(public, message, signature)
    assert not verify.signature_holds(public, message + b"\0", signature)


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=600))
def test_its_root_is_that_of_the_fund(leaves):
    hashes = [rules.leaf_hash(leaf) for leaf in leaves]
    assert verify.tree_root(hashes) == rules.root(hashes)


def test_it_is_published_with_its_hash(a_log):
    program = a_log.file("verify/verify.py")
    assert program == Path(verify.__file__).read_bytes()
    assert a_log.file("verify/verify.py.sha256").decode().split()[0] == hashlib.sha256(program).hexdigest()
