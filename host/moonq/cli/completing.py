"""What the shell offers behind a half-typed name: ids of the running host, or of the files.

A running host is asked over its socket; without one the YAML files are only skimmed, because
reading a project properly takes too long for a completion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from moonq.cli.options import OFFERS, Options, project_of
from moonq.errors import MoonqError

#: Files and bytes that are skimmed.
MOST_FILES = 200
MOST_BYTES = 256 * 1024
#: Folders with such a file are projects; `registry.settings.FILE` takes too long to import here.
SETTINGS = "moonq.yaml"
#: Messages that are offered.
MOST_MESSAGES = 100
_NAMESPACE = re.compile(r"^namespace:\s*['\"]?([\w.-]+)", re.MULTILINE)
_ENTRY = re.compile(
    r"name:\s*['\"]?(?P<name>[\w.-]+)['\"]?\s*[,\n][^{}]*?kind:\s*['\"]?(?P<kind>[a-z.]+)"
)

#: What a shell takes as it is: ids of messages are their publishers' choice, and a completion is
#: typed in the person's name.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+][A-Za-z0-9_.:/@+=,%-]*")

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def completer(source: str) -> Completer:
    """Return what offers the names that *source* has: see `moonq.operations.verb`."""

    def complete(
        ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        names = _SOURCES.get(source)
        return _offer(incomplete, names(ctx)) if names else []

    return complete


def _offer(incomplete: str, found: list[tuple[str, str]]) -> list[CompletionItem]:
    """The ids that contain what was typed; those that begin with it come first."""
    fitting = [
        (name, text)
        for name, text in dict(found).items()
        if incomplete in name and _PLAIN.fullmatch(name)
    ]
    fitting.sort(key=lambda one: (not one[0].startswith(incomplete), one[0]))
    return [CompletionItem(name, help=text or None) for name, text in fitting]


def _asked(ctx: click.Context, kind: str, **fields: Any) -> Any:
    from moonq.control.client import connect

    with connect(project_of(ctx), host=ctx.ensure_object(Options).host, patience=0.2) as host:
        return host.request(kind, **fields)


def _queues(ctx: click.Context) -> list[tuple[str, str]]:
    try:
        rows = _asked(ctx, "queues")["queues"]
    except (MoonqError, OSError):
        return list(_skimmed(ctx, "queue.queue"))
    return [(row["id"], _numbers(row)) for row in rows]


def _numbers(row: dict[str, Any]) -> str:
    parts = [f"{row[name]} {name}" for name in ("ready", "dead") if row.get(name)]
    return " · ".join(parts)


def _entries(ctx: click.Context, kind: str) -> list[tuple[str, str]]:
    try:
        rows = _asked(ctx, "entries", entry_kind=f"{kind}*")["entries"]
    except (MoonqError, OSError):
        return list(_skimmed(ctx, kind))
    return [(row["id"], row["kind"]) for row in rows]


def _settings(_ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    from moonq.registry.overrides import paths
    from moonq.registry.settings import Common

    return _unfinished((f"{one}=" for one in paths(Common)), incomplete)


def _overrides(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Offer ids, and behind one the fields of its kind."""
    found = dict(_entries(ctx, ""))
    target = incomplete.rpartition(":")[0]
    if target not in found:
        return _unfinished((f"{id_}:" for id_ in found), incomplete)
    from moonq.kinds import KINDS
    from moonq.registry.overrides import paths

    kind = KINDS.get(found[target])
    fields = paths(kind.model) if kind else iter(())
    names = (f"{target}:{one}=" for one in fields if one not in ("name", "kind"))
    return _unfinished(names, incomplete)


def _unfinished(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(one, type="nospace") for one in names if one.startswith(incomplete)]


OFFERS.update(set=_settings, override=_overrides)


def _messages(ctx: click.Context) -> list[tuple[str, str]]:
    """Messages of the queue that is typed already: dead letters behind `moonq dead`."""
    kind = "dead_letters" if ctx.parent and ctx.parent.info_name == "dead" else "peek"
    # Behind an option that lacks its value, click has not come to the arguments yet.
    queue = ctx.params.get("queue") or "".join(ctx.args[:1])
    try:
        rows = _asked(ctx, kind, queue=queue, limit=MOST_MESSAGES)["messages"]
    except (MoonqError, OSError):
        return []
    return [(row["id"], f"{row['age']:.0f} s old") for row in rows]


def _skimmed(ctx: click.Context, kind: str) -> Iterator[tuple[str, str]]:
    project = project_of(ctx)
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
            between = path.relative_to(folder).parents
            hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
            # A folder with settings of its own is another project.
            nested = any((folder / one / SETTINGS).is_file() for one in between if one.name)
            if not hidden and not nested:
                yield path


def _targets(ctx: click.Context) -> list[tuple[str, str]]:
    return [*_queues(ctx), *_entries(ctx, "queue.consumer")]


def _hosts(ctx: click.Context) -> list[tuple[str, str]]:
    from moonq.control import hosts

    return [(one.name, f"pid {hosts.pid_of(one)}") for one in hosts.running(project_of(ctx))]


#: What may be named -> its names, each with a word about it.
_SOURCES: Mapping[str, Callable[[click.Context], list[tuple[str, str]]]] = {
    "queue": _queues,
    "holder": _queues,
    "function": lambda ctx: _entries(ctx, "function.lua"),
    "driver": lambda ctx: _entries(ctx, "queue.driver."),
    "entry": lambda ctx: _entries(ctx, ""),
    "target": _targets,
    "consumer": lambda ctx: _entries(ctx, "queue.consumer"),
    "speaker": lambda ctx: [*_targets(ctx), *_entries(ctx, "function.lua")],
    "message": _messages,
    "host": _hosts,
}
