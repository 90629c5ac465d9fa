"""Which lines of a project's scripts the tests have run.

Lines that can run come from the compiled code, so a function that is never called counts as well;
`-- moonq: no cover` takes a line out, and with a line that opens a block the whole block.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from moonq.registry import Entry, Project
from moonq.registry.lua.text import LuaText
from moonq.registry.script import Script
from moonq.sandbox.dumps import executable_lines
from moonq.testing.sources import shown_path

#: Lines by file, as a state has seen them.
Hits = Mapping[str, Iterable[int]]
_MARK = re.compile(r"--+\s*moonq:\s*no cover\b")
_OPENERS = {"if", "do", "function", "repeat"}
_CLOSERS = {"end", "until"}


class FileCoverage(NamedTuple):
    """What ran of one file."""

    file: str
    text: str
    lines: frozenset[int]
    """Those that could run."""
    hit: frozenset[int]
    loaded: bool
    """Whether anything of it ran at all."""
    name: str = ""
    """Its path below the project."""

    @property
    def percent(self) -> float:
        """How much of it ran; all, where there is nothing."""
        return 100.0 * len(self.hit) / len(self.lines) if self.lines else 100.0

    def only(self, lines: Container[int]) -> FileCoverage:
        """Return what ran of *lines*."""
        kept = frozenset(line for line in self.lines if line in lines)
        return self._replace(lines=kept, hit=self.hit & kept)

    def missing(self) -> list[tuple[int, int]]:
        """Return the lines that did not run, as ranges; lines that cannot run do not part them."""
        ranges: list[tuple[int, int]] = []
        joins = False
        for line in sorted(self.lines):
            if line in self.hit:
                joins = False
            elif joins:
                ranges[-1] = (ranges[-1][0], line)
            else:
                ranges.append((line, line))
                joins = True
        return ranges


class Hit:
    """Gathers the lines that ran, of many states."""

    def __init__(self) -> None:
        self._lines: dict[str, set[int]] = {}

    def add(self, hits: Hits) -> None:
        """Add what one state has seen."""
        for name, lines in hits.items():
            self._lines.setdefault(name, set()).update(lines)

    def lines(self) -> dict[str, frozenset[int]]:
        """Return the lines by file."""
        return {name: frozenset(lines) for name, lines in self._lines.items()}


def measure(project: Project, root: Path, hits: Hits) -> list[FileCoverage]:
    """Return what ran of each file with scripts of *project*, in the order of their names."""
    files: dict[str, list[LuaText]] = {}
    for entry in _scripts(project):
        texts = files.setdefault(entry.source_name, [])
        if entry.script and entry.script not in texts:
            texts.append(entry.script)
    return [_of_file(root, name, files[name], hits.get(name, ())) for name in sorted(files)]


def total(files: Iterable[FileCoverage]) -> tuple[int, int, float]:
    """Return how many lines could run, how many did, and that in percent."""
    listed = list(files)
    lines = sum(len(one.lines) for one in listed)
    hit = sum(len(one.hit) for one in listed)
    return lines, hit, 100.0 * hit / lines if lines else 100.0


def _scripts(project: Project) -> Iterator[Entry]:
    for entry in project.entries.values():
        # The text of a Python module is no Lua.
        if isinstance(entry.config, Script) and entry.meta.get("type") != "test":
            yield entry


def _of_file(root: Path, name: str, texts: list[LuaText], hit: Iterable[int]) -> FileCoverage:
    lines: set[int] = set()
    for text in texts:
        lines |= executable_lines(text.data) - _excluded(text)
    ran = frozenset(hit)
    shown = texts[0].shown.text
    return FileCoverage(
        shown_path(root / name), shown, frozenset(lines), frozenset(lines & ran), bool(ran), name
    )


def _excluded(text: LuaText) -> set[int]:
    """The lines that bear the mark, each with the block that it opens."""
    marked = {number for number, line in enumerate(text.code.lines, 1) if _MARK.search(line)}
    found = set(marked)
    if marked:
        for first, last in _blocks(text):
            if first in marked:
                found.update(range(first, last + 1))
    return found


def _blocks(text: LuaText) -> Iterator[tuple[int, int]]:
    """First and last line of every block; `while … do` and `for … do` open with their `do`."""
    opened: list[int] = []
    for token in text.tokens():
        if token.kind != "name":
            continue
        if token.text in _OPENERS:
            opened.append(token.line)
        elif token.text in _CLOSERS and opened:
            yield opened.pop(), token.line
