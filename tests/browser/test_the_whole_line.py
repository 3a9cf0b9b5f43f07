"""The whole line once, as everybody whom the rules require: from a stranger's postcode to a stranger's proof.

One fund is started as `make run` starts it (PostgreSQL, Valkey, rq, S3, mailbox, bank), on the morning before anybody
has applied. The group and the panel walk on a phone, 320 pixels wide, without scripts; the fund's own people and the
strangers at a desk. Nobody is told anything but by a page or a letter.
"""

import hashlib
import json
import re

import pytest

from fund.app import create_app
from fund.db import db, session
from fund.decisions import rules
from fund.demo import load, story
from fund.kernel import clock
from fund.replay import bank
from fund.settings import Settings
from tests.browser.walk import Eyes, Fund
from tests.embedded.conftest import ports, room  # noqa: F401  fixtures
from tests.make.whole import Run

pytestmark = [pytest.mark.browser, pytest.mark.whole]

WREN = "wren@example.org"
GROUP, TITLE = "Neighbours of Ivy Street", "A bench halfway up Ivy Street"
WHAT = "We put in one bench and a planter in April. The council says we may. Joe next door fixes it to the ground."
FOR_WHOM = "People who cannot get up the hill without a rest. We counted thirty-one of them in a week."
PLAN = "The bench first, from the firm that quoted. Then the planter, and soil from the garden centre."
#: What a reader gives, and why, by how they stand to the others.
SCORES = {"low": (3, "The planter will need somebody who waters it."),
          "middle": (4, "The hill is steep and it is cheap."),
          "high": (5, "I walk there every day: this is what is missing.")}
AGREED = "We agreed that this is strong: it is cheap, and the people who need it were asked."


@pytest.fixture
def fund(room, ports, built, new_page):  # noqa: F811
    """The fund, running, on the morning before its first application."""
    run = Run(room / "var", ports)
    try:
        run.until_ready()
        addresses = json.loads((run.var / "run" / "addresses.json").read_text())
        app = create_app(Settings(_env_file=None, **{
            name.lower(): value for name, value in addresses.items()
            if name.lower() in Settings.model_fields and name != "REDIS_URL"}))  # its sweeper finds what is asked for
        with app.app_context():
            load.begin()
            bank.open_the_fund_account()
            bank.move_to(clock.today())
            session.remove()
            db.engine.dispose()
        yield Fund(run, new_page, Eyes(new_page()))
    finally:
        run.stop()


def test_the_whole_line_as_everybody_whom_the_rules_require(fund):
    stranger = fund.walker("stranger", phone=False)
    _is_my_place_in(stranger)
    wren = fund.walker("wren", phone=True)
    reference = _apply(fund, wren)
    _officer_finds_that_it_fits(fund)
    tied = _readers_score(fund, reference)
    _panel_decides(fund, tied)
    _group_reads_why(fund, wren, reference)
    grant = _group_signs(fund, wren)
    _three_hands_pay(fund)
    payment = _money_arrives(fund, wren, grant)
    _stranger_follows_it_back(stranger, payment)
    _stranger_looks_who_touched_it(stranger)
    _stranger_checks_the_books(stranger, payment)


def _is_my_place_in(stranger):
    """Step 3: a postcode, without an account."""
    stranger.open("/").write("Is your place in?", "bl15sf").press("See what is set aside")
    stranger.sees("is set aside for Smithills", "BL1 5SF", "What is open now", "Small grants",
                  "How great the need is around BL1 5SF", "Deprivation", "Community need", "English Indices of")
    assert len(re.findall(r"Number [\d,]+ of [\d,]+", stranger.text)) == 2, stranger.text
    stranger.open("/places?postcode=ZZ1+1ZZ", status=404).sees("ZZ1 1ZZ", "Try")


