"""Everything that begins with a backslash.

    run(console, "\\peek orders 2")
    run(console, "\\peek?")            # what it is in Lua, and what it does

Each is sugar for something that Lua or the host can do; `looking`, `operating` and `using` hold
them.
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


def run(console: Console, text: str) -> None:
    """Do what *text*, a line that begins with a backslash, says.

    Raises:
        Invalid: There is no such command, or it wants other arguments.
    """
    name, _, rest = text[1:].partition(" ")
    if name not in ("?", "") and name.endswith("?"):
        console.face.show(_about(find(name[:-1])))
        return
    find(name).action(console, rest.strip())


def find(name: str) -> Command:
    """Return the command called *name*.

    Raises:
        Invalid: There is none.
    """
    load()
    known = COMMANDS.get(SHORT.get(name, name))
    if known is None:
        close = suggestions.close(name, COMMANDS)
        hint = f"did you mean \\{close[0]}?" if close else "\\? lists them"
        raise Invalid(f"no command is called \\{name}", hint=hint)
    return known


def load() -> dict[str, Command]:
    """Have every command in `COMMANDS`, and return them."""
    from moonq.console.commands import looking, operating, using

    assert looking
    assert operating
    assert using
    return COMMANDS


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


def _about(found: Command) -> list[str]:
    lines = [f"\\{found.usage}", f"  {found.about}"]
    return [*lines, f"  in Lua: {found.lua}"] if found.lua else lines
