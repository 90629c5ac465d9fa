"""The page about `--json`: each document with its fields, as recorded answers have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moonq.reference.markdown import page, section, table

_LEAD = "What `--json` answers: each document with its fields."
_ABOUT = """\
A document names its `schema` first: a name, and a number that grows when a field changes its
meaning. Fields are only ever added, so ignore those you do not know. Commands that go on (`tail`,
`test`, `top`, the console) write one document a line. Errors go to stderr as `moonq.error/1`.
`[]` behind a field stands for the items of a list, `NAME` for names that the project gives."""
_TYPES = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    list: "list",
    dict: "map",
    type(None): "null",
}
#: What recordings put in the place of values that differ each time.
_MASKS = {"<integer>": "integer", "<number>": "number"}
#: Maps that hold what the project or its messages say, whose keys are not ours.
_FOREIGN = frozenset({"body", "data", "fields", "headers", "meta", "settings", "values"})


@dataclass
class Document:
    """What is known of one schema."""

    commands: set[str] = field(default_factory=set)
    fields: dict[str, set[str]] = field(default_factory=dict)


def text(recorded: Path) -> str:
    """Return the page of the answers in the folder *recorded*."""
    found = sorted(documents(recorded).items())
    return page("JSON documents", _LEAD, _ABOUT, *(_section(name, one) for name, one in found))


def documents(recorded: Path) -> dict[str, Document]:
    """Return every schema that was recorded."""
    found: dict[str, Document] = {}
    for path in sorted(recorded.glob("*.json")):
        case = json.loads(path.read_text("utf-8"))
        for one in [*case["out"], *case["err"]]:
            if isinstance(one, Mapping) and "schema" in one:
                document = found.setdefault(one["schema"], Document())
                document.commands.add(_command(case["typed"]))
                _take(document, one)
    return found


def _command(typed: str) -> str:
    words = [word for word in typed.split()[:2] if not word.startswith("-")]
    is_group = words[0] in ("dead", "explain") and len(words) > 1
    return f"moonq {' '.join(words)}" if is_group else f"moonq {words[0]}"


def _take(document: Document, answer: Mapping[str, Any]) -> None:
    for path, kind in _walked(answer, ""):
        document.fields.setdefault(path, set()).add(kind)


def _walked(value: Any, path: str, is_foreign: bool = False) -> Iterator[tuple[str, str]]:
    if path:
        mask = _MASKS.get(value) if isinstance(value, str) else None
        yield path, mask or _TYPES[type(value)]
    if is_foreign:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walked(inner, f"{path}.{name}" if path else name, name in _FOREIGN)
    if isinstance(value, list):
        for inner in value:
            if isinstance(inner, Mapping | list):
                yield from _walked(inner, f"{path}[]")


def _section(name: str, document: Document) -> str:
    by = ", ".join(f"`{one}`" for one in sorted(document.commands))
    rows = (
        [f"`{path}`", _kinds(document.fields[path])]
        for path in _in_order(document.fields)
        if path != "schema" and not path.endswith("[]")
    )
    return section(name, f"From {by}.", table(["field", "type"], rows))


def _in_order(paths: Iterable[str]) -> list[str]:
    """Return *paths* as they were met first, each with all that lies within behind it."""
    met = {path: place for place, path in enumerate(paths)}

    def places(path: str) -> list[int]:
        steps = [found.end() for found in re.finditer(r"[^.\[]+|\[\]", path)]
        return [met[path[:end]] for end in steps if path[:end] in met]

    return sorted(met, key=places)


def _kinds(found: set[str]) -> str:
    *others, last = sorted(found, key=lambda kind: (kind == "null", kind))
    return f"{', '.join(others)} or {last}" if others else last
