"""What the shell offers behind a half-typed name: ids of the running host, or of the files.

A running host is asked over its socket; without one the YAML files are only skimmed, because
reading a project properly takes longer than anybody waits for a completion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from moonq.cli.options import Options
from moonq.errors import MoonqError

#: Files and bytes that are skimmed.
MOST_FILES = 200
MOST_BYTES = 256 * 1024
_NAMESPACE = re.compile(r"^namespace:\s*['\"]?([\w.-]+)", re.MULTILINE)
_ENTRY = re.compile(
    r"name:\s*['\"]?(?P<name>[\w.-]+)['\"]?\s*[,\n][^{}]*?kind:\s*['\"]?(?P<kind>[a-z.]+)"
)

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completer(source: str) -> Completer:
    """Return what offers the names that *source* has: see `moonq.operations.verb`."""

    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = _SOURCES.get(source)
        return _offer(incomplete, names(_project(ctx))) if names else []

    return complete


def _offer(incomplete: str, found: list[tuple[str, str]]) -> list[CompletionItem]:
    """The ids that contain what was typed; those that begin with it come first."""
    fitting = [(name, text) for name, text in dict(found).items() if incomplete in name]
    fitting.sort(key=lambda one: (not one[0].startswith(incomplete), one[0]))
    return [CompletionItem(name, help=text or None) for name, text in fitting]


def _project(ctx: click.Context) -> Path:
    context: click.Context | None = ctx
    while context is not None:
        place = context.params.get("project") or context.params.get("place")
        if place is not None:
            return Path(place)
        context = context.parent
    return ctx.ensure_object(Options).project


def _asked(project: Path, kind: str, **fields: Any) -> Any:
    from moonq.control.client import connect

    with connect(project, patience=0.2) as host:
        return host.request(kind, **fields)


def _queues(project: Path) -> list[tuple[str, str]]:
    try:
        rows = _asked(project, "queues")["queues"]
    except (MoonqError, OSError):
        return list(_skimmed(project, "queue.queue"))
    return [(row["id"], _numbers(row)) for row in rows]


def _numbers(row: dict[str, Any]) -> str:
    parts = [f"{row[name]} {name}" for name in ("ready", "dead") if row.get(name)]
    return " · ".join(parts)


def _entries(project: Path, kind: str) -> list[tuple[str, str]]:
    try:
        rows = _asked(project, "entries", entry_kind=kind or None)["entries"]
    except (MoonqError, OSError):
        return list(_skimmed(project, kind))
    return [(row["id"], row["kind"]) for row in rows]


def _skimmed(project: Path, kind: str) -> Iterator[tuple[str, str]]:
    files = [project] if project.is_file() else _yaml_files(project)
    for number, path in enumerate(files):
        if number >= MOST_FILES:
            return
        try:
            text = path.read_text(encoding="utf-8", errors="replace")[:MOST_BYTES]
        except OSError:
            continue
        namespace = _NAMESPACE.search(text)
        if namespace:
            for entry in _ENTRY.finditer(text):
                if entry["kind"].startswith(kind):
                    yield f"{namespace[1]}:{entry['name']}", entry["kind"]


def _yaml_files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.yaml", "*/*.yaml", "*/*/*.yaml"):
        for path in sorted(folder.glob(pattern)):
            if not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield path


def _targets(project: Path) -> list[tuple[str, str]]:
    return [*_queues(project), *_entries(project, "queue.consumer")]


#: What may be named -> its names, each with a word about it.
_SOURCES: Mapping[str, Callable[[Path], list[tuple[str, str]]]] = {
    "queue": _queues,
    "consumer": lambda project: _entries(project, "queue.consumer"),
    "function": lambda project: _entries(project, "function.lua"),
    "entry": lambda project: _entries(project, ""),
    "target": _targets,
}
