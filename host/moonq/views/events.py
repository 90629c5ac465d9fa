"""One event of a message's life, or a log line, on one line."""

from __future__ import annotations

from collections.abc import Iterator

from moonq import durations
from moonq.text.plain import fields_text, visible
from moonq.text.wording import moment
from moonq.views.screen import Screen
from moonq.views.tables import Found

STYLES = {"ack": "good", "nack": "warn", "dead": "bad", "publish": "note"}


def event(found: Found, screen: Screen) -> str:
    """Return the line of an event."""
    kind, when = str(found.get("event", "?")), float(found.get("time", 0.0))
    label = screen.paint(STYLES.get(kind, "dim"), f"{kind:7}")
    words = _log(found) if kind == "log" else _life(found, kind, screen)
    text = "  ".join(visible(str(part)) for part in words if part)
    return f"{moment(when)}.{int(when % 1 * 1000):03} {label} {screen.plain(text)}".rstrip()


def _log(found: Found) -> Iterator[str]:
    yield found["level"].upper()
    yield found["logger"]
    yield found["message"]
    yield fields_text(found.get("fields", {}))


def _life(found: Found, kind: str, screen: Screen) -> Iterator[str]:
    yield found.get("queue", "")
    yield screen.id(found.get("id", ""))
    if found.get("count", 1) != 1:
        yield f"{found['count']} messages"
    if found.get("attempt"):
        yield f"try {found['attempt']}"
    if found.get("verdict") != "retry":
        yield found.get("verdict", "")
    if "delay" in found:
        yield f"in {durations.show(found['delay'])}"
    yield found.get("reason", "")
    error = found.get("error")
    if error:
        yield f"{error['kind']} {error['message']}"
        yield error.get("where", "")
    elif kind in ("ack", "deliver"):
        yield found.get("function", "")
    if "body" in found:
        yield screen.value(found["body"])
