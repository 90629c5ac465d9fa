"""Sentences about YAML that cannot be read: the parser's own texts say too little to people."""

from __future__ import annotations

import re
from typing import Any

from moonq.text.findings import Finding, Source, error

#: One item of a list or map in brackets.
_ITEM = re.compile(r"[^,\]}]*")
_KEY = re.compile(r"\s*(?:- +)*([^\s#:][^:]*):")


def unreadable(source: Source, data: bytes, limit: int) -> Finding | None:
    """Return what keeps *data* from being text at all, if anything does."""
    if len(data) > limit:
        message = f"{source.file} has {len(data)} bytes; moonq reads YAML files up to {limit}"
        help_ = "split it: every YAML file below the project is read"
        return error("P105", message, source.span(1), help=help_)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line, column = _line_and_column(data, wrong.start, b"\n")
        span = source.span(line, column, 1, f"byte 0x{data[wrong.start]:02x}")
        return error("P105", "this file is not UTF-8 text", span, help="save the file as UTF-8")
    return None


def _line_and_column(text: Any, position: int, newline: Any) -> tuple[int, int]:
    return text.count(newline, 0, position) + 1, position - text.rfind(newline, 0, position)


def syntax(source: Source, raised: Any) -> Finding:
    """Return the finding for an error of the YAML parser."""
    mark = getattr(raised, "problem_mark", None)
    if mark is None:
        return _control_character(source, getattr(raised, "position", 0))
    problem = str(raised.problem)
    line, column = mark.line + 1, mark.column + 1
    if "\\t" in problem or "tab character" in problem:
        return _tab(source, line, column)
    opened = getattr(raised, "context_mark", None)
    if opened is not None:
        place = (opened.line + 1, opened.column + 1)
        if "',' or ']'" in problem or "',' or '}'" in problem:
            return _unclosed(source, *place, problem)
        if "unexpected end of stream" in problem:
            quote = source.line(place[0])[place[1] - 1 :][:1]
            span = source.span(*place, 1, "opened here")
            help_ = f"add `{quote}` where the text ends"
            return error("P101", "this quote is never closed", span, help=help_)
    return (
        _value(source, line, column, problem)
        or _indentation(source, line)
        or _colon(source, line, column, problem)
        or error(
            "P101",
            "this does not fit what stands before it",
            source.span(line, column, 1, since=_line_above(source, line)),
            note=f"the YAML parser says: {problem}",
            help="compare the indentation and the quotes with the lines above",
        )
    )


def _value(source: Source, line: int, column: int, problem: str) -> Finding | None:
    """The finding for a value that needs quotes, or other ones."""
    if "cannot start any token" in problem or "alphabetic or numeric" in problem:
        column -= "cannot start" not in problem
        text = source.line(line).lstrip(" -")
        value = (text.partition(": ")[2] or text).strip()
        message = f"a value cannot begin with `{source.line(line)[column - 1 : column]}`"
        before, behind = source.line(line)[: column - 1], source.line(line)[column - 1 :]
        if before.count("[") + before.count("{") > before.count("]") + before.count("}"):
            value = _ITEM.match(behind)[0].strip()  # type: ignore[index]
        help_ = "quote it" if '"' in value else f'put the value in quotes: "{value}"'
        return error("P101", message, source.span(line, column), help=help_)
    if "unknown escape" in problem:
        span = source.span(line, column - 1, 2, "unknown escape")
        help_ = "write `\\\\` for a backslash, or use 'single quotes'"
        return error("P101", 'this is no escape of a text in "double quotes"', span, help=help_)
    return None


def _colon(source: Source, line: int, column: int, problem: str) -> Finding | None:
    """The finding for a line with a colon too many, or without one."""
    text, is_second = source.line(line), "mapping values" in problem
    key, colon, value = text[: column - 1].partition(":")
    if is_second and colon and _KEY.match(key + colon):
        span = source.span(line, column, 1, "a second `: ` in one line")
        help_ = f'put the value in quotes: "{value.strip()}{text[column - 1 :]}"'
        return error("P101", "this value has a `:` of its own", span, help=help_)
    if is_second or "could not find expected ':'" in problem:
        wrong = _line_above(source, line) if is_second else line
        span = source.span(wrong, _margin(source.line(wrong)) + 1)
        help_ = "a key needs a colon and a space behind it"
        message = "this line is neither `key: value` nor a `- ` item"
        return error("P101", message, span, help=help_)
    return None


def _line_above(source: Source, line: int) -> int:
    """The nearest line above with something on it."""
    number = line - 1
    while number > 1 and (source.line(number).strip() or "#").startswith("#"):
        number -= 1
    return max(1, number)


def _margin(text: str) -> int:
    return len(text) - len(text.lstrip())


def _counted(count: int, noun: str) -> str:
    return f"{'one' if noun == 'column' and count == 1 else count} {noun}{'s' * (count != 1)}"


def _indentation(source: Source, line: int) -> Finding | None:
    """The finding for a line that stands a little beside the column of its neighbours."""
    above = _line_above(source, line)
    text, neighbour = source.line(line), source.line(above)
    key, first = _KEY.match(text), re.match(r"\s*(?:- +)*", neighbour)
    is_item = text.lstrip().startswith("- ")
    mine = _margin(text)
    wanted = _margin(neighbour) if is_item or not first else first.end()
    if above == line or mine == wanted or not (key or is_item) or not _KEY.match(neighbour):
        return None
    since = above if above < 2 else max(_line_above(source, above), line - 2)
    siblings = "items" if is_item else "fields of this entry"
    label = f"{_counted(mine, 'space')}; the other {siblings} use {wanted}"
    what = f"`{key[1].strip()}`" if key and not is_item else "the line"
    side = "left" if mine > wanted else "right"
    return error(
        "P101",
        "this line is indented differently from its neighbours",
        source.span(line, mine + 1, 1, label, since=since),
        help=f"move {what} {_counted(abs(mine - wanted), 'column')} {side}",
    )


def _tab(source: Source, line: int, column: int) -> Finding:
    text = source.line(line)
    before = text[: column - 1].rstrip("\t")
    tabs = len(text) - len(before) - len(text[len(before) :].lstrip("\t"))
    span = source.span(line, len(before) + 1, max(1, tabs), "a tab")
    help_ = "replace it with spaces, as the neighbouring lines have them"
    return error("P103", "YAML indents with spaces, and this is a tab", span, help=help_)


def _unclosed(source: Source, line: int, column: int, problem: str) -> Finding:
    opening, closing = ("[", "]") if "']'" in problem else ("{", "}")
    if "${env:" in source.line(line):
        help_ = 'put it in quotes: "${env:NAME}" (here a bare `{` begins a map)'
    else:
        help_ = f"add `{closing}`, or a comma between two items"
    span = source.span(line, column, 1, "opened here")
    return error("P101", f"this `{opening}` is never closed", span, help=help_)


def _control_character(source: Source, position: int) -> Finding:
    line, column = _line_and_column(source.text, position, "\n")
    char = source.text[position : position + 1]
    span = source.span(line, column, 1, f"U+{ord(char):04X}" if char else "")
    message = "this file holds a control character, which YAML does not allow"
    return error("P105", message, span, help="remove it; if this is no text file, rename it")
