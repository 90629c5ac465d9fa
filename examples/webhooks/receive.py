"""Takes webhooks over HTTP and puts them into the queue: python receive.py [PORT]."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from moonq.client import Client
from moonq.errors import Invalid, MoonqError

MOST = 64 * 1024
moonq = Client(Path(__file__).parent)


class Receiver(BaseHTTPRequestHandler):
    """Answers as soon as the queue has the webhook: 202, or what it had against it."""

    timeout = 10

    def do_POST(self) -> None:
        """Publish the body as it came: the signature is one of these bytes."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST:
            return self.answer(413, "the length must be given, and at most 64 KiB")
        headers = {"signature": self.headers.get("Signature", "")}
        try:
            stored = moonq.publish("pay:webhooks", self.rfile.read(int(length)), headers=headers)
        except Invalid as problem:
            return self.answer(400, str(problem))  # no event: to send it again is of no use
        except MoonqError as problem:
            return self.answer(503, str(problem))  # the provider will send it again
        return self.answer(202, stored)

    def answer(self, status: int, text: str) -> None:
        """Send *status* with a line of text."""
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    port = int(sys.argv[1]) if sys.argv[1:] else 8080
    ThreadingHTTPServer(("127.0.0.1", port), Receiver).serve_forever()
