"""The verifier before somebody who has the log's key, or its server, and means harm: it says so, and ends well."""

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from fund.ledger import rules as ledger
from fund.ledger.rules.replay import Books, Problem, Rule
from fund.transparency import formats, rules, verify
from fund.transparency.formats import Signer
from tests.make.log import stranger

ORIGIN = "hostile.example/log"
SIGNER = Signer.new(ORIGIN)
DAY = "2027-04-01"
CODES = ["1000", "1100", "3000", "3090", "3100", "3150/2027-28", "3200", "4000/A", "5000/G", "5000/H", "5000/I"]
HASH = "sha256:" + "a" * 64


def name_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def line(number: int, kind: str, **more) -> bytes:
    """A line whose id is made of a number."""
    return formats.canonical({"v": 1, "id": name_of(number), "kind": kind, "recorded_at": f"{DAY}T09:00:00.000000Z",
                              **more})


def move(debit: str, credit: str, pence: int, phase: str = "single", **more) -> dict:
    return {"debit": debit, "credit": credit, "amount": str(pence), "phase": phase, **more}


def entry(number: int, kind: str, *moves: dict, **more) -> bytes:
    return line(number, kind, **{"effective_on": DAY, "transfers": list(moves), **more})


def opened(number: int, code: str, **more) -> bytes:
    return line(number, "account_opened", record={
        "code": code, "class": ledger.CLASSES[code[:4]], "name": code, **more})


def decision(number: int, **more) -> bytes:
    return line(number, "decision", record={"area": "A", "amount": "60", "outcome": "awarded", **more})


def offer(number: int, *moves: dict, of: int, **more) -> bytes:
    return entry(number, "grant_offer", *moves, relates_to=[name_of(of)], **more)


GENESIS = line(0, "genesis", record={"origin": ORIGIN})
BEGUN = [GENESIS, *(opened(1 + at, code) for at, code in enumerate(CODES))]
SPENDABLE = [*BEGUN, entry(50, "investment_income", move("1000", "3100", 1_000)),
             entry(51, "spending_rule_set", move("3100", "3150/2027-28", 500)),
             entry(52, "drawdown", move("3150/2027-28", "3200", 500)),
             entry(53, "area_allocation", move("3200", "4000/A", 500))]


