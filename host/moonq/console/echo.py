"""What a statement's answer looks like.

603                                                   a value, as it can be pasted back
1: 3                                                  several values
error NOT_FOUND (not retryable)  no queue 'app:ordrs'     `nil, err`, or what was raised
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from moonq import views
from moonq.console.chunk import Chunk
from moonq.console.running import Answer
from moonq.durations import show as duration
from moonq.registry.lua import runtime
from moonq.registry.lua.tokens import tokens
from moonq.text.plain import visible
from moonq.views import Screen

_PLACE = re.compile(r"\S+?:\d+")


def lines(answer: Answer, chunk: Chunk, screen: Screen, output: str = "lua") -> list[str]:
    """Return the lines that *answer* deserves; none for a statement without values."""
    if answer.status == "stopped":
        return [_stopped(answer, screen)]
    if answer.problem is not None:
        return list(views.problem(answer.problem, screen))
    if answer.status == "gone":
        return []
    if answer.fault is not None:
        head = ["nil"] if answer.status == "done" else []
        hint = runtime.advice(str(answer.fault.get("message", "")).partition(": ")[2])
        return [*head, *views.fault(answer.fault, screen, hint)]
    if chunk.is_muted:
        return []
    return _values(answer, chunk, screen, output)


def _stopped(answer: Answer, screen: Screen) -> str:
    words = {"cancel": "interrupted", "timeout": "stopped by its time limit"}
    text = f"{words.get(answer.reason, answer.reason)} after {duration(answer.took)}"
    place = _PLACE.match(answer.stack.strip())
    return screen.paint("warn", text + (f" at {visible(place[0])}" if place else ""))


def _values(answer: Answer, chunk: Chunk, screen: Screen, output: str) -> list[str]:
    shown = [
        "\n".join(_one(text, value, screen, output))
        for text, value in zip_longest(answer.texts, answer.values[: len(answer.texts)])
    ]
    if len(shown) > 1:
        return [f"{number}: {text}" for number, text in enumerate(shown, 1)]
    if shown and (remark := _remark(answer, chunk)):
        shown[0] += screen.paint("dim", f"  -- {remark}")
    return shown


def _one(text: str, value: Any, screen: Screen, output: str) -> Iterable[str]:
    # What JSON cannot carry is still worth its Lua text.
    is_carried = value is not None or text == "nil"
    return views.value(value, screen, output=output if is_carried else "lua", text=text)


def _remark(answer: Answer, chunk: Chunk) -> str:
    """What became of a message that was published by a statement of its own."""
    words = [token.text for token in tokens(chunk.text)][:5]
    if words[:4] != ["queue", ".", "publish", "("] or not answer.is_expression or len(words) < 5:
        return ""
    queue = words[4].strip("\"'")
    return f"published to {queue}" if words[4][0] in "\"'" else ""