def _apply(fund, wren):
    """Step 4: sign in on the way, say who we are, write, leave, come back, send once. Gives the reference."""
    wren.open("/places?postcode=BL1+5SF").follow("See it and ask for money").press("Apply")
    wren.sees("Sign in").write("Your e-mail address", WREN).press("Send me the link")
    code = re.search(r"^    ([0-9]{6})\s*$", fund.letter(WREN, "Your code is"), re.M)[1]
    wren.write("The code from the e-mail", code).press("Sign in").sees("Apply in Smithills").press("Begin")
    wren.follow("Who you are").choose("Just us: a few people").press("Go on")
    wren.write("What shall we call you?", GROUP).press("Go on")
    wren.write("What do you want to do, in one line?", TITLE).write("Tell us more", WHAT)
    wren.press("Save and come back later").sees(TITLE, "Saved on")

    wren.open("/").press("Sign out")
    wren.open("/waiting").write("Your e-mail address", WREN).press("Send me the link")
    again = fund.letter(WREN, "Your code is", but=code)
    wren.open(re.search(r"http://\S+/sign-in/link/\S+", again)[0]).press("Sign in")
    wren.sees(f"Finish your application: {TITLE}").follow("Carry on").follow("What you want to do")
    assert wren.page.get_by_label("Tell us more").input_value() == WHAT
    wren.press("Save and go on").write("Who is it for, and what will be better", FOR_WHOM)
    wren.write("Where will it happen?", "Ivy Street, BL1 5SF").press("Save and go on")
    wren.write("Line 1: what", "The bench, fixed").write("How much, line 1", "620")
    wren.write("Line 2: what", "A planter with soil").write("How much, line 2", "80")
    wren.write("How much are you asking for?", "700").press("Save and go on")
    wren.choose("No").press("Save and go on")
    wren.page.locator("input[type=file]").set_input_files(
        {"name": "the-hill.txt", "mimeType": "text/plain", "buffer": b"Two quotes for the bench: 620 and 655 pounds."})
    wren.press("Add this file").sees("the-hill.txt").press("Go on")
    wren.sees("What becomes public, and when", "If the panel says yes", "Never", WHAT, FOR_WHOM, "the-hill.txt")
    check = wren.page.url
    wren.press("Send it now").sees("We have your application")
    reference = re.search(r"APP-[0-9A-Z-]+", wren.text)[0]
    assert reference in fund.letter(WREN, f"We have your application {reference}")
    wren.open(check).does_not_see("Send it now")
    wren.open("/applications").sees(TITLE)
    assert wren.text.count(TITLE) == 1, wren.text
    wren.follow(TITLE).sees("We check that it fits").follow("Read what you sent").sees(WHAT)
    return reference


def _officer_finds_that_it_fits(fund):
    """Step 4 ends: an officer says that it fits, and nothing about how good it is."""
    quinn = fund.be(story.OFFICERS[0])
    quinn.sees(TITLE).follow("Check it").sees(WHAT).choose("Yes, put it before the panel").press("Say so")


def _readers_score(fund, reference):
    """Step 5: one reader is tied to it and is replaced, one asks the chair, all score alone and lock.

    Gives the tied one.
    """
    chair = story.MEMBERS[0]
    first = fund.wait_for(lambda: len(fund.readers(reference)) == 3 and fund.readers(reference), "three readers")
    tied, doubtful, free = sorted(first, key=lambda one: (one == chair, one.key))

    out = fund.be(tied, phone=True).follow("Say so").does_not_see(WHAT)
    out.press("Say so and go on", status=422).sees("Choose the sentence that fits best.")
    out.choose("My neighbour or a friend runs it").press("Say so and go on").sees("You are out of this one.")
    for page in ("", "/score/1", "/lock", "/scores"):
        out.open(f"/panel/applications/{reference}{page}").sees("You are out of this one.")
        out.does_not_see(WHAT, "Why this number?")
    fund.be(tied, phone=True).does_not_see(TITLE)

    unsure = fund.be(doubtful, phone=True).follow("Say so").choose("I am not sure").press("Say so and go on")
    unsure.sees("The chair answers next").open(f"/panel/applications/{reference}").does_not_see(WHAT)
    fund.letter(chair.email, f"A member asks: may I score {reference}?")
    fund.be(chair, phone=True).follow("Answer it").choose("Note it").press("Answer")

    _score(fund, doubtful, "low", begin="Read it")
    _score(fund, free, "high", but=SCORES["low"][1])
    [substitute] = fund.wait_for(lambda: fund.readers(reference) - first, "a reader in place of the tied one")
    _chair_cannot_close(fund, "Readers who have not locked their scores yet: 1.")
    _score(fund, substitute, "middle", but=SCORES["high"][1])
    return tied


