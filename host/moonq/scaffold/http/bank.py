"""Plays the bank on this machine, so that there is something to ask: python3 bank.py [PORT]."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: The ids of charges, by their keys.
charges: dict[str, str] = {}


class Bank(BaseHTTPRequestHandler):
    """Charges whatever is asked for, once for each key."""

    def do_POST(self) -> None:
        """Answer 201 and the id of the charge."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Idempotency-Key", "")
        charge = charges.setdefault(key, f"c-{len(charges) + 1}")
        self.send_response(201)
        self.end_headers()
        self.wfile.write(json.dumps({"id": charge}).encode())


if __name__ == "__main__":
    port = int(sys.argv[1]) if sys.argv[1:] else 8090
    ThreadingHTTPServer(("127.0.0.1", port), Bank).serve_forever()
