"""The URL of a database, taken apart and checked without its driver.

parse("postgresql://shop:${env:PASSWORD}@db.example/shop?sslmode=require")
parse("sqlite:///data/shop.db").file(root)     # root / "data/shop.db"
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from moonq.text.suggestions import close, question

#: Scheme -> what SQLAlchemy calls it.
SCHEMES: Mapping[str, str] = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
#: What a URL may say behind its question mark.
_OPTIONS: Mapping[str, frozenset[str]] = {
    "sqlite": frozenset(),
    "postgresql": frozenset(
        [
            "application_name",
            "channel_binding",
            "gssencmode",
            "host",
            "hostaddr",
            "keepalives",
            "keepalives_count",
            "keepalives_idle",
            "keepalives_interval",
            "load_balance_hosts",
            "options",
            "passfile",
            "port",
            "require_auth",
            "service",
            "sslcert",
            "sslcrl",
            "sslkey",
            "sslmode",
            "sslnegotiation",
            "sslpassword",
            "sslrootcert",
            "target_session_attrs",
            "tcp_user_timeout",
        ]
    ),
    "mysql": frozenset(
        ["ssl_ca", "ssl_capath", "ssl_cert", "ssl_check_hostname", "ssl_key", "unix_socket"]
    ),
}
_COMMON = {"postgres": "postgresql", "pgsql": "postgresql", "psql": "postgresql"}


class Wrong(ValueError):
    """What is wrong with a URL, and what to do."""

    def __init__(self, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.help = help_


class Address(NamedTuple):
    """A URL that makes sense."""

    url: str
    scheme: str
    path: str
    """Of the file; only SQLite has one."""

    @property
    def make(self) -> str:
        """Which make of database: sqlite, postgresql or mysql."""
        return "mysql" if self.scheme == "mariadb" else self.scheme

    def for_library(self) -> str:
        """Return it as SQLAlchemy wants it."""
        return SCHEMES[self.scheme] + self.url[len(self.scheme) :]

    def file(self, root: Path) -> Path:
        """Return the file of SQLite's; relative paths begin at *root*, the project's folder."""
        return root / self.path


def parse(url: str) -> Address:
    """Return *url* taken apart.

    Raises:
        Wrong: Nothing can be done with it.
    """
    scheme, found = _scheme(url)
    make = "mysql" if scheme == "mariadb" else scheme
    for key, _ in parse_qsl(found.query, keep_blank_values=True):
        if key not in _OPTIONS[make]:
            known = question(close(key, _OPTIONS[make])) or "leave it out"
            raise Wrong(f"`{key}` is no option of a {scheme} URL", known)
    if make == "sqlite":
        return Address(url, scheme, _path(url, found))
    if not found.path.strip("/"):
        raise Wrong("`url` names no database", f"write `{scheme}://user@host/database`")
    return Address(url, scheme, "")


def _scheme(url: str) -> tuple[str, SplitResult]:
    scheme, colon, _ = url.partition("://")
    try:
        found = urlsplit(url)
        _ = found.port
    except ValueError as problem:
        raise Wrong(f"`url` cannot be read: {problem}") from None
    bare = scheme.partition("+")[0]
    if not colon or scheme not in SCHEMES:
        likely = _COMMON.get(bare, bare if bare in SCHEMES else "")
        known = ", ".join(f"{one}://" for one in SCHEMES)
        raise Wrong(
            "`url` is of no database that moonq knows",
            f"begin it with {likely}://" if likely else f"begin it with one of {known}",
        )
    return scheme, found


def _path(url: str, found: SplitResult) -> str:
    if found.netloc:
        raise Wrong(
            "a file's URL names no host",
            "write `sqlite:///shop.db` with three slashes, or four for a path from the root",
        )
    path = unquote(found.path[1:])
    if found.query or found.fragment or path in {"", ":memory:"} or path.endswith("/"):
        raise Wrong(
            "`url` must name a file", "write `sqlite:///shop.db`; for memory use a store.memory"
        )
    if "\0" in path or "$" in path or path.startswith(("~", "file:")):
        raise Wrong("`url` must name a file as it is on the disk", "write its path plainly")
    normal = os.path.normpath(path)
    if not normal.startswith("/") and normal.split("/")[0] == "..":
        raise Wrong(
            "a relative path lies below the project",
            "leave the `..` out, or write the full path with four slashes",
        )
    return normal
