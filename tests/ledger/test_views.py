"""The open books as a stranger meets them: they add up, lead on, and any line can be checked by hand."""

import ast
import hashlib
import html
import re
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

import fund
from fund.endowment import actions as endowment
from fund.kernel.actor import SYSTEM
from fund.ledger import actions, queries, rules
from fund.ledger.rules import words
from fund.ledger.views import pages
from fund.ledger.views import said as said_in_words
from tests.make.ledger import make_allocation, make_decision, make_funded_endowment

DAY = date(2026, 6, 1)
FUND = Path(fund.__file__).parent


@pytest.fixture
def fund(session):
    make_funded_endowment(spendable_pence=50_000_000, on=DAY)
    make_allocation(amount_pence=10_000_000)
    actions.open_account("5000/GRT-1", name="Grant GRT-1")
    decision = make_decision("E05000650", 300_000)
    offer = actions.post("grant_offer", rules.grant_offer("E05000650", "GRT-1", [100_000, 200_000]), effective_on=DAY,
                         idem_key="o", relates_to=[decision], area="E05000650", grant="GRT-1")
    actions.post("grant_agreement", rules.post_pending(queries.pending_lines(offer.entry_id)), effective_on=DAY,
                 idem_key="g")
    release = actions.post("stage_release", rules.stage_release("GRT-1", [100_000]), effective_on=DAY, idem_key="r")
    paid = actions.post("stage_paid", rules.post_pending(queries.pending_lines(release.entry_id)), effective_on=DAY,
                        idem_key="p")
    wrong = actions.post("grant_decommitted", rules.grant_decommitted("GRT-1", "E05000650", 700), effective_on=DAY,
                         idem_key="w")
    actions.reverse(wrong.entry_id, effective_on=DAY, idem_key="x")
    return {"offer": offer, "decision": decision, "paid": paid, "wrong": wrong}


