"""Every command that begins with a backslash.

    run(console, "\\\\peek orders 2")
    run(console, "\\\\peek?")            # what it is in Lua, and what it does

`verbs` are the same as on the command line; `looking` shows things, `using` is about the console.
"""

from __future__ import annotations

from moonq.console.commands import looking, using, verbs
from moonq.console.commands.table import COMMANDS, about, find
from moonq.console.core import Console

#: They fill `COMMANDS` when they are imported.
GROUPS = (verbs, looking, using)

__all__ = ["COMMANDS", "GROUPS", "find", "run"]


def run(console: Console, text: str) -> None:
    """Do what *text*, a line that begins with a backslash, says.

    Raises:
        Invalid: There is no such command, or it wants other arguments.
    """
    name, _, rest = text[1:].partition(" ")
    if name not in ("?", "") and name.endswith("?"):
        console.face.show(about(find(name[:-1])))
        return
    find(name).action(console, rest.strip())
