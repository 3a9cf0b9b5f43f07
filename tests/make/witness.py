"""A witness of C2SP's tlog-witness on loopback: it keeps the last size and root of a log, and cosigns what follows.

It is written against the specification with its own small parsing, and shares with the fund only the checking of
proofs, so that a mistake in what the fund sends is a refusal here.
"""

import base64
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fund.transparency import rules
from fund.transparency.formats import WITNESS_KEY, Signer, VerifierKey, read_note


class AWitness:
    """`url` takes checkpoints; `seen` is (size, root) by origin; `fails` is the status that it answers with instead."""

    def __init__(self, name: str, log_keys: list[VerifierKey], now: int = 1_806_570_600) -> None:
        self.signer = Signer.new(name, WITNESS_KEY)
        self.log_keys, self.now = log_keys, now
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.asked: list[int] = []
        self.fails = 0
        witness = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer, kind = witness.answer(self.path, body)
                witness.asked.append(status)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/w"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes, str]:
        text = "text/plain"
        if self.fails:
            return self.fails, b"", text
        if path != "/w/add-checkpoint":
            return 404, b"", text
        head, _, encoded = body.partition(b"\n\n")
        old_line, *proof_lines = head.decode().split("\n")
        if not old_line.startswith("old ") or len(proof_lines) > 63:
            return 400, b"", text
        old, proof = int(old_line[4:]), [base64.b64decode(line) for line in proof_lines]
        note = read_note(encoded)
        origin, size_text, root_text = note.text.split("\n")[:3]
        known = [key for key in self.log_keys if key.name == origin]
        if not known:
            return 404, b"", text
        if not any(key.has_signed(note) for key in known):
            return 403, b"", text
        size, root = int(size_text), base64.b64decode(root_text)
        seen_size, seen_root = self.seen.get(origin, (0, rules.EMPTY_ROOT))
        if old > size:
            return 400, b"", text
        if old != seen_size:
            return 409, f"{seen_size}\n".encode(), "text/x.tlog.size"
        if old == size and root != seen_root:
            return 409, f"{seen_size}\n".encode(), "text/x.tlog.size"
        if old == 0 and proof:
            return 422, b"", text
        if old and not rules.consistency_holds(old, size, seen_root, root, proof):
            return 422, b"", text
        self.seen[origin] = size, root
        return 200, self.signer.sign(note.text, self.now).line.encode(), text
