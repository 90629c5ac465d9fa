"""What the examples of the reference stand in for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent

#: What examples name without declaring it.
COMPANIONS = {
    "mem": "{name: mem, kind: queue.driver.memory}",
    "orders": "{name: orders, kind: queue.queue, driver: mem}",
    "failed": "{name: failed, kind: queue.queue, driver: mem}",
    "mail": "{name: mail, kind: queue.queue, driver: mem}",
    "prices": "{name: prices, kind: library.lua, source: return 1}",
    "process_order": "{name: process_order, kind: function.lua, source: return function() end}",
}


def project(folder: Path, files: Mapping[str, str]) -> Path:
    """Write an example as a project into *folder*, with the entries that it only names."""
    for name, text in files.items():
        (folder / name).write_text(whole(text) if name == "_index.yaml" else text, "utf-8")
    return folder


def whole(entries: str) -> str:
    """Return a file with *entries*, unless they are a whole file already."""
    if entries.startswith("namespace:"):
        return entries
    declared = set(re.findall(r"name: ([\w.]+)", entries))
    more = [f"- {text}\n" for name, text in COMPANIONS.items() if name not in declared]
    return f"namespace: app\nentries:\n{indent(entries + ''.join(more), '  ')}"
