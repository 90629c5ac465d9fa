"""Lengths of time as people write them: `"500ms"`, `"5s"`, `"1h30m"`, or seconds."""

from __future__ import annotations

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
#: Far beyond every limit in moonq: ten thousand years.
LONGEST = 3.2e11
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern}\s*)+", re.ASCII)


def parse(value: str | float) -> float:
    """Return *value* in seconds.

    Raises:
        ValueError: Not a duration, negative, or not finite; the text says what one looks like.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(
            f'a duration is expected ("500ms", "5s", "1h30m" or seconds), got {value!r}'
        )
    if not isinstance(value, str):
        return _finite(value, value)
    text = value.strip()
    if not _WHOLE.fullmatch(text):
        raise ValueError(f'{value!r} is not a duration; write "500ms", "5s", "2h" or "1h30m"')
    return _finite(sum(float(number) * UNITS[unit] for number, unit in _PART.findall(text)), value)


def _finite(seconds: float, value: str | float) -> float:
    # An integer may be too large for a float, so it is compared before it is converted.
    if not 0 <= seconds < LONGEST:
        raise ValueError(f"a duration must be finite and not negative, got {str(value)[:40]!r}")
    return float(seconds)


def show(seconds: float) -> str:
    """Return *seconds* as people say it: ``0.25 -> "250ms"``, ``5400 -> "1h30m"``."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    rest = round(seconds)
    parts = []
    for unit in ("d", "h", "m", "s"):
        size = int(UNITS[unit])
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])
