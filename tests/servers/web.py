"""A web server with faults, in this process: what it does is in the path that it is asked for.

    with Web() as web:
        web.url                      # "http://127.0.0.1:40123"
        web.seen("/flaky")           # how many requests came for it

It speaks plain HTTP, HTTPS with a certificate of its own authority (`ca`), and as a proxy.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import select
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import trustme

#: Between two bytes of what is slow: much less than any time limit of a test.
DRIP = 0.02
#: For how long something hangs that nobody ends.
PATIENCE = 20.0
MIB = 1024 * 1024


class Request(NamedTuple):
    """What came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


class Connection:
    """One connection, with its requests."""

    def __init__(self, wire: socket.socket, number: int) -> None:
        self.wire = wire
        self.number = number
        self._file = wire.makefile("rb")

    def request(self) -> Request | None:
        line = self._file.readline(65536).decode("latin-1").split()
        if len(line) != 3:
            return None
        headers: dict[str, str] = {}
        while (found := self._file.readline(65536).strip()) != b"":
            name, _, value = found.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = self._file.read(int(headers.get("content-length", "0")))
        return Request(line[0], line[1], headers, body)

    def send(self, data: bytes) -> None:
        self.wire.sendall(data)

    def answer(
        self, status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def as_json(self, value: object, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), (("Content-Type", "application/json"),))

    def drip(self, data: Iterator[bytes]) -> None:
        end = time.monotonic() + PATIENCE
        for piece in data:
            if time.monotonic() > end or select.select([self.wire], [], [], DRIP)[0]:
                return
            self.send(piece)

    def hang(self) -> None:
        select.select([self.wire], [], [], PATIENCE)


