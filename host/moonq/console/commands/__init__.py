r"""Every command that begins with a backslash.

    run(console, r"\peek orders 2")
    run(console, r"\peek?")            # what it is in Lua, and what it does

`verbs` are the same as on the command line; `looking` shows things, `trying` runs
code to learn about it, `using` is about the console.
"""

from moonq.console.commands import looking, trying, using, verbs
from moonq.console.commands.table import COMMANDS, find, run

#: They fill `COMMANDS` when they are imported.
GROUPS = (verbs, looking, trying, using)

__all__ = ["COMMANDS", "GROUPS", "find", "run"]
