"""The line at the bottom of the screen: where one is, and how the queues are.

     ● shop dev  attached  rw │ orders 1.2k  emails 0  dead 12! │ 84/s │ 1 tail │ 12:00:05

It only formats what the host last said, so that it never waits; old numbers say how old they are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moonq.text.wording import flow, profile_of

if TYPE_CHECKING:
    from moonq.console.core import Console

#: Seconds after which numbers are called old.
STALE = 3.0
#: Queues that are named.
MOST = 4


def line(console: Console, room: int, now: float | None = None) -> str:
    """Return the line for this moment; what has no place in *room* columns is left off its end."""
    live = console.live
    now = time.monotonic() if now is None else now
    parts = [_where(console)]
    if live.heard:
        parts += [_depths(live.numbers), _rate(live.numbers)]
        if now - live.heard > STALE:
            parts.append(f"stale {now - live.heard:.0f} s")
    if live.tails:
        parts.append("1 tail")
    parts.append(time.strftime("%H:%M:%S"))
    shown = flow(filter(None, parts), room - 1, " │ ")[0]
    return f" {console.face.screen().plain(shown)}"


def _where(console: Console) -> str:
    hello = console.client.hello
    how = "private" if console.attached.is_private else "attached"
    rights = "ro" if console.client.read_only else "rw"
    return f"● {console.attached.called} {profile_of(hello)}  {how}  {rights}"


def _depths(numbers: Mapping[str, Any]) -> str:
    queues = numbers.get("queues", [])
    letters = {one["dead_letter"] for one in queues if one.get("dead_letter")}
    shown = sorted(
        (one for one in queues if one["id"] not in letters),
        key=lambda one: -one.get("ready", math.inf),
    )
    parts = [f"{_short(one['id'])} {_count(one.get('ready'))}" for one in shown[:MOST]]
    if len(shown) > MOST:
        parts.append(f"+{len(shown) - MOST}")
    counts = [one.get("ready") for one in queues if one["id"] in letters]
    known = [count for count in counts if count is not None]
    dead = str(sum(known)) if len(known) == len(counts) else f"{sum(known)}+"
    return "  ".join([*parts, "dead 0" if dead == "0" else f"dead {dead}!"])


def _rate(numbers: Mapping[str, Any]) -> str:
    rates = [one["acked_rate"] for one in numbers.get("consumers", []) if "acked_rate" in one]
    return f"{sum(rates):.0f}/s" if rates else ""


def _short(name: str) -> str:
    return name.rpartition(":")[2]


def _count(number: Any) -> str:
    if number is None:
        return "·"
    return str(number) if number < 1000 else f"{number / 1000:.1f}k"
