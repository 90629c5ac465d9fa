"""JSON that others wrote: read only as deep as anything of ours ever is.

parsed(b'{"id":42}')        # {"id": 42}
parsed(b"[" * 100_000)      # ValueError: nested deeper than 200 levels

Python's reader goes down one level of the C stack per bracket, and its own limit is no help: since
3.12 it is larger than the stack of a thread may be, and then the process dies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

#: Lua writes and reads 128 levels of a body; a document around it adds a few.
MAX_DEPTH = 200
_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


def parsed(text: str | bytes, parse_constant: Callable[[str], Any] | None = None) -> Any:
    """Return the value of *text*, as `json.loads` does.

    Raises:
        ValueError: It is no JSON, or nested deeper than `MAX_DEPTH` levels.
    """
    if isinstance(text, bytes):
        # As `json.loads` does it, or the two could see different brackets.
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    # Counting is fast, and settles it for nearly everything.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return json.loads(text, parse_constant=parse_constant)


def _is_deep(text: str) -> bool:
    """Whether brackets outside of strings are nested too deep."""
    depth = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif first in "]}":
            depth -= 1
    return False
