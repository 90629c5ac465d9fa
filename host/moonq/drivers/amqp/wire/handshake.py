"""How a connection begins: who we are, what both sides can do, which virtual host."""

from __future__ import annotations

import math
import platform
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from pamqp import base, commands, exceptions, frame, header

import moonq
from moonq.drivers.amqp.wire import faults, frames
from moonq.drivers.amqp.wire.address import Address
from moonq.drivers.amqp.wire.stream import Stream
from moonq.errors import QueueError

Method = TypeVar("Method", bound=base.Frame)
#: What we understand of what a broker may tell unasked.
ABILITIES = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
    "exchange_exchange_bindings": True,
    "publisher_confirms": True,
}
#: The largest frame that we ask for, and the smallest that AMQP allows.
FRAME_MAX, FRAME_MIN = 131_072, 4096


class Terms(NamedTuple):
    """What both sides agreed on."""

    properties: Mapping[str, Any]
    """What the broker says of itself."""
    frame_max: int
    channel_max: int
    heartbeat: int
    """Seconds; 0: none."""


class Handshake:
    """See the module."""

    def __init__(self, stream: Stream, address: Address, name: str, deadline: float) -> None:
        self._stream = stream
        self._address = address
        self._name = name
        self._deadline = deadline
        self._said = b""
        """The first bytes that came: they tell who is there."""
        self.rest = b""
        """What came, and is not looked at: in the end, what the connection begins with."""

    def run(self, heartbeat: float) -> Terms:
        """Come to terms with the broker.

        Raises:
            Refused, Unavailable: There are none; says why.
        """
        try:
            return self._run(heartbeat)
        except (ValueError, exceptions.UnmarshalingException):
            raise faults.not_amqp(self._address, self._said) from None
        except TimeoutError:
            raise faults.mute(self._address) from None
        except ssl.SSLError as error:
            raise faults.no_tls(self._address, error) from None
        except OSError as error:
            raise self._ended(error) from None

    def _run(self, heartbeat: float) -> Terms:
        self._stream.send(header.ProtocolHeader().marshal())
        start = self._receive(commands.Connection.Start)
        properties: Mapping[str, Any] = start.server_properties or {}
        self._send(
            commands.Connection.StartOk(
                client_properties=self._introduction(),
                mechanism=self._mechanism(start.mechanisms),
                response=self._proof(),
                locale="en_US",
            )
        )
        tune = self._receive(commands.Connection.Tune)
        terms = Terms(
            properties,
            max(FRAME_MIN, _least(FRAME_MAX, tune.frame_max or 0)),
            _least(2047, tune.channel_max or 0),
            _least(math.ceil(heartbeat), tune.heartbeat or 0) if heartbeat else 0,
        )
        self._send(commands.Connection.TuneOk(terms.channel_max, terms.frame_max, terms.heartbeat))
        self._send(commands.Connection.Open(virtual_host=self._address.vhost))
        self._receive(commands.Connection.OpenOk)
        return terms

    def _introduction(self) -> dict[str, Any]:
        return {
            "product": "moonq",
            "version": moonq.__version__,
            "platform": f"Python {platform.python_version()}",
            "connection_name": self._name,
            "capabilities": ABILITIES,
        }

    def _mechanism(self, offered: Any) -> str:
        if self._address.mechanism not in str(offered).split():
            raise faults.mechanism_missing(self._address, str(offered))
        return self._address.mechanism

    def _proof(self) -> str:
        if self._address.mechanism == "EXTERNAL":
            return ""
        return f"\0{self._address.user}\0{self._address.password}"

    def _send(self, method: base.Frame) -> None:
        self._stream.send(frame.marshal(method, 0))

    def _receive(self, wanted: type[Method]) -> Method:
        """Return the next method, which is the one that is *wanted*."""
        while not (size := frames.first(self.rest, FRAME_MAX)):
            self.rest += self._read()
        got = frame.unmarshal(self.rest[:size])[2]
        self.rest = self.rest[size:]
        if isinstance(got, commands.Connection.Close):
            raise faults.closed(self._address, got.reply_code or 0, got.reply_text or "")
        if not isinstance(got, wanted):
            raise ValueError(f"something else, where {wanted.name} is due")
        return got

    def _read(self) -> bytes:
        if not self._stream.wait(self._deadline - time.monotonic()):
            raise TimeoutError
        data = self._stream.receive()
        if data == b"":
            raise self._ended(None)
        self._said = self._said or (data or b"")[:80]
        if self._said[:1] not in {b"", b"\1"}:
            raise ValueError("no frame of a method")
        return data or b""

    def _ended(self, error: OSError | None) -> QueueError:
        """Return why it ended: a broker that has not said a word is none."""
        if self._said:
            return faults.lost(self._address, error)
        return faults.not_amqp(self._address, b"")


def _least(ours: int, theirs: int) -> int:
    """Return the lesser of two bounds; 0 is none."""
    return min(ours, theirs) if theirs else ours
