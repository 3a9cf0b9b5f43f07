"""Signed notes, checkpoints, cosignatures, policies and file names: the vectors of those who wrote the specifications.

The sixteen checkpoints are those of Tessera's own test log (transparency-dev/tessera, commit 1811ae1, Apache-2.0); the
note is C2SP's (signed-note); the paths are Tessera's `api/layout/paths_test.go`. Facts, made again here.
"""

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fund.kernel.errors import BadInput
from fund.transparency import formats, rules
from fund.transparency.formats import Checkpoint, Note, Signer, VerifierKey
from fund.transparency.formats.notes import cosigned
from fund.transparency.rules.tiles import tiles, width

TESSERA = "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"
TESSERA_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
LEAVES = [b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eit", b"nain", b"ten", b"ileven",
          b"twelf", b"threeten", b"fourten", b"fivten"]
ROOTS = [
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
    "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=", "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=",
    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=", "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=",
    "a6sWvsc2eEzmj72vah7mZ5dwFltivehh2b11qwlp5Jg=", "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=",
    "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=", "CvhHViE3S9E3htHLR+25mapWoGCJ3WckMq1UtC3VmEY=",
    "y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU=", "Yok1cS5VdokGLBy73BC2I16b3atss6KBN9jnIi6Fz/A=",
    "uZo6M+IhVna+CLgWCrJs0xBPUHbozHkYTQASduHSLME=", "av0kLH0VkkVDrTuZzBGIx7d9z5G1l/GlKz/nAV/8woQ=",
    "SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao=", "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
]
SIGNED = {
    0: "M9e0lhxJACzE1KoUdqKuPa+9p6R7dSW8BlEvrg/noo8FkGg6PbJoRNOcdjqjOq89wVvTA60eubCc4oufo5BvIVEgtQc=",
    15: "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=",
}


@pytest.mark.parametrize("size", range(16))
def test_the_checkpoints_are_tesseras_byte_for_byte(size):
    signer = Signer.read(TESSERA)
    edge = rules.Edge()
    edge.grow(rules.leaf_hash(leaf) for leaf in LEAVES[:size])
    assert base64.b64encode(edge.root()).decode() == ROOTS[size]
    text = Checkpoint("example.com/log/testdata", size, edge.root()).text
    note = Note(text, (signer.sign(text),))
    assert note.encoded.decode() == f"example.com/log/testdata\n{size}\n{ROOTS[size]}\n\n" + note.signatures[0].line
    if size in SIGNED:
        assert note.encoded.decode().endswith(f"\n\u2014 example.com/log/testdata {SIGNED[size]}\n")
    assert str(signer.key) == TESSERA_KEY
    assert VerifierKey.read(TESSERA_KEY).has_signed(formats.read_note(note.encoded))


def test_the_bundle_is_tesseras_byte_for_byte():
    assert formats.bundle(LEAVES[:3]).hex() == "00036f6e65000374776f00057468726565"
    assert list(formats.leaves_of(formats.bundle(LEAVES))) == LEAVES


NOTE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = ("This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Z"
        "tg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n")


def test_the_note_of_the_specification_is_read_written_and_holds():
    note = formats.read_note(NOTE.encode())
    assert note.text == "This is an example message.\n"
    assert VerifierKey.read(NOTE_KEY).has_signed(note)
    assert note.encoded == NOTE.encode()


def test_a_key_that_is_not_known_is_passed_over_and_a_wrong_signature_is_not():
    note = formats.read_note(NOTE.encode())
    known = VerifierKey.read(NOTE_KEY)
    other = Signer.new("example.com/bar").sign(note.text)
    assert known.has_signed(Note(note.text, (other, *note.signatures)))
    assert not known.has_signed(Note(note.text, (other,)))
    with pytest.raises(BadInput, match="is wrong"):
        known.has_signed(Note("Another message.\n", note.signatures))


@pytest.mark.parametrize("broken", [
    b"", b"\n", b"text\n", b"text\n\n", b"text\n\n- example.com/foo AAAAAAAA\n", NOTE.encode()[:-1],
    NOTE.replace("example.com/foo", "exa mple").encode(), NOTE.replace("Uw2Q", "Uw2!").encode(),
    NOTE.replace("is", "i\ts").encode(), NOTE.encode() + b"\xff", NOTE.replace("example.com/foo U", "a+b U").encode(),
    NOTE.encode() + b"\xe2\x80\x94 a AAAA\n", NOTE.encode() + NOTE.split("\n\n")[1].encode() * 100])
