r"""Lua files, and scripts on stdin: each is one chunk, run as `lua FILE` would.

    run(console, "fill.lua", text)     # nothing is shown but what it prints, and what goes wrong

A line such as `\queues` is for people at a prompt. In a script it is an error, which names the
function that does the same.
"""

from __future__ import annotations

import re
from dataclasses import replace

from moonq.console import chunk
from moonq.console.commands.table import find
from moonq.console.core import Console
from moonq.console.running import Answer
from moonq.errors import Invalid
from moonq.text.findings import Finding
from moonq.text.reading import BOM

_COMMAND = re.compile(r"\s*\\([\w?]*)")


def run(console: Console, name: str, text: str) -> Answer:
    """Run the script *text*, which people know as *name*."""
    code = _without_first_marks(text)
    finding = fault(name, code)
    if finding:
        console.refuse(finding)
        return Answer("invalid", 0.0)
    return console.execute(name, code)


def fault(name: str, code: str) -> Finding | None:
    """Return why *code* is no Lua."""
    finding = chunk.finding_of(name, code)
    if not finding or not finding.spans:
        return finding
    line = code.split("\n")[finding.spans[0].line - 1 :][:1]
    typed = _COMMAND.match(line[0]) if line else None
    return _about_command(finding, typed[1]) if typed else finding


def _about_command(finding: Finding, name: str) -> Finding:
    message = f"`\\{name}` is for people at a prompt, and a script has functions instead"
    try:
        known = find(name)
    except Invalid as problem:
        return replace(finding, message=message, helps=(problem.hint,))
    helps = (f"write `{known.lua}`",) if known.lua else ()
    return replace(finding, message=message, helps=helps)


def _without_first_marks(text: str) -> str:
    """Return *text* without a byte order mark, and with a first line for the shell left empty."""
    text = text.removeprefix(BOM)
    return text[len(text.partition("\n")[0]) :] if text.startswith("#") else text
