"""What of a command's answer is recorded, as one JSON text whose lines can be compared.

    {"typed": "publish notes 1 --json", "code": 0, "out": [{"schema": ...}], "err": []}

`out` has every line of stdout: a document as it is, any other line as `{"text": ...}`; `err` has
the documents alone, for talk and logs go to stderr too. What differs from run to run is replaced by
the name of its JSON type; ids, places and moments inside a text by a word in angle brackets.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

#: Keys whose values differ from run to run: moments and ages, what was measured, who did it.
VARIES = {
    *("age", "due", "first", "last", "last_error_age", "last_error_at", "oldest_age"),
    *("published_at", "seconds", "time", "took_ms", "up", "x_dead_letter_time"),
    *("fail_rate", "in_rate", "ok_rate", "out_rate", "rate_seconds", "p50", "p95", "p99"),
    *(
        "backup_bytes",
        "busy",
        "bytes",
        "cpu",
        "dead_bytes",
        "machine",
        "memory_bytes",
        "pid",
        "since",
    ),
    *("free_bytes", "json_codec", "lupa", "moonq", "python", "sqlite", "version"),
}
#: A list that is longer is recorded by its beginning and its length.
LONGEST, KEPT = 100, 2
TEXTS = [
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"[^\s()\"]+\.sock\b"), "<socket>"),
    (re.compile(r"\bpid \d+"), "pid <number>"),
    (re.compile(r"\b\d{8}T\d{6}-\d+|\b\d{4}-\d\d-\d\dT\d{6}\b"), "<moment>"),
    # A line of Python that failed is quoted.
    (re.compile(r"^self\..+ · "), "<line> · "),
]


def recorded(typed: str, said: Any, root: Path) -> str:
    """Return what *said* answers to *typed* in a project below *root*, ready to be compared."""
    read = _line if "json" in typed else _as_text
    out = [read(line) for line in said.out.splitlines()]
    err = [found for line in said.err.splitlines() if _is_document(found := _line(line))]
    found = {"typed": typed, "code": said.code, "out": out, "err": err}
    return json.dumps(masked(found, root), ensure_ascii=False, indent=2) + "\n"


def _line(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return _as_text(text)


def _as_text(text: str) -> Any:
    return {"text": text}


def _is_document(found: Any) -> bool:
    return isinstance(found, dict) and "schema" in found


def masked(value: Any, root: Path, key: str = "") -> Any:
    """Return *value*, which stands behind *key*, without what differs from run to run."""
    if isinstance(value, dict):
        return {name: masked(item, root, name) for name, item in value.items()}
    if isinstance(value, list):
        kept = [masked(item, root) for item in value]
        return kept if len(kept) <= LONGEST else [*kept[:KEPT], f"<{len(kept)} in all>"]
    if key in VARIES and value is not None:
        return f"<{_kind(value)}>"
    return _text(value, root) if isinstance(value, str) else value


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    return kinds[type(value)]


def _text(text: str, root: Path) -> str:
    for pattern, word in TEXTS:
        text = pattern.sub(word, text)
    return text.replace(str(root), "<folder>")
