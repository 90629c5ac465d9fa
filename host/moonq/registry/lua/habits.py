"""What people from other languages write in Lua, and what Lua says instead."""

from __future__ import annotations

import re

from moonq.registry.lua.tokens import without_text
from moonq.text.findings import Source

#: No longer line is typed by hand, and the patterns below are slow on machine-made ones.
LONGEST = 300
_OPERATOR = r"(\+|-|\*|/|%|\.\.)"
#: A pattern for a line of code without its texts and comments; groups go into the answer.
_HABITS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), answer)
    for pattern, answer in (
        (
            rf"([\w.\[\]]+)\s*{_OPERATOR}=(?!=)\s*([^;]*?)\s*(?:;|\bend\b|$)",
            "write `{0} = {0} {1} {2}`: Lua has no `{1}=`",
        ),
        (r"([\w.\[\]]+)\s*\+\+", "write `{0} = {0} + 1`: Lua has no `++`"),
        (r"!==", "Lua writes `~=` for not equal"),
        (r"!=", "Lua writes `~=` for not equal"),
        (r"===", "Lua writes `==`"),
        (r"&&", "Lua writes `and`"),
        (r"\|\|", "Lua writes `or`"),
        (r"!\s*([\w(]+)", "Lua writes `not {0}`"),
        (r"\b(?:elif|elsif|elseIf|elsief|esleif)\b", "Lua writes `elseif`"),
        (r"\b(?:esle|els|eles)\b", "did you mean `else`?"),
        (r"\b(?:fucntion|funciton|functon|func|fn|def|fun)\s+[\w(]", "Lua writes `function`"),
        (r"\b(?:retrun|reutrn|retunr)\b", "did you mean `return`?"),
        (r"\b(?:loacl|lcoal|locla)\b", "did you mean `local`?"),
        (r"^\s*(?:var|let|const)\s+(\w+)", "Lua writes `local {0}`"),
        (
            r"\bcontinue\b",
            "Lua has no `continue`: `goto` a label in front of the loop's `end`",
        ),
        (r"=>", "write `function(x) return … end`"),
        (r"\?", "write `cond and a or b`"),
        (
            r"\)\s*\{\s*$|\belse\s*\{|\}\s*else|\bthen\s*\{|\bdo\s*\{",
            "a block begins with `then` or `do` and ends with `end`",
        ),
        (r"^\s*(?://|/\*|#)", "a comment begins with `--`"),
        (
            r"\b(?:try|catch|throw|except|raise)\b",
            "Lua writes `pcall(f)` to catch and `error(e)` to raise",
        ),
        (r"^\s*(?:import|from|include)\s", 'Lua writes `local x = require("x")`'),
        (r"\bswitch\b|\bcase\b", "write `if … elseif … end`, or a table of functions"),
        (r"`", "Lua has no template strings: join with `..`"),
        (r"\b(?:if|while|until|elseif)\b[^=]*[^=~<>]=[^=]", "`=` assigns; write `==` to compare"),
    )
]
_COLON_KEY = re.compile(r"[{,]\s*(?:\"[^\"]*\"|'[^']*'|\w+)\s*:\s")
_ELSE_IF = re.compile(r"\belse\s+if\b")


def habit(source: Source, line: int, *, expected: str = "") -> str:
    """Return the advice for a habit seen on *line*, or on the line above where Lua saw it late."""
    if (
        "expected" in expected
        and len(source.line(line)) <= LONGEST
        and _COLON_KEY.search(source.line(line))
    ):
        return 'a table is written `{ name = value }` or `{ ["name"] = value }`'
    for number in (line, line - 1):
        written = source.line(number)
        if len(written) > LONGEST:
            continue
        code = without_text(written)
        for pattern, answer in _HABITS:
            found = pattern.search(code)
            if found:
                parts = (written[start:end] for start, end in found.regs[1:])
                return answer.format(*parts)
    return ""


def unclosed_habit(source: Source) -> str:
    """Return the advice for an `else if`, which opens a second `if` that wants its own `end`."""
    for number, line in enumerate(source.lines, 1):
        if len(line) <= LONGEST and _ELSE_IF.search(without_text(line)):
            return (
                f"write `elseif` in line {number}: `else if` opens a second `if` with its own `end`"
            )
    return ""
