"""One event of a message's life, or a log line, on one line."""

from __future__ import annotations

from collections.abc import Iterator

from moonq import durations
from moonq.log import NARROW, TIME
from moonq.text.folding import Part, fold
from moonq.text.plain import fields_text, visible
from moonq.text.wording import moment
from moonq.views.screen import Screen
from moonq.views.tables import Found

STYLES = {"ack": "good", "nack": "warn", "dead": "bad", "publish": "note"}


def event(found: Found, screen: Screen) -> str:
    """Return the line of an event; on a terminal what does not fit goes on below it.

    One that is `NARROW` loses first the milliseconds, then the namespaces of queues and loggers.
    """
    is_narrow = 0 < screen.width < NARROW
    lines = fold(_parts(found, screen, is_narrow), screen.width, None if is_narrow else TIME)
    return "\n".join("".join(screen.paint(*reversed(part)) for part in one) for one in lines)


def plain_event(found: Found, screen: Screen) -> str:
    """Return the same as text: on one line and without colours."""
    return "".join(text for text, _ in _parts(found, screen, is_narrow=False))


def _parts(found: Found, screen: Screen, is_narrow: bool) -> list[Part]:
    kind, when = visible(str(found.get("event", "?"))), float(found.get("time", 0.0))
    words = _log(found) if kind == "log" else _life(found, kind, screen)
    shown = [visible(str(part)) for part in words if part]
    # Last, so that lines of one host and of several have the same columns.
    shown += [f"at {visible(found['host'])}"] if "host" in found else []
    if is_narrow:
        place = 1 if kind == "log" else 0
        shown[place : place + 1] = [name.rpartition(":")[2] for name in shown[place : place + 1]]
    text = "  ".join(shown)
    time = moment(when) + ("" if is_narrow else f".{int(when % 1 * 1000):03}")
    label = f"{kind:7}" if text else kind
    return [(f"{time} ", ""), (label, STYLES.get(kind, "dim")), (f" {text}" if text else "", "")]


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
