"""What a project stands on, looked at without starting anything: versions, socket, disk, settings.

Whatever is secret in a setting is masked: passwords in addresses, and fields that are called so.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from functools import reduce
from pathlib import Path
from typing import Any

from moonq.cli.commands.version import versions
from moonq.control import hosts
from moonq.control.locating import place_of
from moonq.registry.common import Config
from moonq.registry.hidden import written
from moonq.registry.project import Entry, Project
from moonq.registry.yaml.nodes import Node
from moonq.text.secrets import masked


def look(project: Project) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "versions": {**versions(), "sqlite": sqlite3.sqlite_version},
        "socket": _socket(project),
        "disk": {"free_bytes": shutil.disk_usage(_nearest(project.root)).free},
        "profile": project.profile or None,
        "profiles": list(project.profiles),
        "settings": _settings(project),
        "stores": [{"id": one.id, "kind": one.kind} for one in project.of_kind("store.")],
    }


def _settings(project: Project) -> dict[str, Any]:
    """Return what `moonq.yaml` says, each value with its place and the profile that says so."""
    said = project.settings.model_dump(mode="json", exclude={"profiles"})
    return {
        ".".join(keys): {
            "value": masked(reduce(lambda value, key: value[key], keys, said), keys[-1]),
            **origin._asdict(),
        }
        for keys, origin in project.origins.items()
    }


def settings(entry: Entry) -> dict[str, Any]:
    """Return what a driver's or a database's entry says, with defaults, and secrets masked.

    An address from the environment is said without its password: it is where it goes.
    """
    said = entry.config.model_dump(by_alias=True, exclude=set(Config.model_fields))
    return {name: _setting(entry.node.get(name), value, name) for name, value in said.items()}


def _setting(node: Node | None, value: Any, name: str) -> Any:
    is_address = isinstance(value, str) and "://" in value
    is_text = not isinstance(value, bool | int | float | None)
    return masked(value if is_address or not is_text else written(node, value), name)


def _socket(project: Project) -> dict[str, Any]:
    place = place_of(project.path or project.root)
    running = [(one.name, one.record() or {}) for one in hosts.running(place.project)]
    found: dict[str, Any] = {
        "path": str(place.socket),
        "hosts": [
            {"name": name, "pid": one.get("pid"), "socket": one.get("socket")}
            for name, one in running
        ],
    }
    if running:
        return found
    folder = _nearest(place.socket.parent)
    if not folder.is_dir():
        found["problem"] = f"no socket can be made: {folder} is no folder"
        found["hint"] = "move it away, or run with --socket PATH"
    elif not os.access(folder, os.W_OK | os.X_OK):
        found["problem"] = f"no socket can be made: {folder} may not be written"
        found["hint"] = "give the folder to this user, or run with --socket PATH"
    return found


def _nearest(folder: Path) -> Path:
    """Return the folder, or the first thing above it that is there."""
    return next(one for one in (folder, *folder.parents) if one.exists())