def test_what_is_no_note_is_refused(broken):
    with pytest.raises(BadInput):
        formats.read_note(broken)


@pytest.mark.parametrize("broken", [
    "", "example.com/foo", NOTE_KEY.replace("530d", "530e"), NOTE_KEY[:-4], NOTE_KEY.replace("foo", "f oo"),
    "example.com/foo+530d903a+" + base64.b64encode(b"\x06" + bytes(32)).decode()])
def test_what_is_no_key_is_refused(broken):
    with pytest.raises(BadInput):
        VerifierKey.read(broken)


@pytest.mark.parametrize("broken", ["", TESSERA_KEY, TESSERA.replace("33d7", "33d8"), TESSERA[:-4],
                                    "PRIVATE+KEY+a+b+c"])
def test_what_is_no_private_key_is_refused_and_not_shown(broken):
    with pytest.raises(BadInput) as refused:
        Signer.read(broken)
    assert "Aeym" not in str(refused.value)


def test_a_private_key_is_written_as_it_is_read_and_never_shown():
    assert Signer.read(TESSERA).written() == TESSERA + "\n"
    assert "Aeym" not in repr(Signer.read(TESSERA))


@pytest.mark.parametrize("broken", [
    "a\n1\n", "a\n01\nAAAA\n", "a\n-1\n" + ROOTS[1] + "\n", "\n1\n" + ROOTS[1] + "\n", "a\n1\nAAAA\n",
    "a\n1 \n" + ROOTS[1] + "\n", "a\n" + "9" * 20 + "\n" + ROOTS[1] + "\n"])
def test_what_is_no_checkpoint_is_refused(broken):
    with pytest.raises(BadInput):
        formats.read_checkpoint(broken)


# A small log of the design's own, whose every byte is known ---------------------------------------------------------

GOLDEN = [
    b'{"effective_on":"2027-04-01","id":"00000000-0000-4000-8000-000000000000","kind":"genesis",'
    b'"recorded_at":"2027-04-01T08:00:00.000000Z","transfers":[],"v":1}',
    b'{"effective_on":"2027-04-01","id":"00000000-0000-4000-8000-000000000001","kind":"dormant_assets_receipt",'
    b'"recorded_at":"2027-04-01T09:30:00.000000Z","subject":'
    b'"sha256:26ffac2ff0345d487dddaafe7d3531f9ae351cfe58f1f2543217daf8ed84dd66","transfers":[{"amount":"6000000",'
    b'"credit":"3000","debit":"1000","phase":"single"},{"amount":"4000000","credit":"2000","debit":"1000",'
    b'"phase":"single"}],"v":1}']
RECEIPT = """c2sp.org/tlog-proof@v1
index 1
KDQqP5ZL644fM6hIm6gHcpY4UkkymlIUAMpfullliyk=

fund.example/ledger
2
yaCsYThHZeAsbWjnZfE+bRGf0KDew/x7R1XMQt/TCPE=

\u2014 fund.example/ledger 5W1aUOjovf8a9byM0hqRBeG8lSe+stmz+5GUlpb2Eb5YTlhvsdGaHlSHxhnMSsG2BAOficGePze7za9K1dVE0DJE\
IgI=
\u2014 witness.example/w1 qkoJ0QAAAABrrhRophfiIDca8XyD3m2GhrEHyZU31gabv4RLpdybKiek9WZ6Buxsrh51F578422r5R7T1P2CghtXPVou\
j0mvxLJ5CQ==
"""


def signer(name: str, kind: int, seed: bytes) -> Signer:
    """The key with this seed."""
    return Signer(name, kind, Ed25519PrivateKey.from_private_bytes(seed))


def test_the_golden_log_is_made_again_byte_for_byte():
    log = signer("fund.example/ledger", formats.LOG_KEY, bytes(range(32)))
    witness = signer("witness.example/w1", formats.WITNESS_KEY, bytes([7]) * 32)
    assert str(log.key) == "fund.example/ledger+e56d5a50+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
    assert str(witness.key) == "witness.example/w1+aa4a09d1+BOpKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"
    hashes = [rules.leaf_hash(leaf) for leaf in GOLDEN]
    assert [one.hex() for one in hashes] == ["28342a3f964beb8e1f33a8489ba8077296385249329a521400ca5fba59658b29",
                                             "102a1442bf2a401f549697d52dfc883ed5e473a84b7062a00189f2b6cfbdc6f0"]
    bundle = formats.bundle(GOLDEN)
    assert (bundle[:2].hex(), bundle[157:159].hex()) == ("009b", "0187")
    text = Checkpoint("fund.example/ledger", 2, rules.root(hashes)).text
    note = Note(text, (log.sign(text), witness.sign(text, 1_806_570_600)))
    proof = rules.inclusion_proof(1, 2, lambda lo, hi: rules.root(hashes[lo:hi]))
    assert formats.receipt(1, proof, note.encoded).decode() == RECEIPT
    assert witness.key.signed_at(note).timestamp() == 1_806_570_600


