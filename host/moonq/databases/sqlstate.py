"""What PostgreSQL's codes mean: five characters, the first two of which are a class."""

from __future__ import annotations

from typing import Any

from moonq.databases.faults import Failed, ReadsOnly

#: (kind, whether trying again can help, whether the connection is of no more use), the longest
#: prefix that fits.
_MEANINGS: dict[str, tuple[str, bool, bool]] = {
    "": ("INVALID", False, False),
    "08": ("UNAVAILABLE", True, True),
    "08P01": ("INVALID", False, False),  # a placeholder that is none of ours
    "23": ("CONFLICT", False, False),
    "23505": ("ALREADY_EXISTS", False, False),
    "28": ("PERMISSION_DENIED", False, True),
    "40": ("CONFLICT", True, False),
    "42501": ("PERMISSION_DENIED", False, False),
    "53": ("UNAVAILABLE", True, True),
    "55P03": ("CONFLICT", True, False),
    "57014": ("TIMEOUT", True, True),
    "57": ("UNAVAILABLE", True, True),
    "58": ("INTERNAL", False, True),
    "XX": ("INTERNAL", False, True),
}
_READ_ONLY = "25006"


def meaning_of(result: Any, field: Any, is_stopped: bool) -> Failed:
    """Return what the error in *result* means."""
    state = _text(result, field.SQLSTATE)
    words = _text(result, field.MESSAGE_PRIMARY) or _words(result.error_message)
    more = (_text(result, field.MESSAGE_DETAIL), _text(result, field.MESSAGE_HINT))
    if state == _READ_ONLY:
        return ReadsOnly(words)
    kind, retryable, ends = judged(state)
    told = f"{words} [{state}]" if state else words
    hint = "; ".join(filter(None, more))
    return Failed(kind, told, retryable=retryable, hint=hint, ends=ends or is_stopped)


def judged(state: str) -> tuple[str, bool, bool]:
    """Return kind, whether trying again can help, and whether the connection is gone."""
    return next(_MEANINGS[state[:n]] for n in range(5, -1, -1) if state[:n] in _MEANINGS)


def _text(result: Any, field: Any) -> str:
    return _words(result.error_field(field) or b"")


def _words(text: bytes | str) -> str:
    shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(shown.split())