def files_of(lines: list[bytes], *, size: str = "", root: bytes | None = None, signer: Signer = SIGNER,
             after: bytes = b"") -> dict[str, bytes]:
    """The published files of these lines, signed as they are."""
    edge = rules.Edge()
    tiles = edge.grow([sha256(b"\0" + one).digest() for one in lines])
    files = {formats.tile_path(tile.level, tile.number, len(tile.hashes)): tile.encoded for tile in tiles}
    for at in range(0, len(lines), 256):
        files[formats.bundle_path(at // 256, len(lines[at:at + 256]))] = formats.bundle(lines[at:at + 256])
    text = f"{signer.name}\n{size or len(lines)}\n{base64.b64encode(root or edge.root()).decode()}\n"
    files["checkpoint"] = formats.Note(text, (signer.sign(text),)).encoded + after
    files["log.vkey"] = f"{signer.key}\n".encode()
    return files


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def problems(lines: list[bytes]) -> list[str]:
    """What is wrong with these lines, in one go and step by step alike."""
    found = []
    for step_by_step in (False, True):
        log = verify.Log(files_of(lines).get, step_by_step=step_by_step)
        log.check((ORIGIN, len(lines), rules.root([sha256(b"\0" + one).digest() for one in lines])))
        found.append((log.problems, log.books.accounts, log.books.decided, log.books.offered))
    assert found[0] == found[1]
    return found[0][0]


# A server that says something else the second time --------------------------------------------------------------------

def told_twice(filler: int) -> tuple[list[bytes], list[bytes]]:
    """The lines that are signed, in which a reversal takes £90 out of capital, and those of the second answer, in which
    what it puts right was £90 and not 10p. `filler` lines stand between, so that they are in one bundle or in two."""
    true = entry(60, "dormant_assets_receipt", move("1000", "3000", 10))
    false = entry(60, "dormant_assets_receipt", move("1000", "3000", 9_000))
    taken_out = entry(61, "reversal", move("3000", "1000", 9_000), reverses=name_of(60))
    before = [*BEGUN, entry(59, "dormant_assets_receipt", move("1000", "3000", 100_000))]
    between = [line(1_000 + at, "rehearsal_rule", record={"n": at}) for at in range(filler)]
    return [*before, true, *between, taken_out], [*before, false, *between, taken_out]


@pytest.mark.parametrize("filler", [0, 300])
@pytest.mark.parametrize("step_by_step", [False, True])
def test_a_second_answer_that_differs_is_not_believed(filler, step_by_step):
    signed, second = told_twice(filler)
    first_files, second_files, asked = files_of(signed), files_of(second), set()

    def read(name: str) -> bytes | None:
        if name in asked and name.startswith("tile/entries"):
            return second_files.get(name)
        asked.add(name)
        return first_files.get(name)

    log, found = verify.Log(read, step_by_step=step_by_step), []
    try:
        log.check((ORIGIN, len(signed), rules.root([sha256(b"\0" + one).digest() for one in signed])))
    except verify.Wrong as wrong:
        found = [str(wrong)]
    if filler:
        assert found == ["tile/entries/000 was read twice, and said something else the second time"]
    else:
        assert any("it is not the mirror" in problem for problem in log.problems)


@pytest.mark.parametrize("filler", [0, 300])
def test_a_reversal_that_is_right_holds_whether_its_line_is_in_the_same_bundle_or_not(filler):
    signed, _ = told_twice(filler)
    signed[-1] = entry(61, "reversal", move("3000", "1000", 10), reverses=name_of(60))
    assert problems(signed) == []


@pytest.mark.parametrize("second", [b"", b"\0", formats.bundle([b"{}"])])
def test_a_second_answer_that_is_cut_short_is_not_believed(second):
    signed, _ = told_twice(300)
    files, asked = files_of(signed), []

    def read(name: str) -> bytes | None:
        asked.append(name)
        return second if name == "tile/entries/000" and asked.count(name) > 1 else files.get(name)

    with pytest.raises(verify.Wrong):
        verify.Log(read).check((ORIGIN, len(signed), b""))


@contextmanager
def served(answer: Callable[[http.server.BaseHTTPRequestHandler, str], None]) -> Iterator[str]:
    """A server on this machine that answers each name as it is told to; gives its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer(self, self.path.removeprefix("/"))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler: http.server.BaseHTTPRequestHandler, data: bytes | None, length: int | None = None) -> None:
    handler.send_response(404 if data is None else 200)
    handler.send_header("Content-Length", str(len(data or b"") if length is None else length))
    handler.end_headers()
    handler.wfile.write(data or b"")


def test_a_server_that_answers_otherwise_the_second_time_is_found():
    signed, second = told_twice(300)
    files, later, asked = files_of(signed), files_of(second), set()

    def answer(handler, name):
        send(handler, (later if name in asked and name.startswith("tile/entries") else files).get(name))
        asked.add(name)

    with served(answer) as address:
        done = stranger(address, "--key", str(SIGNER.key))
    assert done.returncode == 1
    assert "WRONG: tile/entries/000 was read twice, and said something else the second time." in done.stdout


def test_a_right_log_holds_over_the_web():
    files = files_of([*SPENDABLE, *(line(1_000 + at, "rehearsal_rule", record={"n": at}) for at in range(600))])
    with served(lambda handler, name: send(handler, files.get(name))) as address:
        done = stranger(address, "--key", str(SIGNER.key))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_key_that_is_shown_is_the_one_that_is_believed():
    """A server that shows one key and then another cannot have somebody keep the second."""
    files, asked = files_of(BEGUN), []

    def answer(handler, name):
        asked.append(name)
        other = f"{Signer.new(ORIGIN).key}\n".encode()
        send(handler, other if name == "log.vkey" and asked.count(name) > 1 else files.get(name))

    with served(answer) as address:
        done = stranger(address)
    assert done.returncode == 0
    assert f"--key '{SIGNER.key}'" in done.stdout


# What cannot be looked at ---------------------------------------------------------------------------------------------

def broken_off(handler, name):
    files = files_of(BEGUN)
    send(handler, files.get(name), 99_999 if name.startswith("tile/entries") else None)


def no_http(handler, name):
    if name == "checkpoint":
        handler.wfile.write(b"nonsense\r\n\r\n")
    else:
        send(handler, files_of(BEGUN).get(name))


@pytest.mark.parametrize(("answer", "named"), [
    (broken_off, "broke off in the middle of tile/entries/000.p/12"),
    (no_http, "does not answer: BadStatusLine nonsense"),
    (lambda handler, _: handler.send_error(503), "answered 503 for checkpoint"),
    (lambda handler, _: None, "does not answer: RemoteDisconnected"),
])
def test_a_server_that_fails_is_said_to(answer, named):
    with served(answer) as address:
        done = stranger(address, "--key", str(SIGNER.key))
    assert done.returncode == 2
    assert named in done.stderr
    assert done.stderr.startswith("Could not look: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("source", ["http://[", "http://127.0.0.1:99999", "/no/such/folder\udc80", "http://x\u2024\u0300.."])
def test_a_place_that_is_none_is_said_to_be_none(source):
    done = stranger(source)
    assert done.returncode == 2
    assert done.stderr.startswith("Could not look: ")
    assert done.stderr.count("\n") == 1


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    folder = put(tmp_path, files_of(BEGUN))
    (folder / "checkpoint").unlink()
    (folder / "checkpoint").symlink_to("checkpoint")
    done = stranger(folder)
    assert done.returncode == 2
    assert "Could not look: checkpoint cannot be read" in done.stderr


@pytest.mark.parametrize("key", ["x", f"{ORIGIN}+00000000+A", f"{ORIGIN}+00000000+====", f"{ORIGIN}+00000000+AAAA"])
def test_a_key_that_is_none_is_said_to_be_none(tmp_path, key):
    done = stranger(put(tmp_path, files_of(BEGUN)), "--key", key)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_size_that_no_log_has_is_wrong_at_once(tmp_path):
    """It is signed, so memory must not be taken for it before a line of it was seen."""
    done = stranger(put(tmp_path, files_of(BEGUN, size=str(10**11))), "--key", str(SIGNER.key))
    assert done.returncode == 1
    assert "WRONG: tile/entries/000 is missing." in done.stdout
    assert "so much is wrong" not in done.stdout  # fifty are printed; the last is counted
    assert "1,002 things do not hold." in done.stdout


def test_names_are_made_as_they_are_needed():
    assert next(verify.widths(10**18)) == (0, 256)
    assert list(verify.widths(513)) == [(0, 256), (1, 256), (2, 1)]


def test_an_empty_log_is_right(tmp_path):
    done = stranger(put(tmp_path, files_of([], size="0", root=sha256(b"").digest())), "--key", str(SIGNER.key))
    assert done.returncode == 0
    wrong = stranger(put(tmp_path, files_of([], size="0", root=sha256(b"x").digest())), "--key", str(SIGNER.key))
    assert wrong.returncode == 1
    assert "do not make the tree" in wrong.stdout


# Who signed -----------------------------------------------------------------------------------------------------------

def test_every_key_that_was_given_must_have_signed(tmp_path):
    folder = put(tmp_path, files_of(BEGUN))
    witness = Signer.new("witness.example/w", formats.WITNESS_KEY)
    done = stranger(folder, "--key", str(SIGNER.key), "--key", str(witness.key))
    assert done.returncode == 1
    assert "WRONG: you gave a key of witness.example/w, and no such key signed the checkpoint." in done.stdout
    assert "One thing does not hold." in done.stdout
    text = formats.read_note((folder / "checkpoint").read_bytes()).text
    (folder / "checkpoint").write_bytes(formats.Note(text, (SIGNER.sign(text), witness.sign(text, 1))).encoded)
    assert stranger(folder, "--key", str(SIGNER.key), "--key", str(witness.key)).returncode == 0


def test_an_older_key_of_the_same_name_need_not_have_signed(tmp_path):
    folder = put(tmp_path, files_of(BEGUN))
    older = Signer.new(ORIGIN)
    assert stranger(folder, "--key", str(older.key), "--key", str(SIGNER.key)).returncode == 0
    assert stranger(folder, "--key", str(older.key)).returncode == 1


def test_a_key_that_did_not_sign_a_receipt_is_named(tmp_path):
    files, witness = files_of([GENESIS]), Signer.new("witness.example/w", formats.WITNESS_KEY)
    put(tmp_path, {"receipt": formats.receipt(0, [], files["checkpoint"]), "leaf": GENESIS})
    given = ["--receipt", tmp_path / "receipt", "--leaf", tmp_path / "leaf", "--key", str(SIGNER.key)]
    assert stranger(*given).returncode == 0
    done = stranger(*given, "--key", str(witness.key))
    assert done.returncode == 1
    assert "you gave a key of witness.example/w" in done.stdout


@pytest.mark.parametrize(("made", "named"), [
    ({"size": "1_2"}, "as such a number is written"), ({"size": "012"}, "as such a number is written"),
    ({"size": "+12"}, "as such a number is written"), ({"size": " 12"}, "as such a number is written"),
    ({"size": "١٢"}, "as such a number is written"), ({"size": "-1"}, "as such a number is written"),
    ({"size": "9" * 5_000}, "as such a number is written"),
    ({"after": b"no newline"}, "something stands after it"), ({"after": b"x\n"}, "not a signed note"),
])
def test_a_checkpoint_that_is_written_otherwise_is_refused(tmp_path, made, named):
    done = stranger(put(tmp_path, files_of(BEGUN, **made)), "--key", str(SIGNER.key))
    assert done.returncode == 1
    assert named in done.stdout


def test_what_a_line_says_cannot_play_with_the_screen(tmp_path):
    kind = "x\x1b[2K\rEverything holds.\n"
    done = stranger(put(tmp_path, files_of([*BEGUN, entry(60, kind, move("1000", "3000", 1))])))
    assert done.returncode == 1
    assert "\x1b" not in done.stdout
    assert "\\x1b[2K\\rEverything holds.\\n may not go this way" in done.stdout


# What no rule allows --------------------------------------------------------------------------------------------------

def plain_entry(**more) -> list[bytes]:
    return [*BEGUN, entry(60, "investment_income", move("1000", "3100", 5), **more)]


def deficit(*more: bytes) -> list[bytes]:
    """Lines after which the endowment is worth 60p less than its capital."""
    return [*BEGUN, entry(60, "dormant_assets_receipt", move("1000", "3000", 100)),
            entry(61, "trade", move("1100", "1000", 100, "pending")),
            entry(62, "trade", move("1100", "1000", 100, "post", pending=[name_of(61), 1])),
            entry(63, "revaluation_loss", move("3090", "1100", 60)), *more]


def gained(*more: bytes) -> list[bytes]:
    """Lines after which there are 50p of return, in investments."""
    return [*BEGUN, entry(60, "revaluation_gain", move("1100", "3100", 50)),
            entry(61, "investment_income", move("1000", "3100", 7)), *more]


def closing(*days: object) -> list[bytes]:
    return [*BEGUN, *(line(60 + at, "period_closed", record={"closed_through": day}) for at, day in enumerate(days))]


def offered(*more: bytes, **said) -> list[bytes]:
    return [*SPENDABLE, decision(60), offer(61, move("4000/A", "5000/G", 60, "pending"), of=60, **said), *more]


NO_DAY, BACKWARDS = "closes the books through something that is no day", "and they were closed through"
OPENLY, NO_LIST = "it says openly whom or what it is about", "it relates to something that is no list of lines"
ANOTHER_LOG, NO_OPENING = "it begins another log than the one", "does not say its code, class and name alone"
NOT_DECIDED = "not what one decision of a panel"
NOT_ONE = "an offer to more than one grant, or to one that had its offer"
ANOTHER_GRANT = "it names another grant than the one whose money it moves"
NOT_BORNE, NOT_MADE_GOOD = "it takes a loss from the capital", "it makes return of a gain"
#: What `fsck` calls these, by the constraint that should have refused them.
FSCK_NAMES = {NOT_DECIDED: "offer_follows_decision", NOT_ONE: "offer_follows_decision",
              ANOTHER_GRANT: "offer_follows_decision",
              NOT_BORNE: "return_bears_it_first", NOT_MADE_GOOD: "return_bears_it_first"}
REFUSED = {
    "another log's beginning": ([line(0, "genesis", record={"origin": "other.example"}), *BEGUN[1:]], ANOTHER_LOG),
    "a beginning without a name": ([line(0, "genesis", record={}), *BEGUN[1:]], ANOTHER_LOG),
    "an account's code that climbs": ([*BEGUN, opened(60, "3000/../x")], NO_OPENING),
    "an account's code with a name in it": ([*BEGUN, opened(60, "4000/Jane Doe")], NO_OPENING),
    "an account's code of other letters": ([*BEGUN, opened(60, "5000/Ĝ")], NO_OPENING),
    "an account's code with a newline": ([*BEGUN, opened(60, "5000/Z\n")], NO_OPENING),
    "an account's code too long": ([*BEGUN, opened(60, "5000/" + "x" * 61)], NO_OPENING),
    "a person beside an account": ([*BEGUN, opened(60, "5000/Z", person="Jane Doe")], NO_OPENING),
    "an account whose name is a list": ([*BEGUN, opened(60, "5000/Z", name=["Jane Doe"])], NO_OPENING),
    "an account without a name": ([*BEGUN, line(60, "account_opened", record={"code": "5000/Z", "class": "grant"})],
                                  NO_OPENING),
    "books closed backwards": (closing("2025-12-31", "2019-12-31"), BACKWARDS),
    "books closed twice": (closing("2025-12-31", "2025-12-31"), BACKWARDS),
    "books closed through nothing": (closing("0"), NO_DAY),
    "books closed through no day": (closing("2025-02-29"), NO_DAY),
    "books closed through a word": (closing("tomorrow"), NO_DAY),
    "books closed through a number": (closing(20_251_231), "does not say what a line says"),
    "a name as the subject": (plain_entry(subject="Jane Doe, 1 High Street"), OPENLY),
    "a subject in capitals": (plain_entry(subject="sha256:" + "A" * 64), OPENLY),
    "a subject with more after it": (plain_entry(subject=HASH + "\n"), OPENLY),
    "a subject that is a list": (plain_entry(subject=[HASH]), OPENLY),
    "a name as the evidence": (plain_entry(evidence="Jane Doe"), OPENLY),
    "a name among who approved": (plain_entry(approved_by=[HASH, "Jane Doe"]), OPENLY),
    "nobody among who approved": (plain_entry(approved_by=[]), OPENLY),
    "one who approved": (plain_entry(approved_by=HASH), OPENLY),
    "an object of who approved": (plain_entry(approved_by={HASH: HASH}), OPENLY),
    "related to an object": (plain_entry(relates_to={}), NO_LIST),
    "related to a list of nothing": (plain_entry(relates_to=[]), NO_LIST),
    "related to one that is no list": (plain_entry(relates_to=name_of(0)), NO_LIST),
    "related to a word": (plain_entry(relates_to=["Jane Doe"]), NO_LIST),
    "related to a list of lists": (plain_entry(relates_to=[[name_of(0)]]), NO_LIST),
    "a day before the fund": (plain_entry(effective_on="1989-12-31"), "its time or its day is none"),
    "the first year": (plain_entry(effective_on="0001-01-01"), "its time or its day is none"),
    "a day that nobody sees": (plain_entry(effective_on="3000-01-01"), "its time or its day is none"),
    **{f"a decision on {amount!r}": ([*BEGUN, decision(60, amount=amount)], "that is no sum")
       for amount in ("1_0", "٦٠", "060", "+60", " 60", "60\n", "-60", "", "6e1", "1" * 17)},
    **{f"an offer of what was {outcome}": ([
        *SPENDABLE, decision(60, outcome=outcome), offer(61, move("4000/A", "5000/G", 60, "pending"), of=60)],
        NOT_DECIDED) for outcome in ("declined", "reserve", "Awarded", "")},
    "a decision that says no outcome": ([*SPENDABLE, line(60, "decision", record={"area": "A", "amount": "60"})],
                                        "does not say what a line says"),
    "an offer to two grants": ([*SPENDABLE, decision(60), offer(
        61, move("4000/A", "5000/G", 50, "pending"), move("4000/A", "5000/H", 10, "pending"), of=60)], NOT_ONE),
    "a second offer to a grant": (offered(decision(62), offer(63, move("4000/A", "5000/G", 60, "pending"), of=62)),
                                  NOT_ONE),
    "a second offer to a grant by two movements": (offered(decision(62), offer(
        63, move("4000/A", "5000/G", 50, "pending"), move("4000/A", "5000/G", 10, "pending"), of=62)), NOT_ONE),
    "an offer that names another grant": (offered(grant="H"), ANOTHER_GRANT),
    "an offer that names its place as the grant": (offered(grant="A"), ANOTHER_GRANT),
    "an offer that names no grant": (offered(grant=""), ANOTHER_GRANT),
    "a payment that names another grant": (offered(
        entry(62, "grant_agreement", move("4000/A", "5000/G", 60, "post", pending=[name_of(61), 1])),
        entry(63, "stage_release", move("5000/G", "1000", 60, "pending"), grant="H")),
        "it names another grant"),
    "a loss that the return does not bear": (gained(entry(62, "revaluation_loss", move("3090", "1100", 40))),
                                             NOT_BORNE),
    "a loss that the return bears in part": (gained(entry(
        62, "revaluation_loss", move("3100", "1100", 20), move("3090", "1100", 20))),
        NOT_BORNE),
    "a gain that leaves the deficit": (deficit(entry(64, "revaluation_gain", move("1100", "3100", 70))),
                                       NOT_MADE_GOOD),
    "a gain that makes good in part": (deficit(entry(
        64, "revaluation_gain", move("1100", "3090", 59), move("1100", "3100", 11))), NOT_MADE_GOOD),
}


@pytest.mark.parametrize("what", sorted(REFUSED))
def test_what_no_rule_allows_is_named_both_ways(what):
    lines, named = REFUSED[what]
    found = problems(lines)
    assert any(named in problem for problem in found), found


@pytest.mark.parametrize("what", sorted(
    what for what, (_, named) in REFUSED.items() if named in FSCK_NAMES and "second offer" not in what))
def test_what_concerns_money_is_named_by_fsck_too(what):
    lines, named = REFUSED[what]
    assert [problem.code for problem in replayed(lines)] == [FSCK_NAMES[named]]


def replayed(lines: list[bytes]) -> list[Problem]:
    """What the check of the fund itself finds in these lines."""
    matrix = [Rule(*way, ends) for way, ends in verify.ways().items()]
    books = Books(matrix, lambda _: None)
    return [problem for one in lines for problem in books.apply(json.loads(one), "")]


HOLDS = {
    "nothing but a beginning": [GENESIS],
    "commitments": plain_entry(subject=HASH, evidence=HASH, approved_by=[HASH, HASH]),
    "relations": plain_entry(relates_to=[name_of(0), name_of(1)]),
    "the first day": plain_entry(effective_on="1990-01-01"),
    "the last day": plain_entry(effective_on="2999-12-31"),
    "books closed one day after the other": closing("2025-12-31", "2026-01-01"),
    "decisions of every outcome": [*BEGUN, decision(60, amount="0", outcome="declined"), decision(61, amount="9" * 16),
                                   decision(62, outcome="reserve"), decision(63, outcome="part_awarded")],
    "an offer that names its grant": offered(grant="G"),
    "an offer of a part": [*SPENDABLE, decision(60, outcome="part_awarded"),
                           offer(61, move("4000/A", "5000/G", 60, "pending"), of=60, grant="G")],
    "two offers to two grants": offered(decision(62), offer(63, move("4000/A", "5000/H", 60, "pending"), of=62)),
    "a grant named where none is moved": [*BEGUN, entry(60, "grant_return", move("1000", "3200", 1), grant="G")],
    "a loss that the return bears wholly": gained(entry(
        62, "revaluation_loss", move("3100", "1100", 50))),
    "a deficit": deficit(),
    "a gain that makes good": deficit(entry(64, "revaluation_gain", move("1100", "3090", 60),
                                            move("1100", "3100", 10))),
    "a gain that makes good in part, and no more": deficit(entry(64, "revaluation_gain", move("1100", "3090", 10))),
}


@pytest.mark.parametrize("what", sorted(HOLDS))
def test_what_the_rules_allow_holds_both_ways(what):
    assert problems(HOLDS[what]) == []
    assert replayed(HOLDS[what]) == []


def test_usual_lines_with_a_grant_are_still_taken_in_one_go(monkeypatch):
    """The rules about grants must not send the usual offer step by step."""
    slowly = []
    real = verify.Log._line
    monkeypatch.setattr(verify.Log, "_line", lambda self, seq, leaf: (slowly.append(json.loads(leaf)["kind"]),
                                                                      real(self, seq, leaf)))
    lines = offered(grant="G")
    log = verify.Log(files_of(lines).get)
    log.check((ORIGIN, len(lines), rules.root([sha256(b"\0" + one).digest() for one in lines])))
    assert log.problems == []
    # The first entry of a day goes step by step, because there the day is looked up.
    assert set(slowly) == {"genesis", "account_opened", "investment_income", "decision", "spending_rule_set"}
