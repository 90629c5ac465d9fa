"""Where a broker is, and who we are there: `amqp://user:password@host:5672/vhost`.

    Address.parse("amqps://broker/%2Fshop").vhost --> "/shop"

What the address leaves out is RabbitMQ's default: guest, guest, port 5672 or 5671, and `/`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from moonq.errors import Invalid

LOOPBACK = "127.0.0.1"
PORTS = {"amqp": 5672, "amqps": 5671}
MECHANISMS = {"plain": "PLAIN", "external": "EXTERNAL"}
#: What other clients take from an address and an entry says in fields of its own.
_FIELDS = {
    "heartbeat": "heartbeat: 20s",
    "connection_timeout": "connection_timeout: 5s",
    "cacertfile": "tls: { ca: … }",
    "certfile": "tls: { cert: … }",
    "keyfile": "tls: { key: … }",
    "verify": "tls: { verify: … }",
}


@dataclass(frozen=True, slots=True)
class Address:
    """See the module; as text it has no password."""

    host: str = LOOPBACK
    port: int = PORTS["amqp"]
    user: str = "guest"
    password: str = field(default="guest", repr=False)
    vhost: str = "/"
    is_tls: bool = False
    mechanism: str = "PLAIN"
    """How we say who we are: PLAIN, or EXTERNAL, by our certificate."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Return what *url* names.

        Raises:
            Invalid: It is no such address; says what is wrong, without the password.
        """
        parts = _split(url)
        tls = parts.scheme == "amqps"
        host, port = parts.hostname or LOOPBACK, parts.port or PORTS[parts.scheme]
        user, password = (
            "guest" if part is None else unquote(part) for part in (parts.username, parts.password)
        )
        if parts.username and parts.password is None:
            raise Invalid(f"the address {_shown(parts)!r} has a user and no password")
        mechanism = _mechanism(parts)
        if mechanism == "EXTERNAL" and not tls:
            raise Invalid(
                f"the address {_shown(parts)!r} asks for EXTERNAL without TLS",
                hint="a certificate says who we are only over amqps://",
            )
        return cls(unquote(host), port, user, password, _vhost(parts), tls, mechanism)

    @property
    def place(self) -> str:
        """Host and port, as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        scheme = "amqps" if self.is_tls else "amqp"
        who = "" if self.mechanism == "EXTERNAL" else f"{quote(self.user, safe='')}@"
        return f"{scheme}://{who}{self.place}/{quote(self.vhost, safe='')}"


def _split(url: str) -> SplitResult:
    scheme = url.partition("://")[0]
    if scheme not in PORTS:
        raise Invalid(
            "the address of a broker begins with amqp:// or amqps://",
            hint="amqp://user:password@host:5672/vhost",
        )
    try:
        parts = urlsplit(url)
        _ = parts.port  # only looking at it tells whether it is one
    except ValueError:
        raise _unreadable() from None
    if "#" in url or "@" in parts.path:
        raise _unreadable()
    return parts


def _unreadable() -> Invalid:
    """Return the complaint about what may be the rest of a password: it shows nothing of it."""
    return Invalid(
        "the address of a broker cannot be read: its port is no number, or a '/', '#', '?' or '@'"
        " stands inside a name or password",
        hint="write such a character as %2F, %23, %3F or %40",
    )


def _vhost(parts: SplitResult) -> str:
    """Return the virtual host; with no more than a slash it is the one called `/`."""
    path = parts.path.removeprefix("/")
    if "/" in path and path != "/":
        raise Invalid(
            f"the address {_shown(parts)!r} has a virtual host with a '/' in it",
            hint=f"write /{quote(path, safe='%')}",
        )
    return unquote(path) or "/"


def _mechanism(parts: SplitResult) -> str:
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    wanted = asked.pop("auth_mechanism", "plain")
    for name in asked:
        instead = _FIELDS.get(name)
        raise Invalid(
            f"the address {_shown(parts)!r} says {name!r}, which is no part of it here",
            hint=f"write it as a field of the entry, {instead}" if instead else
            "only auth_mechanism=external may stand behind the '?'",
        )  # fmt: skip
    if wanted.lower() not in MECHANISMS:
        raise Invalid(
            f"the address {_shown(parts)!r} asks for auth_mechanism {wanted!r}",
            hint=f"it is one of {', '.join(MECHANISMS)}",
        )
    return MECHANISMS[wanted.lower()]


def _shown(parts: SplitResult) -> str:
    """Return the address without the password and what follows the path."""
    who = f"{parts.username}@" if parts.username else ""
    return f"{parts.scheme}://{who}{parts.netloc.rpartition('@')[2]}{parts.path}"
