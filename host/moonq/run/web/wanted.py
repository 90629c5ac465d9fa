"""What a script asks for, read and checked: the request as it will be sent.

one = wanted(settings, b"GET", b"/accounts?id=7", b'{"timeout":5}', b"")
str(one.url)   # "https://bank.example/accounts?id=7"
one.shown      # "GET https://bank.example/accounts": for people, policies and logs
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from moonq import __version__
from moonq.errors import Invalid
from moonq.run.web.settings import WebSettings, header_problem
from moonq.text import extras, urls

if TYPE_CHECKING:
    import httpx2

#: Redirects that one call may follow.
MAX_FOLLOW = 20
MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024
_METHOD = re.compile(r"[A-Z][A-Z-]{0,19}")
#: One makes a tunnel to anywhere, the other has secrets sent back.
_NO_METHODS = frozenset({"CONNECT", "TRACE"})
_ESCAPED_DOT = re.compile(r"%2e", re.IGNORECASE)
#: What some servers read as `/../`.
_DISGUISED = re.compile(r"(%2f|%5c)\.\.(/|%2f|%5c|$)|/\.\.(%2f|%5c)", re.IGNORECASE)
_HOST = re.compile(rb"[a-z0-9._-]{1,253}|[0-9a-f:.]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
#: httpx2 has the parts of a URL, and brings `idna` along.
WHAT = "the library behind the module `http`"


class Wanted(NamedTuple):
    """One request, before any redirect."""

    method: str
    url: httpx2.URL
    own: Mapping[str, str]
    """Headers that the script gives."""
    shared: Mapping[str, str]
    """Headers that the entry gives, with its `auth`."""
    body: bytes | None
    timeout: float
    follow: int

    @property
    def resource(self) -> str:
        """The URL as policies and people see it: without a query, which may hold secrets."""
        return urls.shown(str(self.url))

    @property
    def shown(self) -> str:
        """Method and URL, for people."""
        return f"{self.method} {self.resource}"


def wanted(
    settings: WebSettings, method: bytes, url: bytes, options: bytes, body: bytes | None
) -> Wanted:
    """Return the request that a script means; *options* are a JSON object of `http.Options`.

    Raises:
        Invalid: It makes no sense; says what, and holds no secret of it.
        Unsupported: The library is not installed.
    """
    asked: dict[str, Any] = json.loads(options) if options else {}
    own = _headers(asked.get("headers") or {}, asked.get("content_type"))
    timeout = asked.get("timeout")
    target = url_of(_joined(settings, _text(url)), asked.get("query") or "")
    base = settings.base_url and url_of(settings.base_url)
    return Wanted(
        _method(method),
        target,
        own,
        # A URL that comes with a message must not take our credentials elsewhere.
        _shared(settings) if not base or is_same_place(base, target) else {},
        body,
        settings.timeout if timeout is None else float(timeout),
        min(int(asked.get("follow") or 0), MAX_FOLLOW),
    )


def url_of(text: str, query: str = "") -> httpx2.URL:
    """Return the URL of *text*, in one spelling for all that mean the same, with *query* behind it.

    Raises:
        Invalid: It is no URL of HTTP.
    """
    library = extras.client("http", "httpx2", WHAT)
    if problem := urls.problem_of(text):
        hint = "use `auth` of an http.client entry, or a header" if "user" in problem else ""
        raise Invalid(f"the URL {problem}", hint=hint)
    try:
        # A policy that allows a folder must not let `%2e%2e/` lead out of it.
        found: httpx2.URL = library.URL(_with_dots(text))
        if query:
            before = found.query.decode("ascii")
            found = found.copy_with(query=f"{before}&{query}".lstrip("&").encode("ascii"))
    except library.InvalidURL as problem:
        raise Invalid(f"the URL makes no sense: {str(problem)[:200]}") from None
    if not _HOST.fullmatch(found.raw_host):
        raise Invalid("the URL names a host that cannot be: letters, digits, `.` and `-` make one")
    return found


def _with_dots(text: str) -> str:
    path, mark, query = text.partition("?")
    spelt = _ESCAPED_DOT.sub(".", path)
    if _DISGUISED.search(spelt):
        raise Invalid("the URL steps out of a folder by `..` and an escaped slash")
    return spelt + mark + query


def is_same_place(one: httpx2.URL, other: httpx2.URL) -> bool:
    """Whether both are one server; that HTTP becomes HTTPS there makes it no other."""
    if one.raw_host != other.raw_host:
        return False
    before, after = (one.scheme, one.port), (other.scheme, other.port)
    return before == after or (before == ("http", None) and after == ("https", None))


def _text(url: bytes) -> str:
    try:
        return url[: urls.LONGEST + 1].decode()
    except UnicodeDecodeError:
        raise Invalid("the URL is no UTF-8") from None


def _joined(settings: WebSettings, url: str) -> str:
    """Return *url* behind the entry's base, unless it begins with a scheme of its own."""
    base = settings.base_url
    if base is None or _SCHEME.match(url):
        return url
    if url.startswith("//"):
        raise Invalid("the URL begins with `//`, which would name another host than `base_url`")
    if not url or url.startswith("?"):
        return base + url
    return f"{base.rstrip('/')}/{url.lstrip('/')}"


def _method(method: bytes) -> str:
    found = method[:64].decode("utf-8", "replace")
    if not _METHOD.fullmatch(found):
        raise Invalid(f"no method is called {found!r}", hint='write one such as "GET" or "POST"')
    if found in _NO_METHODS:
        raise Invalid(f"{found} is for proxies and for finding faults: no script may use it")
    return found


def _headers(given: Mapping[str, Any], content_type: str | None) -> dict[str, str]:
    own: dict[str, str] = {}
    for name, value in given.items():
        text = str(value)
        if problem := header_problem(name, text):
            raise Invalid(f"option 'headers': {problem}")
        if name.lower() in own:
            raise Invalid(f"option 'headers': `{name}` is there twice, in other letters")
        own[name.lower()] = text
    if len(own) > MAX_HEADERS or sum(map(len, own.values())) > MAX_HEADER_BYTES:
        raise Invalid(f"option 'headers': more than {MAX_HEADERS} of them, or 64 KiB")
    if content_type is not None:
        own.setdefault("content-type", content_type)
    return own


def _shared(settings: WebSettings) -> dict[str, str]:
    shared = {name.lower(): value for name, value in settings.headers.items()}
    auth = settings.auth
    if auth is None:
        return shared
    if auth.bearer is not None:
        return {**shared, "authorization": f"Bearer {auth.bearer}"}
    pair = base64.b64encode(f"{auth.username}:{auth.password}".encode()).decode()
    return {**shared, "authorization": f"Basic {pair}"}


#: What every request has that says nothing else. Two encodings at once are refused in answers.
DEFAULT_HEADERS = {
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"moonq/{__version__}",
}
