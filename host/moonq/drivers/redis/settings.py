"""How a Redis server is reached: the fields that every entry has that names one."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from moonq.registry.common import Strict
from moonq.registry.connecting import Reconnecting, Tls
from moonq.registry.fields import Flag, wrong

PORT = 6379
SENTINEL_PORT = 26379
#: Valkey's own words for the same protocol come along.
_TLS = {"redis": False, "rediss": True, "valkey": False, "valkeys": True, "unix": False}
_LOCAL = "127.0.0.1"


class Address(NamedTuple):
    """What a url says."""

    host: str = _LOCAL
    port: int = PORT
    path: str = ""
    """The file of a Unix socket; host and port mean nothing then."""
    is_tls: bool = False
    username: str = ""
    password: str = ""
    database: int = 0

    def __repr__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """The url without its password, for people."""
        user = f"{self.username}@" if self.username else ""
        if self.path:
            return f"unix://{user}{self.path}" + (f"?db={self.database}" if self.database else "")
        scheme = "rediss" if self.is_tls else "redis"
        return f"{scheme}://{user}{spelt(self.host, self.port)}/{self.database}"


def spelt(host: str, port: int) -> str:
    """Return *host* and *port* in one word."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def address(url: str) -> Address:
    """Return what *url* says.

    Raises:
        ValueError: It makes no sense; the text holds nothing of the url, which may hold a password.
    """
    scheme, separator, _ = url.partition("://")
    if scheme not in _TLS or not separator:
        known = ", ".join(f"{name}://" for name in _TLS)
        raise ValueError(f"must begin with one of {known}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("has brackets or letters that no host has") from None
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        raise ValueError(
            "has a `/`, `?`, `#` or `@` in its user or password: write them %2F, %3F, %23 and %40"
        )
    try:
        port = parts.port
    except ValueError:
        raise ValueError("has no number from 1 to 65535 as its port") from None
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    database = asked.pop("db", "" if scheme == "unix" else parts.path.strip("/")) or "0"
    found = Address(
        host=unquote(parts.hostname or _LOCAL),
        port=port or PORT,
        path=unquote(parts.path) if scheme == "unix" else "",
        is_tls=_TLS[scheme],
        username=unquote(asked.pop("username", "") or parts.username or ""),
        password=unquote(parts.password or "") or asked.pop("password", ""),
        database=_database(database),
    )
    if scheme == "unix" and (parts.hostname or found.path in {"", "/"}):
        raise ValueError("must name the socket's file from the root: unix:///run/redis.sock")
    if asked:
        raise ValueError(f"has `{min(asked)}`, but may end with no more than `?db=NUMBER`")
    return found


def _database(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("must end with the number of a database, such as /0")
    return int(text)


def _host(text: str) -> tuple[str, int]:
    """Return host and port of a sentinel."""
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.query or parts.username:
        raise ValueError("must name hosts such as `10.0.0.1:26379`")
    try:
        return parts.hostname, parts.port or SENTINEL_PORT
    except ValueError:
        raise ValueError("names a port that is no number from 1 to 65535") from None


class Sentinel(Strict):
    """The sentinels that know which server is the master."""

    master: str = Field(min_length=1, description="The name under which they watch it.")
    hosts: list[str] = Field(min_length=1, description="The sentinels, such as `10.0.0.1:26379`.")
    username: str = Field("", description="The name for the sentinels, where they want one.")
    password: str = Field("", description="The password for the sentinels, where they want one.")

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            try:
                _host(host)
            except ValueError as problem:
                raise wrong(f"`hosts` {problem}") from None
        return hosts

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Host and port of each."""
        return [_host(host) for host in self.hosts]


class RedisSettings(Reconnecting):
    """Where the server is; mixed into an entry's model."""

    url: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        "redis://127.0.0.1:6379/0",
        description="Where the server is: `redis://`, `rediss://` (TLS) or `unix://`, with user,"
        " password and database.",
    )
    sentinel: Sentinel | None = Field(
        None,
        description="Who says which server is the master; of `url` only user, password and database"
        " hold.",
    )
    cluster: Flag = Field(False, description="Whether `url` is a node of a cluster.")
    tls: Tls | None = Field(
        None, description="Certificates, for an address that begins with `rediss://`."
    )

    @field_validator("url")
    @classmethod
    def _makes_sense(cls, url: str) -> str:
        try:
            address(url)
        except ValueError as problem:
            raise wrong(f"`url` {problem}") from None
        return url

    @model_validator(mode="after")
    def _fits_together(self) -> RedisSettings:
        found = self.address
        if self.tls and not found.is_tls:
            raise wrong("`tls` needs a url that begins with rediss://", help="write rediss://")
        if self.cluster and self.sentinel:
            raise wrong("`cluster` and `sentinel` exclude each other", help="leave one of them out")
        if self.cluster and found.database:
            raise wrong("`cluster` has database 0 only", help="end the url with /0")
        if found.path and (self.cluster or self.sentinel):
            what = "cluster" if self.cluster else "sentinel"
            raise wrong(f"`{what}` needs hosts, a unix:// url names none", help="write redis://")
        return self

    @property
    def address(self) -> Address:
        """What `url` says."""
        return address(self.url)

    @property
    def where(self) -> str:
        """The server in words for people, without any password."""
        found = self.address
        if self.sentinel:
            hosts = ", ".join(spelt(*one) for one in self.sentinel.addresses)
            return f"the master {self.sentinel.master!r} of the sentinels at {hosts}"
        return f"the cluster at {found.shown}" if self.cluster else found.shown
