"""Pieces of Lua and YAML that are no whole file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from tests.manual.page import Block

from moonq.console.chunk import judge
from moonq.kinds import inspect
from moonq.sandbox import syntax
from moonq.text.findings import Finding

#: What is wrong with a piece because it is one: files, entries and variables are elsewhere.
ELSEWHERE = {"P120", "R202", "R213", "R218"}


def check_yaml(block: Block) -> None:
    """See that it is YAML, and that entries in it have the fields of their kind."""
    [piece] = yaml.safe_load_all(block.text)
    entries = piece.get("entries") if isinstance(piece, dict) else piece
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        return
    head = "" if isinstance(piece, dict) else "namespace: app\nentries:\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "_index.yaml").write_text(f"{head}{block.text}", "utf-8")
        _, findings = inspect(Path(folder))
    found = [f"{one.message} [{one.code}]" for one in findings if _counts(one)]
    assert not found, f"{block.place}: {'; '.join(found)}"


def _counts(finding: Finding) -> bool:
    return finding.severity == "error" and finding.code not in ELSEWHERE


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and "kind" in value


def check_lua(block: Block) -> None:
    """See that it is Lua."""
    problem = syntax.check(block.text.encode(), block.page)
    assert problem is None, f"{block.place}: {problem}"


def steps(block: Block) -> Iterator[tuple[str, str]]:
    """Yield each whole piece of Lua, and what is noted behind it."""
    typed = ""
    for line in block.text.splitlines():
        code, _, noted = line.partition("-->")
        typed += f"{code}\n"
        if not judge(typed).is_incomplete and typed.strip():
            yield typed.strip(), noted.strip()
            typed = ""
    assert not typed.strip(), f"{block.place}: it ends too early: {typed}"


def is_value(said: str, noted: str) -> bool:
    """Say whether *said* is what a note has: `"none": the default`, a value and a remark on it."""
    value = said.strip()
    return noted.startswith(value) and noted[len(value) :][:1] in ("", ":", " ", ",")
