"""The verifier takes usual lines in one go. Whatever a line says, it must come to the same as step by step."""

import json
import re
from hashlib import sha256

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from fund.ledger import rules as ledger
from fund.transparency import formats, rules, verify

DAY = "2027-04-01"
CODES = ["1000", "1100", "3000", "3090", "3100", "3150/2027-28", "3200", "4000/E1", "4000/E2",
         *(f"5000/G-{number}" for number in range(1, 10))]


def name_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def a_log() -> list[dict]:
    """What a small log says that follows every rule: records, entries of one movement and of two, every way to end."""
    said: list[dict] = []

    def line(kind: str, **more) -> str:
        said.append({"v": 1, "id": name_of(len(said)), "kind": kind, "recorded_at": f"{DAY}T23:59:59.000001Z", **more})
        return said[-1]["id"]

    def entry(kind: str, *moves: tuple, day: str = DAY, **more) -> str:
        return line(kind, effective_on=day, **more, transfers=[
            {"debit": debit, "credit": credit, "amount": str(pence), "phase": phase,
             **({"pending": ends[0]} if ends else {})} for debit, credit, pence, phase, *ends in moves])

    def decision(place: str, pence: int) -> str:
        return line("decision", record={"area": place, "amount": str(pence), "outcome": "awarded"})

    line("genesis", record={"origin": "fund.example/log"})
    for code in CODES:
        line("account_opened", record={"code": code, "class": ledger.CLASSES[code[:4]], "name": code})
    entry("dormant_assets_receipt", ("1000", "3000", 10**15, "single"))
    for day in ("2027-03-30", "2027-03-31", DAY):
        entry("investment_income", ("1000", "3100", 500_000, "single"), day=day)
    entry("spending_rule_set", ("3100", "3150/2027-28", 400_000, "single"), params={"rate": "0.04"})
    entry("drawdown", ("3150/2027-28", "3200", 400_000, "single"))
    entry("area_allocation", ("3200", "4000/E1", 200_000, "single"), area="E1")
    entry("area_allocation", ("3200", "4000/E2", 100_000, "single"), ("3200", "4000/E1", 1, "single"), area="Eé2")
    entry("revaluation_gain", ("1100", "3100", 70, "single"))
    entry("revaluation_loss", ("3100", "1100", 30, "single"))
    for number, place in enumerate(("E1", "E2", "E2", "E1")):
        grant, other = f"G-{1 + number}", f"G-{5 + number}"
        offer = entry("grant_offer", (f"4000/{place}", f"5000/{grant}", 9_000, "pending"), area=place, grant=grant,
                      relates_to=[decision(place, 9_000)])
        entry("grant_agreement", (f"4000/{place}", f"5000/{grant}", 8_000, "post", [offer, 1]), grant=grant,
              relates_to=[offer])
        for kind, phase, pence in (("payment_failed", "void", 3_000), ("stage_paid", "post", 3_000)):
            release = entry("stage_release", (f"5000/{grant}", "1000", 3_000, "pending"), grant=grant)
            entry(kind, (f"5000/{grant}", "1000", pence, phase, [release, 1]), grant=grant,
                  relates_to=[release, offer] if place == "E2" else [release])
        entry("grant_offer", (f"4000/{place}", f"5000/{other}", 1, "pending"), (f"4000/{place}", f"5000/{other}", 2,
                                                                              "pending"), grant=other,
              relates_to=[decision(place, 3)])
        entry("grant_offer_lapsed", (f"4000/{place}", f"5000/{other}", 1, "void", [said[-1]["id"], 1]))
        entry("grant_offer_lapsed", (f"4000/{place}", f"5000/{other}", 2, "void", [said[-2]["id"], 2]))
    line("rehearsal_rule", record={"says": "true, false and null: “ŵ”", "list": ["", {"n": -7}]})
    wrong = entry("bank_interest", ("1000", "3100", 77, "single"), grant="")
    entry("reversal", ("3100", "1000", 77, "single"), reverses=wrong, relates_to=[wrong])
    line("period_closed", record={"closed_through": "2027-03-31"})
    entry("bank_interest", ("1000", "3100", 1, "single"))
    return said


