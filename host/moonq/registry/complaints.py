"""Sentences about YAML that cannot be read: the parser's own texts say too little to people."""

from __future__ import annotations

import re
from typing import Any

from moonq.registry.yaml.nodes import Node, Scalar
from moonq.text.findings import Finding, Source, error

_KEY = re.compile(r"\s*(?:- +)*([^\s#:][^:]*):")


def unreadable(source: Source, data: bytes, limit: int) -> Finding | None:
    """Return what keeps *data* from being text at all, if anything does."""
    if len(data) > limit:
        return error(
            "P105",
            f"{source.file} has {len(data)} bytes; moonq reads YAML files up to {limit}",
            source.span(1),
            help="split it: every YAML file below the project is read",
        )
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        line = data.count(b"\n", 0, wrong.start) + 1
        column = wrong.start - (data.rfind(b"\n", 0, wrong.start) + 1) + 1
        return error(
            "P105",
            "this file is not UTF-8 text",
            source.span(line, column, 1, f"byte 0x{data[wrong.start]:02x}"),
            help="save the file as UTF-8",
        )
    return None


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
            return error(
                "P101",
                "this quote is never closed",
                source.span(*place, 1, "opened here"),
                help=f"add `{source.line(place[0])[place[1] - 1 :][:1]}` where the text ends",
            )
    return _by_text(source, line, column, problem)


def _by_text(source: Source, line: int, column: int, problem: str) -> Finding:
    first = source.line(line)[column - 1 : column]
    if "cannot start any token" in problem or "alphabetic or numeric" in problem:
        text = source.line(line).lstrip(" -")
        text = text.partition(": ")[2] or text
        first = first if "cannot start" in problem else source.line(line)[column - 2 : column - 1]
        return error(
            "P101",
            f"a value cannot begin with `{first}`",
            source.span(line, column if "cannot start" in problem else column - 1, 1),
            help=f'put the value in quotes: "{text.strip()}"' if '"' not in text else "quote it",
        )
    if "unknown escape" in problem:
        return error(
            "P101",
            'this is no escape of a text in "double quotes"',
            source.span(line, column - 1, 2, "unknown escape"),
            help="write `\\\\` for a backslash, or use 'single quotes'",
        )
    return _indentation(source, line) or _layout(source, line, column, problem)


def _layout(source: Source, line: int, column: int, problem: str) -> Finding:
    text = source.line(line)
    if "mapping values are not allowed" in problem and _KEY.match(text[: column - 1] + ":"):
        before = text[: column - 1]
        if before.count(":"):
            value = before.partition(":")[2].strip() + text[column - 1 :]
            return error(
                "P101",
                "this value has a `:` of its own",
                source.span(line, column, 1, "a second `: ` in one line"),
                help=f'put the value in quotes: "{value}"',
            )
    if "could not find expected ':'" in problem or "mapping values" in problem:
        wrong = _line_above(source, line) if "mapping values" in problem else line
        return error(
            "P101",
            "this line is neither `key: value` nor a `- ` item",
            source.span(wrong, len(source.line(wrong)) - len(source.line(wrong).lstrip()) + 1, 1),
            help="a key needs a colon and a space behind it",
        )
    return error(
        "P101",
        "this does not fit what stands before it",
        source.span(line, column, 1, since=_line_above(source, line)),
        note=f"the YAML parser says: {problem}",
        help="compare the indentation and the quotes with the lines above",
    )


def _line_above(source: Source, line: int) -> int:
    """The nearest line above with something on it."""
    number = line - 1
    while number > 1 and not _code(source.line(number)):
        number -= 1
    return max(1, number)


def _code(text: str) -> str:
    stripped = text.strip()
    return "" if stripped.startswith("#") else stripped


def _indent(text: str) -> int:
    """The column of the first key or value of a line, behind its `- `."""
    found = re.match(r"\s*(?:- +)*", text)
    return found.end() if found else 0


def _spaces(count: int) -> str:
    return "1 space" if count == 1 else f"{count} spaces"


