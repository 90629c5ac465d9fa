r"""The table of commands that begin with a backslash.

Each is sugar for something that Lua or the host can do; the modules beside this one fill it.

    @command("save FILE", takes="file")
    def save(console: Console, name: str) -> None:
        '''Write what went well as a Lua file.'''
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from inspect import getdoc, signature
from typing import TYPE_CHECKING

from moonq.errors import Invalid
from moonq.text import suggestions
from moonq.text.wording import plural

if TYPE_CHECKING:
    from moonq.console.core import Console

Action = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    usage: str
    """How it is typed, without the backslash: its name, then its arguments."""
    about: str
    action: Action
    """Called with the console and the words behind the name: what its parameters allow."""
    lua: str = ""
    """The same in Lua, where Lua can do it."""
    takes: str = ""
    """What its first argument names, for completion: `queue`, `function`, `entry`, ..."""
    is_whole: bool = False
    """Its one argument is the rest of the line as it stands."""

    @property
    def name(self) -> str:
        """The word behind the backslash."""
        return self.usage.partition(" ")[0]

    def lines(self) -> list[str]:
        r"""Return what `\name?` shows: the usage, one sentence, and the same in Lua."""
        lines = [f"\\{self.usage}", f"  {self.about}"]
        return [*lines, f"  in Lua: {self.lua}"] if self.lua else lines

    def do(self, console: Console, rest: str) -> None:
        """Do it with *rest*, what stands behind its name.

        Raises:
            Invalid: It wants other arguments.
        """
        if self.is_whole:
            self.action(console, rest)
            return
        found = words(rest, self.usage)
        try:
            signature(self.action).bind(console, *found)
        except TypeError:
            raise miscounted(found, self.usage) from None
        self.action(console, *found)


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
    usage: str, *, lua: str = "", takes: str = "", is_whole: bool = False
) -> Callable[[Action], Action]:
    """Make a function the action of a command; its docstring says what the command does."""

    def register(action: Action) -> Action:
        sentence = (getdoc(action) or "").partition("\n")[0].rstrip(".")
        about = sentence[:1].lower() + sentence[1:]
        made = Command(usage, about, action, lua, takes, is_whole)
        COMMANDS[made.name] = made
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


def run(console: Console, text: str) -> None:
    """Do what *text*, a line that begins with a backslash, says.

    Raises:
        Invalid: There is no such command, or it wants other arguments.
    """
    name, _, rest = text[1:].partition(" ")
    if name not in ("?", "") and name.endswith("?"):
        console.face.show(find(name[:-1]).lines())
    else:
        find(name).do(console, rest.strip())


def words(text: str, usage: str) -> list[str]:
    """Cut arguments into words, as a shell does.

    Raises:
        Invalid: A quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise Invalid(f"{problem}".lower(), hint=f"write \\{usage}") from None


def miscounted(found: list[str], usage: str) -> Invalid:
    """Return the complaint about too few or too many words."""
    return Invalid(f"{plural(len(found), 'argument')} given", hint=f"write \\{usage}")
