"""The page about the environment: every variable that moonq reads."""

from __future__ import annotations

from moonq.reference.commands import Variable, variables
from moonq.reference.markdown import item, items, page, section
from moonq.text.environment import VARIABLES

_LEAD = "Every variable of the environment that moonq reads."
_ABOUT = """\
Any option can come from a variable: `MOONQ_`, the command, the option, with `_` for each `-`.
What is typed wins over it. Entries name variables of their own with `${env:NAME}`, and scripts
read those that an `env.variable` names."""


def text() -> str:
    """Return the page."""
    every = list(variables())
    shared = [one for one in every if not one.command]
    of_commands = items(
        item(one.name, "", f"`{one.option}` of `{one.command}`.")
        for one in every
        if one.command and one.name.startswith("MOONQ_")
    )
    return page(
        "Environment",
        _LEAD,
        _ABOUT,
        *map(_shared, shared),
        *(section(name, about) for name, about in VARIABLES.items()),
        section("Options of single commands", of_commands),
    )


def _shared(one: Variable) -> str:
    return section(one.name, f"Sets `{one.option}` of every command: {one.help}")
