"""Log lines: for people on a terminal, as JSON everywhere else.

    log.configure(mode="json", level="info", levels={"app.queue": "debug"})
    log.get("app.queue:worker").info("took", extra={"fields": {"order": 42}, "attempt": 1})
    {"time":"2026-01-01T12:00:00.120Z","level":"info","logger":"app.queue:worker",...}

They go to stderr: stdout belongs to data. A record may carry `fields` (the speaker's own), and
`entry`, `message_id` and `attempt` where a handler speaks. Whatever a script says stays on its one
line: control characters are escaped, so nobody can write a line that somebody else did not say.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

Mode = Literal["pretty", "json", "auto"]

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_LEVEL_NAMES = {number: name for name, number in LEVELS.items()} | {logging.CRITICAL: "error"}
_COLORS = {"debug": "2", "info": "32", "warn": "33", "error": "31"}

# Beside the C0 and C1 controls: separators that some readers take for a line end, marks that turn
# the direction of text, and surrogates, which no encoding can write.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PLAIN = re.compile(r'[^\s"=]+')

#: What moonq's own texts use beyond ASCII, for terminals that cannot show it.
ASCII = str.maketrans({"·": "|", "…": "...", "→": "->", "✓": "ok", "✗": "FAIL", "●": "*"})

#: The standard library never forgets a logger, and scripts choose names: further ones share one.
MAX_NAMES = 10_000
OTHERS = "others"

_levels: dict[str, int] = {}
_known: set[str] = set()
_handler: logging.Handler | None = None


def get(name: str) -> logging.Logger:
    """Return the logger called *name*, at the level that `configure` chose for it."""
    if name not in _known and len(_known) >= MAX_NAMES:
        name = OTHERS
    logger = logging.getLogger(name)
    if name not in _known:
        _known.add(name)
        logger.setLevel(_level_of(name))
    return logger


def configure(
    mode: Mode = "auto",
    level: str = "info",
    levels: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
    color: bool | None = None,
) -> None:
    """Choose how log lines look, where they go and which are written.

    *levels* names loggers: `app.queue` speaks for `app.queue:tasks` too, the longest name wins.

    Raises:
        ValueError: A level that is none of `LEVELS`.
    """
    chosen = {name: parse_level(text) for name, text in (levels or {}).items()}
    base = parse_level(level)
    target = sys.stderr if stream is None else stream
    _install(_Handler(target, _formatter(mode, target, color)), base)
    _levels.clear()
    _levels.update(chosen)
    for name in _known | chosen.keys():
        logging.getLogger(name).setLevel(_level_of(name))


def parse_level(text: str) -> int:
    """Return the number that the standard library gives to *text*."""
    number = LEVELS.get(text.lower())
    if number is None:
        raise ValueError(f"unknown log level {text!r}: use {', '.join(LEVELS)}")
    return number


def level_name(number: int) -> str:
    """Return the name of a level of the standard library."""
    return _LEVEL_NAMES.get(number, "info")


def has_color(stream: TextIO, env: Mapping[str, str] = os.environ) -> bool:
    """Say whether colours are welcome on *stream*."""
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def speaks_unicode(stream: TextIO) -> bool:
    """Say whether *stream* can carry more than ASCII."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")


def visible(text: str) -> str:
    r"""Return *text* with control characters written out: a newline becomes ``\n``."""
    return _UNSAFE.sub(_escape, text)


def short(message_id: str) -> str:
    """Return a message's id as people see it everywhere; commands understand it."""
    return message_id if len(message_id) <= 20 else f"{message_id[:4]}…{message_id[-6:]}"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _NAMED.get(char) or (f"\\x{ord(char):02x}" if char < "\x80" else f"\\u{ord(char):04x}")


def _level_of(name: str) -> int:
    """The level of the longest configured name that stands above *name*, or the common one."""
    fitting = [key for key in _levels if name == key or name.startswith((f"{key}.", f"{key}:"))]
    return _levels[max(fitting, key=len)] if fitting else logging.NOTSET