def _score(fund, reader, how, *, begin="Say so", but="nothing that anybody wrote"):
    """A reader says that they know nobody (unless they asked), reads, scores, stops, comes back and locks."""
    points, reason = SCORES[how]
    reading = fund.be(reader, phone=True).follow(begin)
    if begin == "Say so":
        reading.choose("I know nobody behind it").press("Say so and go on")
    reading.sees(WHAT, FOR_WHOM, "the-hill.txt", "£700").does_not_see(but).follow("Score it")
    for number in range(1, 5):
        if number == 3:
            reading = fund.be(reader, phone=True).follow("Go on").sees("2 left").follow("Score it")
        reading.choose(f"{points} –").write("Why this number?", reason).press("Save and go on").does_not_see(but)
    reading.sees("Check and lock your scores").press("Lock my scores").sees("What the readers gave", reason)


def _chair_cannot_close(fund, why):
    chair = fund.be(story.MEMBERS[0], phone=True).open("/panel").follow("See the sitting")
    chair.follow("See what would be decided").sees("What is left before you can close", why)
    chair.does_not_see("Close the sitting and decide")


def _panel_decides(fund, tied):
    """Step 5: without a quorum nothing can be closed; with one, the decision follows from the rule."""
    *four, fifth = [one for one in story.MEMBERS if one != tied][:5]
    for member in four:
        _take_part(fund, member)
    _chair_cannot_close(fund, "4 members take part without an interest. 5 are needed.")
    _take_part(fund, fifth)
    chair = fund.be(story.MEMBERS[0], phone=True).follow("See what is left")
    chair.follow("Write down the panel’s reasons").unfold("What the readers gave, and why")
    chair.sees(*(reason for _points, reason in SCORES.values()))
    for box in chair.page.get_by_role("textbox").all():
        box.fill(AGREED)
    chair.press("Save the reasons")
    chair = fund.be(story.MEMBERS[0], phone=True).follow("Close it").sees(TITLE, "80")
    chair.choose("I have read what will be decided").press("Close the sitting and decide")
    chair.sees("What your panel decided", TITLE, "£700")


def _take_part(fund, member):
    joining = fund.be(member, phone=True).follow("Take part")
    if "I know nobody behind it" in joining.text:
        joining.choose("I know nobody behind it")
    joining.press("Take part").sees("You take part in the decision.")


def _group_reads_why(fund, wren, reference):
    """Step 5 ends: the panel's agreed reasons, and no member's name or words."""
    assert AGREED in fund.letter(WREN, f"Yes: the panel funds {reference}")
    wren.open("/applications").follow(TITLE).follow("The panel decided: Funded")
    wren.sees("What the panel said", AGREED)
    assert wren.text.count(AGREED) == 4
    wren.does_not_see(*(reason for _points, reason in SCORES.values()))
    assert not re.findall(rf"\b({'|'.join(one.name for one in story.MEMBERS)})\b", wren.text)


def _group_signs(fund, wren):
    """Step 6: the offer is signed, and a host near by is asked and agrees to receive the money. Gives the grant."""
    assert "£700" in fund.letter(WREN, "Your offer of £700")
    wren.open("/waiting").follow("Read the offer").sees("We offer you £700", "When the money comes", "Up front")
    grant = re.search(r"GRT-[0-9A-Z-]+", wren.text)[0]
    wren.press("Say yes and sign", status=422).sees("Tick the box")
    wren.write("How will you spend it?", PLAN).choose("I may sign for my group").press("Say yes and sign")
    wren.follow("Say where the money goes").follow("Ask an organisation to be your host")
    wren.choose(story.TRUST.name).press("Ask them").sees(f"You asked {story.TRUST.name}")
    # Cerys reads in Welsh: "Answer", and "Yes, we will receive it".
    cerys = fund.be(story.CERYS, phone=True).sees(GROUP).follow("Ateb").press("Ie, byddwn yn ei dderbyn")
    cerys.sees(f"Rydych yn derbyn arian ar ran {GROUP}.")
    wren.open("/waiting").follow("Say where the money goes").choose(story.TRUST.name).press("Send it there")
    wren.sees("We read your agreement and plan.", f"{story.TRUST.name} receives the money for you.")
    return grant