def text(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_empty_books_say_so(client, session):
    assert "The two sides are the same" in text(client, "/ledger")
    assert "Nothing has come in yet" in text(client, "/endowment")


def test_what_the_fund_has_is_what_it_owes_and_what_it_is_for(client, fund):
    page = text(client, "/ledger")
    assert "The two sides are the same, to the penny" in page
    assert "£1,000" in page  # the payment, in the picture and in the list


def test_the_picture_counts_what_ever_came_to_each_step_without_what_was_put_right(client, fund):
    flows = queries.flows()
    assert flows["grant_decommitted", "single"] == 0
    assert flows["stage_paid", "post"] == 100_000
    assert queries.flows() == flows


def test_the_picture_of_one_ledger_is_not_shown_for_another(session):
    """The sums that a process keeps are of the very entries that it counted."""
    make_funded_endowment(on=DAY, spendable_pence=1_000)
    assert queries.flows()["drawdown", "single"] == 1_000
    session.rollback()
    make_funded_endowment(on=DAY, spendable_pence=2_000)
    assert queries.flows()["drawdown", "single"] == 2_000


def test_an_account_shows_each_movement_and_what_stood_after_it(client, fund):
    movements = queries.movements_of("4000/E05000650")
    assert [(m.kind, m.in_pence, m.out_pence, m.kept_pence, m.after_pence) for m in movements] == [
        ("reversal", 0, 700, 0, 9_700_000), ("grant_decommitted", 700, 0, 0, 9_700_700),
        ("grant_agreement", 0, 300_000, -300_000, 9_700_000), ("grant_offer", 0, 0, 300_000, 10_000_000),
        ("area_allocation", 10_000_000, 0, 0, 10_000_000)]
    assert "£97,000.00" in text(client, "/ledger/accounts/4000/E05000650")


def test_an_offer_says_on_the_account_of_its_grant_how_much_it_is(client, fund):
    page = text(client, "/ledger/accounts/5000/GRT-1")
    assert "£3,000 was kept for a group while it reads its offer." in page
    assert "£3,000.00 to come" in page
    assert "£0 " not in page.replace("£0.00 ", "")


def test_a_debit_normal_account_grows_by_debits(fund):
    assert [(m.in_pence, m.out_pence) for m in queries.movements_of("1000", most=2)] == [(0, 100_000), (0, 0)]


def test_an_account_is_paged_by_key_and_the_pages_agree(session, fund):
    whole = queries.movements_of("4000/E05000650")
    first = queries.movements_of("4000/E05000650", most=2)
    assert first == whole[:2]
    assert queries.movements_of("4000/E05000650", before=first[-1].seq, most=2) == whole[2:4]


def test_the_whole_record_has_every_place_once(session, fund):
    seen, before = [], None
    while page := queries.latest(before=before, most=3):
        seen += [line.seq for line in page]
        before = page[-1].seq
    assert seen == list(range(len(seen)))[::-1]


def pages_one_way(client, address, word, row):
    """What each page lists, from this one on to the last that the link with the word leads to."""
    found = []
    while address:
        page = client.get(address).text
        found.append(re.findall(row, page))
        link = re.search(rf'href="([^"]+)">{word}<', page)
        address = html.unescape(link[1]) if link else None
        last = page
    return found, last


@pytest.mark.parametrize(("address", "onward", "back", "row"), [
    ("/ledger/entries", "Older", "Newer", r"/ledger/entries/([0-9a-f-]{36})"),
    ("/ledger/accounts/4000/E05000650", "Older", "Newer", r"/ledger/entries/([0-9a-f-]{36})"),
    ("/ledger/accounts/1000", "Older", "Newer", r"/ledger/entries/([0-9a-f-]{36})"),
    ("/ledger/classes/grant", "Next page", "Previous page", r"/ledger/accounts/(5000/GRT-\d)")])
def test_every_list_is_paged_the_same_way_back(client, fund, monkeypatch, address, onward, back, row):
    for number in range(2, 8):
        actions.open_account(f"5000/GRT-{number}", name=f"Grant GRT-{number}")
    monkeypatch.setattr(pages, "PAGE", 2)
    there, last = pages_one_way(client, address, onward, row)
    assert len(there) > 2
    assert all(len(one) == 2 for one in there[:-1])
    assert len({one for page in there for one in page}) == sum(map(len, there))  # each line once
    link = re.search(rf'href="([^"]+)">{back}<', last)
    and_back, _first = pages_one_way(client, html.unescape(link[1]), back, row)
    assert and_back == there[-2::-1]  # the very same pages, up to the one it began with


@pytest.mark.parametrize(("address", "to"), [
    ("/ledger/entries?before=0", "/ledger/entries"), ("/ledger/accounts/1000?before=0", "/ledger/accounts/1000"),
    ("/ledger/classes/grant?after=9", "/ledger/classes/grant"), ("/log/history/?before=1", "/log/history/")])
def test_past_the_end_of_a_list_one_begins_again(client, fund, address, to):
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Location"]) == (302, to)


@pytest.mark.parametrize("address", ["/ledger/entries?before=999999999", "/ledger/accounts/1000?before=999999999",
                                     "/ledger/classes/grant?after=0"])
def test_nothing_is_newer_than_the_first_page(client, fund, address):
    page = client.get(address).text
    assert 'rel="prev"' not in page
    assert "Nothing" not in page


def test_any_line_can_be_checked_by_hand(client, fund):
    entry_id = fund["paid"].entry_id
    page = client.get(f"/ledger/entries/{entry_id}").text
    saved = client.get(f"/ledger/entries/{entry_id}/leaf")
    shown = re.search(r"<code>([0-9a-f]{64})</code>", page)
    assert shown is not None
    assert hashlib.sha256(b"\0" + saved.data).hexdigest() == shown[1] == fund["paid"].leaf_hash.hex()
    assert "attachment" in saved.headers["Content-Disposition"]


def test_a_line_says_what_it_means_why_and_what_followed(client, fund):
    page = text(client, f"/ledger/entries/{fund['offer'].entry_id}")
    assert "£3,000 was kept for a group while it reads its offer." in page
    assert "A panel of residents decided about an application." in page  # why
    assert "A group said yes" in page  # and then
    page = text(client, f"/ledger/entries/{fund['wrong'].entry_id}")
    assert "A mistake of £7 was put right" in page


def test_a_public_record_has_the_same_page_without_lines(client, fund):
    page = text(client, f"/ledger/entries/{fund['decision']}")
    assert "Outcome Funded" in page
    assert "Amount £3,000.00" in page
    assert "What moved" not in page


@pytest.mark.parametrize("address", [
    "/ledger/entries", "/ledger/rules", "/ledger/classes/allocation", "/ledger/classes/grant",
    "/ledger/accounts/1000", "/ledger/accounts/3150/2026-27", "/ledger/accounts/5000/GRT-1", "/endowment",
    "/ledger/entries?before=5", "/ledger/accounts/1000?before=20", "/ledger/classes/grant?after=5000/A"])
def test_every_page_opens(client, fund, address):
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", [
    "/ledger/accounts/4000/none", "/ledger/classes/none", "/ledger/entries/none",
    "/ledger/entries/5c2f8a1e-0d3b-4c56-9a7e-1f2b3c4d5e6f",
    "/ledger/entries?before=x", "/ledger/entries?before=-1", "/ledger/entries?before=99999999999999999999",
    "/ledger/entries?before=²", "/ledger/accounts/1000?before=1e3"])
