"""Amounts of memory as people write them: `"64M"`, `"64MiB"`, `"1.5G"`, or bytes."""

from __future__ import annotations

import re

UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)\s*([KMG]?)(?:iB|B)?", re.ASCII)


def parse(value: str | int) -> int:
    """Return *value* in bytes; K, M and G count by 1024, as they do for memory everywhere.

    Raises:
        ValueError: Not a size; the text says what one looks like.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f'a size is expected ("64M", "512K" or bytes), got {value!r}')
    return int(float(found[1]) * UNITS[found[2]])


def show(count: int) -> str:
    """Return *count* bytes as people say it: ``67108864 -> "64M"``."""
    for unit in ("G", "M", "K"):
        if count >= UNITS[unit]:
            return f"{count / UNITS[unit]:.4g}{unit}"
    return f"{count}B"
