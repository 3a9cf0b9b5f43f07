"""A real mail server on loopback, for tests: it takes letters, or refuses them, as it is told."""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from fund import queue
from fund.db import session


class Letters:
    """What arrived. `refuses` gives an address (or `*`) the answer that its letters get in place of being taken."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, EmailMessage]] = []
        self.refuses: dict[str, str] = {}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Take the address, or say what the test wants said."""
        refusal = self.refuses.get(address) or self.refuses.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep the letter, once for each address that it was brought for."""
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.arrived += [(address, letter) for address in envelope.rcpt_tos]
        return "250 Kept"

    def post(self) -> list[tuple[str, EmailMessage]]:
        """Commit what the test did, do the work that is due, and give everything that has arrived so far."""
        session.commit()
        queue.run_all_due()
        return self.arrived

    def newest_to(self, address: str) -> EmailMessage:
        """The last letter to somebody, after doing the work that is due."""
        return [letter for to, letter in self.post() if to == address][-1]


def start_mail_server(letters: Letters) -> Controller:
    """A mail server on a free port; the caller stops it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(letters, hostname="127.0.0.1", port=port)
    controller.start()
    return controller
