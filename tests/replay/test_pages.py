"""What a rehearsal shows: on every page, file and e-mail the words that say what it is, and beside a real group's name
no invented score, reason or interest."""

import html
import re
from collections import deque
from urllib.parse import urldefrag, urljoin, urlsplit

import sqlalchemy as sa

from fund import queue
from fund.db import session as fund_session
from fund.notifications import actions as letters
from fund.notifications.models import Message
from fund.replay import actions
from tests.client import PageClient
from tests.replay.test_actions import FILE, a_rehearsal

SAYS = "Rehearsal: real grants, invented scores and payments"
#: One of each sort of person: staff, the chair, a reader, a member who read nothing, and one group.
WHO = ("officer@%", "approver@%", "authoriser@%", "member-1@%", "member-3@%", "group-%")
#: How the pages write a reader's points, a median and a score.
POINTS = re.compile(r"\b[0-5](\.5)? of 5\b|\bscore is \d")


def text_of(response):
    """What a person or a program reads: entities resolved, tags and blanks taken out of HTML."""
    if response.mimetype == "application/pdf":
        return ""  # no text to be read here; what it must say is said in the header too
    body = response.get_data(as_text=True)
    if response.mimetype != "text/html":
        return body
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def hidden_addresses():
    """Pages of the panel to which nothing links once a sitting is closed, but which their addresses still open."""
    sittings = fund_session.scalars(sa.text("SELECT id FROM sitting ORDER BY id")).all()
    references = fund_session.scalars(sa.text("SELECT reference FROM application ORDER BY reference")).all()
    return [*(f"/panel/sittings/{id_}{page}" for id_ in sittings for page in ("", "/close", "/join")),
            *(f"/panel/applications/{reference}{page}" for reference in references
              for page in ("", "/interest", "/scores", "/score/1", "/lock", "/reasons"))]


def crawl(client, begin):
    """Every page and file that links reach from these addresses."""
    seen, waiting = set(begin), deque(begin)
    while waiting:
        address = waiting.popleft()
        response = client.get(address)
        if response.status_code in range(300, 400):
            links = [response.headers["Location"]]
        elif response.status_code == 200:
            yield address, response
            links = re.findall(r'(?:href|src)="([^"]+)"', response.get_data(as_text=True)) \
                if response.mimetype == "text/html" else []
        else:
            links = []
        for link in links:
            to = urlsplit(urldefrag(urljoin(f"http://localhost{address}", html.unescape(link)))[0])
            path = to.path + (f"?{to.query}" if to.query else "")
            if to.netloc == "localhost" and not path.startswith(("/static", "/ledger/entries")) and path not in seen:
                seen.add(path)
                waiting.append(path)


def test_every_page_and_file_says_what_it_is_and_shows_nothing_invented_beside_a_name(server, database):
    with a_rehearsal(server, database, "p") as app:
        app.test_client_class = PageClient
        names = {one.grant.recipient_name for one in actions.rehearse(FILE.read_bytes(), []).plan.drives}
        addresses = ["/", "/ledger/entries", "/panel", "/waiting", "/batches", *hidden_addresses()]
        a_person = sa.text("SELECT id FROM person WHERE email LIKE :like ORDER BY email LIMIT 1")
        people = [fund_session.execute(a_person, {"like": like}).one() for like in WHO]
        named = 0
        for person in (None, *people):
            client = app.test_client()
            if person is not None:
                client.sign_in(person)
            for address, response in crawl(client, addresses):
                text = text_of(response)
                assert SAYS in text or SAYS in response.headers.get("Fund-Rehearsal", ""), address
                if any(name in text for name in names) or address.startswith("/applications/"):
                    named += 1
                    assert actions.REASON not in text, address
                    assert not POINTS.search(text), f"{address}: {POINTS.search(text)}"
        assert named > 30
        _every_letter_says_it(names)
        payment_files = fund_session.scalars(sa.text("SELECT bytes FROM payment_file")).all()
        assert payment_files
        assert all(SAYS.encode() in bytes(made) for made in payment_files)


def _every_letter_says_it(names):
    queue.run_all_due(only="decisions.")
    found = list(fund_session.scalars(sa.select(Message).order_by(Message.id)))
    assert {"decision_awarded", "offer", "stage_paid", "panel_to_read"} <= {letter.template for letter in found}
    for letter in found:
        built = letters._built(letter)
        text = built.get_content()
        assert text.startswith(SAYS)
        assert str(built["Subject"]).startswith("Rehearsal: ")
        assert not (actions.REASON in text and any(name in text for name in names))
