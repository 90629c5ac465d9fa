"""Plays the payment provider: sends webhooks, and answers what became of a payment.

python provider.py [URL]    # where webhooks go; without one it only answers
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

HERE = os.environ.get("PROVIDER_URL", "http://127.0.0.1:8090")
SECRET = os.environ["WEBHOOK_SECRET"]
PAYMENTS = {
    "pay_1": {"account": "ada", "amount": "12.50", "currency": "EUR"},
    "pay_2": {"account": "ada", "amount": "7.25", "currency": "EUR"},
    "pay_3": {"account": "grace", "amount": "1250", "currency": "JPY"},
}
#: What is asked before it is known: 503, the first time.
too_early = {"/payments/pay_2"}
#: What is sent, and the key that signs it: one comes twice, one is forged, one is no event.
WEBHOOKS = [
    ('{"id": "evt_1", "type": "payment.succeeded", "payment": "pay_1"}', SECRET),
    ('{"id": "evt_2", "type": "payment.succeeded", "payment": "pay_2"}', SECRET),
    ('{"id": "evt_1", "type": "payment.succeeded", "payment": "pay_1"}', SECRET),
    ('{"id": "evt_3", "type": "payment.succeeded", "payment": "pay_3"}', SECRET),
    ('{"id": "evt_4", "type": "payment.succeeded", "payment": "pay_1"}', "guessed"),
    ('{"id": "evt_5", "type": "payment.succeeded", "payment": "../admin"}', SECRET),
]


class Provider(BaseHTTPRequestHandler):
    """Says what became of a payment."""

    def do_GET(self) -> None:
        """Answer for /payments/ID."""
        payment = PAYMENTS.get(self.path.removeprefix("/payments/"))
        is_busy = self.path in too_early
        too_early.discard(self.path)
        self.send_response(503 if is_busy else 200 if payment else 404)
        if is_busy:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(b"" if is_busy else json.dumps(payment).encode())

    def log_message(self, form: str, *args: object) -> None:
        """Show which question got which answer."""
        print("asked:", form % args, flush=True)


def send(url: str, body: str, key: str) -> None:
    """Send one webhook, and show what the receiver says."""
    signature = "sha256=" + hmac.digest(key.encode(), body.encode(), hashlib.sha256).hex()
    request = Request(url, body.encode(), {"Signature": signature})  # noqa: S310
    try:
        with urlopen(request, timeout=10) as response:  # noqa: S310
            print("sent: ", body, response.status, flush=True)
    except HTTPError as refused:
        with refused:
            print("sent: ", body, refused.status, refused.read().decode().strip(), flush=True)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(HERE).port or 80), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for url in sys.argv[1:]:
        for body, key in WEBHOOKS:
            send(url, body, key)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
