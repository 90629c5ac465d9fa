"""JSON Schemas in the files of a project, which may refer to each other and to nothing else.

written(Path("shop/_index.yaml"), {"$ref": "order.json"}, root)   # an inline schema
written(Path("shop/_index.yaml"), "file://order.json", root)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from moonq.errors import Invalid
from moonq.registry.sources import FILE
from moonq.registry.yaml.plain import Wrong, plain
from moonq.run.schemas import Schema
from moonq.text.json_in import parsed

#: Bytes of one file.
LONGEST = 1024 * 1024


def written(index: Path, schema: str | dict[str, Any], root: Path) -> Schema:
    """Return the schema that the YAML file *index* of the project *root* writes or names.

    Raises:
        Invalid: It is not there, lies outside of the project, or is no schema.
        Unsupported: The library is not installed.
    """
    place = index.resolve()
    if isinstance(schema, dict):
        return Schema(schema, place.as_uri(), lambda uri: _document(_path_of(uri), root))
    path = (place.parent / schema.removeprefix(FILE)).resolve()
    document = _document(path, root)
    return Schema(document, path.as_uri(), lambda uri: _document(_path_of(uri), root))


def _path_of(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc:
        raise Invalid(f"{uri} is not a file of the project")
    return Path(unquote(parts.path)).resolve()


def _document(path: Path, root: Path) -> Any:
    """Return what a file says, JSON or YAML."""
    if not path.is_relative_to(root.resolve()):
        raise Invalid(f"it leads to {path.name}, which lies outside of the project")
    shown = path.relative_to(root.resolve()).as_posix()
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise Invalid(f"{shown}: {(problem.strerror or 'unknown error').lower()}") from None
    if len(data) > LONGEST:
        raise Invalid(f"{shown} has {len(data)} bytes, more than {LONGEST}")
    return _yaml(shown, data) if path.suffix in (".yaml", ".yml") else _json(shown, data)


def _json(shown: str, data: bytes) -> Any:
    try:
        return parsed(data)
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise Invalid(f"{shown}: {where}: {problem.msg.lower()}") from None
    except ValueError as problem:
        raise Invalid(f"{shown}: {problem}") from None


def _yaml(shown: str, data: bytes) -> Any:
    try:
        return plain(shown, data)
    except Wrong as wrong:
        spans = wrong.finding.spans
        line = f"line {spans[0].line}: " if spans else ""
        raise Invalid(f"{shown}: {line}{wrong}") from None
