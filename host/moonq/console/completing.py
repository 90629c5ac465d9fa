"""What could stand where the caret is.

    queue.publish("app:or|      # ids of queues
    _.|                         # fields of the last value

No code runs for an offer: names come from the host's own lists, and fields from looking at
values. A host that does not answer at once is not waited for; what it said before has to do.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from moonq import assets
from moonq.console import commands
from moonq.console.calling import Open, opened
from moonq.console.settings import SETTINGS
from moonq.errors import MoonqError
from moonq.operations.annotations import reference
from moonq.operations.verbs import VERBS
from moonq.registry.lua.tokens import Token, tokens

if TYPE_CHECKING:
    from moonq.console.core import Console
    from moonq.control.client import Pending

_WORDS = """
    and break do else elseif end false for function goto if in
    local nil not or repeat return then true until while
"""
KEYWORDS = tuple(_WORDS.split())
#: Seconds that an answer may take.
PATIENCE = 0.05
#: Seconds for which a list of entries is believed.
FRESH = 5.0
_PATH = re.compile(r"[A-Za-z_]\w*(?:[.:]\w*)*$")
#: What may be named -> how the kinds of its entries begin.
_KINDS = {
    "function": "function.",
    "store": "store.",
    "http": "http.client",
    "entry": "",
    "target": "queue.consumer",
}
#: Where the keys of headers stand.
HEADERS_OF = Open("(", "queue.publish", 2)
_HEADERS = {
    "correlation_id": "joins messages that belong together",
    "reply_to": "the queue for an answer",
    "content_type": "how the body is written",
    "message_type": "what the message is about",
    "source": "who published it",
    "traceparent": "W3C trace context",
    "tracestate": "W3C trace context",
}


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the caret is: inside a text, behind a path, in a command."""

    kind: str
    word: str


class LuaCompleter(Completer):
    """Knows everything that can be completed to at one host."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._members: dict[str, list[tuple[str, str]]] = {}
        self._asked: tuple[str, Pending] | None = None
        self._entries: list[dict[str, Any]] = []
        self._looked = float("-inf")
        self._lock = threading.Lock()

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield what could stand at the caret."""
        text = document.text_before_cursor
        if not complete_event.completion_requested and not text[-1:].strip():
            return
        with self._lock:
            spot = _spot(text)
            found = list(self._all(spot))
        word, by_part = spot.word, spot.kind in ("queue", "holder", "module", *_KINDS)
        for name, meta in found:
            if name != word and (word in name if by_part else name.startswith(word)):
                yield Completion(name, start_position=-len(word), display_meta=meta)

    def _all(self, spot: _Spot) -> Iterable[tuple[str, str]]:
        if spot.kind == "path":
            return self._path(spot.word)
        known: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
            "command": lambda: [(one.name, one.about) for one in commands.COMMANDS.values()],
            "setting": lambda: [(one.name, one.about) for one in SETTINGS.values()],
            "header": _HEADERS.items,
            "module": lambda: [(one, reference().modules[one].summary) for one in _modules()],
            "help": lambda: [(name, "") for name in reference().names()],
        }
        return known.get(spot.kind, lambda: self._named(spot.kind))()

    # Names of the host ----------------------------------------------------------------------------

    def _named(self, kind: str) -> Iterator[tuple[str, str]]:
        if kind in ("queue", "target", "holder"):
            queues = self._console.live.numbers.get("queues") or self._queues()
            for one in queues:
                yield one["id"], _depth(one)
        begins = _KINDS.get(kind)
        for one in self._known_entries():
            if begins is not None and one["kind"].startswith(begins):
                yield one["id"], one["kind"]

    def _queues(self) -> list[dict[str, Any]]:
        return list((self._ask("queues") or {"queues": []})["queues"])

    def _known_entries(self) -> list[dict[str, Any]]:
        if time.monotonic() - self._looked > FRESH:
            answer = self._ask("entries")
            if answer is not None:
                self._entries, self._looked = answer["entries"], time.monotonic()
        return self._entries

    def _ask(self, kind: str, **fields: Any) -> Any:
        try:
            return self._console.client.begin(kind, **fields).wait(PATIENCE)
        except MoonqError:
            return None

    # Names in the session -------------------------------------------------------------------------

    def _path(self, path: str) -> Iterator[tuple[str, str]]:
        owner = re.match(r"(.*[.:])?", path)
        prefix = owner[0] if owner else ""
        for name, kind in self._known_members(prefix, path):
            full = f"{prefix}{name}"
            described = reference().function(full) if prefix else None
            yield full, described.signature if described else kind
        if not prefix:
            yield from ((word, "keyword") for word in KEYWORDS)

    def _known_members(self, owner: str, path: str) -> list[tuple[str, str]]:
        # Asked for without the last name, one answer serves while that name is being typed.
        wanted = owner or path[:1]
        self._harvest(0.0)
        with suppress(MoonqError):
            self._asked = (wanted, self._console.client.begin("complete", path=wanted))
            self._harvest(PATIENCE)
        return self._members.get(wanted, [])

    def _harvest(self, patience: float) -> None:
        """Take what was asked for, if it comes in time; what is late is taken the next time."""
        if self._asked is None:
            return
        path, pending = self._asked
        with suppress(MoonqError):
            answer = pending.wait(patience)
            if answer is None:
                return
            if len(self._members) > 100:
                self._members.clear()
            self._members[path] = [(one["name"], one["type"]) for one in answer["items"]]
        self._asked = None