def test_what_is_not_there_is_not_found(client, fund, address):
    assert client.get(address).status_code == 404


def test_no_way_leads_out_of_capital_but_the_mirror(client, session):
    page = text(client, "/ledger/rules")
    assert "Mistake put right Permanent capital, Bank" in page
    ways = [(row.kind, row.debit_class) for row in queries.posting_rules() if row.debit_class == "permanent_capital"]
    assert {kind for kind, _ in ways} == {"reversal"}


def test_a_line_or_an_account_is_found_by_what_one_has_in_hand(client, fund):
    paid, grant = fund["paid"], "/ledger/accounts/5000/GRT-1"
    line = f"/ledger/entries/{paid.entry_id}"
    for typed, where in [(str(paid.seq), line), (f"#{paid.seq}", line), (f"Line {paid.seq}", line),
                         (f"llinell {paid.seq}", line), (f"Entry {paid.seq}", line), ("grt 1", grant),
                         (str(paid.entry_id), line), (" grt-1 ", grant),
                         ("5000/GRT-1", grant), ("E05000650", "/ledger/accounts/4000/E05000650"),
                         ("1000", "/ledger/accounts/1000")]:
        answer = client.get("/ledger/find", query_string={"q": typed})
        assert (answer.status_code, answer.headers["Location"]) == (302, where)
        assert client.get(where).status_code == 200


@pytest.mark.parametrize("typed", ["nothing", "99999999", "9" * 40, "00000000-0000-4000-8000-00000000000f", "%", "-1",
                                   "<script>alert(1)</script>", "5000/", "١٢"])
def test_what_is_not_there_is_said_and_kept_in_the_box(client, fund, typed):
    answer = client.get("/ledger/find", query_string={"q": typed})
    assert answer.status_code == 404
    assert "Nothing in the record has this number" in answer.text
    assert f'value="{html.escape(typed)}"' in answer.text or typed not in answer.text
    assert "<script>alert" not in answer.text


def test_an_empty_box_finds_nothing_and_complains_of_nothing(client, session):
    assert client.get("/ledger/find?q=+").status_code == 200
    assert "Nothing in the record" not in client.get("/ledger/find").text


def test_an_entry_of_the_endowment_is_found_by_the_reference_of_whoever_paid(client, fund, session):
    tranche = session.execute(sa.text("SELECT reference, entry_id FROM tranche ORDER BY recorded_at LIMIT 1")).one()
    answer = client.get("/ledger/find", query_string={"q": f" {tranche.reference.lower()} "})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/ledger/entries/{tranche.entry_id}")


@pytest.mark.parametrize(("said", "rows"), [
    ({"amount": "300000", "rank": 1, "score_tenths": 705, "outcome": "part_awarded", "area": "E05000650"},
     [("Amount", "£3,000.00"), ("Rank", "1"), ("Score out of 100", "70.5"), ("Outcome", "Funded in part"),
      ("Place", "E05000650")]),
    ({"closed_through": "2026-03-31", "opens_at": "2026-03-31T11:00:00+00:00", "month": "2026-02"},
     [("Closed up to and with", "31 March 2026"), ("Opens", "31 March 2026, noon"), ("Month", "February 2026")]),
    ({"rules": {"part_funding": 1, "most_pence": "1000000", "stage_shares": [50, 50]}, "criteria": [
        {"id": "5c2f8a1e", "name": "Need", "weight": 2}, {"name": "Joy", "weight": 1}]},
     [("Rules", "May fund a part: Yes; Most for one group: £10,000.00; Stages, in %: 50, 50"),
      ("Criteria", "Name: Need; Weight: 2\nName: Joy; Weight: 1")]),
    ({"financial_year": "2011-12", "gifts": [["2011-12", "100000", 1398]]},
     [("Year", "2011-12"), ("What was given, by month", "Month: December 2011; Amount: £1,000.00; Index: 139.8")]),
    ({"cost_ceiling_basis_points": 1_000, "closes_at": "", "rule": "yale", "parameters": {"rate": 525, "low": 400},
      "tie_break": ["need", "lot"]},
     [("Most for running costs", "10%"), ("Rule", "Mostly as last year (Yale)"),
      ("Figures of the rule", "Share of the value: 5.25%; No less than: 4%"),
      ("Ties", "greater need first, then a lot")]),
    ({"reference": "2026-06-01", "gifts": [["2027-01", "5", 0]], "trade": {"id": "x"}},
     [("Reference", "2026-06-01"), ("What was given, by month", "Month: January 2027; Amount: £0.05"),
      ("Trade", "Id: x")]),
    ({"opens_at": "0001-01-01T00:00:00+14:00", "closes_at": "9999-12-31T23:59:59-14:00"},
     [("Opens", "0001-01-01T00:00:00+14:00"), ("Closes", "9999-12-31T23:59:59-14:00")]),
    # What nobody here knows, or what has not the form of its word, stands as it is.
    ({"a_new_word": "x", "amount": "£3", "closed_through": "2026-02-30", "outcome": "maybe", "month": "2026-13",
      "opens_at": "2026-02-30T99:00:00Z", "rank": None, "pot": [None, {"a": "1"}]},
     [("A new word", "x"), ("Amount", "£3"), ("Closed up to and with", "2026-02-30"), ("Outcome", "maybe"),
      ("Month", "2026-13"), ("Opens", "2026-02-30T99:00:00Z"), ("Rank", "None"),
      ("What the panel may give", "None\nA: 1")])])
