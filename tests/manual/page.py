"""The fenced blocks of a page, in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<info>.*)$")
_INFO = re.compile(r'(?P<language>[\w-]+)?(?P<words>(?: [\w-]+="[^"]*")*)$')
_WORD = re.compile(r'([\w-]+)="([^"]*)"')
#: What may stand behind the language of a fence.
WORDS = {"title", "add-to", "needs"}


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    """The line of its fence; the first is 1."""
    language: str
    text: str
    words: dict[str, str] = field(default_factory=dict)
    """What stands behind the language: `title="src/_index.yaml"`."""

    @property
    def place(self) -> str:
        """Where it stands, as a compiler would say it."""
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks of the page at *path*."""
    return list(_blocks(path.name, path.read_text("utf-8").split("\n")))


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    rest = iter(enumerate(lines, 1))
    for number, line in rest:
        if opened := _FENCE.match(line):
            info = _INFO.match(opened["info"].strip())
            assert info, f"{page}:{number}: what is {opened['info']!r}?"
            words = dict(_WORD.findall(info["words"]))
            assert set(words) <= WORDS, f"{page}:{number}: only {sorted(WORDS)} are known"
            close, indent = opened["indent"] + opened["ticks"], len(opened["indent"])
            inside = []
            for _, text in rest:
                if text.rstrip() == close:
                    break
                inside.append(text[indent:] if text[:indent].isspace() else text)
            else:
                raise AssertionError(f"{page}:{number}: the fence is not closed")
            yield Block(page, number, info["language"] or "", "\n".join(inside) + "\n", words)
