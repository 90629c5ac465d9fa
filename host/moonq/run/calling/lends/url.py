"""Taking URLs apart and putting them together, by urllib."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import text

#: Bytes of a URL: more than any server takes.
LONGEST = 64 * 1024
#: What a URL cannot hold, and urllib would drop or let pass.
_STRANGE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029<>\"\\^`{|}]")


@lent(action=None, writes=False, waits=False)
def url_parse(caller: Caller, url: bytes) -> bytes:
    """Return the parts of a URL as a JSON object, without those that are not there."""
    found = _split("url.parse", url)
    parts: dict[str, Any] = {
        "scheme": found.scheme or None,
        "user": None if found.username is None else unquote(found.username),
        "password": None if found.password is None else unquote(found.password),
        "host": found.hostname or None,
        "port": found.port,
        "path": found.path,
        "query": found.query or None,
        "fragment": found.fragment or None,
    }
    return json.dumps({name: part for name, part in parts.items() if part is not None}).encode()


@lent(action=None, writes=False, waits=False)
def url_build(caller: Caller, parts: bytes) -> bytes:
    """Return the URL that *parts*, a JSON object as `url_parse` returns it, make."""
    given: dict[str, Any] = json.loads(parts)
    place = _netloc(given)
    path = str(given.get("path", ""))
    if place and path and not path.startswith("/"):
        path = f"/{path}"
    made = SplitResult(
        str(given.get("scheme", "")),
        place,
        quote(path, safe="/%:@!$&'()*+,;=~-._"),
        str(given.get("query", "")),
        quote(str(given.get("fragment", "")), safe="/%:@!$&'()*+,;=~-._?"),
    )
    url = urlunsplit(made).encode("utf-8", "surrogatepass")
    _split("url.build", url)
    return url


@lent(action=None, writes=False, waits=False)
def url_join(caller: Caller, base: bytes, reference: bytes) -> bytes:
    """Return what *reference* means on the page *base* (RFC 3986, section 5)."""
    for url in (base, reference):
        _split("url.join", url)
    return urljoin(text(base), text(reference)).encode()


def _split(where: str, url: bytes) -> SplitResult:
    if len(url) > LONGEST:
        raise Invalid(f"{where}: the URL has {len(url)} bytes, more than {LONGEST}")
    try:
        full = url.decode()
        if strange := _STRANGE.search(full):
            raise ValueError(f"{strange[0]!r} at byte {len(full[: strange.start()].encode()) + 1}")
        found = urlsplit(full)
        if found.port == 0:
            raise ValueError("port 0")
    except ValueError as problem:
        raise Invalid(f"{where}: not a URL: {problem}") from None
    return found


def _netloc(parts: dict[str, Any]) -> str:
    host = str(parts.get("host", ""))
    if not host:
        return ""
    place = f"[{host}]" if ":" in host else host
    if "port" in parts:
        place = f"{place}:{parts['port']}"
    if "user" not in parts:
        return place
    who = quote(str(parts["user"]), safe="")
    if "password" in parts:
        who = f"{who}:{quote(str(parts['password']), safe='')}"
    return f"{who}@{place}"
