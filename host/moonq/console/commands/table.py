"""The table of commands that begin with a backslash.

Each is sugar for something that Lua or the host can do; the modules beside this one fill it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moonq.errors import Invalid
from moonq.text import suggestions

if TYPE_CHECKING:
    from moonq.console.core import Console

Action = Callable[["Console", str], None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    usage: str
    about: str
    action: Action
    lua: str = ""
    """The same in Lua, where there is such a thing."""
    takes: str = ""
    """What its first argument names, for completion: `queue`, `function`, `entry`, ..."""


COMMANDS: dict[str, Command] = {}
SHORT = {
    "q": "queues",
    "h": "history",
    "exit": "quit",
    "rw": "write",
    "ro": "readonly",
    "help": "?",
}


def command(
    name: str, usage: str, about: str, *, lua: str = "", takes: str = ""
) -> Callable[[Action], Action]:
    """Make a function the action of a command."""

    def register(action: Action) -> Action:
        COMMANDS[name] = Command(name, usage, about, action, lua, takes)
        return action

    return register


def find(name: str) -> Command:
    """Return the command called *name*.

    Raises:
        Invalid: There is none.
    """
    known = COMMANDS.get(SHORT.get(name, name))
    if known is None:
        close = suggestions.close(name, COMMANDS)
        hint = f"did you mean \\{close[0]}?" if close else "\\? lists them"
        raise Invalid(f"no command is called \\{name}", hint=hint)
    return known


def words(text: str, usage: str, least: int = 0, most: int = 1) -> list[str]:
    """Cut arguments into words, as a shell does.

    Raises:
        Invalid: There are too few or too many.
    """
    try:
        found = shlex.split(text)
    except ValueError as problem:
        raise Invalid(f"{problem}".lower(), hint=f"write \\{usage}") from None
    if not least <= len(found) <= most:
        raise Invalid(f"{len(found)} arguments were given", hint=f"write \\{usage}")
    return found


def about(found: Command) -> list[str]:
    """Return what `\\\\name?` shows: the usage, one sentence, and the same in Lua."""
    lines = [f"\\{found.usage}", f"  {found.about}"]
    return [*lines, f"  in Lua: {found.lua}"] if found.lua else lines
