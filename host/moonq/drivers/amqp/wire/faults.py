"""What can go wrong with a broker, each as one sentence that names the cause.

A fault that only a change of credentials, TLS or rights mends is `Refused`; all else is
`Unavailable`, and worth another try. No sentence has a password in it.
"""

from __future__ import annotations

import socket
import ssl

from moonq.drivers.amqp.wire.address import Address
from moonq.errors import QueueError, Refused, Unavailable

#: First bytes of what a TLS server says to one who does not speak TLS: an alert.
ALERT = b"\x15\x03"
ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, NOT_ALLOWED = 403, 404, 406, 530
RIGHTS = (
    "it has to configure, write and read the names of moonq, dead-letter exchange included:"
    " rabbitmqctl set_permissions -p VHOST USER '.*' '.*' '.*'"
)
_KINDS = {
    ACCESS_REFUSED: "PERMISSION_DENIED",
    NOT_FOUND: "NOT_FOUND",
    405: "CONFLICT",
    PRECONDITION_FAILED: "CONFLICT",
}


class ChannelClosed(QueueError):
    """The broker closed a channel, for what was asked of it there."""

    code: int  # type: ignore[misc, assignment]
    """AMQP's own, such as 404."""

    def __init__(self, code: int, text: str, method: tuple[int, int]) -> None:
        is_right = code == ACCESS_REFUSED and "access to" in text
        super().__init__(f"the broker refuses: {text}", hint=RIGHTS if is_right else "")
        self.code = code
        self.text = text
        self.method = method
        """Class and method of what it refused; zeros where it says nothing."""
        self.kind = _KINDS.get(code, "UNAVAILABLE")


def unreachable(address: Address, error: OSError) -> Unavailable:
    """Return why no connection came about."""
    place = address.place
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return Unavailable(f"the name of {place} cannot be looked up just now")
        return Unavailable(f"nobody knows a host called {address.host!r}")
    if isinstance(error, ConnectionRefusedError):
        return Unavailable(
            f"nothing listens at {place}", hint="start the broker there, or correct its address"
        )
    if isinstance(error, TimeoutError):
        return Unavailable(f"{place} does not answer in time")
    return Unavailable(f"{place} cannot be reached: {error.strerror or error}")


def mute(address: Address) -> Unavailable:
    """Return that whoever listens there does not speak."""
    hint = "" if address.is_tls else "check its address; a TLS port needs amqps://"
    return Unavailable(
        f"{address.place} takes the connection and says nothing of AMQP in time", hint=hint
    )


def lost(address: Address, error: Exception | None = None) -> Unavailable:
    """Return that a connection ended without a word, or by *error*."""
    if isinstance(error, ssl.SSLError):
        return Unavailable(f"{address.place} ended the TLS connection: {_reason(error)}")
    why = f": {error.strerror}" if isinstance(error, OSError) and error.strerror else ""
    return Unavailable(f"{address.place} has cut the connection{why}")


def silent(address: Address, seconds: float) -> Unavailable:
    """Return that nothing was heard for so long."""
    return Unavailable(f"{address.place} was not heard of for {seconds:.0f} s: it is given up")


def garbled(address: Address, what: str) -> Unavailable:
    """Return that what came is no AMQP, after it had been for a while."""
    return Unavailable(f"{address.place} sent what is not AMQP: {what}")


def not_amqp(address: Address, said: bytes) -> Unavailable:
    """Return that whoever listens there speaks something else; *said* are its first bytes."""
    place = address.place
    if said.startswith(ALERT) and not address.is_tls:
        return Unavailable(f"{place} speaks TLS", hint="write amqps://, or name its plain port")
    if said.startswith(b"AMQP"):
        version = ".".join(map(str, said[5:8]))
        return Unavailable(f"{place} speaks AMQP {version} only, and moonq 0.9.1")
    if said:
        return Unavailable(f"{place} is no AMQP broker: it says {said[:40]!r}")
    hint = "" if address.is_tls else "check its address; a TLS port needs amqps://"
    return Unavailable(f"{place} ends the connection without a word of AMQP", hint=hint)


def no_tls(address: Address, error: Exception | None) -> QueueError:
    """Return why TLS did not come about."""
    place = address.place
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(
            f"the certificate of {place} is not trusted: {error.verify_message.rstrip('.')}",
            hint="name its authority as tls.ca, or the host by a name in the certificate",
        )
    if isinstance(error, ssl.SSLError) and "ALERT" not in (error.reason or ""):
        return Unavailable(
            f"{place} does not speak TLS: {_reason(error)}",
            hint="write amqp://, or name its TLS port",
        )
    if isinstance(error, ssl.SSLError):
        return Refused(
            f"{place} refuses our TLS: {_reason(error)}", hint="check tls.cert and tls.key"
        )
    return Unavailable(f"{place} ends the connection in the TLS handshake")


def closed(address: Address, code: int, text: str) -> QueueError:
    """Return why the broker closed the connection, in its words."""
    if code == ACCESS_REFUSED:
        return Refused(
            f"{address.place} does not let {_who(address)} in: {text}",
            hint=_credentials(address),
        )
    if code == NOT_ALLOWED and "limit" not in text:
        return Refused(
            f"{address.place} does not let {_who(address)} in: {text}",
            hint="make the virtual host, or name one in the address" if "not found" in text else "",
        )
    return Unavailable(f"{address.place} closed the connection: {text}")


def mechanism_missing(address: Address, offered: str) -> Refused:
    """Return that the broker does not take what we would prove ourselves by."""
    return Refused(
        f"{address.place} does not take {address.mechanism}, only {offered}",
        hint="EXTERNAL needs rabbitmq_auth_mechanism_ssl and auth_mechanisms on the broker",
    )


def _who(address: Address) -> str:
    return "our certificate" if address.mechanism == "EXTERNAL" else f"user {address.user!r}"


def _credentials(address: Address) -> str:
    if address.mechanism == "EXTERNAL":
        return "check tls.cert, and that a user of the broker has the name in it"
    return "check name and password; guest may only come from the broker's own machine"


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ")
