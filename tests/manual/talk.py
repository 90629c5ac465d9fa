"""A console of a host as a page shows it: its greeting, its prompt, and what it answers."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from tests.manual.page import Block
from tests.manual.terminal import at_terminal

from moonq.cli.commands.repl import _greeting
from moonq.console.core import Console
from moonq.console.entering import enter
from moonq.console.face import Face, Leave
from moonq.console.terminal import prompt
from moonq.control.reaching import reach

_PROMPT = re.compile(r"^(?P<prompt>[\w.@-]+(?:[!:][\w:.-]+)?(?: ro)?>)(?: (?P<typed>.*))?$")
_MORE = re.compile(r"^ +…  (.*)$")
#: What changes nothing: it is asked again until the host has come as far as the page.
_LOOKS = re.compile(r"\\(q|queues|peek|dead|find)\b")


class _Asking(Face):
    """A face that asks at the terminal."""

    def asks(self, question: str) -> str:
        self.write(question)
        with suppress(EOFError):
            return input().strip()
        return ""


class Talk:
    """A console of the host that runs, or of a private one."""

    def __init__(self, args: list[str]) -> None:
        self._reached = reach(Path(), local="--local" in args, start="--start" in args, whole=True)
        found = self._reached.__enter__()
        if "--write" in args:
            found.client.write()
        self._console = Console(found, _Asking("never", self._say), timeout=30.0)
        self.greeting = "".join(f"{line}\n" for line in _greeting(found, found.settle()))

    @property
    def prompt(self) -> str:
        """What stands in front of what is typed."""
        return str(prompt(self._console)[0][1])

    def enter(self, typed: str, shown: str) -> str:
        """Type something and return what it said; *shown* has the answers to its questions."""
        with at_terminal(shown) as paper, suppress(Leave):
            enter(self._console, typed)
        return paper.getvalue()

    def close(self) -> None:
        """Leave."""
        self._console.close()
        self._reached.__exit__(None, None, None)

    def _say(self, text: str) -> None:
        self._console.face.write(f"{text}\n")


def is_look(typed: str) -> bool:
    """Say whether *typed* only looks at what a host does."""
    return _LOOKS.match(typed) is not None


def entered(block: Block) -> list[tuple[str, str, str]]:
    """Return the prompt, what is typed there, and what follows, for each prompt of *block*."""
    found: list[tuple[str, str, str]] = []
    for line in block.text.splitlines():
        if asked := _PROMPT.match(line):
            found.append((asked["prompt"], asked["typed"] or "", ""))
            continue
        assert found, f"{block.place}: it begins with a prompt, as `shop> \\queues`"
        before, typed, shown = found[-1]
        if not shown and (more := _MORE.match(line)):
            found[-1] = (before, f"{typed}\n{more[1]}", "")
        else:
            found[-1] = (before, typed, f"{shown}{line}\n")
    return found
