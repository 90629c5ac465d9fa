"""What a piece of Lua cost, run again and again: see `mq.bench`."""

from __future__ import annotations

from collections.abc import Iterator

from moonq.text.wording import counted, lasted, plural, size
from moonq.views.screen import Screen
from moonq.views.tables import Found, facts


def bench(found: Found, screen: Screen) -> Iterator[str]:
    """Yield how often it ran, how long one run took, and what it used."""
    often = f"{plural(found['runs'], 'run')} in {lasted(found['seconds'])}"
    rate = f"{counted(round(1 / found['mean']))} a second" if found["mean"] else ""
    spread = f"quickest {_time(found['quickest'])} · slowest {_time(found['slowest'])}"
    told = [
        ("ran", " · ".join(filter(None, (often, rate)))),
        ("one run", f"{_time(found['mean'])} · {spread}"),
        ("cpu", f"{_time(found['cpu'])} of it"),
        ("memory", f"{size(round(found['bytes']))} allocated"),
    ]
    yield from facts(told, screen)


def _time(seconds: float) -> str:
    return lasted(seconds) if seconds >= 0.000_01 else f"{seconds * 1e6:.2f} µs"
