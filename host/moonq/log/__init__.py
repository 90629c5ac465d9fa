"""Log lines: for people on a terminal, as JSON everywhere else.

    log.configure(mode="json", level="info", levels={"app.queue": "debug"})
    log.get("app.queue:worker").info("took", extra={"fields": {"order": 42}, "attempt": 1})
    {"time":"2026-01-01T12:00:00.120Z","level":"info","logger":"app.queue:worker",...}

They go to stderr: stdout belongs to data. A record may carry `fields` (the speaker's own), and
`entry`, `message_id` and `attempt` where a handler speaks. Whatever a script says stays on its one
line: control characters are escaped, so that no text can forge a line of another speaker.

A speaker never waits for a reader: see `moonq.log.outlet`. What says who did what is logged with
`extra=log.AUDIT`, and is the last to be dropped.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from moonq.log.outlet import Outlet, end
from moonq.text import theme
from moonq.text.folding import Part, fold
from moonq.text.plain import (
    details_text,
    harmless,
    has_color,
    in_ascii,
    json_text,
    safe,
    speaks_unicode,
    visible,
    width_of,
)
from moonq.text.secrets import without_secrets

Mode = Literal["pretty", "json", "auto"]

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}
_LEVEL_NAMES = {number: name for name, number in LEVELS.items()} | {logging.CRITICAL: "error"}
_STYLES = {"debug": "dim", "info": "good", "warn": "warn", "error": "bad"}
#: Below that many columns a line has neither milliseconds nor the speaker's namespace.
NARROW = 60
#: Columns of the time: what goes on below a line stands behind it.
TIME = 13

#: Marks a line, in its `extra`, that says who did what.
AUDIT: Mapping[str, Any] = {"audit": True}

#: The standard library never forgets a logger, and scripts choose names: further ones share one,
#: and so do names of more characters.
MAX_NAMES = 10_000
MAX_NAME = 255
OTHERS = "others"
#: The standard library makes a parent for each dot of a name; of more dots we make one alone.
MAX_DOTS = 3

_levels: dict[str, int] = {}
_known: set[str] = set()
_alone: dict[str, logging.Logger] = {}
_handler: _Handler | None = None


def get(name: str) -> logging.Logger:
    """Return the logger called *name*, at the level that `configure` chose for it."""
    if name not in _known and (len(_known) >= MAX_NAMES or len(name) > MAX_NAME):
        name = OTHERS
    logger = _found(name)
    if name not in _known:
        _known.add(name)
        logger.setLevel(_level_of(name))
    return logger


def _found(name: str) -> logging.Logger:
    if name.count(".") <= MAX_DOTS:
        return logging.getLogger(name)
    return _alone.get(name) or _alone.setdefault(name, _Alone(name))


class _Alone(logging.Logger):
    """A logger right below the root, whatever dots its name has."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.parent = logging.getLogger()

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - its parent's name
        """Say whether a line would be written; what others remember of it is not ours to clear."""
        return self.manager.disable < level >= self.getEffectiveLevel()


def is_known(name: str) -> bool:
    """Say whether *name* is a logger that has been asked for, so that it may speak."""
    return name in _known


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
        _found(name).setLevel(_level_of(name))


def close(*others: TextIO) -> None:
    """Wait for the lines on their way, here and at *others*, but not for long."""
    end(*others, *([] if _handler is None else [_handler.stream]))


def parse_level(text: str) -> int:
    """Return the number that the standard library gives to *text*."""
    number = LEVELS.get(text.lower())
    if number is None:
        raise ValueError(f"unknown log level {text!r}: use {', '.join(LEVELS)}")
    return number


def level_name(number: int) -> str:
    """Return the name of a level of the standard library."""
    return _LEVEL_NAMES.get(number, "info")


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
        width=lambda: width_of(stream),
    )


def _install(handler: _Handler, level: int) -> None:
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
        if isinstance(stream, Outlet):
            stream.loss = self._loss

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, or hand it to an outlet as what it is."""
        if getattr(record, "audit", False) and isinstance(self.stream, Outlet):
            self.stream.write_audit(f"{self.format(record)}\n")
        else:
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, whatever its parts were made of."""
        return safe(without_secrets(super().format(record)))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its parent's name
        """Give the line up."""

    def _loss(self, count: int) -> str:
        text, fields = "lines were dropped here: nobody read them", {"dropped": count}
        record = logging.LogRecord("moonq.log", logging.WARNING, "", 0, text, (), None)
        record.fields = fields
        return f"{self.format(record)}\n"


_RESERVED = frozenset(
    ("time", "level", "logger", "message", "traceback", "entry", "message_id", "attempt")
)


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as a line; a field with a reserved name gets `field_` before it."""
        line: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": level_name(record.levelno),
            "logger": record.name,
            "message": record.getMessage(),
            **_speaker(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        for key, value in _fields(record).items():
            line[f"field_{key}" if key in _RESERVED else key] = value
        return harmless(json_text(line))


class PrettyFormatter(logging.Formatter):
    """`12:00:01.120 INFO  app:process_order  processing order  id=01J9…8A7Q attempt=1 order=42`.

    On a terminal a line goes on below itself, broken between words. One that is `NARROW` loses
    first the milliseconds, then the namespace of the speaker.
    """

    def __init__(
        self,
        *,
        color: bool = False,
        unicode: bool = True,
        width: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__()
        self._color = color
        self._unicode = unicode
        self._width = width

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as a line, a traceback indented below it."""
        width = self._width()
        is_narrow = 0 < width < NARROW
        lines = fold(self._parts(record, is_narrow), width, None if is_narrow else TIME)
        if record.exc_info:
            below = self.formatException(record.exc_info).splitlines()
            lines += [one for text in below for one in fold([(f"    {visible(text)}", "")], width)]
        return "\n".join("".join(self._paint(*part) for part in line) for line in lines)

    def _parts(self, record: logging.LogRecord, is_narrow: bool) -> list[Part]:
        level, name = level_name(record.levelno), visible(record.name)
        details = details_text(_speaker(record), _fields(record))
        parts = [
            (self._time(record, is_narrow), "dim"),
            (" ", ""),
            (f"{level.upper():5}", _STYLES[level]),
            (" ", ""),
            (name.rpartition(":")[2] if is_narrow else name, "note"),
            *_after("  ", visible(record.getMessage()), ""),
            *_after("  ", details, "dim"),
        ]
        return parts if self._unicode else [(in_ascii(text), style) for text, style in parts]

    def _time(self, record: logging.LogRecord, is_narrow: bool) -> str:
        local = datetime.fromtimestamp(record.created).astimezone()
        return f"{local:%H:%M:%S}" + ("" if is_narrow else f".{local.microsecond // 1000:03}")

    def _paint(self, text: str, style: str) -> str:
        return theme.chosen().paint(style, text, theme.depth()) if self._color and style else text


def _after(gap: str, text: str, style: str) -> list[Part]:
    return [(gap, ""), (text, style)] if text else []


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
