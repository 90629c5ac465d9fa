"""Makes findings of what a running script raised: `work.lua:3: attempt to index a nil value`.

Lua names the line and often the variable; the column is that of the variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from moonq import assets
from moonq.registry.lua.text import LuaText
from moonq.text.findings import Finding, Span, error
from moonq.text.suggestions import close, question

_FRAME = re.compile(r"(?P<chunk>[^\n]+?):(?P<line>\d+): in ")
_WHERE = re.compile(r"(?P<chunk>[^\n]*?):(?P<line>\d+): (?P<what>.*)", re.DOTALL)
_NAME = re.compile(r"\((?:local|global|field|method|upvalue|constant) '([^']+)'\)")
_FUNCTION = re.compile(r"bad argument #\S+ to '([^']+)'")
#: What other languages write for it -> Lua.
FOREIGN = {"null": "nil", "None": "nil", "undefined": "nil", "True": "true", "False": "false"}
_WORDS = frozenset(
    re.findall(
        r"\w+",
        "assert error ipairs next pairs select tonumber tostring type pcall xpcall require print "
        "setmetatable getmetatable rawequal rawget rawset rawlen string table math utf8 coroutine",
    )
)


def finding(message: str, texts: Iterable[LuaText], *, code: str, headline: str = "") -> Finding:
    """Return the finding for the *message* of an error that one of *texts* raised.

    *headline* is the headline where the caller knows a better one than Lua's own sentence.
    """
    message = message.partition("\nstack traceback:")[0]
    where = _WHERE.fullmatch(message)
    text = _text(where["chunk"], int(where["line"]), texts) if where else None
    if where is None or text is None:
        return error(code, headline or message)
    what, line = where["what"], int(where["line"])
    span = _span(text, line, what, label=what if headline else "")
    mine = {token.text for token in text.tokens() if token.kind == "name"}
    return error(code, headline or what, span, help=advice(what, mine))


def innermost(stack: str) -> tuple[str, int]:
    """Return chunk and line of the innermost frame of *stack*; an empty name and 0 without one."""
    frame = _FRAME.match(stack)
    return (frame["chunk"], int(frame["line"])) if frame else ("", 0)


def _text(chunk: str, line: int, texts: Iterable[LuaText]) -> LuaText | None:
    """The text that Lua calls *chunk*; of several in one file the one that has *line*."""
    fitting = (text for text in texts if text.is_called(chunk) and text.code.line(line).strip())
    return next(fitting, None)


def _span(text: LuaText, line: int, what: str, label: str) -> Span:
    named = _NAME.search(what) or _FUNCTION.search(what)
    if named:
        for token in text.tokens():
            if token.line == line and token.text == named[1]:
                return text.span(line, token.column, len(token.text), label)
    return text.span(line, 0, 1, label)


def advice(what: str, mine: Iterable[str] = ()) -> str:
    """Return what to do about the error *what*, empty if that is not known.

    *mine* are the names that the text has itself.
    """
    named = _NAME.search(what)
    name = named[1] if named else ""
    if "nil value (global" in what:
        return _about_global(name, mine)
    if what.startswith("attempt to concatenate a nil") and name:
        return f"check it first: `if {name} then`, or write `tostring({name})`"
    return ""


def _about_global(name: str, mine: Iterable[str]) -> str:
    if name in FOREIGN:
        return f"Lua writes `{FOREIGN[name]}`"
    if name in assets.stdlib_modules():
        return required(name)
    return question(close(name, {*mine, *_WORDS, *assets.stdlib_modules()} - {name}))


def required(name: str) -> str:
    """Return what to write in a file that uses the module or import *name* without asking."""
    return f'write `local {name} = require("{name}")` at its top'
