"""The two connections of a driver: one to publish by, one to consume by, through `urls` in turn.

A broker that is short of memory or disk blocks a connection that publishes; verdicts go through the
other one, which must go on.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from moonq.drivers.amqp.entry import AmqpFields
from moonq.drivers.amqp.management import Management
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.connection import Connection
from moonq.errors import QueueError, Refused, Unsupported
from moonq.registry import connecting

#: The oldest broker that has what is needed: dead letters at least once.
OLDEST = (3, 10)


class Links:
    """See the module; `connect` is for one thread at a time."""

    def __init__(
        self,
        fields: AmqpFields,
        root: Path,
        name: str,
        on_blocked: Callable[[str | None], None],
        on_lost: Callable[[QueueError], None],
    ) -> None:
        self._fields = fields
        self._addresses = [_address(fields, url) for url in fields.addresses]
        self._tls = context(fields, root)
        self._name = name
        self._on_blocked = on_blocked
        self._on_lost = on_lost
        self._next = 0
        self._life = threading.Lock()
        self.publishing: Connection | None = None
        self.consuming: Connection | None = None

    @property
    def where(self) -> str:
        """Where the broker is, for people."""
        return ", ".join(address.place for address in self._addresses)

    @property
    def is_open(self) -> bool:
        """Whether both connections are."""
        links = self.publishing, self.consuming
        return all(link is not None and link.is_open for link in links)

    @property
    def address(self) -> Address:
        """The node that took us; it must be connected."""
        assert self.consuming is not None
        return self.consuming.address

    def connect(self) -> None:
        """Open both, at the first node that takes them.

        Raises:
            Refused: A node turns us away, and no other one takes us.
            Unavailable: None of them answers; says what the last one did.
            Unsupported: The broker is older than is needed.
        """
        self.close(time.monotonic())
        problem: QueueError | None = None
        for _ in self._addresses:
            address = self._addresses[self._next % len(self._addresses)]
            try:
                self._connect(address)
            except QueueError as found:
                problem = found if not isinstance(problem, Refused) else problem
                self._next += 1
            else:
                return
        assert problem is not None
        raise problem

    def _connect(self, address: Address) -> None:
        consuming = self._open(address, "consumes")
        try:
            if consuming.version < OLDEST:
                raise Unsupported(
                    f"{consuming.product or 'the broker'} at {address.place} is version"
                    f" {'.'.join(map(str, consuming.version))}: RabbitMQ 3.10 or later is needed"
                )
            publishing = self._open(address, "publishes")
        except BaseException:
            consuming.close(time.monotonic())
            raise
        self.consuming, self.publishing = consuming, publishing

    def _open(self, address: Address, does: str) -> Connection:
        connection = Connection(
            address,
            name=f"{self._name} {does}".strip(),
            heartbeat=self._fields.heartbeat,
            timeout=self._fields.connection_timeout,
            tls=self._tls,
            on_blocked=self._on_blocked,
            on_closed=self._on_lost,
        )
        connection.open()
        return connection

    def close(self, deadline: float) -> None:
        """Close both until *deadline*, in real monotonic seconds."""
        for connection in (self.publishing, self.consuming):
            if connection is not None:
                connection.close(deadline)
        self.publishing = self.consuming = None


def reach(fields: AmqpFields, root: Path) -> str:
    """Return who answers there, and change nothing.

    Raises:
        QueueError: Nobody does, or turns us away; says why.
    """
    links = Links(fields, root, "moonq doctor", lambda reason: None, lambda problem: None)
    try:
        links.connect()
        consuming = links.consuming
        assert consuming is not None
        version = ".".join(map(str, consuming.version))
        found = f"{consuming.product} {version} at {consuming.address}"
        asked = management(fields, root)
        return found if asked is None else f"{found}, {asked.check()}"
    finally:
        with contextlib.suppress(QueueError):
            links.close(time.monotonic() + 2.0)


def management(fields: AmqpFields, root: Path) -> Management | None:
    """Return what counts for us, where the entry names it.

    Raises:
        Refused: A file of its certificates is not there, or is no certificate.
    """
    if fields.management_url is None:
        return None
    # Counts do not wait for long: it is asked while others wait for an answer.
    timeout = min(fields.connection_timeout, 2.0)
    address = _address(fields, fields.addresses[0])
    return Management(fields.management_url, address, tls=context(fields, root), timeout=timeout)


def context(fields: AmqpFields, root: Path) -> ssl.SSLContext | None:
    """Return how TLS is spoken; None: as the system does.

    Raises:
        Refused: A file is not there, or is no certificate; names it.
    """
    return None if fields.tls is None else connecting.context(fields.tls, root)


def _address(fields: AmqpFields, url: str) -> Address:
    address = Address.parse(url)
    return address if fields.vhost is None else replace(address, vhost=fields.vhost)
