"""Numbers, times and ids as people read them; the same words in every view and every command."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moonq import durations
from moonq.text.plain import visible

UNKNOWN, NONE = "·", "-"
#: Latin letters, punctuation, lines and blocks: each takes one column.
_NARROW = re.compile("[\x00-\u02ff\u2010-\u2027\u2500-\u259f]*")
SPARKS = "▁▂▃▄▅▆▇█"


def counted(value: int) -> str:
    """Return *value* with a gap between thousands: ``1 204``."""
    return f"{value:,}".replace(",", " ")


def number(value: Any) -> str:
    """Return a number with gaps between thousands; what is not known is a dot, never a zero."""
    return UNKNOWN if value is None else counted(int(value))


def rate(value: Any) -> str:
    """Return a rate per second: ``84.0``, ``1 204``."""
    return f"{value:.1f}" if value is not None and value < 1000 else number(value)


def age(seconds: Any) -> str:
    """Return a length of time as ``3m12s``, rounded to what matters."""
    if seconds is None:
        return UNKNOWN
    return durations.show(float(seconds) if seconds < 1 else float(round(seconds)))


def ago(moment: float) -> str:
    """Return how long *moment*, in seconds since the epoch, is over: ``3m12s ago``."""
    return f"{age(max(0.0, time.time() - moment))} ago"


def moment(seconds: float) -> str:
    """Return a moment, in seconds since the epoch, as local time: ``12:00:01``."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))


def clock(seconds: float) -> str:
    """Return a length of time as ``00:04:12``."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}"


def lasted(seconds: float | None) -> str:
    """Return ``40 µs``, ``1.2 ms``, ``12 ms``, ``3.2 s``; a dash for what never happened."""
    if seconds is None:
        return NONE
    if seconds < 0.00095:
        return f"{seconds * 1_000_000:.0f} µs"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 0.9995 else f"{seconds:.1f} s"


def size(count: int) -> str:
    """Return bytes as ``142 B``, ``1.2 KB``."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB"):
        value /= 1024
        if value < 1000 or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"


def plural(count: int, noun: str) -> str:
    """Return ``1 message``, ``2 messages``, ``3 entries``."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{counted(count)} {noun if count == 1 else many}"


def spark(numbers: Sequence[int | None]) -> str:
    """Return *numbers* as little bars; a gap where nothing is known."""
    highest = max((one for one in numbers if one is not None), default=0)
    steps = len(SPARKS) - 1
    return "".join(
        " " if one is None else SPARKS[-(-one * steps // highest) if highest else 0]
        for one in numbers
    )


def columns(text: str) -> int:
    """Return how many columns *text* takes on a terminal."""
    if text.isascii() or _NARROW.fullmatch(text):
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def cut(text: str, room: int) -> str:
    """Return *text* in at most *room* columns, visible and marked where it was cut."""
    text = visible(text)
    if columns(text) <= room:
        return text
    text = text[: max(0, room)]
    while text and columns(text) > room - 1:
        text = text[:-1]
    return f"{text}…" if room > 0 else ""


def cut_before(text: str, room: int) -> str:
    """Return the end of *text* in at most *room* columns, marked where it was cut."""
    return cut(text[::-1], room)[::-1] if columns(text) > room else text


def flow(parts: Iterable[str], room: int, gap: str = "   ") -> list[str]:
    """Return *parts* side by side, on as many lines as they need."""
    lines: list[str] = []
    for part in parts:
        if lines and columns(lines[-1]) + len(gap) + columns(part) <= room:
            lines[-1] += gap + part
        else:
            lines.append(cut(part, room))
    return lines


def profile_of(host: Mapping[str, Any]) -> str:
    """Return what a host says that it runs as; production is spelt out.

    profile_of({"profile": "dev"})                      # dev
    profile_of({"profile": "eu", "production": True})   # PRODUCTION eu
    """
    word = str(host["profile"])
    if not host.get("production"):
        return word
    return "PRODUCTION" if word in ("production", "prod") else f"PRODUCTION {word}"


def origin(found: Mapping[str, Any]) -> str:
    """Say where a value was written: `moonq.yaml:5 in profile prod`, or the option `--set`."""
    file, profile = str(found["file"]), found.get("profile")
    if not file.endswith((".yaml", ".yml")):
        return file
    return f"{file}:{found['line']}" + (f" in profile {profile}" if profile else "")