def _modules() -> list[str]:
    return sorted({"mq", *assets.stdlib_modules()} - {"test"})


def _depth(one: dict[str, Any]) -> str:
    parts = [f"{one['ready']} ready"] if "ready" in one else []
    parts += [f"{one['dead']} dead"] if one.get("dead") else []
    return " · ".join(parts)


def _spot(text: str) -> _Spot:
    if text.lstrip().startswith("\\"):
        return _command_spot(text.lstrip()[1:])
    if text.lstrip().startswith("?"):
        return _Spot("help", text.lstrip()[1:].strip())
    found = list(tokens(text))
    last = found[-1] if found and found[-1].end == len(text) else None
    if last and last.kind == "string" and (len(last.text) == 1 or last.text[-1] != last.text[0]):
        return _Spot(_named_by(found[:-1]), last.text[1:])
    path = _PATH.search(text)
    word = path[0] if path else ""
    if last and last.kind == "string":
        return _Spot("nothing", "")
    if _is_header(found[:-1] if word else found):
        return _Spot("header", word)
    return _Spot("path", word) if word else _Spot("nothing", "")


def _command_spot(text: str) -> _Spot:
    name, space, rest = text.partition(" ")
    if not space:
        return _Spot("command", name)
    try:
        takes = commands.find(name).takes
    except MoonqError:
        return _Spot("nothing", "")
    return _Spot(takes or "nothing", rest) if " " not in rest else _Spot("nothing", "")


def _named_by(before: list[Token]) -> str:
    """What the text names that begins behind *before*."""
    last = before[-1].text if before else ""
    name = opened(before)[-1].name if last == "(" else last
    return _sources().get(name, "nothing") if last in ("(", "require") else "nothing"


@cache
def _sources() -> dict[str, str]:
    """Return what the first text of a call names, by the function's name."""
    verbs = {verb.lua: verb.names() for verb in VERBS.values() if verb.names()}
    functions = (one for module in reference().modules.values() for one in module.functions)
    return {**{one.name: one.names or "nothing" for one in functions}, **verbs, "require": "module"}


def _is_header(before: list[Token]) -> bool:
    """Whether a key of the third argument of a publish is being typed."""
    if not before or before[-1].text not in ("{", ","):
        return False
    around = opened(before)[-2:]
    return len(around) == 2 and around[0] == HEADERS_OF and around[1].bracket == "{"
