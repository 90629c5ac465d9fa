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

from moonq.errors import MoonqError
from moonq.model import Priority, Stored

FOLDER = Path(".moonq", "trash")
KEPT_DAYS = 7


def write(root: Path, queue: str, messages: Iterable[Stored], now: float) -> tuple[Path, list[str]]:
    """Write *messages* of *queue* below *root*; returns the file and the ids in it.

    Raises:
        MoonqError: It cannot be written, so nothing may be dropped.
    """
    folder = root / FOLDER
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_old(folder, now)
        path = _free_path(folder, queue, now)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        ids = []
        with open(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:  # noqa: PTH123
            for stored in messages:
                file.write(json.dumps(line(stored, now), ensure_ascii=False) + "\n")
                ids.append(stored.message.id)
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        raise MoonqError(
            f"no backup could be written below {folder}: {problem.strerror}; nothing was dropped",
            hint="make room there, or go without with --no-backup",
        ) from None
    return path, ids


def line(stored: Stored, now: float) -> dict[str, Any]:
    """Return *stored* as `moonq publish --ndjson` reads it."""
    message = stored.message
    options: dict[str, Any] = {"id": message.id}
    if message.priority != Priority.NORMAL:
        options["priority"] = message.priority.name.lower()
    if message.group is not None:
        options["group"] = message.group
    if stored.due is not None and stored.due > now:
        options["at"] = stored.due
    own = {name: value for name, value in message.headers.items() if not name.startswith("x_")}
    story = {name: value for name, value in message.headers.items() if name.startswith("x_")}
    found: dict[str, Any] = {**_body(message.body), "headers": own, "options": options}
    found["state"] = "dead" if story else stored.state
    if story:
        found["story"] = story
    return found


def _body(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
        # Only what comes out the same may go in as a value: keys that stand twice would be lost.
        if json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() == body:
            return {"body": value}
    except (ValueError, RecursionError, UnicodeEncodeError):
        pass
    return {"base64": base64.b64encode(body).decode()}


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
