"""Messages that are about to be dropped, written where they can be published from again.

.moonq/trash/2026-11-23T121501-app-orders.ndjson
{"body":{"id":42},"headers":{},"options":{"id":"0190..."},"state":"ready"}
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from moonq import private
from moonq.drivers.letters import X_DEAD_LETTER_REASON
from moonq.errors import MoonqError
from moonq.model import Message, Priority, Stored
from moonq.run.publishing import MAX_DELAY
from moonq.run.queues import Route
from moonq.text.json_in import parsed

FOLDER = Path(".moonq", "trash")
KEPT_DAYS = 7
#: Seconds that a message has left which would have expired by now.
SOONEST_END = 0.001


def write(
    root: Path, route: Route, messages: Iterable[Stored], now: float, begun: Path | None = None
) -> tuple[Path, list[int]]:
    """Write *messages* of a queue below *root*; returns the file and their numbers.

    They are added to the file that was *begun* with others of the same command.

    Raises:
        MoonqError: It cannot be written, so nothing may be dropped.
    """
    folder = root / FOLDER
    try:
        private.folder(folder)
        _forget_old(folder, now)
        path = begun or _free_path(folder, route.id, now)
        is_new = 0 if begun else os.O_EXCL
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | is_new, 0o600)
        numbers = []
        with open(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:  # noqa: PTH123
            for stored in messages:
                file.write(json.dumps(line(stored, now, route.decodes), ensure_ascii=False) + "\n")
                numbers.append(stored.number)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise MoonqError(
            f"no backup could be written below {folder}: {problem.strerror}; nothing was dropped",
            hint="make room there, or go without with --no-backup",
        ) from None
    return path, numbers


def line(stored: Stored, now: float, decodes: bool = True) -> dict[str, Any]:
    """Return *stored* as `moonq publish --ndjson` reads it; *decodes*: its queue holds JSON."""
    message = stored.message
    own = {name: value for name, value in message.headers.items() if not name.startswith("x_")}
    story = {name: value for name, value in message.headers.items() if name.startswith("x_")}
    found: dict[str, Any] = {
        **_body(message, decodes),
        "headers": own,
        "options": _options(stored, now),
    }
    found["state"] = "dead" if X_DEAD_LETTER_REASON in story else stored.state
    if story:
        found["story"] = story
    return found


def _options(stored: Stored, now: float) -> dict[str, Any]:
    """Return what a publish would ask for to have the message as it lies there."""
    message, due, expires = stored.message, stored.due, stored.expires
    is_usual = message.priority == Priority.NORMAL
    wished = {
        "id": message.id,
        "priority": None if is_usual else message.priority.name.lower(),
        "group": message.group,
        "dedup_key": message.dedup_key,
        # A driver may have been given a longer wait than a publish may ask for.
        "at": min(due, now + MAX_DELAY) if due is not None and due > now else None,
        # What is left of it; nothing can be published that is too late already.
        "ttl": None if expires is None else max(expires - now, SOONEST_END),
    }
    return {name: value for name, value in wished.items() if value is not None}


def _body(message: Message, decodes: bool) -> dict[str, Any]:
    body = message.body
    try:
        value = parsed(body, parse_constant=_refuse)
        # Only what comes out the same may go in as a value: keys that stand twice would be lost,
        # and a text that is no JSON to its queue must not become what it spells.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        is_json = decodes and message.content_type == "application/json"
        if is_json and text.encode() == body:
            return {"body": value}
    except ValueError:
        pass
    return {"base64": base64.b64encode(body).decode()}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON, whatever Python says")


def _free_path(folder: Path, queue: str, now: float) -> Path:
    moment = time.strftime("%Y-%m-%dT%H%M%S", time.localtime(now))
    name = f"{moment}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', queue)}"
    path, number = folder / f"{name}.ndjson", 1
    while path.exists():
        number += 1
        path = folder / f"{name}-{number}.ndjson"
    return path


def _forget_old(folder: Path, now: float) -> None:
    for path in folder.glob("*.ndjson"):
        if path.stat().st_mtime < now - KEPT_DAYS * 86400:
            path.unlink(missing_ok=True)
