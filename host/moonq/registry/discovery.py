"""Finds the YAML files that belong to a project, and reads what stands at their top.

A folder is full of YAML that is none of our business, so a file counts only when it speaks of
`namespace` and `entries`, or has the name of an index.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from moonq.registry.settings import FILE as SETTINGS
from moonq.registry.yaml import reading
from moonq.registry.yaml.nodes import List, Map, Node, Scalar, keys
from moonq.text.findings import Finding, Source, error
from moonq.text.suggestions import close, question
from moonq.text.wording import counted

SKIPPED = {"node_modules", "__pycache__", "venv"}
SUFFIXES = {".yaml", ".yml"}
#: Files that are looked at in a folder that does not say that it is a project.
MOST = 20_000
TOP = ("version", "namespace", "entries")
VERSIONS = {"1.0", "1"}
_OURS = re.compile(r"^(entries|namespace)\s*:", re.MULTILINE)
_NAMESPACE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file of the project: its namespace and its list of entries."""

    source: Source
    path: Path
    namespace: str
    entries: List


def folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder of the project at *root* with the names of its files, all in order.

    Links are not entered, nor folders with settings of their own: those are other projects.

    Raises:
        ValueError: There are more than `MOST` files, and nothing says that it is a project.
    """
    room = math.inf if (root / SETTINGS).is_file() else MOST
    for folder, inner, files in os.walk(root):
        inner[:] = sorted(name for name in inner if is_inside(Path(folder, name)))
        room -= len(files)
        if room < 0:
            many = f"it has more than {counted(MOST)} files"
            raise ValueError(f"{many}; if it is a project, put a {SETTINGS} there")
        yield Path(folder), sorted(files)


def is_inside(folder: Path) -> bool:
    """Say whether *folder* belongs to the project of the folder it lies in."""
    is_ours = folder.name[0] != "." and folder.name not in SKIPPED
    return is_ours and not (folder / SETTINGS).is_file()


def yaml_files(root: Path) -> Iterator[Path]:
    """Yield the YAML files of the project at *root* in the order of their names."""
    for folder, files in folders(root):
        for name in files:
            path = folder / name
            if path.suffix in SUFFIXES and name != SETTINGS and path.is_file():
                yield path


def open_file(path: Path, root: Path, findings: list[Finding]) -> tuple[Source, bytes]:
    """Return a file of the project; one that cannot be read is empty, and a finding."""
    name = path.relative_to(root).as_posix()
    try:
        with path.open("rb") as stream:
            data = stream.read(reading.MAX_BYTES + 1)
    except OSError as problem:
        reason = (problem.strerror or "unknown error").lower()
        findings.append(error("P105", f"{name} cannot be read: {reason}"))
        return Source(name, ""), b""
    return Source.of(name, data), data


def document(path: Path, root: Path, findings: list[Finding], *, asked: bool) -> Document | None:
    """Read the file at *path*; None when it is not ours or has nothing to say.

    A file that was *asked* for by name, or is called `_index`, is ours whatever it says.
    """
    problems: list[Finding] = []
    source, data = open_file(path, root, problems)
    asked = asked or path.stem == "_index"
    if problems or not (asked or _OURS.search(source.text)):
        findings += problems if asked else []
        return None
    node, problems = reading.read(source, data)
    if isinstance(node, Map) and (asked or _is_ours(node)):
        findings += problems
        return _Top(source, node, findings).document(path)
    if node is None:
        findings += problems or ([_empty(source)] if asked else [])
    elif asked:
        findings.append(_no_map(source, node))
    return None


def _is_ours(node: Map) -> bool:
    """Other programs use these words too; a list of things with a `kind` is an entry list."""
    entries = node.get("entries")
    if "namespace" in node.items:
        return entries is not None or bool(close("entries", node.items))
    return isinstance(entries, List) and any("kind" in keys(item) for item in entries.items)


@dataclass
class _Top:
    """What stands at the top of a file of entries, and what is wrong with it."""

    source: Source
    node: Map
    findings: list[Finding]

    def _add(self, code: str, message: str, node: Node, advice: str) -> None:
        self.findings.append(error(code, message, self.source.at(node), help=advice))

    def document(self, path: Path) -> Document | None:
        for key in self.node.items:
            if key not in TOP:
                self._unknown_key(key)
        version = self.node.get("version")
        if version and not (isinstance(version, Scalar) and version.text in VERSIONS):
            self._add("R207", "this moonq reads version 1.0 of the format", version, 'write "1.0"')
        namespace = self._namespace()
        entries = self._entries()
        return Document(self.source, path, namespace, entries) if entries else None

    def _namespace(self) -> str:
        value = self.node.get("namespace")
        if isinstance(value, Scalar) and _NAMESPACE.fullmatch(value.text):
            return value.text
        if value is not None:
            advice = "write words of letters, digits, `_` and `-` with dots between"
            self._add("R212", "this is no namespace", value, f"{advice}, such as `app.queue`")
        else:
            self._lacks("namespace", "add `namespace: app`")
        return ""

    def _entries(self) -> List | None:
        entries = self.node.get("entries")
        if isinstance(entries, Scalar) and entries.plain and entries.text in {"", "~", "null"}:
            return List(entries.line, entries.column, 1)
        if isinstance(entries, List):
            return entries
        if entries is not None:
            message = "`entries` must be a list"
            self._add("R207", message, entries, "begin each entry with `- name: …`")
        else:
            self._lacks("entries", "add `entries:`")
        return None

    def _lacks(self, key: str, advice: str) -> None:
        """A key that is only misspelt was complained about as one that is unknown."""
        if not close(key, self.node.items):
            self._add("R211", f"this file needs a field `{key}`", self.node, advice)

    def _unknown_key(self, key: str) -> None:
        likely = question(close(key, [name for name in TOP if name not in self.node.items]))
        message = f"a file of entries has no field `{key}`"
        advice = likely or "it has `version`, `namespace` and `entries`"
        self._add("R206", message, self.node.items[key][0], advice)


def _empty(source: Source) -> Finding:
    return error("R211", f"{source.file} is empty", help="write `namespace:` and `entries:`")


def _no_map(source: Source, node: Node) -> Finding:
    advice = "write `namespace:` and `entries:` at its top"
    return error("R207", "a file of entries must be a map", source.at(node), help=advice)
