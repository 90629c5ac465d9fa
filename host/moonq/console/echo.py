"""What a statement's answer looks like.

603                                                   a value, as it can be pasted back
1: 3                                                  several values
error NOT_FOUND (not retryable)  no queue 'app:ordrs'     `nil, err`, or what was raised
"""

from __future__ import annotations

import json
import re
from typing import Any

from moonq.console.chunk import Chunk
from moonq.console.ink import Ink
from moonq.console.running import Answer
from moonq.console.tables import value_table
from moonq.durations import show as duration
from moonq.errors import MoonqError
from moonq.registry.lua.tokens import tokens
from moonq.text.plain import visible

_PLACE = re.compile(r"\S+?:\d+")


def lines(answer: Answer, chunk: Chunk, ink: Ink, output: str = "lua") -> list[str]:
    """Return the lines that *answer* deserves; none for a statement without values."""
    if answer.status == "stopped":
        return [_stopped(answer, ink)]
    if answer.problem is not None:
        return problem(answer.problem, ink)
    if answer.status == "gone":
        return []
    if answer.fault is not None:
        head = ["nil"] if answer.status == "done" else []
        return head + fault(answer.fault, ink)
    if chunk.is_muted:
        return []
    return _values(answer, chunk, ink, output)


def fault(found: dict[str, Any], ink: Ink) -> list[str]:
    """Return the block of an error value: its kind, its words, and where it arose."""
    words = {True: " (retryable)", False: " (not retryable)", None: ""}
    retryable = words[found.get("retryable")]
    head = ink.paint("red", f"error {found.get('kind', 'UNKNOWN')}")
    message = str(found.get("message", "")).split("\n")
    code = f"  [{found['code']}]" if found.get("code") else ""
    block = [f"{head}{retryable}  {visible(message[0])}{code}"]
    block += [f"      {visible(line)}" for line in message[1:]]
    stack = str(found.get("stack") or "").splitlines()
    block += [ink.paint("dim", f"      at {visible(line.strip())}") for line in stack[:10]]
    return block


def problem(raised: MoonqError, ink: Ink) -> list[str]:
    """Return the lines of an error that moonq itself raised."""
    code = f" [{raised.code}]" if raised.code else ""
    block = [f"{ink.paint('red', 'error')} {raised.kind}  {visible(raised.message)}{code}"]
    if raised.hint:
        block.append(f"      help: {visible(raised.hint)}")
    return block


def _stopped(answer: Answer, ink: Ink) -> str:
    words = {"cancel": "interrupted", "timeout": "stopped by its time limit"}
    text = f"{words.get(answer.reason, answer.reason)} after {duration(answer.took)}"
    place = _PLACE.match(answer.stack.strip())
    return ink.paint("yellow", text + (f" at {visible(place[0])}" if place else ""))


def _values(answer: Answer, chunk: Chunk, ink: Ink, output: str) -> list[str]:
    shown = [_one(answer, index, ink, output) for index in range(len(answer.texts))]
    if len(shown) > 1:
        return [f"{number}: {text}" for number, text in enumerate(shown, 1)]
    if shown and (remark := _remark(answer, chunk)):
        shown[0] += ink.paint("dim", f"  -- {remark}")
    return shown


def _one(answer: Answer, index: int, ink: Ink, output: str) -> str:
    text = answer.texts[index]
    value = answer.values[index] if index < len(answer.values) else None
    if output == "lua" or (value is None and text != "nil"):
        # What JSON cannot carry is still worth its Lua text.
        return ink.lua(text)
    if output == "table" and (table := value_table(value, ink)):
        return table
    if output == "yaml":
        import yaml

        dumped = yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
        return dumped.removesuffix("\n").removesuffix("\n...")
    if output == "json":
        return json.dumps(value, ensure_ascii=False, indent=2)
    return ink.lua(text)


def _remark(answer: Answer, chunk: Chunk) -> str:
    """What became of a message that was published by a statement of its own."""
    words = [token.text for token in tokens(chunk.text)][:5]
    if words[:4] != ["queue", ".", "publish", "("] or not answer.is_expression or len(words) < 5:
        return ""
    queue = words[4].strip("\"'")
    return f"published to {queue}" if words[4][0] in "\"'" else ""
