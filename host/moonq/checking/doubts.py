"""What a person would see in a Lua text that compiles: names that nothing has, calls that fail.

Only what is certain is said, and nothing about a name that the text asks for (`x and`, `if x`,
`type(x)`), because whoever asks knows that it may be missing.
"""

from __future__ import annotations

from moonq.checking import members, offers, unknown
from moonq.checking.names import Global
from moonq.checking.reading import Owner, Reading
from moonq.registry.lua.text import LuaText
from moonq.text.findings import Finding


def doubts(text: LuaText, owner: Owner) -> list[Finding]:
    """Return what looks wrong in *text*."""
    reading = Reading(text, owner)
    for known in reading.uses():
        base = known.chain.base
        if (names := reading.lent(known.chain)) is not None:
            members.lent(reading, known, names)
        elif module := offers.module_of(known.chain):
            members.module_(reading, known, module)
        elif isinstance(base, Global):
            unknown.global_(reading, known, base.name)
        elif found := offers.answer(known.chain):
            members.object_(reading, known, found)
    return reading.findings