def test_a_cosignature_signs_the_time_too():
    witness = Signer.new("w", formats.WITNESS_KEY)
    note = Note("a\n0\n" + ROOTS[0] + "\n", ())
    value = witness.sign(note.text, 5).value
    assert cosigned("text\n", 5) == b"cosignature/v1\ntime 5\ntext\n"
    later = struct.pack(">Q", 6) + value[8:]
    for forged in (later, value[:-1], value + b"x", bytes(72)):
        with pytest.raises(BadInput):
            witness.key.has_signed(Note(note.text, (witness.sign(note.text)._replace(value=forged),)))


# Names of files -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("seq", "size", "path"), [
    (0, 256, "tile/entries/000"), (251, 255, "tile/entries/000.p/255"), (256, 257, "tile/entries/001.p/1"),
    (3, 257, "tile/entries/000")])
def test_the_bundles_are_called_as_tessera_calls_them(seq, size, path):
    assert formats.bundle_path(seq // 256, width(size, 0, seq // 256)) == path


@pytest.mark.parametrize(("level", "number", "width", "path"), [
    (15, 123456789, 41, "tile/15/x123/x456/789.p/41"), (0, 1234067, 256, "tile/0/x001/x234/067"),
    (0, 0, 256, "tile/0/000"), (1, 999, 1, "tile/1/999.p/1"), (2, 1000, 256, "tile/2/x001/000")])
def test_the_tiles_are_called_as_the_specification_says(level, number, width, path):
    assert formats.tile_path(level, number, width) == path


def test_a_tree_of_seventy_thousand_has_the_tiles_of_the_specification():
    found = list(tiles(70_000))
    assert [sum(1 for level, _, width in found if level == at and width == 256) for at in range(3)] == [273, 1, 0]
    assert [one for one in found if one[2] < 256] == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    assert list(tiles(256)) == [(0, 0, 256), (1, 0, 1)]


@pytest.mark.parametrize("broken", [b"\x00", b"\x00\x05abc", b"\x00\x01a\x00"])
def test_a_bundle_that_is_cut_short_is_refused(broken):
    with pytest.raises(BadInput):
        list(formats.leaves_of(broken))


# Whose cosignatures are wanted --------------------------------------------------------------------------------------

W = [signer(f"w{n}.example", formats.WITNESS_KEY, bytes([n]) * 32).key for n in range(4)]
POLICY = f"""# the fund's witnesses
log {TESSERA_KEY} https://log.example

witness auditor {W[0]} https://a.example/
witness university {W[1]} https://b.example/
witness town {W[2]}
group civic any university town
group enough 2 auditor civic
quorum enough
"""


@pytest.mark.parametrize(("cosigners", "met"), [
    ([], False), (["auditor"], False), (["university", "town"], False), (["auditor", "town"], True),
    (["auditor", "university"], True), (["nobody", "auditor"], False)])
def test_a_policy_says_when_there_are_enough(cosigners, met):
    assert formats.read_policy(POLICY).is_met_by(cosigners) is met


@pytest.mark.parametrize(("broken", "line"), [
    ("nonsense", 1), ("witness a", 1), (f"witness a {W[0]}\nwitness a {W[1]}", 2), ("group g all a", 1),
    (f"witness a {W[0]}\ngroup g 2 a", 2), (f"witness a {W[0]}\ngroup g 0 a", 2), ("quorum x", 1),
    ("quorum none\nquorum none", 2)])
def test_a_policy_that_is_none_is_refused_with_its_line(broken, line):
    with pytest.raises(BadInput, match=f"line {line} "):
        formats.read_policy(broken)


def test_a_policy_of_nobody_wants_nobody():
    assert formats.read_policy("").is_met_by([])
    assert formats.read_policy("quorum none").is_met_by([])


def test_the_hash_of_a_key_is_its_id():
    key = VerifierKey.read(NOTE_KEY)
    assert key.id == hashlib.sha256(b"example.com/foo\n\x01" + key.public).digest()[:4]
