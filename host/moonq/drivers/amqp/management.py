"""RabbitMQ's management interface: what AMQP does not tell, asked over HTTP.

It counts what is delivered, to all hosts together. Its numbers are those of the broker's own
statistics, which are made anew every five seconds unless `collect_statistics_interval` says else.
"""

from __future__ import annotations

import ssl
import time
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from moonq.drivers.amqp.wire.address import Address
from moonq.errors import Invalid, QueueError, Refused, Unavailable
from moonq.text.json_in import parsed

PORTS = {"http": 15672, "https": 15671}
#: Real seconds for which one that did not answer is not asked again: counts are not to wait for it.
REST = 10.0
#: The most bytes of an answer that are read.
MOST = 1_000_000


class Management:
    """See the module; the virtual host, and who we are unless its url says it, are *address*'s."""

    def __init__(
        self, url: str, address: Address, *, tls: ssl.SSLContext | None, timeout: float
    ) -> None:
        parts = check(url)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._path = parts.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._timeout = timeout
        self._vhost = quote(address.vhost, safe="")
        self._user = unquote(parts.username) if parts.username else address.user
        password = unquote(parts.password or "") if parts.username else address.password
        self._credentials = b64encode(f"{self._user}:{password}".encode()).decode()
        self._until = 0.0
        self.problem: QueueError | None = None
        """Why it did not answer the last time."""

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self._host}:{self._port}"

    def unacknowledged(self, names: list[str]) -> int | None:
        """Return how many messages of these queues are delivered and not settled.

        None: it cannot be told; `problem` says why, if that is somebody's fault.
        """
        if time.monotonic() < self._until:
            return None
        try:
            found = [self._of(name) for name in names]
        except QueueError as problem:
            self.problem, self._until = problem, time.monotonic() + REST
            return None
        self.problem = None
        return None if None in found else sum(one for one in found if one is not None)

    def _of(self, name: str) -> int | None:
        answer = self.ask(f"/api/queues/{self._vhost}/{quote(name, safe='')}")
        if answer is None:
            return 0
        # A queue that was just made is in no statistics yet.
        number = answer.get("messages_unacknowledged")
        return number if isinstance(number, int) else None

    def check(self) -> str:
        """Return who answers there.

        Raises:
            Refused: It turns us away.
            Unavailable: Nobody answers, or it is something else.
        """
        answer = self.ask("/api/overview") or {}
        version = answer.get("management_version", answer.get("rabbitmq_version"))
        if version is None:
            raise self._something_else()
        return f"management {version} at {self.place}"

    def ask(self, path: str) -> dict[str, Any] | None:
        """Return the answer of one question; None: there is no such thing.

        Raises:
            Refused: It turns us away.
            Unavailable: Nobody answers, or it is something else.
        """
        connection = self._connection()
        try:
            headers = {"Authorization": f"Basic {self._credentials}"}
            connection.request("GET", f"{self._path}{path}", headers=headers)
            answer = connection.getresponse()
            code, body = answer.status, answer.read(MOST)
        except ssl.SSLError as problem:
            raise Unavailable(
                f"the management interface at {self.place}: TLS fails,"
                f" {(problem.reason or 'of an unknown reason').lower().replace('_', ' ')}",
                hint="check tls.ca, and whether management_url is to be http://",
            ) from None
        except (OSError, HTTPException) as problem:
            why = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
            raise Unavailable(
                f"the management interface at {self.place} does not answer: {why}",
                hint="enable rabbitmq_management at the broker, or correct management_url",
            ) from None
        finally:
            connection.close()
        return self._read(code, body)

    def _connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=self._timeout)
        return HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)

    def _read(self, code: int, body: bytes) -> dict[str, Any] | None:
        if code == 404:
            return None
        if code in {401, 403}:
            raise Refused(
                f"the management interface at {self.place} does not let user {self._user!r} in",
                hint="give it the tag `management`, and read rights in the virtual host; or name"
                " another user in management_url",
            )
        try:
            answer = parsed(body) if code == 200 else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._something_else(code)
        return answer

    def _something_else(self, code: int = 200) -> Unavailable:
        return Unavailable(
            f"{self.place} answers {code}, but not as RabbitMQ's management interface does",
            hint="correct management_url, such as http://broker:15672",
        )


def check(url: str) -> SplitResult:
    """Return the parts of *url*.

    Raises:
        Invalid: It is none; says nothing of a password.
    """
    hint = "write http://broker:15672, or http://user:password@broker:15672"
    try:
        parts = urlsplit(url)
        _ = parts.port  # only looking at it tells whether it is one
    except ValueError:
        raise Invalid("the address of the management interface cannot be read", hint=hint) from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise Invalid(
            "the address of the management interface begins with http:// or https:// and a host",
            hint=hint,
        )
    if parts.query or parts.fragment or "@" in parts.path:
        raise Invalid(
            "the address of the management interface has a '?', '#' or '@' behind its host",
            hint="write such a character of a password as %3F, %23 or %40",
        )
    if parts.username and parts.password is None:
        raise Invalid("the address of the management interface has a user and no password")
    return parts