def _three_hands_pay(fund):
    """Step 6: one officer accepts what was shown, a second approves, a third authorises."""
    quinn, sara, una = (fund.be(one[0]) for one in (story.OFFICERS, story.APPROVERS, story.AUTHORISERS))
    sara.does_not_see(GROUP)
    una.does_not_see("Put one approved payment together")
    quinn.sees(f"Read what {GROUP} sent for stage 1.").follow("Read it").sees(PLAN)
    quinn.choose("Yes, accept it").press("Send my answer")
    sara.open("/waiting").sees(f"Approve the payment of stage 1 to {GROUP}.").follow("Look at it")
    sara.sees(PLAN, story.TRUST.name).choose("I have read what was promised").press("Approve £")
    una.open("/waiting").follow("Look at them").press("Put them together").follow("Go on to authorise it")
    una.choose("I have compared the total").press("Authorise £")


def _money_arrives(fund, wren, grant):
    """Step 6 ends: the file goes to the bank, its answer and its statement come back, and the group is told.

    Gives the payment's reference.
    """
    una = fund.be(story.AUTHORISERS[0])
    una.open("/batches").follow("LUCF").until("The bank is paying.").sees("What the bank answered", "pain.002")
    batch = una.page.url
    wren.open(f"/grants/{grant}").sees("The payment is on its way.").does_not_see("was paid on")
    for _day in range(10):
        una.open("/batches").press("Demo: let a day pass at the bank")
        if "Every payment has ended." in una.open(batch).text:
            break
    una.sees("Every payment has ended.", "Paid on")
    letter = fund.letter(WREN, "Paid: £")
    bank_reference = re.search(r"The bank's reference: (\S+)", letter)[1]
    wren.open(f"/grants/{grant}").sees("was paid on", bank_reference)
    payment = re.search(r"look for (LUCF[0-9A-Z]+)", wren.text)[1]
    una.open("/statements").sees(payment, bank_reference)
    una.does_not_see("Lines that match no payment")
    return payment


def _stranger_follows_it_back(stranger, payment):
    """Step 7: from the payment to every tranche, each with its share."""
    stranger.open("/ledger").follow("Follow a pound").write("Reference of a payment", payment.lower())
    stranger.press("Follow it").sees(
        f"Payment {payment}", "The bank paid it", "The residents’ panel of Smithills decided",
        "The group asked for £700", "was set aside for Smithills", "was drawn from what the endowment had earned",
        "The whole endowment earned")
    shares = [pence(row.locator("td").last.inner_text()) for row in stranger.page.locator("table tbody tr").all()]
    assert len(shares) == len(story.TRANCHES)
    assert sum(shares) == 70_000
    stranger.sees(*(reference for _sender, reference, _pence, _scheme in story.TRANCHES))


def _stranger_looks_who_touched_it(stranger):
    """Step 7: who is not of the panel and did something, by office and never by name; and the decision, worked out."""
    trail = stranger.page.url
    stranger.follow("Who else touched this?").sees("Scores, interests and the decision: none.", "An officer",
                                                   "An approver", "An authoriser")
    staff = [*story.OFFICERS, *story.APPROVERS, *story.AUTHORISERS, *story.MEMBERS]
    assert not re.findall(rf"\b({'|'.join(one.name for one in staff)})\b", stranger.text)
    stranger.open(trail).follow("How it was decided").sees("Score 80", "£700")
    data = stranger.page.request.get(stranger.page.get_by_role("link", name="all its applications as numbers")
                                     .evaluate("link => link.href")).json()
    [decided] = rules.recompute(data)
    assert (decided["score_tenths"], decided["outcome"], decided["amount_pence"]) == (800, "awarded", "70000")
    stranger.open(trail)


def _stranger_checks_the_books(stranger, payment):
    """Step 7 ends: the accounts balance, and the line of the payment is the leaf that its hash says."""
    trail = stranger.page.url
    stranger.open("/ledger").sees("The two sides are the same, to the penny.")
    has, owes, rest = (pence(one.inner_text()) for one in stranger.page.locator("tfoot .fund-amount").all())
    assert has == owes + rest > 0
    stranger.open(trail).follow("Its entry in the ledger").sees("Check it yourself")
    shown = re.search(r"\b[0-9a-f]{64}\b", stranger.text)[0]
    with stranger.page.expect_download() as saved:
        stranger.page.get_by_role("link", name="Save leaf-").click()
    assert hashlib.sha256(b"\0" + saved.value.path().read_bytes()).hexdigest() == shown


def pence(words):
    """The pence of an amount as a page writes it."""
    pounds, _point, rest = words.replace("£", "").replace(",", "").replace("−", "-").strip().partition(".")
    return int(pounds) * 100 + int(rest or 0)