def _indentation(source: Source, line: int) -> Finding | None:
    """The finding for a line that stands a little beside the column of its neighbours."""
    text = source.line(line)
    mine = len(text) - len(text.lstrip())
    above = _line_above(source, line)
    neighbour = source.line(above)
    columns = (_indent(neighbour), len(neighbour) - len(neighbour.lstrip()))
    key = _KEY.match(text)
    is_item = text.lstrip().startswith("- ")
    siblings = "items" if is_item else "fields of this entry"
    wanted = columns[1] if is_item else columns[0]
    if above == line or mine == wanted or not (key or is_item) or not _KEY.match(neighbour):
        return None
    since = above if above < 2 else max(_line_above(source, above), line - 2)
    steps = abs(mine - wanted)
    side = "left" if mine > wanted else "right"
    columns_text = "one column" if steps == 1 else f"{steps} columns"
    what = f"`{key[1].strip()}`" if key and not is_item else "the line"
    return error(
        "P101",
        "this line is indented differently from its neighbours",
        source.span(
            line,
            mine + 1,
            1,
            f"{_spaces(mine)}; the other {siblings} use {wanted}",
            since=since,
        ),
        help=f"move {what} {columns_text} {side}",
    )


def _tab(source: Source, line: int, column: int) -> Finding:
    text = source.line(line)
    while column > 1 and text[column - 2 : column - 1] == "\t":
        column -= 1
    count = len(text[column - 1 :]) - len(text[column - 1 :].lstrip("\t"))
    return error(
        "P103",
        "YAML indents with spaces, and this is a tab",
        source.span(line, column, max(1, count), "a tab"),
        help="replace it with spaces, as the neighbouring lines have them",
    )


def _unclosed(source: Source, line: int, column: int, problem: str) -> Finding:
    opening, closing = ("[", "]") if "']'" in problem else ("{", "}")
    text = source.line(line)
    if "${env:" in text:
        help_ = 'put it in quotes: "${env:NAME}" (here a bare `{` begins a map)'
    else:
        help_ = f"add `{closing}`, or a comma between two items"
    return error(
        "P101",
        f"this `{opening}` is never closed",
        source.span(line, column, 1, "opened here"),
        help=help_,
    )


def _control_character(source: Source, position: int) -> Finding:
    before = source.text[:position]
    line = before.count("\n") + 1
    column = position - (before.rfind("\n") + 1) + 1
    char = source.text[position : position + 1]
    return error(
        "P105",
        "this file holds a control character, which YAML does not allow",
        source.span(line, column, 1, f"U+{ord(char):04X}" if char else ""),
        help="remove it; if this is no text file, rename it",
    )


def second_document(source: Source, line: int) -> Finding:
    """Return the finding for a `---` that begins another document."""
    return error(
        "P101",
        "one file holds one document, and here a second one begins",
        source.span(line, 1, 3),
        help="move what follows into a file of its own",
    )


def too_much(source: Source, line: int, column: int) -> Finding:
    """Return the finding for a file that is nested too deep or grows without end."""
    return error(
        "P106",
        "this file is nested too deep, or its aliases expand to too many values",
        source.span(line, column, 1, "given up here"),
        help="write a plain list of entries",
    )


def bad_alias(source: Source, line: int, column: int, name: str, *, known: bool) -> Finding:
    """Return the finding for an alias to nothing, or to the node around it."""
    if known:
        message, help_ = f"`*{name}` contains itself", "write the inner value out"
    else:
        message = f"`*{name}` refers to an anchor that does not exist"
        help_ = f'write `&{name}` before the value it stands for, or quote the text: "*{name}"'
    return error("P101", message, source.span(line, column, len(name) + 1), help=help_)


def bad_key(source: Source, key: Node) -> Finding:
    """Return the finding for a key that is a list or a map."""
    return error(
        "P101",
        "a key must be plain text",
        source.at(key, "this is a list or a map"),
        help='put it in quotes, as in "{{ text }}"',
    )


def merge_key(source: Source, key: Scalar) -> Finding:
    """Return the finding for `<<`."""
    return error(
        "P101",
        "`<<` does not merge maps: YAML 1.2 has no merge keys",
        source.at(key),
        help="write the fields out, or share a whole map: `retry: *slow`",
    )


def duplicate_key(source: Source, key: Scalar, first: Scalar) -> Finding:
    """Return the finding for a key that the same map has already."""
    return error(
        "P102",
        f"`{key.text}` is written twice",
        source.at(key, "the second one"),
        source.at(first, "the first one", primary=False),
        help="remove one of them",
    )


def tag(source: Source, line: int, column: int, name: str) -> Finding:
    """Return the finding for a YAML tag."""
    shown = name.replace("tag:yaml.org,2002:", "!!")
    return error(
        "P101",
        f"moonq knows no YAML tags, and `{shown}` is one",
        source.span(line, column, len(shown)),
        help="remove it; to keep the `!` as text, put the value in quotes",
    )
