"""Whether a text that is typed is a whole piece of Lua.

    judge("for i = 1, 3 do").is_incomplete      # Enter begins a new line
    judge("1 + * 2").finding            # what is wrong, with its place; None for a whole text
    judge("1 + 2;").is_muted            # the value is not printed

A text is asked for as an expression first, as statements then, and at last, for what was pasted, as
statements with an expression on the last lines; a call there is both. It is incomplete when one of
them only failed because the text ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from moonq.registry.lua.syntax import of_message
from moonq.registry.lua.text import LuaText
from moonq.registry.lua.tokens import tokens
from moonq.sandbox import syntax
from moonq.text.findings import Finding, Source

NAME = "console"
_RETURN = "return "
_OPENERS = {"then", "do", "else", "repeat", "(", "{", "["}
#: Lines of an expression that may stand behind statements.
MOST_VALUE_LINES = 50
_LINE = re.compile(rf"^{NAME}:(\d+):")
_NAME = re.compile(r"\s*[A-Za-z_]")
_EQUALS = re.compile(r"\s*=(?!=)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A text and what Lua thinks of it."""

    text: str
    """As it was typed, without the `=` that Lua 5.1 wanted before an expression."""
    value_from: int = 0
    """The offset of the expression on its last lines, behind statements; 0 without any."""
    is_expression: bool = False
    finding: Finding | None = None
    """What is wrong with it, or missing."""
    is_incomplete: bool = False
    """Nothing is wrong but that it ends too early."""

    @property
    def code(self) -> str:
        """What is sent: an expression behind statements becomes what they return."""
        at = self.value_from
        return f"{self.text[:at]}{_RETURN}{self.text[at:]}" if at else self.text

    @property
    def is_muted(self) -> bool:
        """Whether it ends with `;`, so that its value is not wanted on the screen."""
        last = None
        for last in tokens(self.text):  # noqa: B007 - the last one is wanted
            pass
        return last is not None and last.text == ";"

    @property
    def caret(self) -> int:
        """The offset of the error in the text."""
        if not self.finding or not self.finding.spans:
            return len(self.text)
        span = self.finding.spans[0]
        lines = self.text.split("\n")
        before = sum(len(line) + 1 for line in lines[: span.line - 1])
        return min(len(self.text), before + max(0, span.column - 1))


def judge(text: str) -> Chunk:
    """Return what Lua thinks of *text*, without running any of it."""
    text = _EQUALS.sub("", text, count=1) if _EQUALS.match(text) else text
    if not text.strip():
        return Chunk(text)
    as_value = syntax.check(_bytes(_RETURN + text), NAME)
    if as_value is None:
        return Chunk(text, is_expression=not _is_statement(text))
    as_code = syntax.check(_bytes(text), NAME)
    if as_code is None:
        return _ending_in_a_call(text) or Chunk(text)
    return _ending_in_a_value(text, as_code) or _faulty(text, as_value, as_code)


def finding_of(name: str, text: str) -> Finding | None:
    """Return what is wrong with *text* as a whole chunk, which people know as *name*."""
    message = syntax.check(text.encode(), name)
    return _finding(text, message, name) if message else None


def indent_after(line: str) -> str:
    """Return the spaces that the line after *line* begins with."""
    own = line[: len(line) - len(line.lstrip())]
    words = [token.text for token in tokens(line)]
    if not words:
        return own
    opens = words[-1] in _OPENERS or (
        "function" in words and words[-1] == ")" and "end" not in words
    )
    return own + "  " if opens else own


def outdented(line: str) -> str:
    """Return *line*, one step to the left where its only word closes a block."""
    if line.strip() in {"end", "else", "until", "}", ")", "end)", "})"} and line.startswith("  "):
        return line[2:]
    return line


def is_for_console(text: str) -> bool:
    """Whether *text* is a command or asks for help: neither can begin a piece of Lua."""
    return text.lstrip().startswith(("\\", "?"))


def _ending_in_a_value(text: str, as_code: str) -> Chunk | None:
    """Return *text*, pasted statements with an expression on the last lines, as a chunk.

    The expression begins where Lua complains about the statements, or some lines above.
    """
    complained = _LINE.search(as_code)
    for at in _beginnings(text, int(complained[1]) if complained else 1):
        found = Chunk(text, value_from=at)
        problem = syntax.check(_bytes(found.code), NAME)
        if not problem:
            return found
        if _only_ended(problem):
            return Chunk(text, finding=_finding(text, as_code), is_incomplete=True)
    return None


def _ending_in_a_call(text: str) -> Chunk | None:
    """Return *text*, whole statements of which the last is a call, as a chunk with its value.

    What begins with a name never goes on with the line before it, as `(f)()` would.
    """
    for at in _beginnings(text, text.count("\n") + 1):
        found = Chunk(text, value_from=at)
        if _NAME.match(text, at) and not syntax.check(_bytes(found.code), NAME):
            return found
    return None


def _beginnings(text: str, last: int) -> Iterator[int]:
    """Yield where lines begin that have whole statements above them, from line *last* upwards."""
    lines = text.split("\n")
    last = min(last, len(lines))
    for above in range(last - 1, max(0, last - 1 - MOST_VALUE_LINES), -1):
        at = sum(len(line) + 1 for line in lines[:above])
        if text[at:].strip() and not syntax.check(_bytes(text[:at]), NAME):
            yield at


def _faulty(text: str, as_value: str, as_code: str) -> Chunk:
    if _only_ended(as_value) or _only_ended(as_code):
        return Chunk(text, finding=_finding(text, as_code), is_incomplete=True)
    return Chunk(text, finding=_furthest(text, as_value, as_code))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _only_ended(message: str) -> bool:
    first = message.partition("\nstack traceback:")[0]
    return first.endswith("near <eof>") and "unfinished string" not in first


def _is_statement(text: str) -> bool:
    """`return` alone is whole with anything behind it that is no code, such as a comment."""
    return next(iter(tokens(text)), None) is None


def _furthest(text: str, as_value: str, as_code: str) -> Finding:
    """The complaint that got further into the text is the one about what was meant."""
    code = _finding(text, as_code)
    value = _shifted(_finding(_RETURN + text, as_value), text)
    return value if value.place[1:] > code.place[1:] else code


def _finding(text: str, message: str, name: str = NAME) -> Finding:
    return of_message(message, LuaText.of_file(name, _bytes(text)), syntax.check)


def _shifted(finding: Finding, text: str) -> Finding:
    """The same without the word that was put in front of the first line."""
    source = Source(NAME, text)
    spans = tuple(
        replace(
            span,
            column=max(1, span.column - len(_RETURN)) if span.line == 1 else span.column,
            lines=tuple((number, source.line(number)) for number, _ in span.lines),
        )
        for span in finding.spans
    )
    return replace(finding, spans=spans)
