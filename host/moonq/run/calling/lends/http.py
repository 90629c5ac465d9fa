"""Requests over HTTP."""

from __future__ import annotations

import json
import re

from moonq.run.calling.lending import NOTHING_LEFT, Caller, lent
from moonq.run.web.clients import KIND
from moonq.run.web.wanted import Wanted, wanted
from moonq.sandbox.lend import name

#: Bytes of a body that cross at once.
PIECE = 1024 * 1024
#: Seconds that an answer may ask for: the longest delay of a message.
LONGEST = 365 * 86_400.0


def _wanted(
    caller: Caller,
    client: bytes,
    method: bytes,
    url: bytes,
    options: bytes,
    body: bytes | None = None,
) -> Wanted:
    return wanted(caller.host.http.settings(name(client)), method, url, options, body)


def _resource(caller: Caller, *arguments: bytes) -> str:
    return _wanted(caller, *arguments).resource


def _would(caller: Caller, *arguments: bytes) -> str:
    return _wanted(caller, *arguments).shown


@lent(action=None, writes=False, waits=False)
def http_client(caller: Caller, client: bytes) -> bytes:
    """Return the full id of a client, which must be there."""
    id_ = caller.host.entry_id(name(client), KIND)
    caller.host.http.settings(id_)
    return id_.encode()


@lent(action="http.request", resource=_resource, writes=False, waits=False)
def http_prepare(caller: Caller, client: bytes, method: bytes, url: bytes, options: bytes) -> bytes:
    """Return what would be asked, as JSON, for a test that answers in place of the other side."""
    asked = _wanted(caller, client, method, url, options)
    headers = {**asked.shared, **asked.own}
    return json.dumps({"method": asked.method, "url": str(asked.url), "headers": headers}).encode()


@lent(
    action="http.request",
    resource=_resource,
    writes=True,
    waits=True,
    holds=True,
    outside=True,
    would=_would,
    stub=lambda *_: "test.http(function(request) return { status = 200 } end)",
)
def http_request(
    caller: Caller,
    client: bytes,
    method: bytes,
    url: bytes,
    options: bytes,
    body: bytes | None = None,
) -> bytes:
    """Return an answer: a line of JSON about it, then the begin of its body; see `http_more`."""
    caller.rest = NOTHING_LEFT
    asked = _wanted(caller, client, method, url, options, body)
    with caller.host.http.client(name(client)) as found:
        from moonq.run.web.asking import ask
        from moonq.run.web.line import Line

        left = caller.remaining()
        line = Line(asked.timeout if left is None else min(asked.timeout, left))
        with caller.interruptible(line.cut):
            answer = ask(found, asked, line, lambda url: caller.permit("http.request", url))
    caller.heed()
    head: dict[str, object] = {
        "status": answer.status,
        "headers": answer.headers,
        "url": answer.url,
        "size": len(answer.body),
    }
    pause = retry_after(answer.headers, caller.host.clock.now())
    if pause is not None:
        head["retry_after"] = pause
    caller.rest = memoryview(answer.body)
    return json.dumps(head).encode() + b"\n" + _piece(caller)


def retry_after(headers: list[tuple[str, str]], now: float) -> float | None:
    """Return for how many seconds an answer asks to be left alone: a number, or until a date."""
    text = dict(headers).get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return min(float(text), LONGEST)
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, until - now), LONGEST)


@lent(action=None, writes=False, waits=False)
def http_more(caller: Caller) -> bytes:
    """Return the next piece of the last answer's body; nothing at its end."""
    return _piece(caller)


def _piece(caller: Caller) -> bytes:
    piece, caller.rest = caller.rest[:PIECE], caller.rest[PIECE:]
    return bytes(piece)
