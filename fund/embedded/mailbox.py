"""The demo's mailbox: takes every mail, keeps each as a file, and shows them on a page of its own.

It stands for the mail programs of the demo's people, so that a visitor can open the sign-in mail and press its link.
It sends nothing on, and its page changes nothing. Run as `python -m fund.embedded.mailbox`.
"""

import argparse
import asyncio
import email.policy
import html
import itertools
import re
import signal
import sys
import threading
import time
from email.message import EmailMessage
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from fund.embedded.process import Child, accepts, answers

#: A mail's file name: the nanosecond in which it came, and a counter for two in the same one.
NAME = re.compile(r"[0-9]{19}-[0-9]{6}\.eml")
LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:)]")
MOST_SHOWN = 200
MOST_BYTES = 5_000_000


def child(folder: Path, smtp_port: int, page_port: int) -> Child:
    """The mailbox on loopback: mail is brought to `smtp_port`, and read at `page_port`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fund.embedded.mailbox", str(folder), str(smtp_port), str(page_port)]
    return Child("mailbox", "the mailbox", command, lambda: accepts(smtp_port) and answers(page_port),
                 ports=[smtp_port, page_port], patience=20)


class Keeper:
    """Writes each mail that is brought to a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = itertools.count()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep the mail whole before saying that it was taken; a disk that is full is the sender's to know."""
        name = f"{time.time_ns():019d}-{next(self.count) % 1_000_000:06d}.eml"
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content or "").encode()
        scratch = self.folder / f".{name}"
        try:
            scratch.write_bytes(content)
            scratch.replace(self.folder / name)
        except OSError as error:
            return f"452 The mailbox cannot keep it: {error.strerror}"
        return "250 Kept"


def names(folder: Path) -> list[str]:
    """The mails that are kept, newest first."""
    return sorted((path.name for path in folder.iterdir() if NAME.fullmatch(path.name)), reverse=True)


def read(folder: Path, name: str) -> EmailMessage:
    """One mail."""
    return BytesParser(policy=email.policy.default).parsebytes((folder / name).read_bytes())


def words(message: EmailMessage) -> str:
    """What a mail says in plain text."""
    body = message.get_body(preferencelist=("plain",))
    try:
        return str(body.get_content()) if body is not None else ""
    except (LookupError, UnicodeError, KeyError):
        return "(This mail cannot be read as text.)"


def with_links(text: str) -> str:
    """Plain text as HTML: everything escaped, addresses made links."""
    parts, end = [], 0
    for found in LINK.finditer(text):
        address = html.escape(found.group())
        parts += [html.escape(text[end:found.start()]), f'<a href="{address}" rel="noreferrer">{address}</a>']
        end = found.end()
    return "".join([*parts, html.escape(text[end:])])


STYLE = """
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 0 auto; padding: 1rem; color: #1f1b16;
       background: #fbf8f2; overflow-wrap: anywhere }
h1 { font-size: 1.5rem } li { margin: 0 0 1rem } ul { list-style: none; padding: 0 } .when { color: #5b534a }
pre { font: inherit; white-space: pre-wrap; background: #fff; padding: 1rem; border: 1px solid #d9d1c3 }
a { color: #0b4f6c } a:focus { outline: 3px solid #f2b632; outline-offset: 2px }
"""


def page(title: str, content: str) -> bytes:
    """A whole page."""
    return (f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
            f"<body><main>{content}</main></body></html>").encode("utf-8", "replace")


def _when(name: str) -> str:
    return time.strftime("%-d %B %Y, %H:%M:%S", time.localtime(int(name.split("-")[0]) / 1e9))


def list_page(folder: Path) -> bytes:
    """Every mail, newest first."""
    rows = []
    for name in names(folder)[:MOST_SHOWN]:
        mail = read(folder, name)
        rows.append(f'<li><a href="/{name}">{html.escape(str(mail["subject"] or "(no subject)"))}</a><br>'
                    f'To {html.escape(str(mail["to"] or "nobody"))}<br><span class="when">{_when(name)}</span></li>')
    content = "<h1>Mailbox of the demo</h1><p>Every mail that the fund sent comes here, whoever it was for. "
    content += "Nothing leaves this computer.</p>"
    content += f"<ul>{''.join(rows)}</ul>" if rows else "<p>No mail yet. Load this page again when you expect one.</p>"
    return page("Mailbox of the demo", content)


def mail_page(folder: Path, name: str) -> bytes:
    """One mail, with links that can be pressed."""
    mail = read(folder, name)
    subject = str(mail["subject"] or "(no subject)")
    return page(subject, f'<p><a href="/">All mail</a></p><h1>{html.escape(subject)}</h1>'
                         f'<p>To {html.escape(str(mail["to"] or "nobody"))}<br>'
                         f'From {html.escape(str(mail["from"] or "nobody"))}<br>'
                         f'<span class="when">{_when(name)}</span></p><pre>{with_links(words(mail))}</pre>')


def handler_of(folder: Path) -> type[BaseHTTPRequestHandler]:
    """What answers the page's requests: two kinds of GET, and nothing else."""

    class Reader(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            # Another site's page must not read these mails by a host name that it points at this machine.
            if (self.headers.get("Host") or "").rsplit(":", 1)[0] not in {"127.0.0.1", "localhost"}:
                return self.answer(400, page("Wrong address", "<h1>Open this page as 127.0.0.1</h1>"))
            wanted = self.path.split("?", 1)[0].lstrip("/")
            if wanted == "":
                return self.answer(200, list_page(folder))
            if NAME.fullmatch(wanted) and (folder / wanted).exists():
                return self.answer(200, mail_page(folder, wanted))
            return self.answer(404, page("No such mail", '<h1>No such mail</h1><p><a href="/">All mail</a></p>'))

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            for header, value in {
                "Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(content)),
                "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
                "Content-Security-Policy":
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'",
            }.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a mail's address is nobody's to log."""

    return Reader


async def serve(folder: Path, smtp_port: int, page_port: int) -> None:
    """Take mail and show it until asked to stop."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    keeper = Keeper(folder)
    mail = await loop.create_server(
        lambda: SMTP(keeper, hostname="mailbox.demo", data_size_limit=MOST_BYTES, enable_SMTPUTF8=True),
        "127.0.0.1", smtp_port)
    pages = ThreadingHTTPServer(("127.0.0.1", page_port), handler_of(folder))
    pages.daemon_threads = True
    threading.Thread(target=pages.serve_forever, daemon=True).start()
    await asked.wait()
    mail.close()
    pages.shutdown()
    pages.server_close()


def main() -> None:
    """The process that `child` starts."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("smtp_port", type=int)
    arguments.add_argument("page_port", type=int)
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(given.folder, given.smtp_port, given.page_port))


if __name__ == "__main__":
    main()
