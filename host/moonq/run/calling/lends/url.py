"""Taking URLs apart and putting them together, by urllib."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from moonq.errors import Invalid
from moonq.run.calling.lending import Caller, lent
from moonq.sandbox.lend import text

#: Bytes of a URL: more than any server takes.
LONGEST = 64 * 1024
#: What a URL cannot hold, and urllib would drop or let pass.
_STRANGE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029<>\"\\^`{|}]")

#: What stands for itself in a path, and with `?` in a query and a fragment; `%` is escaped already.
_SAFE = "/%:@!$&'()*+,;=~-._"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
#: Scheme, authority, path, query and fragment (RFC 3986, appendix B); None for what is not there.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)


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
    scheme, query, fragment = given.get("scheme"), given.get("query"), given.get("fragment")
    url = _written(
        scheme or None,
        place if place or scheme != "file" else "",
        quote(path, safe=_SAFE),
        query and quote(str(query), safe=_SAFE + "?"),
        fragment and quote(str(fragment), safe=_SAFE + "?"),
    )
    _check_built(given | {"path": path}, _split("url.build", url))
    return url


@lent(action=None, writes=False, waits=False)
def url_join(caller: Caller, base: bytes, reference: bytes) -> bytes:
    """Return what *reference* means on the page *base* (RFC 3986, section 5.2)."""
    for url in (base, reference):
        _split("url.join", url)
    old_scheme, old_place, old_path, old_query, _ = _taken(base)
    scheme, place, path, query, fragment = _taken(reference)
    if scheme is None and place is None and not path:
        path, query = old_path, old_query if query is None else query
    elif scheme is None and place is None and not path.startswith("/"):
        above = "/" if old_place is not None and not old_path else old_path
        path = _without_dots(above[: above.rfind("/") + 1] + path)
    else:
        path = _without_dots(path)
    if scheme is None:
        scheme, place = old_scheme, old_place if place is None else place
    if place is None and path.startswith("//"):
        path = f"/.{path}"
    return _written(scheme, place, path, query, fragment)


def _written(
    scheme: str | None, place: str | None, path: str, query: str | None, fragment: str | None
) -> bytes:
    """Return the URL of these parts (section 5.3); what is None is not there."""
    parts = ((scheme, "{}:"), (place, "//{}"), (path, "{}"), (query, "?{}"), (fragment, "#{}"))
    made = "".join(form.format(part) for part, form in parts if part is not None)
    return made.encode("utf-8", "surrogatepass")


def _taken(url: bytes) -> tuple[str | None, str | None, str, str | None, str | None]:
    found = _PARTS.fullmatch(text(url))
    assert found
    return found[1], found[2], found[3], found[4], found[5]


def _without_dots(path: str) -> str:
    """Return a path without its steps `.` and `..` (section 5.2.4)."""
    kept: list[str] = []
    steps = path.split("/")
    for step in steps:
        if step == "..":
            # Nothing lies above the root, nor above where a relative path begins.
            if kept and kept != [""]:
                kept.pop()
        elif step != ".":
            kept.append(step)
    if steps[-1] in (".", "..") and path not in (".", ".."):
        kept.append("")
    return "/".join(kept)


def _check_built(given: dict[str, Any], found: SplitResult) -> None:
    """Refuse parts that would be read as others: `host = "me@evil.example"`."""
    scheme, host = str(given.get("scheme", "")), str(given.get("host", ""))
    if scheme and not _SCHEME.fullmatch(scheme):
        raise Invalid(f"url.build: scheme: {scheme[:64]!r} is none")
    if not host:
        for name in ("user", "password", "port"):
            if name in given:
                raise Invalid(f"url.build: {name}: there is no host beside it")
    elif "password" in given and "user" not in given:
        raise Invalid("url.build: password: there is no user beside it")
    read = {"scheme": found.scheme, "host": found.hostname or "", "path": unquote(found.path)}
    for name, wanted in (("scheme", scheme.lower()), ("host", host.lower())):
        if read[name] != wanted:
            raise Invalid(f"url.build: {name}: {wanted[:64]!r} would be read as {read[name]!r}")
    path = str(given["path"])
    if read["path"] != unquote(path):
        raise Invalid(f"url.build: path: {path[:64]!r} would be read as {found.path[:64]!r}")


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


def _netloc(parts: dict[str, Any]) -> str | None:
    host = str(parts.get("host", ""))
    if not host:
        return None
    place = f"[{host}]" if ":" in host else host
    if "port" in parts:
        place = f"{place}:{parts['port']}"
    if "user" not in parts:
        return place
    who = quote(str(parts["user"]), safe="")
    if "password" in parts:
        who = f"{who}:{quote(str(parts['password']), safe='')}"
    return f"{who}@{place}"