class Web:
    """See the module."""

    def __init__(self, folder: Path) -> None:
        self._counts: Counter[str] = Counter()
        self._numbers = itertools.count(1)
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(self._tls)
        self.port = self._listen(self._serve)
        self.tls_port = self._listen(self._serve_tls)
        self.proxy_port = self._listen(self._serve_as_proxy)
        self.url = f"http://127.0.0.1:{self.port}"
        self.tls_url = f"https://localhost:{self.tls_port}"
        self.proxy_url = f"http://127.0.0.1:{self.proxy_port}"

    def seen(self, path: str) -> int:
        """How many requests came for *path*."""
        return self._counts[path]

    def _listen(self, serve: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0), backlog=64)

        def accept() -> None:
            while True:
                wire, _ = listener.accept()
                threading.Thread(target=self._safely, args=(serve, wire), daemon=True).start()

        threading.Thread(target=accept, name="web", daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    def _safely(self, serve: Callable[[socket.socket], None], wire: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), wire:
            serve(wire)

    def _serve_tls(self, wire: socket.socket) -> None:
        with self._tls.wrap_socket(wire, server_side=True) as secure:
            self._serve(secure)

    def _serve(self, wire: socket.socket) -> None:
        connection = Connection(wire, next(self._numbers))
        while (request := connection.request()) is not None:
            self._counts[request.path] += 1
            act = getattr(self, "_" + request.path.strip("/").replace("-", "_"), None)
            if act is None:
                connection.as_json({"error": "no such path"}, 404)
            elif act(connection, request) is False:
                return

    def _serve_as_proxy(self, wire: socket.socket) -> None:
        connection = Connection(wire, next(self._numbers))
        while (request := connection.request()) is not None:
            self._counts["proxy"] += 1
            if request.method == "CONNECT":
                self._tunnel(connection, request)
                return
            connection.as_json(
                {"asked": request.target, "auth": request.headers.get("proxy-authorization")}
            )

    def _tunnel(self, connection: Connection, request: Request) -> None:
        host, _, port = request.target.rpartition(":")
        if port != str(self.tls_port):
            connection.answer(403)
            return
        with socket.create_connection((host, int(port))) as there:
            connection.send(b"HTTP/1.1 200 Go on\r\n\r\n")
            both = {connection.wire: there, there: connection.wire}
            while True:
                for one in select.select([*both], [], [], PATIENCE)[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    both[one].sendall(data)

    # What it does -------------------------------------------------------------------------------

    def _echo(self, connection: Connection, request: Request) -> None:
        connection.as_json(
            {
                "method": request.method,
                "target": request.target,
                "headers": request.headers,
                "body": request.body.decode("latin-1"),
                "connection": connection.number,
            }
        )

    def _count(self, connection: Connection, request: Request) -> None:
        connection.as_json(self.seen(request.query["of"]))

    def _status(self, connection: Connection, request: Request) -> None:
        query = request.query
        headers = (("Retry-After", query["after"]),) if "after" in query else ()
        connection.answer(int(query["is"]), query.get("body", "").encode(), headers)

    def _head(self, connection: Connection, request: Request) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\nX-Is: there\r\n\r\n")

    def _several(self, connection: Connection, request: Request) -> None:
        connection.answer(200, b"", (("X-One", "a"), ("x-one", "b"), ("X-Umlaut", "\xe4")))

    def _binary(self, connection: Connection, request: Request) -> None:
        connection.answer(200, bytes(range(256)))

    def _large(self, connection: Connection, request: Request) -> None:
        connection.answer(200, (b"0123456789abcdef" * (int(request.query["size"]) // 16 + 1)))

    def _gzip(self, connection: Connection, request: Request) -> None:
        body = gzip.compress(b'{"packed":true}')
        connection.answer(200, body, (("Content-Encoding", "gzip"),))

    def _bomb(self, connection: Connection, request: Request) -> None:
        body = gzip.compress(bytes(30 * MIB), 9)
        connection.answer(200, body, (("Content-Encoding", "gzip"),))

    def _packed_twice(self, connection: Connection, request: Request) -> None:
        body = gzip.compress(gzip.compress(bytes(MIB)))
        connection.answer(200, body, (("Content-Encoding", "gzip, gzip"),))

    def _damaged(self, connection: Connection, request: Request) -> None:
        connection.answer(200, b"no gzip at all", (("Content-Encoding", "gzip"),))

    def _redirect(self, connection: Connection, request: Request) -> None:
        query = request.query
        headers = (("Location", query["to"]),)
        connection.answer(int(query.get("status", "302")), b"elsewhere", headers)

    def _loop(self, connection: Connection, request: Request) -> None:
        connection.answer(302, b"", (("Location", "/loop"),))

    # Faults -------------------------------------------------------------------------------------

    def _silent(self, connection: Connection, request: Request) -> bool:
        connection.hang()
        return False

    def _slow_body(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        connection.drip(itertools.repeat(b"x"))
        return False

    def _slow_headers(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        connection.drip(itertools.repeat(b"x"))
        return False

    def _slow_informational(self, connection: Connection, request: Request) -> bool:
        connection.drip(itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n"))
        return False

    def _cut(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
        return False

    def _cut_chunk(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly th")
        return False

    def _says_huge(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        connection.hang()
        return False

    def _endless(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1000):
            connection.send(b"10000\r\n" + bytes(65536) + b"\r\n")
        return False

    def _no_http(self, connection: Connection, request: Request) -> bool:
        connection.send(b"220 mail.example ESMTP\r\n")
        return False

    def _odd_status(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 okay then\r\n\r\n")
        return False

    def _odd_length(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")
        return False

    def _big_headers(self, connection: Connection, request: Request) -> bool:
        connection.send(b"HTTP/1.1 200 OK\r\nX-Big: " + b"x" * 300_000 + b"\r\n\r\n")
        return False

    def _gone(self, connection: Connection, request: Request) -> bool:
        return False

    def _flaky(self, connection: Connection, request: Request) -> bool:
        if self.seen("/flaky") % 3:
            return False
        connection.as_json("at last")
        return True

    def _closes(self, connection: Connection, request: Request) -> bool:
        """Answer as if the connection were kept, and close it."""
        connection.as_json({"connection": connection.number})
        return False


def settings(web: Web) -> dict[str, Any]:
    """Return the variables of the environment by which tests find it."""
    return {
        "MOONQ_TEST_HTTP": web.url,
        "MOONQ_TEST_HTTPS": web.tls_url,
        "MOONQ_TEST_PROXY": web.proxy_url,
        "MOONQ_TEST_CA": str(web.ca),
    }
