r"""What happens with a block that was typed.

enter(console, "1 + 1")          # Lua
enter(console, r"\queues")       # a command
enter(console, "?queue.publish") # help
"""

from __future__ import annotations

import re

from moonq import views
from moonq.console import commands, documents
from moonq.console.core import Console
from moonq.errors import HostSilent, MoonqError

_HELP = re.compile(r"\?\s*([A-Za-z_][\w.:]*)\s*$")


def enter(console: Console, text: str) -> bool:
    """Do what *text* says and show what came of it; whether it went well.

    Raises:
        Leave: It said to leave.
        HostSilent: The host is gone.
    """
    # A terminal that calls itself ASCII hands other bytes on one by one.
    text = text.encode(errors="surrogateescape").decode(errors="replace")
    typed = text.strip()
    asked = _HELP.match(typed)
    if typed and not asked and not typed.startswith("\\"):
        return console.evaluate(text).is_well
    try:
        if asked:
            commands.run(console, f"\\? {asked[1]}")
        elif typed:
            commands.run(console, typed)
    except HostSilent:
        raise
    except MoonqError as problem:
        if console.face.is_program:
            console.face.complain(documents.error_of(problem))
        else:
            console.face.fail(views.problem(problem, console.face.screen()))
        return False
    return True
