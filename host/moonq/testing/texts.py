"""The Lua texts of a suite and its project, and the names by which Lua knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from moonq import assets
from moonq.registry import Entry, Project
from moonq.registry.lua import runtime, syntax
from moonq.registry.lua.text import LuaText
from moonq.run.functions import chunk
from moonq.sandbox import syntax as compiler
from moonq.sandbox.state import LuaSource
from moonq.testing.sources import SuiteSource, shown_path
from moonq.text.findings import Finding, Source


class Texts:
    """Knows which file a chunk is, and makes findings that name it as people do."""

    def __init__(self, source: SuiteSource, project: Project, chunk: str, data: bytes) -> None:
        self._root = source.root
        self.own = LuaText.of_file(chunk, data)
        scripts = (entry.script for entry in project.entries.values())
        self._all = [self.own, *(script for script in scripts if script)]

    def source(self, chunk: str) -> Source | None:
        """Return the text of *chunk* under the name that people know, if it is one of ours."""
        for text in self._all:
            if text.is_called(chunk):
                return Source(shown_path(self._root / text.shown.file), text.shown.text)
        return None

    def syntax(self) -> Finding | None:
        """Return what is wrong with the suite's own text, without running it."""
        finding = syntax.check(self.own, compiler.check)
        return self._broken(finding) if finding else None

    def raised(self, message: str, chunk: str, line: int) -> Finding:
        """Return the finding for what the suite's file raised while it was loaded."""
        placed = f"{chunk}:{line}: {message}" if chunk and line else message
        return self._broken(runtime.finding(placed, self._all, code="T702"))

    def _broken(self, finding: Finding) -> Finding:
        spans = tuple(
            replace(span, file=shown_path(self._root / span.file)) for span in finding.spans
        )
        name = shown_path(self._root / self.own.shown.file)
        message = f"{name} does not load: {finding.message}"
        return replace(finding, severity="error", code="T702", message=message, spans=spans)


def script_of(source: SuiteSource, entry: Entry | None, known: Mapping[str, str]) -> LuaSource:
    """Return the text of a suite and what it may require.

    A plain file sees every module and every library of its project, by the names they have there.
    """
    if entry is not None:
        return chunk(entry)
    data = source.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    modules = sorted(assets.stdlib_modules()) + assets.host_modules(source.path)
    return LuaSource(source.id, source.id, data, tuple(modules), known)