def _formatter(mode: Mode, stream: TextIO, color: bool | None) -> logging.Formatter:
    if mode == "auto":
        mode = "pretty" if stream.isatty() else "json"
    if mode == "json":
        return JsonFormatter()
    return PrettyFormatter(
        color=has_color(stream) if color is None else color,
        unicode=speaks_unicode(stream),
    )


def _install(handler: logging.Handler, level: int) -> None:
    """Put *handler* in the place of the one before; others' handlers stay."""
    global _handler  # noqa: PLW0603 - the root logger is one for the whole process
    root = logging.getLogger()
    if _handler is not None:
        root.removeHandler(_handler)
    _handler = handler
    root.addHandler(handler)
    root.setLevel(level)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a stream that is gone must not disturb the work that is logged."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its parent's name
        """Give the line up."""


_RESERVED = frozenset(
    ("time", "level", "logger", "message", "traceback", "entry", "message_id", "attempt")
)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as a line; a field with a reserved name gets `field_` before it."""
        line: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": _LEVEL_NAMES.get(record.levelno, "info"),
            "logger": record.name,
            "message": record.getMessage(),
            **_speaker(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        for key, value in _fields(record).items():
            line[f"field_{key}" if key in _RESERVED else key] = value
        return _UNSAFE.sub(_escape_json, _json(line))


class PrettyFormatter(logging.Formatter):
    """`12:00:01.120 INFO  app:process_order  took it  id=01J9…008A7Q attempt=1 order=42`."""

    def __init__(self, *, color: bool = False, unicode: bool = True) -> None:
        super().__init__()
        self._color = color
        self._unicode = unicode

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as a line, a traceback indented below it."""
        level = _LEVEL_NAMES.get(record.levelno, "info")
        head = (
            f"{self._time(record)} {self._paint(f'{level.upper():5}', _COLORS[level])} "
            f"{self._paint(visible(record.name), '36')}"
        )
        parts = (head, visible(record.getMessage()), self._paint(self._details(record), "2"))
        line = "  ".join(part for part in parts if part)
        if not self._unicode:
            line = line.translate(ASCII)
        if not record.exc_info:
            return line
        below = self.formatException(record.exc_info).splitlines()
        return "\n".join([line, *(f"    {visible(text)}" for text in below)])

    def _time(self, record: logging.LogRecord) -> str:
        local = datetime.fromtimestamp(record.created).astimezone()
        return self._paint(f"{local:%H:%M:%S}.{local.microsecond // 1000:03}", "2")

    def _details(self, record: logging.LogRecord) -> str:
        pairs: dict[str, Any] = {}
        if (message_id := getattr(record, "message_id", None)) is not None:
            pairs["id"] = short(str(message_id))
        if (attempt := getattr(record, "attempt", None)) is not None:
            pairs["attempt"] = attempt
        shown = [f"{key}={value_text(value)}" for key, value in pairs.items()]
        shown += [f"{visible(key)}={value_text(value)}" for key, value in _fields(record).items()]
        return " ".join(shown)

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color and text else text


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """The speaker's own fields by name, for Lua's tables know no order."""
    fields = getattr(record, "fields", None) or {}
    if not isinstance(fields, Mapping):
        return {"fields": fields}
    return dict(sorted((str(key), value) for key, value in fields.items()))


def _speaker(record: logging.LogRecord) -> dict[str, Any]:
    names = ("entry", "message_id", "attempt")
    spoken = {name: getattr(record, name, None) for name in names}
    return {name: value for name, value in spoken.items() if value is not None}


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def value_text(value: Any) -> str:
    """A field's value as people read it: quoted only where it would be misread."""
    text = value if isinstance(value, str) else _json(value)
    if isinstance(value, str) and not _PLAIN.fullmatch(text):
        text = json.dumps(text, ensure_ascii=False)
    return visible(text)


def _json(value: Any) -> str:
    try:
        return json.dumps(
            value, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False
        )
    except (ValueError, TypeError, RecursionError):
        # A cycle, a number that JSON has not, or keys of mixed kinds: the text is still worth it.
        return json.dumps(_as_text(value), ensure_ascii=False, separators=(",", ":"))


def _as_text(value: Any) -> Any:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else str(value)


def _escape_json(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