LOG = a_log()
LINES = [formats.canonical(said) for said in LOG]


def look(lines: list[bytes], *, step_by_step: bool) -> tuple:
    """What the verifier finds in these lines, signed as they are."""
    files, edge = {}, rules.Edge()
    for tile in edge.grow([sha256(b"\0" + line).digest() for line in lines]):
        files[formats.tile_path(tile.level, tile.number, len(tile.hashes))] = tile.encoded
    for at in range(0, len(lines), 256):
        files[formats.bundle_path(at // 256, len(lines[at:at + 256]))] = formats.bundle(lines[at:at + 256])
    log = verify.Log(files.get, step_by_step=step_by_step)
    log.check(("fund.example/log", len(lines), edge.root()))
    books = log.books
    return (log.problems, books.balances(len(lines)), books.reserved, books.reversed, books.closed_through,
            books.entries, books.transfers, books.offers, books.decided, books.offered, log.places)


def problems(lines: list[bytes]) -> list[str]:
    """What is wrong with these lines, on which both ways must agree."""
    found = look(lines, step_by_step=False)
    assert found == look(lines, step_by_step=True)
    return found[0]


def test_a_right_log_holds_both_ways_and_most_entries_go_in_one():
    assert problems(LINES) == []
    usual = [said["kind"] for said, line in zip(LOG, LINES, strict=True) if verify.USUAL.fullmatch(line.decode())]
    assert len(usual) > 20
    assert {"investment_income", "grant_offer", "grant_agreement", "stage_release"} <= set(usual)


def test_the_most_that_one_movement_may_be_is_that_of_the_database(session):
    assert verify.MOST_PENCE == ledger.MOST_PENCE
    checks = session.execute(sa.text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_transfer_amount'")).scalar_one()
    assert str(verify.MOST_PENCE) in checks


# One line that is not as it should be --------------------------------------------------------------------------------

AT = next(at for at, said in enumerate(LOG) if said["kind"] == "grant_agreement")
LINE = LINES[AT]
NOT_IN_THE_ONE_WAY = "it is not written in the one way in which a line is written"


def swap(one: bytes, other: bytes) -> bytes:
    assert one in LINE
    return LINE.replace(one, other, 1)


def said_otherwise(**changed) -> bytes:
    return formats.canonical({**LOG[AT], **changed})


def moved_otherwise(**changed) -> bytes:
    return said_otherwise(transfers=[{**LOG[AT]["transfers"][0], **changed}])


OF_A_LINE = {
    "keys in another order": (LINE[:-1] + b',"u":"x"}', NOT_IN_THE_ONE_WAY),
    "the version first": (b'{"v":1,' + LINE[1:].replace(b',"v":1}', b"}"), NOT_IN_THE_ONE_WAY),
    "a key twice": (swap(b'"v":1}', b'"v":1,"v":1}'), NOT_IN_THE_ONE_WAY),
    "a day twice": (swap(b'"effective_on"', b'"effective_on":"2027-04-01","effective_on"'), NOT_IN_THE_ONE_WAY),
    "an escaped letter": (swap(b"G-1", b"\\u0047-1"), NOT_IN_THE_ONE_WAY),
    "an escaped slash": (swap(b"5000/", b"5000\\/"), NOT_IN_THE_ONE_WAY),
    "a space after a comma": (swap(b',"', b', "'), NOT_IN_THE_ONE_WAY),
    "a newline at the end": (LINE + b"\n", NOT_IN_THE_ONE_WAY),
    "a newline before the brace": (LINE[:-1] + b"\n}", NOT_IN_THE_ONE_WAY),
    "another brace": (LINE + b"}", NOT_IN_THE_ONE_WAY),
    "another line": (LINE + LINE, NOT_IN_THE_ONE_WAY),
    "a mark before it": (b"\xef\xbb\xbf" + LINE, "it does not say what a line says"),
    "bytes that are no text": (swap(b"G-1", b"G\xff1"), "it does not say what a line says"),
    "half a character": (swap(b"G-1", b"G\xed\xa0\x801"), "it does not say what a line says"),
    "cut short": (LINE[:-1], "it does not say what a line says"),
    "nothing": (b"", "it does not say what a line says"),
    "a word": (b"x", "it does not say what a line says"),
    "lists in lists": (b"[" * 60_000, "it does not say what a line says"),
    "version two": (swap(b'"v":1}', b'"v":2}'), NOT_IN_THE_ONE_WAY),
    "version one and no tenths": (swap(b'"v":1}', b'"v":1.0}'), "it does not say what a line says"),
    "version true": (swap(b'"v":1}', b'"v":true}'), NOT_IN_THE_ONE_WAY),
    "nothing for a grant": (swap(b'"grant":"G-1"', b'"grant":null'), NOT_IN_THE_ONE_WAY),
    "the beginning of nothing": (swap(b"G-1", b"G\\u0000"), NOT_IN_THE_ONE_WAY),
    "a letter in two parts": (swap(b"G-1", "w\u0302".encode()), NOT_IN_THE_ONE_WAY),
    "a word that no line says": (said_otherwise(sort="x"), "it says what no line says"),
    "a record beside": (said_otherwise(record={}), "it says what no line says"),
    "a word that no movement says": (moved_otherwise(note="x"), "it says what no movement says"),
    "a number that is none": (swap(b'"grant":"G-1"', b'"grant":NaN'), "it does not say what a line says"),
    "a number too large": (swap(b'"grant":"G-1"', b'"grant":9007199254740992'), "it does not say what a line says"),
    "a key of other letters": (LINE[:-1] + ',"ŵ":"x"}'.encode(), NOT_IN_THE_ONE_WAY),
    "noughts before an amount": (moved_otherwise(amount="08000"), "08000 is no amount"),
    "a plus before an amount": (moved_otherwise(amount="+8000"), "+8000 is no amount"),
    "a space before an amount": (moved_otherwise(amount=" 8000"), " 8000 is no amount"),
    "a low line in an amount": (moved_otherwise(amount="8_000"), "8_000 is no amount"),
    "an amount in other digits": (moved_otherwise(amount="٨٠٠٠"), "٨٠٠٠ is no amount"),
    "an amount in wide digits": (moved_otherwise(amount="８０００"), "８０００ is no amount"),
    "a newline after an amount": (moved_otherwise(amount="8000\n"), "is no amount"),
    "no amount": (moved_otherwise(amount=""), " is no amount"),
    "more than one movement may be": (moved_otherwise(amount=str(10**15 + 1)), "is no amount"),
    "more than the database holds": (moved_otherwise(amount=str(2**63)), "is no amount"),
    "an amount as a number": (moved_otherwise(amount=8000), "it does not say what a line says"),
    "a day that no month has": (said_otherwise(effective_on="2027-02-30"), "its time or its day is none"),
    "a year before the first": (said_otherwise(effective_on="0000-01-01"), "its time or its day is none"),
    "a day in other digits": (said_otherwise(effective_on="٢٠٢٧-04-01"), "its time or its day is none"),
    "a day with a newline": (said_otherwise(effective_on="2027-04-01\n"), "its time or its day is none"),
    "a week": (said_otherwise(effective_on="2027-W14-4"), "its time or its day is none"),
    "recorded on no day": (said_otherwise(recorded_at="2027-02-29T12:00:00.000000Z"), "its time or its day is none"),
    "the twenty-fifth hour": (said_otherwise(recorded_at=f"{DAY}T24:00:00.000000Z"), "its time or its day is none"),
    "the sixty-first minute": (said_otherwise(recorded_at=f"{DAY}T23:60:00.000000Z"), "its time or its day is none"),
    "the sixty-first second": (said_otherwise(recorded_at=f"{DAY}T23:59:60.000000Z"), "its time or its day is none"),
    "five decimals": (said_otherwise(recorded_at=f"{DAY}T23:59:59.00000Z"), "its time or its day is none"),
    "a small z": (said_otherwise(recorded_at=f"{DAY}T23:59:59.000000z"), "its time or its day is none"),
    "an id in capitals": (said_otherwise(id="00000000-0000-4000-8000-ABCDEF000000"), "its id is none"),
    "an id without lines": (said_otherwise(id=name_of(9_999).replace("-", "")), "its id is none"),
    "an id with a newline": (said_otherwise(id=name_of(9_999) + "\n"), "its id is none"),
    "an id that was used": (said_otherwise(id=name_of(3)), "its id was used before"),
    "a reservation in capitals": (moved_otherwise(pending=[LOG[AT - 1]["id"].upper().replace("0", "A"), 1]),
                                  "it ends no reservation"),
    "the nought-th line of one": (moved_otherwise(pending=[LOG[AT - 1]["id"], 0]), "it ends no reservation"),
    "a line as text": (moved_otherwise(pending=[LOG[AT - 1]["id"], "1"]), "it ends no reservation"),
    "a line that is true": (swap(b'",1],"phase"', b'",true],"phase"'), NOT_IN_THE_ONE_WAY),
    "a line with a nought before": (swap(b'",1],"phase"', b'",01],"phase"'), "it does not say what a line says"),
    "no reservation": (said_otherwise(transfers=[{key: one for key, one in LOG[AT]["transfers"][0].items()
                                                  if key != "pending"}]), "it does not say what a line says"),
    "a reservation that it does not end": (said_otherwise(kind="drawdown", transfers=[{
        "amount": "1", "credit": "3200", "debit": "3150/2027-28", "phase": "single",
        "pending": [LOG[AT - 1]["id"], 1]}]), "it names a reservation and ends none"),
    "another way to end": (moved_otherwise(phase="void"), "may not go this way"),
    "a way that is none": (moved_otherwise(phase="posted"), "may not go this way"),
    "an account that is not open": (moved_otherwise(debit="4000/E3"), "no account 4000/E3 is open"),
    "another's account": (moved_otherwise(debit="4000/E2"), "it ends no reservation"),
    "a mirror that names nothing": (said_otherwise(kind="reversal", transfers=[{
        "amount": "500000", "credit": "1000", "debit": "3100", "phase": "single"}]), "only a reversal names"),
    "a second beginning": (said_otherwise(kind="genesis"), "the first line of a log"),
    "related to what comes later and never does": (said_otherwise(relates_to=[name_of(77_777)]),
                                                   "which is not in the log"),
}


@pytest.mark.parametrize("change", sorted(OF_A_LINE))
def test_a_line_that_is_not_as_it_should_be_is_named_both_ways(change):
    line, named = OF_A_LINE[change]
    assert line != LINE
    found = problems([*LINES[:AT], line, *LINES[AT + 1:]])
    assert any(re.match(f"line {AT}(:| relates)", one) and named in one for one in found), found


def the(kind: str, /, **changed) -> tuple[int, bytes]:
    """The last line of a kind, with its only movement changed."""
    at = max(at for at, said in enumerate(LOG) if said["kind"] == kind and len(said["transfers"]) == 1)
    words = {key: one for key, one in changed.items() if key in LOG[at]}
    moves = {key: one for key, one in changed.items() if key not in words}
    return at, formats.canonical({**LOG[at], **words, "transfers": [{**LOG[at]["transfers"][0], **moves}]})


@pytest.mark.parametrize(("changed", "named"), [
    (the("grant_agreement", amount="9001"), "it ends no reservation"),
    (the("grant_agreement", credit="5000/G-3"), "it ends no reservation"),
    (the("payment_failed", amount="2999"), "it ends no reservation"),
    (the("payment_failed", kind="host_contribution"), "it ends no reservation"),
    (the("investment_income", amount=str(10**15 + 1)), "is no amount"),
    (the("investment_income", amount=str(2**63)), "is no amount"),
    (the("investment_income", amount="1" * 5_000), "is no amount"),
    (the("investment_income", debit="3100"), "may not go this way"),
    (the("area_allocation", amount="400001"), "account 3200 is overdrawn by"),
    (the("grant_offer", amount="8999"), "not what one decision"),
    (the("grant_offer", debit="4000/E2"), "not what one decision"),
    (the("grant_offer", relates_to=[name_of(0)]), "not what one decision"),
    (the("bank_interest", effective_on="2027-03-31"), "in the books closed through 2027-03-31"),
    (the("bank_interest", effective_on="2027-03-30"), "in the books closed through 2027-03-31"),
])
def test_an_entry_that_no_rule_allows_is_named_both_ways(changed, named):
    at, line = changed
    assert verify.USUAL.fullmatch(LINES[at].decode())
    found = problems([*LINES[:at], line, *LINES[at + 1:]])
    assert any(one.startswith(f"line {at}: ") and named in one for one in found), found


@pytest.mark.parametrize("day", ["2028-02-29", "2000-02-29", "1999-12-31"])
def test_a_day_that_there_is_is_no_problem(day):
    assert problems([*LINES[:AT], said_otherwise(effective_on=day, recorded_at=f"{day}T00:00:00.000000Z"),
                     *LINES[AT + 1:]]) == []


def test_more_than_is_there_is_named_once_for_each_account_and_again_while_it_lasts():
    """4000/E1 has £2,000.01, so an offer of £9,000 from it leaves it short until the end, and both ways say so."""
    at = AT - 1
    offered = {**LOG[at], "transfers": [{**LOG[at]["transfers"][0], "amount": "900000"}]}
    found = problems([*LINES[:at], formats.canonical(offered), *LINES[at + 1:]])
    assert f"line {at}: account 4000/E1 is overdrawn by 699999 pence after it" in found


def test_an_entry_cannot_be_the_first_line():
    assert "the first line of a log" in problems([LINE])[0]


# Lines changed at random ----------------------------------------------------------------------------------------------

places = st.integers(0, len(LOG) - 1)
texts = st.sampled_from([*CODES, "4000/E3", DAY, "2027-03-31", "2027-02-30", "single", "pending", "post", "void", "1",
                         "8000", "9000", "03", str(10**15), str(10**16), "", "grant_offer", "reversal", "drawdown",
                         "genesis", *map(name_of, (0, 5, AT, AT - 1, 999))])
values = st.one_of(texts, st.integers(-1, 3), st.just([]), st.lists(texts, max_size=2),
                   st.tuples(texts, st.integers(0, 3)).map(list))
keys = st.sampled_from(["area", "effective_on", "grant", "id", "kind", "recorded_at", "relates_to", "reverses", "v",
                        "record", "transfers"])
keys_of_a_move = st.sampled_from(["amount", "credit", "debit", "pending", "phase", "more"])


@st.composite
def changed_words(draw, line: bytes) -> bytes:
    """The line with one of its words another, or gone, still written in the one way."""
    said = json.loads(line)
    inside = [move for move in said.get("transfers", ()) if isinstance(move, dict)]
    where, key = (draw(st.sampled_from(inside)), draw(keys_of_a_move)) if inside and draw(st.booleans()) else (
        said, draw(keys))
    if draw(st.integers(0, 4)) == 0:
        where.pop(key, None)
    else:
        where[key] = draw(values)
    return formats.canonical(said)


@st.composite
def changed_bytes(draw, line: bytes) -> bytes:
    """The line with a few bytes put in, taken out or changed."""
    at, gone = draw(st.integers(0, len(line))), draw(st.integers(0, 3))
    new = draw(st.one_of(st.binary(max_size=3), st.sampled_from(
        [b'"', b"\\", b",", b" ", b"\n", b"0", b"1", b"9", b"{", b"}", b"\\u0031", b"\xc3\xa9", b"true", b".0", b"-"])))
    return (line[:at] + new + line[at + gone:])[:60_000]


@st.composite
def changed_logs(draw) -> list[bytes]:
    """The log with up to three lines changed, left out, said twice or in another place."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at, what = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, 9))
        if what < 5:
            try:
                lines[at] = draw(changed_words(lines[at]))
            except ValueError:  # it was changed before, and is none any more
                continue
        elif what < 8:
            lines[at] = draw(changed_bytes(lines[at]))
        elif what == 8:
            lines.insert(draw(st.integers(0, len(lines))), lines.pop(at))
        else:
            lines.insert(draw(st.integers(0, len(lines))), lines[at])
    return lines


@settings(max_examples=300, deadline=None)
@given(changed_logs())
def test_whatever_is_changed_both_ways_come_to_the_same(lines):
    problems(lines)
