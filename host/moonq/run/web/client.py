"""One client: connections that are kept open, and the rules for whom they go to.

It needs the library of `moonq[http]`, so `clients` loads this file when somebody asks for one.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpcore2
import httpx2

from moonq.registry import connecting
from moonq.run.web.addresses import Rules
from moonq.run.web.faults import BadAnswer, NotReached
from moonq.run.web.line import Backend, Line, Lines, refusal
from moonq.run.web.settings import WebSettings

#: Idle connections that are kept for the next request, and for how many seconds.
KEPT = 20
KEPT_FOR = 15.0


class Client:
    """Sends the requests of one entry; many threads may use it at once."""

    def __init__(self, settings: WebSettings, root: Path, *, is_production: bool) -> None:
        self.settings = settings
        self._root = root
        base = urlsplit(settings.base_url).hostname if settings.base_url else None
        self._rules = Rules.of(
            [*settings.allow, *([base] if base else [])], is_production=is_production
        )
        self._lock = threading.Lock()
        self._lines = Lines()
        self._pool: httpcore2.ConnectionPool | None = None
        self._at_work = 0
        self._is_retired = False

    def send(
        self,
        line: Line,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> httpx2.Response:
        """Return the answer, whose body is still to be read, in this thread and on *line*.

        Raises:
            QueueError: There is none.
        """
        self._look_at(url)
        asked = httpx2.Request(method, url, headers=dict(headers), content=body)
        sent = httpcore2.Request(
            method=method,
            url=httpcore2.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=asked.headers.raw,
            content=body or b"",
        )
        line.doing = "waiting for the answer"
        self._lines.line = line
        try:
            found = self._opened().handle_request(sent)
        except httpcore2.ProxyError as problem:
            raise NotReached(f"the proxy refuses to connect: {problem}") from None
        except httpcore2.ProtocolError as problem:
            raise BadAnswer(f"what came back is no answer: {_words(problem)}") from None
        except httpcore2.NetworkError as problem:
            raise NotReached(f"the connection broke while {line.doing}: {problem}") from None
        return httpx2.Response(
            found.status, headers=found.headers, stream=Body(found), extensions=found.extensions
        )

    def __enter__(self) -> Client:
        """Begin a call: what a reload has replaced is closed behind its last one."""
        with self._lock:
            self._at_work += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._at_work -= 1
            is_last = self._is_retired and not self._at_work
        self._lines.line = None
        if is_last:
            self.close()

    def retire(self) -> None:
        """Let calls that run come to their end; close then."""
        with self._lock:
            self._is_retired = True
            is_idle = not self._at_work
        if is_idle:
            self.close()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _opened(self) -> httpcore2.ConnectionPool:
        with self._lock:
            self._pool = self._pool or self._new_pool()
            return self._pool

    def _new_pool(self) -> httpcore2.ConnectionPool:
        proxy, place = self._proxy()
        return httpcore2.ConnectionPool(
            ssl_context=self._tls(),
            proxy=proxy,
            max_connections=None,
            max_keepalive_connections=KEPT,
            keepalive_expiry=KEPT_FOR,
            network_backend=Backend(self._lines, self._rules, place),
        )

    def _tls(self) -> ssl.SSLContext:
        tls = self.settings.tls
        if tls is not None:
            return connecting.context(tls, self._root)
        return httpx2.create_ssl_context(trust_env=False)

    def _proxy(self) -> tuple[httpcore2.Proxy | None, tuple[str, int] | None]:
        if self.settings.proxy is None:
            return None, None
        parts = urlsplit(self.settings.proxy)
        host, port = str(parts.hostname), parts.port or 80
        auth = (unquote(parts.username or ""), unquote(parts.password or ""))
        proxy = httpcore2.Proxy(
            httpcore2.URL(scheme="http", host=host, port=port, target="/"),
            auth=auth if parts.username is not None else None,
        )
        return proxy, (host, port)

    def _look_at(self, url: httpx2.URL) -> None:
        """Refuse what can be seen without a lookup: all there is to see when a proxy does that."""
        if self.settings.proxy is None:
            return
        host = url.raw_host.decode("ascii")
        for address in _known(host):
            if what := self._rules.refusal(address, host):
                raise refusal(host, address, what)


def _known(host: str) -> list[str]:
    """Return the addresses of *host* that everybody knows: its own, in any spelling, or ours."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return ["127.0.0.1"]
    try:
        return [str(ip_address(host))]
    except ValueError:
        pass
    try:
        return [socket.inet_ntoa(socket.inet_aton(name))]
    except OSError:
        return []


def _words(problem: Exception) -> str:
    return str(problem).rstrip(".")[:200]


class Body(httpx2.SyncByteStream):
    """The body of an answer, in pieces as they come."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        """Give the connection back, or close it where there is more to come."""
        self._answer.close()
