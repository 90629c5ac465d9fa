"""Values that a test has seen and accepted once, as Lua literals beside the test file.

test/__snapshots__/orders_test.snap.lua:

return {
  ["orders sends a receipt"] = { to = "ada@example.org" },
}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

SUFFIX = ".snap.lua"
_KEY = re.compile(r'^  \["((?:[^"\\\n]|\\.)*)"\] = ', re.MULTILINE)
_ESCAPED = re.compile(r"\\(\d{3}|.)", re.DOTALL)


class Snapshots:
    """The snapshots of one test file."""

    def __init__(self, test: Path, *, update: bool, may_store: bool) -> None:
        self._path = test.parent / "__snapshots__" / f"{test.stem}{SUFFIX}"
        self._update = update
        self._may_store = may_store
        self._known: dict[str, str] | None = None
        self._used: dict[str, str] = {}

    def compare(self, key: str, literal: str) -> str | None:
        """Return the literal that *key* has; None where there is none and none may be stored."""
        known = self._read()
        if self._update and key in self._used:
            return self._used[key]  # two values of one name: to take the last would hide it
        self._used[key] = literal
        if self._update or (key not in known and self._may_store):
            if known.get(key) != literal:
                known[key] = literal
                self._write(known)
            return literal
        return known.get(key)

    def drop(self, may_go: Callable[[str], bool]) -> None:
        """Forget those that no test has looked at, where *may_go* agrees; only when updating.

        Files go whose test file is gone.
        """
        if not self._update or not self._path.parent.is_dir():
            return
        known = self._read()
        kept = {key: value for key, value in known.items() if key in self._used or not may_go(key)}
        if kept and kept != known:
            self._write(kept)
        elif not kept:
            self._path.unlink(missing_ok=True)
        self._known = kept
        stems = {file.stem for file in self._path.parent.parent.iterdir()}
        for file in self._path.parent.glob(f"*{SUFFIX}"):
            if file.name.removesuffix(SUFFIX) not in stems:
                file.unlink()

    def _read(self) -> dict[str, str]:
        if self._known is None:
            try:
                self._known = parse(self._path.read_text(encoding="utf-8"))
            except OSError:
                self._known = {}
        return self._known

    def _write(self, known: dict[str, str]) -> None:
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(compose(known), encoding="utf-8")


def parse(text: str) -> dict[str, str]:
    """Return the literals of a snapshot file by their keys."""
    marks = list(_KEY.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), text.rfind("}")]
    found = {}
    for mark, end in zip(marks, ends, strict=False):
        literal = text[mark.end() : end].rstrip().removesuffix(",")
        found[_unquoted(mark[1])] = literal.replace("\n  ", "\n")
    return found


def compose(known: dict[str, str]) -> str:
    """Return a snapshot file."""
    rows = [
        f"  [{_quoted(key)}] = {literal.replace(chr(10), chr(10) + '  ')},\n"
        for key, literal in sorted(known.items())
    ]
    return f"-- Written by moonq test; --update takes them anew.\nreturn {{\n{''.join(rows)}}}\n"


def _quoted(key: str) -> str:
    escaped = (
        f"\\{char}" if char in '"\\' else f"\\{ord(char):03}" if ord(char) < 32 else char
        for char in key
    )
    return f'"{"".join(escaped)}"'


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1])) if len(found[1]) == 3 else found[1], text)