def test_what_a_record_says_is_shown_in_words(session, said, rows):
    assert said_in_words.pairs({"record": said}, "record") == rows
    assert said_in_words.pairs({}, "record") == []
    assert said_in_words.pairs({"record": "five"}, "record") == [("Record", "five")]


def test_what_is_kept_aside_and_called_off_does_not_read_as_done(client, fund):
    """A purchase that was agreed and one that was called off are of one kind, and of other phases."""
    agreed, called_off = (endowment.agree_trade(
        SYSTEM, buy=True, holding="World shares", amount_pence=pence, agreed_on=DAY, reference=f"t{pence}")
        for pence in (700, 900))
    endowment.settle_trade(SYSTEM, agreed.reference, settled_on=DAY)
    endowment.call_off_trade(SYSTEM, called_off.reference, ended_on=DAY)
    for page in (text(client, "/ledger/entries"), text(client, "/ledger/accounts/1100")):
        assert "Investments are to be bought or sold for £7. " in page
        assert "Investments were bought or sold for £7. " in page
        assert "A purchase or sale of investments for £9 was called off. " in page
        assert "were bought or sold for £9" not in page
    assert "Investments are to be bought or sold for £7." in text(client, f"/ledger/entries/{agreed.entry_id}")


def test_an_opened_account_and_a_line_that_is_named_lead_on(app, client, fund, session):
    account = session.scalar(sa.text("SELECT id FROM log.leaf WHERE idem_key = 'account/5000/GRT-1'"))
    assert 'href="/ledger/accounts/5000/GRT-1">5000/GRT-1</a>' in client.get(f"/ledger/entries/{account}").text
    said = {"kind": "erasure", "record": {"leaf": str(account), "code": "5000/GRT-1", "round": "<b>"}}
    with app.test_request_context():
        rows = said_in_words.pairs(said, "record")
    assert [str(value) for _name, value in rows] == [
        f'<a class="govuk-link" href="/ledger/entries/{account}">{account}</a>', "5000/GRT-1", "<b>"]


@pytest.mark.parametrize(("code", "called"), [
    ("1000", "Banc"), ("3100", "Enillion heb eu defnyddio eto"), ("3150/2026-27", "Terfyn 2026-27"),
    ("3250/2026-27", "Costau rhedeg 2026-27"), ("5000/GRT-1", "Grant GRT-1"), ("4000/E05000650", "Ardwick")])
def test_an_account_is_called_in_the_language_of_whoever_reads(client, fund, code, called):
    actions.open_account("3250/2026-27", name="Running costs 2026-27")
    client.set_cookie("language", "cy")
    page = client.get(f"/ledger/accounts/{code}").text
    assert f'<h1 class="govuk-heading-l">{called}</h1>' in page


def test_every_kind_of_the_posting_matrix_has_a_name_and_a_sentence(session):
    kinds = {row.kind for row in queries.posting_rules()}
    assert kinds == words.NAMES.keys()
    assert not [kind for kind in kinds if words.sentence(kind, "£1") == words.as_words(kind)]


def test_every_public_record_that_the_program_writes_has_a_sentence():
    """The kinds are read out of the program: the first word that is given to `append` or `append_later`."""
    calls = [node for path in FUND.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))
             if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[0], ast.Constant)
             and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("append", "append_later")]
    kinds = {node.args[0].value for node in calls}
    assert {"decision", "scores_sealed", "round_published", "price_recorded"} <= kinds
    assert not [kind for kind in kinds if words.sentence(kind, "") == words.as_words(kind)]


def test_a_record_with_too_much_inside_is_shown_as_its_bytes_have_it(app):
    deep: list = []
    for _ in range(900):
        deep = [deep]
    assert said_in_words.pairs({"record": {"deep": deep}}, "record")[0][1].startswith("[[[[")
