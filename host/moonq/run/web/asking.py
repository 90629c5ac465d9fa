"""One call: a request, its retries and redirects, and the body of what comes back.

    answer = ask(client, wanted(…), line, permit=lambda url: None)
    answer.status, answer.headers, answer.body, answer.url

All of it happens within the time of `line`. Every URL that a redirect leads to is asked for like
the first: `permit` for its policies, `Client` for its address.
"""

from __future__ import annotations

import http
from collections.abc import Callable, Mapping
from typing import NamedTuple

import httpcore2
import httpx2

from moonq.errors import Denied, Invalid, QueueError
from moonq.run.web.client import Client
from moonq.run.web.faults import BadAnswer, NotReached, TooLarge
from moonq.run.web.line import Line
from moonq.run.web.wanted import DEFAULT_HEADERS, Wanted, is_same_place, url_of
from moonq.text import sizes, urls
from moonq.text.secrets import is_secret

#: What may be sent twice: the second time changes nothing further.
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
#: Seconds before the first further try; doubles with each.
PAUSE = 0.1
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: What a body brings along; without one it says nothing.
_OF_BODY = frozenset({"content-type", "content-encoding", "content-language", "content-location"})


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: list[tuple[str, str]]
    """As they were written, in order."""
    body: bytes
    url: str
    """Where it came from, behind all redirects."""


class Step(NamedTuple):
    """One request of a call."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def shown(self) -> str:
        """Method and URL, for people."""
        return f"{self.method} {urls.shown(str(self.url))}"


def ask(client: Client, asked: Wanted, line: Line, permit: Callable[[str], None]) -> Answer:
    """Return the answer to what is *asked*; *permit* raises where a redirect must not lead.

    Raises:
        QueueError: There is none; says to which request.
    """
    step = Step(
        asked.method, asked.url, {**DEFAULT_HEADERS, **asked.shared, **asked.own}, asked.body
    )
    kept = {name: value for name, value in asked.own.items() if not is_secret(name)}
    hops = 0
    while True:
        try:
            answer = _tried(client, step, line)
            location = dict(answer.headers).get("location")
            if not asked.follow or answer.status not in _REDIRECTS or location is None:
                return answer
            hops += 1
            if hops > asked.follow:
                what = "redirect" if asked.follow == 1 else "redirects"
                raise BadAnswer(f"more than {asked.follow} {what}, the last to {_near(location)}")
            step = _redirected(step, answer.status, location, kept)
            permit(urls.shown(str(step.url)))
        except QueueError as problem:
            if not isinstance(problem, Denied) or problem.decision is None:
                problem.message = f"{step.shown}: {problem.message}"
            raise


def _tried(client: Client, step: Step, line: Line) -> Answer:
    """Return the answer to one request, tried as often as the entry says."""
    left = client.settings.retries if step.method in IDEMPOTENT else 0
    pause = PAUSE
    while True:
        line.is_new = line.has_heard = False
        try:
            return _once(client, step, line)
        except (NotReached, BadAnswer):
            # A kept connection may have been closed just now: nobody has answered on that one.
            is_stale = not (line.is_new or line.has_heard)
            if not (is_stale and step.method in IDEMPOTENT):
                if not left:
                    raise
                left -= 1
                line.doing = "waiting before the next try"
                line.wait(lambda: False, pause)
                pause *= 2


def _once(client: Client, step: Step, line: Line) -> Answer:
    response = client.send(line, *step)
    try:
        body = b"" if step.method == "HEAD" else _body(response, client, line)
    finally:
        response.close()
    headers = [
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in response.headers.raw
    ]
    return Answer(response.status_code, headers, body, str(step.url))


def _body(response: httpx2.Response, client: Client, line: Line) -> bytes:
    most = client.settings.max_response
    codings = [one.lower() for one in response.headers.get_list("content-encoding", True)]
    if len([one for one in codings if one != "identity"]) > 1:
        raise BadAnswer(f"its body is packed several times over: {', '.join(codings)[:100]}")
    if int(response.headers.get("content-length", "0")) > most:
        _refuse_size(most)
    pieces: list[bytes] = []
    size = 0
    line.doing = "reading the body"
    try:
        for piece in response.iter_bytes():
            size += len(piece)
            if size > most:
                _refuse_size(most)
            line.doing = f"reading the body, of which {sizes.show(size)} had come"
            line.left()
            pieces.append(piece)
    except httpx2.DecodingError as problem:
        raise BadAnswer(f"its body cannot be unpacked: {problem}") from None
    except httpcore2.ProtocolError as problem:
        raise BadAnswer(f"the answer broke off behind {sizes.show(size)}: {problem}") from None
    return b"".join(pieces)


def _refuse_size(most: int) -> None:
    raise TooLarge(
        f"its body has more than {sizes.show(most)}",
        hint="ask for less, or raise `max_response` of an http.client entry",
    )


def _redirected(step: Step, status: int, location: str, kept: Mapping[str, str]) -> Step:
    """Return the request that a redirect asks for: nobody else gets what proves who we are."""
    url = _target(step, location)
    method, headers, body = step.method, dict(step.headers), step.body
    if (status == http.HTTPStatus.SEE_OTHER and method != "HEAD") or (
        status in (301, 302) and method == "POST"
    ):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name not in _OF_BODY}
    if not is_same_place(step.url, url):
        own = {**DEFAULT_HEADERS, **kept}
        headers = {name: value for name, value in headers.items() if own.get(name) == value}
    return Step(method, url, headers, body)


def _target(step: Step, location: str) -> httpx2.URL:
    text = location.encode("latin-1").decode("utf-8", "replace")
    try:
        joined = str(step.url.join(text))
        # What stands behind `#` is for browsers, and a user there would be somebody else's choice.
        return url_of(joined.partition("#")[0])
    except (httpx2.InvalidURL, Invalid) as problem:
        why = problem.message if isinstance(problem, Invalid) else "it makes no sense"
        raise BadAnswer(f"it redirects to {_near(location)}, where nobody can go: {why}") from None


def _near(location: str) -> str:
    return repr(urls.shown(location)[:200])
