"""Finds the YAML files that belong to a project, and reads what stands at their top.

A folder is full of YAML that is none of our business, so a file counts only when it speaks of
`namespace` and `entries`, or has the name of an index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from moonq.registry.settings import FILE as SETTINGS
from moonq.registry.yaml import reading
from moonq.registry.yaml.nodes import List, Map, Node, Scalar, keys
from moonq.text.findings import Finding, Source
from moonq.text.suggestions import close, question

SKIPPED = {"node_modules", "__pycache__", "venv"}
SUFFIXES = {".yaml", ".yml"}
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


def yaml_files(root: Path) -> Iterator[Path]:
    """Yield the YAML files below *root* in the order of their names; links are not entered."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in SKIPPED)
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in SUFFIXES and name != SETTINGS and path.is_file():
                yield path


def open_file(path: Path, root: Path) -> tuple[Source, bytes, list[Finding]]:
    """Return a file of the project; one that cannot be read is empty, and a finding."""
    name = path.relative_to(root).as_posix()
    try:
        with path.open("rb") as stream:
            data = stream.read(reading.MAX_BYTES + 1)
    except OSError as error:
        message = f"{name} cannot be read: {(error.strerror or 'unknown error').lower()}"
        return Source(name, ""), b"", [Finding("error", "P105", message)]
    return Source.of(name, data), data, []


def document(path: Path, root: Path, *, asked: bool) -> tuple[Document | None, list[Finding]]:
    """Read the file at *path*; None when it is not ours or has nothing to say.

    A file that was *asked* for by name, or is called `_index`, is ours whatever it says.
    """
    source, data, findings = open_file(path, root)
    asked = asked or path.stem == "_index"
    if findings:
        return None, findings if asked else []
    if not asked and not _OURS.search(source.text):
        return None, []
    node, findings = reading.read(source, data)
    if node is None:
        return None, findings or ([_empty(source)] if asked else [])
    if not isinstance(node, Map) or not (asked or _is_ours(node)):
        return None, [_no_map(source, node)] if asked else []
    found, more = _document(source, path, node)
    return found, findings + more


def _is_ours(node: Map) -> bool:
    """Other programs use these words too; a list of things with a `kind` is an entry list."""
    entries = node.get("entries")
    if "namespace" in node.items:
        return entries is not None or bool(close("entries", node.items))
    return isinstance(entries, List) and any("kind" in keys(item) for item in entries.items)


def _document(source: Source, path: Path, node: Map) -> tuple[Document | None, list[Finding]]:
    findings = [_unknown_key(source, node, key) for key in node.items if key not in TOP]
    findings += _version(source, node.get("version"))
    namespace, more = _namespace(source, node)
    findings += more
    entries = node.get("entries")
    if isinstance(entries, Scalar) and entries.plain and entries.text in {"", "~", "null"}:
        entries = List(entries.line, entries.column, 1)
    if isinstance(entries, List):
        return Document(source, path, namespace, entries), findings
    if entries is not None:
        findings.append(
            _error(
                source,
                entries,
                "R207",
                "`entries` must be a list",
                "begin each entry with `- name: …`",
            )
        )
    elif not close("entries", node.items):
        findings.append(
            _error(source, node, "R211", "this file needs a field `entries`", "add `entries:`")
        )
    return None, findings


def _namespace(source: Source, node: Map) -> tuple[str, list[Finding]]:
    value = node.get("namespace")
    if isinstance(value, Scalar) and _NAMESPACE.fullmatch(value.text):
        return value.text, []
    if value is None and close("namespace", node.items):
        return "", []
    if value is None:
        return "", [
            _error(
                source, node, "R211", "this file needs a field `namespace`", "add `namespace: app`"
            )
        ]
    return "", [
        _error(
            source,
            value,
            "R212",
            "this is no namespace",
            "write words of letters, digits, `_` and `-` with dots between, such as `app.queue`",
        )
    ]


def _version(source: Source, node: Node | None) -> list[Finding]:
    if node is None or (isinstance(node, Scalar) and node.text in VERSIONS):
        return []
    return [
        _error(source, node, "R207", "this moonq reads version 1.0 of the format", 'write "1.0"')
    ]


def _unknown_key(source: Source, node: Map, key: str) -> Finding:
    likely = question(close(key, [name for name in TOP if name not in node.items]))
    return _error(
        source,
        node.items[key][0],
        "R206",
        f"a file of entries has no field `{key}`",
        likely or "it has `version`, `namespace` and `entries`",
    )


def _empty(source: Source) -> Finding:
    return Finding(
        "error",
        "R211",
        f"{source.file} is empty",
        (),
        (),
        ("write `namespace:` and `entries:`",),
    )


def _no_map(source: Source, node: Node) -> Finding:
    return _error(
        source,
        node,
        "R207",
        "a file of entries must be a map",
        "write `namespace:` and `entries:` at its top",
    )


def _error(source: Source, node: Node, code: str, message: str, advice: str) -> Finding:
    span = source.span(node.line, node.column, node.length)
    return Finding("error", code, message, (span,), (), (advice,))
